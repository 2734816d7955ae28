"""Which template the classifier chooses for documents of known kinds, and how long it takes.

    python -m benchmarks.classifier CASES [--folder NAME=TEMPLATE ...] [--pages N] [--json FILE]

CASES is a folder of folders of documents (or of folders with the documents in ``docs/``). What a folder should be classified as is given by
``--folder``; else by its name, in the singular or the plural (``invoices``, ``receipt``, ``charts``, ``captions`` or ``photos``, ``text``
or ``transcript``); other folders are left out. Every document is read by the reader that runs use, one after the other in this
process; as there, the first page that tells a kind chooses. Prints the misses, the confusion table and seconds a document.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.errors import DocumentError
from pipeline.run.job import all_templates
from pipeline.run.page_reader import handle
from pipeline.run.page_requests import ReadRequest, decode_content, decode_opening, encode_request
from pipeline.settings import Settings
from pipeline.templates.routing import FALLBACK, template_for_kind

FOLDERS = {"invoice": "invoice", "einvoice": "invoice", "receipt": "receipt", "chart": "chart", "caption": "caption",
           "photo": "caption", "text": "transcript", "transcript": "transcript", "letter": "transcript"}  # fmt: skip


def choose(path: Path, pages: int) -> str:
    """The template for a document. Raises DocumentError."""
    templates = all_templates(Settings())
    status = path.stat()

    def ask(page: int) -> list[bytes]:
        return handle(encode_request(ReadRequest(str(path), status.st_size, status.st_mtime_ns, page, classify=page > 0)))

    covered = False
    for number in range(1, min(pages, decode_opening(ask(0)).pages) + 1):
        reading, _ = decode_content(ask(number), number)
        if reading.kind:
            return template_for_kind("text" if covered and reading.kind in ("chart", "photo") else reading.kind, templates)
        covered = covered or not reading.page.blank
    return FALLBACK


def documents(cases: Path, kinds: dict[str, str]) -> Iterator[tuple[Path, str]]:
    """Documents and the templates that are right for them."""
    for folder in sorted(path for path in cases.iterdir() if path.is_dir()):
        expected = kinds.get(folder.name) or FOLDERS.get(folder.name.lower().removesuffix("s"))
        inner = folder / "docs" if (folder / "docs").is_dir() else folder
        if expected:
            yield from ((path, expected) for path in sorted(inner.iterdir()) if path.is_file())


def measure(cases: Path, kinds: dict[str, str], pages: int) -> dict[str, Any]:
    """Classify everything."""
    table: Counter[tuple[str, str]] = Counter()
    misses, seconds = [], 0.0
    for path, expected in documents(cases, kinds):
        started = time.perf_counter()
        try:
            chosen = choose(path, pages)
        except DocumentError as error:
            chosen = f"unread ({error.reason})"
        seconds += time.perf_counter() - started
        table[expected, chosen] += 1
        if chosen != expected:
            misses.append({"file": str(path.relative_to(cases)), "expected": expected, "chosen": chosen})
    count = sum(table.values())
    right = sum(many for (expected, chosen), many in table.items() if expected == chosen)
    rows = {
        expected: {chosen: table[expected, chosen] for row, chosen in sorted(table) if row == expected}
        for expected, _ in sorted(table)
    }
    return {
        "documents": count,
        "right": right,
        "share": round(right / max(1, count), 4),
        "seconds_a_document": round(seconds / max(1, count), 2),
        "confusion": rows,
        "misses": misses,
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cases", type=Path)
    parser.add_argument("--folder", action="append", default=[], metavar="NAME=TEMPLATE")
    parser.add_argument("--pages", type=int, default=5, help="look at so many pages of a document at most")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    kinds = dict(item.split("=", 1) for item in arguments.folder)
    report = measure(arguments.cases, kinds, arguments.pages)
    for miss in report["misses"]:
        print(f"{miss['file']}: {miss['chosen']} instead of {miss['expected']}")
    names = sorted({chosen for row in report["confusion"].values() for chosen in row} | set(report["confusion"]))
    print(f"{'expected / chosen':16}" + "".join(f"{name:>12}" for name in names))
    for expected, row in report["confusion"].items():
        print(f"{expected:16}" + "".join(f"{row.get(name, 0):12}" for name in names))
    print(
        f"{report['right']} of {report['documents']} right ({report['share']:.3f}), {report['seconds_a_document']} s a document"
    )
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
