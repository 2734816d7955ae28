"""Throughput and the time left, by a clock that the test sets."""

from __future__ import annotations

import pytest

from pipeline.monitoring.progress import Throughput, time_left


def test_the_time_left_is_estimated_after_three_documents_and_its_range_narrows() -> None:
    assert time_left(100, 0, 60, 0, 60) is None
    assert time_left(100, 2, 60, 2, 60) is None
    few, many = time_left(100, 5, 50, 5, 50), time_left(100, 400, 4_000, 12, 120)
    assert few is not None
    assert many is not None
    for low, high in (few, many):
        assert low < 1_000 < high
    assert few[1] - few[0] > 2 * (many[1] - many[0])


def test_a_recent_change_of_speed_widens_the_range() -> None:
    left = time_left(100, 400, 4_000, 5, 120)  # 10 s a document overall, 24 s recently
    assert left is not None
    low, high = left
    assert low == pytest.approx(1_000, rel=0.1)
    assert high == pytest.approx(2_400, rel=0.1)


def test_waiting_for_files_does_not_lower_the_throughput() -> None:
    throughput = Throughput()
    throughput.resume(100)
    throughput.record(160, 6, 12)
    throughput.pause(160)
    throughput.resume(3_760)  # an hour later
    assert throughput.seconds(3_790) == 90
    assert throughput.recent(3_790, 9, 18) == (90, 9, 18)


def test_the_recent_throughput_covers_only_the_last_minutes() -> None:
    throughput = Throughput()
    throughput.resume(0)
    for second in range(0, 1_001, 10):
        throughput.record(second, second, second)  # one a second …
    seconds, documents, pages = throughput.recent(1_060, 1_000, 1_000)
    assert 120 <= seconds <= 190
    assert documents == pages
    assert 60 <= documents <= 130
