"""Linear layers in eight bits: twice the products a second of bfloat16 where the processor multiplies bytes (AVX-512 VNNI), half the
weights to read for every token.

Weights are rounded once, a scale for each output; what comes in is rounded as it comes, a scale for each token (Dettmers et al., 2022,
arXiv:2208.07339, without its split by outliers; Xiao et al., 2023, arXiv:2211.10438, "per-token"). The products themselves are exact.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from pipeline.engines.vlm.machine import forget_file

LARGEST = 126
"""Steps from zero to a token's largest number; one less than a byte holds, for the scale is rounded, too."""
ZERO = 128
"""The byte that stands for nought: the processor's unit takes what comes in without a sign."""
ROWS = 256
"""Rows rounded at once: they stay in the processor's cache."""
_TINIEST = 1e-30


def quantise(model: Any, keep: frozenset[str] = frozenset({"lm_head"})) -> None:
    """Round the weights of all linear layers but those of these names, and free the originals."""
    for name, module in model.named_modules():
        if type(module) is torch.nn.Linear and name.rpartition(".")[2] not in keep:
            _quantise(module)


def _quantise(layer: torch.nn.Linear) -> None:
    weight = layer.weight.detach().float()
    scales = weight.abs().amax(1).clamp_(min=_TINIEST).div_(127)
    rounded = weight.div_(scales[:, None]).round_().to(torch.int8)
    packed = torch.ops.onednn.qlinear_prepack(rounded, None)
    forget_file(layer.weight.data_ptr(), layer.weight.nbytes)
    layer.weight = torch.nn.Parameter(layer.weight.new_empty(0), requires_grad=False)
    layer.forward = partial(_forward, packed, scales, torch.zeros(len(scales), dtype=torch.int), layer.bias)


def _forward(
    packed: torch.Tensor, scales: torch.Tensor, zeros: torch.Tensor, bias: torch.Tensor | None, inputs: torch.Tensor
) -> torch.Tensor:
    rows = inputs.flatten(0, -2)
    rounded, scale = round_rows(rows)
    product: torch.Tensor = torch.ops.onednn.qlinear_pointwise(
        rounded, 1.0, ZERO, packed, scales, zeros, None, 1.0, 0, rows.dtype, "none", [], ""
    )
    product = product.mul_(scale) if bias is None else torch.addcmul(bias, product, scale)
    return product.unflatten(0, inputs.shape[:-1])


def round_rows(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Bytes of shape (rows, columns), in which ``ZERO`` is nought, and the scale of each row (rows, 1), in the precision of ``rows``."""
    scale = torch.maximum(rows.amax(-1, keepdim=True), rows.amin(-1, keepdim=True).neg_()).clamp_(min=_TINIEST).div_(LARGEST)
    rounded = torch.empty(rows.shape, dtype=torch.int8)
    piece = torch.empty(min(ROWS, len(rows)), rows.shape[1], dtype=rows.dtype)
    for start in range(0, len(rows), ROWS):
        part = rows[start : start + ROWS]
        scaled = torch.div(part, scale[start : start + ROWS], out=piece[: len(part)])
        rounded[start : start + ROWS].copy_(scaled.round_())
    return rounded.view(torch.uint8).bitwise_xor_(ZERO), scale
