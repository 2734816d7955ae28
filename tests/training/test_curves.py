"""Curves over the number of layouts: what is measured was never learned from, and figures survive the way to the picture."""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pipeline.engines.embedded.fields.scorer.candidate_groups import FEATURES  # noqa: E402
from training.curve_picture import draw_curves  # noqa: E402
from training.curves import Known, Point, curve, parse, read, table, write  # noqa: E402
from training.fit_command import folds  # noqa: E402
from training.scorer.examples import Example  # noqa: E402


def document(source: str, layout: str, sign: int, seed: int) -> Known:
    """One example of each family: of five candidates the one with the largest ``sign`` × feature is right."""
    rows = []
    for family in FEATURES:
        features = np.random.default_rng(seed).normal(size=(5, 8)).astype(np.float32)
        right = np.arange(5) == int((sign * features[:, 0]).argmax())
        rows.append(Example(layout, f"{source}/{layout}", family, "total", features, right, tuple("abcde")))
    return Known(source, layout, tuple(rows))


def given(*arguments: str) -> argparse.Namespace:
    return parse([*arguments, "--networks", "1", "--epochs", "15", "--csv", "unused.csv"])


@pytest.fixture(scope="module")
def points() -> Iterator[list[Point]]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # so small a network gains nothing from more, and loses much on a loaded machine
    generated = [document("generated invoices", f"g{n}", 1, n) for n in range(150)]
    real = [document("real invoices", f"r{n // 2}", -1, 1000 + n) for n in range(120)]
    held = [document("held back invoices", f"h{n}", 1, 2000 + n) for n in range(20)]
    yield list(curve(generated, real, held, given("--counts", "3,120,999", "--folds", "2")))
    torch.set_num_threads(threads)


def test_every_count_is_measured_on_layouts_left_out(points: list[Point]) -> None:
    assert {point.layouts_learned for point in points} == {3, 120}, "there are no more than 120 beside the 30 left out"
    assert {(point.measured, point.real) for point in points} == {
        (source, real)
        for source in ("generated invoices", "real invoices", "held back invoices")
        for real in ("with", "without")
    }
    assert {point.layouts_measured for point in points if point.measured == "generated invoices"} == {30}
    assert {point.of for point in points if point.measured == "real invoices"} == {120 * len(FEATURES)}


def test_more_layouts_help_and_real_documents_help_real_ones(points: list[Point]) -> None:
    shares = {(point.measured, point.real, point.layouts_learned): point.share for point in points}
    assert shares["generated invoices", "without", 3] < shares["generated invoices", "without", 120]
    assert shares["generated invoices", "without", 120] > 0.65
    assert shares["real invoices", "without", 120] < 0.2, "their rule is the opposite one"
    assert shares["real invoices", "with", 3] > shares["real invoices", "without", 3] + 0.2
    for point in points:
        assert 0 <= point.low <= point.share <= point.high <= 1


def test_documents_of_one_layout_are_in_one_fold() -> None:
    documents = [document("real invoices", f"r{n % 7}", 1, n) for n in range(30)]
    fold_of = folds((known.layout for known in documents), 3, 0)
    assert set(fold_of) == {f"r{n}" for n in range(7)}
    assert set(fold_of.values()) == {0, 1, 2}


def test_figures_come_back_from_the_csv_and_into_the_picture(points: list[Point], tmp_path: Path) -> None:
    path = tmp_path / "curves.csv"
    write(path, points)
    assert read(path) == points
    drawn = draw_curves(random.Random(0).sample(points, len(points)))
    assert drawn.count("<polyline") == 6
    assert drawn.count("<circle") == len(points)
    assert "held back, real ones learned too: " in drawn
    best = next(p for p in points if (p.measured, p.real, p.layouts_learned) == ("real invoices", "with", 120))
    assert f"{best.share:.3f}" in drawn
    lines = list(table(points))
    assert lines[0].endswith("| 3 learned | 120 learned |")
    (line,) = [line for line in lines if line.startswith("| real invoices | yes |")]
    assert f"{best.share:.3f} ({best.low:.3f} – {best.high:.3f}) |" in line
    with pytest.raises(ValueError, match="no points"):
        draw_curves([])
