"""``python -m training.measure_ocr``: how the project's own OCR reads generated pages, as the rates of ``words_noise``.

Documents are made, drawn as their medium has them, read by OCR, and compared with the words of the text layer at their places.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import cast

import click
import numpy as np
import pymupdf
from rapidfuzz.distance import Levenshtein

from pipeline.records import PageImage, Word
from pipeline.words.ocr import read_image
from pipeline.words.text_layer import read_text_layer
from training.generator.browser import Drawn, Mark, open_renderer
from training.generator.capture import capture
from training.generator.make import Kind, Medium, make_document
from training.generator.words_noise import FAIR, GOOD, POOR, as_ocr

BATCH = 6


@dataclass
class Counts:
    """What was counted on the pages read."""

    words: int = 0
    dropped: int = 0
    gaps: int = 0
    glued: int = 0
    split: int = 0
    letters: int = 0
    wrong: int = 0
    edges: list[list[float]] = field(default_factory=list)
    """How far left, top, right and bottom are off, in heights."""
    confused: Counter[str] = field(default_factory=Counter)

    def rates(self) -> str:
        """The rates in one line."""
        edges = np.array(self.edges) if self.edges else np.zeros((1, 4))
        centres = np.median(edges, axis=0)
        return (
            f"{self.words} words: glued {self.glued / max(1, self.gaps):.3f} of gaps, split {self.split / max(1, self.words):.4f}, "
            f"letters {self.wrong / max(1, self.letters):.4f}, dropped {self.dropped / max(1, self.words):.4f}, "
            f"edges {np.round(centres, 2)} ± {np.round(np.median(np.abs(edges - centres), axis=0) * 1.48, 2)} heights"
        )


def compare(printed: Sequence[Word], read: Sequence[Word], counts: Counts) -> None:
    """Adds what one page shows: each printed word belongs to the read word that covers its middle."""
    owners: dict[int, list[Word]] = {}
    for word in printed:
        counts.words += 1
        found = [at for at, other in enumerate(read) if _covers(other, word)]
        if not found:
            counts.dropped += 1
            continue
        owners.setdefault(found[0], []).append(word)
        x0, y0, x1, y1 = word.box
        inner = [o for o in read if o.box[0] >= x0 - 1 and o.box[2] <= x1 + 1 and y0 < (o.box[1] + o.box[3]) / 2 < y1]
        counts.split += len(inner) > 1
    for before, after in pairwise(printed):
        if before.line == after.line and 0 < after.box[0] - before.box[2] < 0.8 * (before.box[3] - before.box[1]):
            counts.gaps += 1
    for at, own in owners.items():
        counts.glued += len(own) - 1
        text = "".join(word.text for word in own)
        if len(own) > 6 or Levenshtein.distance(text, read[at].text) > len(text) / 2:
            continue
        counts.letters += len(text)
        counts.wrong += Levenshtein.distance(text, read[at].text)
        for step in Levenshtein.editops(text, read[at].text):
            if step.tag == "replace":
                counts.confused[f"{text[step.src_pos]}>{read[at].text[step.dest_pos]}"] += 1
        if len(own) == 1:
            height = own[0].box[3] - own[0].box[1]
            counts.edges.append([(b - a) / height for a, b in zip(own[0].box, read[at].box, strict=True)])


def _covers(other: Word, word: Word) -> bool:
    x, y = (word.box[0] + word.box[2]) / 2, (word.box[1] + word.box[3]) / 2
    return other.box[0] - 1 <= x <= other.box[2] + 1 and other.box[1] <= y <= other.box[3]


def _with_words(drawn: Drawn) -> tuple[Drawn, list[Word]]:
    """The document with its words as the only marks, so that they move with the picture."""
    with pymupdf.open(stream=drawn.pdf) as pdf:
        words = read_text_layer(pdf[0])
    marks = tuple(Mark("w", str(at), word.text, 1, (word.box,)) for at, word in enumerate(words))
    return replace(drawn, marks=marks), words


@click.command()
@click.option("--kind", type=click.Choice(["invoice", "receipt"]), default="invoice")
@click.option("--medium", type=click.Choice(["digital", "scan", "photo"]), default="scan")
@click.option("--count", type=click.IntRange(1), default=12, help="How many documents.")
@click.option("--seed", type=int, default=1)
def main(kind: str, medium: str, count: int, seed: int) -> None:
    """Print the rates of real OCR, and those of the simulation."""
    real, simulated = Counts(), {name: Counts() for name in ("good", "fair", "poor")}
    with open_renderer() as renderer:
        documents = [make_document(cast("Kind", kind), seed, number) for number in range(count)]
        drawn = [one for at in range(0, count, BATCH) for one in renderer.draw(documents[at : at + BATCH])]
    for number, (document, one) in enumerate(zip(documents, drawn, strict=True)):
        marked, words = _with_words(one)
        if not words:
            continue
        rng = random.Random(number)
        captured = capture(marked, cast("Medium", medium), rng, slip=document.height == 0)
        printed = [replace(word, box=mark.boxes[0]) for word, mark in zip(words, captured.drawn.marks, strict=True)]
        with pymupdf.open(stream=captured.data, filetype=captured.suffix[1:]) as file:
            page = file[0]
            scale = page.rect.width / captured.drawn.sizes[0][0]
            zoom = (
                max(1.0, 150 / 72)
                if medium == "digital"
                else max(i[2] for i in page.get_images()) / page.rect.width
                if page.get_images()
                else 1.0
            )
            pixels = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), alpha=False, colorspace=pymupdf.csRGB)
        before = replace(real, edges=[], confused=Counter())
        compare(printed, read_image(PageImage(pixels.width, pixels.height, pixels.samples, zoom * scale)), real)
        letters, wrong = real.letters - before.letters, real.wrong - before.wrong
        click.echo(
            f"{number} {captured.steps}: letters {wrong / max(1, letters):.4f}, dropped {real.dropped - before.dropped} of {len(printed)}"
        )
        for name, rates in (("good", GOOD), ("fair", FAIR), ("poor", POOR)):
            compare(printed, as_ocr(printed, random.Random(number), rates), simulated[name])
    click.echo(f"real: {real.rates()}")
    click.echo(f"most confused: {real.confused.most_common(40)}")
    for name, counts in simulated.items():
        click.echo(f"{name}: {counts.rates()}")


if __name__ == "__main__":
    main()
