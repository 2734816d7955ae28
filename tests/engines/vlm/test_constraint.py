"""Answers are valid for every model: the schema constrains tokens, and texts of unconstrained servers are read or refused."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.decoding import decode_all
from pipeline.engines.answers import TRUNCATED, read_answer
from pipeline.engines.prompting import make_prompt
from pipeline.engines.vlm.constraint import Constraint, Grammars
from pipeline.engines.vlm.decode import Decoder, DecodeTask, Generation
from pipeline.engines.vlm.loaded_model import StartedRequest
from pipeline.engines.vlm.runner import SequenceState
from pipeline.engines.vlm.vlm_engine import VlmEngine
from pipeline.settings import Settings
from pipeline.settings_sections import VlmSettings
from pipeline.templates.answer_schema import PrintedValues, json_schema
from pipeline.templates.template import Template
from tests.engines.conformance import (
    ALL_TYPES,
    BUILT_IN,
    LINES,
    PICTURE,
    TEMPLATES,
    check_claim,
    request,
    sample_requests,
    words_of,
)
from tests.engines.vlm.scripted_runner import STOP, prompt
from tests.engines.vlm.tiny import PADDED, encoded, tokenizer

JSON_TEMPLATES = [template for template in TEMPLATES if template.answer.form == "json"]
PRINTED: PrintedValues = {"money": ("1234.50", "-3.00"), "number": ("7",), "date": ("2025-03-24",), "time": ()}
by_name = pytest.mark.parametrize("template", JSON_TEMPLATES, ids=lambda template: template.name)


class UnforcedConstraint(Constraint):
    """A constraint that forces nothing: every token is drawn, from those that are allowed."""

    def forced(self) -> list[int]:
        return []


@pytest.fixture(scope="module")
def grammars() -> Grammars:
    return Grammars(tokenizer(), PADDED)


@pytest.fixture(scope="module")
def engine(vision_folder: Path) -> VlmEngine:
    return VlmEngine(Settings(engine="vlm", model=str(vision_folder), vlm=VlmSettings(threads=1, dtype="float32")))


def spell(constraint: Constraint, text: str) -> None:
    """Append ``text`` token by token; fails where a token is not allowed."""
    for token in tokenizer().encode(text):
        assert constraint.allowed(PADDED)[token], f"{tokenizer().decode([token])!r} of {text}"
        constraint.accept(token)


def decode(written: Generation[Any]) -> str:
    return str(tokenizer().decode(written.tokens))


# ---- the schema while it is written --------------------------------------------------------------------


@by_name
@pytest.mark.parametrize("printed", [None, PRINTED], ids=["free", "printed"])
def test_null_is_always_possible(grammars: Grammars, template: Template, printed: PrintedValues | None) -> None:
    constraint = grammars.start(json_schema(template, printed))
    spell(constraint, json.dumps(dict.fromkeys(template.fields)))
    assert constraint.finished


def test_every_type_of_value_is_possible(grammars: Grammars) -> None:
    row = {"text": 'a "quoted" \\ word\nand a second line', "number": "12.5", "money": None, "day": "2025-03-24", "id": "R-1/2"}
    values = [
        "Größe 发票 🧾",
        "R-1",
        "2025-12-31",
        "23:59",
        "-1234.50",
        "3",
        "EUR",
        "Zakład",
        'two "2"',
        ["1.00"],
        [],
        ["x"],
        [row],
    ]
    answer = dict(zip(ALL_TYPES.fields, values, strict=True))
    constraint = grammars.start(json_schema(ALL_TYPES))
    spell(constraint, json.dumps(answer, ensure_ascii=False))
    assert constraint.finished


@pytest.mark.parametrize(
    "start", ['{"b"', '{"a": 1', '{"a": ""', '{"a": "x", "b": "y", "c": "2025-13', '{"a":\n', "Here", '{"a": "x", "a"']
)
def test_what_the_schema_forbids_is_impossible(grammars: Grammars, start: str) -> None:
    constraint = grammars.start(json_schema(ALL_TYPES))
    with pytest.raises(AssertionError, match="of "):
        spell(constraint, start)


@pytest.mark.parametrize(
    ("field", "value"), [("c", "2025-03-24"), ("c", "2025-03-25"), ("e", "-3.00"), ("e", "4.00"), ("d", "12:30")]
)
def test_only_what_a_page_prints_is_possible(grammars: Grammars, field: str, value: str) -> None:
    answer = json.dumps({**dict.fromkeys(ALL_TYPES.fields), field: value})
    spell(grammars.start(json_schema(ALL_TYPES)), answer)
    constraint = grammars.start(json_schema(ALL_TYPES, PRINTED))
    if value in PRINTED[ALL_TYPES.fields[field].type]:
        spell(constraint, answer)
        assert constraint.finished
    else:
        with pytest.raises(AssertionError, match="of "):
            spell(constraint, answer)


@by_name
@pytest.mark.parametrize("image", [None, PICTURE], ids=["words", "image"])
def test_skipping_forced_tokens_changes_only_the_time(engine: VlmEngine, template: Template, image: Any) -> None:
    one = request(template, image=image)
    loaded = engine.loaded_model
    schema = make_prompt(one).schema
    assert schema
    jumping = loaded.grammars.start(schema)
    slow = UnforcedConstraint(loaded.grammars.start(schema).matcher)
    put = encoded(loaded.chat, one)
    decoder: Decoder[int] = Decoder(loaded.decoder.runner, {STOP})
    quick, every = decode_all(decoder, [DecodeTask(0, put, 400, jumping), DecodeTask(1, put, 400, slow)])
    if quick.tag:
        quick, every = every, quick
    assert quick.ending == every.ending
    assert list(quick.tokens) == list(every.tokens)
    assert every.sampled >= len(every.tokens)
    assert quick.sampled < len(quick.tokens), "the names of the fields cost nothing"


def test_answers_of_a_random_model_meet_the_schema(engine: VlmEngine) -> None:
    loaded = engine.loaded_model
    endings: dict[str, int] = {}
    requests = [replace(one, temperature=1.3) for one in sample_requests(JSON_TEMPLATES, 40, engine)]
    for written in decode_all(loaded.decoder, map(engine.make_task, requests)):
        endings[written.ending] = endings.get(written.ending, 0) + 1
        assert isinstance(written.tag, StartedRequest)
        template = written.tag.request.template
        if written.ending == "complete":
            jsonschema.validate(json.loads(decode(written)), json_schema(template))
        else:
            read_answer(template, decode(written), complete=False)
    assert endings["complete"] > 10


def test_tokens_beyond_the_tokenizers_vocabulary_are_never_allowed(grammars: Grammars) -> None:
    allowed = grammars.start(json_schema(ALL_TYPES)).allowed(PADDED)
    assert len(allowed) == PADDED
    assert not allowed[len(tokenizer()) :].any()


def test_a_model_that_prefers_forbidden_tokens_gives_a_valid_answer(grammars: Grammars) -> None:
    class StoppingRunner:
        """A runner that always prefers the stop token."""

        can_take_back = False
        cached_tokens = 0

        def prefill(self, prompt: Any, room: int) -> Any:
            return SequenceState(None), self._logits()

        def step(self, states: Any, tokens: Any, last: Any) -> list[torch.Tensor]:
            return [self._logits()[None] for _ in states]

        def take_back(self, state: Any, tokens: int) -> None:
            assert not tokens

        def _logits(self) -> torch.Tensor:
            logits = torch.full((PADDED,), -5.0)
            logits[tokenizer().eos_token_id] = 100.0
            logits[[tokenizer().encode(letter)[0] for letter in "nul"]] = 50.0
            return logits

    (written,) = decode_all(
        Decoder(StoppingRunner(), {STOP}), [DecodeTask(0, prompt(), 500, grammars.start(json_schema(ALL_TYPES)))]
    )
    assert json.loads(decode(written)) == dict.fromkeys(ALL_TYPES.fields)


# ---- what is read of it ---------------------------------------------------------------------------------

leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["1.234,50", "24.3.2025", "eur", "EUR", "one", "null", "N/A", "14:05", "-7", "  ", "x"]),
)
columns = st.sampled_from(list(ALL_TYPES.fields["m"].columns))
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(columns | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)
answers = st.dictionaries(st.sampled_from(list(ALL_TYPES.fields)) | st.text(max_size=3), values, max_size=14)


@st.composite
def json_like(draw: st.DrawFn) -> str:
    """An answer as servers send it: whole, cut, fenced, with remarks, or damaged."""
    text = json.dumps(draw(answers | values), ensure_ascii=draw(st.booleans()))
    if draw(st.booleans()):
        text = text[: draw(st.integers(0, len(text)))]
    if draw(st.booleans()):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(st.text(max_size=3)) + text[place + draw(st.integers(0, 2)) :]
    return draw(st.sampled_from(["{}", "```json\n{}\n```", "Here: {} Done.", "<think>{{}}</think>{}"])).format(text)


@given(json_like() | st.text(), st.booleans())
@settings(max_examples=400, deadline=None)
def test_any_text_gives_claims_of_the_documented_form_or_an_error(text: str, complete: bool) -> None:
    try:
        claims = read_answer(ALL_TYPES, text, complete=complete)
    except ValueError:
        return
    assert list(claims) == list(ALL_TYPES.fields)
    for name, claim in claims.items():
        check_claim(claim, ALL_TYPES, name)
    assert [TRUNCATED in claim.flags for claim in claims.values()].count(True) == (0 if complete else 1)


@given(answers.filter(lambda answer: _finite(answer)), st.data())
@settings(max_examples=100, deadline=None)
def test_a_truncated_answer_keeps_its_complete_fields(answer: dict[str, Any], data: st.DataObject) -> None:
    text = json.dumps(answer)
    cut = text[: data.draw(st.integers(1, len(text)))]
    whole, part = read_answer(ALL_TYPES, text), read_answer(ALL_TYPES, cut, complete=False)
    for name, claim in part.items():
        if TRUNCATED not in claim.flags:
            assert claim.value in (whole[name].value, None)


def _finite(value: Any) -> bool:
    if isinstance(value, (dict, list)):
        return all(map(_finite, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, float) or math.isfinite(value)


def test_a_text_answer_is_its_text() -> None:
    template = BUILT_IN["transcript"]
    assert read_answer(template, ' {"a": 1}\n')["text"].value == '{"a": 1}'
    assert read_answer(template, " \n")["text"].value is None
    assert read_answer(template, "half a", complete=False)["text"].flags == (TRUNCATED,)


def test_tags_in_a_text_answer_are_other_fields() -> None:
    template = BUILT_IN["transcript"]
    claims = read_answer(template, "<header>Guide\n12</header>\nThe ferry\nleaves.\n\n<footer> Page 7 </footer>")
    assert {name: claim.value for name, claim in claims.items()} == {
        "text": "The ferry\nleaves.",
        "header": "Guide\n12",
        "footer": "Page 7",
    }
    for odd in ("<header>open", "close</footer> early", "<header>a</footer>", "<b>bold</b>", "</header><header>"):
        claims = read_answer(template, odd)
        assert (claims["text"].value, claims["header"].value, claims["footer"].value) == (odd, None, None)
    assert read_answer(template, "a <header>b</header> c")["text"].value == "a  c"
    many = "<header>" * 100_000
    assert read_answer(template, many)["text"].value == many


def test_every_printed_text_gives_a_valid_grammar(engine: VlmEngine) -> None:
    """Also hostile text on a page gives a schema that compiles."""
    hostile = ('"}', "]] 1,00", "\\u0000 2,00 EUR", "{{ 7 }}", "1e999", "99/99/9999", "00:61")
    for template in JSON_TEMPLATES:
        for words in ((), words_of(*LINES, *hostile)):
            one = request(template, words)
            schema = make_prompt(one).schema
            assert schema
            spell(engine.loaded_model.grammars.start(schema), json.dumps(dict.fromkeys(template.fields)))
