"""Runs a checkpoint's forward pass for many sequences: prompts one at a time, then a step for all that are being answered.

``SlotRunner`` serves model families that let attention and cache be replaced, which is tried out when the model is loaded; ``PlainRunner``
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

_BY_TOKEN = ("input_ids", "mm_token_type_ids")
_BY_IMAGE = ("pixel_values", "image_grid_thw")


@dataclass(slots=True)
class SequenceState:
    """One sequence in the model's memory."""

    memory: Any
    """A Slot, or a transformers cache."""
    position: int = 0
    """Rotary position of the next token: behind an image it is less than the number of tokens."""
    length: int = 0
    """Tokens in memory."""


class Runner(Protocol):
    """Both ways to run a model. Logits are of shape (vocabulary,)."""

    can_take_back: bool
    """Whether the last tokens of a stream can be taken back."""

    @property
    def cached_tokens(self) -> int:
        """Tokens in memory beside those of the streams."""
        ...

    def prefill(self, prompt: EncodedPrompt, room: int) -> tuple[SequenceState, torch.Tensor]:
        """Read a prompt, to which up to ``room`` tokens will be appended; the logits are those behind its last token."""
        ...

    def step(
        self, streams: Sequence[SequenceState], tokens: Sequence[Sequence[int]], last: Sequence[int]
    ) -> list[torch.Tensor]:
        """Append ``tokens`` (at least one each) to each stream; of each the logits behind its ``last`` tokens: (last, vocabulary)."""
        ...

    def take_back(self, stream: SequenceState, tokens: int) -> None:
        """Take back the last so many tokens of a stream, where ``forgets`` says that this can be done."""
        ...


def make_runner(model: Any) -> Runner:
    """The quickest runner that gives what the model itself gives. Raises EngineUnavailableError when none does."""
    slots = SlotRunner(model)
    if slots.works():
        return slots
    plain = PlainRunner(model)
    if plain.works():
        return plain
    raise EngineUnavailableError(
        f"models of the kind {model.config.model_type} do not keep what they have read as attention does, and cannot be used",
        "choose another model with --model, or serve this one and choose --engine server",
    )


def has_rope_index(model: Any) -> bool:
    """Whether positions are rows and columns of images (M-RoPE of Qwen's vision models)."""
    return hasattr(getattr(model, "model", None), "get_rope_index")


def prompt_positions(model: Any, prompt: EncodedPrompt) -> torch.Tensor:
    """Rotary positions of a prompt: (3, 1, tokens) where images have rows and columns, else (1, tokens)."""
    if not has_rope_index(model):
        return torch.arange(prompt.tokens)[None]
    wanted = ("input_ids", "mm_token_type_ids", "image_grid_thw")
    positions, _ = model.model.get_rope_index(**{name: prompt.inputs.get(name) for name in wanted})
    return torch.as_tensor(positions)


def shaped(model: Any, positions: torch.Tensor) -> torch.Tensor:
    """Positions of text tokens in the shape that the model takes."""
    return positions.expand(3, 1, -1) if has_rope_index(model) else positions[None]


def _is_causal(model: Any) -> bool:
    """Whether tokens attend to those before them, at most within a window: no chunks (Llama 4), no images whose tokens also look
    ahead (Gemma 3, PaliGemma). A short text would not show the difference."""
    text = model.config.get_text_config()
    plain = {"full_attention", "sliding_attention"}.issuperset(getattr(text, "layer_types", None) or ())
    ahead = getattr(text, "use_bidirectional_attention", None) or "token_type_ids" in signature(model.forward).parameters
    return plain and not ahead


class SlotRunner:
    """Sequences in slots, all of them in one pass; what a prompt shares with an earlier one is not computed again."""

    can_take_back = True

    def __init__(self, model: Any) -> None:
        self.model = model
        self._prefixes = PrefixCache()
        self._plain = _matmul_is_faster(model)
        self._last = LastFeedForward(model)

    @property
    def cached_tokens(self) -> int:
        """See Runner."""
        return self._prefixes.tokens

    def prefill(self, prompt: EncodedPrompt, room: int) -> tuple[SequenceState, torch.Tensor]:
        """See Runner."""
        tokens, positions = prompt.tokens, prompt_positions(self.model, prompt)
        start = prefix_of(prompt)
        shared, slot = self._prefixes.take(start, tokens - 1, tokens + room)
        inputs = {name: value[:, shared:] if name in _BY_TOKEN else value for name, value in prompt.inputs.items()}
        if shared > start.text:  # the image is read, too
            inputs = {name: value for name, value in inputs.items() if name not in _BY_IMAGE}
        logits = self._forward(
            Step([slot], [tokens - shared], self._plain), inputs, positions[..., shared:], [tokens - shared - 1]
        )[0]
        self._prefixes.keep(start, slot, shared)
        release_freed_memory()
        return SequenceState(slot, int(positions.max()) + 1, tokens), logits

    def step(
        self, streams: Sequence[SequenceState], tokens: Sequence[Sequence[int]], last: Sequence[int]
    ) -> list[torch.Tensor]:
        """See Runner."""
        counts = [len(new) for new in tokens]
        step = Step([stream.memory for stream in streams], counts)
        flat = [torch.arange(s.position, s.position + n) for s, n in zip(streams, counts, strict=True)]
        ends = torch.tensor(counts).cumsum(0).tolist()
        wanted = [row for end, count in zip(ends, last, strict=True) for row in range(end - count, end)]
        ids = torch.tensor([token for new in tokens for token in new])[None]
        logits = self._forward(step, {"input_ids": ids}, shaped(self.model, torch.cat(flat)), wanted)
        for stream, count in zip(streams, counts, strict=True):
            stream.position += count
            stream.length += count
        return list(logits.split(list(last)))

    def take_back(self, stream: SequenceState, tokens: int) -> None:
        """See Runner."""
        stream.memory.length -= tokens
        stream.position -= tokens
        stream.length -= tokens

    def _forward(self, step: Step, inputs: dict[str, Any], positions: torch.Tensor, last: list[int]) -> torch.Tensor:
        settings = {"position_ids": positions, "past_key_values": SlotCache(step), "use_cache": True, "step": step}
        wanted = torch.tensor(last)
        with torch.inference_mode(), self._last.only(wanted):
            output = self.model(**inputs, **settings, logits_to_keep=wanted)
        step.finish()
        logits: torch.Tensor = output.logits[0]
        return logits

    def works(self) -> bool:
        """Whether this model gives the same logits through slots as by itself; switches its attention over if so."""
        if not _is_causal(self.model):
            return False
        text = self.model.config.get_text_config()
        before = text._attn_implementation
        if before == ATTENTION:  # another runner has found out
            return True
        expected = _expected(self.model)
        text._attn_implementation = ATTENTION
        same = _gives(self, expected)
        self._prefixes.clear()
        if not same:
            text._attn_implementation = before
        return same


def _matmul_is_faster(model: Any) -> bool:
    """See translated_errors.py; of a text's heads."""
    text = model.config.get_text_config()
    heads = text.num_attention_heads
    return matmul_is_faster(heads, getattr(text, "head_dim", None) or text.hidden_size // heads, model.dtype)


_TRIAL = range(5, 13)
"""Token ids with which a runner is tried out."""


def _expected(model: Any) -> torch.Tensor:
    """The logits behind the trial's last token, without any memory."""
    with torch.inference_mode():
        logits: torch.Tensor = model(input_ids=torch.tensor([_TRIAL]), use_cache=False).logits[0, -1].float()
    return logits


def _gives(runner: SlotRunner | PlainRunner, expected: torch.Tensor) -> bool:
    """Whether a runner, reading the trial in two parts beside another sequence, comes to these logits. Any failure is a no."""
    ids = torch.tensor([_TRIAL])
    kinds = {"mm_token_type_ids": torch.zeros_like(ids)} if has_rope_index(runner.model) else {}
    try:
        first, _ = runner.prefill(
            EncodedPrompt({name: value[:, :5] for name, value in {"input_ids": ids, **kinds}.items()}), room=8
        )
        second, _ = runner.prefill(
            EncodedPrompt({name: value[:, :3] for name, value in {"input_ids": ids, **kinds}.items()}), room=8
        )
        got = runner.step([second, first], [ids[0, 3:6].tolist(), ids[0, 5:].tolist()], [1, 1])[1][0].float()
    except Exception:  # whatever a family does not know
        return False
    return bool(torch.cosine_similarity(got, expected, 0) > 0.99)


@dataclass(slots=True)
class PlainRunner:
    """Each sequence by itself, with the model's own cache, which not every family can shorten."""

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
        """Whether the model can go on from what it has read."""
        return _gives(self, _expected(self.model))

    def step(
        self, streams: Sequence[SequenceState], tokens: Sequence[Sequence[int]], last: Sequence[int]
    ) -> list[torch.Tensor]:
        """See Runner."""
        return [self._one(stream, list(new), count) for stream, new, count in zip(streams, tokens, last, strict=True)]

    def take_back(self, stream: SequenceState, tokens: int) -> None:
        """See Runner."""
        if tokens:
            raise NotImplementedError(f"{tokens} of {stream.length} tokens: see `forgets`")

    def _one(self, stream: SequenceState, new: list[int], last: int) -> torch.Tensor:
        positions = shaped(self.model, torch.arange(stream.position, stream.position + len(new)))
        settings = {"position_ids": positions, "past_key_values": stream.memory, "use_cache": True}
        with torch.inference_mode():
            output = self.model(input_ids=torch.tensor([new]), **settings, logits_to_keep=last)
        stream.memory = output.past_key_values
        stream.position += len(new)
        stream.length += len(new)
        logits: torch.Tensor = output.logits[0]
        return logits
