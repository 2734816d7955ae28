"""Memory and time of a long book read as a transcript.

``python -m benchmarks.book_memory [--pages 300] [--json FILE]``

The book is drawn: two columns, running heads, page numbers, footnotes, and a table on each tenth page. Memory is the resident memory of
every process of ``pipeline run``, summed, looked at once a second. It is flat where the peak of the last quarter of the run is not
above that of the second; the first has the start in it. Processor seconds are of all processes.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
import pymupdf

from benchmarks.measure import PIPELINE, Row, report

SYLLABLES = [consonant + vowel for consonant in "bdklmnrs" for vowel in "aeiou"]
MEGABYTE = 1_000_000


def draw_book(file: Path, pages: int) -> None:
    """A book of A4 pages with a text layer."""
    rng, book = random.Random(1), pymupdf.open()
    for number in range(1, pages + 1):
        page = book.new_page(width=595, height=842)
        lines = 40 if number % 10 == 0 else 52
        columns = [((left, 70 + 13 * line), _words(rng, 6)) for left in (60, 310) for line in range(lines)]
        rows = range(10 if lines == 40 else 0)
        cells = [((60 + 120 * column, 610 + 13 * row), f"{rng.randint(1, 9_999):,}") for row in rows for column in range(4)]
        around = [
            ((60, 40), f"Chapter {1 + number // 20}"),
            ((290, 815), str(number)),
            ((60, 775), f"{number}) {_words(rng, 8)}"),
        ]
        writer = pymupdf.TextWriter(page.rect)
        for size, texts in ((9.5, columns + cells), (7.5, around)):
            for place, text in texts:
                writer.append(place, text, fontsize=size)
        writer.write_text(page)
    book.save(file, garbage=3, deflate=True)


def _words(rng: random.Random, count: int) -> str:
    return " ".join("".join(rng.choices(SYLLABLES, k=rng.randint(1, 4))) for _ in range(count))


def measure(pages: int) -> Row:
    """Peaks of memory by quarter of the run, in MB, and seconds a page."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "inbox").mkdir()
        draw_book(folder / "inbox" / "book.pdf", pages)
        places = ["--inbox", str(folder / "inbox"), "--outbox", str(folder / "outbox")]
        command = [*PIPELINE, "run", *places, "--template", "transcript", "--engine", "embedded", "--quiet"]
        started, samples, processor = time.perf_counter(), [], 0.0
        process = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None:
            resident, seconds = _look(process)
            samples.append((time.perf_counter() - started, resident))
            processor = max(processor, seconds)
            time.sleep(1)
        wall = time.perf_counter() - started
    quarters = [[resident for at, resident in samples if n <= 4 * at / wall < n + 1] for n in range(4)]
    peaks = {f"peak in quarter {n + 1}": round(max(each, default=0) / MEGABYTE) for n, each in enumerate(quarters)}
    times = {"seconds a page": round(wall / pages, 2), "processor seconds a page": round(processor / pages, 2)}
    return {"pages": pages, **peaks, **times, "exit code": process.returncode}


def _look(process: psutil.Popen) -> tuple[int, float]:
    """Resident bytes and processor seconds of a process and those that it started."""
    resident, seconds = 0, 0.0
    for found in [process, *process.children(recursive=True)]:
        try:
            resident += found.memory_info().rss
            seconds += sum(found.cpu_times()[:2])
        except psutil.Error:  # it has ended meanwhile
            continue
    return resident, seconds


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--pages", type=int, nargs="*", default=[300])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    options = parser.parse_args()
    rows = [measure(pages) for pages in options.pages]
    report("A book as a transcript: memory of all processes in MB, time", rows, options.json)


if __name__ == "__main__":
    main()
