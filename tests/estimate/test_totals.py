"""Which files are drawn, and whether the ranges hold what they promise, on inboxes made of numbers alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.estimate.ratio_estimate import Total, draw, total

FILES = st.lists(st.tuples(st.integers(0, 1 << 31), st.integers(1, 500), st.floats(0, 1e4)), min_size=1, max_size=30)
"""Bytes, pages and cost of some files."""


def total_of(files: list[tuple[int, int, float]], opened: int, read: int, noise: float = 0.0) -> Total:
    """The total cost of files of which the first ones that are drawn are opened, and the first of these are read."""
    sizes, pages, costs = np.array(files, float).T
    order = np.argsort(draw(sizes))
    pages[order[opened:]] = costs[order[read:]] = np.nan
    return total(sizes, pages, costs, noise)


@given(st.lists(st.integers(0, 1 << 31), max_size=60))
def test_a_draw_is_the_same_every_time(sizes: list[int]) -> None:
    assert (draw(np.array(sizes, float)) == draw(np.array(sizes, float))).all()


@given(FILES, st.integers(1, 30), st.integers(1, 30))
def test_a_total_lies_in_its_range_whatever_was_drawn(files: list[tuple[int, int, float]], opened: int, read: int) -> None:
    opened = min(opened, len(files))
    result = total_of(files, opened, min(read, opened), noise=0.1)
    low, high = result.range
    assert 0 <= low <= high < float("inf")
    assert low * 0.5 <= result.value <= high * 2, "skewed, but not beside its own range"


@given(FILES)
def test_where_everything_was_read_the_total_is_the_sum(files: list[tuple[int, int, float]]) -> None:
    result = total_of(files, len(files), len(files))
    expected = sum(cost for _, _, cost in files)
    assert result.value == pytest.approx(expected)
    assert result.range == pytest.approx((expected, expected))


def test_a_single_file_that_speaks_for_a_thousand_leaves_the_range_wide() -> None:
    low, high = total_of([(70_000, 3, 30.0)] * 1_000, 1, 1).range
    assert low < 15_000
    assert high > 60_000


def test_more_files_read_narrow_the_range() -> None:
    def width(read: int) -> float:
        low, high = total_of([(70_000, 1, 1.0 + number % 5) for number in range(10_000)], read, read).range
        return high / low

    assert width(3) > 2 * width(10) > 2 * width(300)


def _scans_and_text(chance: np.random.Generator) -> tuple[int, int, float]:
    """A file of a folder where bytes tell what it costs."""
    pages, scanned = int(min(300, 1 + chance.pareto(1.3))), bool(chance.random() < 0.4)
    size = int(pages * (300_000 if scanned else 20_000) * chance.lognormal(0, 0.5))
    return size, pages, pages * (3.0 if scanned else 0.03) * chance.lognormal(0, 0.4)


def _for_a_model(chance: np.random.Generator) -> tuple[int, int, float]:
    """A file of a folder where every page costs about the same."""
    pages = int(min(300, 1 + chance.pareto(1.3)))
    size = int(pages * 60_000 * chance.lognormal(0, 1.2))
    return size, pages, pages * 60 * chance.lognormal(0, 0.3)


def _photos(chance: np.random.Generator) -> tuple[int, int, float]:
    """A file of a folder where neither tells much."""
    size = int(200_000 * chance.lognormal(0, 1.2))
    return size, 1, 3 * chance.lognormal(0, 0.4)


@pytest.mark.parametrize("kind", [_scans_and_text, _for_a_model, _photos])
@pytest.mark.parametrize("read", [12, 40])
def test_ranges_hold_the_truth_nearly_as_often_as_they_promise(
    kind: Callable[[np.random.Generator], tuple[int, int, float]], read: int
) -> None:
    """95 of 100 should; small samples of skewed costs fall short of that a little."""
    held = 0
    for seed in range(100):
        chance = np.random.default_rng(seed)
        files = [kind(chance) for _ in range(chance.integers(300, 2_000))]
        low, high = total_of(files, 400, read).range
        held += low <= sum(cost for _, _, cost in files) <= high
    assert held >= 82
