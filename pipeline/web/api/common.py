"""What the routes of the API share: errors, the documents that URLs name, the form of requests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import HTTPException, Path, Request
from pydantic import BaseModel, ConfigDict, StringConstraints

from pipeline.errors import SettingsError
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.ledger import Ledger
from pipeline.publish.publication import Publication
from pipeline.run.job import check_template
from pipeline.web.context import ServerContext, document_name
from pipeline.web.identity import Person

ANONYMOUS = "somebody"
"""Author of a correction or question without a name."""


class ErrorDetail(BaseModel):
    """Why a request was refused."""

    detail: str


class StrictModel(BaseModel):
    """A request with no other keys."""

    model_config = ConfigDict(extra="forbid")


Author = Annotated[str, StringConstraints(max_length=80, strip_whitespace=True)]


ERROR_RESPONSES: dict[int | str, dict[str, Any]] = {
    code: {"model": ErrorDetail, "description": description}
    for code, description in {
        400: "the request is not valid",
        401: "the token is missing or wrong",
        403: "the request comes from another site",
        404: "there is no such thing",
        408: "the client was too slow",
        413: "more than the limit",
        421: "the server does not have this name",
        422: "a parameter or a key of the body is not valid: which one, and why",
        503: "the ledger or the inbox is not available",
    }.items()
}
Id = Annotated[str, Path(max_length=2_000, description="as in lists of documents")]


def server_context(request: Request) -> ServerContext:
    """The context that the application was made with."""
    context: ServerContext = request.app.state.context
    return context


def require_template(context: ServerContext, name: str | None) -> None:
    """Raises HTTPException 400 where a template is named that is not there; it says which are."""
    try:
        if name:
            check_template(name, context.templates)
    except SettingsError as error:
        raise HTTPException(400, f"{error.message}; {error.cure}".encode(errors="replace").decode()) from error


def author(request: Request, by: str) -> str:
    """Who is named in the history: the person whose account it is; without accounts, the name that the request gives."""
    person: Person | None = getattr(request.state, "person", None)
    if person and person.name:
        return person.name
    return "".join(letter for letter in by if letter.isprintable()).strip() or ANONYMOUS


@contextmanager
def open_file_record(request: Request, identifier: str) -> Iterator[tuple[Ledger, FileRecord]]:
    """The ledger and one file of it, by its identifier. Raises HTTPException 404."""
    name = document_name(identifier)
    with server_context(request).ledger() as ledger:
        file = ledger.file_by_name(name) if name and name.isprintable() else None
        if file is None:
            raise HTTPException(404, "there is no such document")
        yield ledger, file


def require_publication(request: Request, ledger: Ledger, file: FileRecord) -> Publication:
    """The publication of a file. Raises HTTPException 404 before the first one."""
    publication = server_context(request).publication(ledger, file)
    if publication is None:
        raise HTTPException(404, "it has not been read yet")
    return publication
