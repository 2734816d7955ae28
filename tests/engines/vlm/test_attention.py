"""Attention by plain products is attention."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from pipeline.engines.vlm import kv_cache, runner
from pipeline.engines.vlm.attention import ROWS, causal_matmul_attention, matmul_attention, matmul_is_faster
from pipeline.engines.vlm.chat_template import EncodedPrompt
from tests.engines.vlm.tiny import text_model

EXACT = pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 2e-2)])


@pytest.mark.parametrize("patches", [1, 64, ROWS, ROWS + 1, 2 * ROWS + 100])
@EXACT
def test_attention_of_all_patches_to_all(patches: int, dtype: torch.dtype, tolerance: float) -> None:
    torch.manual_seed(patches)
    states = torch.randn(patches, 3, 4, 16, dtype=dtype).permute(1, 2, 0, 3).unbind(0)
    query, key, value = (state[None] for state in states)
    expected = scaled_dot_product_attention(query.float(), key.float(), value.float()).transpose(1, 2)
    assert torch.allclose(matmul_attention(query, key, value, 0.25).float(), expected, atol=tolerance)


@pytest.mark.parametrize(
    ("new", "end"), [(1, 1), (1, 9), (200, 200), (ROWS, ROWS), (ROWS + 1, ROWS + 1), (300, 1000), (1000, 1001)]
)
@pytest.mark.parametrize(("heads", "shared"), [(4, 4), (4, 2), (6, 1)])
@EXACT
def test_causal_attention_of_the_last_tokens(
    new: int, end: int, heads: int, shared: int, dtype: torch.dtype, tolerance: float
) -> None:
    torch.manual_seed(new)
    queries = torch.randn(1, heads, new, 16, dtype=dtype)
    keys, values = (torch.randn(shared, end + 5, 16, dtype=dtype)[:, :end] for _ in range(2))
    allowed = torch.arange(end)[None] <= torch.arange(end - new, end)[:, None]
    expected = scaled_dot_product_attention(
        queries.float(), keys[None].float(), values[None].float(), attn_mask=allowed, scale=0.3, enable_gqa=True
    )
    got = causal_matmul_attention(queries, keys, values, 0.3)
    assert got.shape == queries.shape
    assert torch.allclose(got.float(), expected, atol=tolerance)


def test_float32_stays_exact() -> None:
    assert not matmul_is_faster(4, 16, torch.float32)
    assert matmul_is_faster(4, 16, torch.bfloat16) in (True, False)


def test_a_long_prompt_is_read_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    model, ids = text_model(), torch.arange(3, 3 + 2 * kv_cache.MIN_MATMUL_TOKENS)[None] % 50 + 5
    with torch.inference_mode():
        expected = model(input_ids=ids, use_cache=False).logits[0, -1]
    calls: list[int] = []

    def counted(queries: torch.Tensor, *others: Any) -> torch.Tensor:
        calls.append(queries.shape[2])
        return causal_matmul_attention(queries, *others)

    monkeypatch.setattr(kv_cache, "causal_matmul_attention", counted)
    for quicker in (True, False):
        monkeypatch.setattr(runner, "matmul_is_faster", lambda *_, quicker=quicker: quicker)
        reads = runner.SlotRunner(model)
        assert reads.works()
        _, logits = reads.prefill(EncodedPrompt({"input_ids": ids}), 8)
        assert torch.allclose(logits, expected, atol=1e-4)
    assert calls == [ids.shape[1]] * model.config.num_hidden_layers
