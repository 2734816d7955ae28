"""The candidates of each field of a template on one page, with their features: what the scorer is asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.embedded.fields.candidates import Candidate, Candidates
from pipeline.engines.embedded.fields.date_context import is_own_date, payment_dates
from pipeline.engines.embedded.fields.label_relations import RIVALS, PageLabels
from pipeline.engines.embedded.fields.labels import OTHER, Label
from pipeline.engines.embedded.fields.name_candidates import NameCandidate
from pipeline.engines.embedded.fields.page_rows import Layout
from pipeline.engines.embedded.fields.parties import Parties
from pipeline.engines.embedded.fields.scorer.field_structure import STRUCTURE, field_structure
from pipeline.engines.embedded.fields.scorer.label_features import LABEL_FEATURES, LabelContext
from pipeline.engines.embedded.fields.scorer.name_features import NAME_FEATURES, NameContext
from pipeline.engines.embedded.fields.scorer.nearby_texts import NearbyTexts
from pipeline.engines.embedded.fields.scorer.value_features import (
    AMOUNT_FEATURES,
    DATE_FEATURES,
    IDENTIFIER_FEATURES,
    PLACE_FEATURES,
    PageContext,
    amount_features,
    date_features,
    identifier_features,
    place_features,
)
from pipeline.engines.embedded.fields.tax_rates import rate_cells
from pipeline.templates.template import Template

Numbers = NDArray[np.float32]
FEATURES = {
    "amount": (*STRUCTURE, *LABEL_FEATURES, *PLACE_FEATURES, *AMOUNT_FEATURES),
    "date": (*STRUCTURE, *LABEL_FEATURES, *PLACE_FEATURES, *DATE_FEATURES),
    "identifier": (*STRUCTURE, *LABEL_FEATURES, *PLACE_FEATURES, *IDENTIFIER_FEATURES),
    "name": (*STRUCTURE, *NAME_FEATURES),
}
"""Names of the features by family of fields."""
MAX_PAYMENTS = 8
"""Payments and amounts of change of one page that prove what was owed, at most."""


@dataclass(frozen=True)
class Group:
    """The candidates of one field; ``features`` has one row for each, in the order of ``FEATURES[family]``."""

    family: str
    field: str
    candidates: Sequence[Candidate] | Sequence[NameCandidate]
    features: Numbers

    def labelled(self, meanings: Mapping[tuple[int, int, int], str]) -> set[str]:
        """The values to which some label of the field may belong, or no plain label of anything else; not for names."""
        strength = self.features[:, FEATURES[self.family].index("strength")]
        return {
            c.value
            for c, own in zip(self.candidates, strength, strict=True)
            if isinstance(c, Candidate) and (own > 0 or meanings.get(c.place, self.field) == self.field)
        }


@dataclass(frozen=True)
class PageFields:
    """What was found on a page before anything is chosen."""

    layout: Layout
    template: Template
    candidates: Candidates
    labels: Sequence[Label]
    page_labels: PageLabels
    label_keys: Mapping[str, Sequence[str]]
    """Folded labels of each field and of each kind of other value."""
    identifiers: Sequence[Candidate]
    """Identifiers without labels that are joined to them."""
    near_buyer: Mapping[tuple[int, int, int], float]
    table_words: frozenset[int]
    table_end: int
    table_sums: frozenset[float]
    parties: Parties | None

    @cached_property
    def nearby(self) -> NearbyTexts:
        """The words near its values."""
        return NearbyTexts(self.layout)


def groups(page: PageFields) -> list[Group]:
    """A group for each amount, date, identifier and party of the template, also where it has no candidates."""
    money = _label_context(page, "money", page.candidates.money, spread=True)
    context = _context(page, money)
    return [*_amounts(page, context, money), *_dates(page, context), *_identifiers(page, context), *_names(page)]


def owed_amounts(payments: set[Decimal], change: set[Decimal]) -> set[Decimal]:
    """Payments less change; none where there are so many that anything would be proven."""
    if len(payments) > MAX_PAYMENTS or len(change) > MAX_PAYMENTS:
        return set()
    return {a - b for a in payments for b in change or {Decimal(0)}}


def _context(page: PageFields, labels: LabelContext) -> PageContext:
    numbers = page.candidates.numbers
    percent = [c for c in numbers if c.kind == "percent"]
    scores = labels.scores
    payments, change = (
        {
            Decimal(c.value)
            for c in page.candidates.money
            if c.quality >= 0.8
            and scores[c.place]
            and max(scores[c.place], key=lambda name: scores[c.place][name]) == OTHER + kind
        }
        for kind in ("paid", "change")
    )
    return PageContext(
        layout=page.layout,
        table_words=page.table_words,
        table_end=page.table_end,
        table_sums=page.table_sums,
        rates=tuple(sorted({float(c.value) for c in percent if 0 < float(c.value) <= 40}))[:8],
        rate_cells=frozenset(cell.place for cell in rate_cells(numbers)),
        percent_rows=frozenset(c.run.row for c in percent),
        owed=frozenset(map(float, owed_amounts(payments, change))),
    )


def _label_context(page: PageFields, kind: str, candidates: Sequence[Candidate], *, spread: bool) -> LabelContext:
    names = [*_of_type(page, kind), *(name for name in page.label_keys if name in RIVALS[kind] and name.startswith(OTHER))]
    keys = {name: page.label_keys.get(name, ()) for name in names}
    return LabelContext(page.nearby, page.page_labels.of(kind), candidates, spread, keys)


def _with_structure(page: PageFields, field: str, *features: Numbers) -> Numbers:
    structure = np.array(field_structure(page.template, field), np.float32)
    return np.hstack([np.broadcast_to(structure, (len(features[0]), len(structure))), *features])


def _typed(
    page: PageFields, family: str, labels: LabelContext, candidates: Sequence[Candidate], own: Numbers, fields: Sequence[str]
) -> list[Group]:
    of_labels = labels.features(fields)
    return [Group(family, name, candidates, _with_structure(page, name, of_labels[name], own)) for name in fields]


def _of_type(page: PageFields, kind: str) -> list[str]:
    return [name for name, field in page.template.fields.items() if field.type == kind]


def _amounts(page: PageFields, context: PageContext, labels: LabelContext) -> list[Group]:
    money, fields = page.candidates.money, _of_type(page, "money")
    if not fields:
        return []
    own = np.hstack([place_features(context, money), amount_features(context, money)])
    return _typed(page, "amount", labels, money, own, fields)


def _dates(page: PageFields, context: PageContext) -> list[Group]:
    dates, fields = page.candidates.dates, _of_type(page, "date")
    if not fields:
        return []
    labels = [label for label in page.labels if label.field in fields]
    discounts, payments = (frozenset(c.place for c in found) for found in payment_dates(dates))
    plain = frozenset(c.place for c in dates if is_own_date(page.layout, c, labels))
    own = np.hstack([place_features(context, dates), date_features(dates, page.candidates.times, discounts, payments, plain)])
    return _typed(page, "date", _label_context(page, "date", dates, spread=False), dates, own, fields)


def _identifiers(page: PageFields, context: PageContext) -> list[Group]:
    fields = _of_type(page, "identifier")
    vats = [name for name in fields if page.template.fields[name].format == "vat"]
    plain = [name for name in fields if name not in vats]
    found: list[Group] = []
    pools = [(plain, list(page.identifiers))]
    taken_by_vat = {(c.run.number, c.start) for c in page.candidates.vats}
    seven = [
        c for c in page.identifiers if sum(d.isdigit() for d in c.value) >= 7 and (c.run.number, c.start) not in taken_by_vat
    ]
    pools.append((vats, [*page.candidates.vats, *seven]))
    taken = frozenset((c.run.number, c.start) for c in [*page.candidates.dates, *page.candidates.times, *page.candidates.vats])
    for names, pool in pools:
        if names:
            buyer = [page.near_buyer.get(c.place, 0.0) for c in pool]
            own = np.hstack([place_features(context, pool), identifier_features(pool, buyer, taken)])
            words = _label_context(page, "identifier", pool, spread=False)
            found += _typed(page, "identifier", words, pool, own, names)
    return found


def _names(page: PageFields) -> list[Group]:
    fields = [(name, field.role) for name, field in page.template.fields.items() if field.type == "party" and field.role]
    if page.parties is None or not fields:
        return []
    context = NameContext(page.layout, page.candidates, page.parties, page.table_words)
    names = page.parties.names
    others = [at for at, each in enumerate(names) if not page.parties.addressed(each)]
    found = []
    for name, role in fields:
        kept = others if role == "seller" else list(range(len(names)))
        found.append(Group("name", name, [names[at] for at in kept], _with_structure(page, name, context.features(role)[kept])))
    return found
