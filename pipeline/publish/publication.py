"""Everything that is published of one document: merged fields with their evidence, the status of every page, provenance."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.publish.review_flags import fields_to_review, is_urgent
from pipeline.publish.split_result import part_as_json, split_as_json
from pipeline.records import (
    WRAPPER_KINDS,
    Correction,
    DocumentInfo,
    DocumentStatus,
    Evidence,
    PartOf,
    PartStatus,
    Reason,
    Result,
    Source,
    UnitStatus,
)
from pipeline.result_checksum import NO_CHECKSUM, with_checksum
from pipeline.split_records import Cut, FilePart, Split
from pipeline.templates.schema_data import ShapedData

_BOX = re.compile(r"\[(?:\s+-?[\d.]+,?){4}\s+\]")
"""A list of four numbers, each on a line of its own. It never matches inside of a string: JSON escapes line breaks there."""


@dataclass(frozen=True, slots=True)
class Publication:
    """A document under one name in the outbox.

    ``units`` are the finished units of all templates; ``fields`` are the merged and checked fields by template, with people's corrections.
    """

    source: Source
    document: DocumentInfo
    recipes: Mapping[str, str]
    units: Sequence[Result]
    fields: Mapping[str, Mapping[str, Evidence]]
    provenance: Mapping[str, Any]
    questions: Mapping[str, str] = field(default_factory=dict)
    """Questions by the name of the template made from each."""
    accepted_error: float = 0.05
    """The share of values that may be wrong and not marked for review."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """By template, the confidence below which a value is marked for review so that this share is kept."""
    corrections: Mapping[tuple[str, str], Sequence[Correction]] = field(default_factory=dict)
    """People's corrections by template and field, oldest first."""
    uncorrected: Mapping[str, Mapping[str, Evidence]] = field(default_factory=dict)
    """The fields by template as the engine read them, without corrections."""
    part: FilePart | None = None
    """Which part of a file the document is; None for a whole file."""
    split: Split | None = None
    """How its file is split; None for a file that is one document without a doubt."""
    documents: Sequence[str] = ()
    """Of a file that is split: the names of its documents, which have results of their own."""
    part_of: PartOf | None = None
    """Where it comes from, where it is a part of a container or a container."""
    parts: Sequence[PartStatus] = ()
    """The parts that it holds directly."""
    approval: Mapping[str, str] = field(default_factory=dict)
    """The latest decision about the document (see ``ledger.document_states``): ``state``, ``by`` and ``at``; empty before one."""
    data: Mapping[str, ShapedData] = field(default_factory=dict)
    """The values in their shape, by template, of templates that have one."""

    @property
    def state(self) -> str:
        """What people have decided about it: ``to_check``, ``approved`` or ``exported``. One that was read since is to be checked again."""
        is_read_since = (self.provenance.get("finished") or "") > self.approval.get("at", "")
        return "to_check" if is_read_since else self.approval.get("state", "to_check")

    @property
    def is_wrapper(self) -> bool:
        """Whether it is a container without pages of its own: all that it says is in its parts."""
        return self.document.kind in WRAPPER_KINDS and not self.document.pages

    @property
    def _missing_part(self) -> PartStatus | None:
        """The first part of a wrapper that could not be read to the end."""
        return next((part for part in self.parts if part.is_missing), None) if self.is_wrapper else None

    def active_correction(self, template: str, name: str) -> Correction | None:
        """The correction that gives a field its value; None when there is none or it was withdrawn."""
        corrections = self.corrections.get((template, name))
        return corrections[-1] if corrections and not corrections[-1].withdrawn else None

    def corrected_fields(self, template: str) -> list[str]:
        """Names of a template's fields whose value is a person's correction."""
        return [name for name in self.fields.get(template, {}) if self.active_correction(template, name)]

    def fields_to_review(self, template: str) -> list[str]:
        """Names of a template's fields that a person should check. One that a person has entered or confirmed is none, whatever the
        checks say: the paper may be wrong."""
        doubtful = fields_to_review(self.fields.get(template, {}), self.threshold(template))
        return [name for name in doubtful if not self.active_correction(template, name)]

    def urgent_fields(self, template: str) -> list[str]:
        """Those of ``fields_to_review`` that are more than details that nothing proves: a document waits for a person because of them."""
        fields, threshold = self.fields.get(template, {}), self.threshold(template)
        return [name for name in self.fields_to_review(template) if is_urgent(fields[name], threshold)]

    def threshold(self, template: str) -> float:
        """The confidence below which values of a template are marked for review."""
        return self.thresholds.get(template, 1 - self.accepted_error)

    @property
    def needs_review(self) -> bool:
        """Whether a person should check a field, or a page is missing."""
        return self.status != "done" or bool(self.doubts) or any(map(self.urgent_fields, self.fields))

    @property
    def doubts(self) -> list[Cut]:
        """The places in the file at which this document may be split or joined wrongly: within it, and where it begins or ends."""
        if self.split is None:
            return []
        if self.part is None:
            return list(self.split.doubts)
        own, ranges = self.part.pages, [one.pages for one in self.split.documents]
        at = ranges.index(own.pages) if own.pages in ranges else len(ranges)
        following = min(ranges[at + 1]) if at + 1 < len(ranges) else 0
        return [cut for cut in self.split.doubts if cut.before in (*own.pages, *own.copies, following)]

    @property
    def status(self) -> DocumentStatus:
        """``done`` when every template has read every page; ``partial`` when some pages are missing or incomplete (an answer was cut off);
        ``failed`` or ``skipped`` when no page was read."""
        if self.is_wrapper and not self.document.reason:
            missing, read = self._missing_part, any(part.status in ("done", "partial") for part in self.parts)
            return "done" if missing is None else "partial" if read else "failed"
        statuses = {unit.status for unit in self.units}
        good = statuses & {"done", "blank"} or any(unit.fields for unit in self.units)
        if self.document.reason or (not good and "failed" in statuses):
            return "failed"
        if not good:
            return "skipped"
        return "partial" if statuses & {"failed", "skipped"} else "done"

    @property
    def page_count(self) -> int:
        """The number of pages of the document; copies of them count for nothing."""
        return len(self.part.pages.pages) if self.part else self.document.pages

    @property
    def reason(self) -> Reason | None:
        """Why the document failed, or why its first missing page is missing."""
        if part := self._missing_part:
            return self.document.reason or part.reason or "unreadable"
        return self.document.reason or next((unit.reason for unit in self.units if unit.reason), None)

    @property
    def detail(self) -> str:
        """The reason in words for people."""
        page_detail = next((unit.detail for unit in self.units if unit.reason), "")
        if part := self._missing_part:
            missing = sum(part.is_missing for part in self.parts)
            others = f" (and {missing - 1:,} more parts)" if missing > 1 else ""
            page_detail = f"{part.shown}: {part.detail or part.reason}{others}" if part.shown else f"{part.detail}{others}"
        elif self.is_wrapper and not any(part.name for part in self.parts):
            page_detail = "holds no document"
        return "; ".join(filter(None, (page_detail, self.document.detail)))

    def pages(self) -> list[dict[str, Any]]:
        """Every page with one status over all templates, by page number. The numbers are those of the original file."""
        by_page: dict[int, list[Result]] = defaultdict(list)
        for unit in self.units:
            by_page[unit.key.page].append(unit)
        return [_page(number, units) for number, units in sorted(by_page.items())]

    def as_json(self) -> dict[str, Any]:
        """The JSON object of the document; see docs/output.md."""
        document = self.document
        return {
            "document": {
                "path": self.source.relative,
                "sha256": document.sha256,
                "kind": document.kind,
                "pages": self.page_count,
                **part_as_json(self.part),
                **self._origin(),
            },
            **split_as_json(self),
            "status": self.status,
            "reason": self.reason,
            **({"approval": dict(self.approval)} if self.approval else {}),
            **({"detail": detail} if (detail := self.detail if self.is_wrapper else document.detail) else {}),
            **({"parts": [_part(part) for part in self.parts]} if self.parts or self.is_wrapper else {}),
            "results": {
                template: {
                    "recipe": self.recipes[template],
                    **self._question(template),
                    "review": self.fields_to_review(template),
                    "review_below": self.threshold(template),
                    **self._data(template),
                    "fields": {name: _field(value) | self._correction(template, name) for name, value in fields.items()},
                }
                for template, fields in self.fields.items()
            },
            "pages": self.pages(),
            "provenance": dict(self.provenance),
        }

    def _origin(self) -> dict[str, Any]:
        """The container that holds the document, and the header of the mail that it is or came with."""
        if self.part_of is None:
            return {}
        parent = {"parent": self.part_of.parent} if self.part_of.parent else {}
        return parent | ({"mail": dict(self.part_of.mail)} if self.part_of.mail else {})

    def _correction(self, template: str, name: str) -> dict[str, Any]:
        """The key ``corrected`` of a field: the latest correction, the value that was read, all corrections. Empty without corrections."""
        corrections = self.corrections.get((template, name))
        if not corrections:
            return {}
        entries = [
            {"version": item.version, "value": item.value, "before": item.before, "by": item.by, "at": item.at}
            | ({"withdrawn": True} if item.withdrawn else {})
            for item in corrections
        ]
        return {"corrected": {**entries[-1], "read": _field(self.uncorrected[template][name]), "history": entries}}

    def _data(self, template: str) -> dict[str, Any]:
        """The keys ``data`` and ``schema_errors`` of a template with a shape of its own."""
        if template not in self.data:
            return {}
        shaped = self.data[template]
        return {"data": shaped.data, **({} if shaped.errors is None else {"schema_errors": list(shaped.errors)})}

    def _question(self, template: str) -> dict[str, str]:
        return {"question": self.questions[template]} if template in self.questions else {}

    def as_bytes(self, stays_at: str | None = None) -> bytes:
        """The result file: ``as_json`` in UTF-8, indented, each box on one line, with the file's checksum at the end.

        ``stays_at`` is a hash of the path of the document's file, where the program leaves it there.
        """
        result = self.as_json()
        if stays_at:
            result["provenance"]["stays_at"] = stays_at
        result["provenance"]["checksum"] = NO_CHECKSUM
        text = json.dumps(result, ensure_ascii=False, indent=1)
        return with_checksum((_BOX.sub(lambda box: " ".join(box[0].split()), text) + "\n").encode(errors="replace"))


def _part(part: PartStatus) -> dict[str, Any]:
    """A part in the result of its container; ``name`` is that of its own result, for a declined part its name in the container."""
    result = {"name": part.name or part.shown, "status": part.status}
    return result | ({"reason": part.reason} if part.reason else {}) | ({"detail": part.detail} if part.detail else {})


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
        **({"place": evidence.place} if evidence.place else {}),
        "grounding": evidence.grounding,
        "confidence": evidence.confidence,
        "flags": list(evidence.flags),
        **({"cells": [dict(row) for row in evidence.cells]} if evidence.cells else {}),
    }
