"""The page on which an admin invites people, and changes what they may do."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from pipeline.web.accounts.account_store import AccountError, account_key
from pipeline.web.accounts.roles import ROLES, may
from pipeline.web.page_rendering import render
from pipeline.web.sign_in_pages import accounts_of, client_of, person_of, read_form

router = APIRouter(prefix="/people", include_in_schema=False)


@router.get("")
def people_page(request: Request) -> Response:
    """Accounts and open invitations."""
    return _people_page(request)


@router.post("/invite")
async def invite(request: Request) -> Response:
    """Make an invitation; its link is on the page that answers, and nowhere else."""
    form = await read_form(request)
    return await run_in_threadpool(_invite, request, form)


def _invite(request: Request, form: dict[str, str]) -> Response:
    _require_admin(request)
    try:
        role = next(role for role in ROLES if role == form.get("role"))
        token = accounts_of(request).people.invite(form.get("name", ""), role)
    except StopIteration:
        return _people_page(request, problem=AccountError("there is no such role"), status=400)
    except AccountError as error:
        return _people_page(request, problem=error, status=400)
    scheme = "https" if client_of(request).is_secure else "http"
    link = f"{scheme}://{request.headers['host']}/invitation/{token}"
    return _people_page(request, link=link, invited=form.get("name", ""))


@router.post("/role")
async def set_role(request: Request) -> Response:
    """Change a role."""
    form = await read_form(request)
    return await run_in_threadpool(_change, request, form, remove=False)


@router.post("/remove")
async def remove(request: Request) -> Response:
    """Delete an account or an invitation."""
    form = await read_form(request)
    return await run_in_threadpool(_change, request, form, remove=True)


def _change(request: Request, form: dict[str, str], *, remove: bool) -> Response:
    _require_admin(request)
    people, name, role = accounts_of(request).people, form.get("name", ""), form.get("role")
    own = account_key(name) == account_key(person_of(request).name)
    try:
        if remove:
            people.remove(name, keep_admin=True)
        else:
            people.set_role(name, next(known for known in ROLES if known == role), keep_admin=True)
    except StopIteration:
        return _people_page(request, problem=AccountError("there is no such role"), status=400)
    except AccountError as error:
        return _people_page(request, problem=error, status=400)
    return RedirectResponse("/" if own else "/people", 303)


def _require_admin(request: Request) -> None:
    """Raises HTTPException 403. The access control asks for the same, by the path."""
    if not may(person_of(request).role, "admin"):
        raise HTTPException(403, "your role does not include this")


def _people_page(
    request: Request, *, problem: AccountError | None = None, status: int = 200, link: str = "", invited: str = ""
) -> Response:
    _require_admin(request)
    people = accounts_of(request).people
    values: dict[str, Any] = {"accounts": people.accounts(), "invitations": people.invitations(), "roles": ROLES}
    return render(request, "people.html", {**values, "problem": problem, "link": link, "invited": invited}, status=status)
