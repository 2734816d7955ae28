"""Chooses the values of the identifier fields of a template: numbers of documents and banks, VAT ids."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from pipeline.engines.embedded.fields.bank_identifiers import find_bics
from pipeline.engines.embedded.fields.candidates import Candidate, Candidates, bank_candidate
from pipeline.engines.embedded.fields.field_choice import scalars
from pipeline.engines.embedded.fields.identifier_runs import join_identifiers
from pipeline.engines.embedded.fields.labels import Label, cut_box
from pipeline.engines.embedded.fields.page_rows import Layout
from pipeline.engines.embedded.fields.scorer import Group, Scores
from pipeline.templates.template import Template
from pipeline.values.identifiers import is_country_prefix

CHECKSUM = "checksum"
"""Flag of a value whose check digits are wrong, as ``pipeline.checks`` has it for VAT ids."""
UNCLEAR_END = "unclear-end"
"""Flag of an identifier behind which words follow that may belong to it or not."""
_IBAN = re.compile(r"[A-Z]{2} ?[0-9]{2}(?![^\W\d_]{3})")
_WORD_BEFORE = re.compile(
    r"(?P<word>[^\W\d_]{1,8})(?:\s*[./:]+\s*|\s+)(?:[^\W\d_]{1,8}(?:\s*[./:]+\s*|\s+))?(?=[^\W_]*\d(?:\W*[^\W_]){5})"
)
"""A word in front of a number, parted from it by a blank or a mark, but no hyphen: "VRN 70215538"."""
_NUMBER_INSIDE = re.compile(r"\d\s+[^\W\d_]{2,}[#.:\s]*\d{3}|#")
_LONGEST_TAX_NUMBER = 20
"""Letters and digits of a tax number at most; the longest in use have 18."""
_UNLABELLED_SCORE = 0.5  # of the only IBAN of a page, where it has no label

Choice = tuple[Candidate, float, tuple[str, ...]]
"""A value, how strongly its labels speak for it (0 to 1), and its flags."""


@dataclass(frozen=True)
class IdentifierFields:
    """The identifier fields of a template on one page. ``ibans`` are those with "IBAN" in a label."""

    layout: Layout
    candidates: Candidates
    labels: list[Label]
    template: Template
    ibans: Container[str]

    def choose(
        self, groups: Sequence[Group], scores: Mapping[str, Scores], meanings: Mapping[tuple[int, int, int], str]
    ) -> dict[str, Choice]:
        """The value of each field that has one. A tax number takes no place of another identifier."""
        vats = [group for group in groups if self.template.fields[group.field].format == "vat"]
        plain = [group for group in groups if group not in vats]
        choices = _flagged(scalars(plain, scores, frozenset(), meanings))
        choices |= self._ibans([group.field for group in plain], choices)
        barred = {candidate.place for candidate, _, _ in choices.values()}
        barred |= {
            c.place for group in vats for c in group.candidates if isinstance(c, Candidate) and not _may_be_tax_number(c)
        }
        numbers = _flagged(scalars(vats, scores, frozenset(barred), meanings))
        return choices | {name: (self._without_word(found), score, flags) for name, (found, score, flags) in numbers.items()}

    @cached_property
    def pool(self) -> list[Candidate]:
        """All identifiers of the page, as long as they are printed."""
        found = self.candidates
        bics = [bank_candidate(self.layout, bic) for bic in find_bics(self.layout, self.labels)]
        parts = [self._trimmed(candidate) for candidate in found.identifiers]
        others = [*found.dates, *found.times, *found.vats, *found.numbers, *bics]
        return [*bics, *join_identifiers(self.layout, _without(parts, bics), self.labels, others)]

    def _ibans(self, fields: list[str], choices: Mapping[str, Choice]) -> dict[str, Choice]:
        """Fields labelled "IBAN": a value in the form of one gets a flag where its check digits are wrong; a lone one needs no label."""
        proven = {found.value: found for found in self.candidates.bank_identifiers if found.kind == "iban"}
        changed: dict[str, Choice] = {}
        for name in fields:
            if name not in self.ibans:
                continue
            if name not in choices and len(proven) == 1:
                changed[name] = (next(iter(proven.values())), _UNLABELLED_SCORE, ())
            elif name in choices and choices[name][0].value not in proven and _IBAN.match(choices[name][0].value):
                candidate, score, flags = choices[name]
                changed[name] = (candidate, score, (*flags, CHECKSUM))
        return changed

    def _without_word(self, candidate: Candidate) -> Candidate:
        """A tax number without a word before it: only the letters of a country belong to the number."""
        match = _WORD_BEFORE.match(candidate.value)
        start = candidate.run.text.find(candidate.value, candidate.start) if match else -1
        if match is None or start < 0 or is_country_prefix(match["word"]):
            return candidate
        start += match.end()
        value = candidate.value[match.end() :]
        words = candidate.run.span(start, candidate.end)
        box = cut_box(self.layout, candidate.run, start, candidate.end)
        return replace(candidate, start=start, value=value, box=box, words=words)

    def _trimmed(self, candidate: Candidate) -> Candidate:
        """The candidate without a label that is joined to the front of its value."""
        own = self._labels_of_run.get(candidate.run.number, ())
        ends = [o.end for o in own if candidate.start < o.end < candidate.end and candidate.run.text[o.end] not in "-/_"]
        if not ends or any(label.end <= candidate.start for label in own):
            return candidate
        value = candidate.run.text[max(ends) : candidate.end].lstrip("-:#._/ ")
        if not any(c.isdigit() for c in value):
            return candidate
        start = candidate.end - len(value)
        return replace(candidate, start=start, value=value, box=cut_box(self.layout, candidate.run, start, candidate.end))

    def near_buyer(self, candidate: Candidate) -> float:
        """1 when the last party label above the value is a buyer's."""
        row, left, near = candidate.run.row, candidate.run.box[0], 0.25 * self.layout.page.width
        above = next((o for o in reversed(self._parties) if o.row <= row and abs(o.box[0] - left) < near), None)
        role = self.template.fields[above.field].role if above else None
        return 1.0 if above and role == "buyer" and row - above.row < 10 else 0.0

    @cached_property
    def _parties(self) -> list[Label]:
        """The labels of the parties that have a role."""
        roles = {name for name, field in self.template.fields.items() if field.type == "party" and field.role}
        return [label for label in self.labels if label.field in roles]

    @cached_property
    def _labels_of_run(self) -> dict[int, list[Label]]:
        found: dict[int, list[Label]] = {}
        for label in self.labels:
            found.setdefault(label.run.number, []).append(label)
        return found


def _may_be_tax_number(candidate: Candidate) -> bool:
    """Whether a value is no longer than tax numbers are, and has no label of another number in it: "04471 TE# 29 TR# 118"."""
    letters_and_digits = sum(map(str.isalnum, candidate.value))
    return letters_and_digits <= _LONGEST_TAX_NUMBER and _NUMBER_INSIDE.search(candidate.value) is None


def _flagged(choices: Mapping[str, tuple[Candidate, float]]) -> dict[str, Choice]:
    """The choices, with a flag where the page does not say where the value ends."""
    return {
        name: (candidate, score, (UNCLEAR_END,) if candidate.unclear else ()) for name, (candidate, score) in choices.items()
    }


def _without(parts: list[Candidate], others: list[Candidate]) -> list[Candidate]:
    """The candidates that share no characters with others."""
    if not others:
        return parts
    return [part for part in parts if not any(o.run is part.run and o.start < part.end and o.end > part.start for o in others)]
