"""Reads the settings file: its values as they are written, with paths relative to the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import yaml
from pydantic_settings import PydanticBaseSettingsSource

from pipeline import object_urls
from pipeline.errors import SettingsError

FILE_NAME = "pipeline.yaml"
PATH_KEYS = ("inbox", "outbox", "templates", "languages", "state", "archive", "failed")


class SettingsFile(PydanticBaseSettingsSource):
    """The values of the settings file, as the settings take them."""

    values: ClassVar[dict[str, Any]] = {}
    """Those of the file that is being loaded."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        """One value of the file."""
        del field
        return self.values.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """All values of the file, also unknown keys: the validation refuses those."""
        return dict(self.values)


def configs_folder() -> Path:
    """The folder of the built-in settings and templates: inside an installed package, beside the package in a checkout."""
    inside = Path(__file__).parent / "configs"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "configs"


def find_settings_file(folder: Path) -> Path | None:
    """The settings file that a command in ``folder`` uses without ``--config``; None where there is none."""
    return folder / FILE_NAME if (folder / FILE_NAME).is_file() else None


def read_settings_file(file: Path) -> dict[str, Any]:
    """The values of a file. Raises SettingsError where it cannot be read or is no mapping."""
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except Exception as error:  # a wrong date, number or tag raises an exception of any type
        raise SettingsError(
            f"{file}: cannot be read: {error}", "check the path after --config, and that it is YAML in UTF-8"
        ) from error
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise SettingsError(f"{file}: is not a list of `key: value` lines", f"compare with {configs_folder() / FILE_NAME}")
    for key in PATH_KEYS:
        if isinstance(values.get(key), str) and not object_urls.is_url(values[key]):
            values[key] = file.parent / _expand_home(file, key, values[key])
    for section, key in (("log", "file"), ("mailbox", "ca_file"), ("serve", "certificate"), ("serve", "certificate_key")):
        within = values.get(section)
        if isinstance(within, dict) and isinstance(within.get(key), str):
            within[key] = file.parent / _expand_home(file, f"{section}.{key}", within[key])
    return values


def _expand_home(file: Path, key: str, path: str) -> Path:
    """A path whose ``~`` or ``~user`` is replaced. Raises SettingsError where there is no such user."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise SettingsError(f"{file}: {key}: `{path}`: {error}", "write the whole path") from error
