"""What a page may print beside a value of a JSON Schema: words of the property's name, phrases of its description, words of the languages.

A name in camel case or snake case becomes words, and abbreviations are written out (``poNumber``: PO number, purchase order number). A
description often quotes the printed label ("the net pay (NETTO IN BUSTA)", "printed under Invoice No."). Where the words are a label of
the language files, all labels of that value in all languages are taken.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

from pipeline.languages import Languages, from_words
from pipeline.languages.language import KIND_GROUP
from pipeline.templates.template import Labels

MAX_LABEL = 80
MAX_LABELS = 24
"""Labels of one value that are not from the language files."""
MAX_PHRASE_WORDS = 7
OWN = "en"
"""The language under which words of the schema itself are filed: which one they are of is unknown, as with questions."""
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)")
_EXAMPLES = re.compile(r"[(\[]?\s*\b(?:e\.\s?g\.?|for example|such as|i\.e\.?|eg\b)", re.IGNORECASE)
_BRACKETS = re.compile(r"\(([^()]{2,60})\)")
_QUOTED = re.compile(r"[\"'“‘«„]([^\"'”’»“]{2,60})[\"'”’»“]")
_CAPITALS = re.compile(r"(?<![\w'])[A-ZÀ-Þ][A-ZÀ-Þ.'/-]*(?:[ ]+[A-ZÀ-Þ&][A-ZÀ-Þ.'/-]*)*(?![\w'])")
_PLACED = re.compile(
    r"\b(?:under|labelled|labeled|beside|in|from|of|column|line|box|field|row)\s+(?:the\s+)?((?:[\w'./&-]+ ){1,4}?)"
    r"(?:column|line|row|box|field|label|heading|section|block)\b",
    re.IGNORECASE,
)
_FOREIGN = re.compile(r"[^\x00-\u024f\u2010-\u2027\s\d][^\x00-\x20\x28\x29,;:.]*(?:[ ][^\x00-\u024f\s()][^\x00-\x20()]*)*")
"""A run of words in letters other than Latin ones."""
_END = re.compile(
    r"[(\[,;:.]|\b(?:as (?:printed|shown|stated|written|a|it)|in (?:the|this|YYYY|format|ISO|US|euros?|EUR)|on the"
    r"|if (?:any|printed|present|shown|stated|applicable|specified)|for (?:the|this|each|every)|printed|shown|stated|listed|exactly"
    r"|numeric|numbers? only|without|with|excluding|including|to which|that|which|where|when|from|at the|null|or null|as)\b",
    re.IGNORECASE,
)
"""Where the name of the value ends in the first sentence of a description."""
_START = re.compile(r"^(?:(?:the|a|an|total number of|number of|name of|type of|whether)\s+)+", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:(?:the|a|an|this|each|every|its)\s+)+", re.IGNORECASE)
_NOT_LABELS = frozenset(
    {
        "yyyy-mm-dd",
        "iso",
        "null",
        "n/a",
        "na",
        "yyyy",
        "mm",
        "dd",
        "usd",
        "eur",
        "json",
        "id",
        "or",
        "and",
        "not",
        "only",
        "row",
        "value",
    }
    | {"each", "name", "number", "date"}
)
_KINDS = frozenset({"date", "number", "no", "name", "amount", "code", "id", "value", "text", "total", "type"})
"""Words that say what kind of value it is."""
_NO_START = re.compile(r"(?:of|in|the|or|and|was|is|for|to|per|by|value|its|one|each|a|an|this|with)\b", re.IGNORECASE)
"""Words with which no label begins."""
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_SHORT_FORMS: dict[str, tuple[str, ...]] = {
    "acct": ("account",),
    "addr": ("address",),
    "amt": ("amount",),
    "avg": ("average",),
    "bal": ("balance",),
    "bol": ("bill of lading",),
    "co": ("company",),
    "cust": ("customer",),
    "desc": ("description",),
    "dept": ("department",),
    "disc": ("discount",),
    "dob": ("date of birth", "birth date"),
    "doc": ("document",),
    "eta": ("estimated time of arrival",),
    "excl": ("excluding",),
    "id": ("ID", "number"),
    "incl": ("including",),
    "inv": ("invoice",),
    "max": ("maximum",),
    "min": ("minimum",),
    "no": ("number",),
    "nr": ("number",),
    "num": ("number",),
    "number": ("number", "no"),
    "org": ("organisation", "organization"),
    "percent": ("percent", "%"),
    "pct": ("percent", "%"),
    "po": ("purchase order", "PO"),
    "qty": ("quantity", "qty"),
    "quantity": ("quantity", "qty"),
    "recv": ("received",),
    "ref": ("reference",),
    "tel": ("telephone", "phone"),
    "phone": ("phone", "telephone"),
    "tot": ("total",),
    "txn": ("transaction",),
    "uom": ("unit of measure", "unit"),
    "yr": ("year",),
    "zip": ("zip", "postal code"),
}
"""Abbreviations in names of properties, and words that forms abbreviate, with what may stand for them."""


@dataclass(frozen=True, slots=True)
class SchemaLabels:
    """The labels of one property."""

    own: tuple[str, ...]
    """Phrases of its name and description, the most telling first."""
    listed: tuple[str, ...]
    """Names of labels of the language files (``invoice.total``) that its words stand for."""


def words_of(name: str) -> list[str]:
    """``invoiceNumber``, ``invoice_number`` and ``Invoice-Number`` as words: invoice, number (lower case)."""
    return re.sub(r"[\W_]+", " ", _CAMEL.sub(" ", name)).casefold().split()


def property_labels(name: str, description: str) -> SchemaLabels:
    """The labels of a property by its name and description."""
    text = _without_examples(description)
    spoken = _spoken(words_of(name))
    quoted, marked = list(filter(_is_label, _quoted(text))), list(filter(_is_label, _marked(text)))
    described = list(filter(_is_label, _described(description)))
    own: dict[str, str] = {}
    for phrase in (*quoted, *spoken, *described[:1], *marked, *described[1:], *_shorter(words_of(name))):
        if key := folded(phrase):
            own.setdefault(key, " ".join(phrase.split())[:MAX_LABEL].strip())
    known = _listed_labels()
    listed = dict.fromkeys(found for phrase in [*spoken, *quoted, *described[:1]] for found in known.get(folded(phrase), ()))
    return SchemaLabels(tuple(own.values())[:MAX_LABELS], tuple(listed))


def folded(text: str) -> str:
    """Lower-case letters and digits without accents and blanks, for comparing phrases."""
    return "".join(char for char in unicodedata.normalize("NFKD", text).casefold() if char.isalnum() or char in "#%")


def as_labels(own: Iterable[str]) -> Labels:
    """Phrases as the labels of a template's field."""
    return {OWN: list(own)}


@from_words
def _listed_labels(languages: Languages) -> dict[str, tuple[str, ...]]:
    """Folded labels of the language files, and folded names of fields, to the names that list them."""
    index: dict[str, dict[str, None]] = {}
    for name in sorted(name for name in languages.label_names if name.partition(".")[0] != KIND_GROUP):
        for text in [
            name.rpartition(".")[2].replace("_", " "),
            *(label for labels in languages.labels(name).values() for label in labels),
        ]:
            if key := folded(text):
                index.setdefault(key, {})[name] = None
    return {key: tuple(names) for key, names in index.items()}


def _spoken(words: list[str]) -> list[str]:
    """The name in words, as it is and with short forms written out."""
    choices = [tuple(dict.fromkeys((word, *_SHORT_FORMS.get(word, ())))) for word in words]
    phrases = [" ".join(choice) for choice, _ in zip(product(*choices), range(8), strict=False)]
    return list(dict.fromkeys(phrases))


def _shorter(words: list[str]) -> Iterator[str]:
    """The name without words that a page mostly leaves out: the inception date stands behind "Inception"."""
    kept = [word for word in words if word not in _KINDS]
    if kept and len(kept) < len(words) and len("".join(kept)) >= 4:
        yield " ".join(kept)


def _quoted(text: str) -> Iterator[str]:
    """Texts that a description quotes from the page: in brackets, in quotation marks, in another script than the Latin one."""
    for match in _BRACKETS.finditer(text):
        yield from (part.strip() for part in re.split(r"\s+or\s+|;", match[1]))
    yield from (match[1].strip() for match in _QUOTED.finditer(text))
    yield from (match[0].strip(" \"'") for match in _FOREIGN.finditer(text))


def _marked(text: str) -> Iterator[str]:
    """Texts that may be quoted from the page: in capitals, or before "column" and "line"."""
    yield from (match[0] for match in _CAPITALS.finditer(text) if len(match[0]) > 3)
    yield from (match[1].strip() for match in _PLACED.finditer(text))


def _without_examples(text: str) -> str:
    """The text without examples of values, which are no labels."""
    parts: list[str] = []
    while match := _EXAMPLES.search(text):
        parts.append(text[: match.start()])
        rest = text[match.end() :]
        end = re.search(r"\)|;|\.\s", rest)
        text = rest[end.end() :] if end else ""
    return " ".join([*parts, text])


def _described(description: str) -> Iterator[str]:
    """The name of the value at the beginning of a description, its alternatives, and its last words."""
    head = _ARTICLE.sub("", description.strip())
    end = _END.search(head)
    head = (head[: end.start()] if end else head).strip(" -–'\"")
    for phrase in _alternatives(head):
        yield phrase
        words = phrase.split()
        if len(words) > 2:
            yield " ".join(words[1:])
            yield " ".join(words[-2:])
        if shorter := _START.sub("", phrase):
            yield shorter


def _alternatives(phrase: str) -> list[str]:
    """``policy inception/effective date`` as two phrases."""
    pieces = [re.split(r"\s?/\s?", word) for word in re.sub(r"\s*/\s*", "/", phrase).split()]
    return [" ".join(choice).strip() for choice, _ in zip(product(*pieces), range(4), strict=False)]


def _is_label(phrase: str) -> bool:
    words = phrase.split()
    plain = folded(phrase)
    return (
        1 <= len(words) <= MAX_PHRASE_WORDS
        and len(plain) > 1
        and phrase.casefold() not in _NOT_LABELS
        and not _NO_START.match(phrase)
        and (not _LATIN.search(phrase) or len(plain) > 2 or phrase.isupper())
        and sum(char.isdigit() for char in phrase) <= len(plain) // 2
    )
