"""Decoding: answers side by side, within their limits, and without endless repetition."""

from __future__ import annotations

import gc
import json
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.decoding import decode_all
from pipeline.engines.base import Engine, Request
from pipeline.engines.vlm.chat_template import EncodedPrompt
from pipeline.engines.vlm.decode import Decoder, DecodeTask
from pipeline.engines.vlm.model_load import load_model
from pipeline.engines.vlm.runner import SequenceState
from pipeline.engines.vlm.vlm_engine import VlmEngine
from pipeline.records import Answer
from pipeline.settings import Settings
from pipeline.settings_sections import VlmSettings
from pipeline.templates.question_template import ask_template
from pipeline.templates.template import Template
from tests.engines.conformance import ALL_TYPES, BUILT_IN, PICTURE, checked_answers, request, sample_requests, words_of
from tests.engines.polling import answer_all
from tests.engines.vlm.scripted_runner import STOP, ScriptedRunner, decode_script, prompt, scripted_engine
from tests.engines.vlm.tiny import encoded, tokenizer

ROWS = Template.model_validate(
    {
        "name": "rows",
        "prompt": "What was bought?",
        "fields": {"buyer": {"type": "party"}, "goods": {"type": "table", "columns": {"what": {}, "price": {"type": "money"}}}},
        "answer": {"tokens": 1000},
    }
)
Make = Callable[..., VlmEngine]


@pytest.fixture
def make(vision_folder: Path) -> Make:
    def made(**vlm: Any) -> VlmEngine:
        return VlmEngine(
            Settings(engine="vlm", model=str(vision_folder), vlm=VlmSettings(**{"threads": 1, "dtype": "float32", **vlm}))
        )

    return made


def only(engine: Engine, one: Request) -> Answer:
    return checked_answers(engine, [one])[0]


def values(answer: Answer) -> dict[str, Any]:
    """Probabilities of tokens differ in their last digits with the size of a batch."""
    return {name: claim.value for name, claim in answer.claims.items()}


def goods(*prices: str) -> str:
    return json.dumps({"buyer": "Morgenrot", "goods": [{"what": "Screw", "price": price} for price in prices]})


def test_a_model_is_loaded_by_the_first_poll_after_a_request(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[int] = []

    def load(*arguments: Any) -> Any:
        loads.append(1)
        return load_model(*arguments)

    monkeypatch.setattr("pipeline.engines.vlm.vlm_engine.load_model", load)
    engine = make()
    assert engine.poll(1) == []
    engine.reset()
    assert engine.room
    assert loads == []
    engine.submit(request(ALL_TYPES))
    assert loads == []
    assert engine.poll(0) == [], "it returns as soon as the model is loaded, as a sign of life"
    assert loads == [1]
    engine.reset()
    checked_answers(engine, [request(ALL_TYPES)])
    assert loads == [1], "a reset keeps the model"


# ---- budgets ------------------------------------------------------------------------------------------


def test_an_answer_is_the_models_text_up_to_the_stop_token() -> None:
    (one,), _ = decode_script("the whole answer", [DecodeTask("it", prompt(), 50)])
    assert (tokenizer().decode(one.tokens), one.ending) == ("the whole answer", "complete")
    assert one.tag == "it"
    assert one.sampled == len(one.tokens) + 1, "and the token that ends it"


def test_each_token_of_an_answer_has_its_probability() -> None:
    (one,), _ = decode_script("the whole answer", [DecodeTask("it", prompt(), 50)])
    assert len(one.probabilities) == len(one.tokens)
    assert all(0.99 < likely <= 1 for likely in one.probabilities), "the script is sure"
    (drawn,), _ = decode_script("the whole answer", [DecodeTask("it", prompt(), 50, temperature=20.0, seed=3)])
    assert len(drawn.probabilities) == len(drawn.tokens)
    assert min(drawn.probabilities) < 1e-9, "a token that only chance has chosen"


def test_a_claim_says_how_likely_the_model_thought_its_value(vision_folder: Path) -> None:
    answer = only(scripted_engine(str(vision_folder), goods("1.00")), request(ROWS, image=PICTURE))
    assert answer.claims["buyer"].value == "Morgenrot"
    assert 0.99 < answer.claims["buyer"].signals["token probability"] <= 1


def test_the_answer_to_a_question_is_passed_on_as_it_is_written(vision_folder: Path) -> None:
    heard: list[str] = []
    asked = replace(request(ask_template("Who wrote this?"), image=PICTURE), listen=heard.append)
    text = '{"answer": "Harrow Lane Tools Ltd"}'
    answer = only(scripted_engine(str(vision_folder), text), asked)
    assert answer.claims["answer"].value == "Harrow Lane Tools Ltd"
    assert len(set(heard)) > 3
    assert all(text.startswith(written) for written in heard)


def test_an_answer_that_is_too_long_is_truncated() -> None:
    (one,), _ = decode_script("one two three four five six", [DecodeTask(0, prompt(), 5)])
    assert (len(one.tokens), one.ending) == (5, "truncated")


def test_a_truncated_answer_keeps_its_fields_and_has_a_flag(vision_folder: Path) -> None:
    text = goods("1.00", "2.50", "3.75")
    limit = len(tokenizer().encode(text[: text.index("3.7") + 1]))
    template = ROWS.model_copy(update={"answer": ROWS.answer.model_copy(update={"tokens": limit})})
    answer = only(scripted_engine(str(vision_folder), text), request(template, image=PICTURE))
    assert (answer.status, answer.reason) == ("failed", "too_large")
    assert f"answer.tokens of `rows` ({limit})" in answer.detail
    assert answer.claims["buyer"].value == "Morgenrot"
    assert answer.claims["buyer"].flags == ()
    assert [row["price"] for row in answer.claims["goods"].value][:2] == ["1.00", "2.50"]
    assert answer.claims["goods"].flags == ("truncated",)


def test_active_answers_together_fit_into_memory() -> None:
    text = "x " * 40
    sizes = [10, 300, 40, 10, 40, 20, 10, 200, 500, 30] * 3
    tasks = [DecodeTask(number, prompt(size), 100) for number, size in enumerate(sizes)]
    generations, runner = decode_script(text, tasks, batch=4, memory=600)
    assert sorted(one.tag for one in generations) == list(range(len(sizes)))
    assert max(runner.lengths) <= 600
    assert max(map(len, runner.steps)) == 4, "several at once where they fit"
    single, runner = decode_script(text, tasks, batch=4, memory=1)
    assert len(single) == len(sizes)
    assert {len(step) for step in runner.steps} == {1}, "an answer that is too large for memory runs alone"


def test_answers_longer_than_typical_step_back_and_continue_later() -> None:
    """Memory for two complete answers. Eight begin, because answers are expected to be short, and here all are long."""
    text = {number: f"page {number}: " + " ".join(str(n * n + number) for n in range(130)) for number in range(8)}
    limit = 900
    tasks = [DecodeTask(number, prompt(10, number), limit) for number in text]
    generations, runner = decode_script(text.__getitem__, tasks, batch=8, memory=2 * limit)
    assert {one.tag: tokenizer().decode(one.tokens) for one in generations} == text
    assert {one.ending for one in generations} == {"complete"}
    assert max(runner.lengths) <= 2 * limit
    assert max(map(len, runner.steps)) > 2, "more than if each had room for its limit"
    assert runner.begun > len(tasks), "some were begun twice"


def test_a_prompt_is_encoded_again_only_after_a_step_back() -> None:
    encoded_again: list[int] = []

    def again(number: int) -> Any:
        encoded_again.append(number)
        return prompt(10, number)

    long = " ".join(map(str, range(100, 240)))
    tasks = [DecodeTask(n, prompt(10, n), 900, encode_again=lambda n=n: again(n)) for n in range(4)]  # type: ignore[misc]
    generations, _ = decode_script(lambda number: long, tasks, batch=4, memory=1000)
    assert {tokenizer().decode(one.tokens) for one in generations} == {long}
    assert encoded_again, "some stepped back"
    encoded_again.clear()
    decode_script(lambda number: long, tasks, batch=4)
    assert not encoded_again


class Watched(list[int]):
    """A list that supports weak references."""


def test_the_memory_of_an_answer_is_freed_before_the_next_prompt_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = ScriptedRunner(lambda number: "a few words")
    begin, living = runner.prefill, list[weakref.ref[Any]]()
    alive: list[int] = []

    def begun(encoded_prompt: EncodedPrompt, room: int) -> tuple[SequenceState, torch.Tensor]:
        gc.collect()
        alive.append(sum(one() is not None for one in living))
        state, logits = begin(encoded_prompt, room)
        state.memory = (state.memory[0], Watched(state.memory[1]))
        living.append(weakref.ref(state.memory[1]))
        return state, logits

    monkeypatch.setattr(runner, "prefill", begun)
    assert len(list(decode_all(Decoder(runner, {STOP}, batch=2), (DecodeTask(n, prompt(), 50) for n in range(8))))) == 8
    assert max(alive) <= 1, "beside the new one there is one other"


def test_a_finished_answer_makes_room_for_the_next_at_once() -> None:
    generations, _ = decode_script(
        lambda number: "short" if number else "x y " * 30, [DecodeTask(n, prompt(), 200) for n in range(9)], batch=2
    )
    assert [one.tag for one in generations] == [1, 2, 3, 4, 5, 6, 7, 8, 0], (
        "the long answer and the short ones do not wait for each other"
    )


def test_forced_tokens_stay_within_the_limit(vision_folder: Path) -> None:
    text, template = goods("1.00"), ROWS.model_copy(update={"answer": ROWS.answer.model_copy(update={"tokens": 16})})
    engine = scripted_engine(str(vision_folder), text)
    (one,) = decode_all(engine.loaded_model.decoder, [engine.make_task(request(template, image=PICTURE))])
    assert (len(one.tokens), one.ending) == (16, "truncated")


def test_an_answer_that_just_fits_is_complete(vision_folder: Path) -> None:
    text = goods("1.00")
    limit = len(tokenizer().encode(text))
    template = ROWS.model_copy(update={"answer": ROWS.answer.model_copy(update={"tokens": limit})})
    answer = only(scripted_engine(str(vision_folder), text), request(template, image=PICTURE))
    assert answer.status == "done", answer.detail


def test_a_page_without_content_is_answered_before_the_model_is_done(make: Make) -> None:
    settled = request(BUILT_IN["caption"], (), number=2)
    first = answer_all(make(), request(ALL_TYPES, image=PICTURE), settled)[0]
    assert first.key == settled.key
    assert {claim.value for claim in first.claims.values()} == {None}


# ---- repetition ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("phrase", ["x", "the same again, ", "a longer row of a table | 12.50 | EUR |\n"])
def test_a_model_that_loops_is_stopped(phrase: str) -> None:
    (one,), _ = decode_script("Well then: " + phrase * 2000, [DecodeTask(0, prompt(), 3000)])
    assert one.ending == "repeated"
    text = tokenizer().decode(one.tokens)
    assert text.startswith("Well then: " + phrase[:-1])
    assert text.count(phrase) <= 2, "repetitions are cut off"


def test_a_loop_fails_its_page_only(vision_folder: Path) -> None:
    engine = scripted_engine(str(vision_folder), goods(*["5.00"] * 400))
    answer = only(engine, request(ROWS, image=PICTURE))
    assert (answer.status, answer.reason, answer.detail) == ("failed", "engine", "the model repeated itself without end")
    assert answer.claims["buyer"].value == "Morgenrot"


def test_equal_rows_of_a_table_are_no_loop(vision_folder: Path) -> None:
    engine = scripted_engine(str(vision_folder), goods(*["5.00"] * 6, "7.00"))
    answer = only(engine, request(ROWS, image=PICTURE))
    assert answer.status == "done"
    assert [row["price"] for row in answer.claims["goods"].value] == ["5.00"] * 6 + ["7.00"]


def test_a_row_of_dots_is_no_loop() -> None:
    text = "Chapter one " + "." * 60 + " 7"
    (one,), _ = decode_script(text, [DecodeTask(0, prompt(), 200)])
    assert (tokenizer().decode(one.tokens), one.ending) == (text, "complete")


# ---- chance -------------------------------------------------------------------------------------------


def test_sampling_repeats_for_the_same_request(make: Make) -> None:
    warm = [replace(request(BUILT_IN["transcript"], image=PICTURE, number=n), temperature=0.8) for n in (1, 2)]
    warmer = replace(warm[0], temperature=1.2)
    cold = replace(warm[0], temperature=0.0)
    first, second = make(), make(batch=1)

    def texts(engine: VlmEngine, *requests: Request) -> list[str]:
        small = {"answer": BUILT_IN["transcript"].answer.model_copy(update={"tokens": 40})}
        requests = tuple(replace(one, template=one.template.model_copy(update=small)) for one in requests)
        return [str([only(engine, one).claims["text"].value]) for one in requests]

    assert texts(first, *warm, warmer, cold) == texts(second, *warm, warmer, cold) == texts(first, *warm, warmer, cold)
    assert len(set(texts(first, *warm, warmer, cold))) == 4, "another page, another temperature, another answer"


def test_neighbours_change_no_answer(make: Make) -> None:
    requests = [replace(one, temperature=0.5 * (one.key.page % 2)) for one in sample_requests([ALL_TYPES, ROWS], 6)]
    together = {answer.key: values(answer) for answer in checked_answers(make(batch=8), requests)}
    backwards = {answer.key: values(answer) for answer in checked_answers(make(batch=2), requests[::-1])}
    one_by_one = make(batch=1)
    assert together == backwards == {one.key: values(only(one_by_one, one)) for one in requests}


# ---- what goes wrong ----------------------------------------------------------------------------------


def test_a_request_without_a_prompt_fails_alone_and_the_others_are_answered(make: Make) -> None:
    long = request(BUILT_IN["transcript"], words_of(*["many words " * 20] * 700), number=1)
    broken = request(ALL_TYPES.model_copy(update={"name": "broken", "prompt": "{{ 1 / 0 }}"}), number=2)
    greedy = request(ALL_TYPES.model_copy(update={"answer": ALL_TYPES.answer.model_copy(update={"tokens": 16384})}), number=3)
    good = [request(BUILT_IN["caption"], image=PICTURE, number=number) for number in (4, 5)]
    answers = {answer.key.page: answer for answer in checked_answers(make(), [good[0], long, broken, greedy, good[1]])}
    assert [answers[page].status for page in range(1, 6)] == ["failed", "failed", "failed", "done", "done"]
    assert [answers[page].reason for page in (1, 2, 3)] == ["too_large", "engine", "too_large"]
    assert "fit beside answer.tokens of `transcript`" in answers[1].detail
    assert "division by zero" in answers[2].detail


def test_the_model_of_these_tests_depends_on_the_image(make: Make) -> None:
    """Otherwise the tests with images would prove nothing."""
    loaded = make().loaded_model
    runner, chat = loaded.decoder.runner, loaded.chat
    dark = replace(PICTURE, rgb=bytes(255 - level for level in PICTURE.rgb))
    bright, inverse = (runner.prefill(encoded(chat, request(ALL_TYPES, image=image)), 1)[1] for image in (PICTURE, dark))
    assert (bright - inverse).abs().max() > 0.1


def test_an_error_in_the_model_fails_the_active_pages_only(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = make(batch=2)
    runner = engine.loaded_model.decoder.runner
    step, calls = runner.step, iter(range(1000))

    def breaks(*arguments: Any) -> Any:
        if next(calls) == 2:
            raise RuntimeError("out of\nmemory")
        return step(*arguments)

    monkeypatch.setattr(type(runner), "step", lambda self, *arguments: breaks(*arguments))
    generations = checked_answers(engine, [request(BUILT_IN["receipt"], number=page) for page in range(1, 6)])
    assert len(generations) == 5
    broken = [answer for answer in generations if answer.reason == "engine" and "memory" in answer.detail]
    assert 1 <= len(broken) <= 2
    assert all("\n" not in answer.detail for answer in broken)
