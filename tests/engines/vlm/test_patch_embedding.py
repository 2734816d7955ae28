"""What is computed with less work is the same."""

from __future__ import annotations

import copy

import pytest
import torch

from pipeline.engines.vlm.patch_embedding import replace_patch_convolutions
from tests.engines.vlm.test_reference import with_image
from tests.engines.vlm.tiny import vision_model


def test_patches_are_embedded_alike_by_a_product() -> None:
    plain = vision_model()
    quick = copy.deepcopy(plain)
    replace_patch_convolutions(quick)
    called: list[int] = []
    for model in (plain, quick):
        for module in model.modules():
            if isinstance(module, torch.nn.Conv3d):
                convolve = module._conv_forward
                module._conv_forward = lambda *a, convolve=convolve: called.append(1) or convolve(*a)  # type: ignore[func-returns-value]
    asked = with_image([1, 2, 3], 1)
    with torch.inference_mode():
        expected = plain(**asked.inputs).logits
        assert len(called) == 1
        got = quick(**asked.inputs).logits
    assert len(called) == 1, "without the convolution"
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
def test_convolutions_that_are_no_product_stay(layer: torch.nn.Module) -> None:
    sizes = (4, 4) if isinstance(layer, torch.nn.Conv2d) else (2, 4, 4)
    channels = layer.weight.shape[1] * layer.groups
    for size in (sizes, tuple(2 * side for side in sizes)):
        pixels = torch.randn(5, channels, *size)
        expected = layer(pixels)
        quick = copy.deepcopy(layer)
        replace_patch_convolutions(quick)
        assert torch.allclose(quick(pixels), expected, atol=1e-5)
