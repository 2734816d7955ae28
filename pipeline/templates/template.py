"""The schema of template files, both those in ``configs/templates`` and those that users write.

One file serves every engine. A vision-language model reads ``prompt`` and the JSON Schema made from ``fields``. The embedded
engine reads the types, roles and labels. Unknown keys are refused. ``load.py`` reads the files and reports mistakes by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from pipeline.values.number_formats import is_number_format

FieldType = Literal[
    "text", "identifier", "date", "time", "money", "number", "currency", "party", "enum", "table",
    "boolean", "integer", "percentage", "quantity", "period", "duration", "phone", "mail", "url", "iban", "bic", "country", "address",
]  # fmt: skip
ColumnType = Literal[
    "text",
    "identifier",
    "date",
    "money",
    "number",
    "integer",
    "percentage",
    "quantity",
    "period",
    "country",
    "boolean",
    "enum",
    "table",
]
PageKind = Literal[
    "invoice", "receipt", "chart", "photo", "text",
    "credit_note", "order", "delivery_note", "quotation", "bank_statement", "payslip", "utility_bill", "contract", "letter",
]  # fmt: skip
"""The kinds of page that the embedded classifier knows."""
TEXT_KINDS: frozenset[PageKind] = frozenset(
    {"credit_note", "order", "delivery_note", "quotation", "bank_statement", "payslip", "utility_bill", "contract", "letter"}
)
"""Kinds of pages of text: a template for ``text`` is for these, too."""
Merge = Literal["first", "last", "best", "all"]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
DottedName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}(\.[a-z][a-z0-9_]{0,62}){0,11}$")]
"""A name, with those of the groups around it before it: ``seller.address.city``."""
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
Label = Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]
Labels = dict[Language, list[Label]]
"""Labels printed beside or above a value, by language (ISO 639-1)."""


PIXELS_PER_TOKEN = 1024
"""Of the key ``image: {tokens: …}`` in older templates."""
SHEET_COLUMNS = frozenset({"file", "status", "pages", "flags", "review", "corrected"})
"""Columns that the CSV of every template has."""
TABLE_COLUMNS = frozenset({"file", "row"})
"""Columns that the CSV of every table field has."""


Role = Literal["seller", "buyer", "delivery"]
Part = Literal["start", "end", "street", "post_code", "city", "country"]
GRAMMARS = ("vat", "address", "page", "subject")
"""Formats of our own, beside the modules of python-stdnum."""
_LONGEST_PATTERN = 200


def _known(name: str | None) -> str | None:
    """The name of a format. Raises ValueError for a module that python-stdnum lacks."""
    if name is not None and name not in GRAMMARS and not is_number_format(name):
        raise ValueError(
            f"`{name}` is none of `vat`, `address`, `page`, `subject`, nor a module of python-stdnum, as `ean` or `de.stnr`"
        )
    return name


def _sound(pattern: str | None) -> str | None:
    """A regular expression. Raises ValueError for one that is too long or that does not compile."""
    if pattern is not None:
        if len(pattern) > _LONGEST_PATTERN:
            raise ValueError(f"a `pattern` has at most {_LONGEST_PATTERN} characters")
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"`{pattern}` is no regular expression: {error}") from error
    return pattern


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _with_synonyms(data: Any) -> Any:
    """``values: {open: [unpaid, due]}`` as the list of choices, and what else stands for each."""
    values = data.get("values") if isinstance(data, dict) else None
    if not isinstance(values, dict):
        return data
    return {**data, "values": list(values), "synonyms": {key: words for key, words in values.items() if words}}


class Column(_Strict):
    """One column of a table field."""

    type: ColumnType = "text"
    """The type of its cells."""
    description: str = ""
    """One sentence for language models."""
    labels: Labels = {}
    """What stands above the column, by language."""
    many: bool = False
    """A cell is a list of values of this type."""
    values: list[str] = []
    """The choices of an ``enum``, as in a field."""
    synonyms: dict[str, list[str]] = {}
    """As in a field."""
    columns: dict[DottedName, Column] = {}
    """The columns of a ``table`` in each row. Only language models fill such a table."""
    format: str | None = None
    """A module of python-stdnum whose check digits the cells have: ``ean``."""
    pattern: str | None = None
    """A regular expression that the whole cell has."""
    detail: bool = False
    """As for a field: the cells are found by the heading above them, once the rows are known, and no model is asked for them."""
    einvoice: str | None = None
    """EN 16931 business term (BT-…) that holds the value in an embedded e-invoice."""

    @model_validator(mode="before")
    @classmethod
    def _read_synonyms(cls, data: Any) -> Any:
        return _with_synonyms(data)

    @model_validator(mode="after")
    def _complete(self) -> Column:
        if (self.type == "enum") != bool(self.values):
            raise ValueError("an enum needs `values`, and only an enum has them")
        if (self.type == "table") != bool(self.columns):
            raise ValueError("a table needs `columns`, and only a table has them")
        return self

    @field_validator("format")
    @classmethod
    def _known_format(cls, name: str | None) -> str | None:
        return _known(name)

    @field_validator("pattern")
    @classmethod
    def _sound_pattern(cls, pattern: str | None) -> str | None:
        return _sound(pattern)


class TemplateField(_Strict):
    """One thing to find on the page."""

    type: FieldType
    """The type of its value."""
    description: str = ""
    """One sentence for language models; part of the schema."""
    labels: Labels = {}
    """What stands beside or above the value, by language."""
    merge: Merge = "first"
    """How pages become one value: the first page that has it, the last, the best grounded, or all as a list."""
    many: bool = False
    """The value on one page is a list of this type."""
    role: Role | None = None
    """Whose name, number or address this is; ``delivery`` is where the goods go."""
    format: str | None = None
    """A grammar: ``vat`` for identifiers, ``address`` for text, ``page`` for the whole text of the page in reading order, ``subject`` for
    the line above the salutation of a letter, or the name of a module of python-stdnum (``de.stnr``, ``ean``, ``iso11649``) whose check
    digits the value has."""
    detail: bool = False
    """The value is found beside its label, by its own grammar, once all other fields are read. It takes no words from them, and no
    language model is asked for it."""
    part: Part | None = None
    """The value is a part of another: ``start`` or ``end`` of the period that is printed beside the labels, or ``street``,
    ``post_code``, ``city``, ``country`` of the address of the ``role``."""
    values: list[str] = []
    """The choices of an ``enum``: a list, or a mapping of each choice to other words that a page prints for it."""
    synonyms: dict[str, list[str]] = {}
    """The other words of each choice, where ``values`` is a list."""
    required: bool = False
    """Every document has it: a missing value is flagged ``required`` and named for review."""
    pattern: str | None = None
    """A regular expression that the whole value matches; another value is flagged ``pattern`` and named for review."""
    value_labels: dict[str, Labels] = {}
    """What a page prints for a choice, as a heading or beside the label, by language; without them the choice itself is looked for."""
    value_codes: dict[str, str] = {}
    """The choice that a code of the e-invoice stands for."""
    columns: dict[DottedName, Column] = {}
    """The columns of a ``table``. Columns in a group have dotted names."""
    otherwise: DottedName | None = None
    """The field whose value this one takes where the document prints none for it."""
    unless: DottedName | None = None
    """Where this field has a value, ``otherwise`` is not used."""
    deduction: bool = False
    """An amount that is subtracted. Its value has no minus, also where the page prints one."""
    einvoice: str | None = None
    """EN 16931 business term (BT-…, for tables BG-…) that holds the value in an embedded e-invoice."""

    @model_validator(mode="before")
    @classmethod
    def _read_synonyms(cls, data: Any) -> Any:
        return _with_synonyms(data)

    @field_validator("format")
    @classmethod
    def _known_format(cls, name: str | None) -> str | None:
        return _known(name)

    @field_validator("pattern")
    @classmethod
    def _sound_pattern(cls, pattern: str | None) -> str | None:
        return _sound(pattern)

    def main_columns(self) -> dict[str, Column]:
        """The columns that are no details."""
        return {name: column for name, column in self.columns.items() if not column.detail}

    @model_validator(mode="after")
    def _complete(self) -> TemplateField:
        if self.type == "enum" and not self.values:
            raise ValueError("an enum needs `values`: the list of its choices")
        if self.type == "table" and not self.columns:
            raise ValueError("a table needs `columns`")
        if self.type != "table" and self.columns:
            raise ValueError("only a table has `columns`")
        if self.type != "enum" and self.values:
            raise ValueError("only an enum has `values`")
        named = (*self.value_labels, *self.value_codes.values(), *self.synonyms)
        unknown = [value for value in named if value not in self.values]
        if unknown:
            raise ValueError(f"`{unknown[0]}` is none of the `values`")
        if self.type == "table" and self.many:
            raise ValueError("a table is a list already: leave `many` out")
        if self.deduction and (self.type not in ("money", "number") or self.many):
            raise ValueError("only one amount of type money or number can be a `deduction`")
        if self.unless and not self.otherwise:
            raise ValueError("`unless` belongs to `otherwise`")
        if self.format in ("page", "subject") and self.type != "text":
            raise ValueError(f"the `{self.format}` of a page is a text")
        if self.part in ("start", "end") and self.type != "date":
            raise ValueError(f"the `{self.part}` of a period is a date")
        if self.part and self.part not in ("start", "end") and not self.role:
            raise ValueError(f"the `{self.part}` of an address needs the `role` whose address it is")
        return self


class Check(_Strict):
    """A condition on the values of a document. Where it fails, the fields are flagged.

    ``sum`` lists money fields to add; a leading ``-`` subtracts. A table column is written ``line_items.amount`` and stands for
    the sum of the column. ``order`` lists dates, none of which may be earlier than the one before it. With ``running`` the sum is that of
    each row: a column of balances, each of which is the one before it with the amounts of its row.
    """

    name: Name
    """The flag's name."""
    sum: list[str] = []
    """Money or number fields to add."""
    equals: str | None = None
    """The field that holds the result."""
    tolerance: str = "0.02"
    """The difference that rounding may cause."""
    running: str | None = None
    """A column of balances: ``transactions.balance``. Fields in ``sum`` are the balance before the first row, columns are added row by row
    (an empty cell is zero), and ``equals`` is the balance behind the last row."""
    order: list[str] = []
    """Dates, the earliest first."""

    @property
    def subtracted(self) -> frozenset[str]:
        """Members of ``sum`` that are subtracted."""
        return frozenset(term[1:] for term in self.sum if term.startswith("-"))

    @model_validator(mode="after")
    def _one_kind(self) -> Check:
        if bool(self.sum) == bool(self.order):
            raise ValueError("a check has either `sum` with `equals`, or `order`")
        if bool(self.sum) != bool(self.equals):
            raise ValueError("`sum` and `equals` go together")
        if self.running and not self.sum:
            raise ValueError("`running` needs `sum` and `equals`")
        return self


class Applies(_Strict):
    """The files that a template is for where no route says otherwise."""

    kinds: list[PageKind] = []
    """Kinds of page, by the classifier."""
    files: list[str] = []
    """Globs on the path below the inbox, e.g. ``delivery/**``."""


class ImageBudget(_Strict):
    """How large a page image the engine gets."""

    pixels: int = Field(default=1280 * PIXELS_PER_TOKEN, ge=16 * PIXELS_PER_TOKEN, le=16384 * PIXELS_PER_TOKEN)
    """Pixels at most: width times height."""

    @model_validator(mode="before")
    @classmethod
    def _read_tokens(cls, value: object) -> object:
        """Older templates give the size as ``tokens``, squares of 32 x 32 pixels."""
        if not isinstance(value, dict) or "tokens" not in value:
            return value
        if "pixels" in value:
            raise ValueError("`tokens` is the old name of `pixels`: give only `pixels`")
        try:
            pixels = int(value["tokens"]) * PIXELS_PER_TOKEN
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError("`tokens` is a number; its new name is `pixels`") from error
        return {**{key: item for key, item in value.items() if key != "tokens"}, "pixels": pixels}


class AnswerBudget(_Strict):
    """How long an answer may be, and what form it has."""

    tokens: int = Field(default=1024, ge=8, le=16384)
    """Tokens at most; a longer answer is cut off and its page counts as failed."""
    form: Literal["json", "text"] = "json"
    """``json`` is an object with every field. ``text`` is for templates that have only text fields: the answer is the value of the first
    field, and text between ``<name>`` and ``</name>`` is the value of the field ``name``."""


class Template(_Strict):
    """A whole template; see docs/templates.md for every key with an example."""

    name: Name
    """Lower-case letters, digits, ``_``; names the CSV files."""
    description: str = ""
    """For people."""
    applies: Applies = Field(default=Applies(), alias="for")
    reader: Literal["fields", "form", "chart", "caption", "transcript", "question"] = "fields"
    """The reader of the embedded engine; other engines ignore it. ``form`` reads forms and tables of any kind by their labels."""
    layout: Literal["learned", "rules"] = "learned"
    """How the reader ``transcript`` finds the parts of a page: by a network, or by white space alone, in a tenth of the time."""
    prompt: str
    """Jinja2, sandboxed. ``words`` is the page's text as laid out, ``fields`` the fields, ``page`` and ``pages`` the numbers."""
    fields: dict[DottedName, TemplateField] = Field(min_length=1)
    """What to find, at least one field. Fields of a group have dotted names, as ``seller.name``."""
    image: ImageBudget = ImageBudget()
    answer: AnswerBudget = AnswerBudget()
    checks: list[Check] = []
    """What must hold within a document."""
    json_schema: dict[str, Any] | None = None
    """The JSON Schema that the template was made of. A YAML template has none."""

    @property
    def needs_regions(self) -> bool:
        """Whether pages are read with their parts, ``Page.regions``."""
        return self.reader == "transcript" and self.layout == "learned"

    @property
    def needs_figures(self) -> bool:
        """Whether pages are read with their figures, ``Page.figures``."""
        return self.reader == "chart"

    @property
    def is_nested(self) -> bool:
        """Whether its values have a shape of their own: that of a JSON Schema, or groups."""
        return self.json_schema is not None or any("." in name for name in self.paths())

    def paths(self) -> Iterator[str]:
        """The names of all fields and columns."""
        for name, field in self.fields.items():
            yield name
            yield from field.columns

    def split_term(self, term: str) -> tuple[str, str]:
        """Field and column that a term of a check names, without its sign; no column for a field that is no table."""
        plain = term.lstrip("-")
        if "." not in plain:
            return plain, ""
        table = next((name for name in self.fields if plain.startswith(f"{name}.") and plain not in self.fields), "")
        return (table, plain[len(table) + 1 :]) if table else (plain, "")

    def sums_rows(self, check: Check) -> bool:
        """Whether a check adds up a column of a table."""
        return any(self.split_term(term)[1] for term in check.sum)

    def main_fields(self) -> dict[str, TemplateField]:
        """The fields that are no details: what engines are asked for, and what tells one document from another."""
        return {name: field for name, field in self.fields.items() if not field.detail}

    def main_checks(self) -> list[Check]:
        """The checks that need no detail."""
        details = {name for name, field in self.fields.items() if field.detail}
        details |= {
            f"{name}.{column}"
            for name, field in self.fields.items()
            for column in field.columns
            if field.columns[column].detail
        }

        def needs_detail(check: Check) -> bool:
            members = [term.lstrip("-") for term in (*check.sum, check.equals or "", *check.order)]
            return any(member in details or self.split_term(member)[0] in details for member in members if member)

        return [check for check in self.checks if not needs_detail(check)]

    @model_validator(mode="after")
    def _has_main_fields(self) -> Template:
        if not self.main_fields():
            raise ValueError("at least one field is no `detail`")
        return self

    @model_validator(mode="after")
    def _text_answers_text(self) -> Template:
        if self.answer.form == "text" and any(field.type != "text" or field.many for field in self.fields.values()):
            raise ValueError("`answer: {form: text}` is for templates whose fields are all of type text")
        return self

    @model_validator(mode="after")
    def _sheets_keep_their_columns(self) -> Template:
        for name, field in self.fields.items():
            reserved = [name] if name in SHEET_COLUMNS else [column for column in field.columns if column in TABLE_COLUMNS]
            if reserved:
                raise ValueError(f"`{reserved[0]}` is a column of every CSV file; give the field another name")
        return self

    @model_validator(mode="after")
    def _groups_are_no_fields(self) -> Template:
        tables = [list(field.columns) for field in self.fields.values()]
        for names in (list(self.fields), *tables):
            both = next((name for name in names if any(other.startswith(f"{name}.") for other in names)), None)
            if both:
                raise ValueError(f"`{both}` is a field and a group; give one of them another name")
        return self
