"""The vision-language model's speed: seconds per document and tokens per second, beside transformers' own ways, and the machine's ceiling.

    python -m benchmarks.model_speed CHECKPOINT [--ways naive,bfloat16,static,1,8,16,32] [--side 1024] [--new 100] [--json FILE]

The work is one picture of SIDE x SIDE pixels of noise a document, a prompt of sixty tokens and NEW tokens written greedily, never ending
early. A checkpoint with random weights of the right shape does: speed is the same. Each way runs in a process of its own, one
after the other; the figures are from one run, on a machine that does nothing else. ``naive`` is float32, one document after the other;
``static`` is a batch of eight that begins and ends together; numbers are our own engine with so many documents in flight; ``8x3`` asks
three questions about each of eight documents, and ``8:int8`` runs in that precision (`vlm.dtype`).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.measure import Row, report

PROMPT = "Extract the invoice number, date, vendor, total and currency from this document as JSON. " * 3
STATIC = 8
WAYS = ("naive", "bfloat16", "static", "1", "8", "16", "32", "8x3")
NAMES = {"naive": "transformers, float32, one by one", "bfloat16": "transformers, bfloat16, one by one",
             "static": f"transformers, bfloat16, static batch of {STATIC}", "8x3": "ours, 8, three templates"}  # fmt: skip


# ---- one way, in its own process ------------------------------------------------------------------------


def prompts(folder: Path, config: Any, count: int, side: int, questions: int = 1) -> list[Any]:
    """EncodedPrompt prompts with a picture of noise each, or several about each picture."""
    from pipeline.engines.prompting import Prompt
    from pipeline.engines.vlm.chat_template import ChatTemplate
    from pipeline.engines.vlm.model_store import find_model
    from pipeline.records import PageImage

    chat, noise = ChatTemplate(find_model(str(folder)), config), np.random.default_rng(0)
    requests = [Prompt("You read documents.", f"{'Again: ' * number}{PROMPT}", None, 0) for number in range(questions)]
    images = (PageImage(side, side, noise.integers(0, 255, (side, side, 3), np.uint8).tobytes(), 1.0) for _ in range(count))
    return [chat.encode(question, image) for image in images for question in requests]


def theirs(folder: Path, way: str, side: int, new: int) -> Row:
    """transformers' own generate, without anything of ours but the prompt."""
    import torch
    from transformers import AutoModelForImageTextToText

    torch.set_num_threads(psutil.cpu_count(logical=False) or 1)
    dtype = torch.float32 if way == "naive" else torch.bfloat16
    model = AutoModelForImageTextToText.from_pretrained(folder, dtype=dtype, local_files_only=True).eval()
    batch = STATIC if way == "static" else 1
    requests = prompts(folder, model.config, batch, side)
    inputs = {name: torch.cat([one.inputs[name] for one in requests]) for name in requests[0].inputs}
    seconds = []
    for tokens in (1, new):
        started = time.perf_counter()
        with torch.inference_mode():
            model.generate(
                **inputs,
                attention_mask=torch.ones_like(inputs["input_ids"]),
                max_new_tokens=tokens,
                min_new_tokens=tokens,
                do_sample=False,
            )
        seconds.append(time.perf_counter() - started)
    return speed_row(seconds[0] / batch, (seconds[1] - seconds[0]) / (new - 1), batch, new)


def ours(folder: Path, batch: int, side: int, new: int, questions: int = 1, dtype: Any = "auto") -> Row:
    """The product's decode loop, without a schema, with ``batch`` documents at the same time."""
    from benchmarks.decoding import decode_all
    from pipeline.engines.vlm.decode import Decoder, DecodeTask
    from pipeline.engines.vlm.model_load import load_model, make_plan
    from pipeline.engines.vlm.model_store import find_model
    from pipeline.engines.vlm.runner import make_runner
    from pipeline.settings_sections import VlmSettings

    found = find_model(str(folder))
    plan = make_plan(found, VlmSettings(cache_gb=64, dtype=dtype))
    model = load_model(found, plan)
    requests = prompts(folder, model.config, batch, side, questions)
    runner = make_runner(model)
    spent = {"prefill": 0.0, "step": 0.0, "steps": 0.0}
    _timed(runner, spent)
    decoder: Decoder[int] = Decoder(runner, set(), batch=batch * questions, rows=plan.rows)
    tasks = (DecodeTask(number, prompt, new) for number, prompt in enumerate(requests))
    generations = list(decode_all(decoder, tasks))
    if [len(one.tokens) for one in generations] != [new] * batch * questions:
        raise RuntimeError("an answer is not as long as it should be")
    return speed_row(spent["prefill"] / batch, spent["step"] / spent["steps"], batch, new)


def _timed(runner: Any, spent: dict[str, float]) -> None:
    """Let a runner note how long reading prompts and steps take."""

    def timing(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            started = time.perf_counter()
            result = method(*arguments)
            spent[name] += time.perf_counter() - started
            spent["steps"] += name == "step"
            return result

        return call

    runner.prefill, runner.step = timing("prefill", runner.prefill), timing("step", runner.step)


def speed_row(prefill: float, step: float, batch: int, new: int) -> Row:
    """Figures of one way: seconds to read a document, seconds a step for the batch."""
    return {"prefill": prefill, "step": step, "batch": batch, "document": prefill + (new - 1) * step / batch}


# ---- the machine ----------------------------------------------------------------------------------------


def ceiling() -> Row:
    """What the machine itself reaches: products of large bfloat16 matrices, and reading memory."""
    import torch

    torch.set_num_threads(psutil.cpu_count(logical=False) or 1)
    rows, weight = torch.randn(1024, 2048, dtype=torch.bfloat16), torch.randn(6144, 2048, dtype=torch.bfloat16)
    product = _best(lambda: torch.nn.functional.linear(rows, weight))
    large = torch.ones(1 << 28, dtype=torch.float32)
    reading = _best(large.sum, 5)
    return {"flops": 2 * 1024 * 2048 * 6144 / product, "bytes": large.numel() * 4 / reading}


def _best(act: Callable[[], object], times: int = 20) -> float:
    best = float("inf")
    for _ in range(times):
        started = time.perf_counter()
        act()
        best = min(best, time.perf_counter() - started)
    return best


def work(folder: Path, side: int, tokens: int) -> Row:
    """Arithmetic of reading one document, and bytes of weights that a step must read, by the checkpoint's shape (bfloat16)."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    text, vision = config["text_config"], config["vision_config"]
    wide, head = text["hidden_size"], text["head_dim"]
    queries, keys = text["num_attention_heads"] * head, text["num_key_value_heads"] * head
    layer = wide * (2 * queries + 2 * keys) + 3 * wide * text["intermediate_size"]
    patches, deep = (side // vision["patch_size"]) ** 2, vision["hidden_size"]
    block = 4 * deep * deep + 2 * deep * vision["intermediate_size"]
    reading = 2 * text["num_hidden_layers"] * (layer * tokens + queries * tokens**2)
    seeing = vision["depth"] * (2 * block * patches + 4 * patches**2 * deep)
    return {
        "prefill flops": reading + seeing,
        "weights": 2 * (text["num_hidden_layers"] * layer + wide * text["vocab_size"]),
        "token bytes": 2 * 2 * keys * text["num_hidden_layers"],
    }


def measure_one(way: str, folder: Path, side: int, new: int) -> Row:
    """One way, in this process."""
    if way == "ceiling":
        return ceiling()
    if not way[0].isdigit():
        return theirs(folder, way, side, new)
    counts, _, dtype = way.partition(":")
    batch, _, questions = counts.partition("x")
    return ours(folder, int(batch), side, new, int(questions or 1), dtype or "auto")


# ---- all ways -------------------------------------------------------------------------------------------


def run(arguments: list[str]) -> Row:
    """One way in a process of its own, and its peak of memory."""
    command = [sys.executable, "-m", "benchmarks.model_speed", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        peak: list[int] = [0]
        watcher = threading.Thread(target=_watch, args=(process.pid, peak), daemon=True)
        watcher.start()
        output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: exit status {process.returncode}")
    row: Row = json.loads(output.splitlines()[-1])
    return {**row, "peak": peak[0]}


def _watch(pid: int, peak: list[int]) -> None:
    try:
        process = psutil.Process(pid)
        while True:
            peak[0] = max(peak[0], process.memory_info().rss)
            time.sleep(0.05)
    except psutil.Error:
        return


def rows(results: dict[str, Row], ceilings: Row, work: Row, tokens: int) -> Iterator[Row]:
    """The table; shares are of the machine's own rates."""
    naive = results.get("naive", {}).get("document")
    for way, found in results.items():
        step_bytes = work["weights"] + found["batch"] * (tokens + 50) * work["token bytes"]
        half = way != "naive"
        counts, _, dtype = way.partition(":")
        yield {
            "way": NAMES.get(way, f"ours, {counts} in flight{dtype and ', '}{dtype}"),
            "prefill, s/doc": round(found["prefill"], 2),
            "share of products": f"{work['prefill flops'] / found['prefill'] / ceilings['flops']:.0%}" if half else None,
            "step, ms": round(found["step"] * 1000),
            "tokens/s": round(found["batch"] / found["step"], 1),
            "share of reading": f"{step_bytes / found['step'] / ceilings['bytes']:.0%}" if half else None,
            "s/document": round(found["document"], 2),
            "times naive": round(naive / found["document"], 2) if naive else None,
            "peak, GB": round(found["peak"] / 1e9, 2),
        }


def main() -> None:
    """Run each way, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--ways", default=",".join(WAYS))
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--new", type=int, default=100)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(measure_one(arguments.only, arguments.checkpoint, arguments.side, arguments.new)))
        return
    shared = [str(arguments.checkpoint), "--side", str(arguments.side), "--new", str(arguments.new), "--only"]
    ceilings = run([*shared, "ceiling"])
    results: dict[str, Row] = {}
    for way in arguments.ways.split(","):
        results[way] = run([*shared, way])
        print(way, {name: round(value, 3) for name, value in results[way].items()}, file=sys.stderr, flush=True)
    tokens = (arguments.side // 32) ** 2 + 62
    table = list(rows(results, ceilings, work(arguments.checkpoint, arguments.side, tokens), tokens))
    note = f"the machine: {ceilings['flops'] / 1e12:.2f} TFLOP/s in bfloat16 products, {ceilings['bytes'] / 1e9:.1f} GB/s of memory"
    report("A 2B vision-language model on the CPU", table, arguments.json, [note])


if __name__ == "__main__":
    main()
