"""Packed weights give the same products and take no more memory."""

from __future__ import annotations

import copy
import os
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file, save_file

from pipeline.engines.vlm.machine_capacity import drop_mapped_pages
from pipeline.engines.vlm.weight_packing import can_pack_weights, pack_weights

needs_packing = pytest.mark.skipif(not can_pack_weights(), reason="this build of torch packs no weights on this processor")


@needs_packing
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(1,), (3,), (1, 7), (2, 33)])
def test_products_are_the_same_within_the_rounding_of_their_sums(shape: tuple[int, ...], bias: bool) -> None:
    torch.manual_seed(0)
    layer = torch.nn.Linear(200, 70, bias=bias, dtype=torch.bfloat16)
    packed = copy.deepcopy(layer)
    pack_weights(torch.nn.Sequential(packed))
    given = torch.randn(*shape, 2 * 200, dtype=torch.bfloat16)[..., ::2]  # not in one piece
    with torch.inference_mode():
        got = packed(given)
        assert got.dtype == torch.bfloat16
        assert torch.allclose(got.float(), copy.deepcopy(layer).float()(given.float()), atol=0.02)
    assert not packed.weight.numel(), "the weights are not kept twice"


@needs_packing
def test_packing_a_head_that_shares_the_embedding_table_leaves_the_table_unchanged() -> None:
    table = torch.nn.Embedding(50, 64, dtype=torch.bfloat16)
    head = torch.nn.Linear(64, 50, bias=False, dtype=torch.bfloat16)
    head.weight = table.weight
    before = table.weight.detach().clone()
    pack_weights(torch.nn.ModuleList([table, head]))
    assert torch.equal(table(torch.arange(50)), before)
    assert torch.allclose(head(before[:3]).float(), before[:3].float() @ before.float().T, rtol=0.02, atol=0.1)


def test_other_precisions_and_other_layers_stay() -> None:
    model = torch.nn.ModuleList([torch.nn.Linear(8, 8), torch.nn.Bilinear(8, 8, 8, dtype=torch.bfloat16)])
    before = copy.deepcopy(model.state_dict())
    pack_weights(model)
    assert all(torch.equal(model.state_dict()[name], tensor) for name, tensor in before.items())


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux")
def test_dropped_pages_of_a_file_are_read_again(tmp_path: Path) -> None:
    content = torch.arange(1 << 24, dtype=torch.float32)
    save_file({"weights": content}, tmp_path / "model.safetensors")
    mapped = load_file(tmp_path / "model.safetensors")["weights"]
    own = torch.ones(1 << 20)
    process = psutil.Process(os.getpid())
    assert float(mapped.sum()) > 0
    full = process.memory_info().rss
    drop_mapped_pages(mapped.data_ptr(), mapped.nbytes)
    drop_mapped_pages(own.data_ptr(), own.nbytes)
    assert full - process.memory_info().rss > 0.9 * mapped.nbytes
    assert torch.equal(mapped, content)
    assert bool((own == 1).all()), "memory that is not a mapped file stays"
