"""Numbers with check digits of all countries, by the name of a module of python-stdnum: ``ean``, ``luhn``, ``de.stnr``, ``fr.siren``."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}(?:\.[a-z][a-z0-9_]{0,30})?")
_LONGEST = 100


@lru_cache(maxsize=256)
def is_number_format(name: str) -> bool:
    """Whether python-stdnum has a module of this name that validates numbers. Nothing is imported for it but the package's folders."""
    if not _NAME.fullmatch(name) or name in ("util", "exceptions", "numdb"):
        return False
    try:
        spec = find_spec(f"stdnum.{name}")
    except ModuleNotFoundError:
        return False
    return spec is not None and spec.submodule_search_locations is None


@lru_cache(maxsize=64)
def _module(name: str) -> ModuleType:
    return import_module(f"stdnum.{name}")


def has_check_digits(name: str, text: str) -> bool:
    """Whether a text is a valid number of a format for which ``is_number_format`` holds. Blanks and marks are no matter."""
    if len(text) > _LONGEST:
        return False
    try:
        return bool(_module(name).is_valid(text))
    except Exception:  # its modules raise many types on texts that are no numbers
        return False
