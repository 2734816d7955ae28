"""Writes a caption: one sentence on what a picture shows, from detected objects, image tags, colours and printed words.

The sentence names only what is likely. When little is known, it says little. It never guesses names of people, feelings or actions.
Numbers are counts of detected objects.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.embedded.caption import image_tags, object_detector
from pipeline.engines.embedded.caption.appearance import Appearance, measure_appearance
from pipeline.engines.embedded.caption.class_nouns import OBJECT_NAMES, OBJECTS_BY_NOUN
from pipeline.engines.embedded.caption.object_detector import DetectedObject
from pipeline.records import Claim, Page, PageImage
from pipeline.templates.template import Template

MIN_WORD_CONFIDENCE = 0.9
"""Least confidence of a word that is quoted."""
MAX_QUOTED_WORDS = 6
"""Most words of the picture that are quoted."""
MAX_NAMED_OBJECTS = 5
"""Most objects that the sentence names. The field ``objects`` lists all of them."""
_PLURAL_ONLY = {"skis", "sunglasses", "scissors", "mashed potatoes"}
_MASS_NOUNS = {
    "bread",
    "pasta",
    "soup",
    "coffee",
    "beer",
    "wine",
    "meat",
    "corn",
    "broccoli",
    "cabbage",
    "cauliflower",
    "food",
    "furniture",
}
_OUTDOORS = {
    "on the beach",
    "by the water",
    "on a street",
    "on snow",
    "on the water",
    "on a tennis court",
    "on a baseball field",
}
_IRREGULAR_PLURALS = {"person": "people", "knife": "knives", "mouse": "mice", "sheep": "sheep"}
_PLACE_OBJECTS: tuple[tuple[str, set[str], int], ...] = (
    ("on a tennis court", {"tennis racket", "person"}, 2),
    ("on a baseball field", {"baseball bat", "baseball glove"}, 1),
    ("on snow", {"skis", "snowboard"}, 1),
    ("in a bathroom", {"toilet"}, 1),
    ("in a kitchen", {"oven", "refrigerator", "microwave", "sink", "toaster"}, 2),
    ("on a street", {"traffic light", "stop sign", "parking meter", "fire hydrant"}, 1),
)
"""For each place: objects that are typical of it, and how many of them must be in the picture."""


def read_caption(page: Page, image: PageImage, template: Template) -> dict[str, Claim]:
    """Return the claims ``caption`` (a sentence) and ``objects`` (nouns in the singular) that the template has fields for."""
    pixels = np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)
    detections, tags = object_detector.find_objects(pixels), image_tags.probabilities(pixels)
    objects = _merge_tags(detections, tags)
    place = _choose_place(detections or [], image_tags.likely_place(tags) if tags is not None else None)
    quote, words = _quote(page)
    sentence = _sentence(objects[:MAX_NAMED_OBJECTS], place, measure_appearance(pixels), quote)
    claims = {
        "caption": Claim(value=sentence, words=words, score=0.9 if objects else 0.5),
        "objects": Claim(value=[item.name for item in objects], score=0.9 if objects else 0.0),
    }
    return {name: claim for name, claim in claims.items() if name in template.fields}


def _merge_tags(detections: Sequence[DetectedObject] | None, tags: NDArray[np.float32] | None) -> list[DetectedObject]:
    """Return the detected objects, then those that the tags add. Tags add people only when no detector ran."""
    objects = list(detections or [])
    if tags is None:
        return objects
    names = {item.name for item in objects}
    nouns = [
        noun
        for noun in image_tags.likely_nouns(tags)
        if OBJECT_NAMES.get(noun, noun) not in names and not OBJECTS_BY_NOUN.get(noun, set()) & names
    ]
    if detections is None and image_tags.shows_people(tags):
        nouns.insert(0, "person")
    return objects + [DetectedObject(noun, 1, 0.0) for noun in nouns]


def _choose_place(detections: Sequence[DetectedObject], tagged_place: str | None) -> str | None:
    """Return the place that the detected objects are typical of, else the one of the tags."""
    names = {item.name for item in detections}
    return next((place for place, members, min_count in _PLACE_OBJECTS if len(members & names) >= min_count), tagged_place)


def _sentence(objects: Sequence[DetectedObject], place: str | None, appearance: Appearance, quote: str) -> str:
    text = _subject(objects)
    if text and place:
        text = f"{text} {place}"
    elif place:
        text = place.split(" ", 1)[1]
    if appearance.grey:
        text = f"a black and white photo of {text}" if text else "a black and white photo"
    elif not text:
        colours = _enumerate(list(appearance.colours[:2]))
        text = f"a picture that is mostly {colours}" if colours else "a picture of many colors"
    if appearance.dark and place in _OUTDOORS:
        text += " at night"
    elif appearance.sky:
        text += " under a blue sky"
    if quote:
        text += f" with the words “{quote}”"
    return f"{text[0].upper()}{text[1:]}."


def _subject(objects: Sequence[DetectedObject]) -> str:
    nouns = [_noun_phrase(item) for item in objects]
    if nouns[1:] and objects[0].name == "person":
        return f"{nouns[0]} with {_enumerate(nouns[1:])}"
    return _enumerate(nouns)


def _noun_phrase(item: DetectedObject) -> str:
    noun = item.name
    if noun in _PLURAL_ONLY or noun in _MASS_NOUNS:
        return f"some {noun}"
    if item.count == 1:
        return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
    return f"{'two' if item.count == 2 else 'several'} {_plural(noun)}"


def _plural(noun: str) -> str:
    if noun in _IRREGULAR_PLURALS:
        return _IRREGULAR_PLURALS[noun]
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"


def _enumerate(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def _quote(page: Page) -> tuple[str, tuple[int, ...]]:
    """Return the largest clear words of the picture in reading order, and their indices."""
    clear = [
        index
        for index, word in enumerate(page.words)
        if word.confidence >= MIN_WORD_CONFIDENCE
        and sum(character.isalpha() for character in word.text) >= 3
        and '"' not in word.text
    ]
    largest = sorted(clear, key=lambda index: page.words[index].box[1] - page.words[index].box[3])[:MAX_QUOTED_WORDS]
    indices = tuple(sorted(largest))
    return " ".join(page.words[index].text for index in indices), indices
