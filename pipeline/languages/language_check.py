"""Checks one language file as its author wrote it: every mistake has its line and a suggestion."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.languages.language import NO_LANGUAGE, Language
from pipeline.yaml_files.explain import LANGUAGE_PATTERN, did_you_mean
from pipeline.yaml_files.yaml_check import validate
from pipeline.yaml_files.yaml_lines import Mistake, YamlDocument, read_yaml_file

if TYPE_CHECKING:
    from pipeline.languages.language_files import Languages

_WHOLE = "a language file must hold keys: `titles: […]`, `labels: …` and so on"


def check_language(path: Path, languages: Languages | None, mistakes: list[str]) -> Language | None:
    """The language in a file, or None. Every mistake is added to ``mistakes`` as ``FILE:LINE: message``.

    ``known`` are languages whose names of labels a file may add words to; without them any name will do.
    """
    document = read_yaml_file(path)
    if path.stem != NO_LANGUAGE and not re.fullmatch(LANGUAGE_PATTERN, path.stem):
        name = "name the file after the language's two letters, such as `de.yaml`"
        document.mistakes.append(Mistake(1, f"`{path.stem}` is not a language: {name}"))
    language = None if document.mistakes else validate(document, Language, _WHOLE)
    if language is not None and languages is not None:
        _check_label_names(document, language, languages)
    if document.mistakes:
        mistakes += document.mistake_lines(str(path))
        return None
    return language


def _check_label_names(document: YamlDocument, language: Language, languages: Languages) -> None:
    """A name that is nearly one of a built-in template is a mistake; other names are for templates of the user's own."""
    groups = {name.partition(".")[0] for name in languages.label_names}
    for group, fields in language.labels.items():
        for field in fields:
            name = f"{group}.{field}"
            if group in groups and name not in languages.label_names:
                document.add(
                    ("labels", group, field), f"there are no labels `{name}`{did_you_mean(name, sorted(languages.label_names))}"
                )
