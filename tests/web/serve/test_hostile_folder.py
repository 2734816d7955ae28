"""`pipeline serve` in a folder with files of strangers: it and its processes run none of them, and it hands on no token."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from tests.drawing import text_pdf
from tests.hostile_folder import BY_RUNPY, MODULES, HostileFolder
from tests.runtime.test_child_process import SECRETS
from tests.web.serve.conftest import Served

TOKEN = "a-token-of-the-user-0123456789"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_server_in_a_hostile_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = HostileFolder(tmp_path / "in", tmp_path / "executed", MODULES - BY_RUNPY)
    (hostile.folder / "inbox").mkdir()
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    environment = {name: value for name, value in SECRETS.items() if name != "PIPELINE_LIMITS__PASSWORDS"}
    running = Served(hostile.folder, environment={**environment, "PIPELINE_SERVE_TOKEN": TOKEN}).start()
    try:
        assert running.token == TOKEN
        document = running.read(running.submit("a.pdf", text_pdf(["A page"]))["sha256"])
        with running.client() as client:
            assert client.get(f"/api/documents/{document['id']}/pages/1.webp").status_code == 200
        assert hostile.executed == []
        assert running.process
        server = psutil.Process(running.process.pid)
        (watcher,) = (child for child in server.children() if "watch" in child.cmdline())
        readers = [child for child in server.children(recursive=True) if "worker_pool" in " ".join(child.cmdline())]
        assert {reader.ppid() for reader in readers} == {server.pid, watcher.pid}
        for reader in readers:
            assert not reader.environ().keys() & SECRETS.keys()
        assert TOKEN not in watcher.environ().values(), "the reading process needs no token"
        listening = {
            c.laddr.ip for child in (server, watcher, *readers) for c in child.net_connections() if c.status == "LISTEN"
        }
        assert listening == {"127.0.0.1"}
    finally:
        running.stop()
