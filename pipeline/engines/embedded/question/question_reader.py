"""The answer to a question from one page: a value that a built-in template reads, a cell of a table, what stands beside a label,
or the line that matches best. What matches nothing is None: the page is never made to say something.

An answer is what is printed, in its words. Names of templates' fields are not known here, their types and labels are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import cache, cached_property

from pipeline.engines.base import Request
from pipeline.engines.embedded.classify import classify
from pipeline.engines.embedded.fields.candidates import Candidate, Candidates
from pipeline.engines.embedded.fields.field_reader import read_fields
from pipeline.engines.embedded.fields.page_rows import Layout, Run, lay_out
from pipeline.engines.embedded.question.question_parser import Asked, Kind, alike, plain, understood
from pipeline.records import Claim
from pipeline.settings import configs_folder
from pipeline.templates.ask import MAX_CHARACTERS
from pipeline.templates.load import load_template
from pipeline.templates.model import Template, TemplateField

NEAREST = "nearest"
"""Flag of an answer that is no value but the line with most of the question's words."""
SURE = 0.8
"""Quality of an amount that is written like one."""
ENOUGH = 0.6
"""Share of the question's words that what is printed must have."""
_CHINESE = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_SENTENCE = re.compile(r"[^\W\d_]{4,}[.!?]$")
LONGEST_LABEL = 5
"""Words of a label that no colon ends."""
_PERCENT = re.compile(r"\d+(?:[.,]\d+)?\s?%")
_TYPES: Mapping[Kind, tuple[str, ...]] = {
    "date": ("date", "time"),
    "money": ("money",),
    "number": ("number",),
    "party": ("party",),
    "percent": (),
    "place": (),
}
_MOST = frozenset(plain("highest most largest biggest maximum max peak top höchste höchsten größte meisten meiste maximal plus élevé "
    "maximale mayor máximo más alto massimo maggiore più hoogste grootste meeste najwyższa największa"))  # fmt: skip
_LEAST = frozenset(plain("lowest least smallest minimum min fewest niedrigste niedrigsten kleinste wenigsten wenigste minimal moins bas "
    "minimale menor mínimo bajo minimo minore laagste kleinste minste najniższa najmniejsza"))  # fmt: skip
_SIDES: tuple[tuple[str, frozenset[str]], ...] = (
    ("seller", frozenset(plain("seller vendor supplier issuer sender sent sends issued sold sells shop store merchant verkäufer aussteller "
        "absender geschickt laden händler vendeur fournisseur émetteur magasin vendedor proveedor tienda venditore negozio verkoper winkel "
        "sprzedawca sklep"))),
    ("buyer", frozenset(plain("buyer customer client recipient bought buys pays addressed käufer kunde empfänger bekommt acheteur client "
        "comprador cliente acquirente koper klant nabywca klient"))),
)  # fmt: skip
"""What people call the two sides of a sale, where labels say it otherwise."""


def read_question(request: Request) -> dict[str, Claim]:
    """A claim for the field ``answer`` of a template made of a question."""
    template, page = request.template, request.page
    if not any(word.text.strip() for word in page.words):
        return {"answer": Claim(None)}
    question = template.description
    if _CHINESE.search(question):  # words without blanks between them: by labels alone
        return read_fields(page, template)
    asked = understood(question)
    if not asked.words:  # "And where?": what the question before it was about
        labels = [label for of in template.fields["answer"].labels.values() for label in of]
        asked = Asked(plain(labels[0]) if labels else (), asked.kinds)
    if not asked.words:
        return {"answer": Claim(None)}
    return {"answer": _Page(request, asked, frozenset(plain(question))).answer()}


class _Page:
    """One page before one question."""

    def __init__(self, request: Request, asked: Asked, words: frozenset[str]) -> None:
        self._asked, self._words = asked, words
        self._request = request
        self._layout: Layout = lay_out(request.page)
        self._candidates = Candidates(self._layout)

    def answer(self) -> Claim:
        kind = classify(self._request.page, self._request.image)
        ways = [self._beside, self._cell, self._line]
        if kind in ("invoice", "receipt"):
            ways.insert(0, lambda: self._field(_built_in(kind)))
        if kind == "chart" and self._request.image:
            ways.insert(0, self._chart)
        return next((claim for way in ways if (claim := way()) is not None), Claim(None))

    # ---- what templates read ------------------------------------------------------------------------

    def _field(self, template: Template) -> Claim | None:
        """The field of a template whose labels are what the question is about."""
        claims = read_fields(self._request.page, template)
        fits = [(fit, name) for name, field in template.fields.items() if (fit := self._fit(name, field))]
        for _, name in sorted(fits, key=lambda pair: -pair[0]):
            claim = claims[name]
            if claim.value is not None and template.fields[name].type != "table":
                as_read = template.fields[name].type in ("currency", "identifier")
                return _claim(str(claim.value) if as_read else claim.printed or str(claim.value), claim.words, self._layout)
        return None

    def _fit(self, name: str, field: TemplateField) -> float:
        """How well a field answers: letters of its best label that the question has, when nothing that matters is left over."""
        kinds = self._asked.kinds
        if "place" in kinds:
            side = next((side for side, words in _SIDES if words & self._words), "seller")
            return 1.0 if field.format == "address" and field.role == side else 0.0
        if kinds and not any(field.type in _TYPES[kind] for kind in kinds):
            return 0.0
        if field.type == "party" and (side := next((side for side, words in _SIDES if words & self._words), "")):
            return 100.0 if field.role == side else 0.0
        best = 0.0
        for label in [name.replace("_", " "), *(label for of in field.labels.values() for label in of)]:
            words = plain(label)
            own = sum(len(word) for word in words if any(alike(word, other) for other in self._words))
            whole = sum(map(len, words))
            if own >= ENOUGH * whole and self._asked.covered(words) >= ENOUGH:
                best = max(best, own * own / whole)
        return best

    def _chart(self) -> Claim | None:
        """A reading of a chart: the row that is named, the highest, the lowest, or a title."""
        from pipeline.engines.embedded.chart.chart_claims import read_chart

        template, image = _built_in("chart"), self._request.image
        if image is None:
            return None
        claims = read_chart(self._request.page, image, template)
        table = next((claims[name] for name, field in template.fields.items() if field.type == "table"), None)
        rows = [row for row in (table.value if table else None) or [] if row.get("value") is not None]
        named = [row for row in rows if self._names(row)]
        extreme = max if _MOST & self._words else min if _LEAST & self._words else None
        if rows and extreme and not named:
            found = extreme(rows, key=lambda row: _number(row["value"]))
            wants_value = self._asked.kinds or any(
                word in ("value", "wert", "valeur", "valor", "valore") for word in self._words
            )
            return self._printed(found["value"] if wants_value else found["category"] or found["value"])
        if named:
            told = [
                f"{row['series']}: {row['value']}" if row.get("series") and len(named) > 1 else row["value"]
                for row in named[:8]
            ]
            return self._printed("; ".join(map(str, told)))
        for name, field in template.fields.items():
            if field.type == "text" and not isinstance(claims[name].value, list) and set(plain(name)) & set(self._asked.words):
                claim = claims[name]
                return _claim(claim.printed or claim.value, claim.words, self._layout) if claim.value else None
        return None

    def _names(self, row: Mapping[str, object]) -> bool:
        """Whether the question names a row, by all words of its category and, where it names one of them, its series."""
        category, series = plain(str(row.get("category") or "")), plain(str(row.get("series") or ""))
        here = [any(alike(word, other, short=True) for other in self._words) for word in category]
        return bool(here) and all(here) and (not series or not self._names_a_series or self._has(series))

    @cached_property
    def _names_a_series(self) -> bool:
        return any(self._has(plain(run.text)) for run in self._layout.runs if len(run.words) <= 3 and not run.text.isdigit())

    def _has(self, words: Sequence[str]) -> bool:
        return bool(words) and all(any(alike(word, other) for other in self._words) for word in words)

    def _printed(self, value: object) -> Claim:
        """A value that was measured or read off a table; where it is printed, grounding finds it."""
        return Claim(str(value), score=0.5)

    # ---- labels and lines ---------------------------------------------------------------------------

    def _beside(self) -> Claim | None:
        """What stands right of a label or below it, of the kind that is asked for."""
        labels = []
        for run in self._layout.runs:
            words = plain(run.text.partition(":")[0])
            fit = self._asked.covered(words)
            if words and _is_label(run.text) and fit >= ENOUGH and self._mine(words) >= ENOUGH:
                labels.append((-fit, -self._mine(words), run.number, run))
        for *_, run in sorted(labels, key=lambda label: label[:3]):
            for words_, text in self._values(run):
                if (found := self._of_kind(words_, text)) is not None:
                    return found
        return None

    def _mine(self, words: Sequence[str]) -> float:
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
        if len(right) == 1 or (right and not self._asked.kinds - {"party", "place"}):  # several are a table's row
            yield right[0].words, right[0].text
        for below in self._layout.chain(label, 1, 1):
            yield below.words, below.text

    def _of_kind(self, words: tuple[int, ...], text: str) -> Claim | None:
        """The words where they are what is asked for; the part of them that is, where only a part is."""
        kinds = self._asked.kinds
        if not kinds - {"party", "place"}:
            return _claim(text, words, self._layout)
        if "percent" in kinds:
            return _claim(text, words, self._layout) if _PERCENT.search(text) else None
        for candidate in self._typed(kinds):
            if set(candidate.words) <= set(words):
                return _claim(candidate.printed, candidate.words, self._layout)
        return None

    def _typed(self, kinds: Iterable[Kind]) -> list[Candidate]:
        found = [one for kind in kinds for name in _TYPES[kind] for one in self._candidates.of(name)]
        sure = [one for one in found if one.quality >= SURE]
        return sure if sure and "number" not in kinds else found

    def _cell(self) -> Claim | None:
        """The value in the row that the question names: below the heading that it names, else of the kind that it asks for."""
        rows = [(self._asked.covered(self._row_words(row)), number) for number, row in enumerate(self._layout.rows)]
        best = max((fit for fit, _ in rows), default=0.0)
        for fit, number in rows:
            if fit < max(ENOUGH / 2, best) or fit == 0.0:
                continue
            row = self._layout.rows[number]
            names = [run for run in row if self._asked.covered(plain(run.text)) > 0]
            cells = [run for run in row if run not in names]
            if fit >= ENOUGH and cells and self._asked.kinds - {"party", "place"}:
                if heading := self._under(number, cells):
                    return _claim(heading.text, heading.words, self._layout)
                inside = {word for run in cells for word in run.words}
                found = [one for one in self._typed(self._asked.kinds - {"percent"}) if set(one.words) <= inside]
                if "percent" in self._asked.kinds and (share := self._share(row)):
                    return share
                if found:
                    wanted = found[-1] if "money" in self._asked.kinds else found[0]
                    return _claim(wanted.printed, wanted.words, self._layout)
        return None

    def _share(self, row: Sequence[Run]) -> Claim | None:
        for run in row:
            if match := _PERCENT.search(run.text):
                return _claim(match[0], run.span(*match.span()), self._layout)
        return None

    def _row_words(self, row: Sequence[Run]) -> tuple[str, ...]:
        return tuple(word for run in row for word in plain(run.text))

    def _under(self, number: int, cells: Sequence[Run]) -> Run | None:
        """The cell of a row that stands below a heading of which the question has a word."""
        for above in self._layout.rows[:number][::-1]:
            for run in above:
                if any(alike(word, other) for word in plain(run.text) for other in self._words if len(other) > 3):
                    under = [cell for cell in cells if min(cell.box[2], run.box[2]) > max(cell.box[0], run.box[0])]
                    if len(under) == 1 and any(letter.isdigit() for letter in under[0].text):
                        return under[0]
        return None

    def _line(self) -> Claim | None:
        """The printed line that has most of what the question is about, with the one before or after it where a sentence goes on."""
        best: tuple[float, int, tuple[int, ...]] | None = None
        for row in self._layout.rows:
            for run in row:
                fit = self._asked.covered(plain(run.text))
                if fit >= ENOUGH and (best is None or fit > best[0]):
                    best = (fit, run.row, run.words)
        if best is None or self._only_a_label(best[2]):
            return None
        text = self._layout.text(best[2])
        return _claim(text[:MAX_CHARACTERS], best[2], self._layout, (NEAREST,))

    def _only_a_label(self, words: Sequence[int]) -> bool:
        """Whether a line says nothing beyond the question's own words."""
        told = plain(self._layout.text(words))
        return all(any(alike(word, other) for other in self._words) for word in told)


def _claim(text: str, words: tuple[int, ...], layout: Layout, flags: tuple[str, ...] = ()) -> Claim:
    return Claim(text, layout.text(words) if words else text, words, 0.5, flags)


def _is_label(text: str) -> bool:
    """Whether a run may stand for what is beside it: it has a colon, or is short and no sentence."""
    return ":" in text or (len(text.split()) <= LONGEST_LABEL and not _SENTENCE.search(text))


def _number(value: object) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)


@cache
def _built_in(name: str) -> Template:
    return load_template(configs_folder() / "templates" / f"{name}.yaml")
