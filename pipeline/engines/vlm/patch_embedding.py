"""Layers that come to the same result with less work."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch.nn.functional import linear


def replace_patch_convolutions(model: Any) -> None:
    """Let patches be embedded by a matrix product: a convolution over exactly one patch is one, but eighty times as slow."""
    for module in model.modules():
        if type(module) in (torch.nn.Conv2d, torch.nn.Conv3d) and _of_patches(module):
            module.forward = partial(_forward, module, module.forward)


def _of_patches(layer: Any) -> bool:
    plain = set(layer.padding) <= {0} and set(layer.dilation) == {1} and layer.groups == 1
    return bool(plain and layer.kernel_size == layer.stride)


def _forward(layer: Any, convolve: Any, pixels: torch.Tensor) -> torch.Tensor:
    if pixels.shape[2:] != layer.kernel_size:
        convolved: torch.Tensor = convolve(pixels)
        return convolved
    rows = linear(pixels.flatten(1), layer.weight.flatten(1), layer.bias)
    return rows.view(*rows.shape, *[1] * len(layer.kernel_size))
