"""Which values of an e-invoice's data the pages of its document put in doubt.

Data of another invoice may be attached to a page: of the month before, of an earlier draft, of another company of the vendor. What the page
prints otherwise is flagged value by value. Values that only the data have are then no better founded, and are flagged, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pipeline.checks.einvoice_overlay import DIFFERS, FROM_DATA
from pipeline.checks.value_comparison import is_absent
from pipeline.records import Evidence
from pipeline.templates.template import Template

MIN_DIFFERENCES = 3
"""From so many values on, data that agree with the page in none are of another invoice."""
COMPARED = ("identifier", "date", "money", "party")
"""Types of fields that tell one document from another. Many documents share a currency and a kind."""
IDENTITY, OF_A_DRAFT = ("identifier", "date"), ("money", "date")
"""Types whose values a page prints as the data have them; names are written in many ways. An earlier draft has other amounts and dates, and
the same parties."""


def with_disputes(fields: Mapping[str, Evidence], template: Template) -> dict[str, Evidence]:
    """The fields of a document, values from the data that the pages put in doubt flagged ``xml-differs:FIELD,FIELD``.

    FIELD is a field in which pages and data differ. All values of the data are in doubt where none agrees with the pages; those that no
    page prints, where a page has another number or date and that of the data nowhere; their amounts and dates, where it has other amounts.
    """
    data = {name: evidence for name, evidence in fields.items() if name in template.fields and FROM_DATA in evidence.flags}
    kinds = {name: template.fields[name].type for name in data}
    differing = [
        name
        for name, evidence in data.items()
        if not template.fields[name].detail and kinds[name] in COMPARED and DIFFERS in evidence.flags
    ]
    agrees = any(kinds[name] in COMPARED and name not in differing and data[name].grounding != "none" for name in data)
    elsewhere = {kinds[name] for name in differing if data[name].grounding == "none"}
    if len(differing) >= MIN_DIFFERENCES and not agrees:
        doubtful = set(data) | {name for name in fields if name in template.fields and template.fields[name].detail}
    elif elsewhere & {*IDENTITY, *OF_A_DRAFT}:
        unprinted = {name for name, evidence in data.items() if evidence.grounding == "none"}
        doubtful = (
            unprinted if elsewhere & {*IDENTITY} else {name for name in unprinted if kinds[name] in (*OF_A_DRAFT, "table")}
        )
    else:
        return dict(fields)
    flag = f"{DIFFERS}:{','.join(differing)}"
    return {
        name: replace(evidence, flags=(*evidence.flags, flag))
        if name in doubtful and DIFFERS not in evidence.flags and not is_absent(evidence.value)
        else evidence
        for name, evidence in fields.items()
    }


def is_disputed(evidence: Evidence) -> bool:
    """Whether the page contradicts a value of the data, or puts it in doubt."""
    return any(flag.split(":")[0] == DIFFERS for flag in evidence.flags)
