"""A page of a file as the search for cuts sees it: the fields that tell one document from another, and the page's marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from pipeline.checks.value_comparison import as_decimal, is_absent
from pipeline.records import Evidence, Json, UnitStatus
from pipeline.split_records import PageMarks
from pipeline.templates.template import Template

FEW_WORDS = 2
"""A scanned page with so few words and no values is as good as blank."""


@dataclass(frozen=True, slots=True)
class KeyFields:
    """The names of a template's fields that tell one document from another."""

    number: str | None
    date: str | None
    seller: str | None
    seller_id: str | None
    totals: tuple[str, ...]
    tables: Mapping[str, str]
    """The column with the amounts that add up, by table."""
    money: tuple[str, ...]

    @classmethod
    def of(cls, template: Template) -> KeyFields:
        """Those of a template. A template without sums tells no documents apart."""
        fields = template.main_fields().items()
        sums = [check for check in template.main_checks() if check.equals]
        columns = [template.split_term(term) for check in sums for term in check.sum if template.split_term(term)[1]]
        return cls(
            next((name for name, f in fields if f.type == "identifier" and not f.format and f.merge == "first"), None),
            next((name for name, f in fields if f.type == "date" and f.merge == "first"), None),
            next((name for name, f in fields if f.type == "party" and f.role == "seller"), None),
            next((name for name, f in fields if f.type == "identifier" and f.format == "vat" and f.role == "seller"), None),
            tuple(dict.fromkeys(str(check.equals) for check in sums)),
            dict(columns),
            tuple(name for name, f in fields if f.type == "money"),
        )

    @property
    def can_tell(self) -> bool:
        """Whether documents of the template can be told apart by their fields."""
        return bool(self.totals and (self.number or self.date))


@dataclass(frozen=True, slots=True)
class FilePage:
    """One page of a file. ``marks`` is None where an older version has read it, or where its ledger was made anew."""

    number: int
    status: UnitStatus
    fields: Mapping[str, Evidence] = field(default_factory=dict)
    marks: PageMarks | None = None
    sheet_parts: int = 1
    """How many documents the page shows."""
    shows_figures: bool = False
    """Whether these documents are charts among text."""

    @property
    def is_scan(self) -> bool:
        """Whether its words were read by OCR, and may be misread."""
        return self.marks is None or self.marks.is_scan

    @property
    def is_blank(self) -> bool:
        """Whether it shows nothing, or next to nothing."""
        if self.status == "blank":
            return True
        few = self.marks is not None and self.marks.is_scan and self.marks.words <= FEW_WORDS and not self.marks.barcodes
        return few and self.status == "done" and all(is_absent(evidence.value) for evidence in self.fields.values())

    def value(self, name: str | None) -> Json:
        """The value of a field; None without one."""
        return self.fields[name].value if name and name in self.fields else None

    def has(self, name: str | None) -> bool:
        """Whether a field has a value."""
        return not is_absent(self.value(name))

    def score(self, name: str | None) -> float:
        """The engine's own preference for the value of a field."""
        return self.fields[name].score if name and name in self.fields else 0.0

    def amounts(self, tables: Mapping[str, str]) -> Sequence[Decimal]:
        """The amounts in the rows of its tables."""
        rows = [(row, column) for name, column in tables.items() for row in self.value(name) or ()]
        found = (as_decimal(row.get(column)) for row, column in rows if isinstance(row, Mapping))
        return [amount for amount in found if amount is not None]
