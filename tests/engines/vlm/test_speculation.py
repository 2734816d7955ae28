"""Drafts change how long an answer takes, and nothing else."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.decoding import decode_all
from pipeline.engines.base import Request
from pipeline.engines.vlm.decode import Decoder, DecodeTask
from pipeline.engines.vlm.runner import make_runner
from pipeline.engines.vlm.speculation import MAX_LENGTH, Draft
from pipeline.engines.vlm.vlm_engine import VlmEngine
from pipeline.settings import Settings
from pipeline.settings_sections import VlmSettings
from tests.engines.conformance import ALL_TYPES, BUILT_IN, checked_answers, sample_requests
from tests.engines.vlm.scripted_runner import decode_script, prompt
from tests.engines.vlm.tiny import text_model, tokenizer

SAID = json.dumps(
    {"vendor": "Harrow Lane Tools Ltd", "number": "R-2041/77", "total": "1204.50", "rows": [{"what": "Screws"}] * 3}
)
PAGE = "Harrow Lane Tools Ltd    Invoice R-2041/77\nScrews   12   1,204.50\nTotal EUR  1,204.50"
STOP: int = tokenizer().eos_token_id


def draft(*sources: str) -> Draft:
    return Draft(tokenizer(), *sources)


def steps(*sources: str, text: str = SAID, **limits: int) -> int:
    """The number of steps of an answer, whose text must be ``text``."""
    (one,), runner = decode_script(text, [DecodeTask(0, prompt(), 500, draft=draft(*sources) if sources else None)], **limits)
    assert (tokenizer().decode(one.tokens), one.ending) == (text, "complete")
    return len(runner.steps)


def test_an_answer_that_the_draft_predicts_takes_a_few_steps() -> None:
    plain = steps()
    assert steps(SAID, PAGE) < plain / 5
    assert steps(SAID.replace("1204.50", "1204.80"), PAGE) < plain / 4, "one wrong value costs little"


def test_words_of_the_page_are_drafts_too() -> None:
    text = "The tools of Harrow Lane Tools Ltd cost 1,204.50 in all, as R-2041/77 says"
    assert steps("", PAGE, text=text) < steps(text=text)


def test_a_wrong_draft_costs_no_step() -> None:
    assert steps("lorem ipsum " * 50) <= steps()


def test_a_step_reads_no_more_than_its_rows() -> None:
    tasks = [DecodeTask(n, prompt(), 500, draft=draft(SAID)) for n in range(6)]
    found, runner = decode_script(SAID, tasks, batch=4, rows=12)
    assert {tokenizer().decode(one.tokens) for one in found} == {SAID}
    assert max(map(sum, runner.steps)) == 12
    _, none = decode_script(SAID, [DecodeTask(0, prompt(), 500, draft=draft(SAID))], rows=1)
    assert max(map(sum, none.steps)) == 1


def test_drafts_stay_within_limit_and_memory() -> None:
    (one,), _ = decode_script(SAID, [DecodeTask(0, prompt(), 20, draft=draft(SAID))])
    assert (len(one.tokens), one.ending) == (20, "truncated")
    _, runner = decode_script(
        SAID, [DecodeTask(n, prompt(50), 300, draft=draft(SAID)) for n in range(6)], batch=6, memory=500, rows=200
    )
    assert max(runner.lengths) <= 500


def test_sampling_at_random_gets_no_drafts() -> None:
    _, runner = decode_script(SAID, [DecodeTask(0, prompt(), 500, temperature=0.5, seed=1, draft=draft(SAID))])
    assert max(map(sum, runner.steps)) == 1


def test_drafts_lengthen_and_shorten_with_their_success() -> None:
    guessing = draft("abcdefghij " * 200)
    tokens = tokenizer().encode("abcdefghij abcd")
    first = len(guessing.propose(tokens, 100))
    guessing.record_outcome(first, first)
    grown = len(guessing.propose(tokens, 100))
    assert first < grown <= MAX_LENGTH
    for _ in range(10):
        guessing.record_outcome(10, 0)
    assert len(guessing.propose(tokens, 100)) == 1


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.lists(st.integers(0, 779), max_size=60), st.integers(0, 20))
def test_drafts_are_valid_tokens_for_every_page_and_answer(text: str, tokens: list[int], most: int) -> None:
    found = draft(text).propose(tokens, most)
    assert len(found) <= most
    assert all(0 <= token < len(tokenizer()) for token in found)


def test_a_model_gives_the_same_tokens_with_and_without_drafts() -> None:
    """The drafts are the model's own answers with random errors."""
    runner, chance = make_runner(text_model()), random.Random(3)
    prompts = [[chance.randrange(700) for _ in range(chance.randint(3, 60))] for _ in range(24)]

    def answers(sources: dict[int, str], **limits: int) -> tuple[dict[int, list[int]], int]:
        import torch

        from pipeline.engines.vlm.chat_template import EncodedPrompt

        calls: list[int] = []
        hook = runner.model.register_forward_pre_hook(lambda *_: calls.append(1))  # type: ignore[attr-defined]
        tasks = (
            DecodeTask(
                number, EncodedPrompt({"input_ids": torch.tensor([ids])}), 60, draft=draft(sources[number]) if sources else None
            )
            for number, ids in enumerate(prompts)
        )
        found = {one.tag: list(one.tokens) for one in decode_all(Decoder(runner, {STOP}, **limits), tasks)}
        hook.remove()
        return found, len(calls)

    plain, slow = answers({}, batch=4)
    texts = {number: tokenizer().decode(tokens) for number, tokens in plain.items()}
    noisy = {number: "".join("#" if chance.random() < 0.05 else letter for letter in text) for number, text in texts.items()}
    for limits in ({"batch": 1}, {"batch": 4}, {"batch": 8, "rows": 64}, {"batch": 4, "memory": 200}):
        guessed, quick = answers(noisy, **limits)
        assert guessed == plain, limits
        if limits == {"batch": 4}:
            assert quick < slow


@pytest.mark.parametrize("batch", [1, 8])
def test_the_engine_gives_the_same_answers_without_drafts(
    vision_folder: Path, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def claims(requests: list[Request]) -> Any:
        engine = VlmEngine(
            Settings(engine="vlm", model=str(vision_folder), vlm=VlmSettings(threads=1, dtype="float32", batch=batch))
        )
        return {
            answer.key: {name: claim.value for name, claim in answer.claims.items()}
            for answer in checked_answers(engine, requests)
        }

    requests = sample_requests([ALL_TYPES, BUILT_IN["receipt"]], 4)
    guessed = claims(requests)
    monkeypatch.setattr(Draft, "propose", lambda *_: [])
    assert claims(requests) == guessed
