"""``pipeline users``: who may use `pipeline serve`, and what each of them may do."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from pipeline.cli import options
from pipeline.cli.console import TerminalConsole
from pipeline.cli.terminal import echo, echo_json
from pipeline.errors import SettingsError
from pipeline.settings import STATE_FOLDER
from pipeline.web.accounts.account_store import INVITATION_DAYS, AccountError, AccountStore
from pipeline.web.accounts.api_tokens import ApiTokens
from pipeline.web.accounts.database import AccountDatabase
from pipeline.web.accounts.roles import ROLES, Role
from pipeline.web.running_server import recorded_address

DEFAULT_ADDRESS = "http://127.0.0.1:8420"
role_option = click.option(
    "--role",
    type=click.Choice(ROLES),
    default="correct",
    show_default=True,
    help="`read`: look and download. `correct`: also add, correct and ask. `admin`: also invite people.",
)


@click.group("users", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Who may use `pipeline serve`. Before the first invitation there is one user, who opens the address with the token.

    From the first invitation on, everybody signs in with an account of their own. The token is for programs then.
    """


def _store(config: Path | None, outbox: options.PathOrUrl | None) -> AccountStore:
    return AccountStore(_database(config, outbox))


def _database(config: Path | None, outbox: options.PathOrUrl | None) -> AccountDatabase:
    return AccountDatabase(_local_outbox(config, outbox) / STATE_FOLDER)


def _local_outbox(config: Path | None, outbox: options.PathOrUrl | None) -> Path:
    settings = options.read_settings(config, outbox=outbox)
    if settings.outbox_url:
        raise SettingsError("accounts are for an outbox that is a folder", "name it with --outbox")
    return settings.outbox


def _refusal(error: AccountError) -> SettingsError:
    return SettingsError(str(error), "`pipeline users list` shows the names")


@command.command("invite")
@click.argument("name")
@options.config
@options.outbox
@role_option
@click.option(
    "--address",
    metavar="URL",
    help=f"Where the person's browser reaches `pipeline serve` [where it runs now, else {DEFAULT_ADDRESS}].",
)
def invite(name: str, config: Path | None, outbox: options.PathOrUrl | None, role: Role, address: str | None) -> None:
    """Print a link with which the person NAME makes an account, or sets a new password. It works once, within 7 days.

    The first one must be for an administrator, as a rule for yourself: nobody gets in without an account from then on.

    \b
    Examples:
      pipeline users invite Ada --role admin
      pipeline users invite 'Grace Hopper' --address https://documents.example
    """
    folder = _local_outbox(config, outbox)
    store = AccountStore(AccountDatabase(folder / STATE_FOLDER))
    roles = {account.role for account in store.accounts()} | {invitation.role for invitation in store.invitations()}
    if role != "admin" and "admin" not in roles:
        raise SettingsError(
            "there is no administrator yet, and nobody gets in without an account after the first invitation",
            "invite yourself first: `pipeline users invite YOUR-NAME --role admin`",
        )
    try:
        token = store.invite(name, role)
    except AccountError as error:
        raise _refusal(error) from error
    address = address or recorded_address(folder) or DEFAULT_ADDRESS
    echo(f"{address.rstrip('/')}/invitation/{token}")
    echo(f"give this link to {name}; it works once, within {INVITATION_DAYS} days", err=True)


@command.command("list")
@options.config
@options.outbox
@options.as_json
def list_(config: Path | None, outbox: options.PathOrUrl | None, as_json: bool) -> None:
    """List accounts and open invitations: name, role, when they were here last, and the labels of tokens."""
    database = _database(config, outbox)
    store, tokens = AccountStore(database), ApiTokens(database)
    accounts, invitations = store.accounts(), store.invitations()
    owned = {account.name: tokens.of(account.name) for account in accounts}
    if as_json:
        listed = [{**asdict(account), "tokens": list(map(asdict, owned[account.name]))} for account in accounts]
        echo_json({"accounts": listed, "invitations": list(map(asdict, invitations))})
        return
    if not accounts and not invitations:
        echo("no accounts: one user opens the address with the token")
        return
    table = Table("name", "role", "last here", "tokens", box=None, pad_edge=False, header_style="bold")
    rows: list[tuple[Any, ...]] = [
        (account.name, account.role, account.used_at[:10], ", ".join(token.label for token in owned[account.name]))
        for account in accounts
    ]
    rows += [(one.name, one.role, f"invited, until {one.until[:10]}") for one in invitations]
    for row in rows:
        table.add_row(*row)
    TerminalConsole().print(table)


@command.command("role")
@click.argument("name")
@click.argument("role", type=click.Choice(ROLES))
@options.config
@options.outbox
def role_(name: str, role: Role, config: Path | None, outbox: options.PathOrUrl | None) -> None:
    """Give the person NAME another ROLE: read, correct or admin. It holds from the next request on."""
    try:
        _store(config, outbox).set_role(name, role)
    except AccountError as error:
        raise _refusal(error) from error
    echo(f"{name}: {role}")


@command.command("token")
@click.argument("name")
@click.argument("label")
@options.config
@options.outbox
def token_(name: str, label: str, config: Path | None, outbox: options.PathOrUrl | None) -> None:
    """Print a new token with which a program, called LABEL, does what the person NAME may do. It is shown only now.

    \b
    Example:
      pipeline users token Ada scanner
    """
    try:
        echo(ApiTokens(_database(config, outbox)).make(name, label))
    except AccountError as error:
        raise _refusal(error) from error


@command.command("revoke")
@click.argument("name")
@click.argument("label")
@options.config
@options.outbox
def revoke(name: str, label: str, config: Path | None, outbox: options.PathOrUrl | None) -> None:
    """Revoke the token LABEL of the person NAME, from the next request on."""
    if not ApiTokens(_database(config, outbox)).revoke(name, label):
        raise _refusal(AccountError("%(name)s has no token `%(label)s`", name=name, label=label))
    echo(f"{label} of {name} is revoked")


@command.command("remove")
@click.argument("name")
@options.config
@options.outbox
def remove(name: str, config: Path | None, outbox: options.PathOrUrl | None) -> None:
    """Remove the account of the person NAME, or an open invitation. Sessions end at once; the history keeps the name.

    Without any account left, there is one user again, with the token that `pipeline serve` prints at its next start.
    """
    try:
        _store(config, outbox).remove(name)
    except AccountError as error:
        raise _refusal(error) from error
    echo(f"{name} is removed")
