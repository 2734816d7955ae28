"""The decode loop: many answers at once, each with its own schema, budget and stopper.

Prompts are read one at a time; then one step serves all answers under way. An answer that ends makes room for the next prompt at once.
Tokens that a schema forces are not computed: they ride along with the next step.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import numpy as np
import torch

from pipeline.engines.answers import shortened
from pipeline.engines.vlm.chat import Encoded
from pipeline.engines.vlm.constraint import Constraint
from pipeline.engines.vlm.repetition import Repetition
from pipeline.engines.vlm.runner import Runner, Stream

Ending = Literal["complete", "truncated", "repeated", "broken"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Task(Generic[T]):
    """One answer to write. ``tag`` comes back with it."""

    tag: T
    prompt: Encoded
    limit: int
    """Tokens the answer may have."""
    constraint: Constraint | None = None
    temperature: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Written(Generic[T]):
    """A finished answer: its tokens without the one that ends it, and how it ended."""

    tag: T
    tokens: Sequence[int] = ()
    ending: Ending = "complete"
    prompt_tokens: int = 0
    drawn: int = 0
    """Tokens that were computed; the others were forced by the schema."""
    error: str = ""
    """What broke, for ``broken``: a mistake costs the answers that it touches, never the run."""


@dataclass(slots=True)
class _Answer(Generic[T]):
    """An answer under way. Its prompt is not kept: once read, the pixels would lie about for as long as the answer takes."""

    tag: T
    prompt_tokens: int
    limit: int
    constraint: Constraint | None
    temperature: float
    stream: Stream
    tokens: list[int] = field(default_factory=list)
    pending: list[int] = field(default_factory=list)
    """Tokens written but not yet read by the model."""
    drawn: int = 0
    ending: Ending | None = None
    error: str = ""
    repetition: Repetition = field(default_factory=Repetition)
    generator: torch.Generator | None = None


class Decoder:
    """Writes answers with one runner. ``stops`` are the tokens that end an answer, ``most`` how many are written at once and
    ``memory`` how many tokens they may hold together."""

    def __init__(self, runner: Runner, stops: Iterable[int], *, most: int = 8, memory: int = 1 << 40) -> None:
        self._runner, self._stops = runner, frozenset(stops)
        self._most, self._memory = most, memory

    def write(self, tasks: Iterable[Task[T] | Written[T] | None]) -> Iterator[Written[T]]:
        """Answers in completion order. A None among the tasks means that none is ready just now; what needs no writing any more is
        passed on at once."""
        return filter(None, self.steps(tasks))

    def steps(self, tasks: Iterable[Task[T] | Written[T] | None]) -> Iterator[Written[T] | None]:
        """The same, with a None after every step."""
        source = iter(tasks)
        active: list[_Answer[T]] = []
        waiting: Task[T] | None = None
        more = True
        while more or active or waiting:
            while len(active) < self._most and (more or waiting):
                if waiting is None:
                    try:
                        found = next(source)
                    except StopIteration:
                        more, found = False, None
                    if isinstance(found, Written):
                        yield found
                        continue
                    waiting = found
                if waiting is None or not self._fits(waiting, active):
                    break
                try:
                    active.append(self._begin(waiting))
                except Exception as error:
                    yield Written(
                        waiting.tag, (), "broken", waiting.prompt.tokens, 0, shortened(f"{type(error).__name__}: {error}")
                    )
                waiting = None
            if going := [answer for answer in active if not answer.ending]:
                self._step(going)
                yield None
            yield from (_written(answer) for answer in active if answer.ending)
            active = [answer for answer in active if not answer.ending]

    def _fits(self, task: Task[T], active: Sequence[_Answer[T]]) -> bool:
        """Whether all answers could grow to their limits; a lone one is always begun."""
        held = sum(answer.prompt_tokens + answer.limit for answer in active)
        return not active or held + task.prompt.tokens + task.limit <= self._memory

    def _begin(self, task: Task[T]) -> _Answer[T]:
        stream, logits = self._runner.begin(task.prompt, task.limit)
        answer = _Answer(task.tag, task.prompt.tokens, task.limit, task.constraint, task.temperature, stream)
        if task.temperature:
            answer.generator = torch.Generator().manual_seed(task.seed)
        if task.constraint:
            self._append(answer, task.constraint.forced())
        if answer.pending and not answer.ending:  # the schema's opening: read it before anything is drawn
            logits = self._runner.step([stream], [answer.pending])[0]
            answer.pending = []
        if not answer.ending:
            self._draw(answer, logits)
        return answer

    def _step(self, active: Sequence[_Answer[T]]) -> None:
        try:
            rows = self._runner.step([answer.stream for answer in active], [answer.pending for answer in active])
        except Exception as error:
            for answer in active:
                answer.ending, answer.error = "broken", shortened(f"{type(error).__name__}: {error}")
            return
        for answer, logits in zip(active, rows, strict=True):
            answer.pending = []
            try:
                self._draw(answer, logits)
            except Exception as error:
                answer.ending, answer.error = "broken", shortened(f"{type(error).__name__}: {error}")

    def _draw(self, answer: _Answer[T], logits: torch.Tensor) -> None:
        """Choose the next token and append it, with those that the schema forces behind it."""
        constraint = answer.constraint
        token = _choose(logits, constraint, answer.temperature, answer.generator)
        answer.drawn += 1
        if token in self._stops:
            answer.ending = "complete"
            return
        self._append(answer, [token])
        if constraint and answer.ending in (None, "truncated"):  # the last token that fits may be the one that ends it
            constraint.accept(token)
            forced = constraint.forced()
            if self._append(answer, forced) == len(forced) and constraint.finished:
                answer.ending = "complete"

    def _append(self, answer: _Answer[T], tokens: Sequence[int]) -> int:
        """Append up to the limit; how many."""
        room = answer.limit - len(answer.tokens)
        for taken, token in enumerate(tokens[:room]):
            if token in self._stops:
                answer.ending = "complete"
                return taken
            answer.tokens.append(token)
            answer.pending.append(token)
            answer.repetition.feed(token)
        if answer.repetition.length:
            answer.ending = "repeated"
        elif len(answer.tokens) >= answer.limit:
            answer.ending = "truncated"
        return min(room, len(tokens))


def _written(answer: _Answer[T]) -> Written[T]:
    surplus = answer.repetition.surplus if answer.ending == "repeated" else 0
    tokens = answer.tokens[: len(answer.tokens) - surplus]
    return Written(answer.tag, tokens, answer.ending or "complete", answer.prompt_tokens, answer.drawn, answer.error)


def _choose(logits: torch.Tensor, constraint: Constraint | None, temperature: float, generator: torch.Generator | None) -> int:
    """The likeliest token that is allowed, or one drawn by temperature."""
    best = int(logits.argmax())
    if constraint is None and not temperature:
        return best
    if constraint:
        allowed: np.ndarray[Any, Any] = constraint.allowed(len(logits))
        if not temperature and allowed[best]:
            return best
        logits = logits.masked_fill(torch.from_numpy(~allowed), float("-inf"))
    if not temperature:
        return int(logits.argmax())
    return int(torch.multinomial(torch.softmax(logits / temperature, 0), 1, generator=generator))
