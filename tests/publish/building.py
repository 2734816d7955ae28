"""Publications and frames for the tests of the export formats."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.publish.cells import ColumnKind, as_cell
from pipeline.publish.frames import make_frame
from pipeline.publish.publication import Publication
from pipeline.records import DocumentInfo, Evidence, Result, Source, UnitKey
from pipeline.templates.template import Template

BILL = Template.model_validate(
    {
        "name": "bill",
        "prompt": "Read.",
        "fields": {
            "number": {"type": "identifier"},
            "day": {"type": "date"},
            "at": {"type": "time"},
            "total": {"type": "money"},
            "weight": {"type": "number"},
            "note": {"type": "text"},
            "tags": {"type": "text", "many": True},
            "items": {"type": "table", "columns": {"code": {"type": "identifier"}, "price": {"type": "money"}}},
        },
    }
)
KINDS: Mapping[str, ColumnKind] = {
    "file": "text",
    "number": "identifier",
    "day": "date",
    "at": "time",
    "total": "money",
    "note": "text",
}


def frame(*rows: Mapping[str, Any], kinds: Mapping[str, ColumnKind] = KINDS) -> pd.DataFrame:
    """A frame with the given values of the results in its rows."""
    return make_frame(([as_cell(row.get(column), kind) for column, kind in kinds.items()] for row in rows), kinds)


def publication(
    name: str, values: Mapping[str, Any] | None, template: Template = BILL, pages: Sequence[str] = ("done",), **evidence: Any
) -> Publication:
    """A document that was read with one template; without values it cannot be opened."""
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    source = Source(Path("/inbox") / name, name, name)
    if values is None:
        document = DocumentInfo(sha256, "pdf", 0, "unreadable", "damaged")
        return Publication(source, document, {template.name: "r"}, [], {}, {})
    fields = {key: Evidence(value, str(value), 1, (1.0, 2.0, 3.0, 4.0), "exact", **evidence) for key, value in values.items()}
    units = [Result(UnitKey(sha256, number, template.name, "r"), status) for number, status in enumerate(pages, 1)]  # type: ignore[arg-type]
    return Publication(
        source, DocumentInfo(sha256, "pdf", len(pages)), {template.name: "r"}, units, {template.name: fields}, {}
    )
