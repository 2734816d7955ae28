"""The scripts that PP-OCR's network does not know, and the Tesseract models and packages that read them.

The network has 18,000 letters: Latin with all accents, Chinese characters, kana. Of Greek it has letters without accents only, of other
scripts none; it leaves their letters out, so that a line in one of them shows as a gap.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Script:
    """A script with the models of Tesseract that read it."""

    name: str
    letters: str
    """Its letters, and the signs of money that only its models know, as a range of a regular expression."""
    models: tuple[str, ...]
    """All that are installed are tried on a page."""
    spare: tuple[str, ...]
    """Used where none of ``models`` is installed."""
    languages: frozenset[str]
    packages: tuple[str, ...]
    """The Debian packages with ``models``; other systems call them alike."""
    right_to_left: bool = False
    digits: str | None = None
    """Its own digits as a range, where it has some."""
    joined: bool = False
    """Whether Tesseract cuts its words at every letter."""
    weak_digits: bool = False
    """Whether its models misread the digits 0 to 9 and Latin letters, which PP-OCR reads well."""
    pattern: re.Pattern[str] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", re.compile(f"[{self.letters}]"))


_DIGITS = {
    "Arabic": "\u0660-\u0669\u06f0-\u06f9",
    "Devanagari": "\u0966-\u096f",
    "Thai": "\u0e50-\u0e59",
    "Bengali": "\u09e6-\u09ef",
    "Gujarati": "\u0ae6-\u0aef",
    "Gurmukhi": "\u0a66-\u0a6f",
    "Kannada": "\u0ce6-\u0cef",
    "Telugu": "\u0c66-\u0c6f",
    "Malayalam": "\u0d66-\u0d6f",
}


def _script(name: str, letters: str, models: str, spare: str, languages: str, packages: str, *options: str) -> Script:
    return Script(
        name,
        letters,
        tuple(models.split()),
        tuple(spare.split()),
        frozenset(languages.split()),
        tuple(f"tesseract-ocr-{package}" for package in packages.split()),
        right_to_left="right to left" in options,
        digits=_DIGITS.get(name),
        joined="joined" in options,
        weak_digits="weak digits" in options,
    )


SCRIPTS = (
    _script("Cyrillic", "\u0400-\u052f", "Cyrillic", "rus ukr bul srp", "ru uk bg sr mk be kk ky mn", "script-cyrl"),
    _script("Greek", "\u0370-\u03ff\u1f00-\u1fff", "ell", "Greek", "el", "ell"),
    _script("Arabic", "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc", "ara fas", "Arabic", "ar fa ur ps", "ara fas",
            "right to left", "weak digits"),
    _script("Hebrew", "\u0590-\u05ff\ufb1d-\ufb4f\u20aa", "heb", "Hebrew", "he yi", "heb", "right to left", "weak digits"),
    _script("Devanagari", "\u0900-\u097f\u20b9", "hin", "Devanagari", "hi mr ne", "hin", "weak digits"),
    _script("Thai", "\u0e00-\u0e7f", "tha", "Thai", "th", "tha", "joined", "weak digits"),
    _script("Hangul", "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af", "kor", "Hangul", "ko", "kor", "joined", "weak digits"),
    _script("Bengali", "\u0980-\u09ff", "ben", "Bengali", "bn as", "ben", "weak digits"),
    _script("Tamil", "\u0b80-\u0bff", "tam", "Tamil", "ta", "tam", "weak digits"),
    _script("Telugu", "\u0c00-\u0c7f", "tel", "Telugu", "te", "tel", "weak digits"),
    _script("Kannada", "\u0c80-\u0cff", "kan", "Kannada", "kn", "kan", "weak digits"),
    _script("Malayalam", "\u0d00-\u0d7f", "mal", "Malayalam", "ml", "mal", "weak digits"),
    _script("Gujarati", "\u0a80-\u0aff", "guj", "Gujarati", "gu", "guj", "weak digits"),
    _script("Gurmukhi", "\u0a00-\u0a7f", "pan", "Gurmukhi", "pa", "pan", "weak digits"),
    _script("Armenian", "\u0530-\u058f", "hye", "Armenian", "hy", "hye"),
    _script("Georgian", "\u10a0-\u10ff", "kat", "Georgian", "ka", "kat"),
)  # fmt: skip
"""The most frequent ones on documents first."""
ALL_LANGUAGES = frozenset(language for script in SCRIPTS for language in script.languages)
"""Languages that need Tesseract, by their ISO 639-1 codes."""
DEFAULT_SCRIPTS = ("Cyrillic", "Greek", "Arabic", "Hebrew", "Devanagari", "Thai", "Hangul")
"""What ``pipeline doctor`` names where the settings do not say which languages are needed."""


def wanted_scripts(languages: Collection[str]) -> tuple[Script, ...]:
    """The scripts of these languages; all where none is named."""
    return tuple(script for script in SCRIPTS if not languages or script.languages & set(languages))


def install_command(scripts: Collection[Script]) -> str:
    """The one command that brings the models for these scripts to Debian and Ubuntu."""
    return " ".join(["sudo apt-get install tesseract-ocr", *(package for script in scripts for package in script.packages)])


def missing_models(script: Script, installed: Collection[str]) -> tuple[str, ...]:
    """The models that are not installed of a script that is read with only some of its own, as Arabic without Persian's.

    Empty for a script that spare models read, or none.
    """
    missing = tuple(model for model in script.models if model not in installed)
    return missing if len(missing) < len(script.models) else ()


def available_models(script: Script, installed: Collection[str]) -> tuple[str, ...]:
    """The models to try for a script: those of its own that are installed, else the spare ones together; none where it cannot be read."""
    own = tuple(model for model in script.models if model in installed)
    spare = "+".join(model for model in script.spare if model in installed)
    return own or ((spare,) if spare else ())
