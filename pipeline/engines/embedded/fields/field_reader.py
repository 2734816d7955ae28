"""Reads all fields of a template from one page: tables, amounts, dates, identifiers, currency, parties, texts, in this order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from pipeline.engines.embedded.fields.addresses import address_below
from pipeline.engines.embedded.fields.amount_selection import AmountOption, choose_amounts
from pipeline.engines.embedded.fields.candidates import Candidate, Candidates
from pipeline.engines.embedded.fields.date_context import TERMS_SCORE, is_own_date, payment_dates
from pipeline.engines.embedded.fields.identifier_fields import IdentifierFields
from pipeline.engines.embedded.fields.item_tables import ItemTable, read_table
from pipeline.engines.embedded.fields.label_index import LabelIndex, label_index
from pipeline.engines.embedded.fields.label_relations import LabelScores
from pipeline.engines.embedded.fields.labels import OTHER, Label, find_labels
from pipeline.engines.embedded.fields.name_candidates import NameCandidate
from pipeline.engines.embedded.fields.page_rows import Layout, lay_out
from pipeline.engines.embedded.fields.parties import Parties
from pipeline.engines.embedded.fields.payment_labels import turn_payment_labels
from pipeline.engines.embedded.fields.previous_balances import amounts_of_earlier_bills
from pipeline.engines.embedded.fields.receipt_items import read_items
from pipeline.engines.embedded.fields.scalar_fields import (
    Choices,
    choice_on_page,
    choices_by_text,
    choose_scalars,
    strength,
    text_beside,
    unlabelled,
)
from pipeline.engines.embedded.fields.sheet_documents import IdentifyingFields, Marks, SheetPart, sheet_documents
from pipeline.engines.embedded.fields.table_headings import Headings
from pipeline.engines.embedded.fields.tax_rates import rate_cells
from pipeline.engines.embedded.fields.vocabulary import Vocabulary, vocabulary
from pipeline.records import Claim, Page
from pipeline.templates.template import Template, TemplateField

_ANY = ("money", "number", "date", "time", "identifier", "?money", "?paid", "?change", "?date", "?identifier")
SEVERAL_DOCUMENTS = "several-documents"
"""Flag ``several-documents:left`` of values on a page with several documents: they are those of the left one."""
MAIN_LABEL = 0.5
"""Share of its text that a label explains where it is more than a word in a sentence."""
UNCONFIRMED = 0.29
"""Strength of a repaired amount: too little by itself, enough where a sum needs the amount."""
PLAIN_LABEL = 0.6
"""Score from which a label says plainly what a value is."""
_RIVALS = {
    "money": ("money", "number", "?money", "?paid", "?change"),
    "number": ("number", "money", "?money", "?paid", "?change", "?identifier"),
    "date": ("date", "?date"),
    "time": ("time", "date", "?date"),
    "identifier": _ANY,
}
"""Which labels compete for values of a type."""


Place = tuple[int, int, int]


@dataclass(frozen=True)
class _TemplateWords:
    """The words of a template, folded once."""

    template: Template
    vocabulary: Vocabulary
    labels: LabelIndex
    headings: dict[str, Headings]
    choices: dict[str, Choices]


_TEMPLATE_WORDS: dict[int, _TemplateWords] = {}


def read_fields(page: Page, template: Template) -> dict[str, Claim]:
    """A claim for every field of the template, with value None where the page does not say.

    It uses types, roles, labels, formats and checks, never the name of a field.
    """
    empty = {name: Claim(value=None) for name in template.fields}
    if not any(word.text.strip() for word in page.words):
        return empty
    documents, readers = _documents(page, template)
    claims = documents[0].claims(readers.read)
    if len(documents) > 1:
        flag = f"{SEVERAL_DOCUMENTS}:{documents[0].place}"
        claims = {name: replace(claim, flags=(*claim.flags, flag)) for name, claim in claims.items()}
    return {**empty, **{name: _listed(claim, template.fields[name]) for name, claim in claims.items()}}


def count_documents(page: Page, template: Template) -> int:
    """How many documents a page shows, as far as the fields of a template tell them apart; 1 for an ordinary page."""
    return len(_documents(page, template)[0])


def _documents(page: Page, template: Template) -> tuple[list[SheetPart], _PartReaders]:
    readers = _PartReaders(template)
    return sheet_documents(page, template, readers.marks, readers.read), readers


class _PartReaders:
    """Reads a page and the parts of it, each once."""

    def __init__(self, template: Template) -> None:
        self._template, self._fields = template, IdentifyingFields.of(template)
        self._readers: dict[int, _FieldReader] = {}

    def _reader(self, page: Page) -> _FieldReader:
        """The reader of a page. It keeps the page alive, so that the page's id stays its own."""
        if id(page) not in self._readers:
            self._readers[id(page)] = _FieldReader(page, self._template)
        return self._readers[id(page)]

    def marks(self, page: Page) -> Marks:
        """Where the page has labels and dates that tell documents apart."""
        return self._reader(page).marks(self._fields)

    def read(self, page: Page) -> Mapping[str, Claim]:
        """The claims of all fields that have a value."""
        return self._reader(page).read()


def _listed(claim: Claim, field: TemplateField) -> Claim:
    """The claim with its value as a list where the field is declared ``many``."""
    single = field.many and claim.value is not None and not isinstance(claim.value, list)
    return replace(claim, value=[claim.value]) if single else claim


def _template_words(template: Template) -> _TemplateWords:
    words = _TEMPLATE_WORDS.get(id(template))
    if words is None or words.template is not template or words.vocabulary is not vocabulary():
        if len(_TEMPLATE_WORDS) > 32:
            _TEMPLATE_WORDS.clear()
        tables = {name: field.columns for name, field in template.fields.items() if field.type == "table"}
        labels = label_index(template)
        others = {
            label: frozenset(code for name, codes in fields.items() if name in template.fields for code in codes)
            for label, fields in labels.meanings.items()
            if fields.keys() & template.fields.keys()
        }
        headings = {name: Headings(columns, others) for name, columns in tables.items()}
        choices = {name: choices_by_text(field) for name, field in template.fields.items() if field.value_labels}
        words = _TEMPLATE_WORDS[id(template)] = _TemplateWords(template, vocabulary(), labels, headings, choices)
    return words


class _FieldReader:
    """Reads one page field by field."""

    def __init__(self, page: Page, template: Template) -> None:
        self.template = template
        self.words = _template_words(template)
        self.layout: Layout = lay_out(page)
        self.candidates = Candidates(self.layout)
        self.labels: list[Label] = turn_payment_labels(find_labels(self.layout, self.words.labels), template)
        self.claims: dict[str, Claim] = {}
        self.tables: dict[str, ItemTable] = {}

    def marks(self, fields: IdentifyingFields) -> Marks:
        """Where the labels of the document's number and of totals stand, and dates."""
        labels = [label for label in self.labels if label.cover >= MAIN_LABEL and not label.vague]
        return Marks(
            [label.box for label in labels if label.field == fields.number],
            [label.box for label in labels if label.field in fields.totals],
            [date.box for date in self.candidates.dates],
        )

    def read(self) -> dict[str, Claim]:
        """The claims of all fields that have a value."""
        if self.claims:
            return self.claims
        self._tables()
        self._amounts()
        for kind in ("date", "time", "number"):
            self._scalars(kind)
        self._identifiers()
        self._currencies()
        parties = self._parties()
        self._texts(parties)
        return self.claims

    def _fields(self, *kinds: str) -> dict[str, TemplateField]:
        return {name: field for name, field in self.template.fields.items() if field.type in kinds}

    def _claim(self, name: str, candidate: Candidate, score: float, flags: tuple[str, ...] = ()) -> None:
        value = [candidate.value] if self.template.fields[name].many else candidate.value
        self.claims[name] = Claim(value, candidate.printed, candidate.words, round(max(0.0, min(1.0, score)), 3), flags)

    def _label_scores(self, kind: str) -> LabelScores:
        """Scores of the labels that may stand beside values of a type. The label of an invoice number has none for amounts."""
        rivals = _RIVALS[kind]
        types = {name: field.type for name, field in self.template.fields.items()}
        return LabelScores(self.layout, [o for o in self.labels if types.get(o.field, o.field) in rivals])

    def _tables(self) -> None:
        money = self._fields("money")
        totals = [label for label in self.labels if label.field in money or label.field in (OTHER + "money", OTHER + "paid")]
        for name, field in self._fields("table").items():
            table = read_table(self.layout, self.candidates, field, self.words.headings[name], totals)
            if not table.rows:
                table = read_items(self.layout, self.candidates, field, totals)
            self.tables[name] = table
            if table.rows:
                words = tuple(dict.fromkeys(table.words))
                self.claims[name] = Claim(table.rows, self.layout.text(words), words, round(min(1.0, 0.4 + table.score / 2), 3))

    def _amounts(self) -> None:
        fields = list(self._fields("money"))
        if not fields:
            return
        money = self.candidates.money
        label_scores = self._label_scores("money")
        scores = label_scores.score(money, spread=True)
        inside = {word for table in self.tables.values() for word in table.words}
        sound = {c.value for c in money if c.quality >= 0.8}
        options: dict[str, list[AmountOption]] = {name: [] for name in fields}
        of_one_rate = {cell.place for cell in rate_cells(self.candidates.numbers)}
        for candidate in money:
            if candidate.place in of_one_rate:
                continue
            weight = 0.4 if set(candidate.words) & inside else 1.0
            for name in fields:
                power = strength(scores[candidate.place], name) * (0.4 + 0.6 * candidate.quality) * weight
                if candidate.repaired and candidate.value not in sound:
                    power = min(power, UNCONFIRMED)
                if power > 0.12:
                    options[name].append(AmountOption(candidate, power + self._prominence(name, candidate)))
        self._support_by_payment(options, scores)
        self._weaken_after_payment(options)
        totals = [candidate for candidate in money if candidate.place not in of_one_rate]
        meanings = label_scores.meanings(PLAIN_LABEL)
        earlier = amounts_of_earlier_bills(options, totals, meanings, self.template.checks)
        options = {name: [o for o in pool if o.candidate.place not in earlier] for name, pool in options.items()}
        totals = [candidate for candidate in totals if candidate.place not in earlier]
        for name, option in choose_amounts(options, totals, meanings, self.template.checks, self._column_sums()).items():
            self._claim(name, option.candidate, option.strength)

    def _prominence(self, name: str, candidate: Candidate) -> float:
        """The strength that large print, a late place (for fields that the last page decides) and repetition add."""
        depth = candidate.run.row / max(1, len(self.layout.rows))
        larger = min(1.0, max(0.0, candidate.run.size / self.layout.height - 1.0))
        most = max((abs(Decimal(c.value)) for c in self.candidates.money if c.quality >= 0.8), default=None)
        largest = 0.05 if abs(Decimal(candidate.value)) == most and self._is_sum(name) else 0.0
        again = sum(1 for c in self.candidates.money if c.value == candidate.value and c.quality >= 0.8) - 1
        return (
            (0.1 if self.template.fields[name].merge == "last" else 0.0) * depth
            + 0.05 * larger
            + 0.03 * min(3, again)
            + largest
        )

    def _is_sum(self, name: str) -> bool:
        """Whether a check calls the field a sum of others."""
        return any(check.equals == name for check in self.template.checks)

    def _support_by_payment(
        self, options: dict[str, list[AmountOption]], scores: Mapping[tuple[int, int, int], Mapping[str, float]]
    ) -> None:
        """Adds strength to the total that equals the payment less the change."""
        sums = [check.equals for check in self.template.checks if check.equals in options]
        payments, change = ({Decimal(c.value) for c in self._labelled(kind, scores)} for kind in ("paid", "change"))
        owed = {a - b for a in payments for b in change or {Decimal(0)}}
        for name in sums[:1]:
            for candidate in self.candidates.money if name else ():
                if (candidate.quality >= 0.8 or candidate.repaired) and Decimal(candidate.value) in owed:
                    option = next((o for o in options[str(name)] if o.candidate is candidate), None)
                    options[str(name)] = [o for o in options[str(name)] if o is not option]
                    options[str(name)].append(AmountOption(candidate, (option.strength if option else 0.25) + 0.3))

    def _weaken_after_payment(self, options: dict[str, list[AmountOption]]) -> None:
        """Takes strength from totals below the payment: summaries of the tax stand there."""
        rows = [o.row for o in self.labels if o.field in (OTHER + "paid", OTHER + "change") and o.cover >= 0.6]
        paid = [row for row in rows if any(c.run.row == row and c.quality >= 0.8 for c in self.candidates.money)]
        for name in {str(check.equals) for check in self.template.checks} & set(options) if paid else ():
            options[name] = [
                AmountOption(o.candidate, o.strength * (0.75 if o.candidate.run.row > max(paid) else 1.0))
                for o in options[name]
            ]

    def _labelled(self, kind: str, scores: Mapping[tuple[int, int, int], Mapping[str, float]]) -> list[Candidate]:
        """Amounts whose best label is one of other things of a kind."""
        money = [c for c in self.candidates.money if c.quality >= 0.8 and scores[c.place]]
        return [c for c in money if max(scores[c.place], key=lambda n: scores[c.place][n]) == OTHER + kind]

    def _column_sums(self) -> dict[str, Decimal]:
        """The sum of each money column of the tables."""
        sums: dict[str, Decimal] = {}
        for name, table in self.tables.items():
            for column, spec in self.template.fields[name].columns.items():
                values = [row[column] for row in table.rows if row.get(column) is not None]
                if spec.type == "money" and values:
                    sums[f"{name}.{column}"] = sum((Decimal(value) for value in values), Decimal(0))
        return sums

    def _scalars(self, kind: str) -> None:
        fields = list(self._fields(kind))
        candidates = self.candidates.of(kind)
        if kind == "date":
            own = [label for label in self.labels if label.field in fields]
            candidates = [date for date in candidates if is_own_date(self.layout, date, own)]
        if not fields or not candidates:
            return
        scores: Mapping[Place, Mapping[str, float]] = self._label_scores(kind).score(candidates, spread=False)
        if kind == "date":
            candidates, scores = self._without_discounts(candidates, scores)
        for name, (candidate, score) in choose_scalars(fields, candidates, scores).items():
            self._claim(name, candidate, score)
        if fields[0] not in self.claims and kind in ("date", "time"):
            used = {str(self.claims[name].value) for name in fields if name in self.claims}
            first = unlabelled(candidates, scores, used)
            if first is not None:
                self._claim(fields[0], first, 0.3)

    def _without_discounts(
        self, dates: list[Candidate], scores: Mapping[Place, Mapping[str, float]]
    ) -> tuple[list[Candidate], Mapping[Place, Mapping[str, float]]]:
        """The dates without those at which a discount ends; the time for payment behind such a date gets its score."""
        discounts, payments = payment_dates(dates)
        last = {check.order[-1] for check in self.template.checks if check.order}
        given = {payment.place: {**scores[payment.place], **dict.fromkeys(last, TERMS_SCORE)} for payment in payments}
        return [date for date in dates if date not in discounts], {**scores, **given}

    def _identifiers(self) -> None:
        values = {claim.value for claim in self.claims.values() if isinstance(claim.value, str)}
        reader = IdentifierFields(
            self.layout,
            self.candidates,
            self.labels,
            self.template,
            self.words.labels.meanings,
            self._label_scores("identifier"),
        )
        for name, (candidate, score, flags) in reader.read(values).items():
            self._claim(name, candidate, score, flags)

    def _currencies(self) -> None:
        currency = self.candidates.currency()
        if currency:
            for name in self._fields("currency"):
                self.claims[name] = Claim(currency[0], currency[2], currency[1], 0.8)

    def _parties(self) -> dict[str, tuple[NameCandidate, float]]:
        roles = {name: field.role for name, field in self.template.fields.items() if field.type == "party" and field.role}
        busy = {c.run.number for c in self.candidates.money if c.quality >= 0.8}
        busy |= {c.run.number for c in self.candidates.dates}
        cuts = {c.run.number: c.start for c in self.candidates.vats}
        busy |= {run.number for table in self.tables.values() for run in self.layout.runs if set(run.words) & set(table.words)}
        parties = Parties(self.layout, self.labels, dict(roles), busy, cuts).choose() if roles else {}
        for name, role in roles.items():
            if role in parties:
                party, score = parties[role]
                self.claims[name] = Claim(party.text, party.text, party.words, round(min(1.0, score), 3))
        return parties

    def _texts(self, parties: Mapping[str, tuple[NameCandidate, float]]) -> None:
        for name, field in self._fields("text", "enum", "party").items():
            if name in self.claims:
                continue
            if field.format == "address" and field.role and field.role in parties:
                self._address(name, parties[field.role][0])
            elif field.type == "enum":
                self._add_claim(name, choice_on_page(self.layout, self.labels, name, field, self.words.choices.get(name, {})))
            elif not (field.type == "party" and field.role):
                self._add_claim(name, text_beside(self.layout, self.labels, name))

    def _add_claim(self, name: str, hit: tuple[str, tuple[int, ...], float] | None) -> None:
        if hit:
            self.claims[name] = Claim(hit[0], self.layout.text(hit[1]), hit[1], round(min(1.0, hit[2]), 3))

    def _address(self, name: str, party: NameCandidate) -> None:
        stop = {c.run.number for c in [*self.candidates.dates, *self.candidates.vats]}
        stop |= {o.run.number for o in self.labels if o.cover > 0.4 and o.field not in (name, OTHER + "money", OTHER + "date")}
        runs = address_below(self.layout, party.run, stop)
        if runs:
            words = tuple(i for run in runs for i in run.words)
            text = ", ".join(run.text.strip(" ,") for run in runs)
            self.claims[name] = Claim(text, self.layout.text(words), words, 0.6)
