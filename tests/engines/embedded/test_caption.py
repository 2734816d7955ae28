"""A caption names what is likely, and says less when less is known."""

from __future__ import annotations

import importlib.util
import logging
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pipeline.engines.embedded.caption import image_tags, object_detector
from pipeline.engines.embedded.caption.appearance import measure_appearance
from pipeline.engines.embedded.caption.caption_reader import read_caption
from pipeline.engines.embedded.caption.class_nouns import NOUNS, OBJECT_NAMES, OBJECTS_BY_NOUN, PEOPLE, PLACES, WIDER_NOUNS
from pipeline.engines.embedded.caption.object_detector import DetectedObject
from pipeline.records import Claim, Page, PageImage, Word
from tests.engines.embedded.page_builder import template

CROPS = 9


def plain_image(colour: tuple[int, int, int], size: tuple[int, int] = (120, 80)) -> PageImage:
    return PageImage(*size, Image.new("RGB", size, colour).tobytes(), 1.0)


def class_probabilities(**classes: float) -> NDArray[np.float32]:
    """Probabilities of a few classes, the same in every crop; ``c281`` is class 281."""
    probabilities = np.zeros((CROPS, 1000), np.float32)
    for name, probability in classes.items():
        probabilities[:, int(name[1:])] = probability
    return probabilities


def caption(
    monkeypatch: pytest.MonkeyPatch,
    tags: NDArray[np.float32] | None,
    *words: Word,
    image: PageImage | None = None,
    objects: Sequence[DetectedObject] | None = None,
) -> dict[str, Claim]:
    monkeypatch.setattr(image_tags, "probabilities", lambda pixels: tags)
    monkeypatch.setattr(object_detector, "find_objects", lambda pixels: objects)
    image = image or plain_image((90, 140, 60))
    page = Page(1, image.width, image.height, words, "ocr" if words else None)
    return read_caption(page, image, template("caption"))


def test_breeds_add_up_to_a_dog(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = caption(monkeypatch, class_probabilities(c265=0.15, c266=0.12, c267=0.14))
    assert claims["caption"].value == "A dog."
    assert claims["objects"].value == ["dog"]


def test_unlikely_objects_are_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = caption(monkeypatch, class_probabilities(c281=0.12, c340=0.08, c920=0.1))
    assert claims["objects"].value == []
    assert "cat" not in claims["caption"].value


def test_a_wider_noun_replaces_several_uncertain_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = caption(monkeypatch, class_probabilities(c927=0.12, c962=0.13, c964=0.12, c924=0.1))
    assert claims["objects"].value == ["food"]


def test_objects_and_place_make_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = caption(monkeypatch, class_probabilities(c779=0.4, c920=0.35))
    assert claims["caption"].value == "A bus and a traffic light on a street."
    assert claims["objects"].value == ["bus", "traffic light"]


def test_an_object_that_is_clear_in_one_crop_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    probabilities = class_probabilities(c409=0.08)
    probabilities[3, 409] = 0.95
    assert caption(monkeypatch, probabilities)["objects"].value == ["clock"]


def test_clear_words_are_quoted_with_their_indices(monkeypatch: pytest.MonkeyPatch) -> None:
    words = (
        Word("Harbour", (10, 10, 60, 30), 0, "ocr", 0.98, 20),
        Word("Café", (65, 10, 90, 30), 0, "ocr", 0.97, 20),
        Word("xq#f", (10, 60, 30, 70), 1, "ocr", 0.4, 10),
    )
    claims = caption(monkeypatch, class_probabilities(), *words)
    assert "“Harbour Café”" in claims["caption"].value
    assert claims["caption"].words == (0, 1)


def test_without_the_network_the_caption_is_shorter(monkeypatch: pytest.MonkeyPatch) -> None:
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
    assert measure_appearance(pixels).colours == (name,)


def test_grey_pictures_are_called_black_and_white(monkeypatch: pytest.MonkeyPatch) -> None:
    image = Image.effect_noise((90, 60), 80).convert("RGB")
    claims = caption(monkeypatch, None, image=PageImage(90, 60, image.tobytes(), 1.0))
    assert "black and white" in claims["caption"].value


def test_a_blue_top_is_a_sky(monkeypatch: pytest.MonkeyPatch) -> None:
    image = Image.new("RGB", (90, 60), (90, 150, 230))
    image.paste((60, 120, 50), (0, 30, 90, 60))
    claims = caption(monkeypatch, class_probabilities(c340=0.8), image=PageImage(90, 60, image.tobytes(), 1.0))
    assert claims["caption"].value == "A zebra under a blue sky."


def test_detected_objects_are_counted_and_people_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    objects = [
        DetectedObject("person", 2, 0.1),
        DetectedObject("bus", 1, 0.4),
        DetectedObject("knife", 3, 0.01),
        DetectedObject("skis", 1, 0.01),
    ]
    claims = caption(monkeypatch, None, objects=objects)
    assert claims["caption"].value == "Two people with a bus, several knives and some skis on snow."
    assert claims["objects"].value == ["person", "bus", "knife", "skis"]


def test_tags_add_only_what_the_detector_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    objects = [DetectedObject("dog", 1, 0.3), DetectedObject("tennis racket", 1, 0.1)]
    poodle_racket_castle = class_probabilities(c265=0.4, c752=0.4, c483=0.4)
    claims = caption(monkeypatch, poodle_racket_castle, objects=objects)
    assert claims["objects"].value == ["dog", "tennis racket", "castle"]
    animals = class_probabilities(c10=0.12, c101=0.12, c340=0.12)
    assert caption(monkeypatch, animals, objects=[])["objects"].value == ["animal"]
    assert caption(monkeypatch, animals, objects=[DetectedObject("zebra", 1, 0.3)])["objects"].value == ["zebra"]


def test_tags_that_suggest_people_count_only_without_a_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    groom = class_probabilities(c982=0.5)
    assert "person" in caption(monkeypatch, groom)["objects"].value
    assert "person" not in caption(monkeypatch, groom, objects=[])["objects"].value


def test_typical_objects_give_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def caption_text(*names: str) -> str:
        value = caption(monkeypatch, None, objects=[DetectedObject(name, 1, 0.1) for name in names])["caption"].value
        assert isinstance(value, str)
        return value

    assert caption_text("sink", "refrigerator") == "A sink and a refrigerator in a kitchen."
    assert caption_text("sink") == "A sink."
    assert caption_text("tennis racket") == "A tennis racket."
    assert caption_text("person", "tennis racket").endswith("on a tennis court.")


def stop_sign() -> Image.Image:
    """A red octagon on a pole, under a blue sky."""
    image = Image.new("RGB", (400, 300), (120, 170, 220))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 250, 400, 300), fill=(70, 110, 60))
    draw.rectangle((195, 150, 205, 280), fill=(120, 120, 120))
    for radius, colour in ((72, (255, 255, 255)), (66, (190, 20, 30))):
        angles = [math.pi / 8 + corner * math.pi / 4 for corner in range(8)]
        draw.polygon([(200 + radius * math.cos(angle), 110 + radius * math.sin(angle)) for angle in angles], fill=colour)
    draw.text((200, 110), "STOP", (255, 255, 255), ImageFont.load_default(44), "mm")
    return image


@pytest.fixture
def fresh_network() -> Iterator[None]:
    """Loads the network again for this test, and again for the next."""
    object_detector.load_detector.cache_clear()
    yield
    object_detector.load_detector.cache_clear()


@pytest.mark.skipif(importlib.util.find_spec(object_detector.PACKAGE) is None, reason="the extra `objects` is not installed")
@pytest.mark.usefixtures("fresh_network")
def test_the_detector_finds_drawn_objects_and_nothing_in_noise() -> None:
    sign = stop_sign()
    objects = object_detector.find_objects(np.asarray(sign))
    assert [(item.name, item.count) for item in objects or []] == [("stop sign", 1)]
    pair = Image.new("RGB", (700, 300), (150, 140, 120))
    pair.paste(sign, (0, 0))
    pair.paste(sign, (400, 0))
    assert [(item.name, item.count) for item in object_detector.find_objects(np.asarray(pair)) or []] == [("stop sign", 2)]
    noise = Image.effect_noise((120, 90), 60).convert("RGB")
    assert object_detector.find_objects(np.asarray(noise, np.uint8)) == []


def test_boxes_of_a_whole_object_and_its_part_count_once() -> None:
    class Network:
        def setInput(self, blob: NDArray[np.float32]) -> None:  # noqa: N802 - OpenCV's name
            del blob

        def forward(self) -> NDArray[np.float32]:
            boxes = [(0.1, 0.1, 0.5, 0.9), (0.12, 0.1, 0.48, 0.5), (0.6, 0.1, 0.9, 0.9), (0.1, 0.12, 0.5, 0.92)]
            rows = [(0, 17, 0.9, *box) for box in boxes] + [(0, 18, 0.4, 0.1, 0.1, 0.9, 0.9), (0, 12, 0.9, 0.1, 0.1, 0.9, 0.9)]
            return np.array(rows, np.float32).reshape(1, 1, -1, 7)

    assert [name for name, _ in object_detector.detect_in_crop(np.zeros((30, 30, 3), np.uint8), Network())] == ["cat", "cat"]


@pytest.mark.usefixtures("fresh_network")
def test_weights_with_another_checksum_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    models = tmp_path / "other_weights" / "models"
    models.mkdir(parents=True)
    (tmp_path / "other_weights" / "__init__.py").write_text("raise AssertionError('the package is never run')")
    for name in object_detector.CHECKSUMS:
        (models / name).write_bytes(b"something else")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(object_detector, "PACKAGE", "other_weights")
    with caplog.at_level(logging.WARNING):
        assert object_detector.find_objects(np.zeros((40, 40, 3), np.uint8)) is None
    assert "unknown checksum" in caplog.text


def test_the_tables_name_existing_classes_once_a_noun() -> None:
    for table in (NOUNS, WIDER_NOUNS, PLACES, {"people": PEOPLE}):
        for name, indices in table.items():
            assert indices, name
            assert min(indices) >= 0
            assert max(indices) < 1000
            assert len(indices) == len(set(indices)), name
    assert set(OBJECT_NAMES) <= NOUNS.keys() | WIDER_NOUNS.keys()
    assert set(OBJECTS_BY_NOUN) <= WIDER_NOUNS.keys()
    assert set().union(OBJECT_NAMES.values(), *OBJECTS_BY_NOUN.values()) <= set(object_detector.CLASS_NAMES.values())


@pytest.mark.slow
def test_the_network_gives_probabilities_for_every_crop() -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    pixels = np.asarray(Image.effect_noise((120, 90), 60).convert("RGB"), np.uint8)
    probabilities = image_tags.probabilities(pixels)
    assert probabilities is not None
    assert probabilities.shape == (CROPS, 1000)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(CROPS), abs=1e-3)
