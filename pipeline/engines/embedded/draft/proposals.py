"""Fields and tables of a template, from what some sample documents have in common: labels that recur beside values that differ."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from pipeline.engines.embedded.draft.label_pairs import HeadedTable, LabelPair, find_pairs, find_tables
from pipeline.engines.embedded.draft.value_types import common_type, normal_form
from pipeline.engines.embedded.fields.page_rows import label_key, lay_out
from pipeline.engines.embedded.logical_page import logical_page
from pipeline.languages import Languages, active, from_words
from pipeline.languages.evidence import UNSEEN, language_weights
from pipeline.languages.language import NO_LANGUAGE
from pipeline.records import Page
from pipeline.templates.template import ColumnType, FieldType
from pipeline.templates.template_draft import DraftField, TemplateDraft, free_name

MOST_FIELDS = 80
SHARE = 0.5
"""Share of the samples in which a label must stand; in two of them at least, where there are several."""
ALIKE = 0.6
"""Share of the headings that tables of two samples have in common where they are one."""
_COLUMN_TYPES: frozenset[str] = frozenset(get_args(ColumnType))


@dataclass(frozen=True, slots=True)
class CorrectedValue:
    """A value that a person entered for a field of a sample."""

    field: str
    value: str
    type: FieldType | None = None
    """The type of the field that was corrected, where its template is known."""


@dataclass(frozen=True, slots=True)
class SampleDocument:
    """A sample: its name, its pages, and what a person corrected of it."""

    name: str
    pages: Sequence[Page]
    corrected: Sequence[CorrectedValue] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    """What one sample has."""

    sample: SampleDocument
    pairs: list[LabelPair]
    tables: list[HeadedTable]


def draft_template(name: str, samples: Sequence[SampleDocument]) -> TemplateDraft:
    """The template that the samples suggest; without any field where nothing on them recurs."""
    found = [_read(sample) for sample in samples]
    tables = _tables(found)
    named = _corrected_labels(found)
    fields: list[DraftField] = []
    for key, pairs in _recurring(found, set(named)).items():
        values = [pair.value for pair in pairs.values()]
        label = Counter(pair.label for pair in pairs.values()).most_common(1)[0][0]
        own_name, own_type = named.get(key, ("", None))
        taken = [field.name for field in fields]
        fields.append(
            DraftField(
                own_name if own_name and own_name not in taken else free_name(label, taken),
                own_type or common_type(label, values),
                tuple(dict.fromkeys(pair.label for pair in pairs.values()))[:4],
                tuple(dict.fromkeys(values)),
                len(pairs),
                corrected=bool(own_name),
            )
        )
    fields = fields[:MOST_FIELDS]
    for headings, (parts, count) in tables.items():
        fields.append(_table_field(headings, parts, count, [field.name for field in fields]))
    return TemplateDraft(name, _language(samples), tuple(sample.name for sample in samples), tuple(fields))


def _read(sample: SampleDocument) -> _Found:
    pairs: list[LabelPair] = []
    tables: list[HeadedTable] = []
    for page in sample.pages:
        layout = lay_out(page if page.source == "file" else logical_page(page))
        own, rows = find_tables(layout)
        tables += own
        pairs += find_pairs(layout, rows)
    return _Found(sample, pairs, tables)


def _recurring(found: Sequence[_Found], named: set[str]) -> dict[str, dict[int, LabelPair]]:
    """By folded label, in reading order: its pair in each sample that has one. Corrected labels come in any case."""
    by_label: dict[str, dict[str, dict[int, LabelPair]]] = defaultdict(lambda: defaultdict(dict))
    for number, one in enumerate(found):
        for pair in one.pairs:
            if key := label_key(pair.label):
                by_label[key][pair.place].setdefault(number, pair)
    least = 1 if len(found) == 1 else max(2, round(SHARE * len(found)))
    chosen: dict[str, dict[int, LabelPair]] = {}
    for key, places in by_label.items():
        pairs = max(places.values(), key=lambda pairs: (_fitness(pairs), -list(places.values()).index(pairs)))
        if key in named or _is_field(key, pairs, len(found), least):
            chosen[key] = pairs
    values = {
        label_key(pair.value) for key, pairs in chosen.items() if key in named or _is_marked(pairs) for pair in pairs.values()
    }
    labels = set(chosen)
    return {
        key: pairs
        for key, pairs in chosen.items()
        if key in named
        or (
            not (key in values and not _is_marked(pairs))
            and not any(label_key(pair.value) in labels for pair in pairs.values())
        )
    }


def _fitness(pairs: Mapping[int, LabelPair]) -> tuple[int, int]:
    """How well a place beside a label fits: samples that have a value there, and different values."""
    return len(pairs), len({pair.value for pair in pairs.values()})


def _is_marked(pairs: Mapping[int, LabelPair]) -> bool:
    return all(pair.marked for pair in pairs.values())


def _is_field(key: str, pairs: Mapping[int, LabelPair], samples: int, least: int) -> bool:
    """Whether a label recurs with values that differ; of a single sample, whether a colon or a language file says that it is one."""
    if len(pairs) < least:
        return False
    if samples == 1:
        return _is_marked(pairs) or key in _known_labels()
    differs = len({pair.value for pair in pairs.values()}) > 1
    return differs and (
        _is_marked(pairs) or key in _known_labels() or any(any(map(str.isdigit, pair.value)) for pair in pairs.values())
    )


@from_words
def _known_labels(languages: Languages) -> frozenset[str]:
    return frozenset(
        label_key(label)
        for language in languages.by_code.values()
        for names in language.labels.values()
        for labels in names.values()
        for label in labels
    )


def _corrected_labels(found: Sequence[_Found]) -> dict[str, tuple[str, FieldType | None]]:
    """Folded labels beside which corrected values stand, with the name and type of the corrected field."""
    labels: dict[str, tuple[str, FieldType | None]] = {}
    for one in found:
        for corrected in one.sample.corrected:
            pair = next((pair for pair in one.pairs if _same(pair, corrected)), None)
            if pair is not None and corrected.field not in [name for name, _ in labels.values()]:
                labels.setdefault(label_key(pair.label), (corrected.field, corrected.type))
    return labels


def _same(pair: LabelPair, corrected: CorrectedValue) -> bool:
    """Whether a text beside a label says the corrected value, as printed or in its normal form."""
    return _plain(pair.value) == _plain(corrected.value) or normal_form(corrected.type, pair.value) == corrected.value


def _plain(text: str) -> str:
    return re.sub(r"\W+", "", text.casefold())


def _tables(found: Sequence[_Found]) -> dict[tuple[str, ...], tuple[list[HeadedTable], int]]:
    """Tables by their headings, with all parts that samples have of each, and how many samples have it."""
    merged: dict[tuple[str, ...], tuple[list[HeadedTable], set[int]]] = {}
    for number, one in enumerate(found):
        for table in one.tables:
            headings = next((own for own in merged if _alike(own, table.headings)), table.headings)
            parts, samples = merged.setdefault(headings, ([], set()))
            parts.append(table)
            samples.add(number)
    least = 1 if len(found) == 1 else max(2, round(SHARE * len(found)))
    return {headings: (parts, len(samples)) for headings, (parts, samples) in merged.items() if len(samples) >= least}


def _alike(one: Sequence[str], other: Sequence[str]) -> bool:
    keys, others = set(map(label_key, one)), set(map(label_key, other))
    return len(keys & others) >= ALIKE * max(len(keys), len(others))


def _table_field(headings: Sequence[str], parts: Sequence[HeadedTable], count: int, taken: Sequence[str]) -> DraftField:
    columns: list[DraftField] = []
    for heading in headings:
        key = label_key(heading)
        values = [
            row[at]
            for part in parts
            for at, own in enumerate(part.headings)
            if label_key(own) == key
            for row in part.rows
            if row[at]
        ]
        kind = common_type(heading, values)
        columns.append(
            DraftField(
                free_name(heading, [column.name for column in columns], column=True),
                kind if kind in _COLUMN_TYPES else "text",
                (heading,),
                tuple(dict.fromkeys(values)),
            )
        )
    return DraftField(free_name("rows", taken), "table", (), (), count, tuple(columns))


def _language(samples: Sequence[SampleDocument]) -> str:
    weights = language_weights(word.text for sample in samples for page in sample.pages for word in page.words)
    codes = [code for code in active().by_code if code != NO_LANGUAGE]
    return max(codes, key=lambda code: weights.get(code, weights[UNSEEN] / 2), default="en") if weights else "en"
