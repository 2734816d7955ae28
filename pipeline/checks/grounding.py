"""Claims looked up on the page: a value counts as grounded when the page's words hold it, and its box comes from those words.

Where an engine says which words it took, these are believed only if they hold the value. What is not found is kept and flagged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace

from pipeline.checks.deductions import unsigned_deductions, without_minus
from pipeline.checks.text_keys import fold, make_key
from pipeline.checks.value_search import PageIndex, Place
from pipeline.records import Claim, Evidence, Grounding, Json, Page, Word
from pipeline.templates.model import Merge, Template, TemplateField
from pipeline.values.boxes import around

UNGROUNDED = "ungrounded"
_ORDER: dict[Grounding, int] = {"exact": 0, "value": 1, "fuzzy": 2, "none": 3}
ROW_REACH = 6.0
"""Cells of a table row stand at most this many letter heights above or below the row's surest cell."""
TRANSCRIPT_SHARE = 0.9
"""Share of a transcript's tokens that must be words of the page."""
LONGEST_HALF = 40
HYPHENS = frozenset("-\u00ad\u2010¬")
"""What a word may be broken with at the end of a line."""


def is_printed(template: Template, name: str, column: str | None = None) -> bool:
    """Whether a value is printed as text: choices, captions and readings of marks are not, and so not flagged."""
    field = template.fields[name]
    if field.type == "enum" or template.reader == "caption":
        return False
    if template.reader == "chart":
        return name != "summary" and not (column and field.columns[column].type in ("number", "money"))
    return True


def ground(claims: Mapping[str, Claim], page: Page, template: Template) -> dict[str, Evidence]:
    """Evidence for every claim of a field that the template has; a claim of None stays without page and box.

    A deduction loses its minus, and is found with or without one.
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
    bare = Evidence(value, claim.printed, locator.page.number, flags=claim.flags, score=claim.score)
    if value in (None, "", []):
        return replace(bare, page=None)
    if template.reader == "transcript" and isinstance(value, str):
        return locator.ground_transcript(bare, value)
    if field.type == "table":
        return _ground_table(name, claim, bare, locator, template)
    values = value if isinstance(value, list) else [value]
    found = [locator.find_value(field.type, str(each), claim.words, field.merge, either_sign=either_sign) for each in values]
    missing = [n for n, place in enumerate(found, 1) if place is None] if is_printed(template, name) else []
    flags = [f"{UNGROUNDED}:{n}" for n in missing] if isinstance(value, list) else [UNGROUNDED for _ in missing]
    return locator.to_evidence(bare, found, flags)


def _ground_table(name: str, claim: Claim, bare: Evidence, locator: Locator, template: Template) -> Evidence:
    field = template.fields[name]
    rows = [row if isinstance(row, Mapping) else {} for row in claim.value] if isinstance(claim.value, list) else []
    found: list[Place | None] = []
    flags: list[str] = []
    # A chart's rows are no rows on the page: the legend and the axis stand anywhere.
    reach = float("inf") if template.reader == "chart" else ROW_REACH
    for number, cells in enumerate(locator.find_rows(rows, field, claim.words, reach), 1):
        found += cells.values()
        missing = (column for column, place in cells.items() if place is None and is_printed(template, name, column))
        flags += [f"{UNGROUNDED}:{number}.{column}" for column in missing]
    return locator.to_evidence(bare, found, flags)


def _half(token: str, halves: Set[str], whole: Set[str]) -> str:
    """The broken-off word that the token begins with, if the rest of it is a word, too; else empty."""
    cuts = range(1, min(len(token), LONGEST_HALF))
    return next((token[:cut] for cut in cuts if token[:cut] in halves and token[cut:] in whole), "")


class Locator:
    """One page's look-ups; the page is indexed once, when first needed."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._index = PageIndex(page.words)

    def find_value(
        self, kind: str, value: str, hints: Sequence[int] = (), merge: Merge = "first", *, either_sign: bool = False
    ) -> Place | None:
        """The place of one value of a type: among the hinted words, else its first (``merge`` last: its last) on the page.

        ``either_sign``: a number may also be printed with a minus.
        """
        own = self._hinted(hints)
        for each in (value, f"-{value}") if either_sign else (value,):
            places = (own.find(kind, each) if own else []) or self._index.find(kind, each)
            if places:
                return places[-1 if merge == "last" else 0]
        return None

    def find_rows(
        self, rows: Sequence[Mapping[str, Json]], field: TemplateField, hints: Sequence[int] = (), reach: float = ROW_REACH
    ) -> Iterator[dict[str, Place | None]]:
        """Places of each row's cells: the rarest one finds the row on the page, the others are looked for beside it.

        ``reach`` is how many letter heights above or below it a cell may stand.
        """
        own = self._hinted(hints)
        floor = float("-inf")
        for row in rows:
            values = {c: str(v) for c, v in row.items() if c in field.columns and v not in (None, "")}
            kinds = {c: field.columns[c].type for c in values}
            places = {c: (own.find(kinds[c], v) if own else []) or self._index.find(kinds[c], v) for c, v in values.items()}
            anchor = self._anchor(places, floor)
            floor = self._middle(anchor) if anchor else floor
            yield {column: self._beside(anchor, options, reach) for column, options in places.items()}

    def ground_transcript(self, bare: Evidence, text: str) -> Evidence:
        """A whole page of text: its tokens are compared as sets, so that a long page costs no more than reading it.

        A token may also be two words of the page, the first of them broken off with a hyphen.
        """
        tokens = {token for token in map(fold, text.split()) if token}
        printed = [(word, fold(word.text)) for word in self.page.words]
        halves = {token for word, token in printed if token and word.text.rstrip()[-1:] in HYPHENS}
        whole = {token for _, token in printed}
        mended = {token: half for token in tokens - whole if (half := _half(token, halves, whole))}
        found = tokens & whole
        ends = {token[len(half) :] for token, half in mended.items()} | set(mended.values())
        words = [(word, token) for word, token in printed if token in found or token in ends]
        share = (len(found) + len(mended)) / len(tokens) if tokens else 0.0
        if share < TRANSCRIPT_SHARE:
            return replace(bare, flags=(*bare.flags, UNGROUNDED))
        return replace(bare, box=around(word.box for word, _ in words), grounding="exact" if share == 1 else "fuzzy")

    def to_evidence(self, bare: Evidence, found: Sequence[Place | None], flags: Sequence[str]) -> Evidence:
        """The claim with box and grounding: of several places the weakest grounding, and none only if nothing was found."""
        places = [place for place in found if place]
        bare = replace(bare, flags=tuple(dict.fromkeys((*bare.flags, *flags))))
        if not places:
            return bare
        words = [self.page.words[i] for i in dict.fromkeys(i for place in places for i in place.words)]
        weakest = max((place.grounding for place in places), key=_ORDER.__getitem__)
        printed = bare.printed if isinstance(bare.value, list) else _printed(bare.printed, words)
        legible = min(word.confidence for word in words)
        return replace(bare, printed=printed, box=around(word.box for word in words), grounding=weakest, legible=legible)

    def _hinted(self, hints: Sequence[int]) -> PageIndex | None:
        """An index of only the words that the engine says it took; indices out of range are dropped."""
        known = [i for i in dict.fromkeys(hints) if 0 <= i < len(self.page.words)]
        return PageIndex(self.page.words, known) if known else None

    def _anchor(self, places: Mapping[str, Sequence[Place]], floor: float) -> Place | None:
        """The place of the cell that stands in the fewest places, below the row before if it can be."""
        options = [p for p in places.values() if p]
        if not options:
            return None
        rarest = min(options, key=len)
        below = [place for place in rarest if self._middle(place) > floor]
        return (below or list(rarest))[0]

    def _beside(self, anchor: Place | None, options: Sequence[Place], reach: float) -> Place | None:
        if anchor is None or not options:
            return None
        nearest = min(options, key=lambda place: abs(self._middle(place) - self._middle(anchor)))
        return nearest if abs(self._middle(nearest) - self._middle(anchor)) <= reach * max(self._height(anchor), 1.0) else None

    def _middle(self, place: Place) -> float:
        box = self.page.words[place.words[0]].box
        return (box[1] + box[3]) / 2

    def _height(self, place: Place) -> float:
        box = self.page.words[place.words[0]].box
        return box[3] - box[1]


def _printed(claimed: str | None, words: Sequence[Word]) -> str:
    """The engine's wording if it stands whole in the words, else the words."""
    text = " ".join(word.text for word in words)
    if not claimed or not claimed.strip():
        return text
    letters = fold(claimed)
    whole = any(make_key([text]).occurrences(letters)) if letters else claimed.strip() in text
    return claimed if whole else text
