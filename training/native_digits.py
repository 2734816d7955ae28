"""``python -m training.native_digits FONT_FOLDER …``: trains the network that reads Arabic and Persian digits on drawn signs.

The fonts are those of a folder that have the digits, but for the ones that ``--without`` names, which measure it. Writes
``pipeline/words/native_digits.npz``, and prints the share of right signs in the fonts that it was not trained with.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import click
import cv2
import numpy as np
import torch
from fontTools.ttLib import TTFont
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pipeline.words import native_digits
from pipeline.words.native_digits import SIGNS, Floats, words_of
from pipeline.words.recogniser import Pixels

ARABIC, PERSIAN = "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹"
_AS_SIGN = str.maketrans("۰۱۲۳۷۸۹", "٠١٢٣٧٨٩")
LETTERS = "بتثجحخدذرزسشصضطظعغفقكلمنوهيةپچژگ"
LATIN = "ABCDEFGHJKMNPQRSTUVWXYZabcdefghkmnpqrstuvwxyz23456789"


def fonts(folders: tuple[Path, ...]) -> Iterator[Path]:
    """Files of fonts with Arabic digits."""
    for path in sorted(path for folder in folders for path in folder.rglob("*.[ot]tf")):
        known = TTFont(path, lazy=True).getBestCmap()
        if all(ord(digit) in known for digit in ARABIC) and ord("ب") in known:
            yield path


def number(chance: random.Random, persian: bool) -> str:
    """A number as invoices print them."""
    digits = "".join(chance.choice("0123456789") for _ in range(chance.randrange(3, 12)))
    point, thousands = chance.choice(("٫٬", ".,", "٫,", ".,"))
    kind = chance.randrange(4)
    if kind == 0:
        digits = f"{int(digits[:8]):,}".replace(",", thousands) + (point + digits[-2:] if chance.random() < 0.6 else "")
    elif kind == 1:
        mark = chance.choice("/-")
        digits = f"{chance.randrange(1, 32):02}{mark}{chance.randrange(1, 13):02}{mark}{chance.randrange(1380, 2030)}"
    return digits.translate(str.maketrans("0123456789", PERSIAN if persian else ARABIC))


def drawn(text: str, font: ImageFont.FreeTypeFont, chance: random.Random) -> Pixels:
    """A line as a scanner gives it."""
    picture = Image.new("L", (int(font.getlength(text)) + 40, int(font.size * 2.2)), 255)
    ImageDraw.Draw(picture).text((20, font.size * 0.5), text, font=font, fill=chance.randrange(0, 70))
    grey = np.asarray(picture)
    turn = cv2.getRotationMatrix2D((grey.shape[1] / 2, grey.shape[0] / 2), chance.uniform(-0.8, 0.8), 1)
    grey = cv2.warpAffine(grey, turn, grey.shape[::-1], borderValue=(255,))
    grey = cv2.GaussianBlur(grey, (0, 0), chance.uniform(0.3, 1.0))
    noise = np.random.default_rng(chance.randrange(1 << 30)).normal(0, chance.choice((2, 4, 7)), grey.shape)
    return np.asarray(cv2.cvtColor(np.clip(grey + noise, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR), np.uint8)


def examples(paths: list[Path], count: int, chance: random.Random) -> tuple[Floats, NDArray[np.int64]]:
    """Features of signs, and their classes."""
    features, classes = [], []
    persian = {path: all(ord(digit) in TTFont(path, lazy=True).getBestCmap() for digit in PERSIAN) for path in paths}
    for _ in range(count):
        path = chance.choice(paths)
        is_number = chance.random() < 0.7
        layout = ImageFont.Layout.BASIC if is_number else ImageFont.Layout.RAQM  # in the order of the text; with joined letters
        font = ImageFont.truetype(str(path), chance.randrange(20, 44), layout_engine=layout)
        if is_number:
            text = number(chance, persian[path] and chance.random() < 0.5)
            known = [SIGNS.index(sign) for sign in text.translate(_AS_SIGN)]
        else:
            alphabet = LETTERS if chance.random() < 0.7 else LATIN
            text = " ".join("".join(chance.choice(alphabet) for _ in range(chance.randrange(2, 6))) for _ in range(3))
            known = []
        signs = [sign for word in words_of(drawn(text, font, chance)) for sign in word]
        if known and len(signs) != len(known):
            continue
        features += [sign.features for sign in signs]
        classes += known or [len(SIGNS)] * len(signs)
    return np.stack(features), np.array(classes)


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--without", default="", help="Beginnings of the names of fonts to measure with, divided by commas.")
@click.option("--lines", default=9000, show_default=True)
def main(folders: tuple[Path, ...], without: str, lines: int) -> None:
    """Train, measure, write."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    named = tuple(name for name in without.split(",") if name)
    every = list(fonts(folders))
    kept = [path for path in every if not named or not path.name.startswith(named)]
    features, classes = examples(kept, lines, random.Random(1))
    model = torch.nn.Sequential(torch.nn.Linear(features.shape[1], 64), torch.nn.ReLU(), torch.nn.Linear(64, len(SIGNS) + 1))
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3, weight_decay=1e-5)
    inputs, targets = torch.from_numpy(features), torch.from_numpy(classes)
    steps = 30
    for epoch in range(steps):
        for at in torch.randperm(len(inputs)).split(256):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(model(inputs[at]), targets[at]).backward()
            optimiser.step()
        optimiser.param_groups[0]["lr"] = 2e-3 * (1 - (epoch + 1) / steps) + 1e-5
    others = [path for path in every if path not in kept] or every
    test, truth = (torch.from_numpy(each) for each in examples(others, 600, random.Random(2)))
    with torch.no_grad():
        right = (model(test).argmax(1) == truth).float()
    click.echo(f"{len(kept)} fonts, {len(inputs)} signs; in {len(others)} other fonts {right.mean():.4f} of {len(test)} signs right, "
               f"digits {right[truth < 13].mean():.4f}")  # fmt: skip
    layers = [parameter.detach().numpy() for parameter in model.parameters()]
    names = ("first", "first_bias", "second", "second_bias")
    arrays = {
        name: (layer.T if layer.ndim == 2 else layer).astype(np.float16) for name, layer in zip(names, layers, strict=True)
    }
    np.savez_compressed(Path(native_digits.__file__).with_suffix(".npz"), **arrays)


if __name__ == "__main__":
    main()
