"""Whether the server answers, for programs that start it and for supervisors of services."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from pipeline.web.accounts.roles import HEALTH_PATH
from pipeline.web.api.common import ERROR_RESPONSES

router = APIRouter(responses=ERROR_RESPONSES)


class Health(BaseModel):
    """The server answers."""

    status: Literal["ok"]


@router.get(HEALTH_PATH)
def health() -> Health:
    """Answers as soon as the server takes requests, also without a token. It says nothing else."""
    return Health(status="ok")
