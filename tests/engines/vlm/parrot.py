"""A runner that writes what it is told to, in place of a model: for what a decoder does with what a model says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import torch

from pipeline.engines.vlm.chat_template import Encoded
from pipeline.engines.vlm.decode import Decoder, Task, Written
from pipeline.engines.vlm.runner import Stream
from pipeline.engines.vlm.vlm_engine import VlmEngine
from pipeline.settings import Settings, VlmSettings
from tests.engines.vlm.tiny import PADDED, tokenizer

NUMBERED = 100
"""First token of the prompt with the number 0."""
STOP: int = tokenizer().eos_token_id


class Parrot:
    """Says ``says(prompt's number)`` token by token; where the schema wants something else, it goes on with what is left to say.

    A prompt's number is its first token, or where all are alike, how many were begun before.
    """

    forgets = True
    kept = 0

    def __init__(self, says: Callable[[int], str]) -> None:
        self._says = says
        self.begun = 0
        self.steps: list[list[int]] = []
        """Of each step the tokens held by each stream in it, when it was done."""
        self.held: list[int] = []
        """Of each step the tokens of all prompts and answers in it."""

    def begin(self, prompt: Encoded, room: int) -> tuple[Stream, torch.Tensor]:
        """See Runner."""
        first = int(prompt.inputs["input_ids"][0, 0])
        stream = Stream((self._says(first - NUMBERED if first >= NUMBERED else self.begun), []), prompt.tokens, prompt.tokens)
        self.begun += 1
        return stream, self._wish(stream)

    def step(self, streams: Sequence[Stream], tokens: Sequence[Sequence[int]], last: Sequence[int]) -> list[torch.Tensor]:
        """See Runner."""
        found = []
        for stream, new, count in zip(streams, tokens, last, strict=True):
            assert new, "a step without tokens is a waste"
            before = len(stream.memory[1]) + len(new) - count
            stream.memory[1].extend(new)
            stream.length += len(new)
            found.append(torch.stack([self._wish(stream, before + n + 1) for n in range(count)]))
        self.steps.append([len(new) for new in tokens])
        self.held.append(sum(stream.length for stream in streams))
        return found

    def forget(self, stream: Stream, tokens: int) -> None:
        """See Runner."""
        stream.length -= tokens
        del stream.memory[1][len(stream.memory[1]) - tokens :]

    def _wish(self, stream: Stream, read: int | None = None) -> torch.Tensor:
        """What it would say next, had it read only so many tokens of the answer."""
        text, written = stream.memory[0], stream.memory[1][:read]
        said = tokenizer().decode(written)
        rest = text[len(said) :] if text.startswith(said) else ""
        logits = torch.zeros(PADDED)
        logits[tokenizer().encode(rest[:80])[0] if rest else STOP] = 50.0
        return logits


def prompt(length: int = 5, number: int | None = None) -> Encoded:
    """Any prompt of so many tokens; with a number it stays the same one when it is begun again."""
    ids = torch.arange(length)
    if number is not None:
        ids[0] = NUMBERED + number
    return Encoded({"input_ids": ids[None]})


def write(says: str | Callable[[int], str], tasks: Iterable[Task[Any]], **way: int) -> tuple[list[Written[Any]], Parrot]:
    """What the decoder makes of a parrot's words."""
    parrot = Parrot(says if callable(says) else lambda number: says)
    return list(Decoder(parrot, {STOP}, **way).write(tasks)), parrot


def parrot_engine(folder: str, says: str) -> VlmEngine:
    """The whole engine, but for the model's mind."""
    engine = VlmEngine(Settings(engine="vlm", model=folder, vlm=VlmSettings(threads=1, dtype="float32")))
    decoder = Decoder(Parrot(lambda number: says), {STOP})
    engine.__dict__["_loaded"] = replace(engine._loaded, decoder=decoder)
    return engine
