"""The decode loop: many answers at once, each with its own schema, budget and stopper.

Prompts are read one at a time; then one step serves all answers under way. An answer that ends makes room for the next prompt at once.
Tokens that a schema forces are not computed: they ride along with the next step, and so do guesses at what follows, of which
those are kept that the model would have written itself.

Few answers are as long as they may be. So memory is given out by what answers usually take, and where they take more than
there is, the one begun last steps back and goes on later (as in vLLM, Kwon et al. 2023, "PagedAttention": preemption by recomputation).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import numpy as np
import torch

from pipeline.engines.answers import shortened
from pipeline.engines.vlm.chat_template import Encoded
from pipeline.engines.vlm.constraint import Constraint
from pipeline.engines.vlm.prefix_cache import in_common
from pipeline.engines.vlm.repetition import Repetition
from pipeline.engines.vlm.runner import Runner, Stream
from pipeline.engines.vlm.speculation import Draft

Ending = Literal["complete", "truncated", "repeated", "broken"]
T = TypeVar("T")
USUAL = 256
"""Tokens that an answer is taken to have before any has ended."""
MARGIN = 1.25
"""How much longer than usual an answer is expected to be."""


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
    draft: Draft | None = None
    again: Callable[[], Encoded] | None = None
    """Makes the prompt anew, for an answer that had to step back: its pixels need not be kept."""


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
    """An answer under way. Its prompt is not kept where it can be made again: pixels would lie about for as long as it takes."""

    tag: T
    prompt: Encoded | None
    prompt_tokens: int
    limit: int
    constraint: Constraint | None
    temperature: float
    draft: Draft | None
    again: Callable[[], Encoded]
    stream: Stream | None = None
    """None before it is begun, and while it steps back."""
    stepped_back: bool = False
    tokens: list[int] = field(default_factory=list)
    pending: list[int] = field(default_factory=list)
    """Tokens written but not yet read by the model."""
    drawn: int = 0
    ending: Ending | None = None
    error: str = ""
    repetition: Repetition = field(default_factory=Repetition)
    generator: torch.Generator | None = None

    @property
    def held(self) -> int:
        """Tokens in memory once it has read what it wrote."""
        return self.prompt_tokens + len(self.tokens)

    def expected(self, usual: float) -> int:
        """Tokens that it is likely to hold at its end; one that stepped back once shall not have to do so again."""
        if self.stepped_back:
            return self.prompt_tokens + self.limit
        return self.prompt_tokens + min(self.limit, max(int(usual), len(self.tokens) + USUAL // 4))


class Decoder:
    """Writes answers with one runner. ``stops`` are the tokens that end an answer, ``most`` how many are written at once and
    ``memory`` how many tokens they may hold together; ``rows`` are those that one step may read, guessed ones included."""

    def __init__(self, runner: Runner, stops: Iterable[int], *, most: int = 8, memory: int = 1 << 40, rows: int = 16) -> None:
        self._runner, self._stops = runner, frozenset(stops)
        self._most, self._memory, self._rows = most, memory, rows
        self._usual = float(USUAL)

    def write(self, tasks: Iterable[Task[T] | Written[T] | None]) -> Iterator[Written[T]]:
        """Answers in completion order. A None among the tasks means that none is ready just now; what needs no writing any more is
        passed on at once."""
        return filter(None, self.steps(tasks))

    def steps(self, tasks: Iterable[Task[T] | Written[T] | None]) -> Iterator[Written[T] | None]:
        """The same, with a None after every prompt and every step."""
        source = iter(tasks)
        active: list[_Answer[T]] = []
        back: deque[_Answer[T]] = deque()
        waiting: _Answer[T] | None = None
        more = True
        while more or active or waiting or back:
            while len(active) < self._most and (more or waiting or back):
                if back:
                    if not self._fits(back[0], active):
                        break
                    active.append(back.popleft())
                    self._guarded(self._begin, active[-1])
                    yield None
                    continue
                if waiting is None:
                    try:
                        found = next(source)
                    except StopIteration:
                        more, found = False, None
                    if isinstance(found, Written):
                        yield found
                        continue
                    waiting = _answer(found) if found else None
                if waiting is None or not self._fits(waiting, active):
                    break
                active.append(waiting)
                self._guarded(self._begin, waiting)
                waiting = None
                yield None
            if going := [answer for answer in active if not answer.ending]:
                while len(going) > 1 and sum(answer.held for answer in going) > self._room:
                    last = going.pop()
                    last.stream, last.stepped_back = None, True
                    active.remove(last)
                    back.appendleft(last)
                self._step(going)
                yield None
            yield from (self._ended(answer) for answer in active if answer.ending)
            active = [answer for answer in active if not answer.ending]

    def _fits(self, new: _Answer[T], active: Sequence[_Answer[T]]) -> bool:
        """Whether all answers could grow to what is usual; a lone one is always begun."""
        usual = self._usual * MARGIN
        return not active or sum(answer.expected(usual) for answer in (*active, new)) <= self._room

    @property
    def _room(self) -> int:
        """Tokens that all answers may hold just now."""
        return self._memory - self._runner.kept

    def _guarded(self, act: Callable[..., None], answer: _Answer[T], *arguments: Any) -> None:
        """A mistake costs the answers that it touches, never the run."""
        try:
            act(answer, *arguments)
        except Exception as error:
            answer.ending, answer.error = "broken", shortened(f"{type(error).__name__}: {error}")

    def _begin(self, answer: _Answer[T]) -> None:
        """Read the prompt; what is already written, or forced by the schema, is read with the next step."""
        prompt, answer.prompt = answer.prompt or answer.again(), None
        answer.stream, logits = self._runner.begin(prompt, answer.limit)
        if not answer.tokens and answer.constraint:
            self._append(answer, answer.constraint.forced())
        answer.pending = list(answer.tokens)
        if not answer.pending and not answer.ending:
            self._draw(answer, logits)

    def _step(self, active: Sequence[_Answer[T]]) -> None:
        guesses = self._guesses(active)
        tokens = [[*answer.pending, *guess] for answer, guess in zip(active, guesses, strict=True)]
        try:
            found = self._runner.step([_stream(answer) for answer in active], tokens, [len(guess) + 1 for guess in guesses])
        except Exception as error:
            for answer in active:
                answer.ending, answer.error = "broken", shortened(f"{type(error).__name__}: {error}")
            return
        for answer, logits, guess in zip(active, found, guesses, strict=True):
            self._guarded(self._take, answer, logits, guess)

    def _guesses(self, active: Sequence[_Answer[T]]) -> list[list[int]]:
        """What may follow in each answer, as far as the step has rows to spare; drawing at random has nothing to confirm."""
        drafts = [answer.draft if self._runner.forgets and not answer.temperature else None for answer in active]
        spare = self._rows - sum(len(answer.pending) for answer in active)
        spare = min(spare, self._room - sum(answer.held for answer in active))
        share = max(0, spare) // max(1, len(drafts) - drafts.count(None))
        return [
            draft.propose(answer.tokens, min(share, answer.limit - len(answer.tokens) - 1)) if draft else []
            for answer, draft in zip(active, drafts, strict=True)
        ]

    def _take(self, answer: _Answer[T], logits: torch.Tensor, guess: list[int]) -> None:
        """Go on from logits of shape (1 + guessed tokens, vocabulary): as far as the guess is what the model writes itself, its logits
        tell the next token, too; what was guessed wrong is forgotten."""
        answer.pending, confirmed = [], 0
        while True:
            known = len(answer.tokens)
            self._draw(answer, logits[confirmed])
            new = answer.tokens[known:]
            same = in_common(new, guess[confirmed:])
            confirmed += same
            if answer.ending or same < len(new) or not new:
                answer.pending = new[same:]
                break
        self._runner.forget(_stream(answer), len(guess) - confirmed)
        if answer.draft and guess:
            answer.draft.judged(len(guess), confirmed)

    def _ended(self, answer: _Answer[T]) -> Written[T]:
        if answer.ending != "broken":
            self._usual += (len(answer.tokens) - self._usual) / 16
        answer.stream = None  # the next prompt is read before the last reference to this answer is gone
        surplus = answer.repetition.surplus if answer.ending == "repeated" else 0
        tokens = answer.tokens[: len(answer.tokens) - surplus]
        return Written(answer.tag, tokens, answer.ending or "complete", answer.prompt_tokens, answer.drawn, answer.error)

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


def _answer(task: Task[T]) -> _Answer[T]:
    again = task.again or (lambda: task.prompt)
    answer = _Answer(
        task.tag, task.prompt, task.prompt.tokens, task.limit, task.constraint, task.temperature, task.draft, again
    )
    if task.temperature:
        answer.generator = torch.Generator().manual_seed(task.seed)
    return answer


def _stream(answer: _Answer[T]) -> Stream:
    if answer.stream is None:
        raise RuntimeError("the answer has stepped back")
    return answer.stream


def _choose(logits: torch.Tensor, constraint: Constraint | None, temperature: float, generator: torch.Generator | None) -> int:
    """The likeliest token that is allowed, or one drawn by temperature."""
    logits = logits.float()
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
