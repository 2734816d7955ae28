"""What must hold within a document: sums and the order of dates as the template says, check digits of VAT ids.

The built-in sums follow EN 16931: BR-CO-10 (line amounts add up), BR-CO-13 (net), BR-CO-14 (tax), BR-CO-15 (gross is net plus
tax), each within a tolerance for rounding. A check that lacks a number is no failure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

from stdnum import get_cc_module

from pipeline.checks.compare import as_decimal, is_absent
from pipeline.records import Evidence, Json
from pipeline.templates.model import Check, Template
from pipeline.values.identifiers import parse_vat, valid_vat

CHECKSUM = "checksum"
_OUTSIDE_EU = {"CHE": ("ch", "uid"), "NO": ("no", "orgnr"), "GB": ("gb", "vat"), "XI": ("gb", "vat")}


def check_document(fields: Mapping[str, Evidence], template: Template) -> dict[str, Evidence]:
    """The fields with flags for what does not hold: ``sum:<check>``, ``order:<check>``, ``checksum``."""
    flags: dict[str, list[str]] = {name: [] for name in fields}
    for check in template.checks:
        if check.sum and not _sum_holds(check, fields):
            _flag(flags, [*check.sum, check.equals or ""], f"sum:{check.name}")
        if check.order and not _in_order(check, fields):
            _flag(flags, check.order, f"order:{check.name}")
    for name, field in template.fields.items():
        if field.format == "vat" and name in fields and _wrong_vat(fields[name].value):
            _flag(flags, [name], CHECKSUM)
    return {name: _flagged(evidence, flags[name]) for name, evidence in fields.items()}


def confirmed_by_sums(fields: Mapping[str, Evidence], template: Template) -> set[str]:
    """Fields that are members of a sum that holds and has at least two summands other than nought."""
    sure: set[str] = set()
    for check in template.checks:
        members = [*check.sum, check.equals or ""]
        amounts = [_amount(member.lstrip("-"), fields) for member in members]
        if check.sum and None not in amounts and sum(map(bool, amounts[:-1])) >= 2 and _sum_holds(check, fields):
            sure.update(member.lstrip("-").split(".")[0] for member in members)
    return sure


def _flag(flags: Mapping[str, list[str]], members: Iterable[str], flag: str) -> None:
    for name in dict.fromkeys(member.lstrip("-").split(".")[0] for member in members):
        if name in flags:
            flags[name].append(flag)


def _flagged(evidence: Evidence, flags: Iterable[str]) -> Evidence:
    """Flags on a value; what is absent breaks no rule."""
    return evidence if is_absent(evidence.value) else replace(evidence, flags=tuple(dict.fromkeys((*evidence.flags, *flags))))


def _sum_holds(check: Check, fields: Mapping[str, Evidence]) -> bool:
    """False only for a sum whose members are all there. One that lacks a member may hold without it; else it cannot be told."""
    target = _amount(check.equals or "", fields)
    members = {member: _amount(member.lstrip("-"), fields) for member in check.sum}
    if target is None or any(amount is None for amount in members.values()):
        return True
    total = sum(
        (-amount if member.startswith("-") else amount for member, amount in members.items() if amount is not None), Decimal(0)
    )
    return abs(total - target) <= (as_decimal(check.tolerance) or Decimal(0))


def _amount(member: str, fields: Mapping[str, Evidence]) -> Decimal | None:
    """A field's number, or the sum of a table's column; None when it, or one cell of the column, is not there."""
    name, _, column = member.partition(".")
    value = fields[name].value if name in fields else None
    if not column:
        return as_decimal(value)
    if not isinstance(value, list) or not value:
        return None
    cells = [as_decimal(row.get(column)) if isinstance(row, Mapping) else None for row in value]
    known = [cell for cell in cells if cell is not None]
    return sum(known, Decimal(0)) if len(known) == len(cells) else None


def _in_order(check: Check, fields: Mapping[str, Evidence]) -> bool:
    """ISO dates compare as texts."""
    dates = [str(fields[name].value) for name in check.order if name in fields and not is_absent(fields[name].value)]
    return all(earlier <= later for earlier, later in pairwise(dates))


def _wrong_vat(value: Json) -> bool:
    """Whether a value has the shape of a European VAT id and wrong check digits; numbers of other countries cannot be told."""
    plain = parse_vat(value) if isinstance(value, str) else None
    if plain is None:
        return False
    prefix = next((p for p in _OUTSIDE_EU if plain.startswith(p)), None)
    if prefix is None:
        return not valid_vat(plain)
    module = get_cc_module(*_OUTSIDE_EU[prefix])
    number = plain if prefix == "CHE" else plain[2:]
    return not module.is_valid(number.removesuffix("MVA").removesuffix("MWST").removesuffix("TVA").removesuffix("IVA"))
