"""Linear layers in 8 bits (int8): twice as many products a second as bfloat16 where the processor multiplies bytes (AVX-512 VNNI), and
half the weights to read for every token.

Weights are quantised once, with one scale for each output. Inputs are quantised at each call, with one scale for each token (Dettmers et
al., 2022, arXiv:2208.07339, without its outlier decomposition; Xiao et al., 2023, arXiv:2211.10438, "per-token"). Products are exact.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from pipeline.engines.vlm.machine_capacity import drop_mapped_pages

MAX_STEPS = 126
"""Steps from zero to the largest number of a token: one less than a byte holds, because the scale is rounded, too."""
ZERO = 128
"""The byte that means zero: the processor multiplies unsigned inputs."""
ROWS = 256
"""Rows that are quantised at once: they stay in the processor's cache."""
_TINIEST = 1e-30
SHARED_INPUT_LAYERS = frozenset({"q_proj", "k_proj", "v_proj", "gate_proj", "up_proj"})
"""Layers that get the same input as their neighbours: it is quantised once."""


class RoundedRows:
    """The last input, quantised, for the next layers that get the same input."""

    def __init__(self) -> None:
        self._rows: torch.Tensor | None = None
        self._quantised: tuple[torch.Tensor, torch.Tensor] | None = None

    def get(self, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """See ``round_rows``; for the same tensor as in the last call, its result."""
        if self._rows is not inputs or self._quantised is None:
            self._rows, self._quantised = inputs, round_rows(inputs.flatten(0, -2))
        return self._quantised


def quantise(model: Any, keep: frozenset[str] = frozenset({"lm_head"})) -> None:
    """Quantise the weights of all linear layers except those named in ``keep``, and free the originals."""
    shared = RoundedRows()
    for name, module in model.named_modules():
        own = name.rpartition(".")[2]
        if type(module) is torch.nn.Linear and own not in keep:
            _quantise(module, shared if own in SHARED_INPUT_LAYERS else None)


def is_quantised(layer: torch.nn.Linear) -> bool:
    """Whether a layer multiplies in 8 bits."""
    return getattr(layer.forward, "func", None) is _forward


def _quantise(layer: torch.nn.Linear, shared: RoundedRows | None) -> None:
    weight = layer.weight.detach()
    scales, rounded = torch.empty(len(weight)), torch.empty(weight.shape, dtype=torch.int8)
    for start in range(0, len(weight), ROWS):  # the whole layer in float32 would need new memory every time
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
    rounded, scale = shared.get(inputs) if shared else round_rows(inputs.flatten(0, -2))
    product: torch.Tensor = torch.ops.onednn.qlinear_pointwise(
        rounded, 1.0, ZERO, packed, scales, zeros, None, 1.0, 0, inputs.dtype, "none", [], ""
    )
    product = product.mul_(scale) if bias is None else torch.addcmul(bias, product, scale)
    return product.unflatten(0, inputs.shape[:-1])


def round_rows(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Bytes of shape (rows, columns), in which ``ZERO`` means zero, and the scale of each row, (rows, 1), in the precision of ``rows``."""
    rounded = torch.empty(rows.shape, dtype=torch.uint8)
    scales = torch.empty(len(rows), 1, dtype=rows.dtype)
    piece = torch.empty(min(ROWS, len(rows)), rows.shape[1], dtype=rows.dtype)
    for start in range(0, len(rows), ROWS):
        end = start + ROWS
        part, scale, target = rows[start:end], scales[start:end], rounded[start:end]
        scaled = torch.abs(part, out=piece[: len(part)])
        torch.amax(scaled, -1, keepdim=True, out=scale).clamp_(min=_TINIEST).div_(MAX_STEPS)
        target.view(torch.int8).copy_(torch.div(part, scale, out=scaled).round_())
        target.bitwise_xor_(ZERO)
    return rounded, scales
