"""The vision tower sees the same, whichever way its attention is computed."""

from __future__ import annotations

import copy

import pytest
import torch

from pipeline.engines.vlm import vision_attention
from pipeline.engines.vlm.attention import matmul_attention
from pipeline.engines.vlm.vision_attention import NAME, use_matmul_attention
from tests.engines.vlm.test_reference import with_image
from tests.engines.vlm.tiny import text_model, vision_model


def test_a_model_sees_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = vision_model()
    quick = copy.deepcopy(plain)
    monkeypatch.setattr(vision_attention, "matmul_is_faster", lambda *_: True)
    assert use_matmul_attention(quick)
    assert quick.config.vision_config._attn_implementation == NAME
    calls: list[int] = []
    monkeypatch.setattr(vision_attention, "matmul_attention", lambda *a: calls.append(1) or matmul_attention(*a))  # type: ignore[func-returns-value]
    for seed in (1, 2, 3):
        asked = with_image([1, 2, 3], seed)
        with torch.inference_mode():
            assert torch.allclose(plain(**asked.inputs).logits, quick(**asked.inputs).logits, atol=1e-4)
    assert calls


def test_only_towers_that_are_known_are_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vision_attention, "matmul_is_faster", lambda *_: True)
    assert not use_matmul_attention(text_model())
    model = vision_model()
    model.config.vision_config.model_type = "another"
    assert not use_matmul_attention(model)
