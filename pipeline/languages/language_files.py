"""Reads the language files: those of the package, and a user's own folder, which adds words to them or adds languages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import LanguageError
from pipeline.languages.language import NO_LANGUAGE, Language, Words, merge

BUILT_IN_FOLDER = Path(__file__).parent
_FIRST = (NO_LANGUAGE, "en", "de", "fr", "es", "it", "nl", "pl", "zh", "pt", "lv", "ms", "da", "sv", "cs")
"""The order of the languages: where two use one word, the earlier one decides. Other languages follow by their codes."""
_SUFFIXES = (".yaml", ".yml")
_CURE = "correct the lines named; pipeline/languages/en.yaml shows every key with an example"


@dataclass(frozen=True, eq=False)
class Languages:
    """All languages by code, the built-in ones and a user's together."""

    by_code: Mapping[str, Language]
    additions: str = ""
    """Sixteen hexadecimal digits over the words that the user's folder adds, labels apart; empty where it adds none.

    Labels are part of the templates and enter their digests.
    """

    @cached_property
    def words(self) -> Language:
        """The words of all languages together, without the labels."""
        return merge(list(self.by_code.values()))

    def codes(self, cldr: str) -> list[str]:
        """Languages whose names of ``months``, ``currencies`` or ``countries`` come from CLDR, in their order."""
        return [code for code, language in self.by_code.items() if cldr in language.cldr]

    def labels(self, name: str) -> dict[str, Words]:
        """The labels of one name (``invoice.total``) by language; empty where no language has it."""
        group, _, field = name.partition(".")
        by_code = {code: language.labels.get(group, {}).get(field, []) for code, language in self.by_code.items()}
        return {code: list(labels) for code, labels in by_code.items() if labels}

    @cached_property
    def label_names(self) -> frozenset[str]:
        """Every name that ``labels`` knows."""
        return frozenset(
            f"{group}.{field}"
            for language in self.by_code.values()
            for group, fields in language.labels.items()
            for field in fields
        )


@cache
def built_in_languages() -> Languages:
    """The languages of the package."""
    return Languages(_in_order({path.stem: _load_built_in(path) for path in BUILT_IN_FOLDER.glob("*.yaml")}))


def load_languages(folder: Path | None) -> Languages:
    """The built-in languages with the files of ``folder``. Raises LanguageError with a line ``FILE:LINE: message`` for every mistake."""
    built_in = built_in_languages()
    own = _load_folder(folder, built_in) if folder else {}
    if not own:
        return built_in
    merged = {code: [language] for code, language in built_in.by_code.items()}
    for code, language in own.items():
        merged.setdefault(code, []).append(language)
    return Languages(
        _in_order({code: _joined(parts) if len(parts) > 1 else parts[0] for code, parts in merged.items()}), _digest(own)
    )


def _in_order(languages: Mapping[str, Language]) -> dict[str, Language]:
    ranks = {code: rank for rank, code in enumerate(_FIRST)}
    return {code: languages[code] for code in sorted(languages, key=lambda code: (ranks.get(code, len(ranks)), code))}


def _joined(parts: list[Language]) -> Language:
    labels: dict[str, dict[str, Words]] = {}
    for part in parts:
        for group, fields in part.labels.items():
            for field, words in fields.items():
                merged = labels.setdefault(group, {}).setdefault(field, [])
                merged += [word for word in words if word not in merged]
    return merge(parts).model_copy(update={"labels": labels})


def _digest(own: Mapping[str, Language]) -> str:
    words = {
        code: language.model_dump(mode="json", exclude_defaults=True, exclude={"labels"}) for code, language in own.items()
    }
    added = {code: content for code, content in words.items() if content}
    text = json.dumps(added, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16] if added else ""


def _load_built_in(path: Path) -> Language:
    """Without the lines of the values, which cost most of the time; a test checks the files as a user's are checked."""
    return Language.model_validate(_content(yaml.compose(path.read_text("utf-8"), Loader=_TextLoader)))


class _TextLoader(getattr(yaml, "CBaseLoader", yaml.BaseLoader)):  # type: ignore[misc]
    """Takes every scalar for text, which saves most of the time that PyYAML needs."""

    def resolve(self, kind: type[yaml.Node], value: str, implicit: tuple[bool, bool]) -> str:
        """The tag of a node."""
        del kind, value, implicit
        return "tag:yaml.org,2002:str"


def _content(node: yaml.Node | None) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {key.value: _content(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_content(item) for item in node.value]
    return node.value if node else None


def _load_folder(folder: Path, built_in: Languages) -> dict[str, Language]:
    from pipeline.languages.language_check import check_language

    if not folder.is_dir():
        raise LanguageError(f"{folder}: there is no such folder of languages", "correct `languages` in the settings")
    mistakes: list[str] = []
    loaded: dict[str, Language] = {}
    for path in sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES and not path.name.startswith(".")):
        language = check_language(path, built_in, mistakes)
        if path.stem in loaded:
            mistakes.append(f"{path}:1: the language `{path.stem}` has two files")
        if language is not None:
            loaded[path.stem] = language
    if mistakes:
        raise LanguageError("\n".join(mistakes), _CURE)
    return loaded
