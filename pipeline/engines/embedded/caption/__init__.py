"""Caption: one honest sentence on what a picture shows, from image tags, colours and the words in it.

Only what is likely is named; when little is known the sentence says little. Nothing here guesses at names, feelings or numbers.
"""

from __future__ import annotations

import numpy as np

from pipeline.engines.embedded.caption import tags
from pipeline.engines.embedded.caption.look import Look, look_at
from pipeline.records import Claim, Page, PageImage
from pipeline.templates.model import Template

SURE = 0.9
"""Words below this confidence are not quoted."""
QUOTED = 6
"""At most so many words of the picture are quoted."""
_PLURAL = {"skis", "sunglasses", "mashed potatoes"}
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


def read_caption(page: Page, image: PageImage, template: Template) -> dict[str, Claim]:
    """Claims ``caption`` (a sentence) and ``objects`` (nouns in the singular), where the template has these fields."""
    pixels = np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)
    found = tags.probabilities(pixels)
    things = tags.nouns(found)[:4] if found is not None else []
    if found is not None and tags.shows_people(found):
        things = ["person", *things]
    where = tags.place(found) if found is not None else None
    quoted, words = _quote(page)
    sentence = _sentence(things, where, look_at(pixels), quoted)
    claims = {
        "caption": Claim(value=sentence, words=words, score=0.9 if things else 0.5),
        "objects": Claim(value=things, score=0.9 if things else 0.0),
    }
    return {name: claim for name, claim in claims.items() if name in template.fields}


def _sentence(things: list[str], where: str | None, look: Look, quoted: str) -> str:
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


def _subject(things: list[str]) -> str:
    named = [_with_article(thing) for thing in things]
    if things[:1] == ["person"] and named[1:]:
        return f"a person with {_listed(named[1:])}"
    return _listed(named)


def _with_article(noun: str) -> str:
    if noun in _PLURAL or noun in _MASS:
        return f"some {noun}"
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


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
