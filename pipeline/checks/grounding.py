"""Finds the values of an answer among the page's words. A value that is found is grounded, and its box comes from those words.

Words that the engine names as its source count only when they contain the value. A value that is not found is kept and flagged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from html import unescape

from pipeline.checks.deductions import unsigned_deductions, without_minus
from pipeline.checks.file_places import place_of
from pipeline.checks.text_keys import letters_and_digits, make_key
from pipeline.checks.value_search import PageIndex, ValuePlace
from pipeline.records import Claim, Evidence, Grounding, Json, Page, Word
from pipeline.templates.template import Merge, Template, TemplateField
from pipeline.values.boxes import bounding_box

UNGROUNDED = "ungrounded"
_ORDER: dict[Grounding, int] = {"exact": 0, "value": 1, "fuzzy": 2, "none": 3}
ROW_REACH = 6.0
"""Cells of a table row are at most this many letter heights above or below the row's anchor cell."""
TRANSCRIPT_SHARE = 0.9
"""Share of a transcript's tokens that must be words of the page."""
MAX_BROKEN_LETTERS = 40
"""Letters of the first part of a hyphenated word."""
_MARKUP = re.compile(r"</?[a-z][a-z0-9]*(?:\s[^<>]*)?>|<!-- [a-z]+:|-->|!\[(?:\\.|[^\\\]])*\]\([^)]*\)|\\?\[handwriting\?\\?\]")
"""What is no word of a page: tags, comments, pictures with their description, the mark of handwriting."""
HYPHENS = frozenset("-\u00ad\u2010¬")
"""Characters that break a word at the end of a line."""


def is_printed(template: Template, name: str, column: str | None = None) -> bool:
    """Whether the page prints the value as text. Choices, captions and values of chart marks are not printed, so never flagged."""
    field = template.fields[name]
    if field.type == "enum" or template.reader == "caption":
        return False
    if template.reader == "chart":
        return name != "summary" and not (column and field.columns[column].type in ("number", "money"))
    return True


def ground(claims: Mapping[str, Claim], page: Page, template: Template) -> dict[str, Evidence]:
    """Evidence by field, for each claim whose field is in the template. A claim of None has no page and no box.

    A deduction loses its minus. The page may print it with or without one.
    """
    locator, deductions = Locator(page), unsigned_deductions(template, {name: claim.value for name, claim in claims.items()})
    return {
        name: _ground(name, claim, locator, template, either_sign=name in deductions)
        for name, claim in claims.items()
        if name in template.fields
    }


def _ground(name: str, claim: Claim, locator: Locator, template: Template, *, either_sign: bool) -> Evidence:
    field = template.fields[name]
    value = without_minus(claim.value) if either_sign else claim.value
    bare = Evidence(
        value,
        claim.printed,
        locator.page.number,
        flags=claim.flags,
        score=claim.score,
        signals=claim.signals,
        cells=claim.cells,
    )
    if value in (None, "", []):
        return replace(bare, page=None)
    if template.reader == "transcript" and isinstance(value, str):
        return locator.ground_transcript(bare, value)
    if field.type == "table":
        return _ground_table(name, claim, bare, locator, template)
    values = value if isinstance(value, list) else [value]
    places = [
        locator.find_value(field.type, str(each), claim.words, field.merge, either_sign=either_sign)
        or _find_name(str(each), field, claim, locator)
        or _words_of_choice(field, claim, locator)
        for each in values
    ]
    missing = [n for n, place in enumerate(places, 1) if place is None] if is_printed(template, name) else []
    flags = [f"{UNGROUNDED}:{n}" for n in missing] if isinstance(value, list) else [UNGROUNDED for _ in missing]
    return locator.to_evidence(bare, places, flags)


def _words_of_choice(field: TemplateField, claim: Claim, locator: Locator) -> ValuePlace | None:
    """Where the words stand that a detail's choice was made by: the account, for a payment by transfer."""
    words = tuple(word for word in claim.words if 0 <= word < len(locator.page.words))
    return ValuePlace(words, "value") if field.detail and field.type == "enum" and words else None


def _find_name(value: str, field: TemplateField, claim: Claim, locator: Locator) -> ValuePlace | None:
    """The place of a choice's name, as ``value_labels`` lists them, the longest first."""
    names = sorted((name for names in field.value_labels.get(value, {}).values() for name in names), key=len, reverse=True)
    places = (locator.find_value("text", name, claim.words, field.merge) for name in dict.fromkeys(names))
    return next((place for place in places if place), None)


def _ground_table(name: str, claim: Claim, bare: Evidence, locator: Locator, template: Template) -> Evidence:
    field = template.fields[name]
    rows = [row if isinstance(row, Mapping) else {} for row in claim.value] if isinstance(claim.value, list) else []
    places: list[ValuePlace | None] = []
    flags: list[str] = []
    # The cells of a chart's row are not in one row of the page: legend and axis can be anywhere.
    reach = float("inf") if template.reader == "chart" else ROW_REACH
    for number, cells in enumerate(locator.find_rows(rows, field, claim.words, reach), 1):
        places += cells.values()
        missing = (column for column, place in cells.items() if place is None and is_printed(template, name, column))
        flags += [f"{UNGROUNDED}:{number}.{column}" for column in missing]
    return locator.to_evidence(bare, places, flags)


def _broken_start(token: str, starts: Set[str], whole: Set[str]) -> str:
    """The hyphenated word that the token begins with, when the rest of the token is a word too; else empty."""
    cuts = range(1, min(len(token), MAX_BROKEN_LETTERS))
    return next((token[:cut] for cut in cuts if token[:cut] in starts and token[cut:] in whole), "")


class Locator:
    """Finds values on one page. The page is indexed once, at the first search."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._index = PageIndex(page.words)

    def find_value(
        self, kind: str, value: str, hints: Sequence[int] = (), merge: Merge = "first", *, either_sign: bool = False
    ) -> ValuePlace | None:
        """The place of one value of a type: among the words in ``hints``, else its first (with ``merge`` last: its last) on the page.

        ``either_sign``: the page may print the number with a minus too.
        """
        hinted = self._hinted_index(hints)
        for each in (value, f"-{value}") if either_sign else (value,):
            places = (hinted.find(kind, each) if hinted else []) or self._index.find(kind, each)
            if places:
                return places[-1 if merge == "last" else 0]
        return None

    def find_rows(
        self, rows: Sequence[Mapping[str, Json]], field: TemplateField, hints: Sequence[int] = (), reach: float = ROW_REACH
    ) -> Iterator[dict[str, ValuePlace | None]]:
        """Places of each row's cells. The cell with the fewest places locates the row, and the others are searched beside it.

        ``reach`` is how many letter heights above or below it a cell may stand.
        """
        hinted = self._hinted_index(hints)
        floor = float("-inf")
        for row in rows:
            values = {c: str(v) for c, v in row.items() if c in field.columns and v not in (None, "")}
            kinds = {c: field.columns[c].type for c in values}
            places = {
                c: (hinted.find(kinds[c], v) if hinted else []) or self._index.find(kinds[c], v) for c, v in values.items()
            }
            anchor = self._anchor(places, floor)
            floor = self._middle(anchor) if anchor else floor
            yield {column: self._beside(anchor, options, reach) for column, options in places.items()}

    def ground_transcript(self, bare: Evidence, text: str) -> Evidence:
        """Evidence of a page's whole text. The tokens are compared as sets, in time that is linear in the length of the page.

        A token may also be two words of the page, when the first one ends in a hyphen.
        """
        plain = unescape(_MARKUP.sub(" ", text)) if "<" in text or "[" in text else text
        tokens = {token for token in map(letters_and_digits, plain.split()) if token}
        printed = [(word, letters_and_digits(word.text)) for word in self.page.words]
        starts = {token for word, token in printed if token and word.text.rstrip()[-1:] in HYPHENS}
        whole = {token for _, token in printed}
        joined = {token: start for token in tokens - whole if (start := _broken_start(token, starts, whole))}
        present = tokens & whole
        parts = {token[len(start) :] for token, start in joined.items()} | set(joined.values())
        words = [(word, token) for word, token in printed if token in present or token in parts]
        share = (len(present) + len(joined)) / len(tokens) if tokens else 0.0
        if share < TRANSCRIPT_SHARE:
            return replace(bare, flags=(*bare.flags, UNGROUNDED))
        return replace(bare, box=bounding_box(word.box for word, _ in words), grounding="exact" if share == 1 else "fuzzy")

    def to_evidence(self, bare: Evidence, places: Sequence[ValuePlace | None], flags: Sequence[str]) -> Evidence:
        """The evidence with box and grounding. With several places the weakest grounding counts; without any it stays ``none``."""
        present = [place for place in places if place]
        every_flag = tuple(dict.fromkeys((*bare.flags, *flags)))
        if every_flag != bare.flags:
            bare = replace(bare, flags=every_flag)
        if not present:
            return bare
        words = [self.page.words[i] for i in dict.fromkeys(i for place in present for i in place.words)]
        weakest = max((place.grounding for place in present), key=_ORDER.__getitem__)
        printed = bare.printed if isinstance(bare.value, list) else _printed(bare.printed, words)
        legible = min(word.confidence for word in words)
        return replace(
            bare,
            printed=printed,
            box=bounding_box(word.box for word in words),
            grounding=weakest,
            legible=legible,
            place=place_of(words),
        )

    def _hinted_index(self, hints: Sequence[int]) -> PageIndex | None:
        """An index of only the words that the engine names as its source. Indices out of range are ignored."""
        valid = [i for i in dict.fromkeys(hints) if 0 <= i < len(self.page.words)]
        return PageIndex(self.page.words, valid) if valid else None

    def _anchor(self, places: Mapping[str, Sequence[ValuePlace]], floor: float) -> ValuePlace | None:
        """A place of the cell that has the fewest places, below the row before where possible."""
        options = [p for p in places.values() if p]
        if not options:
            return None
        rarest = min(options, key=len)
        below = [place for place in rarest if self._middle(place) > floor]
        return (below or list(rarest))[0]

    def _beside(self, anchor: ValuePlace | None, options: Sequence[ValuePlace], reach: float) -> ValuePlace | None:
        if anchor is None or not options:
            return None
        nearest = min(options, key=lambda place: abs(self._middle(place) - self._middle(anchor)))
        return nearest if abs(self._middle(nearest) - self._middle(anchor)) <= reach * max(self._height(anchor), 1.0) else None

    def _middle(self, place: ValuePlace) -> float:
        box = self.page.words[place.words[0]].box
        return (box[1] + box[3]) / 2

    def _height(self, place: ValuePlace) -> float:
        box = self.page.words[place.words[0]].box
        return box[3] - box[1]


def _printed(claimed: str | None, words: Sequence[Word]) -> str:
    """The printed text of the engine when the words contain it completely, else the text of the words."""
    text = " ".join(word.text for word in words)
    if not claimed or not claimed.strip():
        return text
    letters = letters_and_digits(claimed)
    contained = any(make_key([text]).occurrences(letters)) if letters else claimed.strip() in text
    return claimed if contained else text
