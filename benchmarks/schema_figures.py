"""Puts what a benchmark of documents with JSON Schemas says of us, document by document, into a page.

    python -m benchmarks.schema_figures LOG [--into docs/accuracy.md --block schemas]

``LOG`` is the output of a scorer with one line a document: its name, the kind of file, our score, ``best of the others`` and that
score; then one line ``macro OURS of N documents; SYSTEM SCORE, …``. Prints Markdown, or puts it between the marks
``<!-- figures: NAME -->`` and ``<!-- end: NAME -->`` of a page.
"""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from pathlib import Path

from benchmarks.accuracy_tables import with_block

_LINE = re.compile(r"^(\w+) (\.\w+)\s+([\d.]+)\s+best of the others ([\d.]+)\b")
_MACRO = re.compile(r"^macro ([\d.]+) of (\d+) documents; (.*)$")


def main() -> None:
    """Read the log, and print or replace."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("log", type=Path)
    parser.add_argument("--into", type=Path)
    parser.add_argument("--block", default="schemas")
    given = parser.parse_args()
    text = "\n".join(tables(given.log.read_text(encoding="utf-8")))
    if given.into:
        given.into.write_text(with_block(given.into.read_text(encoding="utf-8"), given.block, text), encoding="utf-8")
    else:
        print(text)


def tables(log: str) -> list[str]:
    """The lines of Markdown: all systems, kinds of file, every document."""
    found = [match.groups() for line in log.splitlines() if (match := _LINE.match(line))]
    macro = next(match for line in log.splitlines() if (match := _MACRO.match(line)))
    others = [part.rsplit(" ", 1) for part in macro[3].split(", ")]
    by_kind: dict[str, list[float]] = defaultdict(list)
    for _, kind, ours, *_ in found:
        by_kind[kind.removeprefix(".")].append(float(ours))
    return [
        "| system | mean of the documents |",
        "| --- | --- |",
        f"| `embedded` | {macro[1]} of {macro[2]} |",
        *(f"| {name} (hosted) | {score} |" for name, score in others),
        "",
        "| file | documents | mean |",
        "| --- | --- | --- |",
        *(f"| {kind} | {len(scores)} | {sum(scores) / len(scores):.3f} |" for kind, scores in sorted(by_kind.items())),
        "",
        "| document | file | `embedded` | best hosted system |",
        "| --- | --- | --- | --- |",
        *(f"| {name} | {kind.removeprefix('.')} | {ours} | {best} |" for name, kind, ours, best in found),
    ]


if __name__ == "__main__":
    main()
