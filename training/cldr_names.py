"""``python -m training.cldr_names``: write ``pipeline/languages/cldr.json`` again, from the version of babel that is installed."""

from __future__ import annotations

import json
from typing import Any, get_args

import babel.localedata

from pipeline.languages.cldr import FILE, Kind, names_of_babel
from pipeline.languages.language_files import built_in_languages


def cldr_names() -> dict[str, dict[str, Any]]:
    """The names of each kind by language, for the built-in languages that take them from CLDR."""
    names: dict[str, dict[str, Any]] = {kind: {} for kind in get_args(Kind)}
    for code, language in sorted(built_in_languages().by_code.items()):
        babel.localedata._cache.clear()  # else babel gives names of the language that was asked first to others that have none
        for kind in language.cldr:
            names[kind][code] = names_of_babel(kind, code)
    return names


def main() -> None:
    """Write the file, one line a language and kind."""
    kinds = []
    for kind, languages in cldr_names().items():
        lines = ",\n".join(f'  "{code}": {json.dumps(names, ensure_ascii=False)}' for code, names in languages.items())
        kinds.append(f' "{kind}": {{\n{lines}\n }}')
    FILE.write_text("{\n" + ",\n".join(kinds) + "\n}\n", "utf-8")


if __name__ == "__main__":
    main()
