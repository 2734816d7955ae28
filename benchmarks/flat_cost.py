"""Whether the thousandth page costs a model what the tenth does: time and memory of the vlm engine over a long queue.

    python -m benchmarks.flat_cost CHECKPOINT [--pages 1000] [--json FILE]

Any checkpoint will do: what is looked for is what piles up. Pages are drawn invoices, read by the loop's own reader beforehand.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import psutil

from benchmarks.documents import invoice_page
from benchmarks.measure import Row, report
from pipeline.engines.base import Request
from pipeline.engines.vlm.vlm_engine import VlmEngine
from pipeline.records import UnitKey
from pipeline.run.job import all_templates
from pipeline.run.page_reader import handle
from pipeline.run.page_requests import ReadRequest, decode_content, encode_request
from pipeline.settings import Settings

DIFFERENT = 50
"""Pages that are drawn; they come again with other keys."""
TOKENS = 24


def requests(count: int, *, sees: bool) -> Iterator[Request]:
    """Pages of invoices, with a small image for a model that sees."""
    template = all_templates(Settings())["invoice"]
    template = template.model_copy(update={"answer": template.answer.model_copy(update={"tokens": TOKENS})})
    with tempfile.TemporaryDirectory() as folder:
        read = []
        for number in range(min(count, DIFFERENT)):
            path = Path(folder, f"{number}.pdf")
            path.write_bytes(invoice_page(number))
            status = path.stat()
            call = ReadRequest(str(path), status.st_size, status.st_mtime_ns, 1, images={"invoice": 65_536}, whole_page=False)
            read.append(decode_content(handle(encode_request(call)), 1))
    for number in range(count):
        reading, images = read[number % DIFFERENT]
        key = UnitKey(f"{number:064}", 1, template.name, "r")
        yield Request(key, reading.page, template, images["invoice"] if sees else None)


def main() -> None:
    """Answer all, tell what each stretch cost."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    engine = VlmEngine(Settings(engine="vlm", model=str(arguments.checkpoint)))
    all_requests = list(requests(arguments.pages, sees=engine.wants_image(all_templates(Settings())["invoice"])))
    answered, rows = 0, list[Row]()
    marks = [mark for mark in (10, 100, 250, 500, 750, 1000, 2000, 5000, 10_000) if mark <= arguments.pages]
    started, before = time.perf_counter(), 0
    waiting = deque(all_requests)
    while answered < arguments.pages:
        while waiting and engine.room:
            engine.submit(waiting.popleft())
        for _ in engine.poll(1.0):
            answered += 1
            if answered not in marks:
                continue
            now = time.perf_counter()
            memory = psutil.Process().memory_info().rss
            cost = (now - started) / (answered - before) * 1000
            rows.append({"pages": f"{before + 1}-{answered}", "ms a page": round(cost, 1), "memory, MB": round(memory / 1e6)})
            started, before = now, answered
    report(f"{arguments.pages} pages through one engine (the first stretch holds the loading)", rows, arguments.json)


if __name__ == "__main__":
    main()
