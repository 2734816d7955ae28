"""Values that people correct or confirm, and the truth that these make."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from pipeline.ledger.corrections import NewerCorrectionError, corrected_templates, correction_history, record_correction
from pipeline.ledger.document_states import decide, is_settled
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.ledger import Ledger
from pipeline.records import Correction
from pipeline.values.times import utc_timestamp
from pipeline.web.api.common import (
    ERROR_RESPONSES,
    Author,
    Id,
    StrictModel,
    author,
    open_file_record,
    require_publication,
    server_context,
)
from pipeline.web.correction_input import parse_value, truth_rows

router = APIRouter(prefix="/api", responses=ERROR_RESPONSES)
Version = Annotated[int, Field(ge=0, le=1_000_000)]


class CorrectionRequest(StrictModel):
    """A person's value for a field. ``version`` is the version of the latest correction that the person knows: 0 for none."""

    value: Any = Field(
        description="as in results; null: the document has no such value; the value that was read: it is confirmed"
    )
    version: Version
    by: Author = ""


class CorrectionVersion(BaseModel):
    """One correction of a field."""

    version: int
    value: Any
    withdrawn: bool
    before: Any
    by: str
    at: str


class CorrectionConflict(BaseModel):
    """There is a newer correction of the field: ``current``. To replace it, send the value with its version."""

    detail: str
    current: CorrectionVersion | None


CONFLICT: dict[int | str, dict[str, Any]] = {409: {"model": CorrectionConflict}}
Name = Annotated[str, Path(max_length=63)]


@router.put("/documents/{id}/fields/{template}/{field}", responses=CONFLICT)
def correct(request: Request, id: Id, template: Name, field: Name, correction: CorrectionRequest) -> Any:  # noqa: A002
    """Correct a value, or confirm it by sending the value that was read."""
    with open_file_record(request, id) as (ledger, file):
        if file.is_split:
            raise HTTPException(400, "the file is split into documents: correct those")
        spec = server_context(request).known_templates(ledger).get(template)
        if spec is None or field not in spec.fields:
            raise HTTPException(404, "there is no such field")
        try:
            value = parse_value(correction.value, spec.fields[field], _recorded(request, ledger, file, (template, field)))
        except (ValueError, RecursionError) as error:
            raise HTTPException(400, str(error).encode(errors="replace").decode()) from error
        entry = _new_version(request, ledger, file, (template, field), correction.version, correction.by, value)
        return _record(ledger, file, entry)


def _recorded(request: Request, ledger: Ledger, file: FileRecord, place: tuple[str, str]) -> list[Any]:
    """The value of a field (template and name in ``place``) now, and the one that was read. Raises HTTPException 404."""
    publication = require_publication(request, ledger, file)
    template, field = place
    fields = (publication.fields.get(template, {}), publication.uncorrected.get(template, {}))
    return [values[field].value for values in fields if field in values]


@router.delete("/documents/{id}/fields/{template}/{field}", responses=CONFLICT)
def withdraw(
    request: Request,
    id: Id,  # noqa: A002
    template: Name,
    field: Name,
    version: Annotated[int, Query(ge=1, le=1_000_000)],
    by: Annotated[str, Query(max_length=80)] = "",
) -> Any:
    """Withdraw a correction: the field has the value that was read again."""
    with open_file_record(request, id) as (ledger, file):
        if (template, field) not in correction_history(ledger, file.key):
            raise HTTPException(404, "this field has no correction")
        return _record(ledger, file, _new_version(request, ledger, file, (template, field), version, by, withdrawn=True))


def _new_version(
    request: Request,
    ledger: Ledger,
    file: FileRecord,
    place: tuple[str, str],
    known_version: int,
    by: str,
    value: Any = None,
    *,
    withdrawn: bool = False,
) -> Correction:
    """The next correction of a field (template and name in ``place``) after the version that its author knows."""
    template, field = place
    evidence = require_publication(request, ledger, file).fields.get(template, {}).get(field)
    if evidence is None:
        raise HTTPException(404, "there is no such field")
    return Correction(
        template, field, known_version + 1, value, withdrawn, evidence.value, author(request, by), utc_timestamp()
    )


def _record(ledger: Ledger, file: FileRecord, correction: Correction) -> Any:
    try:
        record_correction(ledger, file.key, correction)
        if is_settled(ledger, file.key) and (correction.withdrawn or correction.value != correction.before):
            decide(ledger, file.key, "to_check", correction.by)  # what was approved was another value
    except NewerCorrectionError as error:
        current = _correction_version(error.latest).model_dump() if error.latest else None
        return JSONResponse({"detail": "there is a newer correction of this field", "current": current}, 409)
    return _correction_version(correction)


@router.get("/documents/{id}/fields/{template}/{field}/history")
def field_history(request: Request, id: Id, template: Name, field: Name) -> list[CorrectionVersion]:  # noqa: A002
    """All corrections of a field, oldest first."""
    with open_file_record(request, id) as (ledger, file):
        history = correction_history(ledger, file.key)
        return [_correction_version(item) for item in history.get((template, field), [])]


def _correction_version(item: Correction) -> CorrectionVersion:
    return CorrectionVersion(
        version=item.version, value=item.value, withdrawn=item.withdrawn, before=item.before, by=item.by, at=item.at
    )


@router.get(
    "/truth.jsonl",
    response_class=Response,
    responses={200: {"content": {"application/jsonl": {}}}},
)
def truth(request: Request, template: Annotated[str, Query(max_length=63)] = "") -> Response:
    """The corrected and confirmed values of one template, as truth for `pipeline eval`."""
    with server_context(request).ledger() as ledger:
        templates = [template] if template else corrected_templates(ledger)
        if len(templates) > 1:
            raise HTTPException(400, f"name the template: {', '.join(templates)}")
        known = server_context(request).known_templates(ledger)
        fields = {name: known[name].fields if name in known else {} for name in templates}
        lines = [json.dumps(row, ensure_ascii=False) for name in templates for row in truth_rows(ledger, name, fields[name])]
    return Response("".join(f"{line}\n" for line in lines).encode(errors="replace"), media_type="application/jsonl")
