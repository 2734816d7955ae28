"""A KV cache for sequences of different lengths, and the attention that reads it.

Every sequence has its own slot, without padding. One forward pass (``Step``) reads tokens of many sequences, concatenated. It uses
extension points of transformers: each layer passes its keys and values to the ``Cache``, which writes them into the slots, and the
registered attention function computes the attention of each sequence from its slot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from mmap import mmap
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention as _attention
from transformers import AttentionInterface
from transformers.cache_utils import Cache

from pipeline.engines.vlm.attention import causal_matmul_attention

ATTENTION = "pipeline_slots"
"""The name under which the attention function is registered."""
MAX_DECODE_TOKENS = 16
"""With at most so many new tokens of a sequence, the heads that share keys are rows of one product: true in decoding, not in prefill."""
MIN_MATMUL_TOKENS = 128
"""From so many new tokens on, matmul attention is worth its preparation."""
UNSUPPORTED = ("softcap", "s_aux")
"""Arguments of some families' attention that this one does not support: the cap of Gemma 2, the sinks of GPT-OSS."""


@dataclass(slots=True)
class Slot:
    """Keys and values of one sequence: one tensor of shape (heads, capacity, head size) a layer, filled up to ``length``."""

    capacity: int
    length: int = 0
    keys: list[torch.Tensor] = field(default_factory=list)
    values: list[torch.Tensor] = field(default_factory=list)

    def write(self, layer: int, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Append tensors of shape (heads, new tokens, head size). ``length`` changes at the end of the step, after all layers."""
        end = self.length + keys.shape[1]
        for tensors, new in ((self.keys, keys), (self.values, values)):
            if layer == len(tensors):
                tensors.append(_reserve(new, self.capacity))
            tensors[layer][:, self.length : end] = new

    def fork(self, length: int, capacity: int) -> Slot:
        """A new slot with a copy of the first ``length`` tokens."""
        return Slot(
            capacity, length, *([_copy(tensor, length, capacity) for tensor in kind] for kind in (self.keys, self.values))
        )


def _reserve(like: torch.Tensor, capacity: int) -> torch.Tensor:
    """An empty tensor (heads, capacity, head size) in its own memory map: freed at once at the end, and resident only where written.

    In the allocator's heap, slots that come and go would fragment the memory and need half as much again.
    """
    heads, _, size = like.shape
    count = heads * capacity * size
    return torch.frombuffer(mmap(-1, count * like.element_size()), dtype=like.dtype).view(heads, capacity, size)


def _copy(tensor: torch.Tensor, length: int, capacity: int) -> torch.Tensor:
    copied = _reserve(tensor, capacity)
    copied[:, :length] = tensor[:, :length]
    return copied


@dataclass(frozen=True, slots=True)
class Step:
    """One forward pass: ``counts`` new tokens of each slot, concatenated along the sequence axis."""

    slots: Sequence[Slot]
    counts: Sequence[int]
    use_matmul: bool = False
    """Whether prefill uses matmul attention."""
    _masks: dict[tuple[int, int, int, int], torch.Tensor] = field(default_factory=dict)

    def mask(self, new: int, end: int, window: int, group: int, dtype: torch.dtype) -> torch.Tensor:
        """The mask that is added to the scores of the last ``new`` of ``end`` tokens, of shape (group * new, end).

        It hides later tokens and those outside the window. All layers share it.
        """
        key = new, end, window, group
        if key not in self._masks:
            position, other = torch.arange(end - new, end)[:, None], torch.arange(end)[None, :]
            allowed = (other <= position) & (position - other < window)
            hidden = torch.zeros(allowed.shape, dtype=dtype).masked_fill_(~allowed, float("-inf"))
            self._masks[key] = hidden.repeat(group, 1)
        return self._masks[key]

    def finish(self) -> None:
        """Move the lengths of the slots, after all layers have run."""
        for slot, count in zip(self.slots, self.counts, strict=True):
            slot.length += count


class SlotCache(Cache):  # type: ignore[misc] # transformers is not typed
    """The cache of one step, in the form that transformers passes to its models."""

    def __init__(self, step: Step) -> None:
        super().__init__(layers=[])
        self._step = step

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write keys and values (1, heads, tokens, head size) into the slots, where the attention function reads them."""
        del args, kwargs
        step = self._step
        pieces = zip(key_states[0].split(list(step.counts), 1), value_states[0].split(list(step.counts), 1), strict=True)
        for slot, (keys, values) in zip(step.slots, pieces, strict=True):
            slot.write(layer_idx, keys, values)
        return key_states, value_states

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Always 0, because every call passes positions."""
        del layer_idx
        return 0


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    step: Step | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of every sequence of a step over its own slot.

    ``query`` has the shape (1, heads, tokens, head size), the result (1, tokens, heads, head size). Grouped queries read the slots
    directly, without repeated keys.
    """
    del key, value, attention_mask
    if step is None:
        raise RuntimeError("the model does not pass `step` to its attention")
    if any(kwargs.get(name) is not None for name in UNSUPPORTED):
        raise RuntimeError("the model caps its attention or uses attention sinks")
    layer: int = module.layer_idx
    outputs = []
    for slot, queries in zip(step.slots, query.split(list(step.counts), 2), strict=True):
        new = queries.shape[2]
        end = slot.length + new
        keys, values = slot.keys[layer][None, :, :end], slot.values[layer][None, :, :end]
        window = end if sliding_window is None else min(sliding_window, end)
        whole = window == end
        if step.use_matmul and new >= MIN_MATMUL_TOKENS and whole:
            outputs.append(causal_matmul_attention(queries, keys[0], values[0], scaling or queries.shape[-1] ** -0.5))
        elif new <= MAX_DECODE_TOKENS:
            mask = None if new == 1 and whole else step.mask(new, end, window, queries.shape[1] // keys.shape[1], queries.dtype)
            outputs.append(_attend_few(queries, keys, values, mask, scaling))
        elif whole and new == end:
            outputs.append(_attention(queries, keys, values, is_causal=True, scale=scaling, enable_gqa=True))
        else:
            mask = step.mask(new, end, window, 1, queries.dtype)
            outputs.append(_attention(queries, keys, values, attn_mask=mask, scale=scaling, enable_gqa=True))
    return torch.cat(outputs, 2).transpose(1, 2), None


def _attend_few(
    queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor | None, scaling: float | None
) -> torch.Tensor:
    """Attention whose heads that share keys are rows of one product: products of one row are up to fifteen times as slow on some
    processors."""
    _, heads, new, size = queries.shape
    shared = keys.shape[1]
    rows = queries.reshape(1, shared, heads // shared * new, size)
    return _attention(rows, keys, values, attn_mask=mask, scale=scaling).reshape(1, heads, new, size)


AttentionInterface.register(ATTENTION, attend)
