"""Attention by plain products of long rows.

Torch's fused attention is quick where the processor multiplies matrices of bfloat16 by itself (AMX); elsewhere its small blocks cost up to
twice the time. Which it is, is tried out when a model is loaded.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch.nn.functional import scaled_dot_product_attention

ROWS = 512
"""Rows that look at once: their scores fit the processor's cache."""
TRIAL = 1024
"""Rows of the trial: an image of 512 x 512 pixels, or a page of text."""


def matmul_is_faster(heads: int, size: int, dtype: torch.dtype) -> bool:
    """Times both ways on random patches, a fifth of a second in all."""
    if dtype != torch.bfloat16:  # in float32 the fused way is the quicker one, and the more exact
        return False
    states = torch.randn(TRIAL, 3, heads, size, dtype=dtype).permute(1, 2, 0, 3).unbind(0)
    query, key, value = (state[None] for state in states)
    with torch.inference_mode():
        plain = _quickest(lambda: matmul_attention(query, key, value, size**-0.5))
        fused = _quickest(lambda: scaled_dot_product_attention(query, key, value))
    return plain < fused


def _quickest(act: Callable[[], object]) -> float:
    """Seconds of the quickest of three, after one to warm up."""
    act()
    spent = []
    for _ in range(3):
        started = time.perf_counter()
        act()
        spent.append(time.perf_counter() - started)
    return min(spent)


def matmul_attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scaling: float) -> torch.Tensor:
    """Attention of all to all, (1, heads, patches, head size) without a mask, of shape (1, patches, heads, head size).

    Scores are rounded to bfloat16, as in transformers' ``eager`` attention; their softmax is computed in float32.
    """
    _, heads, patches, size = query.shape
    output = torch.empty(1, patches, heads, size, dtype=query.dtype)
    block = torch.empty(2, min(ROWS, patches), patches, dtype=query.dtype)  # memory that is new each time costs a tenth
    for head in range(heads):
        rows, values = query[0, head].contiguous(), value[0, head].contiguous()
        keys = (key[0, head] * scaling).t().contiguous()
        for start in range(0, patches, ROWS):
            looking = rows[start : start + ROWS]
            scores, shares = block[:, : len(looking)]
            torch.mm(looking, keys, out=scores)
            torch.softmax(scores, -1, out=shares)
            output[0, start : start + ROWS, head] = torch.mm(shares, values)
    return output


def causal_matmul_attention(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, scaling: float) -> torch.Tensor:
    """Attention of the last tokens of a text, (1, heads, new, head size), each to itself and all before it; of the same shape.

    ``keys`` and ``values`` are (shared heads, all tokens, head size). Precision is that of ``matmul_attention``.
    """
    _, heads, new, size = queries.shape
    shared, end, _ = keys.shape
    group, count = heads // shared, max(1, ROWS * shared // heads)
    output = torch.empty_like(queries, memory_format=torch.contiguous_format)
    for head, (key, value) in enumerate(zip(keys, values, strict=True)):
        mine = slice(head * group, (head + 1) * group)
        columns = (key * scaling).t().contiguous()
        for start in range(0, new, count):
            rows = queries[0, mine, start : start + count]
            fresh = rows.shape[1]
            seen = end - new + start + fresh
            scores = torch.mm(rows.reshape(-1, size), columns[:, :seen])
            ahead = torch.full((fresh, fresh), float("-inf"), dtype=scores.dtype).triu_(1)
            scores.view(group, fresh, seen)[..., seen - fresh :].add_(ahead)
            output[0, mine, start : start + count] = torch.mm(torch.softmax(scores, -1), value[:seen]).view(group, fresh, size)
    return output
