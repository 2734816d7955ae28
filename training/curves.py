"""How right is the scorer on layouts that it was not fitted to, by the number of layouts that it was fitted to?

    python -m training.curves GENERATED... [--real FOLDER...] [--held FOLDER...] [--counts 50,100,200,400,800,1500] --csv FILE
        [--picture SVG] [--into docs/accuracy.md]

GENERATED are folders that ``python -m training.generate`` wrote. A part of their layouts (``--left-out``) is only measured; of the others the
first 50, the first 100 … of one random order are learned from, with the recipe of ``python -m training.scorer``. With ``--real`` (documents with
a ``truth.jsonl``) each point is fitted twice: without them, and with those of all other layouts (``--folds`` parts). ``--held`` documents are only
measured. What is measured: the share of pages and fields for which the likeliest candidate is right, or absence where the page does not print
the field. ``--picture`` draws what ``--csv`` holds, and ``--into`` puts it as a table into a page; without GENERATED the CSV must be there.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from benchmarks.accuracy_tables import heading, with_block
from pipeline.evaluate.intervals import Share, bootstrap
from training.curve_picture import draw_curves
from training.fit_command import folds
from training.scorer.__main__ import Networks, fit_all, is_right
from training.scorer.examples import Example, TrueDocument, examples, generated_documents, real_documents

BLOCK = "curves"


@dataclass(frozen=True)
class Known:
    """A document with its examples. Documents of one ``layout`` are never on both sides of a split."""

    source: str
    """What a curve is drawn for: ``generated invoices``, ``real receipts`` …"""
    layout: str
    examples: tuple[Example, ...]
    weight: float = 1.0


@dataclass(frozen=True)
class Point:
    """One measured share."""

    measured: str
    """The source of the documents, none of whose layouts was learned from."""
    real: str
    """``without`` or ``with`` real documents in the training."""
    layouts_learned: int
    """Generated ones."""
    right: int
    of: int
    low: float
    high: float
    """95 % interval by a bootstrap over the measured layouts."""
    layouts_measured: int
    seconds: float
    """Of the training."""

    @property
    def share(self) -> float:
        """Right ones among all."""
        return self.right / self.of


def main() -> None:
    """Read, fit, measure, write."""
    given = parse(sys.argv[1:])
    if given.generated:
        points = []
        for point in curve(generated(given), real(given.real, given, "real"), real(given.held, given, "held back"), given):
            points.append(point)
            print(
                f"{point.layouts_learned:6} layouts, {point.real:7} real ones: {point.measured:24} {point.share:.3f} of {point.of}",
                flush=True,
            )
            write(given.csv, points)
    points = read(given.csv)
    if given.picture:
        given.picture.write_text(draw_curves(points), encoding="utf-8")
    if given.into:
        page = given.into.read_text(encoding="utf-8")
        given.into.write_text(with_block(page, BLOCK, "\n".join(table(points))), encoding="utf-8")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m training.curves", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("generated", nargs="*", type=Path)
    parser.add_argument("--real", nargs="*", type=Path, default=[])
    parser.add_argument("--held", nargs="*", type=Path, default=[], help="real documents that are only measured")
    parser.add_argument("--pages", type=Path, default=Path("build/pages"), help="where pages of real documents are kept")
    parser.add_argument(
        "--counts", type=_numbers, default=[50, 100, 200, 400, 800, 1500], help="generated layouts learned from"
    )
    parser.add_argument("--left-out", type=float, default=0.2, help="part of the generated layouts that is only measured")
    parser.add_argument("--real-weight", type=float, default=1.0, help="weight of a real example; a generated one weighs 1")
    parser.add_argument("--networks", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--into", type=Path, help=f"a page with the marks of the figures `{BLOCK}`")
    return parser.parse_args(arguments)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def generated(given: argparse.Namespace) -> list[Known]:
    """The generated documents."""
    return [
        Known(f"generated {folder.name}", document.layout, tuple(examples(document)))
        for folder in given.generated
        for document in generated_documents(folder)
    ]


def real(folders: Sequence[Path], given: argparse.Namespace, what: str) -> list[Known]:
    """Real documents; where their truth names no layout, those of one vendor count as one."""
    return [
        Known(f"{what} {folder.name}", layout_of(document), tuple(examples(document)), given.real_weight)
        for folder in folders
        for document in real_documents(folder, given.pages)
    ]


def layout_of(document: TrueDocument) -> str:
    """The layout that the truth names, else the vendor."""
    vendor = document.values.get("vendor_name")
    is_own = document.layout == document.name.partition("/")[2]
    return str(vendor).casefold() if vendor and is_own else document.layout


def curve(
    generated: Sequence[Known], real: Sequence[Known], held: Sequence[Known], given: argparse.Namespace
) -> Iterator[Point]:
    """A point for every number of layouts, with and without real documents, and every source that is measured."""
    order = sorted({known.layout for known in generated})
    random.Random(given.seed).shuffle(order)
    left_out = set(order[: round(given.left_out * len(order))])
    pool = order[len(left_out) :]
    measured = [known for known in generated if known.layout in left_out]
    fold_of = folds((row.layout for row in real), given.folds, given.seed)
    for count in sorted({min(count, len(pool)) for count in given.counts}):
        learned = set(pool[:count])
        base = [known for known in generated if known.layout in learned]
        networks, seconds = fitted(base, given)
        yield from _points([*measured, *real, *held], networks, "without", count, seconds)
        if real:
            networks, seconds = fitted([*base, *real], given)
            yield from _points([*measured, *held], networks, "with", count, seconds)
            parts = []
            for fold in range(given.folds):
                others = [known for known in real if fold_of[known.layout] != fold]
                networks, seconds = fitted([*base, *others], given)
                parts += _counts([known for known in real if fold_of[known.layout] == fold], networks)
            yield from _joined(parts, "with", count, seconds)


def fitted(documents: Iterable[Known], given: argparse.Namespace) -> tuple[Networks, float]:
    """Networks fitted to the documents, and the seconds that took."""
    begin = time.perf_counter()
    networks = fit_all([replace(e, weight=known.weight) for known in documents for e in known.examples], given)
    return networks, time.perf_counter() - begin


def _points(documents: Sequence[Known], networks: Networks, real: str, count: int, seconds: float) -> Iterator[Point]:
    yield from _joined(_counts(documents, networks), real, count, seconds)


def _counts(documents: Sequence[Known], networks: Networks) -> list[tuple[str, str, Share]]:
    """Source, layout and right ones of every document."""
    return [
        (known.source, known.layout, Share(sum(is_right(e, networks[e.family]) for e in known.examples), len(known.examples)))
        for known in documents
    ]


def _joined(counts: Sequence[tuple[str, str, Share]], real: str, count: int, seconds: float) -> Iterator[Point]:
    for source in dict.fromkeys(source for source, _, _ in counts):
        by_layout: dict[str, list[Share]] = defaultdict(list)
        for own, layout, share in counts:
            if own == source:
                by_layout[layout].append(share)
        shares = [Share(sum(s.right for s in each), sum(s.of for s in each)) for each in by_layout.values()]
        low, high = bootstrap(shares)
        right, of = sum(share.right for share in shares), sum(share.of for share in shares)
        yield Point(source, real, count, right, of, round(low, 4), round(high, 4), len(shares), round(seconds, 1))


def write(path: Path, points: Sequence[Point]) -> None:
    """The points as CSV, one a line."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Point)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(point) for point in points)


def table(points: Sequence[Point]) -> Iterator[str]:
    """Markdown: a line for every curve, a column for every number of layouts."""
    counts = sorted({point.layouts_learned for point in points})
    names = [f"{count:,} learned" for count in counts]
    yield from heading("measured on layouts left out", "real ones in training", "values", "layouts", *names)
    curves = dict.fromkeys((point.measured, point.real) for point in points)
    for measured, real in curves:
        own = {point.layouts_learned: point for point in points if (point.measured, point.real) == (measured, real)}
        last = own[max(own)]
        shares = [
            f"{own[count].share:.3f} ({own[count].low:.3f} – {own[count].high:.3f})" if count in own else "–"
            for count in counts
        ]
        yield f"| {' | '.join([measured, 'yes' if real == 'with' else 'no', str(last.of), str(last.layouts_measured), *shares])} |"


def read(path: Path) -> list[Point]:
    """The points of a CSV that ``write`` wrote."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Point(
                row["measured"],
                row["real"],
                int(row["layouts_learned"]),
                int(row["right"]),
                int(row["of"]),
                float(row["low"]),
                float(row["high"]),
                int(row["layouts_measured"]),
                float(row["seconds"]),
            )
            for row in csv.DictReader(file)
        ]


if __name__ == "__main__":
    main()
