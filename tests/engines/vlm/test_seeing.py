"""The vision tower sees the same, whichever way its attention is computed."""

from __future__ import annotations

import copy

import pytest
import torch

from pipeline.engines.vlm import seeing
from pipeline.engines.vlm.seeing import NAME, ROWS, attend_plainly, plain_is_quicker, see_quickly
from tests.engines.vlm.test_reference import with_image
from tests.engines.vlm.tiny import text_model, vision_model


@pytest.mark.parametrize("patches", [1, 64, ROWS, ROWS + 1, 2 * ROWS + 100])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 2e-2)])
def test_plain_products_are_attention(patches: int, dtype: torch.dtype, tolerance: float) -> None:
    torch.manual_seed(patches)
    states = torch.randn(patches, 3, 4, 16, dtype=dtype).permute(1, 2, 0, 3).unbind(0)
    query, key, value = (state[None] for state in states)
    wanted = torch.nn.functional.scaled_dot_product_attention(query.float(), key.float(), value.float()).transpose(1, 2)
    assert torch.allclose(attend_plainly(query, key, value, 0.25).float(), wanted, atol=tolerance)


def test_a_model_sees_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = vision_model()
    quick = copy.deepcopy(plain)
    monkeypatch.setattr(seeing, "plain_is_quicker", lambda *_: True)
    assert see_quickly(quick)
    assert quick.config.vision_config._attn_implementation == NAME
    calls: list[int] = []
    monkeypatch.setattr(seeing, "attend_plainly", lambda *a: calls.append(1) or attend_plainly(*a))  # type: ignore[func-returns-value]
    for seed in (1, 2, 3):
        asked = with_image([1, 2, 3], seed)
        with torch.inference_mode():
            assert torch.allclose(plain(**asked.inputs).logits, quick(**asked.inputs).logits, atol=1e-4)
    assert calls


def test_only_towers_that_are_known_are_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeing, "plain_is_quicker", lambda *_: True)
    assert not see_quickly(text_model())
    model = vision_model()
    model.config.vision_config.model_type = "another"
    assert not see_quickly(model)


def test_float32_stays_exact() -> None:
    assert not plain_is_quicker(4, 16, torch.float32)
    assert plain_is_quicker(4, 16, torch.bfloat16) in (True, False)
