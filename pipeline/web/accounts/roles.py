"""Roles: what a person may do."""

from __future__ import annotations

from typing import Literal, get_args

Role = Literal["read", "correct", "admin"]
"""``read``: look, search and download. ``correct``: also everything that changes documents, or has one read. ``admin``: also accounts."""
ROLES: tuple[Role, ...] = get_args(Role)
SAFE_METHODS = ("GET", "HEAD")
PEOPLE_PATH = "/people"
OWN_PATHS = ("/sign-out", "/account")
"""What everybody may change: the own session, password and language."""
DOWNLOAD_PATHS = ("/api/exports", "/api/originals")
"""Requests that name documents in their body and change nothing."""
SIGN_IN_PATH, INVITATION_PATH = "/sign-in", "/invitation"
"""Pages also for people who are not known yet."""
HEALTH_PATH = "/api/health"
"""Also for programs without a token; it says only that the server answers."""


def required_role(method: str, path: str) -> Role:
    """The role that a request needs at least. A path that is not known needs as much as a change."""
    if path == PEOPLE_PATH or path.startswith(f"{PEOPLE_PATH}/"):
        return "admin"
    return "read" if method in SAFE_METHODS or path in (*OWN_PATHS, *DOWNLOAD_PATHS) or is_public(path) else "correct"


def is_public(path: str) -> bool:
    """Whether a page is also for people and programs that are not known yet."""
    return path in (SIGN_IN_PATH, HEALTH_PATH) or path.startswith(f"{INVITATION_PATH}/")


def may(role: Role, needed: Role) -> bool:
    """Whether a role includes another one."""
    return ROLES.index(role) >= ROLES.index(needed)
