"""Pages from right to left as readers of fields work with them; pages from left to right stay as they are."""

from __future__ import annotations

from pipeline.engines.embedded.fields import read_fields
from pipeline.engines.embedded.logical_page import logical_page, mirrored_page
from pipeline.records import Page, Word
from tests.engines.embedded.fields.pages import page, template_of

OWN = """
name: note
description: A note.
prompt: Read the note.
fields:
  total: {type: money, labels: {ar: [الإجمالي]}}
  address: {type: text, labels: {ar: [العنوان]}}
"""


def from_right(*lines: tuple[float, float, str]) -> Page:
    """A page whose lines begin at a distance from its right edge."""
    return mirrored_page(page(lines))


def test_labels_stand_right_of_their_values() -> None:
    drawn = from_right((50, 100, "الإجمالي"), (150, 100, "١٬٢٣٤٫٥٠"), (50, 200, "العنوان"), (150, 200, "شارع ١٤"))
    assert drawn.words[0].box[0] > drawn.words[1].box[0]
    claims = read_fields(drawn, template_of(OWN))
    assert claims["total"].value == "1234.50"
    assert claims["total"].printed == "١٬٢٣٤٫٥٠"
    assert claims["address"].value == "شارع ١٤"


def test_names_in_latin_letters_keep_their_order() -> None:
    words = (Word("חברת", (300, 0, 340, 10), 0), Word("ABC", (200, 0, 220, 10), 0), Word("Ltd", (224, 0, 240, 10), 0))
    mirrored = mirrored_page(Page(1, 400, 100, (*words, Word("הצפון", (100, 0, 150, 10), 0))))
    assert [word.text for word in sorted(mirrored.words, key=lambda word: word.box[0])] == ["חברת", "ABC", "Ltd", "הצפון"]


def test_a_latin_page_is_the_same_object() -> None:
    latin = page([(50, 100, "Total"), (150, 100, "12.50")])
    assert logical_page(latin) is latin
