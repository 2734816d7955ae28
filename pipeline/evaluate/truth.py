"""Reads the truth that people wrote: JSON Lines or CSV, also the CSV files of an outbox after a person corrected them."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from pipeline.checks.value_comparison import is_absent
from pipeline.errors import SettingsError, TruthError
from pipeline.evaluate.expected import Expected, Truth, is_list, parse_expected
from pipeline.publish.csv_cells import true_text
from pipeline.records import Json
from pipeline.templates.template import SHEET_COLUMNS, TABLE_COLUMNS, TEXT_KINDS, Template, TemplateField
from pipeline.yaml_files.explain import did_you_mean

NAMES = ("truth.jsonl", "truth.csv")
"""Files that are looked for in the folder, in this order."""
NULL = "null"
"""A cell of a CSV with this text means that the document does not state the field. An empty cell is not scored."""
MAX_MISTAKES = 10
_ABOUT = ("language", "layout")
_CURE = "see docs/eval.md for the forms that truth can have"


@dataclass(slots=True)
class TruthRow:
    """The truth of one document as it was written; its fields are not parsed yet."""

    where: str
    file: str
    fields: dict[str, Json] = field(default_factory=dict)
    language: str = ""
    layout: str = ""
    country: str = ""
    medium: str = ""
    tables: dict[str, Json] = field(default_factory=dict)
    """Lists of rows that stand beside the fields. Such a name that is no table of the template is a note of the user's."""
    aliases: dict[str, Json] = field(default_factory=dict)
    """Other values that are right, too, by field."""


def find_truth(folder: Path) -> Path:
    """The truth file of a folder. Raises TruthError."""
    path = next((folder / name for name in NAMES if (folder / name).is_file()), None)
    if path is None:
        raise TruthError(
            f"{folder}: there is no truth here ({' or '.join(NAMES)})",
            "name it with --truth, or use --e-invoices; docs/eval.md",
        )
    return path


def read_truth(path: Path) -> list[TruthRow]:
    """All documents of a truth file, in its order. Raises TruthError with file and line."""
    text = _text(path)
    rows = list(_from_csv(path, text) if path.suffix.lower() == ".csv" else _from_json_lines(path, text))
    if not rows:
        raise TruthError(f"{path}: holds no document", _CURE)
    return rows


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise TruthError(f"{path}: not UTF-8 (byte {error.start})", "save the file as UTF-8") from error
    except OSError as error:
        raise TruthError(f"{path}: cannot be read: {error.strerror or error}", "check the path") from error


# ---- JSON Lines ---------------------------------------------------------------------------------


def _from_json_lines(path: Path, text: str) -> Iterator[TruthRow]:
    files: set[str] = set()
    for number, line in enumerate(text.split("\n"), 1):  # other line ends may stand inside of strings
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:  # numbers stay as they are written: 12.50 is no float
            row = json.loads(line, parse_float=str, parse_int=str, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise TruthError(f"{where}: not JSON: {error}", _CURE) from error
        if not isinstance(row, dict) or not isinstance(row.get("file"), str) or not row["file"]:
            raise TruthError(f"{where}: not an object with a `file`", _CURE)
        yield _once(files, _truth_row(where, row))


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _truth_row(where: str, row: Mapping[str, Json]) -> TruthRow:
    """A row of JSON Lines. Beside ``fields`` other keys are ignored; without it all other keys are the fields."""
    if "fields" not in row:
        fields = {key: row[key] for key in row if key not in (*SHEET_COLUMNS, *_ABOUT)}
        return TruthRow(where, row["file"], fields, _text_of(row, "language"), _text_of(row, "layout"))
    tables = {key: value for key, value in row.items() if _is_rows(value)}
    return TruthRow(
        where,
        row["file"],
        _known_fields(where, row, tables),
        _text_of(row, "language"),
        _text_of(row, "layout"),
        _text_of(row, "country"),
        _text_of(row, "medium"),
        tables,
        _object(where, row, "aliases"),
    )


def _text_of(row: Mapping[str, Json], key: str) -> str:
    return str(row.get(key) or "")


def _is_rows(value: Json) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _known_fields(where: str, row: Mapping[str, Json], tables: Mapping[str, Json]) -> dict[str, Json]:
    """The fields to score: only those of ``scored`` where there is such a list, and those of ``absent`` as null."""
    known, absent = _object(where, row, "fields"), _names(where, row, "absent")
    if row.get("scored") is not None:
        stated = {**tables, **known}
        if unknown := [name for name in _names(where, row, "scored") if name not in stated]:
            raise TruthError(f"{where}: `scored` names `{unknown[0]}`, of which there is no value", _CURE)
        known = {name: stated[name] for name in _names(where, row, "scored")}
    if both := [name for name in absent if not is_absent(known.get(name))]:
        raise TruthError(f"{where}: `{both[0]}` has a value and is `absent` at once", _CURE)
    return {**known, **dict.fromkeys(absent)}


def _object(where: str, row: Mapping[str, Json], key: str) -> dict[str, Json]:
    value = row.get(key) or {}
    if not isinstance(value, dict):
        raise TruthError(f"{where}: `{key}` is not an object", _CURE)
    return dict(value)


def _names(where: str, row: Mapping[str, Json], key: str) -> list[str]:
    names = row.get(key) or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TruthError(f"{where}: `{key}` is not a list of fields", _CURE)
    return names


def _once(files: set[str], row: TruthRow) -> TruthRow:
    if row.file in files:
        raise TruthError(f"{row.where}: `{row.file}` is in the file twice", "one line a document")
    files.add(row.file)
    return row


# ---- CSV ----------------------------------------------------------------------------------------


def _from_csv(path: Path, text: str) -> Iterator[TruthRow]:
    """One line a document; columns ``table.column`` may go on in further lines of the same file."""
    documents: dict[str, TruthRow] = {}
    for where, row in _lines(path, text):
        cells = {key: value for key, value in row.items() if value != "" and key not in (*SHEET_COLUMNS, *_ABOUT)}
        plain = {key: _cell(value) for key, value in cells.items() if "." not in key}
        if row["file"] not in documents:
            documents[row["file"]] = TruthRow(where, row["file"], plain, _text_of(row, "language"), _text_of(row, "layout"))
        elif any(documents[row["file"]].fields.get(key) != value for key, value in plain.items()):
            raise TruthError(f"{where}: `{row['file']}` is in the file twice, with different values", "one line a document")
        for table in {key.partition(".")[0] for key in cells if "." in key}:
            line = {key.partition(".")[2]: _cell(value) for key, value in cells.items() if key.startswith(f"{table}.")}
            documents[row["file"]].fields.setdefault(table, []).append(line)
    for sheet in sorted(path.parent.glob(f"{_globbed(path.stem)}.*.csv")):
        table = sheet.name.removeprefix(f"{path.stem}.").removesuffix(".csv")
        if "(changed " in table:  # an older copy of a person's (see publish.own_files)
            continue
        for where, row in _lines(sheet, _text(sheet)):
            line = {key: _cell(value) for key, value in row.items() if value != "" and key not in TABLE_COLUMNS}
            document = documents.setdefault(row["file"], TruthRow(where, row["file"]))
            document.fields.setdefault(table, []).append(line)
    yield from documents.values()


def _lines(path: Path, text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Rows by column, with where they stand; the separator is the one that the header uses."""
    header = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count), strict=True)
    try:
        if "file" not in (reader.fieldnames or ()):
            raise TruthError(f"{path}:1: there is no column `file`", _CURE)
        for row in reader:
            where = f"{path}:{reader.line_num}"
            if None in row or None in row.values():
                raise TruthError(f"{where}: another number of cells than the header has", "quote cells that hold the separator")
            if any(row.values()):
                if not row["file"]:
                    raise TruthError(f"{where}: the cell `file` is empty", _CURE)
                yield where, {key: true_text(value.strip()) for key, value in row.items()}
    except csv.Error as error:
        raise TruthError(f"{path}:{reader.line_num}: not CSV: {error}", _CURE) from error


def _cell(value: str) -> Json:
    return None if value.casefold() == NULL else value


def _globbed(stem: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", stem)


# ---- what the fields mean -----------------------------------------------------------------------


def field_names(rows: Iterable[TruthRow]) -> list[str]:
    """Names of all fields in the truth, in its order."""
    return list(dict.fromkeys(name for row in rows for name in row.fields))


def fitting_template(rows: Iterable[TruthRow], templates: Mapping[str, Template]) -> Template:
    """The first template that has every field of the truth; one for a common kind of page goes first: `invoice`, not `credit_note`.

    Raises TruthError, naming what the closest one lacks.
    """
    names = field_names(rows)
    fitting = [template for template in templates.values() if all(name in template.fields for name in names)]
    if fitting:
        return next((template for template in fitting if set(template.applies.kinds) - TEXT_KINDS), fitting[0])
    closest = max(
        templates.values(), key=lambda template: (sum(name in template.fields for name in names), len(template.fields))
    )
    unknown = [name for name in names if name not in closest.fields]
    raise TruthError(
        f"no template has all fields of the truth; `{closest.name}` lacks {_listed(unknown)}",
        "name the template with --template, or the fields to score with --fields",
    )


def truths(
    rows: Iterable[TruthRow], folder: Path, fields: Mapping[str, TemplateField], only: tuple[str, ...] = ()
) -> list[Truth]:
    """The truth by the types of its fields; ``only`` these are scored. Raises TruthError with every mistake, each with its line."""
    rows = list(rows)
    for name in only:
        if name not in fields:
            raise SettingsError(f"there is no field `{name}`{did_you_mean(name, fields)}", f"fields: {', '.join(fields)}")
    mistakes: list[str] = []
    results: list[Truth] = []
    for row in rows:
        expected: dict[str, Expected] = {}
        beside = {name: lines for name, lines in row.tables.items() if name not in row.fields and _is_table(name, fields)}
        for name, value in {**row.fields, **beside}.items():
            if only and name not in only:
                continue
            try:
                expected[name] = _with_aliases(_expected(name, value, fields), row.aliases.get(name), fields[name])
            except ValueError as error:
                mistakes.append(f"{row.where}: {name}: {error}")
        ordered = {name: expected[name] for name in fields if name in expected}
        about = (row.language, row.layout, row.country, row.medium)
        results.append(Truth(row.file, folder / row.file, ordered, *about, frozenset(beside)))
    if mistakes:
        more = [f"… and {len(mistakes) - MAX_MISTAKES:,} more"] if len(mistakes) > MAX_MISTAKES else []
        raise TruthError(
            "\n".join([*mistakes[:MAX_MISTAKES], *more]), "correct the truth, or name the fields to score: --fields"
        )
    if not any(truth.fields for truth in results):
        raise TruthError("the truth has none of the fields to score", _CURE)
    return results


def _with_aliases(expected: Expected, aliases: Json, field: TemplateField) -> Expected:
    others = None if is_absent(aliases) else parse_expected(aliases, field)
    return (*expected, *others) if isinstance(expected, tuple) and isinstance(others, tuple) else expected


def _is_table(name: str, fields: Mapping[str, TemplateField]) -> bool:
    return name in fields and fields[name].type == "table"


def _expected(name: str, value: Json, fields: Mapping[str, TemplateField]) -> Expected:
    if name not in fields:
        raise ValueError(f"the template has no such field{did_you_mean(name, fields)}")
    spec = fields[name]
    if is_list(spec) and isinstance(value, str):
        value = [item.strip() for item in value.split(";") if item.strip()]
    return parse_expected(value, spec)


def _listed(names: list[str]) -> str:
    first = ", ".join(f"`{name}`" for name in names[:MAX_MISTAKES])
    return first if len(names) <= MAX_MISTAKES else f"{first} and {len(names) - MAX_MISTAKES} more"
