"""The JSON of one document: merged fields with their evidence, the fate of every page, provenance."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.publish.review_flags import to_review
from pipeline.records import Correction, DocumentInfo, DocumentStatus, Evidence, Reason, Result, Source, UnitStatus

_BOX = re.compile(r"\[(?:\s+-?[\d.]+,?){4}\s+\]")
"""Four numbers, one a line; line breaks inside of strings are escaped, so this is never text."""


@dataclass(frozen=True, slots=True)
class Publication:
    """Everything that is published of one document under one name.

    ``units`` are the ended units of all templates; ``fields`` the merged and checked fields by template.
    """

    source: Source
    document: DocumentInfo
    recipes: Mapping[str, str]
    units: Sequence[Result]
    fields: Mapping[str, Mapping[str, Evidence]]
    provenance: Mapping[str, Any]
    questions: Mapping[str, str] = field(default_factory=dict)
    """Questions by the template that was made of them."""
    accepted_error: float = 0.05
    """Probability of being wrong from which a value is marked for review."""
    said: Mapping[tuple[str, str], Sequence[Correction]] = field(default_factory=dict)
    """What people said about fields, by template and field, in its order."""
    read: Mapping[str, Mapping[str, Evidence]] = field(default_factory=dict)
    """The fields as they would be had nobody said anything."""

    def corrected(self, template: str) -> list[str]:
        """Fields of a template for which a person's word holds."""
        return [
            name
            for name in self.fields.get(template, {})
            if (words := self.said.get((template, name))) and not words[-1].withdrawn
        ]

    def to_review(self, template: str) -> list[str]:
        """Fields of a template that a person should look at."""
        return to_review(self.fields.get(template, {}), self.accepted_error)

    @property
    def status(self) -> DocumentStatus:
        """``done`` when every page is, by every template; ``partial`` when only some are, or a page in part (an answer that was cut off);
        ``failed`` or ``skipped`` when none is."""
        statuses = {unit.status for unit in self.units}
        good = statuses & {"done", "blank"} or any(unit.fields for unit in self.units)
        if self.document.reason or (not good and "failed" in statuses):
            return "failed"
        if not good:
            return "skipped"
        return "partial" if statuses & {"failed", "skipped"} else "done"

    @property
    def reason(self) -> Reason | None:
        """Why the document failed, or why its first missing page did."""
        return self.document.reason or next((unit.reason for unit in self.units if unit.reason), None)

    @property
    def detail(self) -> str:
        """The reason in words for people."""
        return self.document.detail or next((unit.detail for unit in self.units if unit.reason), "")

    def pages(self) -> list[dict[str, Any]]:
        """Every page with one status over all templates, in order; numbers never shift."""
        by_page: dict[int, list[Result]] = defaultdict(list)
        for unit in self.units:
            by_page[unit.key.page].append(unit)
        return [_page(number, units) for number, units in sorted(by_page.items())]

    def as_json(self) -> dict[str, Any]:
        """The published object; see docs/output.md."""
        document = self.document
        return {
            "document": {
                "path": self.source.relative,
                "sha256": document.sha256,
                "kind": document.kind,
                "pages": document.pages,
            },
            "status": self.status,
            "reason": self.reason,
            **({"detail": document.detail} if document.reason else {}),
            "results": {
                template: {
                    "recipe": self.recipes[template],
                    **self._question(template),
                    "review": self.to_review(template),
                    "fields": {name: _field(value) | self._said(template, name) for name, value in fields.items()},
                }
                for template, fields in self.fields.items()
            },
            "pages": self.pages(),
            "provenance": dict(self.provenance),
        }

    def _said(self, template: str, name: str) -> dict[str, Any]:
        """Who corrected a field, and what was read; nothing for most."""
        words = self.said.get((template, name))
        if not words:
            return {}
        told = [
            {"version": item.version, "value": item.value, "before": item.before, "by": item.by, "at": item.at}
            | ({"withdrawn": True} if item.withdrawn else {})
            for item in words
        ]
        return {"corrected": {**told[-1], "read": _field(self.read[template][name]), "history": told}}

    def _question(self, template: str) -> dict[str, str]:
        return {"question": self.questions[template]} if template in self.questions else {}

    def as_bytes(self) -> bytes:
        """UTF-8, indented, boxes on one line, ending in a newline."""
        text = json.dumps(self.as_json(), ensure_ascii=False, indent=1)
        return (_BOX.sub(lambda box: " ".join(box[0].split()), text) + "\n").encode(errors="replace")


def _page(number: int, units: Sequence[Result]) -> dict[str, Any]:
    statuses = {unit.status for unit in units}
    order: tuple[UnitStatus, ...] = ("failed", "skipped", "done", "blank")
    status = next(status for status in order if status in statuses)
    page: dict[str, Any] = {
        "page": number,
        "status": status,
        "source": next((unit.source for unit in units if unit.source), None),
        "turned": next((unit.turned for unit in units if unit.turned), 0),
        "seconds": round(sum(unit.seconds for unit in units), 3),
    }
    if problem := next((unit for unit in units if unit.reason), None):
        page |= {"reason": problem.reason, "detail": problem.detail}
    return page


def _field(evidence: Evidence) -> dict[str, Any]:
    return {
        "value": evidence.value,
        "printed": evidence.printed,
        "page": evidence.page,
        "box": [round(side, 1) for side in evidence.box] if evidence.box else None,
        "grounding": evidence.grounding,
        "confidence": evidence.confidence,
        "flags": list(evidence.flags),
    }
