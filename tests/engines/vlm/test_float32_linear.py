"""bfloat16 weights that are multiplied in float32."""

from __future__ import annotations

import copy

import pytest
import torch

from pipeline.engines.vlm import float32_linear
from pipeline.engines.vlm.model_load import Plan


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rows", [1, float32_linear.MIN_ROWS, 100])
def test_products_are_as_exact_as_bfloat16_can_hold(monkeypatch: pytest.MonkeyPatch, rows: int, bias: bool) -> None:
    monkeypatch.setattr(float32_linear, "PIECE", 64 * 7)  # several pieces, the last one smaller
    torch.manual_seed(0)
    layer = torch.nn.Linear(64, 50, bias=bias, dtype=torch.bfloat16)
    given = torch.randn(2, rows, 64, dtype=torch.bfloat16)
    exact = copy.deepcopy(layer).float()(given.float())
    float32_linear.use_float32_products(torch.nn.Sequential(layer))
    with torch.inference_mode():
        product = layer(given)
    assert product.dtype == torch.bfloat16
    assert product.shape == exact.shape
    torch.testing.assert_close(product.float(), exact, rtol=2**-7, atol=2**-7)


def test_only_a_processor_without_units_for_bfloat16_multiplies_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Plan("bfloat16", 1, 1, 1, 1)
    monkeypatch.setattr("pipeline.engines.vlm.model_load.multiplies_bfloat16", lambda: True)
    assert not plan.uses_float32_products
    monkeypatch.setattr("pipeline.engines.vlm.model_load.multiplies_bfloat16", lambda: False)
    assert plan.uses_float32_products
    assert not Plan("float32", 1, 1, 1, 1).uses_float32_products
