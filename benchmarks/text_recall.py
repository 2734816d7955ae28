"""Text recall by kind of file, beside docling and unstructured.

    python -m benchmarks.text_recall references FOLDER REFERENCES
    pipeline run FOLDER --template transcript --outbox OUTBOX
    python -m benchmarks.text_recall docling FOLDER ROWS.jsonl --python ENVIRONMENT/bin/python
    python -m benchmarks.text_recall unstructured FOLDER ROWS.jsonl --python ENVIRONMENT/bin/python
    python -m benchmarks.text_recall table FOLDER REFERENCES OUTBOX DOCLING.jsonl UNSTRUCTURED.jsonl

Recall is the share of the words of a reference that are read, each as often as it stands there; a file that is not read counts as 0. Words
are letters and digits without case; signs of Chinese and Japanese count one by one. References of fewer than five words are left out.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

import pymupdf

from benchmarks.peer_texts import SCRIPTS, rows_of
from benchmarks.reference_texts import write_references

LEAST_WORDS = 5
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|[^\W_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")
_SAME_KIND = {
    "jpeg": "jpg", "tiff": "tif", "htm": "html", "docm": "docx", "dotx": "docx", "xlsm": "xlsx", "xltx": "xlsx", "pptm": "pptx",
    "ppsx": "pptx", "tsv": "csv", "fodt": "odt", "dot": "doc", "emlx": "eml",
}  # fmt: skip
_EINVOICE = re.compile(rb"CrossIndustry|specification:ubl:schema")
_TEXTS = frozenset(["json", "rst", "org", "asciidoc", "tex", "bib", "srt", "vtt", "ics", "vcs"])


def words(text: str) -> Counter[str]:
    """The words of a text, and how often each stands there."""
    return Counter(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def recall(reference: Counter[str], text: str) -> float:
    """The share of the reference's words that the text has."""
    return (reference & words(text)).total() / reference.total()


def our_texts(outbox: Path, folder: Path) -> dict[str, str]:
    """The text of each file of the folder: its pages, and those of its parts."""
    texts: dict[str, list[str]] = defaultdict(list)
    for path in sorted(outbox.rglob("*.json")):
        result = json.loads(path.read_text("utf-8")) if ".pipeline" not in path.parts else {}
        fields = result.get("results", {}).get("transcript", {}).get("fields", {})
        if fields:
            name = str(result["document"]["path"]).removeprefix(f"{folder.name}/")
            texts[name] += [
                part for field in ("header", "text", "footer") for part in fields.get(field, {}).get("value") or [] if part
            ]
    files = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    return {
        file: "\n".join(part for name, parts in texts.items() if name == file or name.startswith(f"{file}/") for part in parts)
        for file in files
    }


def peer_texts(rows: Path, folder: Path) -> dict[str, str]:
    """The texts that a peer wrote; files with an error are left out."""
    found = (json.loads(line) for line in rows.read_text("utf-8").splitlines())
    return {str(Path(row["file"]).relative_to(folder)): row["text"] for row in found if "text" in row}


def table(folder: Path, references: Path, readers: Mapping[str, Mapping[str, str]]) -> str:
    """A Markdown table: a row a kind; in brackets how many of its files were not read."""
    by_kind: dict[str, list[tuple[str, Counter[str]]]] = defaultdict(list)
    for path in sorted(references.rglob("*.txt")):
        name = str(path.relative_to(references))[: -len(".txt")]
        expected = words(path.read_text("utf-8"))
        if expected.total() >= LEAST_WORDS and (folder / name).is_file():
            by_kind[_kind(folder / name)].append((name, expected))
    lines = [f"| kind | files | words | {' | '.join(readers)} |", f"| --- | --- | --- |{' --- |' * len(readers)}"]
    every = [file for of_kind in by_kind.values() for file in of_kind]
    for kind, files in [*sorted(by_kind.items()), ("all", every)]:
        cells = [_cell(files, texts) for texts in readers.values()]
        total = sum(expected.total() for _, expected in files)
        lines.append(f"| {kind} | {len(files)} | {total:,} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _kind(path: Path) -> str:
    suffix = path.suffix[1:].lower()
    if suffix == "pdf":
        with pymupdf.open(path) as document:
            return "pdf" if any(page.get_text().strip() for page in document) else "pdf, scanned"
    if suffix == "xml" and _EINVOICE.search(path.read_bytes()):
        return "xml, e-invoice"
    return "other text" if suffix in _TEXTS else _SAME_KIND.get(suffix, suffix)


def _cell(files: list[tuple[str, Counter[str]]], texts: Mapping[str, str]) -> str:
    left = sum(not words(texts.get(name, "")) for name, _ in files)
    if left == len(files):
        return "–"
    mean = fmean(recall(expected, texts.get(name, "")) for name, expected in files)
    return f"{mean:.3f} ({left} not)" if left else f"{mean:.3f}"


def worst(references: Path, texts: Mapping[str, str], count: int) -> list[str]:
    """The files of which the least is read, for those who want to know why."""
    scored = []
    for path in references.rglob("*.txt"):
        name, expected = str(path.relative_to(references))[: -len(".txt")], words(path.read_text("utf-8"))
        if expected.total() >= LEAST_WORDS and name in texts:
            missing = " ".join((expected - words(texts[name])).elements())
            scored.append((recall(expected, texts[name]), f"{name}: {missing[:200]}"))
    return [f"{share:.2f} {line}" for share, line in sorted(scored)[:count]]


def main() -> None:
    """Make references, read, or compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("references")
    making.add_argument("folder", type=Path)
    making.add_argument("references", type=Path)
    for peer in SCRIPTS:
        reading = commands.add_parser(peer)
        reading.add_argument("folder", type=Path)
        reading.add_argument("rows", type=Path)
        reading.add_argument("--references", type=Path, help="read only files that have a text here")
        reading.add_argument(
            "--python", default=shutil.which("python3") or "python3", help="of the environment that holds the peer"
        )
    comparing = commands.add_parser("table")
    for name in ("folder", "references", "outbox", "docling", "unstructured"):
        comparing.add_argument(name, type=Path)
    comparing.add_argument("--worst", type=int, default=0, metavar="N", help="also name the N files of which we read the least")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    if arguments.command == "references":
        print(f"{write_references(folder, arguments.references)} references")
    elif arguments.command in SCRIPTS:
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        if arguments.references:
            files = [path for path in files if (arguments.references / f"{path.relative_to(folder)}.txt").exists()]
        rows = rows_of(arguments.command, arguments.python, files)
        arguments.rows.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
        print(f"{len(rows)} of {len(files)} files tried, {sum('error' not in json.loads(row) for row in rows)} read")
    else:
        ours = our_texts(arguments.outbox, folder)
        peers = {name: peer_texts(getattr(arguments, name), folder) for name in ("docling", "unstructured")}
        print(table(folder, arguments.references, {"this program": ours, **peers}))
        print("\n".join(worst(arguments.references, ours, arguments.worst)))


if __name__ == "__main__":
    main()
