"""Where the time of one page goes with the embedded engine: opening, words, OCR, answer.

``python -m benchmarks.page_costs [--pages 10] [--json FILE]``

Calls the reader and the engine in this process, one after the other, on one core, and counts the processor time inside of the functions
that do the work: unlike the clock, other work on the machine changes it little. Inner parts (marked by two dots) are also counted in the
part above them.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks import documents
from benchmarks.measure import Row, report
from pipeline.checks.grounding import ground
from pipeline.engines.base import Request
from pipeline.engines.embedded.embedded_engine import EmbeddedEngine
from pipeline.records import Page, UnitKey
from pipeline.run import page_reader
from pipeline.run.job import all_templates
from pipeline.run.page_requests import ReadRequest, decode_content, encode_request
from pipeline.settings import Settings
from pipeline.templates.template import Template
from pipeline.words.ocr import OcrReader
from pipeline.words.precision import Precision, choose_precision

Spent = dict[str, float]
PARTS: dict[str, tuple[Any, str]] = {
    "opening": (page_reader, "_document"),
    "embedded XML": (page_reader, "read_einvoices"),
    "text layer": (page_reader, "read_text_layer"),
    "is it sound": (page_reader.PageReader, "_is_usable"),
    "drawing": (page_reader.PageReader, "_draw"),
    "is it blank": (page_reader, "is_blank"),
    "is it upright": (page_reader, "upright_rotation"),
    "OCR": (page_reader, "read_image"),
    "·· detection": (OcrReader, "detect"),
    "·· recognition": (OcrReader, "recognise"),
}


@contextmanager
def counted(spent: Spent) -> Iterator[None]:
    """Count the processor time inside of PARTS."""
    with ExitStack() as stack:
        for name, (owner, attribute) in PARTS.items():
            stack.enter_context(mock.patch.object(owner, attribute, _timed(name, getattr(owner, attribute), spent)))
        yield


def _timed(name: str, function: Callable[..., Any], spent: Spent) -> Callable[..., Any]:
    def wrapper(*arguments: Any, **named: Any) -> Any:
        started = time.process_time()
        try:
            return function(*arguments, **named)
        finally:
            spent[name] += time.process_time() - started

    return wrapper


def read(path: Path, page: int, precision: Precision) -> Page:
    """A page's words, as a reader process gets them."""
    status = path.stat()
    request = ReadRequest(str(path), status.st_size, status.st_mtime_ns, page, precision=precision)
    return decode_content(page_reader.handle(encode_request(request)), request.page)[0].page


def cost(path: Path, pages: int, template: Template, precision: Precision = "float32") -> Spent:
    """Processor seconds by part over all pages but the first, which loads models and modules."""
    engine = EmbeddedEngine()
    spent: Spent = defaultdict(float)
    with counted(spent):
        for number in range(1, pages + 2):
            if number == 2:
                spent.clear()
            started = time.process_time()
            page = read(path, number, precision)
            spent["reading in all"] += time.process_time() - started
            started = time.process_time()
            engine.submit(Request(UnitKey("", number, template.name, ""), page, template))
            (answer,) = engine.poll(0)
            spent["answer"] += time.process_time() - started
            started = time.process_time()
            ground(answer.claims, page, template)
            spent["grounding"] += time.process_time() - started
    return spent


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--pages", type=int, default=10)
    parser.add_argument("--folder", type=Path, help="keep the drawn files here")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    options = parser.parse_args()
    templates = all_templates(Settings())
    pages = options.pages
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        born = documents.put(folder, f"born-digital-{pages + 1}.pdf", partial(documents.born_digital, pages + 1))
        scanned = documents.put(folder, f"scans-{pages + 1}.pdf", partial(documents.scans, pages + 1))
        columns = {
            "born-digital, invoice": cost(born, pages, templates["invoice"]),
            "born-digital, transcript": cost(born, pages, templates["transcript"]),
            "scan, invoice": cost(scanned, pages, templates["invoice"]),
        }
        if choose_precision(Settings()) == "bfloat16":
            columns["scan, invoice, bfloat16"] = cost(scanned, pages, templates["invoice"], "bfloat16")
    rows: list[Row] = [
        {"part": part, **{f"{name}, ms": f"{spent.get(part, 0) / pages * 1000:.1f}" for name, spent in columns.items()}}
        for part in ("reading in all", *PARTS, "answer", "grounding")
    ]
    report(f"Milliseconds of processor time a page, mean of {pages}, one core", rows, options.json)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
