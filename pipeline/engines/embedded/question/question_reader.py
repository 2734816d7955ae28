"""The answer to a question from one page: a value that a built-in template reads, a cell of a table, what stands beside a label,
or the line that matches best. The answer is None where nothing matches.

An answer is printed text of the page, word for word. This module knows the types and labels of templates' fields, not their names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import cached_property, lru_cache

from pipeline.engines.base import Request
from pipeline.engines.embedded.classify import classify
from pipeline.engines.embedded.fields.candidates import Candidate, Candidates
from pipeline.engines.embedded.fields.field_reader import read_fields
from pipeline.engines.embedded.fields.page_rows import Layout, Run, lay_out
from pipeline.engines.embedded.logical_page import logical_page
from pipeline.engines.embedded.question.question_parser import (
    Kind,
    Question,
    alike,
    parse_question,
    plain_words,
    question_words,
)
from pipeline.languages import Languages, active
from pipeline.records import Claim
from pipeline.settings import configs_folder
from pipeline.templates.load import load_template
from pipeline.templates.question_template import MAX_CHARACTERS, NEAREST
from pipeline.templates.template import Template, TemplateField

SURE = 0.8
"""Quality from which an amount counts as one."""
ENOUGH = 0.6
"""Share of the question's letters that printed text must cover to be an answer."""
_CHINESE = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_SENTENCE = re.compile(r"[^\W\d_]{4,}[.!?]$")
LONGEST_LABEL = 5
"""Words of a label without a colon, at most."""
_PERCENT = re.compile(r"\d+(?:[.,]\d+)?\s?%")
_TYPES: Mapping[Kind, tuple[str, ...]] = {
    "date": ("date", "time"),
    "money": ("money",),
    "number": ("number",),
    "party": ("party",),
    "percent": (),
    "place": (),
}


def read_question(request: Request) -> dict[str, Claim]:
    """A claim for the field ``answer`` of a template made of a question."""
    template, page = request.template, request.page
    if not any(word.text.strip() for word in page.words):
        return {"answer": Claim(None)}
    question = template.description
    if _CHINESE.search(question):  # no blanks part its words: only labels can be compared
        return read_fields(page, template)
    parsed = parse_question(question)
    if not parsed.words:  # "And where?": the subject is that of the previous question
        labels = [label for listed in template.fields["answer"].labels.values() for label in listed]
        parsed = Question(plain_words(labels[0]) if labels else (), parsed.kinds)
    if not parsed.words:
        return {"answer": Claim(None)}
    return {"answer": _QuestionReader(request, parsed, frozenset(plain_words(question))).answer()}


class _QuestionReader:
    """Looks for the answer to one question on one page."""

    def __init__(self, request: Request, question: Question, words: frozenset[str]) -> None:
        self._question, self._words = question, words
        self._request = request
        self._layout: Layout = lay_out(logical_page(request.page))
        self._candidates = Candidates(self._layout)

    def answer(self) -> Claim:
        kind = classify(self._request.page, self._request.local_image)
        ways = [self._beside, self._cell, self._line]
        if kind in ("invoice", "receipt"):
            ways.insert(0, lambda: self._field(_built_in(kind)))
        if kind == "chart" and self._request.local_image:
            ways.insert(0, self._chart)
        return next((claim for way in ways if (claim := way()) is not None), Claim(None))

    # ---- values of built-in templates ---------------------------------------------------------------

    def _field(self, template: Template) -> Claim | None:
        """The value of the field whose labels fit the question best."""
        claims = read_fields(self._request.page, template)
        fits = [(fit, name) for name, field in template.fields.items() if (fit := self._fit(name, field))]
        for _, name in sorted(fits, key=lambda pair: -pair[0]):
            claim = claims[name]
            if claim.value is not None and template.fields[name].type != "table":
                as_read = template.fields[name].type in ("currency", "identifier")
                return _claim(str(claim.value) if as_read else claim.printed or str(claim.value), claim.words, self._layout)
        return None

    def _fit(self, name: str, field: TemplateField) -> float:
        """How well a field fits the question: by the letters of its best label, where the label covers the question; else 0."""
        kinds = self._question.kinds
        role = next((role for role, words in question_words().sides if words & self._words), "")
        if "place" in kinds:
            side = role or "seller"
            return 1.0 if field.format == "address" and field.role == side else 0.0
        if kinds and not any(field.type in _TYPES[kind] for kind in kinds):
            return 0.0
        if field.type == "party" and role:
            return 100.0 if field.role == role else 0.0
        best = 0.0
        for label in [name.replace("_", " "), *(label for listed in field.labels.values() for label in listed)]:
            words = plain_words(label)
            own = sum(len(word) for word in words if any(alike(word, other) for other in self._words))
            whole = sum(map(len, words))
            if own >= ENOUGH * whole and self._question.coverage(words) >= ENOUGH:
                best = max(best, own * own / whole)
        return best

    def _chart(self) -> Claim | None:
        """A value of a chart: of the row that the question names, the highest, the lowest, or a title."""
        from pipeline.engines.embedded.chart.chart_claims import read_chart

        template, image = _built_in("chart"), self._request.local_image
        if image is None:
            return None
        claims = read_chart(self._request.page, image, template)
        table = next((claims[name] for name, field in template.fields.items() if field.type == "table"), None)
        rows = [row for row in (table.value if table else None) or [] if row.get("value") is not None]
        named = [row for row in rows if self._names(row)]
        vocabulary = question_words()
        extreme = max if vocabulary.highest & self._words else min if vocabulary.lowest & self._words else None
        if rows and extreme and not named:
            row = extreme(rows, key=lambda row: _number(row["value"]))
            asks_for_value = self._question.kinds or vocabulary.value & self._words
            return _measured(row["value"] if asks_for_value else row["category"] or row["value"])
        if named:
            values = [
                f"{row['series']}: {row['value']}" if row.get("series") and len(named) > 1 else row["value"]
                for row in named[:8]
            ]
            return _measured("; ".join(map(str, values)))
        for name, field in template.fields.items():
            if (
                field.type == "text"
                and not isinstance(claims[name].value, list)
                and set(plain_words(name)) & set(self._question.words)
            ):
                claim = claims[name]
                return _claim(claim.printed or claim.value, claim.words, self._layout) if claim.value else None
        return None

    def _names(self, row: Mapping[str, object]) -> bool:
        """Whether the question names a row: all words of its category and, if the question names any series, the row's series."""
        category, series = plain_words(str(row.get("category") or "")), plain_words(str(row.get("series") or ""))
        named = [any(alike(word, other, abbreviated=True) for other in self._words) for word in category]
        return bool(named) and all(named) and (not series or not self._names_a_series or self._has(series))

    @cached_property
    def _names_a_series(self) -> bool:
        return any(
            self._has(plain_words(run.text)) for run in self._layout.runs if len(run.words) <= 3 and not run.text.isdigit()
        )

    def _has(self, words: Sequence[str]) -> bool:
        return bool(words) and all(any(alike(word, other) for other in self._words) for word in words)

    # ---- labels and lines ---------------------------------------------------------------------------

    def _beside(self) -> Claim | None:
        """What stands right of a label or below it, of a kind that answers the question."""
        labels = []
        for run in self._layout.runs:
            words = plain_words(run.text.partition(":")[0])
            fit = self._question.coverage(words)
            if words and _is_label(run.text) and fit >= ENOUGH and self._share_in_question(words) >= ENOUGH:
                labels.append((-fit, -self._share_in_question(words), run.number, run))
        for *_, run in sorted(labels, key=lambda label: label[:3]):
            for value_words, text in self._values(run):
                if (claim := self._of_kind(value_words, text)) is not None:
                    return claim
        return None

    def _share_in_question(self, words: Sequence[str]) -> float:
        """Share of a label's letters that the question has."""
        return sum(len(word) for word in words if any(alike(word, other) for other in self._words)) / max(
            1, sum(map(len, words))
        )

    def _values(self, label: Run) -> Iterator[tuple[tuple[int, ...], str]]:
        """What may belong to a label: behind its colon, right of it, below it."""
        before, colon, behind = label.text.partition(":")
        if colon and behind.strip():
            words = label.span(len(before) + 1 + len(behind) - len(behind.lstrip()), len(label.text))
            yield words, behind.strip()
        right = [run for run in self._layout.rows[label.row] if run.box[0] >= label.box[2]]
        if len(right) == 1 or (right and not self._question.kinds - {"party", "place"}):  # several are a table's row
            yield right[0].words, right[0].text
        for below in self._layout.chain(label, 1, 1):
            yield below.words, below.text

    def _of_kind(self, words: tuple[int, ...], text: str) -> Claim | None:
        """The part of the words that is of a kind that answers the question; all of them where any kind does."""
        kinds = self._question.kinds
        if not kinds - {"party", "place"}:
            return _claim(text, words, self._layout)
        if "percent" in kinds:
            return _claim(text, words, self._layout) if _PERCENT.search(text) else None
        for candidate in self._typed(kinds):
            if set(candidate.words) <= set(words):
                return _claim(candidate.printed, candidate.words, self._layout)
        return None

    def _typed(self, kinds: Iterable[Kind]) -> list[Candidate]:
        candidates = [candidate for kind in kinds for name in _TYPES[kind] for candidate in self._candidates.of(name)]
        sure = [candidate for candidate in candidates if candidate.quality >= SURE]
        return sure if sure and "number" not in kinds else candidates

    def _cell(self) -> Claim | None:
        """The value in the row that the question names: below the heading that it names, else of a kind that answers it."""
        rows = [(self._question.coverage(self._row_words(row)), number) for number, row in enumerate(self._layout.rows)]
        best = max((fit for fit, _ in rows), default=0.0)
        for fit, number in rows:
            if fit < max(ENOUGH / 2, best) or fit == 0.0:
                continue
            row = self._layout.rows[number]
            names = [run for run in row if self._question.coverage(plain_words(run.text)) > 0]
            cells = [run for run in row if run not in names]
            if fit >= ENOUGH and cells and self._question.kinds - {"party", "place"}:
                if heading := self._under(number, cells):
                    return _claim(heading.text, heading.words, self._layout)
                inside = {word for run in cells for word in run.words}
                typed = self._typed(self._question.kinds - {"percent"})
                candidates = [candidate for candidate in typed if set(candidate.words) <= inside]
                if "percent" in self._question.kinds and (percentage := self._percentage(row)):
                    return percentage
                if candidates:
                    best_cell = candidates[-1] if "money" in self._question.kinds else candidates[0]
                    return _claim(best_cell.printed, best_cell.words, self._layout)
        return None

    def _percentage(self, row: Sequence[Run]) -> Claim | None:
        for run in row:
            if match := _PERCENT.search(run.text):
                return _claim(match[0], run.span(*match.span()), self._layout)
        return None

    def _row_words(self, row: Sequence[Run]) -> tuple[str, ...]:
        return tuple(word for run in row for word in plain_words(run.text))

    def _under(self, number: int, cells: Sequence[Run]) -> Run | None:
        """The cell of a row that stands below a heading that shares a word with the question."""
        for above in self._layout.rows[:number][::-1]:
            for run in above:
                if any(alike(word, other) for word in plain_words(run.text) for other in self._words if len(other) > 3):
                    under = [cell for cell in cells if min(cell.box[2], run.box[2]) > max(cell.box[0], run.box[0])]
                    if len(under) == 1 and any(letter.isdigit() for letter in under[0].text):
                        return under[0]
        return None

    def _line(self) -> Claim | None:
        """The printed run of words that covers most of the question's subject."""
        best: tuple[float, int, tuple[int, ...]] | None = None
        for row in self._layout.rows:
            for run in row:
                fit = self._question.coverage(plain_words(run.text))
                if fit >= ENOUGH and (best is None or fit > best[0]):
                    best = (fit, run.row, run.words)
        if best is None or self._only_a_label(best[2]):
            return None
        text = self._layout.text(best[2])
        return _claim(text[:MAX_CHARACTERS], best[2], self._layout, (NEAREST,))

    def _only_a_label(self, words: Sequence[int]) -> bool:
        """Whether a line says nothing beyond the question's own words."""
        printed = plain_words(self._layout.text(words))
        return all(any(alike(word, other) for other in self._words) for word in printed)


def _measured(value: object) -> Claim:
    """A value that was measured in a chart. Grounding finds it where it is printed."""
    return Claim(str(value), score=0.5)


def _claim(text: str, words: tuple[int, ...], layout: Layout, flags: tuple[str, ...] = ()) -> Claim:
    return Claim(text, layout.text(words) if words else text, words, 0.5, flags)


def _is_label(text: str) -> bool:
    """Whether a run may be the label of what is beside it: it has a colon, or is short and no sentence."""
    return ":" in text or (len(text.split()) <= LONGEST_LABEL and not _SENTENCE.search(text))


def _number(value: object) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)


def _built_in(name: str) -> Template:
    return _loaded(name, active())


@lru_cache(maxsize=8)
def _loaded(name: str, languages: Languages) -> Template:
    del languages  # the template's labels come from them
    return load_template(configs_folder() / "templates" / f"{name}.yaml")
