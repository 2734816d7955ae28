"""`--address local`: a cluster of this machine alone, whose processes have no secrets and run no file of the current folder."""

from __future__ import annotations

import ipaddress
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.drawing import invoice, invoice_pdf
from tests.hostile_folder import BY_RUNPY, MODULES, HostileFolder, plain_environment
from tests.run.processes import wait_for
from tests.runtime.test_child_process import SECRETS

pytest.importorskip("ray")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> HostileFolder:
    folder = tmp_path_factory.mktemp("local")
    made = HostileFolder(folder / "in", folder / "executed", MODULES - BY_RUNPY)
    (made.folder / "offer.pdf").write_bytes(invoice_pdf(invoice("en")))
    return made


@pytest.fixture(scope="module")
def processes(hostile: HostileFolder) -> Iterator[list[psutil.Process]]:
    """The watcher, all of Ray's processes, the engine and a reader, after a document was read."""
    outbox = hostile.folder.parent / "outbox"
    secrets = {name: value for name, value in SECRETS.items() if name != "PIPELINE_LIMITS__PASSWORDS"}
    command = [sys.executable, "-m", "pipeline", "watch", "--quiet", "--engine", "embedded", "--address", "local"]
    watcher = subprocess.Popen(
        [*command, "--inbox", ".", "--outbox", str(outbox)],
        cwd=hostile.folder,
        env=plain_environment(**secrets, PIPELINE_INTAKE__UNCHANGED_SECONDS="0"),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for(lambda: (outbox / "offer.pdf.json").exists() or watcher.poll() is not None, 180)
        assert watcher.poll() is None, watcher.communicate()[1][-3_000:]
        yield [psutil.Process(watcher.pid), *psutil.Process(watcher.pid).children(recursive=True)]
    finally:
        watcher.terminate()
        watcher.communicate(timeout=90)


def test_every_process_listens_on_loopback_alone(processes: list[psutil.Process]) -> None:
    addresses: dict[str, int] = {}
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            for connection in process.net_connections("inet"):
                if connection.status == psutil.CONN_LISTEN or connection.type.name == "SOCK_DGRAM":
                    addresses[connection.laddr.ip] = process.pid
    assert addresses, "Ray listens somewhere"
    reachable = [address for address in addresses if not _is_loopback(address)]
    assert reachable == []


def _is_loopback(text: str) -> bool:
    address = ipaddress.ip_address(text)
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def test_no_process_has_a_secret_but_the_one_that_was_given_them(processes: list[psutil.Process]) -> None:
    watcher, *others = processes
    names = [" ".join(process.cmdline()) for process in others]
    for part in ("raylet", "gcs_server", "ray::ReadingActor", "engine_process", "worker_pool"):
        assert any(part in name for name in names), (part, names)
    with_secrets = {}
    for process, name in zip(others, names, strict=True):
        with suppress(psutil.NoSuchProcess, OSError):
            variables = Path(f"/proc/{process.pid}/environ").read_bytes().decode().split("\0")
            if found := [variable for variable in variables if variable.endswith("=a secret")]:
                with_secrets[name] = found
    assert with_secrets == {}
    assert SECRETS.keys() & watcher.environ().keys()


def test_no_process_runs_a_file_of_the_current_folder(hostile: HostileFolder, processes: list[psutil.Process]) -> None:
    assert processes
    assert hostile.executed == []
