"""Patches are embedded by a matrix product with the same result as by the convolution."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from pipeline.engines.vlm.patch_embedding import replace_patch_convolutions
from tests.engines.vlm.test_reference import with_image
from tests.engines.vlm.tiny import vision_model


def test_a_matrix_product_embeds_patches_as_the_convolution_does(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = vision_model()
    quick = copy.deepcopy(plain)
    replace_patch_convolutions(quick)
    calls: list[int] = []
    convolve = torch.nn.functional.conv3d

    def counted(*arguments: Any) -> torch.Tensor:
        calls.append(1)
        return convolve(*arguments)

    monkeypatch.setattr("torch.nn.functional.conv3d", counted)
    prompt = with_image([1, 2, 3], 1)
    with torch.inference_mode():
        expected = plain(**prompt.inputs).logits
        assert len(calls) == 1
        got = quick(**prompt.inputs).logits
    assert len(calls) == 1, "without the convolution"
    assert torch.allclose(expected, got, atol=1e-4)


@pytest.mark.parametrize(
    "layer",
    [
        torch.nn.Conv2d(3, 8, 4, stride=4),
        torch.nn.Conv2d(3, 8, 4, stride=2),
        torch.nn.Conv2d(3, 8, 4, stride=4, padding=2),
        torch.nn.Conv3d(3, 8, (2, 4, 4), stride=(2, 4, 4), bias=False),
        torch.nn.Conv2d(4, 8, 4, stride=4, groups=2),
    ],
)
def test_other_convolutions_are_not_replaced(layer: torch.nn.Module) -> None:
    sizes = (4, 4) if isinstance(layer, torch.nn.Conv2d) else (2, 4, 4)
    channels = layer.weight.shape[1] * layer.groups
    for size in (sizes, tuple(2 * side for side in sizes)):
        pixels = torch.randn(5, channels, *size)
        expected = layer(pixels)
        quick = copy.deepcopy(layer)
        replace_patch_convolutions(quick)
        assert torch.allclose(quick(pixels), expected, atol=1e-5)
