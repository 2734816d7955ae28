"""The lease: one holder at a time, whoever tries when; a dead holder is followed after its time."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.errors import LockedError
from pipeline.remote.lease import Lease, highest
from pipeline.remote.object_store import Store, open_store
from tests.remote.conftest import BUCKET, Shop

URL = f"s3://{BUCKET}/out"


@pytest.fixture
def store(shop: Shop) -> Store:
    del shop
    return open_store(URL)


def test_a_second_holder_is_refused_until_the_first_is_done(store: Store) -> None:
    with (
        Lease(store, URL, "one"),
        pytest.raises(LockedError, match="another run works on s3://papers/out"),
        Lease(store, URL, "two"),
    ):
        pass
    with Lease(store, URL, "two"):
        held = highest(store, URL)
    assert held
    assert (held.holder, held.number) == ("two", 2)


def test_of_many_who_try_at_once_one_gets_it(store: Store) -> None:
    start = threading.Barrier(8)

    def attempt(name: int) -> bool:
        lease = Lease(store, URL, str(name))
        start.wait()
        try:
            lease.__enter__()
        except LockedError:
            return False
        time.sleep(2)
        lease.__exit__()
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1


def test_a_machine_that_died_takes_up_its_own_at_once(store: Store) -> None:
    Lease(store, URL, "one")._take()
    with Lease(store, URL, "one"):
        pass


def test_who_was_not_heard_of_has_lost(store: Store) -> None:
    sleeper = Lease(store, URL, "one", seconds=0.5)
    sleeper._held = sleeper._take()  # and no thread that renews it
    time.sleep(0.6)
    with Lease(store, URL, "two"):
        with pytest.raises(LockedError, match="has taken over"):
            sleeper.check()
        with pytest.raises(LockedError):  # and it stays lost
            sleeper.check()


def test_a_holder_at_work_keeps_it_beyond_its_time(store: Store) -> None:
    with Lease(store, URL, "one", seconds=2) as lease:
        time.sleep(3)
        with pytest.raises(LockedError), Lease(store, URL, "two"):
            pass
        lease.check()
