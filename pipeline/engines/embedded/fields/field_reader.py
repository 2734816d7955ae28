"""Reads all fields of a template from one page: tables, amounts, dates, identifiers, currency, parties, texts, in this order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

from pipeline.engines.embedded.fields import field_choice
from pipeline.engines.embedded.fields.addresses import find_address
from pipeline.engines.embedded.fields.addresses.line_features import AddressLines, address_lines
from pipeline.engines.embedded.fields.amount_selection import choose_amounts
from pipeline.engines.embedded.fields.candidates import Candidate, Candidates
from pipeline.engines.embedded.fields.claim_signals import UNREADABLE, ClaimSignals
from pipeline.engines.embedded.fields.converted_amounts import converted_amounts
from pipeline.engines.embedded.fields.date_context import is_own_date, payment_dates
from pipeline.engines.embedded.fields.details import MainReading, main_template, read_details
from pipeline.engines.embedded.fields.identifier_fields import IdentifierFields
from pipeline.engines.embedded.fields.item_tables import ItemTable
from pipeline.engines.embedded.fields.items.cell_features import TablePage
from pipeline.engines.embedded.fields.items.item_table import read_item_table, table_page
from pipeline.engines.embedded.fields.label_index import LabelIndex, label_index
from pipeline.engines.embedded.fields.label_relations import PageLabels
from pipeline.engines.embedded.fields.labels import OTHER, Label, find_labels
from pipeline.engines.embedded.fields.leaf_candidates import LABELLED_KINDS, LeafCandidates
from pipeline.engines.embedded.fields.lesson_labels import labelled_template, shifts
from pipeline.engines.embedded.fields.page_rows import Layout, Run, lay_out
from pipeline.engines.embedded.fields.parties import Parties
from pipeline.engines.embedded.fields.payment_labels import turn_payment_labels
from pipeline.engines.embedded.fields.previous_balances import amounts_of_earlier_bills
from pipeline.engines.embedded.fields.scalar_fields import (
    Choices,
    answer_beside,
    choice_on_page,
    choices_by_text,
    choose_scalars,
    text_beside,
    unlabelled,
)
from pipeline.engines.embedded.fields.scorer import Group, PageFields, Scores, groups, owed_amounts, score
from pipeline.engines.embedded.fields.scorer.last_layer import NO_SHIFTS, Shifts, shifted
from pipeline.engines.embedded.fields.sheet_documents import IdentifyingFields, Marks, SheetPart, sheet_documents
from pipeline.engines.embedded.fields.sheet_signs import shows_several
from pipeline.engines.embedded.fields.table_headings import Headings
from pipeline.engines.embedded.fields.tax_rates import amounts_by_rate, rate_cells
from pipeline.engines.embedded.fields.vocabulary import Vocabulary, vocabulary
from pipeline.engines.embedded.logical_page import as_printed, logical_page
from pipeline.records import Claim, Lesson, Page
from pipeline.templates.template import Template, TemplateField

SEVERAL_DOCUMENTS = "several-documents"
"""Flag ``several-documents:left`` of values on a page with several documents: they are those of the left one. Without a place: the page,
or that part of it, shows signs of further documents."""
MAIN_LABEL = 0.5
"""Share of its text that a label explains where it is more than a word in a sentence."""
PLAIN_LABEL = 0.6
"""Score from which a label says plainly what a value is."""
_IMPROBABLE = 0.02
"""Probability below which an amount without a plain label is no value, whatever sums it fits."""
Place = tuple[int, int, int]


@dataclass(frozen=True)
class _TemplateWords:
    """The words of a template, folded once."""

    template: Template
    vocabulary: Vocabulary
    labels: LabelIndex
    headings: dict[str, Headings]
    choices: dict[str, Choices]
    ibans: frozenset[str]
    """Fields with "IBAN" in a label."""


_TEMPLATE_WORDS: dict[int, _TemplateWords] = {}


def read_fields(page: Page, template: Template, lesson: Lesson | None = None) -> dict[str, Claim]:
    """A claim for every field of the template, with value None where the page does not say.

    It uses types, roles, labels, formats and checks, never the name of a field. ``lesson`` adds labels and shifts scores.
    """
    return read_documents(page, template, lesson)[0]


def read_documents(page: Page, template: Template, lesson: Lesson | None = None) -> list[dict[str, Claim]]:
    """As ``read_fields``, for each of the documents on a page: receipts that were scanned together, invoices printed two-up.

    Only the first one where a further one lacks a total, or both number and date: it may be a part of the first.
    """
    if not any(word.text.strip() for word in page.words):
        return [dict.fromkeys(template.fields, UNREADABLE)]
    template = labelled_template(template, lesson) if lesson else template
    logical = logical_page(page)
    main = main_template(template)
    documents, readers = _documents(logical, main, shifts(lesson) if lesson else {})
    all_claims = []
    for document in documents:
        claims = {**readers.absences(document.page), **document.claims(readers.read)}
        if main is not template:
            claims |= document.claims(lambda part: readers.details(part, template))
        flags = [f"{SEVERAL_DOCUMENTS}:{document.place}"] if len(documents) > 1 else []
        if shows_several(document.page, readers.marks(document.page)):
            flags.append(SEVERAL_DOCUMENTS)
        if flags:
            claims = {
                name: claim if claim.value is None else replace(claim, flags=(*claim.flags, *flags))
                for name, claim in claims.items()
            }
        if logical is not page:
            claims = as_printed(claims, template.fields, page)
        empty = {name: Claim(value=None) for name in template.fields}
        all_claims.append({**empty, **{name: _listed(claim, template.fields[name]) for name, claim in claims.items()}})
    keys = IdentifyingFields.of(main)
    return all_claims if all(map(keys.is_whole, all_claims)) else all_claims[:1]


def count_documents(page: Page, template: Template) -> int:
    """How many documents a page shows, as far as the fields of a template tell them apart; 1 for an ordinary page."""
    return len(_documents(logical_page(page), main_template(template))[0])


def _documents(page: Page, template: Template, shifts: Shifts = NO_SHIFTS) -> tuple[list[SheetPart], _PartReaders]:
    readers = _PartReaders(template, shifts)
    return sheet_documents(page, template, readers.marks, readers.read), readers


class _PartReaders:
    """Reads a page and the parts of it, each once."""

    def __init__(self, template: Template, shifts: Shifts) -> None:
        self._template, self._fields, self._shifts = template, IdentifyingFields.of(template), shifts
        self._readers: dict[int, _FieldReader] = {}

    def _reader(self, page: Page) -> _FieldReader:
        """The reader of a page. It keeps the page alive, so that the page's id stays its own."""
        if id(page) not in self._readers:
            self._readers[id(page)] = _FieldReader(page, self._template, self._shifts)
        return self._readers[id(page)]

    def marks(self, page: Page) -> Marks:
        """Where the page has labels and dates that tell documents apart."""
        return self._reader(page).marks(self._fields)

    def read(self, page: Page) -> Mapping[str, Claim]:
        """The claims of all fields that have a value."""
        return self._reader(page).read()

    def details(self, page: Page, template: Template) -> Mapping[str, Claim]:
        """The claims of the details of a template whose main fields this reads."""
        return self._reader(page).details(template)

    def absences(self, page: Page) -> Mapping[str, Claim]:
        """The claims of all fields that have none."""
        return self._reader(page).absences()


def table_pages(page: Page, template: Template) -> Iterator[TablePage]:
    """The page as the search for rows of each table of the template sees it; what that search is fitted on."""
    reader = _FieldReader(logical_page(page), main_template(template))
    yield from reader.table_pages().values()


def addresses(page: Page, template: Template) -> Iterator[tuple[str, AddressLines]]:
    """The lines near the parties of a page, for each field with an address; what the choice of addresses is fitted on."""
    template = main_template(template)
    reader = _FieldReader(logical_page(page), template)
    if reader.layout.runs:
        reader.find_parties()
        for name, field in template.fields.items():
            if field.format == "address" and field.role:
                yield name, reader.address_lines(name)


def candidate_groups(page: Page, template: Template) -> list[Group]:
    """The candidates of each field that the scorer chooses from, with their features; what it is fitted on."""
    reader = _FieldReader(logical_page(page), main_template(template))
    reader.find_tables()
    return groups(reader.page_fields())


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
        ibans = frozenset(name for label, names in labels.meanings.items() if "iban" in label for name in names)
        words = _TEMPLATE_WORDS[id(template)] = _TemplateWords(template, vocabulary(), labels, headings, choices, ibans)
    return words


class _FieldReader:
    """Reads one page field by field."""

    def __init__(self, page: Page, template: Template, shifts: Shifts = NO_SHIFTS) -> None:
        self.template, self.shifts = template, shifts
        self.words = _template_words(template)
        self.layout: Layout = lay_out(page)
        self.candidates = Candidates(self.layout)
        self.labels: list[Label] = turn_payment_labels(find_labels(self.layout, self.words.labels), template)
        self.page_labels = PageLabels(self.layout, self.labels, template)
        self.leaves = LeafCandidates(self.layout, self.candidates, self.labels)
        self.claims: dict[str, Claim] = {}
        self.tables: dict[str, ItemTable] = {}
        self.identifiers = IdentifierFields(self.layout, self.candidates, self.labels, template, self.words.ibans)
        self._is_scored = False
        self.groups: list[Group] = []
        self.scores: Mapping[str, Scores] = {}
        self._party_runs: dict[str, Run] = {}
        self.signals: ClaimSignals | None = None

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
        if self.signals is not None:
            return self.claims
        self._score()
        self._amounts()
        self._dates()
        for kind in LABELLED_KINDS:
            self._others(kind)
        self._identifiers()
        self._currencies()
        self.find_parties()
        self._texts()
        order, proven = self.candidates.order, self.candidates.proven_order is not None
        self.signals = ClaimSignals(self.layout, self.template, self.labels, self.groups, self.scores, order, proven)
        self.claims = {
            name: replace(claim, signals={**self.signals.of(name, claim), **claim.signals})
            for name, claim in self.claims.items()
        }
        return self.claims

    def details(self, template: Template) -> dict[str, Claim]:
        """The claims of the details that have a value, and of tables that get more cells; ``template`` is the one with details."""
        choices = _template_words(template).choices
        return read_details(template, MainReading(self.layout, self.candidates, self.read(), self.tables, choices))

    def _score(self) -> None:
        """Finds the tables, and the probabilities of all candidates."""
        if self._is_scored:
            return
        self._is_scored = True
        self.find_tables()
        self.groups = groups(self.page_fields())
        self.scores = shifted(score(self.groups), self.groups, self.shifts)

    def absences(self) -> dict[str, Claim]:
        """The claims of all fields that have no value, with the probability that the page has none."""
        claims = self.read()
        return {name: self.signals.absence(name) for name in self.template.fields if name not in claims} if self.signals else {}

    def page_fields(self) -> PageFields:
        """What the scorer is told of the page."""
        identifiers = self.identifiers.pool
        words = {word for table in self.tables.values() for word in table.words}
        return PageFields(
            layout=self.layout,
            template=self.template,
            candidates=self.candidates,
            labels=self.labels,
            page_labels=self.page_labels,
            label_keys=self.words.labels.by_field(self.layout.languages),
            identifiers=identifiers,
            near_buyer={c.place: self.identifiers.near_buyer(c) for c in [*identifiers, *self.candidates.vats]},
            table_words=frozenset(words),
            table_end=max((table.last for table in self.tables.values() if table.rows), default=-1),
            table_sums=frozenset(map(float, self._column_sums().values())),
            parties=self._party_names(words),
        )

    def _party_names(self, table_words: set[int]) -> Parties | None:
        roles = {name: field.role for name, field in self.template.fields.items() if field.type == "party" and field.role}
        busy = {c.run.number for c in self.candidates.money if c.quality >= 0.8}
        busy |= {c.run.number for c in self.candidates.dates}
        busy |= {run.number for run in self.layout.runs if table_words.intersection(run.words)}
        cuts = {c.run.number: c.start for c in self.candidates.vats}
        headings = list(self.words.headings.values())
        return Parties(self.layout, self.labels, roles, busy, cuts, headings) if roles else None

    def _groups(self, family: str) -> list[Group]:
        return [group for group in self.groups if group.family == family]

    def fields(self, *kinds: str) -> dict[str, TemplateField]:
        """The template's fields of some types."""
        return {name: field for name, field in self.template.fields.items() if field.type in kinds}

    def _claim(self, name: str, candidate: Candidate, score: float, flags: tuple[str, ...] = ()) -> None:
        value = [candidate.value] if self.template.fields[name].many else candidate.value
        self.claims[name] = Claim(value, candidate.printed, candidate.words, round(max(0.0, min(1.0, score)), 3), flags)

    def _meanings(self, kind: str, candidates: list[Candidate]) -> dict[Place, str]:
        """What plain labels say that values are: a field of the template, or another value."""
        plain = self.page_labels.of(kind).plain(candidates, PLAIN_LABEL)
        return {place: max(names, key=lambda n: names[n]) for place, names in plain.items() if names}

    def table_pages(self) -> dict[str, TablePage]:
        """The page as the search for the rows of each table sees it."""
        money = self.fields("money")
        totals = [label for label in self.labels if label.field in money or label.field in (OTHER + "money", OTHER + "paid")]
        return {
            name: table_page(self.layout, self.candidates, field.columns, self.words.headings[name], totals, self.labels)
            for name, field in self.fields("table").items()
        }

    def find_tables(self) -> None:
        """Finds the rows of the template's tables, and claims them."""
        for name, page in self.table_pages().items():
            table = read_item_table(page, self.template.fields[name].columns)
            self.tables[name] = table
            if table.rows:
                words = tuple(dict.fromkeys(table.words))
                score = round(min(1.0, 0.4 + table.score / 2), 3)
                likely = [{column: round(p, 3) for column, p in row.items()} for row in table.likely]
                cells = likely if len(likely) == len(table.rows) else []
                self.claims[name] = Claim(table.rows, self.layout.text(words), words, score, cells=cells)

    def _amounts(self) -> None:
        groups = self._groups("amount")
        if not groups:
            return
        of_one_rate = self._amounts_of_one_rate() | self._converted
        totals = [candidate for candidate in self.candidates.money if candidate.place not in of_one_rate]
        meanings = self._meanings("money", totals)
        of_one_rate |= {candidate.place for candidate in amounts_by_rate(self.candidates.numbers, meanings)}
        totals = [candidate for candidate in totals if candidate.place not in of_one_rate]
        options, likely = field_choice.amount_options(groups, self.scores, self._amount_facts(of_one_rate, meanings))
        earlier = amounts_of_earlier_bills(options, totals, meanings, self.template.checks)
        options = {name: [o for o in pool if o.candidate.place not in earlier] for name, pool in options.items()}
        totals = [candidate for candidate in totals if candidate.place not in earlier]
        for name, option in choose_amounts(options, totals, meanings, self.template.checks, self._column_sums()).items():
            probability = likely[name].get(option.candidate.value, 0.0)
            if probability >= _IMPROBABLE:
                self._claim(name, option.candidate, probability)

    @cached_property
    def _converted(self) -> frozenset[Place]:
        texts = (run.text for run in self.layout.runs)
        return frozenset(candidate.place for candidate in converted_amounts(self.candidates.numbers, texts))

    def _amounts_of_one_rate(self) -> frozenset[Place]:
        """Amounts in a summary by tax rate, and the same amounts in rows of goods: neither is a total of the document."""
        cells = rate_cells(self.candidates.numbers)
        values = {cell.value for cell in cells}
        goods = {word for table in self.tables.values() for word in table.words}
        in_rows = [c for c in self.candidates.money if c.value in values and goods.issuperset(c.words)]
        return frozenset(cell.place for cell in [*cells, *in_rows])

    def _amount_facts(self, barred: frozenset[Place], meanings: Mapping[Place, str]) -> field_choice.AmountFacts:
        money = self.candidates.money
        sound = {c.value for c in money if c.quality >= 0.8}
        paid, change = (
            {Decimal(c.value) for c in money if c.quality >= 0.8 and meanings.get(c.place) == OTHER + kind}
            for kind in ("paid", "change")
        )
        results = [check.equals for check in self.template.checks if check.equals]
        return field_choice.AmountFacts(
            barred=barred,
            unconfirmed=frozenset(c.place for c in money if c.repaired and c.value not in sound),
            meanings=meanings,
            owed=frozenset(owed_amounts(paid, change)) - {Decimal(0)},
            deductions=frozenset(name for check in self.template.checks for name in check.subtracted),
            sums=frozenset(results[:1]),
        )

    def _column_sums(self) -> dict[str, Decimal]:
        """The sum of each money column of the tables."""
        sums: dict[str, Decimal] = {}
        for name, table in self.tables.items():
            for column, spec in self.template.fields[name].columns.items():
                values = [row[column] for row in table.rows if row.get(column) is not None]
                if spec.type == "money" and values:
                    sums[f"{name}.{column}"] = sum((Decimal(value) for value in values), Decimal(0))
        return sums

    def _dates(self) -> None:
        groups = self._groups("date")
        own = [label for label in self.labels if label.field in {group.field for group in groups}]
        barred = {date.place for date in self.candidates.dates if not is_own_date(self.layout, date, own)}
        barred |= {date.place for date in payment_dates(self.candidates.dates)[0]}
        for name, (candidate, probability) in field_choice.scalars(groups, self.scores, frozenset(barred)).items():
            self._claim(name, candidate, probability)

    def _others(self, kind: str) -> None:
        """Fields of a type that the scorer does not know: times and numbers."""
        fields = list(self.fields(kind))
        candidates = self.leaves.of(kind) if fields else []
        if not candidates:
            return
        scores = self.page_labels.of(kind).score(candidates, spread=False)
        for name, (candidate, power) in choose_scalars(fields, candidates, scores).items():
            self._claim(name, candidate, power)
        if fields[0] not in self.claims and kind == "time":
            used = {str(self.claims[name].value) for name in fields if name in self.claims}
            first = unlabelled(candidates, scores, used)
            if first is not None:
                self._claim(fields[0], first, 0.3)

    def _identifiers(self) -> None:
        meanings = self._meanings("identifier", [*self.identifiers.pool, *self.candidates.vats])
        chosen = self.identifiers.choose(self._groups("identifier"), self.scores, meanings)
        for name, (candidate, probability, flags) in chosen.items():
            self._claim(name, candidate, probability, flags)

    def _currencies(self) -> None:
        currency = self.candidates.currency(self._converted)
        if currency:
            for name in self.fields("currency"):
                self.claims[name] = Claim(currency.code, currency.printed, currency.words, currency.strength)

    def find_parties(self) -> None:
        """Claims the names of the parties."""
        self._score()
        for name, (party, probability) in field_choice.parties(self._groups("name"), self.scores).items():
            self.claims[name] = Claim(party.text, party.text, party.words, round(min(1.0, probability), 3))
            self._party_runs.setdefault(str(self.template.fields[name].role), party.run)

    def _texts(self) -> None:
        for name, field in self.fields("text", "enum", "party", "address", "boolean").items():
            if name in self.claims:
                continue
            if (field.format == "address" or field.type == "address") and field.role and self.layout.runs:
                self._address(name)
            elif field.type == "enum":
                self._add_claim(name, choice_on_page(self.layout, self.labels, name, field, self.words.choices.get(name, {})))
            elif field.type == "boolean":
                self._add_claim(name, answer_beside(self.layout, self.labels, name))
            elif not (field.type == "party" and field.role):
                self._add_claim(name, text_beside(self.layout, self.labels, name))

    def _add_claim(self, name: str, hit: tuple[str, tuple[int, ...], float] | None) -> None:
        if hit:
            self.claims[name] = Claim(hit[0], self.layout.text(hit[1]), hit[1], round(min(1.0, hit[2]), 3))

    def _address(self, name: str) -> None:
        address = find_address(self.address_lines(name), self.labels)
        if address:
            self.claims[name] = Claim(address.text, self.layout.text(address.words), address.words, round(address.likely, 3))

    def address_lines(self, name: str) -> AddressLines:
        """The lines that may be the address of the field ``name``, near the name of its party."""
        party = self._party_runs.get(str(self.template.fields[name].role), self.layout.runs[0])
        values = {c.run.number for c in [*self.candidates.dates, *self.candidates.vats]}
        values |= {c.run.number for c in self.candidates.money if c.quality >= 0.8}
        return address_lines(self.layout, party, self.labels, values, name)
