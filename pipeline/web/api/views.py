"""Saved views of the list."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request
from pydantic import BaseModel, StringConstraints

from pipeline.web.api.common import ERROR_RESPONSES, StrictModel, server_context
from pipeline.web.saved_views import TooManyViewsError, save_view, saved_views

router = APIRouter(prefix="/api", responses=ERROR_RESPONSES)
Name = Annotated[str, Path(min_length=1, max_length=80)]


class SavedView(BaseModel):
    """Filters and order of the list under a name; ``query`` is that of the list's address."""

    name: str
    query: str


class ViewRequest(StrictModel):
    """The query of a view to save."""

    query: Annotated[str, StringConstraints(max_length=1_000)]


@router.get("/views")
def views(request: Request) -> list[SavedView]:
    """All saved views by name."""
    found = saved_views(server_context(request).settings.outbox)
    return [SavedView(name=name, query=query) for name, query in found.items()]


@router.put("/views/{name}")
def put_view(request: Request, name: Name, view: ViewRequest) -> SavedView:
    """Save a view; an earlier one of this name is replaced."""
    clean = "".join(letter for letter in name if letter.isprintable()).strip()
    query = "".join(letter for letter in view.query if letter.isascii() and letter.isprintable())
    if not clean:
        raise HTTPException(400, "a view needs a name")
    try:
        save_view(server_context(request).settings.outbox, clean, query)
    except TooManyViewsError as error:
        raise HTTPException(400, str(error)) from error
    return SavedView(name=clean, query=query)


@router.delete("/views/{name}", status_code=204)
def delete_view(request: Request, name: Name) -> None:
    """Delete a view. One that is not there is no mistake."""
    save_view(server_context(request).settings.outbox, name, None)
