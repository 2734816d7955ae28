"""Processor time of a born-digital page with the embedded engine, by step: open, words, draw, answer, check, and commit and publish.

``python -m benchmarks.born_digital [--pages 60] [--files PDF ...] [--commands 3] [--json FILE]``

The first steps are measured in this process, page by page, on one core: the least of ``ROUNDS`` times, because other work on the machine
adds to a time and takes nothing away. "Whole command" is the processor time of all processes of ``pipeline run`` on the drawn pages less
the same on a tenth of them, divided by the pages between, so that start-up does not count. What it takes beyond the steps is the loop:
messages between processes, commit, and the files that are published. No variable limits the threads of numeric libraries: users set none,
and the time of all threads counts.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks import documents
from benchmarks.measure import PIPELINE, Row, processor_seconds, report, timed
from pipeline.checks.grounding import ground
from pipeline.engines.base import Request
from pipeline.engines.embedded.embedded_engine import EmbeddedEngine
from pipeline.errors import DocumentError
from pipeline.pages.mupdf import MuPdfDocument
from pipeline.records import Page, UnitKey
from pipeline.run import page_reader
from pipeline.run.job import all_templates
from pipeline.run.page_requests import ReadRequest, decode_content, encode_request
from pipeline.settings import Settings
from pipeline.templates.template import Template

ROUNDS = 5
Steps = dict[str, float]
PARTS: dict[str, tuple[Any, str]] = {
    "open": (page_reader, "_document"),
    "words": (page_reader.PageReader, "_text_layer"),
    "draw": (MuPdfDocument, "draw"),
}
"""Parts of reading a page. A place that is drawn to be read by OCR counts as drawing and as words."""


@contextmanager
def _counted(steps: Steps) -> Iterator[None]:
    with ExitStack() as stack:
        for name, (owner, attribute) in PARTS.items():
            stack.enter_context(mock.patch.object(owner, attribute, _timed(name, getattr(owner, attribute), steps)))
        yield


def _timed(name: str, function: Callable[..., Any], steps: Steps) -> Callable[..., Any]:
    def wrapper(*arguments: Any, **named: Any) -> Any:
        started = time.process_time()
        try:
            return function(*arguments, **named)
        finally:
            steps[name] += time.process_time() - started

    return wrapper


def read(path: Path, number: int) -> Page:
    """A page's words, as a reader process gets them. Raises DocumentError."""
    status = path.stat()
    request = ReadRequest(str(path), status.st_size, status.st_mtime_ns, number)
    return decode_content(page_reader.handle(encode_request(request)), number)[0].page


def steps_of(path: Path, number: int, template: Template, engine: EmbeddedEngine) -> Steps | None:
    """Seconds of one page by step; None for a page without a text layer."""
    steps: Steps = defaultdict(float)
    with _counted(steps):
        started = time.process_time()
        page = read(path, number)
    steps["reading in all"] = time.process_time() - started
    if page.source != "textlayer":
        return None
    started = time.process_time()
    engine.submit(Request(UnitKey("", number, template.name, ""), page, template))
    (answer,) = engine.poll(0)
    steps["answer"] = time.process_time() - started
    started = time.process_time()
    ground(answer.claims, page, template)
    steps["check"] = time.process_time() - started
    steps["all steps"] = steps["reading in all"] + steps["answer"] + steps["check"]
    return steps


def least(path: Path, number: int, template: Template, engine: EmbeddedEngine) -> Steps | None:
    """The least time of each step in several rounds."""
    rounds = [steps for _ in range(ROUNDS) if (steps := steps_of(path, number, template, engine))]
    names = {name for steps in rounds for name in steps}
    return {name: min(steps.get(name, 0.0) for steps in rounds) for name in names} or None


def pages_of(path: Path, template: Template, most: int) -> list[Steps]:
    """The steps of the first pages of a file; none for a file that cannot be read."""
    engine, found = EmbeddedEngine(), []
    for number in range(1, most + 1):
        try:
            steps = least(path, number, template, engine)
        except DocumentError:
            break
        found += [steps] if steps else []
    return found


def row(title: str, pages: Sequence[Steps]) -> Row:
    """Median and 90th percentile of each step, in milliseconds."""
    cells: Row = {"pages": f"{len(pages)} {title}"}
    for name in ("reading in all", *PARTS, "answer", "check", "all steps"):
        times = sorted(steps.get(name, 0.0) * 1000 for steps in pages)
        cells[f"{name}, ms"] = f"{statistics.median(times):.1f} ({times[int(0.9 * (len(times) - 1))]:.1f})"
    return cells


def whole_command(folder: Path, pages: int) -> float:
    """Milliseconds of processor time of a further page in ``pipeline run``, in all processes."""
    spent = []
    for count in (pages // 10, pages):
        inbox, outbox = (Path(tempfile.mkdtemp(dir=folder)) for _ in range(2))
        documents.put(inbox, "pages.pdf", partial(documents.born_digital, count))
        before = processor_seconds()
        timed([*PIPELINE, "run", inbox, "--outbox", outbox, "--template", "invoice", "--engine", "embedded"])
        spent.append(processor_seconds() - before)
    return (spent[1] - spent[0]) / (pages - pages // 10) * 1000


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--pages", type=int, default=60, help="drawn pages, at least 10")
    parser.add_argument("--files", type=Path, nargs="*", default=[], help="also measure pages of these PDFs")
    parser.add_argument("--commands", type=int, default=3, help="rounds of the whole command")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    options = parser.parse_args()
    template = all_templates(Settings())["invoice"]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        drawn = documents.put(folder, "drawn.pdf", partial(documents.born_digital, options.pages))
        rows = [row("drawn invoices", pages_of(drawn, template, options.pages)[1:])]
        given = [steps for file in options.files for steps in pages_of(file, template, 3)]
        rows += [row("of the files", given)] if given else []
        commands = sorted(whole_command(folder, options.pages) for _ in range(options.commands))
    notes = [f"whole command: {', '.join(f'{spent:.1f}' for spent in commands)} ms a page"] if commands else []
    report("Milliseconds of processor time a born-digital page, median (90th percentile), one core", rows, options.json, notes)


if __name__ == "__main__":
    main()
