"""Stores weights in the memory layout that matrix products read.

In a checkpoint's layout, products of few rows waste a third of the memory bandwidth, and products of many rows rearrange the weights each
time. The layout is oneDNN's own (``torch.compile`` calls this "weight prepacking"). Products differ only in the order of their sums.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import torch

from pipeline.engines.vlm.machine_capacity import drop_mapped_pages

ROWS = 8
"""The layout is chosen for this number of rows, a decode step. Other numbers are as fast in it."""


def pack_weights(model: Any) -> None:
    """Pack the weights of all linear layers in bfloat16, and free the originals. Does nothing where ``can_pack_weights`` is false."""
    if not can_pack_weights():
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
def can_pack_weights() -> bool:
    """Whether this build of torch supports packed weights on this processor."""
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
