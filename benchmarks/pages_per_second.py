"""Pages per second of whole commands, side by side with OCRmyPDF on the same files.

``python -m benchmarks.pages_per_second [--pages 60] [--scans 16] [--rounds 3] [--json FILE]``

Every contender reads the same PDF: one of born-digital invoices, one of A4 scans at 300 dpi. One file, so that OCRmyPDF, which takes
one file a command, pays its start-up once as we do. In every round all contenders run one after the other, each on the whole file
and on its first few pages; the marginal rate is what the pages in between cost, without the start-up. "words read" is the share of
the words drawn that are found in the text which came out: speed means little without it. "processor" is what the command took of
all cores together, which a busy machine changes least.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks import documents
from benchmarks.measure import PIPELINE, Row, Times, processor_seconds, report, timed

INSTALL = "OCRmyPDF is not installed: apt-get install ocrmypdf tesseract-ocr (or pip install ocrmypdf, with tesseract from apt)"
Command = Callable[[Path, Path], Sequence[str | Path]]
"""(the PDF, an empty folder for what comes out) to a command line."""
ReadText = Callable[[Path], str]
"""The text that a command left in its folder."""


@dataclass
class Contender:
    """One way to read one kind of file."""

    name: str
    pages: str
    command: Command
    text: ReadText | None = None
    few: Times = field(default_factory=Times)
    all: Times = field(default_factory=Times)
    processor: Times = field(default_factory=Times)
    """As ``all``, in seconds of the processors."""
    words_read: float | None = None


@dataclass(frozen=True)
class Material:
    """A file, its first pages as a file of their own, and the words in it."""

    whole: Path
    start: Path
    pages: int
    few: int
    words: Counter[str]


def pipeline_command(template: str, pdf: Path, out: Path) -> Sequence[str | Path]:
    """Ours, with the reader processes it takes by itself: one a core."""
    return [*PIPELINE, "run", "--quiet", "--engine", "embedded", "--template", template, "--outbox", out / "box", pdf]


def ocrmypdf_command(program: str, options: Sequence[str], pdf: Path, out: Path) -> Sequence[str | Path]:
    """OCRmyPDF, spared the work on the PDF that we do not do: no PDF/A, no optimisation of images."""
    plain: list[str | Path] = ["--output-type", "pdf", "--optimize", "0", "--jobs", "2", "--sidecar", out / "read.txt"]
    return [program, "--quiet", *plain, *options, pdf, out / "read.pdf"]


def transcript(out: Path) -> str:
    """The pages' text from our JSON, with running heads and feet."""
    published = [json.loads(path.read_text(encoding="utf-8")) for path in (out / "box").glob("*.json")]
    fields = [field for document in published for field in document["results"]["transcript"]["fields"].values()]
    return "\n".join(page for field in fields for page in field["value"] or () if page)


def sidecar(out: Path) -> str:
    """OCRmyPDF's text file."""
    return (out / "read.txt").read_text(encoding="utf-8")


def contenders(ocrmypdf: str | None) -> list[Contender]:
    """Everything that is measured, ours first."""
    programs = [
        Contender("pipeline run --template transcript", "born-digital", partial(pipeline_command, "transcript"), transcript),
        Contender("pipeline run --template invoice", "born-digital", partial(pipeline_command, "invoice")),
        Contender("pipeline run --template transcript", "scans", partial(pipeline_command, "transcript"), transcript),
        Contender("pipeline run --template invoice", "scans", partial(pipeline_command, "invoice")),
    ]
    if ocrmypdf:
        skip, force = partial(ocrmypdf_command, ocrmypdf, ["--skip-text"]), partial(ocrmypdf_command, ocrmypdf, ["--force-ocr"])
        programs += [
            Contender("ocrmypdf --skip-text", "born-digital", skip),
            Contender("ocrmypdf --force-ocr", "born-digital", force, sidecar),
            Contender("ocrmypdf", "scans", partial(ocrmypdf_command, ocrmypdf, []), sidecar),
        ]
    return sorted(programs, key=lambda contender: contender.pages)


def material(folder: Path, pages: int, scans: int) -> dict[str, Material]:
    """The files, drawn or found in ``folder``; their first pages are the same pages."""
    words = {
        "born-digital": documents.words_of(documents.born_digital(pages)),
        "scans": documents.words_of(documents.joined(documents.scan_original(number) for number in range(scans))),
    }
    materials: dict[str, Material] = {}
    for kind, count, few, draw in (
        ("born-digital", pages, max(1, pages // 10), documents.born_digital),
        ("scans", scans, min(2, scans - 1), documents.scans),
    ):
        whole, start = (documents.put(folder, f"{kind}-{number}.pdf", partial(draw, number)) for number in (count, few))
        materials[kind] = Material(whole, start, count, few, Counter(words[kind]))
    return materials


def run_once(contender: Contender, given: Material) -> None:
    """Both commands of one round, each into an empty folder."""
    for pdf, times in ((given.start, contender.few), (given.whole, contender.all)):
        with tempfile.TemporaryDirectory() as name:
            out = Path(name)
            before = processor_seconds()
            times.add(timed(contender.command(pdf, out)))
            if pdf == given.whole:
                contender.processor.add(processor_seconds() - before)
            if contender.text and pdf == given.whole and contender.words_read is None:
                read = Counter(contender.text(out).split())
                contender.words_read = (given.words & read).total() / given.words.total()


def row(contender: Contender, given: Material, others: Sequence[Contender]) -> Row:
    """A contender's figures; ``others`` are the commands on the same file that it is compared with."""
    times = contender.all
    return {
        "pages": f"{given.pages} {contender.pages}",
        "command": contender.name,
        "seconds": f"{times.median:.2f} ({times.low:.2f}–{times.high:.2f})",
        "processor, s": f"{contender.processor.median:.1f}",
        "pages/s": f"{given.pages / times.median:.2f}",
        "marginal pages/s": f"{1 / marginal(contender, given):.2f}",
        "start-up, s": f"{max(0.0, contender.few.median - given.few * marginal(contender, given)):.2f}",
        "words read": None if contender.words_read is None else f"{contender.words_read:.3f}",
        "times as fast as": "; ".join(f"{other.name}: {other.all.median / times.median:.2f}" for other in others),
    }


def marginal(contender: Contender, given: Material) -> float:
    """Seconds for one page more."""
    pairs = zip(contender.all.seconds, contender.few.seconds, strict=True)
    return Times([(whole - few) / (given.pages - given.few) for whole, few in pairs]).median


def installed(program: str) -> str | None:
    """Path of the program, with its version on the screen."""
    path = shutil.which(program)
    if path:
        version = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout.strip()
        print(f"OCRmyPDF {version}")
    else:
        print(INSTALL)
    return path


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--pages", type=int, default=60, help="born-digital pages")
    parser.add_argument("--scans", type=int, default=16, help="scanned pages")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ocrmypdf", default="ocrmypdf", help="the program to measure beside ours")
    parser.add_argument("--folder", type=Path, help="keep the drawn files here")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        files = material(options.folder or Path(temporary), options.pages, options.scans)
        racing = contenders(installed(options.ocrmypdf))
        for _ in range(options.rounds):
            for contender in racing:
                run_once(contender, files[contender.pages])
    peers = [each for each in racing if each.name.startswith("ocrmypdf")]
    rows = [
        row(each, files[each.pages], [] if each in peers else [p for p in peers if p.pages == each.pages]) for each in racing
    ]
    notes = [
        f"seconds: median (lowest–highest) of {options.rounds} rounds; start-up: what the first pages cost beyond the marginal rate"
    ]
    report("Pages per second, whole commands", rows, options.json, notes)


if __name__ == "__main__":
    main()
