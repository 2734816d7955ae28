"""A real S3 server on loopback (moto's, in a process of its own), and runs whose inbox and outbox lie in a bucket of it."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from pipeline.monitoring.events import RunCounts
from pipeline.run.job import open_job
from pipeline.run.loop import Loop
from pipeline.run.refresh import split_up_to_date
from pipeline.settings import Settings, load_settings
from tests.drawing import text_pdf
from tests.run.conftest import EchoEngine
from tests.run.processes import wait_for

BUCKET = "documents"


class S3Server:
    """The server behind a proxy. While the proxy is offline, no connection succeeds; the server keeps its data."""

    def __init__(self, log: Path) -> None:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
        with log.open("wb") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output)
        self._port = int(wait_for(lambda: re.search(r"Running on http://127.0.0.1:(\d+)", log.read_text()), 600)[1])  # type: ignore[index]
        self._proxy = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.url = f"http://127.0.0.1:{self._proxy.getsockname()[1]}"
        self.direct_url = f"http://127.0.0.1:{self._port}"
        self._is_offline = False
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    @contextmanager
    def offline(self) -> Iterator[None]:
        """The server cannot be reached."""
        self._is_offline = True
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        yield
        self._is_offline = False

    def _accept(self) -> None:
        while True:
            client, _ = self._proxy.accept()
            if self._is_offline:
                client.close()
                continue
            upstream = socket.create_connection(("127.0.0.1", self._port))
            self._open = [*self._open[-200:], client, upstream]
            for one, other in ((client, upstream), (upstream, client)):
                threading.Thread(target=_forward, args=(one, other), daemon=True).start()


def _forward(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65_536):
            other.sendall(data)
    for end in (one, other):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """One server for all tests of a process."""
    started = S3Server(tmp_path_factory.mktemp("moto") / "log")
    yield started
    started.stop()


@dataclass
class BucketRuns:
    """A bucket, and a machine that reads what lies below ``in`` and writes below ``out``."""

    s3: Any
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    engine: EchoEngine = field(default_factory=EchoEngine)
    changes: dict[str, Any] = field(default_factory=dict)
    inbox: str = f"s3://{BUCKET}/in"
    outbox: str = f"s3://{BUCKET}/out"

    def machine(self, name: str) -> None:
        """Later commands run on another machine, which shares the store and nothing else."""
        self.monkeypatch.setenv("XDG_STATE_HOME", str(self.folder / name))

    def put(self, key: str, content: bytes | None = None) -> None:
        """Put an object into the inbox; by default a page with its key as text."""
        self.s3.put_object(Bucket=BUCKET, Key=f"in/{key}", Body=text_pdf([key]) if content is None else content)

    def keys(self, below: str = "") -> list[str]:
        """Keys of all objects below a prefix, without the program's own objects."""
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=below).get("Contents", [])
        return [item["Key"].removeprefix(below) for item in found if "/.pipeline/" not in item["Key"]]

    def get(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())

    def json(self, name: str) -> Any:
        return json.loads(self.get(f"out/{name}.json"))

    def texts(self, name: str) -> list[str]:
        return list(self.json(name)["results"]["transcript"]["fields"]["text"]["value"])

    def rows(self, sheet: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.get(f"out/{sheet}.csv").decode(), newline="")))

    @property
    def settings(self) -> Settings:
        intake = {"wait_seconds": 5, "unchanged_seconds": 0}
        changes = {"workers": 1, "intake": intake, **self.changes}
        return load_settings(None, inbox=self.inbox, outbox=self.outbox, **changes)

    def run(self) -> RunCounts:
        """`pipeline run` in this process, with an engine that echoes."""
        tally = RunCounts()
        with (
            open_job(self.settings, template="transcript", engine=self.engine) as job,
            Loop(job, tally, archive_files=True) as loop,
        ):
            todo, known = split_up_to_date(job, job.scan(tally.file_skipped), job.file_records)
            tally.files_found(len(todo), len(known))
            loop.round(iter(todo))
            loop.publisher.archive_published(known)
            loop.publisher.tidy()
        return tally

    def command(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A command as a real process."""
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=280)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """As ``command``; the process still works."""
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline", *arguments],
            env={**os.environ, "PIPELINE_WORKERS": "1", "PIPELINE_INTAKE__WAIT_SECONDS": "5", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def places(self) -> list[str]:
        """The options that name inbox and outbox."""
        return ["--inbox", self.inbox, "--outbox", self.outbox]


@pytest.fixture
def runs(server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BucketRuns:
    """An empty bucket, and a machine without a copy of it."""
    environment = {
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": "a-secret-of-mine",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_ENDPOINT_URL": server.url,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.chdir(tmp_path)
    urllib.request.urlopen(urllib.request.Request(f"{server.direct_url}/moto-api/reset", method="POST"), timeout=60)
    s3 = boto3.client("s3", endpoint_url=server.direct_url)
    s3.create_bucket(Bucket=BUCKET)
    runs = BucketRuns(s3, tmp_path, monkeypatch)
    runs.machine("first")
    return runs
