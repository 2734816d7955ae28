"""What the reader of charts makes of charts with truth: pages are read once and kept, values are compared with the rows of the truth."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz

from pipeline.engines.embedded.chart.chart_reader import ChartReading, analyse_chart
from pipeline.engines.embedded.chart.data_row import DataRow
from pipeline.records import Page, PageImage
from pipeline.run.page_reader import handle
from pipeline.run.page_requests import ReadRequest, decode_content, encode_request

PIXELS = 1_572_864
"""Pixels of the picture that the template asks for."""
SAME = 85
"""Likeness from which two labels are the same, of 100."""
TOLERANCE = 0.05
Truth = dict[str, Any]


@dataclass
class Read:
    """A chart, its truth, and what was read of it."""

    name: str
    truth: Truth
    reading: ChartReading


def read_charts(folder: Path, kept: Path, most: int | None = None) -> Iterator[Read]:
    """The charts of a folder with their truth, read by the reader as it is; words and pictures come from ``kept`` where they are there."""
    for path in sorted(folder.glob("*.json"))[:most]:
        truth = json.loads(path.read_text(encoding="utf-8"))
        page, image = kept_page(folder / truth["file"], kept)
        yield Read(path.stem, truth, analyse_chart(page, image))


def kept_page(source: Path, folder: Path) -> tuple[Page, PageImage]:
    """Words and picture of a chart, read once and kept in a folder of one's own making."""
    kept = folder / f"{source.name}.page"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        status = source.stat()
        request = ReadRequest(
            str(source), status.st_size, status.st_mtime_ns, page=1, images={"chart": PIXELS}, short_print=frozenset({"chart"})
        )
        content, images = decode_content(handle(encode_request(request)), 1)
        kept.write_bytes(pickle.dumps((content.page, images["chart"])))
    read: tuple[Page, PageImage] = pickle.loads(kept.read_bytes())  # noqa: S301 - written above
    return read


def matches(truth: Truth, rows: Sequence[DataRow]) -> list[int | None]:
    """For each row that was read the number of the row of the truth with its labels; None where there is none.

    A point of a scatter plot has the row whose x and y are nearest.
    """
    true_rows, found, left = truth["rows"], list[int | None](), set(range(len(truth["rows"])))
    if truth["chart_type"] == "scatter":
        return [_nearest_point(true_rows, row, left) for row in rows]
    for row in rows:
        fitting = [n for n in sorted(left) if _has_labels(true_rows[n], row)]
        best = min(fitting, key=lambda n: (not is_near(true_rows[n]["value"], row), n), default=None)
        left.discard(-1 if best is None else best)
        found.append(best)
    return found


def is_near(true: float, row: DataRow) -> bool:
    """Whether a value is right within 5 %; a sign is not asked for."""
    return row.value is not None and abs(abs(float(row.value)) - abs(true)) <= TOLERANCE * abs(true) + 1e-9


def same_label(true: str, read: str) -> bool:
    """Whether two labels are the same but for a few letters; their numbers are the same."""
    a, b = (" ".join(re.sub(r"[\W_]+", " ", text.casefold()).split()) for text in (true, read))
    return re.findall(r"\d+", a) == re.findall(r"\d+", b) and max(fuzz.ratio(a, b), fuzz.token_sort_ratio(a, b)) >= SAME


def _has_labels(true: dict[str, Any], row: DataRow) -> bool:
    labels = [label for label in (row.category, row.series) if label]
    return all(any(same_label(text, label) for label in labels) for text in (true["category"], true["series"]) if text)


def _nearest_point(true_rows: Sequence[dict[str, Any]], row: DataRow, left: set[int]) -> int | None:
    if row.value is None or row.category is None or not left:
        return None
    try:
        x, y = float(row.category), float(row.value)
    except ValueError:
        return None
    wide = max(float(each["category"]) for each in true_rows) - min(float(each["category"]) for each in true_rows)
    heights = [float(each["value"]) for each in true_rows]
    high = max(heights) - min(heights)

    def distance(n: int) -> float:
        across, up = float(true_rows[n]["category"]) - x, float(true_rows[n]["value"]) - y
        return abs(across) / (wide or 1) + abs(up) / (high or 1)

    best = min(left, key=distance)
    if distance(best) > TOLERANCE:
        return None
    left.discard(best)
    return best
