"""What a settings file may say that was found in the current folder, rather than named with ``--config``.

Such a file may have come with the documents, from a stranger. It may say how documents are read. It may not make the program write, move
or delete outside of its own folder, use the user's credentials for a place of its choice, or open the program to other machines. The same
values are welcome from the command line, from the environment, and from a file that is named.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import SettingsError

WRITTEN_FOLDERS = ("outbox", "archive", "failed", "state")
READ_FOLDERS = ("templates", "languages")
KEY_PREFIX = "PIPELINE_"
TOKEN_VARIABLE = "PIPELINE_SERVE_TOKEN"  # noqa: S105 - the name of a variable


def check_found_file(file: Path, values: Mapping[str, Any], is_overridden: Callable[[str], bool]) -> None:
    """Raises SettingsError with every value of the file that only a named file may have.

    ``values`` are those of the file, ``is_overridden`` says of a key (``server.url``) whether the command line or the environment gives it.
    """
    mistakes = [
        f"  {key}: {value}: {reason}" for key, value, reason in _mistakes(file.parent, values) if not is_overridden(key)
    ]
    if mistakes:
        raise SettingsError(
            "\n".join([f"{file}: a settings file that was found in the current folder may not say this:", *mistakes]),
            f"if the file is yours, name it: --config {file.name}; or give these values on the command line or as PIPELINE_… variables",
        )


def _mistakes(folder: Path, values: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
    """Key, value and reason of each."""
    for key in ("inbox", *WRITTEN_FOLDERS):
        if isinstance(values.get(key), str) and "://" in values[key]:
            yield key, "(a URL)", "an object store or a mailbox is opened with your credentials"
    for key in (*WRITTEN_FOLDERS, *READ_FOLDERS):
        if _is_outside(folder, values.get(key)):
            yield key, values[key], "it lies outside of the file's folder"
    if values.get("after", "keep") != "keep" and _is_outside(folder, values.get("inbox")):
        yield "inbox", values["inbox"], "it lies outside of the file's folder, and `after` would move or delete its files"
    log, server, ray, metrics, webhooks, mailbox, serve = (
        _section(values, name) for name in ("log", "server", "ray", "metrics", "webhooks", "mailbox", "serve")
    )
    if _is_outside(folder, log.get("file")):
        yield "log.file", log["file"], "it lies outside of the file's folder"
    variable = server.get("key_variable", KEY_PREFIX)
    if not _may_be_key(variable):
        yield "server.key_variable", variable, f"the value would be sent to `server.url`; only {KEY_PREFIX}… is for that"
    for key in ("url", "hosts", "private_addresses"):
        if webhooks.get(key):
            yield f"webhooks.{key}", webhooks[key], "what is read would be sent there"
    variable = webhooks.get("key_variable", KEY_PREFIX)
    if not _may_be_key(variable):
        yield "webhooks.key_variable", variable, f"only {KEY_PREFIX}… is for that"
    for key in serve:
        if serve[key]:
            yield f"serve.{key}", serve[key], "it decides who may come in"
    yield from _mailbox_mistakes(mailbox)
    address = ray.get("address", "auto")
    if address not in ("auto", "local", ""):
        yield "ray.address", address, "a cluster executes code here"
    host = metrics.get("host", "127.0.0.1")
    if not _is_loopback(host):
        yield "metrics.host", host, "other machines could connect"


def _mailbox_mistakes(mailbox: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
    for key in ("password_command", "token_command"):
        if mailbox.get(key):
            yield f"mailbox.{key}", "(a command)", "it would be executed here"
    if mailbox.get("keyring"):
        yield "mailbox.keyring", mailbox["keyring"], "a password of yours would be sent to the mailbox's server"
    if mailbox.get("ca_file"):
        yield "mailbox.ca_file", mailbox["ca_file"], "it decides which server your password is sent to"
    variable = mailbox.get("password_variable", KEY_PREFIX)
    if not _may_be_key(variable):
        yield "mailbox.password_variable", variable, f"the value would be sent to a server; only {KEY_PREFIX}… is for that"


def _section(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = values.get(name)
    return section if isinstance(section, Mapping) else {}


def _is_outside(folder: Path, value: Any) -> bool:
    """Whether a path leads out of a folder, also by links."""
    if not isinstance(value, str | Path) or "://" in str(value):
        return False
    try:
        return not (folder / value).resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):  # a loop of links, a NUL
        return True


def _may_be_key(name: Any) -> bool:
    """Whether a variable is for a server's key. Variables of settings, which may hold passwords, have two underscores."""
    return isinstance(name, str) and name.startswith(KEY_PREFIX) and "__" not in name and name != TOKEN_VARIABLE


def _is_loopback(host: Any) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
