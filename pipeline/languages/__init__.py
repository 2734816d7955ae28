"""The words of many languages as data: one YAML file a language, and a user's own files that add to them.

``use`` names the user's folder, ``active`` gives the languages in force. Processes that this one starts use the same folder.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pipeline.languages.language import Language
from pipeline.languages.language_files import Languages, load_languages

__all__ = ["FOLDER_VARIABLE", "Language", "Languages", "active", "from_words", "use"]

FOLDER_VARIABLE = "PIPELINE_LANGUAGE_FOLDER"
"""Environment variable that hands the user's folder to processes that this one starts. The settings do not read it."""
Derived = TypeVar("Derived")
_active: Languages | None = None


def use(folder: Path | None) -> Languages:
    """Makes the built-in languages and those of ``folder`` the ones in force, also in processes started from now on.

    Raises LanguageError with file and line of every mistake.
    """
    global _active
    languages = load_languages(folder)
    if folder is None:
        os.environ.pop(FOLDER_VARIABLE, None)
    else:
        os.environ[FOLDER_VARIABLE] = str(folder.resolve())
    _active = languages
    return languages


def active() -> Languages:
    """The languages in force: those of ``use``, else the built-in ones with the folder that the environment names."""
    if _active is None:
        folder = os.environ.get(FOLDER_VARIABLE)
        return use(Path(folder) if folder else None)
    return _active


def from_words(make: Callable[[Languages], Derived]) -> Callable[[], Derived]:
    """A function without arguments that gives what ``make`` makes of the languages in force; it is made once for them."""
    cache: tuple[Languages, Derived] | None = None

    def get() -> Derived:
        nonlocal cache
        languages = active()
        if cache is None or cache[0] is not languages:
            cache = languages, make(languages)
        return cache[1]

    return get
