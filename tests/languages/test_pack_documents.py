"""Documents that are drawn with the words of a language file are read: in every language, nearly every value."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation

import pytest

from pipeline.engines.embedded.business_pages import business_page_kind
from pipeline.engines.embedded.fields import read_fields
from pipeline.languages.evidence import language_weights
from pipeline.languages.language_files import built_in_languages
from tests.engines.embedded.fields.pages import template
from tests.languages.pack_documents import PARTIES, Drawn, draw_invoice, draw_receipt

LANGUAGES = tuple(PARTIES)
SEEDS = range(100, 106)
LEAST_RIGHT, LEAST_KIND = 0.95, 0.65
DRAW: dict[str, Callable[[str, int], Drawn]] = {"invoice": draw_invoice, "receipt": draw_receipt}
TEMPLATES = {name: template(name) for name in DRAW}


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("kind", ["invoice", "receipt"])
def test_nearly_every_value_is_read(code: str, kind: str) -> None:
    right, wrong = 0, []
    for seed in SEEDS:
        drawn = DRAW[kind](code, seed)
        claims = read_fields(drawn.page(), TEMPLATES[kind])
        for name, fact in drawn.facts.items():
            for value, expected in pairs(claims[name].value, fact):
                if same(value, expected):
                    right += 1
                else:
                    wrong.append((seed, name, value, expected))
    assert right >= LEAST_RIGHT * (right + len(wrong)), wrong


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_kind_of_a_page_is_recognised(code: str) -> None:
    kinds = [(kind, business_page_kind(draw(code, seed).page())) for kind, draw in DRAW.items() for seed in SEEDS]
    assert sum(kind == found for kind, found in kinds) >= LEAST_KIND * len(kinds), kinds


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_language_of_a_page_has_the_most_weight(code: str) -> None:
    for seed in SEEDS:
        weights = language_weights(line[2] for line in draw_invoice(code, seed).lines)
        assert weights[code] >= 0.75, (seed, weights)


def test_every_language_is_drawn() -> None:
    labelled = {code for code, language in built_in_languages().by_code.items() if language.labels.get("invoice")}
    assert labelled == set(LANGUAGES)


def pairs(value: object, fact: object) -> list[tuple[object, object]]:
    """A value and what it must be; for a table, one pair for each cell."""
    if not isinstance(fact, list):
        return [(value, fact)]
    rows = value if isinstance(value, list) else []
    return [
        (rows[at].get(column) if at < len(rows) else None, cell) for at, row in enumerate(fact) for column, cell in row.items()
    ]


def same(value: object, expected: object) -> bool:
    """Whether two values are equal, amounts by their number."""
    try:
        return Decimal(str(value)) == Decimal(str(expected))
    except InvalidOperation:
        return value == expected
