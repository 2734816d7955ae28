"""`pipeline` as a process of its own, for tests that observe it from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.drawing import text_pdf

T = TypeVar("T")
OLD = 1_000_000_000


@dataclass(frozen=True)
class Workspace:
    """An inbox, an outbox, and commands over them. Every command is a new process."""

    folder: Path

    @property
    def inbox(self) -> Path:
        return self.folder / "inbox"

    @property
    def outbox(self) -> Path:
        return self.folder / "outbox"

    def put(self, name: str, content: bytes | None = None) -> Path:
        """Write a file with an old time; by default a page with the file's name on it."""
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text_pdf([name]) if content is None else content)
        os.utime(path, (OLD, OLD))
        return path

    def start(self, command: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command. ``environment`` are settings, e.g. ``LIMITS__PAGES="3"``."""
        self.inbox.mkdir(exist_ok=True)
        folders = ["--outbox", str(self.outbox)] if command == "status" else ["--inbox", self.inbox, "--outbox", self.outbox]
        template = ["--template", "transcript"] if command in ("run", "watch") else []
        settings = {f"PIPELINE_{name}": value for name, value in {"WORKERS": "1", **environment}.items()}
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline", command, *map(str, folders), *template, *arguments],
            env={**os.environ, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, command: str, *arguments: str, **environment: str) -> tuple[int, str, str]:
        """Run a command to its end. Returns its exit code, standard output and standard error."""
        process = self.start(command, *arguments, **environment)
        out, err = process.communicate(timeout=240)
        return process.returncode, out, err

    def status(self) -> Any:
        """The output of `status --json`."""
        return json.loads(self.run("status", "--json")[1])


def wait_for(condition: Callable[[], T], seconds: float = 120) -> T:
    """The first true value of ``condition``."""
    until = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)
    return value


def events(text: str) -> list[dict[str, Any]]:
    """All JSON lines of a text."""
    return [json.loads(line) for line in text.splitlines()]
