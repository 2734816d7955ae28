"""``python -m training.measure_ocr OUT``: how the project's own OCR reads generated pages, as the rates of ``words_noise``.

Each digital PDF of OUT is drawn as an image, read by OCR, and compared with the words of its text layer.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import click
import pymupdf
from rapidfuzz.distance import Levenshtein

from pipeline.records import PageImage, Word
from pipeline.words.ocr import read_image
from pipeline.words.text_layer import read_text_layer
from training.generator.words_noise import FAIR, GOOD, POOR, as_ocr


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
    edges: list[float] = field(default_factory=list)
    confused: Counter[str] = field(default_factory=Counter)

    def rates(self) -> str:
        """The rates in one line."""
        edge = (sum(e * e for e in self.edges) / len(self.edges)) ** 0.5 if self.edges else 0.0
        return (
            f"{self.words} words: glued {self.glued / max(1, self.gaps):.3f} of gaps, split {self.split / max(1, self.words):.4f}, "
            f"letters {self.wrong / max(1, self.letters):.4f}, dropped {self.dropped / max(1, self.words):.4f}, edge {edge:.3f} heights"
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
        inner = [
            other
            for other in read
            if other.box[0] >= x0 - 1 and other.box[2] <= x1 + 1 and y0 < (other.box[1] + other.box[3]) / 2 < y1
        ]
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
            counts.edges += [(a - b) / height for a, b in zip(own[0].box, read[at].box, strict=True)]


def _covers(other: Word, word: Word) -> bool:
    x, y = (word.box[0] + word.box[2]) / 2, (word.box[1] + word.box[3]) / 2
    return other.box[0] - 1 <= x <= other.box[2] + 1 and other.box[1] <= y <= other.box[3]


@click.command()
@click.argument("out", type=click.Path(path_type=Path, exists=True))
@click.option("--pages", type=click.IntRange(1), default=30, help="How many pages.")
@click.option("--dpi", type=click.IntRange(60), default=150, help="Resolution of the images.")
def main(out: Path, pages: int, dpi: int) -> None:
    """Print the rates of real OCR, and those of the simulation."""
    real, simulated = Counts(), {name: Counts() for name in ("good", "fair", "poor")}
    for path in sorted(out.glob("*.pdf"))[:pages]:
        with pymupdf.open(path) as pdf:
            page = pdf[0]
            printed = read_text_layer(page)
            pixels = page.get_pixmap(dpi=dpi, alpha=False)
        if not printed:
            continue
        compare(printed, read_image(PageImage(pixels.width, pixels.height, pixels.samples, dpi / 72)), real)
        for name, rates in (("good", GOOD), ("fair", FAIR), ("poor", POOR)):
            compare(printed, as_ocr(printed, random.Random(path.name), rates), simulated[name])
    click.echo(f"real: {real.rates()}")
    click.echo(f"most confused: {real.confused.most_common(40)}")
    for name, counts in simulated.items():
        click.echo(f"{name}: {counts.rates()}")


if __name__ == "__main__":
    main()
