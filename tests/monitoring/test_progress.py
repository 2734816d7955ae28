"""Pace and the time left, by a clock that the test sets."""

from __future__ import annotations

import pytest

from pipeline.monitoring.progress import Pace, time_left


def test_the_time_left_is_told_once_enough_is_known_and_narrows_with_what_is_done() -> None:
    assert time_left(100, 0, 60, 0, 60) is None
    assert time_left(100, 2, 60, 2, 60) is None
    few, many = time_left(100, 5, 50, 5, 50), time_left(100, 400, 4_000, 12, 120)
    assert few is not None
    assert many is not None
    for low, high in (few, many):
        assert low < 1_000 < high
    assert few[1] - few[0] > 2 * (many[1] - many[0])


def test_a_pace_that_changed_lately_widens_the_range() -> None:
    left = time_left(100, 400, 4_000, 5, 120)  # 10 s a document in all, 24 s lately
    assert left is not None
    low, high = left
    assert low == pytest.approx(1_000, rel=0.1)
    assert high == pytest.approx(2_400, rel=0.1)


def test_waiting_for_files_does_not_slow_the_pace_down() -> None:
    pace = Pace()
    pace.work(100)
    pace.note(160, 6, 12)
    pace.rest(160)
    pace.work(3_760)  # an hour later
    assert pace.worked(3_790) == 90
    assert pace.recent(3_790, 9, 18) == (90, 9, 18)


def test_the_recent_pace_forgets_what_is_long_ago() -> None:
    pace = Pace()
    pace.work(0)
    for second in range(0, 1_001, 10):
        pace.note(second, second, second)  # one a second …
    seconds, documents, pages = pace.recent(1_060, 1_000, 1_000)
    assert 120 <= seconds <= 190
    assert documents == pages
    assert 60 <= documents <= 130
