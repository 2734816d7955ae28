"""Documents per hour of a text model, ours beside llama.cpp's server with the same weights, prompts and schemas.

    python -m benchmarks.beside_llama_cpp MODEL.gguf FOLDER [--documents 8] [--template receipt] [--slots 4] [--json FILE]

FOLDER holds real documents. Ours runs the file's weights in the precision that `doctor` tells; llama.cpp multiplies them as they are
stored. It is spoken to by our engine ``server``, so everything but the model's arithmetic is the same: readers, prompts, JSON Schema
(there as a grammar), checks, no second questions. Loading a model is not counted on either side; reading pages is.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.documents import OLD
from benchmarks.measure import Row, report, timed

PORT = 18_765
CONTEXT = 8192
PATIENCE = 120


def serve(model: str, slots: int) -> None:
    """llama.cpp's own server with all cores, until it is killed."""
    xllamacpp: Any = importlib.import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.hostnames, params.port = ["127.0.0.1"], PORT
    params.n_ctx, params.n_parallel = CONTEXT * slots, slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = psutil.cpu_count(logical=False) or 1
    params.model_alias = {"model"}
    server = xllamacpp.Server(params)
    signal.pause()
    del server


def wait_for_server() -> None:
    """Until it lists its model. Raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"http://127.0.0.1:{PORT}/v1/models", timeout=2, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise TimeoutError("llama.cpp's server did not come up")


def run(work: Path, name: str, settings: list[str], environment: dict[str, str]) -> tuple[float, Path]:
    """Seconds of a whole run over the inbox, and where its results are."""
    outbox = work / name
    shutil.rmtree(outbox, ignore_errors=True)
    command = [sys.executable, "-m", "pipeline", "run", "--quiet", "--inbox", work / "inbox", "--outbox", outbox, *settings]
    return timed([str(part) for part in command], environment={"PIPELINE_RETRIES": "0", **environment}), outbox


def values(outbox: Path) -> dict[tuple[str, str], Any]:
    """Every value by document and field, tables apart."""
    found = {}
    for path in sorted(outbox.glob("*.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        for result in told["results"].values():
            found.update({(path.name, field): one["value"] for field, one in result["fields"].items()
                          if not isinstance(one["value"], list)})  # fmt: skip
    return found


def main() -> None:
    """Both, on the same files, one after the other."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--documents", type=int, default=8)
    parser.add_argument("--template", default="receipt")
    parser.add_argument("--slots", type=int, default=4)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        (work / "inbox").mkdir()
        every = sorted(path for path in given.folder.iterdir() if path.is_file())
        for path in every[:: max(1, len(every) // given.documents)][: given.documents]:
            copied = work / "inbox" / path.name
            shutil.copyfile(path, copied)
            os.utime(copied, (OLD, OLD))
        settings = ["--template", given.template]
        ours, here = run(work, "ours", [*settings, "--engine", "vlm", "--model", str(given.model)], {})
        loading = load_seconds(given.model)
        command = [sys.executable, "-m", "benchmarks.beside_llama_cpp", "serve", str(given.model), str(given.slots)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
            try:
                wait_for_server()
                there = {
                    "PIPELINE_SERVER__URL": f"http://127.0.0.1:{PORT}/v1",
                    "PIPELINE_SERVER__SEES": "false",
                    "PIPELINE_SERVER__CONCURRENCY": str(given.slots),
                    "PIPELINE_SERVER__SECONDS": "3600",
                }
                theirs, over_there = run(work, "theirs", [*settings, "--engine", "server"], there)
            finally:
                server.kill()
        mine, others = values(here), values(over_there)
        same = sum(mine[key] == others.get(key) for key in mine) / max(1, len(mine))
    rows: list[Row] = [
        {
            "way": name,
            "s/document": round(seconds / given.documents, 2),
            "documents/hour": round(3600 * given.documents / seconds),
        }
        for name, seconds in (("ours", ours - loading), (f"llama.cpp, {given.slots} slots", theirs))
    ]
    notes = [
        f"{theirs / (ours - loading):.2f} times as fast; {same:.0%} of the values are the same; loading {loading:.0f} s apart"
    ]
    report(f"{given.documents} documents of {given.folder.name} with {given.model.name}", rows, given.json, notes)


def load_seconds(model: Path) -> float:
    """Seconds that our engine takes to load the model, in a process of its own."""
    code = (
        "import sys; from pipeline.settings import Settings; from pipeline.engines.vlm.engine import VlmEngine;"
        "VlmEngine(Settings(engine='vlm', model=sys.argv[1]))._loaded"
    )
    return timed([sys.executable, "-c", code, str(model)])


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2], int(sys.argv[3]))
    else:
        main()
