"""The lease: one holder at a time; another machine takes it over when the holder has not renewed it in time."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.errors import LockedError
from pipeline.remote.lease import Lease, current_lease
from pipeline.remote.object_store import ObjectStore, open_store
from tests.remote.conftest import BUCKET, BucketRuns

URL = f"s3://{BUCKET}/out"


@pytest.fixture
def store(runs: BucketRuns) -> ObjectStore:
    del runs
    return open_store(URL)


def test_a_second_holder_is_refused_until_the_first_is_done(store: ObjectStore) -> None:
    with (
        Lease(store, URL, "one"),
        pytest.raises(LockedError, match="another run works on s3://documents/out"),
        Lease(store, URL, "two"),
    ):
        pass
    with Lease(store, URL, "two"):
        lease = current_lease(store, URL)
    assert lease
    assert (lease.holder, lease.number) == ("two", 2)


def test_one_of_many_machines_that_try_at_once_gets_it(store: ObjectStore) -> None:
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


def test_a_machine_that_died_continues_its_own_lease_at_once(store: ObjectStore) -> None:
    Lease(store, URL, "one").acquire()
    with Lease(store, URL, "one"):
        pass


def test_a_holder_that_did_not_renew_its_lease_has_lost_it(store: ObjectStore) -> None:
    silent = Lease(store, URL, "one", seconds=0.5)
    silent.acquire()  # without the thread that renews it
    time.sleep(0.6)
    with Lease(store, URL, "two"):
        with pytest.raises(LockedError, match="has taken over"):
            silent.check()
        with pytest.raises(LockedError):  # and it stays lost
            silent.check()


def test_a_holder_that_renews_its_lease_keeps_it(store: ObjectStore) -> None:
    with Lease(store, URL, "one", seconds=2) as lease:
        time.sleep(3)
        with pytest.raises(LockedError), Lease(store, URL, "two"):
            pass
        lease.check()
