"""How pages and invoices in other scripts are read: character error by script, share of right fields by language.

    python -m benchmarks.scripts draw FOLDER [--languages ar,he] [--each 12]
    python -m benchmarks.scripts letters FOLDER
    python -m benchmarks.scripts fields FOLDER [--medium digital]

``draw`` needs Chromium and the fonts of ``benchmarks/drawn/script_words.yaml`` (Debian: fonts-noto-core fonts-noto-cjk fonts-hosny-amiri
culmus fonts-lohit-deva fonts-thai-tlwg fonts-nanum fonts-ipaexfont fonts-wqy-microhei fonts-liberation). Equal seeds give equal pages.
The labels of the invoices do not come from the program's language files. ``letters`` reads the pages of words as
``benchmarks.script_pages`` does. ``fields`` reads each invoice twice, as born digital and as a scan at 200 dots an inch, with
``pipeline run``, and compares as ``pipeline eval`` does.
"""

from __future__ import annotations

import io
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import cv2
import numpy as np
import pymupdf
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks.accuracy_tables import MeasuredSet, heading, measured
from benchmarks.drawn.script_invoices import STRUCTURES, STYLE, WORD_FONTS, draw_invoice, draw_words, vocabulary
from benchmarks.script_pages import compared
from pipeline.evaluate.document_groups import grouped
from pipeline.records import PageImage
from pipeline.words.ocr import read_page
from training.generator.browser import find_browser

DOTS_PER_INCH = 200
MEDIA = ("digital", "scan")
MOST_SECONDS = 1800
"""For a page: a busy machine must not count as an error of reading."""


@click.group()
def main() -> None:
    """Draw, and measure."""


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--languages", default=",".join((*vocabulary(), *WORD_FONTS)), show_default=True)
@click.option("--each", default=12, show_default=True, help="Invoices of a language.")
@click.option("--pages", default=4, show_default=True, help="Pages of words of a language.")
@click.option("--seed", default=1, show_default=True)
@click.option("--other-fonts", is_flag=True, help="Draw in fonts that the program was not made with.")
def draw(folder: Path, languages: str, each: int, pages: int, seed: int, other_fonts: bool) -> None:
    """Draw the pages."""
    for part in (*MEDIA, "words"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    rows: dict[str, list[str]] = {medium: [] for medium in MEDIA}
    with _browser() as browser:
        for language in languages.split(","):
            fonts = "other_fonts" if other_fonts else "fonts"
            texts = [draw_words(f"{seed} {language} words {at}", language, fonts) for at in range(pages)]
            invoices = [
                draw_invoice(f"{seed} {language} {at}", language, at % len(STRUCTURES), fonts)
                for at in range(0 if language in WORD_FONTS else each)
            ]
            drawn = _pdfs(browser, [html for html, _ in (*texts, *invoices)])
            for at, (_, text) in enumerate(texts):
                path = folder / "words" / f"{language}-{at:02}.jpg"
                path.write_bytes(_scan(drawn[at], f"{seed} {language} words {at}"))
                path.with_suffix(".txt").write_text(text, encoding="utf-8")
            for at, (_, facts) in enumerate(invoices):
                pdf, name = drawn[pages + at], f"{language}-{at:02}"
                (folder / "digital" / f"{name}.pdf").write_bytes(pdf)
                (folder / "scan" / f"{name}.jpg").write_bytes(_scan(pdf, f"{seed} {name}"))
                for medium, suffix in zip(MEDIA, (".pdf", ".jpg"), strict=True):
                    layout = f"{language} {at % len(STRUCTURES)}"
                    row = {"file": name + suffix, "language": language, "layout": layout, "medium": medium} | facts
                    rows[medium].append(json.dumps(row, ensure_ascii=False))
    for medium in MEDIA:
        (folder / medium / "truth.jsonl").write_text("\n".join(rows[medium]) + "\n", encoding="utf-8")


@contextmanager
def _browser() -> Iterator[Page]:
    with sync_playwright() as driver:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=find_browser(), args=arguments)
        yield browser.new_page()
        browser.close()


def _pdfs(browser: Page, sections: list[str]) -> list[bytes]:
    """Each page as a PDF. Raises RuntimeError where one takes more than a page."""
    browser.set_content(f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><body>{''.join(sections)}</body>")
    with pymupdf.open(stream=browser.pdf(prefer_css_page_size=True, print_background=True)) as whole:
        if whole.page_count != len(sections):
            message = f"{whole.page_count} pages were printed for {len(sections)}"
            raise RuntimeError(message)
        return [_cut(whole, at) for at in range(len(sections))]


def _cut(whole: pymupdf.Document, at: int) -> bytes:
    with pymupdf.open() as part:
        part.insert_pdf(whole, from_page=at, to_page=at)
        data: bytes = part.tobytes(garbage=3, deflate=True, no_new_id=True)
    return data


def _scan(pdf: bytes, seed: str) -> bytes:
    """A grey JPEG of the first page as a scanner gives it: a little askew, soft and grainy."""
    chance = random.Random(seed)
    with pymupdf.open(stream=pdf) as document:
        drawn = document[0].get_pixmap(dpi=DOTS_PER_INCH, colorspace=pymupdf.csGRAY)
    sheet = np.frombuffer(drawn.samples, np.uint8).reshape(drawn.height, drawn.width)
    turn = cv2.getRotationMatrix2D((drawn.width / 2, drawn.height / 2), chance.uniform(-0.8, 0.8), 1)
    turned = cv2.warpAffine(sheet, turn, (drawn.width, drawn.height), flags=cv2.INTER_LINEAR, borderValue=(255,))
    soft = cv2.GaussianBlur(turned, (0, 0), chance.uniform(0.3, 0.9))
    cv2.setRNGSeed(chance.randrange(1 << 30))
    grain = cv2.randn(np.empty(soft.shape, np.int16), (-8,), (chance.choice((2, 4, 6)),))
    grainy = np.clip(soft + grain, 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(grainy).save(buffer, "JPEG", quality=chance.choice((70, 80, 90)), dpi=(DOTS_PER_INCH, DOTS_PER_INCH))
    return buffer.getvalue()


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--languages", default="", help="Only these.")
@click.option("--show", is_flag=True, help="Print each page.")
def letters(folder: Path, languages: str, show: bool) -> None:
    """Print the character error of each language's pages of words."""
    counts: dict[str, Counter[str]] = {}
    for path in sorted((folder / "words").glob("*.jpg")):
        language = path.stem.partition("-")[0]
        if languages and language not in languages.split(","):
            continue
        with Image.open(path) as picture:
            plain = picture.convert("RGB")
        text = read_page(PageImage(plain.width, plain.height, plain.tobytes(), DOTS_PER_INCH / 72))
        row = compared(path.with_suffix(".txt").read_text(encoding="utf-8"), " ".join(word.text for word in text.words))
        counts.setdefault(language, Counter()).update(
            pages=1, letters=row[0], wrong=row[1], words=row[2], found=row[3], unread=text.unread
        )
        if show:
            click.echo(f"  {path.stem}: {row[1] / row[0]:.3f}{' unread' if text.unread else ''}", err=True)
    click.echo(
        "| language | pages | letters | character error | words found | pages named as unread |\n| --- | --- | --- | --- | --- | --- |"
    )
    for language, count in counts.items():
        found = f"{count['found'] / count['words']:.3f}" if count["words"] else "–"
        error = count["wrong"] / count["letters"]
        click.echo(f"| {language} | {count['pages']} | {count['letters']:,} | {error:.3f} | {found} | {count['unread']} |")


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--medium", "media", multiple=True, default=MEDIA, type=click.Choice(MEDIA))
@click.option("--workers", default=2, show_default=True)
@click.option("--misses", is_flag=True, help="Print each value that is not right.")
def fields(folder: Path, media: tuple[str, ...], workers: int, misses: bool) -> None:
    """Read the invoices, and print the share of right fields by language."""
    sets: dict[str, MeasuredSet] = {}
    for medium in media:
        outbox, config = folder / f"outbox-{medium}", folder / f"{medium}.json"
        config.write_text(
            json.dumps({"workers": workers, "engine": "embedded", "limits": {"seconds": MOST_SECONDS}}), encoding="utf-8"
        )
        arguments = ["--config", config, "--inbox", folder / medium, "--outbox", outbox, "--template", "invoice", "--quiet"]
        subprocess.run([sys.executable, "-m", "pipeline", "run", *map(str, arguments)], check=False)
        sets[medium] = measured(medium, "invoice", folder / medium, outbox)
        if misses:
            for cell in (cell for document in sets[medium].evaluation.documents for cell in document.cells if not cell.right):
                silent = "" if cell.marked else " (silent)"
                click.echo(f"{medium}/{cell.file} {cell.field}: {cell.read.value!r} for {cell.truth!r}{silent}", err=True)
    click.echo("\n".join(_table(sets)))


def _table(sets: dict[str, MeasuredSet]) -> Iterator[str]:
    by_language = {
        medium: grouped(each.evaluation.documents, lambda document: document.language) for medium, each in sets.items()
    }
    yield from heading(
        "language",
        "invoices",
        *(f"{what}, {medium}" for medium in sets for what in ("fields right", "silent errors", "right rows")),
    )
    for language in dict.fromkeys(language for figures in by_language.values() for language in figures):
        cells = [language, str(next(iter(by_language.values()))[language].documents)]
        for medium, figures in by_language.items():
            errors = figures[language].review
            right = errors.values - errors.wrong
            documents = [each for each in sets[medium].evaluation.documents if each.language == language]
            rows = [cell.rows for each in documents for cell in each.aside if cell.rows]
            matched, of = sum(len(each.matched) for each in rows), sum(each.expected for each in rows)
            cells += [f"{right / errors.values:.3f} ({right} of {errors.values})", str(errors.silent), f"{matched} of {of}"]
        yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
