"""A real mailbox on loopback, a proxy that can cut its connections, and runs whose inbox is a folder of it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipeline.monitoring.events import RunCounts
from pipeline.remote import message_store
from pipeline.run.job import open_job
from pipeline.run.loop import Loop
from pipeline.run.refresh import InboxScanner
from pipeline.settings import Settings, load_settings
from tests.mailbox.dovecot import PASSWORD, USER, Dovecot, needs_dovecot
from tests.run.conftest import EchoEngine


@pytest.fixture(scope="session")
def server() -> Iterator[Dovecot]:
    """One server for all tests of a process. Its folder must be open to the server's own user, as pytest's folders are not."""
    needs_dovecot()
    folder = Path(tempfile.mkdtemp(prefix="dovecot-"))
    started = Dovecot(folder)
    yield started
    started.stop()
    shutil.rmtree(folder, ignore_errors=True)


class Proxy:
    """Passes connections on to a port. ``allow`` bytes from the server pass, then every connection is cut; None: no limit."""

    def __init__(self, port: int) -> None:
        self._to, self.connections = port, 0
        self.allow: int | None = None
        self.offline = False
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Cut all connections that are open."""
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.offline:
                client.close()
                continue
            upstream = socket.create_connection(("127.0.0.1", self._to))
            self._open += [client, upstream]
            threading.Thread(target=self._forward, args=(client, upstream, False), daemon=True).start()
            threading.Thread(target=self._forward, args=(upstream, client, True), daemon=True).start()

    def _forward(self, one: socket.socket, other: socket.socket, counts: bool) -> None:
        with suppress(OSError):
            while data := one.recv(16_384):
                if counts and self.allow is not None:
                    self.allow -= len(data)
                    if self.allow < 0:
                        self.allow = None
                        self.cut()
                        break
                other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def stop(self) -> None:
        self._listener.close()
        self.cut()


@dataclass
class MailRuns:
    """A mailbox, and a machine that reads its inbox into a folder."""

    server: Dovecot
    folder: Path
    changes: dict[str, Any] = field(default_factory=dict)
    mailbox: dict[str, Any] = field(default_factory=dict)
    inbox: str = ""
    engine: EchoEngine = field(default_factory=EchoEngine)

    @property
    def outbox(self) -> Path:
        return self.folder / "outbox"

    @property
    def settings(self) -> Settings:
        changes = {
            "workers": 1,
            "intake": {"wait_seconds": 5, "poll_seconds": 0.5},
            "mailbox": {"ca_file": self.server.ca, "seconds": 20, **self.mailbox},
            **self.changes,
        }
        return load_settings(None, inbox=self.inbox or self.server.imaps, outbox=self.outbox, **changes)

    def run(self) -> RunCounts:
        """`pipeline run` in this process, with an engine that echoes, on a new connection."""
        message_store.open_mailbox.cache_clear()
        tally = RunCounts()
        with (
            open_job(self.settings, template="transcript", engine=self.engine) as job,
            Loop(job, tally, archive_files=True) as loop,
        ):
            todo, known = InboxScanner(job, tally.file_skipped, loop.recognise_moves).scan()
            tally.files_found(len(todo), len(known))
            loop.round(iter(todo))
            loop.publisher.archive_published(known)
            loop.publisher.tidy()
        return tally

    def results(self) -> list[str]:
        """Names of all results."""
        return sorted(
            path.relative_to(self.outbox).as_posix().removesuffix(".json")
            for path in self.outbox.rglob("*.json")
            if ".pipeline" not in path.parts
        )

    def json(self, name: str) -> Any:
        return json.loads((self.outbox / f"{name}.json").read_text())

    def texts(self) -> list[str]:
        """What was read of all attachments."""
        found: list[str] = []
        for name in self.results():
            fields = self.json(name).get("results", {}).get("transcript", {}).get("fields")
            found += fields["text"]["value"] if fields else []
        return sorted(found)

    @property
    def environment(self) -> dict[str, str]:
        """The settings of a command's own."""
        return {
            "PIPELINE_WORKERS": "1",
            "PIPELINE_ENGINE": "embedded",
            "PIPELINE_INTAKE__WAIT_SECONDS": "5",
            "PIPELINE_MAILBOX__CA_FILE": str(self.server.ca),
            "PIPELINE_INBOX": self.inbox or self.server.imaps,
            "PIPELINE_OUTBOX": str(self.outbox),
        }

    def command(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A command as a real process."""
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=280)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """As ``command``; the process still works."""
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline", *arguments],
            env={**os.environ, **self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def runs(server: Dovecot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MailRuns:
    """An empty mailbox, and a machine that has read nothing."""
    monkeypatch.setenv("PIPELINE_MAILBOX_PASSWORD", PASSWORD)
    monkeypatch.chdir(tmp_path)
    server.clear()
    return MailRuns(server, tmp_path)


@pytest.fixture
def proxy(server: Dovecot, runs: MailRuns) -> Iterator[Proxy]:
    """A proxy before the server's TLS port; the runs go through it."""
    started = Proxy(server.ports[1])
    runs.inbox = f"imaps://{USER}@127.0.0.1:{started.port}"
    yield started
    started.stop()


Change = Callable[[], None]
