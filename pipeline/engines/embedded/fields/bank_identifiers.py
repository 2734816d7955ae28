"""Finds IBANs, creditor references and BICs by their grammar, however many words, cells or lines they are printed in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.engines.embedded.fields.labels import Label
from pipeline.engines.embedded.fields.page_rows import Layout, Run
from pipeline.values.identifiers import parse_bic, parse_creditor_reference, parse_iban

_GRAMMARS: dict[str, tuple[re.Pattern[str], Callable[[str], str | None]]] = {
    "iban": (re.compile(r"(?<![^\W_])[A-Z]{2}[ \u00a0]?[0-9]{2}(?=[^\w]{0,3}(?:[A-Z0-9]|$))"), parse_iban),
    "creditor_reference": (
        re.compile(r"(?<![^\W_])RF[ \u00a0]?[0-9]{2}(?=[^\w]{0,3}(?:[A-Z0-9]|$))"),
        parse_creditor_reference,
    ),
}
"""How a number begins, and what proves that it is whole."""
_INSIDE = re.compile(r"[A-Z0-9]+|[\s./–-]{1,3}", re.ASCII)
_BLANKS = re.compile(r"[\s./–-]{1,3}")
_BIC_LABEL = re.compile(r"bic|swift", re.IGNORECASE)
_BIC_WORDS = re.compile(r"[\W_]*((?:[A-Z0-9]{2,11}\s?){1,4})(?![^\W_])", re.ASCII)
_LONGEST = 60  # characters as printed; the longest IBAN has 34 letters and digits


@dataclass(frozen=True)
class Stretch:
    """Characters ``start`` to ``end`` of a run."""

    run: Run
    start: int
    end: int


@dataclass(frozen=True)
class BankIdentifier:
    """A proven number: its kind, its text with single blanks, and where it stands (in several runs where it was broken)."""

    kind: str
    text: str
    stretches: tuple[Stretch, ...]


def find_bank_identifiers(layout: Layout) -> list[BankIdentifier]:
    """All IBANs and creditor references of the page whose check digits are right, in reading order."""
    return [found for run in layout.runs if run.has_digit for found in _in_run(layout, run)]


def _in_run(layout: Layout, run: Run) -> Iterator[BankIdentifier]:
    at = 0
    for kind, (begins, parse) in _GRAMMARS.items():
        for match in begins.finditer(run.text):
            if match.start() < at:
                continue
            for path in _paths(layout, run):
                if stretches := _longest(path, match.start(), parse):
                    text = " ".join(" ".join(part.run.text[part.start : part.end] for part in stretches).split())
                    at = stretches[0].end
                    yield BankIdentifier(kind, text, stretches)
                    break


def _paths(layout: Layout, run: Run) -> Iterator[list[Run]]:
    """Where the rest of a number may stand: in the run, in the next runs of the row (cells of a form), in the line below."""
    yield [run]
    right = [other for other in layout.rows[run.row] if other.box[0] > run.box[0]]
    if right:
        yield [run, *right]
    below = list(layout.chain(run, 1, 1))
    if below:
        yield [run, *below]


def _longest(path: list[Run], start: int, parse: Callable[[str], str | None]) -> tuple[Stretch, ...]:
    """The longest proven number that begins at ``start`` of the first run; it ends where a word ends. Empty where there is none."""
    printed = ""
    found: tuple[Stretch, ...] = ()
    stretches: list[Stretch] = []
    for run in path:
        begin = start if not stretches else 0
        at = begin
        while part := _INSIDE.match(run.text, at):
            if len(printed) + part.end() - begin > _LONGEST:
                return found
            at = part.end()
            here = Stretch(run, begin, at)
            if not _BLANKS.fullmatch(part[0]) and not run.text[at : at + 1].isalnum():
                text = f"{printed} {run.text[begin:at]}"
                if parse(text.strip()):
                    found = (*stretches, here)
        if at < len(run.text) and run.text[at:].strip():
            break
        printed = f"{printed} {run.text[begin:]}"
        stretches.append(Stretch(run, begin, len(run.text)))
    return found


def find_bics(layout: Layout, labels: Sequence[Label]) -> list[BankIdentifier]:
    """The BICs behind, beside or below a label of one. Elsewhere none is looked for: "DOCUMENT" has the form of a BIC."""
    found: dict[tuple[int, int], BankIdentifier] = {}
    for label in labels:
        if not _BIC_LABEL.search(label.run.text[label.start : label.end]):
            continue
        right = [run for run in layout.rows[label.row] if run.box[0] >= label.run.box[2]]
        below = [
            run for run in layout.runs if run.row == label.row + 1 and run.box[0] < label.box[2] and run.box[2] > label.box[0]
        ]
        for run, start in ((label.run, label.end), *((run, 0) for run in (*right[:1], *below))):
            ends = [other.start for other in labels if other.run is run and other.start >= start]
            if hit := _bic_at(run, start, min(ends, default=len(run.text))):
                found.setdefault((run.number, hit.stretches[0].start), hit)
                break
    return list(found.values())


def _bic_at(run: Run, start: int, stop: int) -> BankIdentifier | None:
    """The BIC with which a part of a run begins."""
    words = _BIC_WORDS.match(run.text, start, stop)
    ends = [word.end() + words.start(1) for word in re.finditer(r"\S+", words[1])] if words else []
    for end in reversed(ends):
        text = run.text[words.start(1) : end] if words else ""
        if parse_bic(text):
            return BankIdentifier("bic", text, (Stretch(run, end - len(text), end),))
    return None
