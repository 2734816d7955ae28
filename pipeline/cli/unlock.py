"""``pipeline unlock``: give the password of a document, which is read then."""

from __future__ import annotations

import fnmatch
import getpass
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from pipeline.cli import options
from pipeline.cli.console import RunScreen, plural
from pipeline.cli.file_argument import find_file
from pipeline.cli.monitors import monitor_command
from pipeline.cli.run import exit_with_result, print_report
from pipeline.cli.signals import stop_on_signals
from pipeline.cli.terminal import echo, echo_json
from pipeline.errors import DocumentError, ExitCode, LockedError, SettingsError
from pipeline.ledger.contained_records import locked_names
from pipeline.ledger.document_passwords import DocumentPasswords
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.replacement import has_ledger
from pipeline.remote.local_copy import other_machine, update_local_copy
from pipeline.run.job import open_job, open_ledger
from pipeline.run.loop import Loop
from pipeline.run.unlocking import PasswordTrial, is_locked, locked_inside, unlock
from pipeline.settings import STATE_FOLDER, Settings

MAX_PASSWORD = 1_000
"""Letters."""


@click.command("unlock")
@click.argument("files", nargs=-1)
@options.folders
@options.engine
@options.model
@click.option("--password-env", metavar="NAME", help="Take the password from this variable of the environment.")
@click.option("--remove", is_flag=True, help="Delete the passwords of FILES; nothing is read.")
@options.as_json
def command(
    files: tuple[str, ...],
    config: Path | None,
    inbox: options.PathOrUrl | None,
    outbox: options.PathOrUrl | None,
    engine: str | None,
    model: str | None,
    password_env: str | None,
    remove: bool,
    as_json: bool,
) -> None:
    """Give the password of FILES, and have them read. Without FILES, list what lacks a password.

    FILES are files of the inbox or of the folder for failed files, names in the outbox, parts of containers (mail.eml/invoice.pdf), or
    patterns of such names ('2026-*.pdf'); an archive or a mail stands for all in it that lacks a password. All have the same password:
    it is asked for without being shown, or taken from the first line of standard input, or from a variable of the environment. A wrong
    password changes nothing. It is kept, encrypted, for these documents only.

    \b
    Examples:
      pipeline unlock
      pipeline unlock statement.pdf
      pipeline unlock 'bank/*.pdf' mail.eml/scans.zip --password-env BANK_PASSWORD
      pass show bank | pipeline unlock statement.pdf
    """
    settings = options.read_settings(config, inbox=inbox, outbox=outbox, engine=engine, model=model)
    update_local_copy(settings)
    if machine := other_machine(settings):
        raise LockedError(f"a run on {machine} works for {settings.outbox_location}", "unlock there, or when it has ended")
    if not has_ledger(settings.outbox / STATE_FOLDER):
        raise SettingsError(f"nothing was read into {settings.outbox_location} yet", "name the outbox with --outbox")
    with open_ledger(settings) as ledger:
        if not files:
            _list(ledger, as_json=as_json)
            return
        records = _records(ledger, settings, files, locked=not remove)
        if remove:
            _remove(settings, records, as_json=as_json)
            return
        unlocked, refused = _unlock(ledger, settings, records, _password(password_env))
    for name, why in refused.items():
        echo(f"not unlocked: {name}: {why}", err=True)
    waits = False
    try:
        waits = bool(unlocked) and not _read(settings, as_json=as_json)
    finally:  # what is unlocked stays so when the reading fails or is interrupted
        if as_json:
            echo_json({"unlocked": unlocked, "refused": refused, "read_by_other_run": waits})
    if waits and not as_json:
        echo(f"unlocked: {', '.join(unlocked)}\nThe run that works on the outbox reads this within seconds.")
    if refused:
        raise click.exceptions.Exit(ExitCode.SOME_FAILED)


def _list(ledger: Ledger, *, as_json: bool) -> None:
    names = locked_names(ledger)
    if as_json:
        echo_json({"locked": names})
        return
    for name in names:
        echo(name)
    if not names:
        echo("no document lacks a password")


def _records(ledger: Ledger, settings: Settings, files: Sequence[str], *, locked: bool) -> list[FileRecord]:
    """The files that the arguments name, each once. Raises SettingsError for one that is not known, or not locked."""
    found: dict[str, FileRecord] = {}
    names = locked_names(ledger)
    for text in files:
        record = find_file(ledger, settings, text)
        fitting = [] if record else [ledger.file_by_name(name) for name in names if fnmatch.fnmatchcase(name, text)]
        matching = [record] if record else [item for item in fitting if item]
        if not matching:
            raise SettingsError(
                f"{text}: no document that was read",
                "`pipeline unlock` lists what lacks a password; a file that is new is read first: `pipeline run`",
            )
        for item in matching:
            inside = [] if not locked or is_locked(ledger, item) else locked_inside(ledger, item)
            if locked and not inside and not is_locked(ledger, item):
                raise SettingsError(f"{item.source.name}: needs no password", "`pipeline unlock` lists what lacks one")
            found |= {each.source.name: each for each in inside or [item]}
    return list(found.values())


def _password(variable: str | None) -> str:
    """The password, never from the command line, where other users see it. Raises SettingsError."""
    if variable:
        password = os.environ.get(variable, "")
        if not password:
            raise SettingsError(f"--password-env {variable}: this variable is not set", "set it, or leave the option out")
    elif sys.stdin.isatty():
        password = str(click.prompt("Password", hide_input=True, err=True))
    else:
        password = sys.stdin.buffer.readline(4 * MAX_PASSWORD + 2).decode(errors="replace").rstrip("\r\n")
    if not password or len(password) > MAX_PASSWORD or not password.isprintable():
        raise SettingsError("there is no password, or it is none", "type it, or give it as the first line of standard input")
    return password


def _unlock(
    ledger: Ledger, settings: Settings, records: Sequence[FileRecord], password: str
) -> tuple[list[str], dict[str, str]]:
    """Names of what the password opens, which is ordered to be read; and why it does not open the others."""
    unlocked, refused = [], {}
    with PasswordTrial(settings) as trial:
        for record in records:
            name = record.source.name
            try:
                is_right = trial.opens(ledger, record, password)
            except DocumentError as error:
                refused[name] = error.detail
                continue
            if is_right:
                unlock(ledger, settings, record, password, getpass.getuser())
                unlocked.append(name)
            else:
                refused[name] = "this password does not open it; nothing was changed"
    return unlocked, refused


def _remove(settings: Settings, records: Sequence[FileRecord], *, as_json: bool) -> None:
    passwords = DocumentPasswords(settings.outbox / STATE_FOLDER)
    removed = [record.source.name for record in records if passwords.remove(record.sha256)]
    if as_json:
        echo_json({"removed": removed})
    else:
        echo(f"the passwords of {plural(len(removed), 'document')} are deleted; the results stay")


def _read(settings: Settings, *, as_json: bool) -> bool:
    """Read what was unlocked. Returns False where a run is at work, which does that."""
    screen = RunScreen(logs_to_stderr=settings.log.as_json)
    try:
        with (
            monitor_command("unlock", settings, screen, quiet=as_json) as monitor,
            open_job(settings) as job,
            Loop(job, monitor, archive_files=True) as loop,
            monitor.observe(job, loop),
        ):

            def stop() -> None:
                loop.stopping = True

            with stop_on_signals(stop, monitor.signal_received), screen.progress_bar(as_json):
                loop.answer_questions()
                loop.publisher.tidy()
            if not as_json:
                print_report(screen, settings, quiet=False, as_json=False)
            exit_with_result(loop, screen)
    except LockedError:
        return False
    return True
