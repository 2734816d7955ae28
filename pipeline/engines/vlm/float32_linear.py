"""Multiplies bfloat16 weights in float32 on processors without bfloat16 units: weights are converted piece by piece during the product.

Without such units, bfloat16 products run at a tenth of the speed of float32; the whole model in float32 takes twice the memory. The
conversion pays off for more than a few rows: in prefill, and when several answers are decoded at once.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch.nn.functional import linear

MIN_ROWS = 8
"""Fewer rows are multiplied in bfloat16: converting the weights would take longer than the product."""
PIECE = 1 << 24
"""Weights that are converted at once: 64 MB."""


def use_float32_products(model: Any) -> None:
    """Let all linear layers of a bfloat16 model multiply in float32; their results are bfloat16 again."""
    for module in model.modules():
        if type(module) is torch.nn.Linear:
            module.forward = partial(_forward, module)


def _forward(layer: torch.nn.Linear, rows: torch.Tensor) -> torch.Tensor:
    if rows.numel() < MIN_ROWS * rows.shape[-1]:
        return linear(rows, layer.weight, layer.bias)
    wide = rows.float()
    pieces = [linear(wide, part.float()).to(rows.dtype) for part in layer.weight.split(max(1, PIECE // layer.in_features))]
    product = pieces[0] if len(pieces) == 1 else torch.cat(pieces, -1)
    return product if layer.bias is None else product + layer.bias
