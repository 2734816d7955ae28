"""Pages to sign in and out, to accept an invitation, and for the own account. They are plain forms: no script is needed."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from pipeline.errors import SettingsError
from pipeline.web.accounts.account_store import AccountError
from pipeline.web.accounts.passwords import check_new_password, hash_password, is_right
from pipeline.web.identity import Accounts, Client, Identification, Person, cookies
from pipeline.web.page_languages import LANGUAGES
from pipeline.web.page_rendering import render

router = APIRouter(include_in_schema=False)
MAX_WANTED = 2_000
Token = Annotated[str, Path(max_length=100)]


@router.get("/sign-in")
def sign_in_page(request: Request) -> Response:
    """The page to sign in. It also stands in for any page that a stranger asks for; the status is 401 then."""
    wanted = getattr(request.state, "wanted", "")
    return _sign_in_page(request, status=401 if wanted else 200, wanted=wanted)


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """Begin a session, with a cookie of its own whatever cookies came; or give the token its cookie where there are no accounts."""
    form = await read_form(request)
    return await run_in_threadpool(_sign_in, request, form)


def _sign_in(request: Request, form: dict[str, str]) -> Response:
    identification, client = identification_of(request), client_of(request)
    name, wanted = form.get("name", ""), own_address(form.get("wanted", ""))
    if not identification.has_people():
        if not identification.is_token(form.get("token", "").strip()):
            return _sign_in_page(request, status=401, wanted=wanted, problem=AccountError("This is not the token."))
        answer = RedirectResponse(wanted, 303)
        answer.headers.append("set-cookie", identification.token_cookie_header())
        return answer
    accounts = accounts_of(request)
    if wait := accounts.throttle.attempt(name, client.address):
        page = _sign_in_page(
            request,
            status=429,
            wanted=wanted,
            name=name,
            problem=AccountError("Too many attempts. Wait a moment, then try again."),
        )
        page.headers["retry-after"] = str(int(wait) + 1)
        return page
    if not is_right(form.get("password", ""), accounts.people.password_hash(name)):
        return _sign_in_page(
            request, status=401, wanted=wanted, name=name, problem=AccountError("The name or the password is not right.")
        )
    accounts.throttle.succeeded(name, client.address)
    return _begin_session(request, name, wanted)


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """End the session."""
    identification, client = identification_of(request), client_of(request)
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.scope["headers"]]
    if identification.accounts and identification.accounts.exist:
        for session in cookies(pairs, identification.session_cookie(client)):
            await run_in_threadpool(identification.accounts.sessions.end, session)
    answer = RedirectResponse("/sign-in", 303)
    answer.headers.append("set-cookie", identification.session_cookie_header(client, ""))
    return answer


@router.get("/invitation/{token}")
def invitation_page(request: Request, token: Token) -> Response:
    """The page of an invitation, where a person sets a password. Opening it uses nothing up."""
    return _invitation_page(request, token)


@router.post("/invitation/{token}")
async def accept_invitation(request: Request, token: Token) -> Response:
    """Make the account, and sign in."""
    form = await read_form(request)
    return await run_in_threadpool(_accept, request, token, form)


def _accept(request: Request, token: str, form: dict[str, str]) -> Response:
    accounts = accounts_of(request)
    invitation = accounts.people.invitation(token)
    if invitation is None:
        return _invitation_page(request, token)
    try:
        check_repeated(form)
        check_new_password(form.get("password", ""), invitation.name)
        account = accounts.people.accept(token, hash_password(form["password"]))
    except AccountError as error:
        return _invitation_page(request, token, problem=error, status=400)
    return _begin_session(request, account.name, "/")


@router.get("/account")
def account_page(request: Request) -> Response:
    """The own account: name, role, language, password."""
    return _account_page(request)


@router.post("/account")
async def change_account(request: Request) -> Response:
    """Choose a language, make or revoke a token, or set a new password. Sessions on other devices end by that."""
    form = await read_form(request)
    return await run_in_threadpool(_change_account, request, form)


def _change_account(request: Request, form: dict[str, str]) -> Response:
    accounts, person, client = accounts_of(request), person_of(request), client_of(request)
    if "language" in form:
        accounts.people.set_language(person.name, form["language"] if form["language"] in LANGUAGES else "")
        return RedirectResponse("/account", 303)
    if person.way == "bearer":
        return _account_page(request, problem=AccountError("Sign in to change your account."), status=403)
    if "revoke" in form:
        accounts.tokens.revoke(person.name, form["revoke"])
        return RedirectResponse("/account", 303)
    if "label" in form:
        try:
            return _account_page(request, token=accounts.tokens.make(person.name, form["label"]))
        except AccountError as error:
            return _account_page(request, problem=error, status=400)
    if person.way != "session":
        return _account_page(request, problem=AccountError("Your password is not kept here."), status=400)
    if accounts.throttle.attempt(person.name, client.address):
        return _account_page(request, problem=AccountError("Too many attempts. Wait a moment, then try again."), status=429)
    if not is_right(form.get("old", ""), accounts.people.password_hash(person.name)):
        return _account_page(request, problem=AccountError("The present password is not right."), status=400)
    accounts.throttle.succeeded(person.name, client.address)
    try:
        check_repeated(form)
        check_new_password(form.get("password", ""), person.name)
    except AccountError as error:
        return _account_page(request, problem=error, status=400)
    accounts.people.set_password(person.name, hash_password(form["password"]))
    return _begin_session(request, person.name, "/account")


# ---- parts -------------------------------------------------------------------------------------------


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form that was sent as a browser does without files. The last one of a name counts."""
    text = (await request.body()).decode(errors="replace")
    try:
        return {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True, max_num_fields=50).items()}
    except ValueError:
        return {}


def check_repeated(form: dict[str, str]) -> None:
    """Raises AccountError where the new password was not typed twice in the same way."""
    if form.get("password") != form.get("again"):
        raise AccountError("the two passwords differ")


def own_address(text: str) -> str:
    """A path of this server with its query; ``/`` for anything that may lead elsewhere."""
    parts = urlsplit(text) if text.isprintable() and len(text) <= MAX_WANTED else None
    is_own = parts and not parts.scheme and not parts.netloc and text.startswith("/") and text[1:2] not in ("/", "\\")
    return text if is_own and text.isascii() and "\\" not in text and not text.startswith("/sign-") else "/"


def identification_of(request: Request) -> Identification:
    """Who may come in, as the application was made with."""
    identification: Identification = request.app.state.identification
    return identification


def accounts_of(request: Request) -> Accounts:
    """The accounts. Raises SettingsError without any."""
    accounts = identification_of(request).accounts
    if accounts is None:
        raise SettingsError("this server has no accounts", "start it with `pipeline serve`")
    return accounts


def person_of(request: Request) -> Person:
    """Who sends the request."""
    person: Person = request.state.person
    return person


def client_of(request: Request) -> Client:
    """Where the request comes from."""
    client: Client = request.state.client
    return client


def _begin_session(request: Request, name: str, wanted: str) -> Response:
    identification, client = identification_of(request), client_of(request)
    answer = RedirectResponse(wanted, 303)
    session = accounts_of(request).sessions.begin(name)
    answer.headers.append("set-cookie", identification.session_cookie_header(client, session))
    return answer


def _sign_in_page(
    request: Request, *, status: int, wanted: str, name: str = "", problem: AccountError | None = None
) -> Response:
    values = {"has_people": identification_of(request).has_people(), "wanted": own_address(wanted), "name": name[:100]}
    return render(request, "sign_in.html", {**values, "problem": problem}, status=status)


def _invitation_page(request: Request, token: str, *, problem: AccountError | None = None, status: int = 200) -> Response:
    accounts = identification_of(request).accounts
    invitation = accounts.people.invitation(token) if accounts else None
    values: dict[str, Any] = {"invitation": invitation, "token": token, "problem": problem}
    return render(request, "invitation.html", values, status=status if invitation else 404)


def _account_page(request: Request, *, problem: AccountError | None = None, status: int = 200, token: str = "") -> Response:
    """``token`` is a new one, which is shown once."""
    accounts, person = identification_of(request).accounts, person_of(request)
    tokens = accounts.tokens.of(person.name) if accounts and person.name else []
    return render(request, "account.html", {"problem": problem, "tokens": tokens, "token": token}, status=status)
