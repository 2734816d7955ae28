"""Runs a checkpoint's forward pass: prefill for one prompt at a time, and decode steps for all active sequences.

``SlotRunner`` serves model families whose attention and cache can be replaced, which is tested when a model is loaded. ``PlainRunner``
serves the others, one sequence after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any, Protocol

import torch

from pipeline.engines.vlm.attention import matmul_is_faster
from pipeline.engines.vlm.chat_template import EncodedPrompt
from pipeline.engines.vlm.kv_cache import ATTENTION, SlotCache, Step
from pipeline.engines.vlm.last_layer import LastFeedForward
from pipeline.engines.vlm.machine_capacity import release_freed_memory
from pipeline.engines.vlm.prefix_cache import PrefixCache, prefix_of
from pipeline.errors import EngineUnavailableError

_TOKEN_INPUTS = ("input_ids", "mm_token_type_ids")
_IMAGE_INPUTS = ("pixel_values", "image_grid_thw")


@dataclass(slots=True)
class SequenceState:
    """One sequence in the model's memory."""

    memory: Any
    """A Slot, or a transformers cache."""
    position: int = 0
    """Rotary position of the next token; after an image it is smaller than the number of tokens."""
    length: int = 0
    """Tokens in memory."""


class Runner(Protocol):
    """A way to run a model. Logits have the shape (vocabulary,)."""

    can_take_back: bool
    """Whether the last tokens of a sequence can be taken back."""

    @property
    def cached_tokens(self) -> int:
        """Tokens in memory that belong to no sequence."""
        ...

    def prefill(self, prompt: EncodedPrompt, room: int) -> tuple[SequenceState, torch.Tensor]:
        """Read a prompt, to which at most ``room`` tokens will be appended. Returns its state and the logits after its last token."""
        ...

    def step(self, states: Sequence[SequenceState], tokens: Sequence[Sequence[int]], last: Sequence[int]) -> list[torch.Tensor]:
        """Append ``tokens`` (at least one each) to the sequences.

        Returns for each sequence the logits after its ``last`` tokens, of shape (last, vocabulary).
        """
        ...

    def take_back(self, state: SequenceState, tokens: int) -> None:
        """Remove the last ``tokens`` of a sequence. Only where ``can_take_back``."""
        ...


def make_runner(model: Any) -> Runner:
    """The fastest runner that gives the same logits as the model itself. Raises EngineUnavailableError when none does."""
    slots = SlotRunner(model)
    if slots.works():
        return slots
    plain = PlainRunner(model)
    if plain.works():
        return plain
    raise EngineUnavailableError(
        f"models of the kind {model.config.model_type} do not remember tokens as attention does, and cannot be used",
        "choose another model with --model, or serve this one and choose --engine server",
    )


def has_rope_index(model: Any) -> bool:
    """Whether positions are rows and columns of images (M-RoPE of Qwen's vision models)."""
    return hasattr(getattr(model, "model", None), "get_rope_index")


def prompt_positions(model: Any, prompt: EncodedPrompt) -> torch.Tensor:
    """Rotary positions of a prompt: (3, 1, tokens) where images have rows and columns, else (1, tokens)."""
    if not has_rope_index(model):
        return torch.arange(prompt.tokens)[None]
    names = ("input_ids", "mm_token_type_ids", "image_grid_thw")
    positions, _ = model.model.get_rope_index(**{name: prompt.inputs.get(name) for name in names})
    return torch.as_tensor(positions)


def text_positions(model: Any, positions: torch.Tensor) -> torch.Tensor:
    """Positions of text tokens in the shape that the model accepts."""
    return positions.expand(3, 1, -1) if has_rope_index(model) else positions[None]


def _is_causal(model: Any) -> bool:
    """Whether each token attends to the tokens before it, at most within a window.

    False for chunked attention (Llama 4) and for images whose tokens attend to later ones (Gemma 3, PaliGemma): a short test text would
    not show that difference.
    """
    text = model.config.get_text_config()
    windowed = {"full_attention", "sliding_attention"}.issuperset(getattr(text, "layer_types", None) or ())
    ahead = getattr(text, "use_bidirectional_attention", None) or "token_type_ids" in signature(model.forward).parameters
    return windowed and not ahead


class SlotRunner:
    """Keeps sequences in slots and runs all of them in one pass. A prompt copies the beginning that it shares with an earlier one."""

    can_take_back = True

    def __init__(self, model: Any) -> None:
        self.model = model
        self._prefixes = PrefixCache()
        self._use_matmul = _matmul_is_faster(model)
        self._last = LastFeedForward(model)

    @property
    def cached_tokens(self) -> int:
        """See Runner."""
        return self._prefixes.tokens

    def prefill(self, prompt: EncodedPrompt, room: int) -> tuple[SequenceState, torch.Tensor]:
        """See Runner."""
        tokens, positions = prompt.tokens, prompt_positions(self.model, prompt)
        start = prefix_of(prompt)
        shared, slot = self._prefixes.fork_longest(start, tokens - 1, tokens + room)
        inputs = {name: value[:, shared:] if name in _TOKEN_INPUTS else value for name, value in prompt.inputs.items()}
        if shared > start.text:  # the shared part includes the image
            inputs = {name: value for name, value in inputs.items() if name not in _IMAGE_INPUTS}
        logits = self._forward(
            Step([slot], [tokens - shared], self._use_matmul), inputs, positions[..., shared:], [tokens - shared - 1]
        )[0]
        self._prefixes.store(start, slot, shared)
        release_freed_memory()
        return SequenceState(slot, int(positions.max()) + 1, tokens), logits

    def step(self, states: Sequence[SequenceState], tokens: Sequence[Sequence[int]], last: Sequence[int]) -> list[torch.Tensor]:
        """See Runner."""
        counts = [len(new) for new in tokens]
        step = Step([state.memory for state in states], counts)
        flat = [torch.arange(s.position, s.position + n) for s, n in zip(states, counts, strict=True)]
        ends = torch.tensor(counts).cumsum(0).tolist()
        rows = [row for end, count in zip(ends, last, strict=True) for row in range(end - count, end)]
        ids = torch.tensor([token for new in tokens for token in new])[None]
        logits = self._forward(step, {"input_ids": ids}, text_positions(self.model, torch.cat(flat)), rows)
        for state, count in zip(states, counts, strict=True):
            state.position += count
            state.length += count
        return list(logits.split(list(last)))

    def take_back(self, state: SequenceState, tokens: int) -> None:
        """See Runner."""
        state.memory.length -= tokens
        state.position -= tokens
        state.length -= tokens

    def _forward(self, step: Step, inputs: dict[str, Any], positions: torch.Tensor, last: list[int]) -> torch.Tensor:
        settings = {"position_ids": positions, "past_key_values": SlotCache(step), "use_cache": True, "step": step}
        rows = torch.tensor(last)
        with torch.inference_mode(), self._last.restricted_to(rows):
            output = self.model(**inputs, **settings, logits_to_keep=rows)
        step.finish()
        logits: torch.Tensor = output.logits[0]
        return logits

    def works(self) -> bool:
        """Whether this model gives the same logits with slots as without. If so, it keeps the slots' attention."""
        if not _is_causal(self.model):
            return False
        text = self.model.config.get_text_config()
        before = text._attn_implementation
        if before == ATTENTION:  # another runner has tested it
            return True
        expected = _expected(self.model)
        text._attn_implementation = ATTENTION
        same = _reproduces(self, expected)
        self._prefixes.clear()
        if not same:
            text._attn_implementation = before
        return same


def _matmul_is_faster(model: Any) -> bool:
    """See attention.py, for the heads of the text model."""
    text = model.config.get_text_config()
    heads = text.num_attention_heads
    return matmul_is_faster(heads, getattr(text, "head_dim", None) or text.hidden_size // heads, model.dtype)


_TEST_IDS = range(5, 13)
"""Token ids with which a runner is tested."""


def _expected(model: Any) -> torch.Tensor:
    """The logits after the last test token, computed without a cache."""
    with torch.inference_mode():
        logits: torch.Tensor = model(input_ids=torch.tensor([_TEST_IDS]), use_cache=False).logits[0, -1].float()
    return logits


def _reproduces(runner: SlotRunner | PlainRunner, expected: torch.Tensor) -> bool:
    """Whether a runner gives these logits when it reads the test tokens in two parts beside another sequence. False after any error."""
    ids = torch.tensor([_TEST_IDS])
    kinds = {"mm_token_type_ids": torch.zeros_like(ids)} if has_rope_index(runner.model) else {}
    try:
        first, _ = runner.prefill(
            EncodedPrompt({name: value[:, :5] for name, value in {"input_ids": ids, **kinds}.items()}), room=8
        )
        second, _ = runner.prefill(
            EncodedPrompt({name: value[:, :3] for name, value in {"input_ids": ids, **kinds}.items()}), room=8
        )
        got = runner.step([second, first], [ids[0, 3:6].tolist(), ids[0, 5:].tolist()], [1, 1])[1][0].float()
    except Exception:  # families raise different errors for what they do not support
        return False
    return bool(torch.cosine_similarity(got, expected, 0) > 0.99)


@dataclass(slots=True)
class PlainRunner:
    """Runs each sequence separately with the model's own cache, which not every family can shorten."""

    model: Any
    can_take_back = False
    cached_tokens = 0

    def prefill(self, prompt: EncodedPrompt, room: int) -> tuple[SequenceState, torch.Tensor]:
        """See Runner."""
        del room
        positions = prompt_positions(self.model, prompt)
        with torch.inference_mode():
            output = self.model(**prompt.inputs, position_ids=positions, use_cache=True, logits_to_keep=1)
        release_freed_memory()
        return SequenceState(output.past_key_values, int(positions.max()) + 1, prompt.tokens), output.logits[0, -1]

    def works(self) -> bool:
        """Whether the model can continue from its cache."""
        return _reproduces(self, _expected(self.model))

    def step(self, states: Sequence[SequenceState], tokens: Sequence[Sequence[int]], last: Sequence[int]) -> list[torch.Tensor]:
        """See Runner."""
        return [self._step_one(state, list(new), count) for state, new, count in zip(states, tokens, last, strict=True)]

    def take_back(self, state: SequenceState, tokens: int) -> None:
        """See Runner."""
        if tokens:
            raise NotImplementedError(f"{tokens} of {state.length} tokens: see `can_take_back`")

    def _step_one(self, state: SequenceState, new: list[int], last: int) -> torch.Tensor:
        positions = text_positions(self.model, torch.arange(state.position, state.position + len(new)))
        settings = {"position_ids": positions, "past_key_values": state.memory, "use_cache": True}
        with torch.inference_mode():
            output = self.model(input_ids=torch.tensor([new]), **settings, logits_to_keep=last)
        state.memory = output.past_key_values
        state.position += len(new)
        state.length += len(new)
        logits: torch.Tensor = output.logits[0]
        return logits
