"""A vision tower gives the same result with matmul attention."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from pipeline.engines.vlm import vision_attention
from pipeline.engines.vlm.attention import matmul_attention
from pipeline.engines.vlm.vision_attention import use_matmul_attention
from tests.engines.vlm.test_reference import with_image
from tests.engines.vlm.tiny import text_model, vision_model


def test_logits_are_the_same_with_matmul_attention(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = vision_model()
    quick = copy.deepcopy(plain)
    monkeypatch.setattr(vision_attention, "matmul_is_faster", lambda *_: True)
    assert use_matmul_attention(quick)
    calls: list[int] = []

    def counted(*arguments: Any) -> torch.Tensor:
        calls.append(1)
        return matmul_attention(*arguments)

    monkeypatch.setattr(vision_attention, "matmul_attention", counted)
    for seed in (1, 2, 3):
        prompt = with_image([1, 2, 3], seed)
        with torch.inference_mode():
            assert torch.allclose(plain(**prompt.inputs).logits, quick(**prompt.inputs).logits, atol=1e-4)
    assert calls


def test_only_known_vision_towers_are_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vision_attention, "matmul_is_faster", lambda *_: True)
    assert not use_matmul_attention(text_model())
    model = vision_model()
    model.config.vision_config.model_type = "another"
    assert not use_matmul_attention(model)
