"""The schema of template files, both those in ``configs/templates`` and those that users write.

One file serves every engine. A vision-language model reads ``prompt`` and the JSON Schema made from ``fields``. The embedded
engine reads the types, roles and labels. Unknown keys are refused. ``load.py`` reads the files and reports mistakes by line.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

FieldType = Literal[
    "text", "identifier", "date", "time", "money", "number", "currency", "party", "enum", "table"
]  # fmt: skip
PageKind = Literal["invoice", "receipt", "chart", "photo", "text"]
"""The kinds of page that the embedded classifier knows."""
Merge = Literal["first", "last", "best", "all"]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
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


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Strict):
    """One column of a table field."""

    type: Literal["text", "identifier", "date", "money", "number"] = "text"
    """The type of its cells."""
    description: str = ""
    """One sentence for language models."""
    labels: Labels = {}
    """What stands above the column, by language."""
    einvoice: str | None = None
    """EN 16931 business term (BT-…) that holds the value in an embedded e-invoice."""


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
    role: Literal["seller", "buyer"] | None = None
    """Whose name, number or address this is."""
    format: Literal["vat", "address"] | None = None
    """A grammar for identifiers (``vat``) and text (``address``)."""
    values: list[str] = []
    """The choices of an ``enum``."""
    value_labels: dict[str, Labels] = {}
    """What a page prints for a choice, as a heading or beside the label, by language; without them the choice itself is looked for."""
    value_codes: dict[str, str] = {}
    """The choice that a code of the e-invoice stands for."""
    columns: dict[Name, Column] = {}
    """The columns of a ``table``."""
    otherwise: Name | None = None
    """The field whose value this one takes where the document prints none for it."""
    unless: Name | None = None
    """Where this field has a value, ``otherwise`` is not used."""
    deduction: bool = False
    """An amount that is subtracted. Its value has no minus, also where the page prints one."""
    einvoice: str | None = None
    """EN 16931 business term (BT-…, for tables BG-…) that holds the value in an embedded e-invoice."""

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
        unknown = [value for value in (*self.value_labels, *self.value_codes.values()) if value not in self.values]
        if unknown:
            raise ValueError(f"`{unknown[0]}` is none of the `values`")
        if self.type == "table" and self.many:
            raise ValueError("a table is a list already: leave `many` out")
        if self.deduction and (self.type not in ("money", "number") or self.many):
            raise ValueError("only one amount of type money or number can be a `deduction`")
        if self.unless and not self.otherwise:
            raise ValueError("`unless` belongs to `otherwise`")
        return self


class Check(_Strict):
    """A condition on the values of a document. Where it fails, the fields are flagged.

    ``sum`` lists money fields to add; a leading ``-`` subtracts. A table column is written ``line_items.amount`` and stands for
    the sum of the column. ``order`` lists dates, none of which may be earlier than the one before it.
    """

    name: Name
    """The flag's name."""
    sum: list[str] = []
    """Money or number fields to add."""
    equals: str | None = None
    """The field that holds the result."""
    tolerance: str = "0.02"
    """The difference that rounding may cause."""
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
    reader: Literal["fields", "chart", "caption", "transcript", "question"] = "fields"
    """The reader of the embedded engine; other engines ignore it."""
    prompt: str
    """Jinja2, sandboxed. ``words`` is the page's text as laid out, ``fields`` the fields, ``page`` and ``pages`` the numbers."""
    fields: dict[Name, TemplateField] = Field(min_length=1)
    """What to find, at least one field."""
    image: ImageBudget = ImageBudget()
    answer: AnswerBudget = AnswerBudget()
    checks: list[Check] = []
    """What must hold within a document."""

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
