"""Weights laid out as the processor's products read them. As a checkpoint stores them, products of few rows read memory with a third of its
speed wasted, those of many rearrange them each time.

The layout is oneDNN's own (what ``torch.compile`` calls "weight prepacking"); the products are the same but for the order of their sums.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import torch

from pipeline.engines.vlm.machine_capacity import drop_mapped_pages

ROWS = 8
"""Rows for which the layout is chosen: a step of decoding. Others are as quick in it."""


def pack_weights(model: Any) -> None:
    """Lay out the weights of all linear layers in bfloat16, and free the originals; nothing where that cannot be done."""
    if not _works():
        return
    for module in model.modules():
        if type(module) is torch.nn.Linear and module.weight.dtype == torch.bfloat16 and module.weight.numel():
            _pack(module)


def _pack(layer: torch.nn.Linear) -> None:
    weight = layer.weight.detach()
    packed = torch.ops.mkldnn._reorder_linear_weight(weight, ROWS)
    layer.weight = torch.nn.Parameter(weight.new_empty(0), requires_grad=False)
    layer.forward = partial(_forward, packed, layer.bias)
    drop_mapped_pages(weight.data_ptr(), weight.nbytes)


def _forward(packed: torch.Tensor, bias: torch.Tensor | None, inputs: torch.Tensor) -> torch.Tensor:
    product: torch.Tensor = torch.ops.mkldnn._linear_pointwise(inputs, packed, bias, "none", [], "")
    return product


@lru_cache(maxsize=1)
def _works() -> bool:
    """Whether this build of torch does it on this processor."""
    layer = torch.nn.Linear(64, 32, dtype=torch.bfloat16)
    rows = torch.randn(2, 3, 64, dtype=torch.bfloat16)
    with torch.inference_mode():
        expected = layer(rows)
        try:
            _pack(layer)
            got = layer(rows)
        except (RuntimeError, AttributeError, NotImplementedError):
            return False
    return bool(got.shape == expected.shape and torch.allclose(got, expected, atol=0.05))
