"""Captions say what is likely, and say less when less is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from pipeline.engines.embedded.caption import read_caption, tags
from pipeline.engines.embedded.caption.look import look_at
from pipeline.engines.embedded.caption.names import KINDS, NOUNS, PEOPLE, PLACES
from pipeline.records import Claim, Page, PageImage, Word
from tests.engines.embedded.sheet import template

CROPS = 9


def plain(colour: tuple[int, int, int], size: tuple[int, int] = (120, 80)) -> PageImage:
    return PageImage(*size, Image.new("RGB", size, colour).tobytes(), 1.0)


def seen(**classes: float) -> NDArray[np.float32]:
    """Probabilities of a few classes, the same in every crop; ``c281`` is class 281."""
    found = np.zeros((CROPS, 1000), np.float32)
    for name, probability in classes.items():
        found[:, int(name[1:])] = probability
    return found


def caption(
    monkeypatch: pytest.MonkeyPatch, found: NDArray[np.float32] | None, *words: Word, image: PageImage | None = None
) -> dict[str, Claim]:
    monkeypatch.setattr(tags, "probabilities", lambda pixels: found)
    image = image or plain((90, 140, 60))
    page = Page(1, image.width, image.height, words, "ocr" if words else None)
    return read_caption(page, image, template("caption"))


def test_breeds_add_up_to_a_dog(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = caption(monkeypatch, seen(c265=0.15, c266=0.12, c267=0.14))
    assert claims["caption"].value == "A dog."
    assert claims["objects"].value == ["dog"]


def test_what_is_not_likely_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = caption(monkeypatch, seen(c281=0.12, c340=0.08, c920=0.1))
    assert claims["objects"].value == []
    assert "cat" not in claims["caption"].value


def test_a_wider_noun_stands_in_for_several_unsure_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = caption(monkeypatch, seen(c927=0.12, c962=0.13, c964=0.12, c924=0.1))
    assert claims["objects"].value == ["food"]


def test_things_and_places_make_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = caption(monkeypatch, seen(c779=0.4, c920=0.35))
    assert claims["caption"].value == "A bus and a traffic light on a street."
    assert claims["objects"].value == ["bus", "traffic light"]


def test_a_thing_seen_clearly_in_one_crop_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    found = seen(c409=0.08)
    found[3, 409] = 0.95
    assert caption(monkeypatch, found)["objects"].value == ["clock"]


def test_clear_words_are_quoted_and_pointed_at(monkeypatch: pytest.MonkeyPatch) -> None:
    words = (
        Word("Harbour", (10, 10, 60, 30), 0, "ocr", 0.98, 20),
        Word("Café", (65, 10, 90, 30), 0, "ocr", 0.97, 20),
        Word("xq#f", (10, 60, 30, 70), 1, "ocr", 0.4, 10),
    )
    claims = caption(monkeypatch, seen(), *words)
    assert "“Harbour Café”" in claims["caption"].value
    assert claims["caption"].words == (0, 1)


def test_without_the_network_the_caption_says_less_but_fails_never(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = caption(monkeypatch, None)
    assert claims["caption"].value == "A picture that is mostly green."
    assert claims["objects"].value == []


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ((200, 30, 30), "red"),
        ((40, 90, 210), "blue"),
        ((60, 160, 60), "green"),
        ((235, 215, 60), "yellow"),
        ((110, 70, 35), "brown"),
    ],
)
def test_colours_have_everyday_names(colour: tuple[int, int, int], name: str) -> None:
    pixels = np.full((40, 60, 3), colour, np.uint8)
    assert look_at(pixels).colours == (name,)


def test_grey_pictures_are_called_black_and_white(monkeypatch: pytest.MonkeyPatch) -> None:
    image = Image.effect_noise((90, 60), 80).convert("RGB")
    claims = caption(monkeypatch, None, image=PageImage(90, 60, image.tobytes(), 1.0))
    assert "black and white" in claims["caption"].value


def test_a_blue_top_is_a_sky(monkeypatch: pytest.MonkeyPatch) -> None:
    image = Image.new("RGB", (90, 60), (90, 150, 230))
    image.paste((60, 120, 50), (0, 30, 90, 60))
    claims = caption(monkeypatch, seen(c340=0.8), image=PageImage(90, 60, image.tobytes(), 1.0))
    assert claims["caption"].value == "A zebra under a blue sky."


def test_the_tables_name_existing_classes_once_a_noun() -> None:
    for table in (NOUNS, KINDS, PLACES, {"people": PEOPLE}):
        for name, indices in table.items():
            assert indices, name
            assert min(indices) >= 0
            assert max(indices) < 1000
            assert len(indices) == len(set(indices)), name


@pytest.mark.slow
def test_the_network_gives_probabilities_for_every_crop() -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    pixels = np.asarray(Image.effect_noise((120, 90), 60).convert("RGB"), np.uint8)
    found = tags.probabilities(pixels)
    assert found is not None
    assert found.shape == (CROPS, 1000)
    assert found.sum(axis=1) == pytest.approx(np.ones(CROPS), abs=1e-3)
