"""Pauses grow up to a limit, and begin again when it works."""

from __future__ import annotations

import pytest

from pipeline.backoff import Backoff, retry_store_call
from pipeline.errors import StoreError


def test_pauses_double_up_to_the_longest_and_begin_again_after_a_reset() -> None:
    backoff = Backoff(0.5, 3.0)
    assert [backoff.next_seconds() for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    backoff.reset()
    assert backoff.next_seconds() == 0.5


def test_a_factor_and_no_limit() -> None:
    assert [Backoff(60, factor=4).seconds_after(failures) for failures in (1, 2, 3)] == [60, 240, 960]
    assert Backoff(1, 60).seconds_after(100_000) == 60


def test_jitter_spreads_a_pause_around_its_length() -> None:
    pauses = {Backoff(10, jitter=0.25).seconds_after(1) for _ in range(100)}
    assert len(pauses) > 50
    assert 7.5 <= min(pauses) <= max(pauses) <= 12.5


@pytest.mark.parametrize(("passing", "seconds", "calls"), [(True, 5.0, 2), (False, 5.0, 1), (True, 0.1, 1)])
def test_a_store_is_called_again_only_after_errors_that_may_pass_and_for_a_limited_time(
    passing: bool, seconds: float, calls: int
) -> None:
    count = 0

    def call() -> int:
        nonlocal count
        count += 1
        if count == 1:
            raise StoreError("busy", passing=passing)
        return count

    if calls == 1:
        with pytest.raises(StoreError, match="busy"):
            retry_store_call(call, seconds)
    else:
        assert retry_store_call(call, seconds) == calls
    assert count == calls
