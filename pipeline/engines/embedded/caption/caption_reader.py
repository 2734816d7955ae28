"""Caption: one honest sentence on what a picture shows, from the objects found in it, image tags, colours and the words in it.

Only what is likely is named; when little is known the sentence says little. Nothing here guesses at names, feelings or deeds, and
numbers are those of the things found.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.embedded.caption import image_tags, object_detector
from pipeline.engines.embedded.caption.appearance import Look, look_at
from pipeline.engines.embedded.caption.class_nouns import MEMBERS, SAME
from pipeline.engines.embedded.caption.object_detector import Thing
from pipeline.records import Claim, Page, PageImage
from pipeline.templates.model import Template

SURE = 0.9
"""Words below this confidence are not quoted."""
QUOTED = 6
"""At most so many words of the picture are quoted."""
NAMED = 5
"""At most so many things are named in the sentence; all are listed."""
_PLURAL = {"skis", "sunglasses", "scissors", "mashed potatoes"}
_MASS = {
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
_PLURALS = {"person": "people", "knife": "knives", "mouse": "mice", "sheep": "sheep"}
_MARKS: tuple[tuple[str, set[str], int], ...] = (
    ("on a tennis court", {"tennis racket", "person"}, 2),
    ("on a baseball field", {"baseball bat", "baseball glove"}, 1),
    ("on snow", {"skis", "snowboard"}, 1),
    ("in a bathroom", {"toilet"}, 1),
    ("in a kitchen", {"oven", "refrigerator", "microwave", "sink", "toaster"}, 2),
    ("on a street", {"traffic light", "stop sign", "parking meter", "fire hydrant"}, 1),
)
"""Places, the things that mark them, and how many of these must be there."""


def read_caption(page: Page, image: PageImage, template: Template) -> dict[str, Claim]:
    """Claims ``caption`` (a sentence) and ``objects`` (nouns in the singular), where the template has these fields."""
    pixels = np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)
    found, tagged = object_detector.find_objects(pixels), image_tags.probabilities(pixels)
    things = _things(found, tagged)
    where = _place(found or [], image_tags.place(tagged) if tagged is not None else None)
    quoted, words = _quote(page)
    sentence = _sentence(things[:NAMED], where, look_at(pixels), quoted)
    claims = {
        "caption": Claim(value=sentence, words=words, score=0.9 if things else 0.5),
        "objects": Claim(value=[thing.name for thing in things], score=0.9 if things else 0.0),
    }
    return {name: claim for name, claim in claims.items() if name in template.fields}


def _things(found: Sequence[Thing] | None, tagged: NDArray[np.float32] | None) -> list[Thing]:
    """What was found, then what the tags add to it; tags tell of people only where nobody looked for them."""
    things = list(found or [])
    if tagged is None:
        return things
    known = {thing.name for thing in things}
    nouns = [
        noun for noun in image_tags.nouns(tagged) if SAME.get(noun, noun) not in known and not MEMBERS.get(noun, set()) & known
    ]
    if found is None and image_tags.shows_people(tagged):
        nouns.insert(0, "person")
    return things + [Thing(noun, 1, 0.0) for noun in nouns]


def _place(found: Sequence[Thing], tagged: str | None) -> str | None:
    """Where things are that stand nowhere else, else what the tags say."""
    known = {thing.name for thing in found}
    return next((place for place, marks, least in _MARKS if len(marks & known) >= least), tagged)


def _sentence(things: Sequence[Thing], where: str | None, look: Look, quoted: str) -> str:
    what = _subject(things)
    if what and where:
        what = f"{what} {where}"
    elif where:
        what = where.split(" ", 1)[1]
    if look.grey:
        what = f"a black and white photo of {what}" if what else "a black and white photo"
    elif not what:
        what = f"a picture that is mostly {_listed(list(look.colours[:2]))}" if look.colours else "a picture of many colors"
    if look.dark and where in _OUTDOORS:
        what += " at night"
    elif look.sky:
        what += " under a blue sky"
    if quoted:
        what += f" with the words “{quoted}”"
    return f"{what[0].upper()}{what[1:]}."


def _subject(things: Sequence[Thing]) -> str:
    named = [_counted(thing) for thing in things]
    if named[1:] and things[0].name == "person":
        return f"{named[0]} with {_listed(named[1:])}"
    return _listed(named)


def _counted(thing: Thing) -> str:
    noun = thing.name
    if noun in _PLURAL or noun in _MASS:
        return f"some {noun}"
    if thing.count == 1:
        return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
    return f"{'two' if thing.count == 2 else 'several'} {_plural(noun)}"


def _plural(noun: str) -> str:
    if noun in _PLURALS:
        return _PLURALS[noun]
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"


def _listed(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def _quote(page: Page) -> tuple[str, tuple[int, ...]]:
    """The largest clear words in the picture, in their order, and their indices."""
    clear = [
        index
        for index, word in enumerate(page.words)
        if word.confidence >= SURE and sum(character.isalpha() for character in word.text) >= 3 and '"' not in word.text
    ]
    largest = sorted(clear, key=lambda index: page.words[index].box[1] - page.words[index].box[3])[:QUOTED]
    chosen = tuple(sorted(largest))
    return " ".join(page.words[index].text for index in chosen), chosen
