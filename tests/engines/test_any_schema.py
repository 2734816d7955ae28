"""Any JSON Schema of the subset gives JSON that meets it, or that says where not: from every engine, on any page."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pipeline.checks.grounding import ground
from pipeline.checks.merge import merge_pages
from pipeline.engines.base import Engine, Request
from pipeline.engines.embedded.embedded_engine import EmbeddedEngine
from pipeline.engines.server import ServerEngine
from pipeline.records import Page, Result, UnitKey, Word
from pipeline.settings import Settings
from pipeline.settings_sections import ServerSettings
from pipeline.templates.schema_data import shaped_data
from pipeline.templates.schema_template import schema_template
from tests.engines.scripted import Call, Handler, ScriptedServer, behave_well
from tests.templates.schemas import SCHEMAS

PROBABLY_PRINTED = [
    "Total",
    "total:",
    "Invoice",
    "Number",
    "12.50",
    "2024-03-05",
    "Qty",
    "3",
    "yes",
    "A",
    "1.234,56",
    "due",
    "date",
    "合計",
    "€",
]
HOSTILE = ["", "\u202e", "9" * 400, "{{ words }}", "=SUM(A1)", "0x", "1e999", "--", "A" * 5000, "\u0000", "٣", "½", "None"]


@st.composite
def pages(draw: st.DrawFn) -> Page:
    words = []
    for number in range(draw(st.integers(0, 30))):
        text = draw(st.sampled_from([*PROBABLY_PRINTED, *HOSTILE]))
        x, y = draw(st.floats(-50, 600)), draw(st.integers(0, 20)) * 14.0
        place = draw(st.sampled_from(["", "", "Sheet1!B7", "table 1, row 2, column 3", "/a/b[1]/c"]))
        words.append(Word(text, (x, y, x + draw(st.floats(0, 90)), y + 10), number // 4, size=10, place=place))
    return Page(1, 595, 842, tuple(words), draw(st.sampled_from(["textlayer", "ocr", "file"])) if words else None)


def check_answer(engine: Engine, schema: dict[str, Any], page: Page) -> None:
    template = schema_template(schema, "s", "s")
    engine.submit(Request(UnitKey("0" * 64, 1, "s", "r"), page, template))
    answers = list(itertools.chain.from_iterable(engine.poll(10) for _ in range(1)))
    assert [answer.status for answer in answers] == ["done"], answers
    evidence = ground(answers[0].claims, page, template)
    shaped = shaped_data(template, merge_pages([Result(answers[0].key, "done", evidence)], template))
    data = json.loads(json.dumps(shaped.data, allow_nan=False))
    found = list(Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).iter_errors(data))
    assert bool(found) == bool(shaped.errors)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(SCHEMAS, pages())
def test_the_embedded_engine_meets_any_schema_on_any_page(schema: dict[str, Any], page: Page) -> None:
    check_answer(EmbeddedEngine(), schema, page)


def odd_answer(handler: Handler, call: Call) -> None:
    """JSON that has not much to do with the question."""
    handler.complete(json.dumps({"total": [1, {"a": None}], "item": "x", "status": True, "x_y": {"name": ["\u0000", 3]}}))


@pytest.fixture(scope="module")
def server() -> Iterator[ServerEngine]:
    turns = itertools.cycle([behave_well, odd_answer])
    with ScriptedServer(lambda handler, call: next(turns)(handler, call)) as script:
        yield ServerEngine(Settings(server=ServerSettings(url=script.url, request_attempts=1, accepts_images=False)))


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(SCHEMAS, pages())
def test_a_model_meets_any_schema_on_any_page(server: ServerEngine, schema: dict[str, Any], page: Page) -> None:
    check_answer(server, schema, page)
