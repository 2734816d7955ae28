"""Continuous batching: many sequences are decoded at once, each with its own schema, token limit and repetition check.

Prompts are read one at a time. Every other step appends tokens to all active sequences. A sequence that ends makes room for the next
prompt at once. Tokens that a schema forces are not computed: they are read with the next step. So are draft tokens, of which a step
keeps those that the model would have chosen itself (speculative decoding).

Most answers are much shorter than their limit. Memory is therefore planned by the typical length. Where the active sequences need more
than there is, the one that began last steps back and is computed again later (preemption by recomputation, as in vLLM: Kwon et al. 2023,
"PagedAttention").
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import numpy as np
import torch

from pipeline.engines.answers import shorten
from pipeline.engines.vlm.chat_template import EncodedPrompt
from pipeline.engines.vlm.constraint import Constraint
from pipeline.engines.vlm.prefix_cache import common_length
from pipeline.engines.vlm.repetition import RepetitionCheck
from pipeline.engines.vlm.runner import Runner, SequenceState
from pipeline.engines.vlm.speculation import Draft

Ending = Literal["complete", "truncated", "repeated", "broken"]
T = TypeVar("T")
INITIAL_LENGTH = 256
"""Tokens that an answer is expected to have before any has ended."""
LENGTH_MARGIN = 1.25
"""Memory is planned for answers that are longer than the typical one by this factor."""


@dataclass(frozen=True, slots=True)
class DecodeTask(Generic[T]):
    """One answer to generate. ``tag`` comes back with the generation."""

    tag: T
    prompt: EncodedPrompt
    limit: int
    """Tokens the answer may have."""
    constraint: Constraint | None = None
    temperature: float = 0.0
    seed: int = 0
    draft: Draft | None = None
    encode_again: Callable[[], EncodedPrompt] | None = None
    """Encodes the prompt again for a sequence that stepped back, so that its pixels are not kept in memory meanwhile."""
    follow: Callable[[Sequence[int]], bool] | None = None
    """Gets all tokens so far after each step; where it returns True, the answer ends as ``complete``."""


@dataclass(frozen=True, slots=True)
class Generation(Generic[T]):
    """A finished sequence: its tokens without the stop token, and how it ended."""

    tag: T
    tokens: Sequence[int] = ()
    ending: Ending = "complete"
    probabilities: Sequence[float] = ()
    """Of each token the probability among those that the schema allowed; 1 for tokens that it forced."""
    prompt_tokens: int = 0
    sampled: int = 0
    """Tokens that the model chose; the schema forced the others."""
    error: str = ""
    """The error message where ``ending`` is ``broken``. An error ends only the sequences of the step in which it happened."""


@dataclass(slots=True)
class _Sequence(Generic[T]):
    """A sequence that is not finished. Its prompt is dropped once it is read: pixels take much memory."""

    tag: T
    prompt: EncodedPrompt | None
    prompt_tokens: int
    limit: int
    constraint: Constraint | None
    temperature: float
    draft: Draft | None
    encode_again: Callable[[], EncodedPrompt]
    state: SequenceState | None = None
    """None before its prompt is read, and while it has stepped back."""
    stepped_back: bool = False
    tokens: list[int] = field(default_factory=list)
    probabilities: list[float] = field(default_factory=list)
    pending: list[int] = field(default_factory=list)
    """Tokens of the answer that the model has not read yet."""
    sampled: int = 0
    ending: Ending | None = None
    error: str = ""
    repetition: RepetitionCheck = field(default_factory=RepetitionCheck)
    generator: torch.Generator | None = None
    follow: Callable[[Sequence[int]], bool] | None = None

    @property
    def length(self) -> int:
        """Tokens in memory once all of the answer is read."""
        return self.prompt_tokens + len(self.tokens)

    def expected_length(self, typical: float) -> int:
        """Tokens that it probably holds at its end. One that stepped back gets its limit, so that it does not step back twice."""
        if self.stepped_back:
            return self.prompt_tokens + self.limit
        return self.prompt_tokens + min(self.limit, max(int(typical), len(self.tokens) + INITIAL_LENGTH // 4))


class Decoder(Generic[T]):
    """Decodes sequences with one runner.

    ``stop_tokens`` end an answer. At most ``batch`` sequences are active at once, and they hold at most ``memory`` tokens together. One
    step reads at most ``rows`` tokens, draft tokens included.
    """

    def __init__(
        self, runner: Runner, stop_tokens: Iterable[int], *, batch: int = 8, memory: int = 1 << 40, rows: int = 16
    ) -> None:
        self.runner = runner
        self._stop_tokens = frozenset(stop_tokens)
        self._batch, self._memory, self._rows = batch, memory, rows
        self._typical_length = float(INITIAL_LENGTH)
        self._waiting: deque[_Sequence[T]] = deque()
        self._stepped_back: deque[_Sequence[T]] = deque()
        self._active: list[_Sequence[T]] = []

    @property
    def load(self) -> int:
        """Sequences that are submitted and not finished."""
        return len(self._waiting) + len(self._stepped_back) + len(self._active)

    @property
    def room(self) -> bool:
        """Whether the next step could read one more prompt, as far as is known before the prompt is there."""
        return len(self._active) < self._batch and not self._waiting and not self._stepped_back

    def submit(self, task: DecodeTask[T]) -> None:
        """Queue one task."""
        self._waiting.append(_sequence(task))

    def step(self) -> list[Generation[T]]:
        """Read one prompt, or where none fits, append tokens to all active sequences. Returns what is finished then."""
        if sequence := self._next_to_begin():
            self._active.append(sequence)
            self._guarded(self._begin, sequence)
        elif self._active:
            self._step_back()
            self._extend(self._active)
        for sequence in self._active:
            if sequence.follow and not sequence.ending:
                self._guarded(self._follow, sequence)
        ended = [sequence for sequence in self._active if sequence.ending]
        self._active = [sequence for sequence in self._active if not sequence.ending]
        return [self._finish(sequence) for sequence in ended]

    def reset(self) -> None:
        """Drop all sequences and free their memory. What the prefix cache holds stays."""
        self._waiting.clear()
        self._stepped_back.clear()
        self._active.clear()

    def _next_to_begin(self) -> _Sequence[T] | None:
        """The sequence whose prompt is read next, taken off its queue: first those that stepped back."""
        queue = self._stepped_back or self._waiting
        if not queue or len(self._active) >= self._batch or not self._fits(queue[0]):
            return None
        return queue.popleft()

    def _step_back(self) -> None:
        """Free the sequences that began last, until the others fit into memory."""
        while len(self._active) > 1 and sum(sequence.length for sequence in self._active) > self._free_tokens:
            last = self._active.pop()
            last.state, last.stepped_back = None, True
            self._stepped_back.appendleft(last)

    def _fits(self, new: _Sequence[T]) -> bool:
        """Whether all active sequences and this one could grow to the expected length. A single one always fits."""
        if not self._active:
            return True
        typical = self._typical_length * LENGTH_MARGIN
        return sum(sequence.expected_length(typical) for sequence in (*self._active, new)) <= self._free_tokens

    @property
    def _free_tokens(self) -> int:
        """Tokens that all sequences together may hold now."""
        return self._memory - self.runner.cached_tokens

    def _guarded(self, act: Callable[..., None], sequence: _Sequence[T], *arguments: Any) -> None:
        """An error in ``act`` ends this sequence, not the run."""
        try:
            act(sequence, *arguments)
        except Exception as error:
            sequence.ending, sequence.error = "broken", shorten(f"{type(error).__name__}: {error}")

    def _begin(self, sequence: _Sequence[T]) -> None:
        """Read the prompt. Tokens that are generated already, or forced by the schema, are read with the next step."""
        prompt, sequence.prompt = sequence.prompt or sequence.encode_again(), None
        sequence.state, logits = self.runner.prefill(prompt, sequence.limit)
        if not sequence.tokens and sequence.constraint:
            self._append(sequence, sequence.constraint.forced())
        sequence.pending = list(sequence.tokens)
        if not sequence.pending and not sequence.ending:
            self._sample(sequence, logits)

    def _extend(self, active: Sequence[_Sequence[T]]) -> None:
        """One forward pass for all active sequences."""
        drafts = self._draft_tokens(active)
        tokens = [[*sequence.pending, *draft] for sequence, draft in zip(active, drafts, strict=True)]
        try:
            states = [_state(sequence) for sequence in active]
            all_logits = self.runner.step(states, tokens, [len(draft) + 1 for draft in drafts])
        except Exception as error:
            for sequence in active:
                sequence.ending, sequence.error = "broken", shorten(f"{type(error).__name__}: {error}")
            return
        for sequence, logits, draft in zip(active, all_logits, drafts, strict=True):
            self._guarded(self._accept, sequence, logits, draft)

    def _draft_tokens(self, active: Sequence[_Sequence[T]]) -> list[list[int]]:
        """Draft tokens for each sequence, as many as the step has rows to spare. Sampling at random gets none: it confirms nothing."""
        drafts = [sequence.draft if self.runner.can_take_back and not sequence.temperature else None for sequence in active]
        spare = self._rows - sum(len(sequence.pending) for sequence in active)
        spare = min(spare, self._free_tokens - sum(sequence.length for sequence in active))
        share = max(0, spare) // max(1, len(drafts) - drafts.count(None))
        return [
            draft.propose(sequence.tokens, min(share, sequence.limit - len(sequence.tokens) - 1)) if draft else []
            for sequence, draft in zip(active, drafts, strict=True)
        ]

    def _accept(self, sequence: _Sequence[T], logits: torch.Tensor, draft: list[int]) -> None:
        """Append tokens by logits of shape (1 + draft tokens, vocabulary).

        While the draft is what the model chooses itself, its logits give the next token, too. Wrong draft tokens are taken back.
        """
        sequence.pending, confirmed = [], 0
        while True:
            length = len(sequence.tokens)
            self._sample(sequence, logits[confirmed])
            new = sequence.tokens[length:]
            same = common_length(new, draft[confirmed:])
            confirmed += same
            if sequence.ending or same < len(new) or not new:
                sequence.pending = new[same:]
                break
        self.runner.take_back(_state(sequence), len(draft) - confirmed)
        if sequence.draft and draft:
            sequence.draft.record_outcome(len(draft), confirmed)

    @staticmethod
    def _follow(sequence: _Sequence[T]) -> None:
        if sequence.follow and sequence.follow(sequence.tokens):
            sequence.ending = "complete"

    def _finish(self, sequence: _Sequence[T]) -> Generation[T]:
        if sequence.ending != "broken":
            self._typical_length += (len(sequence.tokens) - self._typical_length) / 16
        sequence.state = None  # frees memory before the next prompt is read
        surplus = sequence.repetition.surplus if sequence.ending == "repeated" else 0
        tokens = sequence.tokens[: len(sequence.tokens) - surplus]
        ending = sequence.ending or "complete"
        probabilities = sequence.probabilities[: len(tokens)]
        return Generation(sequence.tag, tokens, ending, probabilities, sequence.prompt_tokens, sequence.sampled, sequence.error)

    def _sample(self, sequence: _Sequence[T], logits: torch.Tensor) -> None:
        """Choose the next token and append it, together with the tokens that the schema forces behind it."""
        constraint = sequence.constraint
        token, probability = _choose(logits, constraint, sequence.temperature, sequence.generator)
        sequence.sampled += 1
        if token in self._stop_tokens:
            sequence.ending = "complete"
            return
        self._append(sequence, [token], probability)
        if constraint and sequence.ending in (None, "truncated"):  # the last token that fits may complete the JSON
            constraint.accept(token)
            forced = constraint.forced()
            if self._append(sequence, forced) == len(forced) and constraint.finished:
                sequence.ending = "complete"

    def _append(self, sequence: _Sequence[T], tokens: Sequence[int], probability: float = 1.0) -> int:
        """Append tokens up to the limit; returns how many fit. ``probability``: of each of them, 1 for what the schema forces."""
        room = sequence.limit - len(sequence.tokens)
        for count, token in enumerate(tokens[:room]):
            if token in self._stop_tokens:
                sequence.ending = "complete"
                return count
            sequence.tokens.append(token)
            sequence.probabilities.append(probability)
            sequence.pending.append(token)
            sequence.repetition.add(token)
        if sequence.repetition.length:
            sequence.ending = "repeated"
        elif len(sequence.tokens) >= sequence.limit:
            sequence.ending = "truncated"
        return min(room, len(tokens))


def _sequence(task: DecodeTask[T]) -> _Sequence[T]:
    encode_again = task.encode_again or (lambda: task.prompt)
    sequence = _Sequence(
        task.tag, task.prompt, task.prompt.tokens, task.limit, task.constraint, task.temperature, task.draft, encode_again
    )
    if task.temperature:
        sequence.generator = torch.Generator().manual_seed(task.seed)
    sequence.follow = task.follow
    return sequence


def _state(sequence: _Sequence[T]) -> SequenceState:
    if sequence.state is None:
        raise RuntimeError("the sequence has stepped back")
    return sequence.state


def _choose(
    logits: torch.Tensor, constraint: Constraint | None, temperature: float, generator: torch.Generator | None
) -> tuple[int, float]:
    """The most likely token that is allowed; with a temperature, one sampled at random. And its probability among the allowed ones."""
    logits = logits.float()
    if constraint:
        allowed: np.ndarray[Any, Any] = constraint.allowed(len(logits))
        logits = logits.masked_fill(torch.from_numpy(~allowed), float("-inf"))
    drawn = (
        torch.multinomial(torch.softmax(logits / temperature, 0), 1, generator=generator) if temperature else logits.argmax()
    )
    token = int(drawn)
    return token, float(torch.exp(logits[token] - torch.logsumexp(logits, 0)))
