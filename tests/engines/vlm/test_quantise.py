"""Linear layers in 8 bits."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch

import pipeline.engines.vlm.quantise as quantise_module
from pipeline.engines.vlm.model_load import Plan, load_model, make_plan
from pipeline.engines.vlm.model_store import find_model
from pipeline.engines.vlm.quantise import ROWS, is_quantised, quantise, round_rows
from pipeline.errors import EngineUnavailableError
from pipeline.runtime.processor import multiplies_bytes
from pipeline.settings_sections import VlmSettings

needs_units = pytest.mark.skipif(not multiplies_bytes(), reason="this processor does not multiply bytes")


def layer_of(bias: bool, dtype: torch.dtype) -> tuple[torch.nn.Linear, torch.nn.Linear]:
    """A layer in float32, and the same in eight bits."""
    torch.manual_seed(0)
    layer = torch.nn.Linear(192, 50, bias=bias, dtype=dtype)
    exact = copy.deepcopy(layer).float()
    quantise(torch.nn.Sequential(layer))
    return exact, layer


@needs_units
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(1,), (3,), (1, 7), (2, ROWS + 1)])
def test_products_are_within_the_rounding_of_eight_bits(shape: tuple[int, ...], bias: bool, dtype: torch.dtype) -> None:
    exact, layer = layer_of(bias, dtype)
    given = torch.randn(*shape, 192, dtype=dtype)
    with torch.inference_mode():
        expected, got = exact(given.float()), layer(given)
    assert got.dtype == dtype
    assert got.shape == expected.shape
    assert (got.float() - expected).norm() < 0.02 * expected.norm()


@needs_units
def test_a_token_with_huge_numbers_does_not_coarsen_the_others() -> None:
    exact, layer = layer_of(False, torch.float32)
    given = torch.randn(4, 192)
    given[1] *= 1e6
    given[2] = 0
    with torch.inference_mode():
        expected, got = exact(given), layer(given)
    for row in (0, 1, 3):
        assert (got[row] - expected[row]).norm() < 0.02 * expected[row].norm()
    assert (got[2] == 0).all()


@needs_units
def test_layers_with_the_same_input_share_its_quantised_rows_and_no_older_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(3)
    names = ("q_proj", "k_proj", "v_proj", "o_proj")
    layers = torch.nn.ModuleDict({name: torch.nn.Linear(64, 48) for name in names})
    exact = copy.deepcopy(layers)
    quantise(layers)
    calls: list[int] = []

    def counted(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        calls.append(len(rows))
        return round_rows(rows)

    monkeypatch.setattr(quantise_module, "round_rows", counted)
    with torch.inference_mode():
        for given in (torch.randn(1, 3, 64), torch.randn(1, 5, 64)):
            for name in names:
                expected = exact[name](given)
                assert (layers[name](given) - expected).norm() < 0.03 * expected.norm(), name
    assert calls == [3, 3, 5, 5], "once for the three that stand side by side, once for the one that does not"


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_quantised_rows_are_near_the_original_numbers(dtype: torch.dtype) -> None:
    torch.manual_seed(1)
    rows = torch.randn(2 * ROWS + 3, 40, dtype=dtype) * torch.logspace(-9, 9, 2 * ROWS + 3, dtype=torch.float64)[:, None].to(
        dtype
    )
    rounded, scale = round_rows(rows)
    assert rounded.min() >= 1
    back = (rounded.float() - 128) * scale.float()
    assert ((back - rows.float()).abs() <= 0.8 * scale.float()).all()


@needs_units
def test_a_model_in_eight_bits_gives_nearly_the_same_logits(vision_folder: Path) -> None:
    model = find_model(str(vision_folder))
    exact = load_model(model, make_plan(model, VlmSettings(dtype="float32", threads=1)))
    plan = make_plan(model, VlmSettings(dtype="int8", threads=1))
    small = load_model(model, plan)
    ids = torch.arange(5, 60)[None]
    kinds = {"mm_token_type_ids": torch.zeros_like(ids)}
    with torch.inference_mode():
        expected, got = (one(input_ids=ids, **kinds).logits[0].float() for one in (exact, small))
    alike = torch.cosine_similarity(expected, got, -1)
    assert alike.mean() > 0.99
    assert alike.min() > 0.97
    linear = {name: module for name, module in small.named_modules() if isinstance(module, torch.nn.Linear)}
    assert [name for name, module in linear.items() if not is_quantised(module)] == ["lm_head"]
    assert small.dtype == getattr(torch, plan.compute_dtype)


def test_a_processor_without_the_units_says_so(monkeypatch: pytest.MonkeyPatch, text_folder: Path) -> None:
    monkeypatch.setattr("pipeline.engines.vlm.model_load.multiplies_bytes", lambda: False)
    with pytest.raises(EngineUnavailableError, match="multiplies bytes"):
        make_plan(find_model(str(text_folder)), VlmSettings(dtype="int8"))


def test_int8_takes_one_byte_a_weight_and_two_in_the_embedding_table(
    monkeypatch: pytest.MonkeyPatch, text_folder: Path
) -> None:
    monkeypatch.setattr("pipeline.engines.vlm.model_load.multiplies_bytes", lambda: True)
    monkeypatch.setattr("pipeline.engines.vlm.model_load.multiplies_bfloat16", lambda: True)
    model = find_model(str(text_folder))
    small, whole = (make_plan(model, VlmSettings(dtype=dtype)) for dtype in ("int8", "bfloat16"))
    assert small.compute_dtype == "bfloat16"
    assert small.token_bytes == whole.token_bytes
    assert whole.weight_bytes / 2 < small.weight_bytes < whole.weight_bytes
    monkeypatch.setattr("pipeline.engines.vlm.model_load.multiplies_bfloat16", lambda: False)
    assert Plan("int8", 1, 1, 1, 1).compute_dtype == "float32"
    assert make_plan(model, VlmSettings(dtype="int8")).token_bytes == 2 * whole.token_bytes
