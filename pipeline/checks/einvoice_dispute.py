"""Which values of an e-invoice's data the pages of its document put in doubt.

Data of another invoice may be attached to a page: of the month before, of an earlier draft, of another company of the vendor. What the page
prints otherwise is flagged value by value. Values that only the data have are then no better founded, and are flagged, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pipeline.checks.einvoice_overlay import DIFFERS, FROM_DATA
from pipeline.records import Evidence
from pipeline.templates.template import Template

MIN_DIFFERENCES = 3
"""From so many values on, data that agree with the page in none are of another invoice."""
COMPARED = ("identifier", "date", "money", "party")
"""Types of fields that tell one document from another. Many documents share a currency and a kind."""
DECISIVE = ("identifier", "date", "money")
"""Types whose values a page prints as the data have them. Names are shortened and written in many ways."""


def with_disputes(fields: Mapping[str, Evidence], template: Template) -> dict[str, Evidence]:
    """The fields of a document, values from the data that the pages put in doubt flagged ``xml-differs:FIELD,FIELD``.

    FIELD is a field in which pages and data differ. All values of the data are in doubt where none agrees with the pages, else those that
    no page prints, where a page has another number, date or amount than the data and does not print that of the data anywhere.
    """
    data = {name: evidence for name, evidence in fields.items() if name in template.fields and FROM_DATA in evidence.flags}
    compared = {name: evidence for name, evidence in data.items() if template.fields[name].type in COMPARED}
    differing = [name for name, evidence in compared.items() if DIFFERS in evidence.flags]
    agreeing = [name for name, evidence in compared.items() if name not in differing and evidence.grounding != "none"]
    if len(differing) >= MIN_DIFFERENCES and not agreeing:
        doubtful = set(data)
    elif any(template.fields[name].type in DECISIVE and data[name].grounding == "none" for name in differing):
        doubtful = {name for name, evidence in data.items() if evidence.grounding == "none"}
    else:
        return dict(fields)
    flag = f"{DIFFERS}:{','.join(differing)}"
    return {
        name: replace(evidence, flags=(*evidence.flags, flag))
        if name in doubtful and DIFFERS not in evidence.flags
        else evidence
        for name, evidence in fields.items()
    }


def is_disputed(evidence: Evidence) -> bool:
    """Whether the page contradicts a value of the data, or puts it in doubt."""
    return any(flag.split(":")[0] == DIFFERS for flag in evidence.flags)
