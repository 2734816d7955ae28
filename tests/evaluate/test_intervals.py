"""Figures against values worked out elsewhere."""

from __future__ import annotations

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluate.intervals import Share, bootstrap, mcnemar

SHARES = st.integers(1, 400).flatmap(lambda of: st.integers(0, of).map(lambda right: Share(right, of)))


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [
        (8, 10, 0.4902, 0.9433),  # the textbook's example (Agresti & Coull 1998 give the formula)
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),  # Newcombe, Statistics in Medicine 17 (1998), table I
        (15, 148, 0.0624, 0.1605),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_a_share_has_wilsons_interval(right: int, of: int, low: float, high: float) -> None:
    assert Share(right, of).interval == pytest.approx((low, high), abs=5e-5)


def test_without_counts_the_interval_is_zero_to_one() -> None:
    assert Share(0, 0).interval == (0.0, 1.0)
    assert bootstrap([]) == (0.0, 1.0)


@given(SHARES)
def test_an_interval_holds_its_share_and_narrows_with_more_documents(share: Share) -> None:
    low, high = share.interval
    assert 0 <= low <= share.value <= high <= 1
    more = Share(share.right * 4, share.of * 4).interval
    assert more[1] - more[0] < high - low


@pytest.mark.parametrize(("fixed", "broken", "p"), [(14, 3, 0.0127), (5, 0, 0.0625), (0, 6, 0.03125), (2, 2, 1.0), (0, 0, 1.0)])
def test_mcnemar_gives_the_exact_p(fixed: int, broken: int, p: float) -> None:
    assert mcnemar(fixed, broken) == pytest.approx(p, abs=5e-5)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_sign_test(fixed: int, broken: int) -> None:
    tail = sum(comb(fixed + broken, k) for k in range(min(fixed, broken) + 1)) / 2 ** (fixed + broken)
    assert mcnemar(fixed, broken) == pytest.approx(min(1, 2 * tail))
    assert mcnemar(fixed, broken) == mcnemar(broken, fixed)


def test_mcnemar_takes_ten_thousand_changes() -> None:
    assert 0 < mcnemar(5_100, 4_900) < 0.05


def test_the_bootstrap_knows_that_fields_of_a_document_go_wrong_together() -> None:
    apart, together = [Share(9, 10)] * 40, [Share(10, 10)] * 36 + [Share(0, 10)] * 4
    assert bootstrap(apart) == (0.9, 0.9)
    low, high = bootstrap(together)
    wilson = Share(360, 400).interval
    assert low < wilson[0] < 0.9 < wilson[1] < high
    assert bootstrap(together) == (low, high), "the same documents give the same interval"


def test_one_layout_says_next_to_nothing_about_another_one() -> None:
    low, high = bootstrap([Share(228, 240)])
    assert (low, high) == pytest.approx((0.1865, 0.9994), abs=5e-5)  # (p + z²/2 ± z √(p(1 - p) + z²/4)) / (1 + z²), p = 0.95


def test_few_groups_count_as_so_many_groups_not_as_so_many_values() -> None:
    assert bootstrap([Share(90, 100)] * 4) == pytest.approx((0.4168, 0.9913), abs=5e-5)


def test_everything_right_on_few_layouts_is_no_certainty() -> None:
    assert bootstrap([Share(12, 12)] * 10) == pytest.approx(Share(10, 10).interval)
    assert bootstrap([Share(0, 12)] * 10) == pytest.approx(Share(0, 10).interval)
    low, _ = bootstrap([Share(990, 990), *[Share(1, 1)] * 10])
    assert low < Share(2, 2).interval[0], "one large layout does not make eleven"
