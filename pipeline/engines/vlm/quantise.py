"""Linear layers in eight bits: twice the products a second of bfloat16 where the processor multiplies bytes (AVX-512 VNNI), half the
weights to read for every token.

Weights are rounded once, a scale for each output; what comes in is rounded as it comes, a scale for each token (Dettmers et al., 2022,
arXiv:2208.07339, without its split by outliers; Xiao et al., 2023, arXiv:2211.10438, "per-token"). The products themselves are exact.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from pipeline.engines.vlm.machine_capacity import drop_mapped_pages

LARGEST = 126
"""Steps from zero to a token's largest number; one less than a byte holds, for the scale is rounded, too."""
ZERO = 128
"""The byte that stands for nought: the processor's unit takes what comes in without a sign."""
ROWS = 256
"""Rows rounded at once: they stay in the processor's cache."""
_TINIEST = 1e-30
SIDE_BY_SIDE = frozenset({"q_proj", "k_proj", "v_proj", "gate_proj", "up_proj"})
"""Layers that are handed the same rows as their neighbours: these are rounded once."""


class RoundedRows:
    """What came in last, rounded: for the layers beside the one that it came to."""

    def __init__(self) -> None:
        self._rows: torch.Tensor | None = None
        self._found: tuple[torch.Tensor, torch.Tensor] | None = None

    def of(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """See ``round_rows``; for the very tensor that was handed in last, what was found then."""
        if self._rows is not inputs or self._found is None:
            self._rows, self._found = inputs, round_rows(inputs.flatten(0, -2))
        return self._found


def quantise(model: Any, keep: frozenset[str] = frozenset({"lm_head"})) -> None:
    """Round the weights of all linear layers but those of these names, and free the originals."""
    shared = RoundedRows()
    for name, module in model.named_modules():
        own = name.rpartition(".")[2]
        if type(module) is torch.nn.Linear and own not in keep:
            _quantise(module, shared if own in SIDE_BY_SIDE else None)


def _quantise(layer: torch.nn.Linear, shared: RoundedRows | None) -> None:
    weight = layer.weight.detach()
    scales, rounded = torch.empty(len(weight)), torch.empty(weight.shape, dtype=torch.int8)
    for start in range(0, len(weight), ROWS):  # as a whole, the layer in float32 would be new memory every time
        part, scale = weight[start : start + ROWS].float(), scales[start : start + ROWS]
        scale.copy_(part.abs().amax(1).clamp_(min=_TINIEST).div_(127))
        rounded[start : start + ROWS] = part.div_(scale[:, None]).round_()
    packed = torch.ops.onednn.qlinear_prepack(rounded, None)
    drop_mapped_pages(layer.weight.data_ptr(), layer.weight.nbytes)
    layer.weight = torch.nn.Parameter(layer.weight.new_empty(0), requires_grad=False)
    layer.forward = partial(_forward, packed, scales, torch.zeros(len(scales), dtype=torch.int), layer.bias, shared)


def _forward(
    packed: torch.Tensor,
    scales: torch.Tensor,
    zeros: torch.Tensor,
    bias: torch.Tensor | None,
    shared: RoundedRows | None,
    inputs: torch.Tensor,
) -> torch.Tensor:
    rounded, scale = shared.of(inputs) if shared else round_rows(inputs.flatten(0, -2))
    product: torch.Tensor = torch.ops.onednn.qlinear_pointwise(
        rounded, 1.0, ZERO, packed, scales, zeros, None, 1.0, 0, inputs.dtype, "none", [], ""
    )
    product = product.mul_(scale) if bias is None else torch.addcmul(bias, product, scale)
    return product.unflatten(0, inputs.shape[:-1])


def round_rows(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Bytes of shape (rows, columns), in which ``ZERO`` is nought, and the scale of each row (rows, 1), in the precision of ``rows``."""
    rounded = torch.empty(rows.shape, dtype=torch.uint8)
    scales = torch.empty(len(rows), 1, dtype=rows.dtype)
    piece = torch.empty(min(ROWS, len(rows)), rows.shape[1], dtype=rows.dtype)
    for start in range(0, len(rows), ROWS):
        end = start + ROWS
        part, scale, found = rows[start:end], scales[start:end], rounded[start:end]
        scaled = torch.abs(part, out=piece[: len(part)])
        torch.amax(scaled, -1, keepdim=True, out=scale).clamp_(min=_TINIEST).div_(LARGEST)
        found.view(torch.int8).copy_(torch.div(part, scale, out=scaled).round_())
        found.bitwise_xor_(ZERO)
    return rounded, scales
