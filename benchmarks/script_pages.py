"""``python -m benchmarks.script_pages FOLDER``: how pages in each script are read, against what they say.

FOLDER has a folder for each script. A page in it is a PDF of one page whose text layer is right, or a picture with a text beside it
(``a.png`` and ``a.gt.txt``). Pages are drawn at 200 dots an inch and read as a reader process does, without a hint of their language.
The error is the edit distance between what is read and what stands there, in reading order and without blanks, by the letters that stand
there. Words found are counted wherever they are read, so they tell wrong letters from a wrong order.
"""

from __future__ import annotations

import re
import statistics
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click
import pymupdf
from rapidfuzz.distance import Levenshtein

from pipeline.records import PageImage
from pipeline.words.ocr import read_page
from pipeline.words.right_to_left import in_reading_order
from pipeline.words.text_layer import read_text_layer

DOTS_PER_INCH = 200
_SAME = str.maketrans("يىك", "ییک")
"""Letters that Arabic and Persian write alike, of which many text layers hold the other one."""
PICTURES = (".png", ".jpg", ".tif")


def plain(text: str) -> str:
    """A text with one form for each letter and digit, without lengthened letters (tatweel) and marks of direction."""
    text = unicodedata.normalize("NFKC", text).translate(_SAME)
    kept = (letter for letter in text if letter != "\u0640" and unicodedata.category(letter) != "Cf")
    return "".join(str(unicodedata.digit(letter)) if unicodedata.category(letter) == "Nd" else letter for letter in kept)


def pages(folder: Path) -> Iterator[tuple[str, PageImage, str]]:
    """Name, picture and true text of each page."""
    for path in sorted(folder.iterdir()):
        if path.suffix == ".pdf":
            with pymupdf.open(path) as pdf:
                true = " ".join(word.text for word in in_reading_order(read_text_layer(pdf[0])))
                if not true.strip():
                    raise click.ClickException(f"{path}: has no text layer")
                yield path.stem, _drawn(pdf[0], DOTS_PER_INCH / 72), true
        elif path.suffix in PICTURES:
            pixels = pymupdf.Pixmap(pymupdf.csRGB, pymupdf.Pixmap(str(path)))
            pixels = pymupdf.Pixmap(pixels, 0) if pixels.alpha else pixels
            image = PageImage(pixels.width, pixels.height, pixels.samples, DOTS_PER_INCH / 72)
            yield path.stem, image, path.with_suffix(".gt.txt").read_text(encoding="utf-8-sig")


def _drawn(page: pymupdf.Page, zoom: float) -> PageImage:
    pixels = page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), alpha=False, colorspace=pymupdf.csRGB)
    return PageImage(pixels.width, pixels.height, pixels.samples, zoom)


def compared(true: str, read: str) -> tuple[int, int, int, int]:
    """Letters that stand there, wrong letters, words that stand there, words found."""
    true, read = plain(true), plain(read)
    letters, others = ("".join(text.split()) for text in (true, read))
    words, found = (Counter(re.findall(r"\w[\w\u0300-\u036f\u0900-\u0e7f]+", text)) for text in (true, read))
    return len(letters), Levenshtein.distance(letters, others), words.total(), (words & found).total()


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--show", is_flag=True, help="Print each page.")
def main(folder: Path, show: bool) -> None:
    """Print a row for each script."""
    for script in sorted(path for path in folder.iterdir() if path.is_dir()):
        rows, unread, began = [], 0, time.monotonic()
        for name, image, true in pages(script):
            text = read_page(image)
            said = " ".join(word.text for word in text.words)
            rows.append(compared(true, said))
            unread += text.unread
            if show:
                click.echo(f"  {script.name}/{name}: {rows[-1]}{' unread' if text.unread else ''}")
        if not rows:
            continue
        letters, wrong, words, found = (sum(column) for column in zip(*rows, strict=True))
        median = statistics.median(row[1] / row[0] for row in rows)
        click.echo(
            f"{script.name}: {len(rows)} pages, {letters} letters, error {wrong / letters:.3f}, median page {median:.3f}, "
            f"words found {found / max(1, words):.3f}, unread {unread}, {time.monotonic() - began:.0f} s"
        )


if __name__ == "__main__":
    main()
