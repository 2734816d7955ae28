"""``python -m training.generate OUT --kind invoice --count 100 --seed 1``: documents with their truth, or ``--check OUT`` for such a folder."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import cast, get_args

import click

from training.generator.browser import Renderer, open_renderer
from training.generator.capture import Captured, capture
from training.generator.check import check_folder
from training.generator.document import Document
from training.generator.make import Kind, Medium, make_document, medium_of
from training.generator.truth import Json, truth

BATCH = 8
"""Documents that the browser draws at once."""


def generate(
    kind: Kind,
    count: int,
    seed: int,
    languages: tuple[str, ...] = (),
    medium: Medium | None = None,
    first: int = 1,
    renderer: Renderer | None = None,
) -> Iterator[tuple[int, Captured, Json]]:
    """Documents ``first`` to ``first + count - 1`` of the seed: number, file, truth. What does not fit its paper is left out.

    ``renderer`` draws them; without it a browser is started and closed.
    """
    with nullcontext(renderer) if renderer else open_renderer() as drawing:
        for start in range(first, first + count, BATCH):
            numbers = range(start, min(start + BATCH, first + count))
            documents = [make_document(kind, seed, number, languages) for number in numbers]
            for number, document, drawn in zip(numbers, documents, drawing.draw(documents), strict=True):
                if drawn.clipped:
                    continue
                how = medium or medium_of(kind, seed, number)
                captured = capture(drawn, how, random.Random(f"{seed} {kind} {number} damage"), slip=document.height == 0)
                yield number, captured, _whole_truth(document, captured, how)


def _whole_truth(document: Document, captured: Captured, medium: Medium) -> Json:
    return truth(document, captured.drawn) | {"medium": medium, "damage": list(captured.steps)}


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--kind", type=click.Choice(get_args(Kind)), default="invoice", help="What to make.")
@click.option("--count", type=click.IntRange(1), default=10, help="How many.")
@click.option("--first", type=click.IntRange(1), default=1, help="Number of the first document.")
@click.option("--seed", type=int, default=1, help="The same seed makes the same documents.")
@click.option("--languages", default="", help="Languages by their codes, with commas between; all by default.")
@click.option("--medium", type=click.Choice(["digital", "scan", "photo"]), help="One medium for all; else a mixture.")
@click.option("--check", is_flag=True, help="Check the documents in OUT instead of making any.")
def main(out: Path, kind: str, count: int, first: int, seed: int, languages: str, medium: str | None, check: bool) -> None:
    """Write OUT/000001.pdf (or .png, .jpg) and OUT/000001.json, and so on."""
    if check:
        sys.exit(_check(out))
    out.mkdir(parents=True, exist_ok=True)
    only = tuple(code.strip() for code in languages.split(",") if code.strip())
    started, made = time.monotonic(), 0
    try:
        for number, captured, facts in generate(cast("Kind", kind), count, seed, only, cast("Medium | None", medium), first):
            name = f"{number:06d}"
            (out / f"{name}{captured.suffix}").write_bytes(captured.data)
            (out / f"{name}.json").write_text(
                json.dumps({"file": f"{name}{captured.suffix}", **facts}, ensure_ascii=False), encoding="utf-8"
            )
            made += 1
    except (ValueError, RuntimeError) as error:
        raise click.ClickException(str(error)) from error
    seconds = time.monotonic() - started
    click.echo(f"{made} documents in {out} ({count - made} did not fit their paper), {made / seconds:.1f} a second")


def _check(out: Path) -> int:
    report = check_folder(out)
    for fault in report.faults[:50]:
        click.echo(fault)
    click.echo(f"{report.documents} documents, {report.layouts} layouts, {len(report.faults)} faults")
    return 1 if report.faults or not report.documents else 0


if __name__ == "__main__":
    main()
