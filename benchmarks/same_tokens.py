"""Whether many answers at once are the same as those of transformers' own ``generate``; where not, how close the choice was.

    python -m benchmarks.same_tokens CHECKPOINT [--dtype bfloat16] [--prompts 50] [--new 64] [--batch 8] [--json FILE]

In float32 all tokens are to be the same (the tests hold that). In bfloat16 sums are rounded in another order, so that two tokens
that are nearly equally likely may change places; behind such a place the answers are different texts and are compared no further.
The output is by how much the reference preferred its token there, in steps of bfloat16 at that
magnitude: one step is the smallest difference that bfloat16 has.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import torch

from benchmarks.decoding import decode_all
from benchmarks.flat_cost import requests
from benchmarks.measure import Row, report
from pipeline.engines.prompting import make_prompt
from pipeline.engines.vlm.chat_template import ChatTemplate, EncodedPrompt
from pipeline.engines.vlm.decode import Decoder, DecodeTask
from pipeline.engines.vlm.model_load import load_model, make_plan
from pipeline.engines.vlm.model_store import find_model
from pipeline.engines.vlm.prefix_cache import common_length
from pipeline.engines.vlm.runner import make_runner
from pipeline.settings_sections import VlmSettings

STEP = 2.0**-7
"""Of bfloat16, between 1 and 2."""


def reference(model: Any, prompt: EncodedPrompt, new: int) -> list[int]:
    """transformers' own answer to one prompt, of exactly so many tokens."""
    mask = torch.ones_like(prompt.inputs["input_ids"])
    with torch.inference_mode():
        written = model.generate(
            **prompt.inputs, attention_mask=mask, do_sample=False, max_new_tokens=new, min_new_tokens=new, eos_token_id=None
        )
    tokens: list[int] = written[0, prompt.tokens :].tolist()
    return tokens


def steps_between(model: Any, prompt: EncodedPrompt, before: list[int], ours: int, theirs: int) -> float:
    """By how many steps of bfloat16 the reference preferred its token behind ``before``."""
    ids = torch.cat([prompt.inputs["input_ids"], torch.tensor([before], dtype=torch.long)], 1)
    inputs = {**prompt.inputs, "input_ids": ids}
    if "mm_token_type_ids" in inputs:
        inputs["mm_token_type_ids"] = torch.nn.functional.pad(inputs["mm_token_type_ids"], (0, len(before)))
    with torch.inference_mode():
        logits = model(**inputs, use_cache=False).logits[0, -1].float()
    height = 2.0 ** math.floor(math.log2(max(abs(float(logits[theirs])), 1e-30)))
    return float(logits[theirs] - logits[ours]) / (STEP * height)


def main() -> None:
    """Compare, and tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("checkpoint")
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--prompts", type=int, default=50)
    parser.add_argument("--new", type=int, default=64)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found = find_model(arguments.checkpoint)
    plan = make_plan(found, VlmSettings(dtype=arguments.dtype, cache_gb=8))
    model, theirs = load_model(found, plan), load_model(found, plan)
    chat = ChatTemplate(found, model.config)
    prompts = [
        chat.encode(make_prompt(request), request.local_image) for request in requests(arguments.prompts, sees=found.vision)
    ]
    expected = [reference(theirs, prompt, arguments.new) for prompt in prompts]
    rows: list[Row] = []
    for batch in (1, arguments.batch):
        decoder: Decoder[int] = Decoder(make_runner(model), set(), batch=batch, rows=plan.rows)
        generations = decode_all(decoder, (DecodeTask(number, prompt, arguments.new) for number, prompt in enumerate(prompts)))
        tokens = {one.tag: list(one.tokens) for one in generations}
        same = [common_length(tokens[number], expected_tokens) for number, expected_tokens in enumerate(expected)]
        parted = [number for number, count in enumerate(same) if count < arguments.new]
        close = sorted(
            steps_between(theirs, prompts[n], expected[n][: same[n]], tokens[n][same[n]], expected[n][same[n]]) for n in parted
        )
        rows.append(
            {
                "at once": batch,
                "answers": len(prompts),
                "the same": len(prompts) - len(parted),
                "tokens before they part": sum(same),
                "partings": len(parted),
                "steps, median": round(close[len(close) // 2], 1) if close else None,
                "steps, most": round(close[-1], 1) if close else None,
            }
        )
    report(f"{arguments.checkpoint}, {arguments.dtype}: our tokens beside transformers' own", rows, arguments.json)


if __name__ == "__main__":
    main()
