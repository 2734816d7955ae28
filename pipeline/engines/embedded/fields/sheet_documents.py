"""Finds several documents on one sheet: invoices printed two-up, receipts that were scanned together.

A sheet is cut along an empty strip, and both parts are read. They are two documents where each has its own total and number or date, and
these differ. A part that is none may be several documents: it is cut again. An empty strip between the words and the amounts of one
document parts it wrongly, so that of all cuts the one with the most documents is taken. A remittance slip repeats the number and the total
of its invoice, and is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from pipeline.engines.embedded.fields.page_rows import label_key
from pipeline.records import Box, Claim, Page, Word
from pipeline.templates.template import Template
from pipeline.values.boxes import bounding_box

MIN_STRIP = 1.5
"""Width of the empty strip between two documents, in letter heights, at least."""
MIN_SHARE = 0.15
"""Share of the words that each part has at least."""
MAX_CUTS = 6
"""Strips in one direction that are tried, the widest first."""
MAX_DEPTH = 3
"""Cuts one after the other: eight receipts on a sheet."""
MAX_PARTS = 60
"""Parts of a sheet that are read, at most; what is not cut by then stays one document."""
MIN_SCORE = 0.7
"""Score of a number, date, total or seller, at least; weaker ones may be anything on the page."""
SAME_WORDS = 0.9
"""Share of equal words from which on the parts are copies of one document."""
MARGIN = 20.0
Claims = Mapping[str, Claim]
ReadPart = Callable[[Page], Claims]


@dataclass(frozen=True, slots=True)
class Marks:
    """What a page has, before anything is read: boxes of the labels of the document's number and of totals, and of dates."""

    numbers: Sequence[Box]
    totals: Sequence[Box]
    dates: Sequence[Box]

    def allow(self, axis: int, at: float) -> bool:
        """Whether a cut at a place of an axis can leave a document on both sides. Most pages need no closer look."""

        def both(boxes: Sequence[Box]) -> bool:
            return any(box[axis] < at for box in boxes) and any(box[axis] >= at for box in boxes)

        if axis == 0 and both(self.numbers) and both(self.dates):  # a total may stand at a label of several words
            return True
        return both(self.totals) and both(self.dates) and (both(self.numbers) or axis == 0 or not self.numbers)


FindMarks = Callable[[Page], Marks]


@dataclass(frozen=True, slots=True)
class SheetPart:
    """A document on a sheet: its words as a page of its own, and where each of them stands in the words of the sheet."""

    page: Page
    words: tuple[int, ...]
    place: str = ""
    """Where on the sheet it is: ``left``, ``top-left``; "" for the only one."""

    def claims(self, read: ReadPart) -> dict[str, Claim]:
        """What is read of the part, with the words of the sheet."""
        if not self.place:
            return dict(read(self.page))
        return {
            name: replace(claim, words=tuple(self.words[word] for word in claim.words))
            for name, claim in read(self.page).items()
        }


def sheet_documents(page: Page, template: Template, find_marks: FindMarks, read: ReadPart) -> list[SheetPart]:
    """The documents on a page, left before right and upper before lower; one for an ordinary page.

    Of two copies of one document side by side only the left one is given.
    """
    keys = IdentifyingFields.of(template)
    whole = SheetPart(page, tuple(range(len(page.words))))
    return _Cutter(keys, find_marks, read).documents(whole, MAX_DEPTH) if keys.totals and keys.dates else [whole]


@dataclass(frozen=True, slots=True)
class IdentifyingFields:
    """The fields that tell one document from another."""

    number: str | None
    dates: tuple[str, ...]
    totals: tuple[str, ...]
    seller: str | None

    @classmethod
    def of(cls, template: Template) -> IdentifyingFields:
        """Those of a template."""
        fields = template.fields.items()
        numbers = [name for name, field in fields if field.type == "identifier" and not field.format and field.merge == "first"]
        sums = {check.equals for check in template.checks if check.equals}
        return cls(
            next(iter(numbers), None),
            tuple(name for name, field in fields if field.type == "date" and field.merge == "first")[:1],
            tuple(name for name, field in fields if name in sums and field.type == "money"),
            next((name for name, field in fields if field.type == "party" and field.role == "seller"), None),
        )

    def is_whole(self, claims: Claims) -> bool:
        """Whether a document has a total of its own for sure, and a number or a date."""
        return _has_total(claims, self) and bool(self.number_of(claims) or any(_is_sure(claims, name) for name in self.dates))

    def number_of(self, claims: Claims) -> str | None:
        """The number of a document, folded."""
        claim = claims.get(self.number or "")
        return label_key(str(claim.value)) if claim and claim.value and claim.score >= MIN_SCORE else None


class _Cutter:
    """Cuts a sheet into its documents."""

    def __init__(self, keys: IdentifyingFields, find_marks: FindMarks, read: ReadPart) -> None:
        self._keys, self._find_marks, self._read = keys, find_marks, read
        self._left = MAX_PARTS

    def documents(self, part: SheetPart, depth: int) -> list[SheetPart]:
        """The documents of a part, itself where it is one. ``depth`` is how often it may be cut."""
        best = [part]
        for first, second, beside in _cuts(part, self._find_marks(part.page)) if depth else ():
            self._left -= 2
            if self._left < 0:
                break
            smaller = min(first, second, key=lambda side: len(side.words))
            if not _names_total(self._read(smaller.page), self._keys):
                continue  # no cut between two documents; reading the other part, too, costs most
            a, b = self._read(first.page), self._read(second.page)
            sure = [_has_total(claims, self._keys) for claims in (a, b)]
            if all(sure) and beside and _are_copies(first.page, second.page):
                return self.documents(first, depth - 1)
            if all(sure) and _differ(a, b, self._keys, beside=beside):
                found = [*self.documents(first, depth - 1), *self.documents(second, depth - 1)]
            elif any(sure) and all(_names_total(claims, self._keys) for claims in (a, b)):
                found = self._several(first, second, depth - 1, beside=beside)
            else:
                continue
            best = found if len(found) > len(best) else best
        return best

    def _several(self, first: SheetPart, second: SheetPart, depth: int, *, beside: bool) -> list[SheetPart]:
        """The documents on both sides of a cut where one side has several of them, which are not read as one; else none."""
        before, after = self.documents(first, depth), self.documents(second, depth)
        if len(before) == len(after) == 1:
            return []
        a, b = self._read(before[-1].page), self._read(after[0].page)
        whole = _has_total(a, self._keys) and _has_total(b, self._keys)
        return [*before, *after] if whole and _differ(a, b, self._keys, beside=beside) else []


def _has_total(claims: Claims, keys: IdentifyingFields) -> bool:
    return any(_is_sure(claims, name) for name in keys.totals)


def _names_total(claims: Claims, keys: IdentifyingFields) -> bool:
    """Whether a total was read, however unsure."""
    return any(name in claims and claims[name].value is not None for name in keys.totals)


def _differ(a: Claims, b: Claims, keys: IdentifyingFields, *, beside: bool) -> bool:
    """Whether two parts are two documents. Without numbers the seller, the date and the total of each must be known."""
    numbers = keys.number_of(a), keys.number_of(b)
    other_total = not any(_same(a, b, name) for name in keys.totals) and _amounts(a, keys).isdisjoint(_amounts(b, keys))
    other_date = _known(a, b, keys.dates) and not any(_same(a, b, name) for name in keys.dates)
    if all(numbers):
        return (
            numbers[0] != numbers[1] and _known(a, b, keys.dates) and (other_total or other_date or _other_seller(a, b, keys))
        )
    whole = _known(a, b, keys.dates) and _known(a, b, (keys.seller,) if keys.seller else ())
    return whole and other_total and (beside or other_date)


def _other_seller(a: Claims, b: Claims, keys: IdentifyingFields) -> bool:
    """Whether both parts name a seller, and neither name is a part of the other."""
    if not keys.seller or not _known(a, b, (keys.seller,)):
        return False
    mine, other = (label_key(str(claims[keys.seller].value)) for claims in (a, b))
    return mine not in other and other not in mine


def _known(a: Claims, b: Claims, names: Sequence[str]) -> bool:
    return bool(names) and all(any(_is_sure(claims, name) for name in names) for claims in (a, b))


def _is_sure(claims: Claims, name: str) -> bool:
    return name in claims and claims[name].value is not None and claims[name].score >= MIN_SCORE


def _same(a: Claims, b: Claims, name: str) -> bool:
    return name in a and name in b and a[name].value is not None and a[name].value == b[name].value


def _amounts(claims: Claims, keys: IdentifyingFields) -> set[str]:
    """The totals of a part, by whatever name: the summary at the head of an invoice names the total at its end by another one."""
    found = {str(claims[name].value) for name in keys.totals if _is_sure(claims, name)}
    return {amount for amount in found if amount.strip("0.")}


def _are_copies(a: Page, b: Page) -> bool:
    mine, other = (Counter(word.text for word in page.words) for page in (a, b))
    return 2 * (mine & other).total() >= SAME_WORDS * (mine.total() + other.total())


def _cuts(part: SheetPart, marks: Marks) -> Iterator[tuple[SheetPart, SheetPart, bool]]:
    """Both sides of each empty strip, and whether they lie beside each other. Wide strips first."""
    words = part.page.words
    if len(words) < 2 / MIN_SHARE:
        return
    least = MIN_STRIP * median(word.box[3] - word.box[1] for word in words)
    for axis, names in ((0, ("left", "right")), (1, ("top", "bottom"))):
        for at in [strip for strip in _strips(words, axis, least) if marks.allow(axis, strip)][:MAX_CUTS]:
            before = [n for n, word in enumerate(words) if word.box[axis] < at]
            after = [n for n, word in enumerate(words) if word.box[axis] >= at]
            if min(len(before), len(after)) >= MIN_SHARE * len(words):
                yield _part(part, before, names[0]), _part(part, after, names[1]), axis == 0


def _strips(words: Sequence[Word], axis: int, least: float) -> list[float]:
    """The middles of strips without any word along an axis, the widest first."""
    strips, end = [], float("inf")
    for word in sorted(words, key=lambda word: word.box[axis]):
        if word.box[axis] - end >= least:
            strips.append((word.box[axis] - end, (word.box[axis] + end) / 2))
        end = word.box[axis + 2] if end == float("inf") else max(end, word.box[axis + 2])
    return [at for _, at in sorted(strips, reverse=True)]


def _part(whole: SheetPart, chosen: Sequence[int], name: str) -> SheetPart:
    words = [whole.page.words[n] for n in chosen]
    x0, y0, x1, y1 = bounding_box(word.box for word in words)
    left, top = x0 - MARGIN, y0 - MARGIN
    moved = tuple(
        replace(word, box=(word.box[0] - left, word.box[1] - top, word.box[2] - left, word.box[3] - top)) for word in words
    )
    page = replace(whole.page, words=moved, width=x1 - x0 + 2 * MARGIN, height=y1 - y0 + 2 * MARGIN)
    return SheetPart(page, tuple(whole.words[n] for n in chosen), f"{whole.place}-{name}".lstrip("-"))
