"""A runner that writes what it is told to, in place of a model: for what a decoder does with what a model says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import torch

from pipeline.engines.vlm.chat import Encoded
from pipeline.engines.vlm.decode import Decoder, Task, Written
from pipeline.engines.vlm.engine import VlmEngine
from pipeline.engines.vlm.runner import Stream
from pipeline.settings import Settings, Vlm
from tests.engines.vlm.tiny import PADDED, tokenizer

STOP: int = tokenizer().eos_token_id


class Parrot:
    """Says ``says(prompt's number)`` token by token; where the schema wants something else, it goes on with what is left to say."""

    def __init__(self, says: Callable[[int], str]) -> None:
        self._says = says
        self._begun = 0
        self.steps: list[list[int]] = []
        """Of each step the tokens held by each stream in it, when it was done."""
        self.held: list[int] = []
        """Of each step the tokens of all prompts and answers in it."""

    def begin(self, prompt: Encoded, room: int) -> tuple[Stream, torch.Tensor]:
        """See Runner."""
        stream = Stream((self._says(self._begun), []), prompt.tokens, prompt.tokens)
        self._begun += 1
        return stream, self._wish(stream)

    def step(self, streams: Sequence[Stream], tokens: Sequence[Sequence[int]]) -> list[torch.Tensor]:
        """See Runner."""
        for stream, new in zip(streams, tokens, strict=True):
            assert new, "a step without tokens is a waste"
            stream.memory[1].extend(new)
            stream.length += len(new)
        self.steps.append([len(new) for new in tokens])
        self.held.append(sum(stream.length for stream in streams))
        return [self._wish(stream) for stream in streams]

    def _wish(self, stream: Stream) -> torch.Tensor:
        text, written = stream.memory
        said = tokenizer().decode(written)
        rest = text[len(said) :] if text.startswith(said) else ""
        logits = torch.zeros(PADDED)
        logits[tokenizer().encode(rest[:80])[0] if rest else STOP] = 50.0
        return logits


def prompt(length: int = 5) -> Encoded:
    """Any prompt of so many tokens."""
    return Encoded({"input_ids": torch.arange(length)[None]})


def write(says: str | Callable[[int], str], tasks: Iterable[Task[Any]], **way: int) -> tuple[list[Written[Any]], Parrot]:
    """What the decoder makes of a parrot's words."""
    parrot = Parrot(says if callable(says) else lambda number: says)
    return list(Decoder(parrot, {STOP}, **way).write(tasks)), parrot


def parrot_engine(folder: str, says: str) -> VlmEngine:
    """The whole engine, but for the model's mind."""
    engine = VlmEngine(Settings(engine="vlm", model=folder, vlm=Vlm(threads=1, dtype="float32")))
    decoder = Decoder(Parrot(lambda number: says), {STOP})
    engine.__dict__["_loaded"] = replace(engine._loaded, decoder=decoder)
    return engine
