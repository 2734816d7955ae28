"""Attention of a vision tower, in which every patch of an image attends to every other. On large pages it takes most of the time."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AttentionInterface
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from pipeline.engines.vlm.attention import matmul_attention, matmul_is_faster

NAME = "pipeline_patches"
"""The name under which the attention function is registered."""
FAMILIES = ("qwen2_vl", "qwen2_5_vl", "qwen3_vl")
"""Prefixes of the model types whose vision towers pass whole images, or whole windows of them, to their attention."""


def use_matmul_attention(model: Any) -> bool:
    """Use matmul attention in a model's vision tower where it is faster. Returns whether it does."""
    config = getattr(model.config, "vision_config", None)
    if config is None or not str(config.model_type).startswith(FAMILIES) or config._attn_implementation != "sdpa":
        return False
    if not matmul_is_faster(config.num_heads, config.hidden_size // config.num_heads, model.dtype):
        return False
    config._attn_implementation = NAME
    return True


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
        return matmul_attention(query, key, value, scaling or query.shape[-1] ** -0.5), None
    fused = ALL_ATTENTION_FUNCTIONS["sdpa"]
    output: tuple[torch.Tensor, None] = fused(
        module, query, key, value, attention_mask, scaling=scaling, is_causal=is_causal, **kwargs
    )
    return output


AttentionInterface.register(NAME, _attend)
