"""Settings keys of older versions. They are still read, and one line for each names the key that replaces it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pipeline.errors import SettingsError

_INTEGER = TypeAdapter(int)
MAX_VALUE_LENGTH = 40
"""Characters of a value that a message repeats; a longer value is left out."""


def _keep(value: Any) -> Any:
    return value


def _add_one(value: Any) -> Any:
    """``retries`` counted the answers after the first; attempts count the first one too."""
    try:
        return _INTEGER.validate_python(value) + 1
    except ValidationError:  # the validation of the settings refuses it, under its new name
        return value


def _is_read(value: Any) -> Any:
    """``read`` and ``ignore`` became true and false; other values are left for the validation to refuse."""
    return {"read": True, "ignore": False}.get(value, value) if isinstance(value, str) else value


@dataclass(frozen=True)
class RenamedKey:
    """An old key, the key that replaces it, and the function that turns the old value into the new one."""

    old: str
    new: str
    convert: Callable[[Any], Any] = _keep

    def variable(self, key: str, prefix: str) -> str:
        """The environment variable of a key, in lower case."""
        return prefix + key.replace(".", "__")


RENAMED_KEYS = (
    RenamedKey("retries", "retry.answer_attempts", _add_one),
    RenamedKey("einvoices", "read_einvoices", _is_read),
    RenamedKey("limits.attempts", "retry.reader_attempts"),
    RenamedKey("retry.attempts", "retry.page_attempts"),
    RenamedKey("retry.minutes", "retry.wait_minutes"),
    RenamedKey("retry.breaker", "retry.stop_after_failures"),
    RenamedKey("retry.engine_seconds", "retry.watchdog_seconds"),
    RenamedKey("retry.deaths", "retry.crash_attempts"),
    RenamedKey("intake.quiet_seconds", "intake.unchanged_seconds"),
    RenamedKey("intake.patience_seconds", "intake.wait_seconds"),
    RenamedKey("intake.observer", "intake.change_detection"),
    RenamedKey("server.sees", "server.accepts_images"),
    RenamedKey("server.attempts", "server.request_attempts"),
    RenamedKey("ray.ahead", "ray.units_per_actor"),
    RenamedKey("ray.wait_seconds", "ray.timeout_seconds"),
)


def upgrade_file(values: Mapping[str, Any], file: object) -> tuple[dict[str, Any], list[str]]:
    """The values of a settings file under today's keys, and a line for each old key in it.

    Raises SettingsError when an old key stands beside the key that replaces it.
    """
    upgraded = {key: dict(value) if isinstance(value, dict) else value for key, value in values.items()}
    messages = []
    for renamed in RENAMED_KEYS:
        section, _, key = renamed.old.rpartition(".")
        holder = upgraded.get(section) if section else upgraded
        if not isinstance(holder, dict) or key not in holder:
            continue
        old_value = holder.pop(key)
        new_section, _, new_key = renamed.new.rpartition(".")
        target = upgraded.setdefault(new_section, {}) if new_section else upgraded
        if not isinstance(target, dict):
            continue  # the validation refuses this section
        if new_key in target:
            raise _both_given(str(file), renamed.old, renamed.new)
        target[new_key] = new_value = renamed.convert(old_value)
        messages.append(f"{file}: `{renamed.old}{_value(': ', old_value)}` is now `{renamed.new}{_value(': ', new_value)}`")
    return upgraded, messages


def upgrade_environment(variables: Mapping[str, str | None], prefix: str) -> tuple[dict[str, str | None], list[str]]:
    """Environment variables under today's keys, and a line for each old one. Names are in lower case and begin with ``prefix``.

    A section may also be one variable that holds a JSON object. Raises SettingsError when an old key stands beside the new one.
    """
    upgraded = dict(variables)
    messages = []
    for renamed in RENAMED_KEYS:
        old, new = renamed.variable(renamed.old, prefix), renamed.variable(renamed.new, prefix)
        section, _, key = renamed.old.rpartition(".")
        sections = {
            name: _json_object(upgraded.get(prefix + name)) for name in {section, renamed.new.rpartition(".")[0]} - {""}
        }
        if old in upgraded:
            name, old_value = old, upgraded.pop(old)
        elif section and key in sections[section]:
            name, old_value = prefix + section, _text(sections[section].pop(key))
            upgraded[name] = json.dumps(sections[section])
        else:
            continue
        new_section, _, new_key = renamed.new.rpartition(".")
        if new in upgraded or (new_section and new_key in sections[new_section]):
            raise _both_given("the environment", old.upper(), new.upper())
        upgraded[new] = new_value = _text(renamed.convert(old_value))
        given = f"{old.upper()}{_value('=', old_value)}" if name == old else f"`{key}` in {name.upper()}"
        messages.append(f"{given} is now {new.upper()}{_value('=', new_value)}")
    return upgraded, messages


def _both_given(where: str, old: str, new: str) -> SettingsError:
    return SettingsError(
        f"{where}: both `{old}` and `{new}` are given; they are the old and the new name of one key", f"keep `{new}` only"
    )


def _json_object(text: str | None) -> dict[str, Any]:
    """The object that a variable holds; an empty one where it holds something else, which the validation refuses."""
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str | None) else json.dumps(value)


def _value(separator: str, value: Any) -> str:
    """A short value as a message repeats it; nothing for a long one."""
    if isinstance(value, bool):
        return f"{separator}{str(value).lower()}"
    if isinstance(value, int | float) and abs(value) < 10**9:
        return f"{separator}{value}"
    if isinstance(value, str) and len(value) <= MAX_VALUE_LENGTH and value.isprintable():
        return f"{separator}{value}"
    return ""
