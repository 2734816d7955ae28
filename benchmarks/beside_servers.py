"""Documents per hour of a text model, ours beside servers that run the same weights: llama.cpp, and vLLM where it is installed.

    python -m benchmarks.beside_servers MODEL FOLDER [--gguf FILE] [--vllm PYTHON] [--documents 8] [--template receipt] [--keep DIR]

FOLDER holds real documents. Ours runs MODEL's weights (a folder, or a GGUF file) in the precision that `doctor` tells, llama.cpp
multiplies those of a GGUF file as they are stored, and vLLM those of a folder in bfloat16. Servers are spoken to by our engine ``server``,
so everything but the model's arithmetic is the same: readers, prompts, JSON Schema (there as a grammar), checks, no second questions.
Loading a model is not counted on any side; reading pages is. ``--vllm`` names the Python of an environment that has it; ``--keep`` is a new
folder in which the inbox and every way's outbox stay, to see which values differ.
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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.documents import OLD
from benchmarks.measure import Row, report, timed
from pipeline.errors import ExitCode

PORT = 18_765
CONTEXT = 8192
PATIENCE = 600


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
    raise TimeoutError("the server did not come up")


@contextmanager
def served(command: list[str], environment: dict[str, str], slots: int) -> Iterator[dict[str, str]]:
    """A server, and the settings that our engine finds it with."""
    with subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as server:
        try:
            wait_for_server()
            yield {
                "PIPELINE_SERVER__URL": f"http://127.0.0.1:{PORT}/v1",
                "PIPELINE_SERVER__ACCEPTS_IMAGES": "false",
                "PIPELINE_SERVER__CONCURRENCY": str(slots),
                "PIPELINE_SERVER__SECONDS": "3600",
            }
        finally:
            os.killpg(server.pid, signal.SIGKILL)


def vllm(python: str, model: Path, slots: int) -> tuple[list[str], dict[str, str]]:
    """Command and environment of vLLM's server for CPUs, with as much memory for keys and values as ours takes."""
    cores = psutil.cpu_count(logical=False) or 1
    command = [
        python,
        "-m",
        "vllm.entrypoints.openai.api_server",
        "--model",
        str(model),
        "--host",
        "127.0.0.1",
        "--port",
        str(PORT),
        "--served-model-name",
        "model",
    ]
    # its usual grammars take minutes to prepare for a schema that lists what a page prints; these are the ones that we use, too
    command += ["--structured-outputs-config", '{"backend": "guidance", "disable_any_whitespace": true}']
    command += ["--dtype", "bfloat16", "--enforce-eager", "--max-model-len", str(CONTEXT), "--max-num-seqs", str(slots)]
    return command, {"VLLM_CPU_KVCACHE_SPACE": "4", "VLLM_CPU_OMP_THREADS_BIND": f"0-{cores - 1}"}


def run(work: Path, name: str, settings: list[str], environment: dict[str, str]) -> tuple[float, Path]:
    """Seconds of a whole run over the inbox, and where its results are."""
    outbox = work / name
    command = [sys.executable, "-m", "pipeline", "run", "--quiet", "--inbox", work / "inbox", "--outbox", outbox, *settings]
    fine = ExitCode.OK, ExitCode.SOME_FAILED
    return timed(
        [str(part) for part in command], environment={"PIPELINE_RETRY__ANSWER_ATTEMPTS": "1", **environment}, fine=fine
    ), outbox


def done(outbox: Path) -> int:
    """How many documents were read to their end."""
    return sum(json.loads(path.read_text(encoding="utf-8"))["status"] == "done" for path in outbox.glob("*.json"))


def values(outbox: Path) -> dict[tuple[str, str], Any]:
    """Every value by document and field, tables apart."""
    by_field = {}
    for path in sorted(outbox.glob("*.json")):
        published = json.loads(path.read_text(encoding="utf-8"))
        for result in published["results"].values():
            by_field.update({(path.name, field): one["value"] for field, one in result["fields"].items()
                          if not isinstance(one["value"], list)})  # fmt: skip
    return by_field


def main() -> None:
    """All, on the same files, one after the other."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gguf", type=Path, help="the same weights for llama.cpp, if MODEL is not they")
    parser.add_argument("--vllm", help="the Python of its environment, to measure it as well")
    parser.add_argument("--documents", type=int, default=8)
    parser.add_argument("--template", default="receipt")
    parser.add_argument("--slots", type=int, default=4, help="answers in flight in llama.cpp, whose steps for more take longer")
    parser.add_argument("--keep", type=Path, help="a new folder for the inbox and the outboxes")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.keep or Path(temporary, "work")
        work.mkdir(parents=True)
        (work / "inbox").mkdir()
        every = sorted(path for path in arguments.folder.iterdir() if path.is_file())
        for path in every[:: max(1, len(every) // arguments.documents)][: arguments.documents]:
            copied = work / "inbox" / path.name
            shutil.copyfile(path, copied)
            os.utime(copied, (OLD, OLD))
        settings = ["--template", arguments.template]
        took, here = run(work, "ours", [*settings, "--engine", "vlm", "--model", str(arguments.model)], {})
        ours, mine = took - load_seconds(arguments.model), values(here)
        rows = [row("ours", ours, arguments.documents, done(here), 1.0, 1.0)]
        peers: dict[str, tuple[list[str], dict[str, str], int]] = {}
        if gguf := arguments.gguf or (arguments.model if arguments.model.suffix == ".gguf" else None):
            command = [sys.executable, "-m", "benchmarks.beside_servers", "serve", str(gguf), str(arguments.slots)]
            peers[f"llama.cpp, {arguments.slots} slots"] = (command, {}, arguments.slots)
        if arguments.vllm:
            peers["vLLM, 8 at once"] = (*vllm(arguments.vllm, arguments.model, 8), 8)
        for name, (command, environment, slots) in peers.items():
            with served(command, environment, slots) as there:
                theirs, over_there = run(work, name.split(",")[0], [*settings, "--engine", "server"], there)
            others = values(over_there)
            same = sum(mine[key] == others.get(key) for key in mine) / max(1, len(mine))
            rows.append(row(name, theirs, arguments.documents, done(over_there), theirs / ours, same))
    report(
        f"{arguments.documents} documents of {arguments.folder.name} with {arguments.model.name}, loading apart",
        rows,
        arguments.json,
    )


def row(name: str, seconds: float, documents: int, whole: int, times: float, same: float) -> Row:
    """One line of the table, printed at once, since a peer may take long or fail."""
    print(f"{name}: {seconds / documents:.1f} s a document", file=sys.stderr, flush=True)
    return {
        "way": name,
        "s/document": round(seconds / documents, 2),
        "documents/hour": round(3600 * documents / seconds),
        "done": whole,
        "ours is so many times as fast": round(times, 2),
        "the same values": f"{same:.0%}",
    }


def load_seconds(model: Path) -> float:
    """Seconds that our engine takes to load the model, in a process of its own."""
    code = (
        "import sys; from pipeline.settings import Settings; from pipeline.engines.vlm.vlm_engine import VlmEngine;"
        "VlmEngine(Settings(engine='vlm', model=sys.argv[1]))._loaded"
    )
    return timed([sys.executable, "-c", code, str(model)])


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2], int(sys.argv[3]))
    else:
        main()
