"""Attention as matrix products of long rows (matmul attention).

Torch's fused attention is fast where the processor has matrix units for bfloat16 (AMX). Elsewhere its small blocks take up to twice the
time. Loading a model measures which one is faster.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch.nn.functional import scaled_dot_product_attention

ROWS = 512
"""Queries a block: their scores fit into the processor's cache."""
MEASURED_ROWS = 1024
"""Rows of the measurement: an image of 512 x 512 pixels, or a page of text."""


def matmul_is_faster(heads: int, size: int, dtype: torch.dtype) -> bool:
    """Whether matmul attention is faster than fused attention, measured on random patches in a fifth of a second."""
    if dtype != torch.bfloat16:  # in float32, fused attention is faster and more exact
        return False
    states = torch.randn(MEASURED_ROWS, 3, heads, size, dtype=dtype).permute(1, 2, 0, 3).unbind(0)
    query, key, value = (state[None] for state in states)
    with torch.inference_mode():
        matmul = _fastest(lambda: matmul_attention(query, key, value, size**-0.5))
        fused = _fastest(lambda: scaled_dot_product_attention(query, key, value))
    return matmul < fused


def _fastest(call: Callable[[], object]) -> float:
    """Seconds of the fastest of three calls, after one to warm up."""
    call()
    spent = []
    for _ in range(3):
        started = time.perf_counter()
        call()
        spent.append(time.perf_counter() - started)
    return min(spent)


def matmul_attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float) -> torch.Tensor:
    """Attention of all patches to all, without a mask: (1, heads, patches, head size) to (1, patches, heads, head size).

    Scores are rounded to bfloat16, as in transformers' ``eager`` attention; their softmax is computed in float32.
    """
    _, heads, patches, size = query.shape
    output = torch.empty(1, patches, heads, size, dtype=query.dtype)
    block = torch.empty(2, min(ROWS, patches), patches, dtype=query.dtype)  # allocating it each time costs a tenth
    for head in range(heads):
        rows, values = query[0, head].contiguous(), value[0, head].contiguous()
        keys = (key[0, head] * scaling).t().contiguous()
        for start in range(0, patches, ROWS):
            queries = rows[start : start + ROWS]
            scores, shares = block[:, : len(queries)]
            torch.mm(queries, keys, out=scores)
            torch.softmax(scores, -1, out=shares)
            output[0, start : start + ROWS, head] = torch.mm(shares, values)
    return output


def causal_matmul_attention(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, scaling: float) -> torch.Tensor:
    """Attention of the last tokens of a text, each to itself and to all tokens before it; shape (1, heads, new, head size), as ``queries``.

    ``keys`` and ``values`` have the shape (shared heads, all tokens, head size). The precision is that of ``matmul_attention``.
    """
    _, heads, new, size = queries.shape
    shared, end, _ = keys.shape
    group, count = heads // shared, max(1, ROWS * shared // heads)
    output = torch.empty_like(queries, memory_format=torch.contiguous_format)
    for head, (key, value) in enumerate(zip(keys, values, strict=True)):
        own_heads = slice(head * group, (head + 1) * group)
        columns = (key * scaling).t().contiguous()
        for start in range(0, new, count):
            rows = queries[0, own_heads, start : start + count]
            block = rows.shape[1]
            visible = end - new + start + block
            scores = torch.mm(rows.reshape(-1, size), columns[:, :visible])
            ahead = torch.full((block, block), float("-inf"), dtype=scores.dtype).triu_(1)
            scores.view(group, block, visible)[..., visible - block :].add_(ahead)
            output[0, own_heads, start : start + count] = torch.mm(torch.softmax(scores, -1), value[:visible]).view(
                group, block, size
            )
    return output
