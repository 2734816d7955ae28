"""A runner that generates a given text in place of a model, to test what the decoder does with a model's tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch

from benchmarks.decoding import decode_all
from pipeline.engines.vlm.chat_template import EncodedPrompt
from pipeline.engines.vlm.decode import Decoder, DecodeTask, Generation
from pipeline.engines.vlm.runner import SequenceState
from pipeline.engines.vlm.vlm_engine import VlmEngine
from pipeline.settings import Settings
from pipeline.settings_sections import VlmSettings
from tests.engines.vlm.tiny import PADDED, tokenizer

NUMBERED = 100
"""First token of the prompt with the number 0."""
STOP: int = tokenizer().eos_token_id


class ScriptedRunner:
    """Generates ``script(prompt's number)`` token by token; where the schema forces other tokens, it goes on with the rest.

    A prompt's number is its first token, or where all are alike, how many were begun before.
    """

    can_take_back = True
    cached_tokens = 0

    def __init__(self, script: Callable[[int], str]) -> None:
        self._script = script
        self.begun = 0
        self.steps: list[list[int]] = []
        """Of each step the number of tokens that each state read."""
        self.lengths: list[int] = []
        """Of each step the tokens of all prompts and answers in memory."""

    def prefill(self, prompt: EncodedPrompt, room: int) -> tuple[SequenceState, torch.Tensor]:
        """See Runner."""
        first = int(prompt.inputs["input_ids"][0, 0])
        state = SequenceState(
            (self._script(first - NUMBERED if first >= NUMBERED else self.begun), []), prompt.tokens, prompt.tokens
        )
        self.begun += 1
        return state, self._logits(state)

    def step(self, states: Sequence[SequenceState], tokens: Sequence[Sequence[int]], last: Sequence[int]) -> list[torch.Tensor]:
        """See Runner."""
        logits = []
        for state, new, count in zip(states, tokens, last, strict=True):
            assert new, "a step without tokens is a waste"
            before = len(state.memory[1]) + len(new) - count
            state.memory[1].extend(new)
            state.length += len(new)
            logits.append(torch.stack([self._logits(state, before + n + 1) for n in range(count)]))
        self.steps.append([len(new) for new in tokens])
        self.lengths.append(sum(state.length for state in states))
        return logits

    def take_back(self, state: SequenceState, tokens: int) -> None:
        """See Runner."""
        state.length -= tokens
        del state.memory[1][len(state.memory[1]) - tokens :]

    def _logits(self, state: SequenceState, read: int | None = None) -> torch.Tensor:
        """Logits of the next token after the first ``read`` tokens of the answer."""
        text, tokens = state.memory[0], state.memory[1][:read]
        begun = tokenizer().decode(tokens)
        rest = text[len(begun) :] if text.startswith(begun) else ""
        logits = torch.zeros(PADDED)
        logits[tokenizer().encode(rest[:80])[0] if rest else STOP] = 50.0
        return logits


def prompt(length: int = 5, number: int | None = None) -> EncodedPrompt:
    """Any prompt of so many tokens; with a number it stays the same one when it is begun again."""
    ids = torch.arange(length)
    if number is not None:
        ids[0] = NUMBERED + number
    return EncodedPrompt({"input_ids": ids[None]})


def decode_script(
    script: str | Callable[[int], str], tasks: Iterable[DecodeTask[Any]], **limits: int
) -> tuple[list[Generation[Any]], ScriptedRunner]:
    """What the decoder generates with a scripted runner."""
    runner = ScriptedRunner(script if callable(script) else lambda number: script)
    return list(decode_all(Decoder(runner, {STOP}, **limits), tasks)), runner


def scripted_engine(folder: str, script: str) -> VlmEngine:
    """An engine whose model is replaced by a script."""
    engine = VlmEngine(Settings(engine="vlm", model=folder, vlm=VlmSettings(threads=1, dtype="float32")))
    engine.loaded_model.decoder.runner = ScriptedRunner(lambda number: script)
    return engine
