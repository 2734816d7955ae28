"""The part of the JSON API that takes the password of a document."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import Annotated

from fastapi import APIRouter, HTTPException, Request
from pydantic import Field, SecretStr

from pipeline.errors import DocumentError
from pipeline.run.unlocking import PasswordTrial, is_locked, unlock
from pipeline.web.api.common import (
    ERROR_RESPONSES,
    Author,
    ErrorDetail,
    Id,
    StrictModel,
    author,
    open_file_record,
    server_context,
)
from pipeline.web.api.orders import OrderStatus, order_json
from pipeline.web.api.split import whole_file

router = APIRouter(prefix="/api", responses=ERROR_RESPONSES)
_turn = Lock()
"""Passwords are tried one after the other: each costs a process."""
MAX_WAITING = 4
"""Requests that try a password or wait for their turn. Further ones are refused: each takes a thread that other requests need."""
_places = BoundedSemaphore(MAX_WAITING)
RETRY_AFTER_SECONDS = 5


class UnlockRequest(StrictModel):
    """The password of a document. It is in no log, no list of orders and no error message."""

    password: Annotated[SecretStr, Field(min_length=1, max_length=1_000)]
    by: Author = ""


@contextmanager
def _place() -> Iterator[None]:
    """One of the places for trials. Raises HTTPException 429 where none is free."""
    if not _places.acquire(blocking=False):
        raise HTTPException(429, "other passwords are being tried: try again soon", {"retry-after": str(RETRY_AFTER_SECONDS)})
    try:
        yield
    finally:
        _places.release()


@router.post("/documents/{id}/password", status_code=202, responses={409: {"model": ErrorDetail}, 429: {"model": ErrorDetail}})
def unlock_document(request: Request, id: Id, given: UnlockRequest) -> OrderStatus:  # noqa: A002 - the name in the URL
    """Unlock a document by its password, which is tried at once. A wrong one changes nothing; with the right one, it is read soon."""
    settings = server_context(request).settings
    password = given.password.get_secret_value()
    if not password.isprintable():
        raise HTTPException(400, "a password has no control characters")
    with _place(), open_file_record(request, id) as (ledger, record):
        file = whole_file(ledger, record)
        if not is_locked(ledger, file):
            raise HTTPException(409, "it needs no password")
        try:
            with _turn, PasswordTrial(settings) as trial:
                is_right = trial.opens(ledger, file, password)
        except DocumentError as error:
            raise HTTPException(409, f"the password cannot be tried: {error.detail}") from error
        if not is_right:
            raise HTTPException(409, "this password does not open it; nothing was changed")
        return order_json(unlock(ledger, settings, file, password, author(request, given.by)))
