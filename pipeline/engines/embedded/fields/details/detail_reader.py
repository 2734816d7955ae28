"""Reads the details of a template from one page: by label and grammar, the surest first, never from words of the main fields.

The learned scorer does not know details, so that a template may have as many as it likes without any effect on its main fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

from pipeline.engines.embedded.fields.candidates import Candidate, Candidates
from pipeline.engines.embedded.fields.details.discounts import discount_candidates
from pipeline.engines.embedded.fields.details.item_columns import with_detail_columns
from pipeline.engines.embedded.fields.details.party_addresses import FoundAddress, PartyAddresses
from pipeline.engines.embedded.fields.details.tax_table import find_tax_rows, single_rate, tax_claim
from pipeline.engines.embedded.fields.identifier_runs import join_identifiers
from pipeline.engines.embedded.fields.item_tables import ItemTable
from pipeline.engines.embedded.fields.label_index import label_index
from pipeline.engines.embedded.fields.label_relations import PageLabels
from pipeline.engines.embedded.fields.labels import OTHER, Label, find_labels
from pipeline.engines.embedded.fields.leaf_candidates import LABELLED_KINDS, UNPROVEN, LeafCandidates
from pipeline.engines.embedded.fields.page_rows import Layout, label_key
from pipeline.engines.embedded.fields.scalar_fields import Choices, choose_scalars, printed_choice, text_beside
from pipeline.records import Claim, Json
from pipeline.templates.template import Template, TemplateField
from pipeline.values.identifiers import country_of_vat, is_valid_vat, parse_creditor_reference, parse_iban
from pipeline.values.number_formats import has_check_digits
from pipeline.values.postal import PostalAddress

CHECKSUM = "checksum"
DETAIL = "detail"
"""Signal of every detail."""
PLAIN = 0.6
"""Strength from which a label says plainly what an amount is."""
UNLABELLED = 0.5
"""Score of the only value of its kind on a page, which needs no label."""
DERIVED = 0.6
"""Score of a country that a tax number or post code states."""
_LONE_KINDS = ("iban", "mail", "url")
"""Types of which a page rarely prints more than one value that is not the seller's."""
MEANS, ACCOUNT, TRANSFER = "BT-81", "BT-84", "58"
"""Terms of the means of payment and of the account to pay to, and the code of a SEPA transfer (UNTDID 4461)."""
_BLOCK_ROWS = 6
_NO_FIELD = TemplateField(type="text")
_ADDRESS_PARTS = ("street", "post_code", "city", "country")
Place = tuple[int, int, int]


@dataclass(frozen=True)
class MainReading:
    """What is known of a page once its main fields are read."""

    layout: Layout
    candidates: Candidates
    claims: Mapping[str, Claim]
    tables: Mapping[str, ItemTable]
    choices: Mapping[str, Choices]
    """Folded names of the choices of each ``enum``."""


def read_details(template: Template, main: MainReading) -> dict[str, Claim]:
    """Claims of all details that have a value, and of tables whose rows get cells that are details."""
    return _DetailReader(template, main).read()


class _DetailReader:
    def __init__(self, template: Template, main: MainReading) -> None:
        self._template, self._main, self._layout = template, main, main.layout
        self._details = {name: field for name, field in template.fields.items() if field.detail}
        self._labels: list[Label] = find_labels(main.layout, label_index(template))
        self._label_fields = {label.field for label in self._labels}
        self._page_labels = PageLabels(main.layout, self._labels, template, details=True)
        self._leaves = LeafCandidates(main.layout, main.candidates, self._labels)
        self._used: set[int] = {
            word
            for name, claim in main.claims.items()
            if template.fields[name].type not in ("table", "currency", "enum", "text", "address")
            for word in claim.words
        }
        self._claims: dict[str, Claim] = {}

    def read(self) -> dict[str, Claim]:
        """See ``read_details``."""
        for kind in LABELLED_KINDS:
            self._labelled(kind)
        self._identifiers()
        self._labelled("date")
        self._periods()
        self._discounts()
        self._amounts()
        self._lone_values()
        self._buyer_numbers()
        self._addresses()
        self._tax_tables()
        self._texts()
        claims = {name: replace(claim, signals={**claim.signals, DETAIL: 1.0}) for name, claim in self._claims.items()}
        self._claims = {}
        self._item_columns()
        return claims | self._claims

    def _of(self, *kinds: str) -> dict[str, TemplateField]:
        """The details of some types that have no value yet, and that are no parts of other values."""
        return {
            name: field
            for name, field in self._details.items()
            if field.type in kinds and name not in self._claims and not field.part
        }

    def _with_label(self, *kinds: str) -> list[str]:
        """Those of ``_of`` that have a label on the page. Nothing is searched for the others: their values need a label."""
        return [name for name in self._of(*kinds) if name in self._label_fields]

    def _free(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        """The candidates none of whose words a main field has."""
        return [candidate for candidate in candidates if not self._used.intersection(candidate.words)]

    def _claim(
        self, name: str, candidate: Candidate, score: float, *, proof: bool = False, flags: tuple[str, ...] = ()
    ) -> None:
        field = self._details[name]
        value: Json = [candidate.value] if field.many else candidate.value
        signals = {"label": round(min(1.0, score), 3)} | ({"proof": 1.0} if proof else {})
        score = round(max(0.0, min(1.0, score)), 3)
        self._claims[name] = Claim(value, candidate.printed, candidate.words, score, flags, signals)

    # ---- values with a label

    def _labelled(self, kind: str) -> None:
        """Details of a type: each gets the value with its best label."""
        fields = [name for name in self._with_label(kind) if name not in self._discount_fields]
        candidates = self._free(self._leaves.of(kind)) if fields else []
        if not candidates:
            return
        scores = self._page_labels.of(kind).score(candidates, spread=False)
        for name, (candidate, power) in choose_scalars(fields, candidates, scores).items():
            self._take(name, candidate, power)

    def _take(self, name: str, candidate: Candidate, score: float) -> None:
        field = self._details[name]
        proof, flags = False, tuple[str, ...]()
        if field.type == "iban":
            proof = parse_iban(candidate.value) is not None
            flags = () if proof else (CHECKSUM,)
        elif field.format and field.format not in ("vat", "address"):
            proof = has_check_digits(field.format, candidate.value)
            flags = () if proof else (CHECKSUM,)
        elif candidate.kind == "creditor_reference" or parse_creditor_reference(candidate.value):
            proof = True
        if candidate.unclear:
            flags = (*flags, "unclear-end")
        self._claim(name, candidate, score, proof=proof, flags=flags)
        self._used.update(candidate.words)

    def _identifiers(self) -> None:
        """Numbers: those of a tax office apart, as their grammar is known."""
        found = self._main.candidates
        vats = [name for name in self._with_label("identifier") if self._details[name].format == "vat"]
        if vats and (pool := self._free(found.vats)):
            scores = self._page_labels.of("identifier").score(pool, spread=False)
            for name, (candidate, power) in choose_scalars(vats, pool, scores).items():
                self._take(name, candidate, power)
        plain = [name for name in self._with_label("identifier") if name not in vats]
        if not plain:
            return
        others = [*found.dates, *found.times, *found.vats, *found.numbers]
        pool = self._free(join_identifiers(self._layout, found.identifiers, self._labels, others))
        pool = [candidate for candidate in pool if candidate.quality >= 0.3]
        if pool:
            scores = self._page_labels.of("identifier").score(pool, spread=False)
            for name, (candidate, power) in choose_scalars(plain, pool, scores).items():
                self._take(name, candidate, power)

    def _periods(self) -> None:
        """First and last day of the period beside the labels of a date that is a part of one."""
        parts = {
            name: field
            for name, field in self._details.items()
            if field.part in ("start", "end") and name in self._label_fields
        }
        periods = self._free(self._leaves.of("period")) if parts else []
        if not periods:
            return
        scores = self._page_labels.of("period").score(periods, spread=False)
        chosen: dict[str, tuple[Candidate, float]] = {}
        for name in parts:
            best = max(periods, key=lambda period: scores[period.place].get(name, 0.0))
            strength = scores[best.place].get(name, 0.0)
            rival = max((s for other, s in scores[best.place].items() if other not in parts), default=0.0)
            if strength >= 0.33 and strength >= rival:
                chosen[name] = best, strength
        for name, (candidate, strength) in chosen.items():
            first, _, last = candidate.value.partition("/")
            value = first if parts[name].part == "start" else last
            self._claims[name] = Claim(
                value, candidate.printed, candidate.words, round(strength, 3), signals={"label": round(strength, 3)}
            )
            self._used.update(candidate.words)

    @cached_property
    def _discount_fields(self) -> set[str]:
        """Details that share labels with others of another type: percent, amount and last day of one discount."""
        fields = {
            name: field.labels
            for name, field in self._details.items()
            if field.labels and field.type in ("percentage", "money", "date") and not field.part
        }
        labels = list(fields.values())
        return {name for name, own in fields.items() if labels.count(own) > 1}

    def _discounts(self) -> None:
        names = self._discount_fields
        for kind in ("percentage", "money", "date"):
            for name in (name for name in names if self._details[name].type == kind):
                pool = self._free(self._main.candidates.dates if kind == "date" else self._main.candidates.numbers)
                found = discount_candidates(kind, pool, [label for label in self._labels if label.field == name])
                if found is not None:
                    self._claim(name, found, 0.7)

    def _amounts(self) -> None:
        """Amounts whose label says plainly what they are; of several the last one."""
        fields = [name for name in self._with_label("money") if name not in self._discount_fields]
        if not fields:
            return
        goods = {word for table in self._main.tables.values() for word in table.words}
        rows = {row for table in self._main.tables.values() if table.rows for row in range(table.first, table.last + 1)}
        pool = [
            c
            for c in self._free(self._main.candidates.money)
            if c.quality >= 0.35 and not goods.issuperset(c.words) and c.run.row not in rows
        ]
        if not pool:
            return
        plain = self._page_labels.of("money").plain(pool, PLAIN)
        for candidate in pool:
            meanings = plain[candidate.place]
            if meanings:
                name = max(meanings, key=lambda each: meanings[each])
                if name in fields:
                    if self._details[name].deduction and candidate.value.startswith("-"):
                        candidate = _unsigned(candidate)
                    self._claim(name, candidate, meanings[name])

    def _lone_values(self) -> None:
        """The only IBAN, mail or web address of a page, where it has no label."""
        for name, field in self._of(*_LONE_KINDS).items():
            if len(self._of(field.type)) > 1 and name != next(iter(self._of(field.type))):
                continue
            pool = [c for c in self._free(self._leaves.of(field.type)) if c.quality > UNPROVEN or field.type != "iban"]
            kept = [c for c in pool if self._may_be_free(c)]
            if len({label_key(c.value) for c in kept}) == 1:
                self._take(name, kept[0], UNLABELLED)
            elif kept and field.type in ("mail", "url") and field.role == "seller":
                at_host = [c for c in kept if any(host in label_key(c.value) for host in self._seller_words())]
                if len({label_key(c.value) for c in at_host}) == 1:
                    self._take(name, at_host[0], UNLABELLED)

    def _buyer_numbers(self) -> None:
        """Numbers of the buyer without a label of their own: "No.: 4711" in its block, and the only other VAT number of the page."""
        for name, field in self._of("identifier").items():
            if field.role != "buyer":
                continue
            if field.format == "vat":
                sellers = {
                    str(claim.value)
                    for other, claim in {**self._main.claims, **self._claims}.items()
                    if self._template.fields[other].role == "seller" and self._template.fields[other].format == "vat"
                }
                pool = [
                    c for c in self._main.candidates.vats if c.value not in sellers and not self._used.intersection(c.words)
                ]
                if sellers and len({c.value for c in pool}) == 1:
                    self._take(name, pool[0], UNLABELLED)
            else:
                self._in_block_of_buyer(name)

    def _in_block_of_buyer(self, name: str) -> None:
        parties = [label for label in self._labels if self._template.fields.get(label.field, _NO_FIELD).type == "party"]
        for candidate in self._free(self._main.candidates.identifiers):
            beside = [
                label
                for label in self._labels
                if label.vague
                and label.row == candidate.run.row
                and label.box[2] <= candidate.box[0] + 2
                and label.cover >= PLAIN
            ]
            above = [label for label in parties if label.row < candidate.run.row and label.cover >= PLAIN]
            last = above[-1] if above else None
            if (
                beside
                and last
                and self._template.fields[last.field].role == "buyer"
                and candidate.run.row - last.row <= _BLOCK_ROWS
            ):
                self._take(name, candidate, UNLABELLED)
                return

    def _seller_words(self) -> list[str]:
        """The first words of the seller's names."""
        names = self._names("seller")
        return [word for name in names for word in [label_key(name.split()[0])] if len(word) >= 4] if names else []

    def _may_be_free(self, candidate: Candidate) -> bool:
        """Whether no label of another field says what a value is."""
        scores = self._page_labels.of(candidate.kind).score([candidate], spread=False)[candidate.place]
        return max((s for name, s in scores.items() if not name.startswith(OTHER)), default=0.0) < PLAIN

    # ---- parties

    def _names(self, role: str) -> list[str]:
        fields = self._template.fields
        return [
            str(claim.value)
            for name, claim in {**self._main.claims, **self._claims}.items()
            if fields[name].role == role and fields[name].type == "party" and claim.value
        ]

    def _addresses(self) -> None:
        wanted = {field.role for field in self._details.values() if field.role and (field.type == "address" or field.part)}
        if not wanted:
            return
        addresses = PartyAddresses(self._layout, self._labels)
        for role in sorted(role for role in wanted if role):
            labelled = [
                name
                for name, field in self._template.fields.items()
                if field.role == role and (field.type in ("party", "address") or field.format == "address")
            ]
            names = self._names(role)
            others = [
                name for other in ("seller", "buyer") if other != role for name in self._names(other) if name not in names
            ]
            found = addresses.of(names if role != "delivery" else [], labelled, others if role != "delivery" else [])
            if found is not None:
                self._claim_address(role, found)
            self._claim_country(role)

    def _claim_address(self, role: str, found: FoundAddress) -> None:
        score = round(0.9 * found.likely, 3)
        signals = {"label": score}
        for name, field in self._details.items():
            if field.role != role or name in self._claims:
                continue
            if field.type == "address":
                self._claims[name] = Claim(found.text, self._layout.text(found.all_words), found.all_words, score, (), signals)
            elif field.part in _ADDRESS_PARTS and (value := _part(found.parts, str(field.part))):
                self._claims[name] = Claim(value, None, found.all_words, score, (), signals)

    def _claim_country(self, role: str) -> None:
        """The country that the party's tax number names, where its address does not."""
        for name, field in self._details.items():
            if field.role != role or field.part != "country" or name in self._claims:
                continue
            for other, spec in self._template.fields.items():
                if spec.role != role or spec.format != "vat":
                    continue
                claim = self._main.claims.get(other) or self._claims.get(other)
                number = str(claim.value) if claim else ""
                code = country_of_vat(number)
                if claim and code and any(candidate.value == number for candidate in self._main.candidates.vats):
                    signals = {"label": DERIVED, "proof": float(is_valid_vat(number))}
                    self._claims[name] = Claim(code, claim.printed, claim.words, DERIVED, (), signals)

    # ---- tables

    def _tax_tables(self) -> None:
        for name, field in self._details.items():
            if field.type != "table":
                continue
            words = frozenset(word for table in self._main.tables.values() for word in table.words)
            rows = find_tax_rows(self._main.candidates.numbers, words)
            if not self._covers(rows) and self._covers(
                plain := find_tax_rows(self._main.candidates.numbers, words, plain_rates=True)
            ):
                rows = plain
            if not self._covers(rows):
                single = single_rate(self._main.candidates.numbers, self._amount(0), self._amount(1), words)
                rows = [single] if single else rows
            text = self._layout.text(dict.fromkeys(word for row in rows for cell in row.cells for word in cell.words))
            claim = tax_claim(rows, field.columns, text)
            if claim is not None:
                proof = 1.0 if self._covers(rows) else 0.0
                self._claims[name] = Claim(
                    claim.value, claim.printed, claim.words, claim.score, (), {"label": 0.8, "proof": proof}
                )

    def _amount(self, term: int) -> Candidate | None:
        """The candidate of the first (0) or second (1) member of the template's first plain sum: net and tax."""
        for check in self._template.checks:
            if len(check.sum) == 2 and not check.subtracted and not any("." in member for member in check.sum):
                claim = self._main.claims.get(check.sum[term])
                return next(
                    (c for c in self._main.candidates.money if claim and c.value == claim.value and c.words == claim.words),
                    None,
                )
        return None

    def _covers(self, rows: Sequence[object]) -> bool:
        """Whether the taxes of all rows add up to the tax of the document."""
        tax = self._amount(1)
        taxes = [Decimal(row.tax.value) for row in rows if hasattr(row, "tax")]
        return tax is not None and bool(taxes) and abs(sum(taxes, Decimal(0)) - Decimal(tax.value)) <= Decimal("0.05")

    def _item_columns(self) -> None:
        for name, field in self._template.fields.items():
            table = self._main.tables.get(name)
            columns = {column: spec for column, spec in field.columns.items() if spec.detail}
            if table is not None and table.rows and columns and name in self._main.claims:
                claim = self._main.claims[name]
                rows = with_detail_columns(self._layout, self._main.candidates, field.columns, table)
                self._claims[name] = Claim(
                    rows, claim.printed, claim.words, claim.score, claim.flags, claim.signals, claim.cells
                )

    # ---- texts

    def _texts(self) -> None:
        for name, field in self._of("text", "enum", "party", "address", "boolean").items():
            if field.type == "enum":
                hit = printed_choice(self._layout, self._labels, name, self._main.choices.get(name, {})) or self._by_account(
                    field
                )
            elif field.type in ("address",) and field.role:
                hit = None
            else:
                hit = text_beside(self._layout, self._labels, name)
            if hit:
                text, words, score = hit
                self._claims[name] = Claim(
                    text, self._layout.text(words), words, round(min(1.0, score), 3), (), {"label": round(min(1.0, score), 3)}
                )

    def _by_account(self, field: TemplateField) -> tuple[str, tuple[int, ...], float] | None:
        """A transfer, where the page prints an account to pay to and no other means."""
        choice = field.value_codes.get(TRANSFER) if field.einvoice == MEANS else None
        for name, claim in self._claims.items():
            if choice and self._template.fields[name].einvoice == ACCOUNT and self._template.fields[name].type == "iban":
                return choice, claim.words, UNLABELLED
        return None


def _part(parts: PostalAddress, part: str) -> str | None:
    found = {"street": parts.street, "post_code": parts.post_code, "city": parts.city, "country": parts.country}[part]
    return found or None


def _unsigned(candidate: Candidate) -> Candidate:
    return replace(candidate, value=candidate.value.lstrip("-"))
