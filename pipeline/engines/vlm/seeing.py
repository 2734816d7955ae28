"""Attention of a vision tower, in which every patch of an image looks at every other: on large pages most of the time goes here.

Torch's fused attention is quick where the processor multiplies matrices of bfloat16 by itself (AMX); elsewhere its small blocks cost twice
the time of plain products of long rows. Which it is, is tried out when a model is loaded.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

NAME = "pipeline_patches"
"""The name under which the attention function is registered."""
FAMILIES = ("qwen2_vl", "qwen2_5_vl", "qwen3_vl")
"""Beginnings of the model types whose towers hand whole images, or whole windows of them, to their attention."""
ROWS = 512
"""Patches that look at once: their scores fit the processor's cache."""
TRIAL = 1024
"""Patches of the trial: an image of 512 x 512 pixels."""


def see_quickly(model: Any) -> bool:
    """Let a model's vision tower attend by plain products where that is quicker; whether it was done."""
    config = getattr(model.config, "vision_config", None)
    if config is None or not str(config.model_type).startswith(FAMILIES) or config._attn_implementation != "sdpa":
        return False
    if not plain_is_quicker(config.num_heads, config.hidden_size // config.num_heads, model.dtype):
        return False
    config._attn_implementation = NAME
    return True


def plain_is_quicker(heads: int, size: int, dtype: torch.dtype) -> bool:
    """Times both ways on random patches, a fifth of a second in all."""
    if dtype != torch.bfloat16:  # in float32 the fused way is the quicker one, and the more exact
        return False
    states = torch.randn(TRIAL, 3, heads, size, dtype=dtype).permute(1, 2, 0, 3).unbind(0)
    query, key, value = (state[None] for state in states)
    with torch.inference_mode():
        plain = _quickest(lambda: attend_plainly(query, key, value, size**-0.5))
        fused = _quickest(lambda: scaled_dot_product_attention(query, key, value))
    return plain < fused


def _quickest(act: Callable[[], object]) -> float:
    """Seconds of the quickest of three, after one to warm up."""
    act()
    spent = []
    for _ in range(3):
        started = time.perf_counter()
        act()
        spent.append(time.perf_counter() - started)
    return min(spent)


def attend_plainly(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float) -> torch.Tensor:
    """Attention of (1, heads, patches, head size) without a mask, of shape (1, patches, heads, head size).

    Scores are rounded to bfloat16, as in transformers' ``eager`` attention; their softmax is computed in float32.
    """
    _, heads, patches, size = query.shape
    output = torch.empty(1, patches, heads, size, dtype=query.dtype)
    for head in range(heads):
        rows, values = query[0, head].contiguous(), value[0, head].contiguous()
        keys = (key[0, head] * scaling).t().contiguous()
        for start in range(0, patches, ROWS):
            scores = torch.mm(rows[start : start + ROWS], keys)
            output[0, start : start + ROWS, head] = torch.mm(torch.softmax(scores, -1), values)
    return output


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    is_causal: bool | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    whole = attention_mask is None and is_causal is False and len(query) == 1 and query.shape == key.shape
    if whole:
        return attend_plainly(query, key, value, scaling or query.shape[-1] ** -0.5), None
    fused = ALL_ATTENTION_FUNCTIONS["sdpa"]
    found: tuple[torch.Tensor, None] = fused(
        module, query, key, value, attention_mask, scaling=scaling, is_causal=is_causal, **kwargs
    )
    return found


AttentionInterface.register(NAME, _attend)
