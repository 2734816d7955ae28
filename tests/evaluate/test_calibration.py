"""Whether confidence is what it says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluate.calibration import calibrate


def test_a_confidence_that_comes_true_has_no_error() -> None:
    judged = [(part / 10, n < part) for part in range(10) for n in range(10)]
    calibration = calibrate(judged)
    assert calibration is not None
    assert calibration.error == pytest.approx(0)
    assert [item.share.of for item in calibration.bins] == [10] * 10


def test_too_high_a_confidence_is_an_error() -> None:
    calibration = calibrate([(1.0, n % 2 == 0) for n in range(40)])
    assert calibration is not None
    assert calibration.error == pytest.approx(0.5)


def test_errors_above_each_threshold_are_counted() -> None:
    calibration = calibrate([(0.99, True), (0.99, False), (0.6, False), (0.3, True)])
    assert calibration is not None
    errors = {item.threshold: (item.errors.right, item.errors.of) for item in calibration.thresholds}
    assert errors[0.5] == (2, 3)
    assert errors[0.9] == errors[0.99] == (1, 2)


def test_no_confidence_no_calibration() -> None:
    assert calibrate([]) is None


@given(st.lists(st.tuples(st.integers(0, 20).map(lambda n: n / 20), st.booleans()), min_size=1, max_size=60))
def test_bins_hold_all_values_and_never_part_equal_confidences(judged: list[tuple[float, bool]]) -> None:
    calibration = calibrate(judged)
    assert calibration is not None
    assert sum(item.share.of for item in calibration.bins) == len(judged)
    assert len(calibration.bins) <= len({confidence for confidence, _ in judged})
    assert 0 <= calibration.error <= 1
    assert calibrate(judged[::-1]) == calibration, "the order of the documents says nothing"


@given(st.sets(st.floats(0, 1), min_size=1, max_size=60))
def test_bins_of_distinct_confidences_share_all_values_out_equally(confidences: set[float]) -> None:
    calibration = calibrate([(confidence, confidence > 0.5) for confidence in confidences])
    assert calibration is not None
    sizes = [item.share.of for item in calibration.bins]
    assert sum(sizes) == len(confidences)
    assert max(sizes) - min(sizes) <= 1


def test_the_highest_confidence_shared_by_most_values_is_judged_by_all_of_them() -> None:
    calibration = calibrate([(0.9, n >= 10) for n in range(100)])  # the wrong ones come first
    assert calibration is not None
    assert calibration.error == pytest.approx(0)
    assert [item.share.of for item in calibration.bins] == [100]
    assert calibration.confidence == pytest.approx(0.9)
    assert calibration.share.value == 0.9
