"""The part of the JSON API that takes the password of a document."""

from __future__ import annotations

from threading import Lock
from typing import Annotated

from fastapi import APIRouter, HTTPException, Request
from pydantic import Field, SecretStr

from pipeline.errors import DocumentError
from pipeline.run.unlocking import PasswordTrial, is_locked, unlock
from pipeline.web.api.common import (
    ANONYMOUS,
    ERROR_RESPONSES,
    Author,
    ErrorDetail,
    Id,
    StrictModel,
    open_file_record,
    server_context,
)
from pipeline.web.api.orders import OrderStatus, order_json
from pipeline.web.api.split import whole_file

router = APIRouter(prefix="/api", responses=ERROR_RESPONSES)
_turn = Lock()
"""Passwords are tried one after the other: each costs a process."""


class UnlockRequest(StrictModel):
    """The password of a document. It is in no log, no list of orders and no error message."""

    password: Annotated[SecretStr, Field(min_length=1, max_length=1_000)]
    by: Author = ""


@router.post("/documents/{id}/password", status_code=202, responses={409: {"model": ErrorDetail}})
def unlock_document(request: Request, id: Id, given: UnlockRequest) -> OrderStatus:  # noqa: A002 - the name in the URL
    """Unlock a document by its password, which is tried at once. A wrong one changes nothing; with the right one, it is read soon."""
    settings = server_context(request).settings
    password = given.password.get_secret_value()
    if not password.isprintable():
        raise HTTPException(400, "a password has no control characters")
    with open_file_record(request, id) as (ledger, record):
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
        return order_json(unlock(ledger, settings, file, password, given.by or ANONYMOUS))
