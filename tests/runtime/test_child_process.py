"""Child processes have none of the program's secrets and open files, and live exactly as long as the program."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from pipeline.engines.base import Request
from pipeline.records import Page, UnitKey, Word
from pipeline.runtime.engine_process import EngineProcess
from pipeline.runtime.worker_pool import Reply, WorkerPool
from pipeline.settings import Settings, configs_folder
from pipeline.templates.load import load_templates
from tests.drawing import text_pdf
from tests.hostile_folder import words
from tests.run.processes import Workspace, wait_for

SECRETS = dict.fromkeys(
    words(
        """
        PIPELINE_SERVER_KEY PIPELINE_SERVE_TOKEN PIPELINE_LIMITS__PASSWORDS AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
        HF_TOKEN HUGGING_FACE_HUB_TOKEN AZURE_STORAGE_KEY AZURE_STORAGE_CONNECTION_STRING GOOGLE_APPLICATION_CREDENTIALS GITHUB_TOKEN
        OPENAI_API_KEY DATABASE_URL MY_PASSWORD SSH_AUTH_SOCK DBUS_SESSION_BUS_ADDRESS HTTPS_PROXY
        """
    ),
    "a secret",
)
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


def echo(request: bytes) -> list[bytes]:
    """A handler: the process that runs it, and what came."""
    if request == b"hang":
        time.sleep(600)
    return [str(os.getpid()).encode(), request]


HANDLER = "tests.runtime.test_child_process:echo"


def in_thread(act: Callable[[], None]) -> None:
    """Run in a thread that ends with it."""
    thread = threading.Thread(target=act)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()


def is_alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_reader_outlives_the_thread_that_started_it() -> None:
    replies: list[Reply] = []
    losses: list[str] = []
    with WorkerPool(HANDLER, size=1, seconds=60, memory_mb=2_000, attempts=1) as pool:
        for _ in range(20):
            in_thread(lambda: replies.append(pool.call(b"x", losses.append)))
            assert is_alive(int(replies[0].parts[0]))
    assert losses == []
    assert len({reply.parts[0] for reply in replies}) == 1


@pytest.fixture
def engine() -> Iterator[EngineProcess]:
    started: list[EngineProcess] = []
    in_thread(lambda: started.append(EngineProcess(Settings(engine="embedded"), "pipeline.engines.registry:make_engine")))
    yield started[0]
    started[0].close()


def test_an_engine_process_outlives_the_threads_that_use_it(engine: EngineProcess) -> None:
    template = load_templates([configs_folder() / "templates"])["transcript"]
    page = Page(1, 100, 100, (Word("Hello", (0, 0, 9, 9), 0),))
    values: list[object] = []
    for _ in range(5):
        request = Request(UnitKey("f" * 64, 1, "transcript", "recipe"), page, template)
        in_thread(lambda request=request: values.append(engine.answer(request).claims["text"].value))  # type: ignore[misc]
    assert values == ["Hello"] * 5


PARENT = f"""
import sys, threading, time
from pipeline.runtime.engine_process import EngineProcess
from pipeline.runtime.worker_pool import WorkerPool
from pipeline.settings import Settings

pools = [WorkerPool({HANDLER!r}, size=1, seconds=600, memory_mb=2_000) for _ in range(2)]
engine = EngineProcess(Settings(engine="embedded"), "pipeline.engines.registry:make_engine")
engine.describe()
pids = []
thread = threading.Thread(target=lambda: pids.append(pools[0].call(b"x").parts[0].decode()))
thread.start()
thread.join()
pools[1].submit(b"hang", lambda reply: None)
print("ready", flush=True)
time.sleep(600)
"""


@linux
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_children_end_with_a_parent_that_is_killed(number: int) -> None:
    """An idle reader, one in a call that never ends, and an engine."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    try:
        assert parent.stdout
        assert parent.stdout.readline() == "ready\n"
        children = [child.pid for child in psutil.Process(parent.pid).children(recursive=True)]
        assert len(children) == 3
        parent.send_signal(number)
        parent.communicate(timeout=30)
    finally:
        parent.kill()
        parent.communicate()
    wait_for(lambda: not any(map(is_alive, children)), 30)


def open_files(pid: int) -> list[str]:
    """What the open files of a process are called."""
    files = []
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            files.append(os.fspath(entry.readlink()))
    return files


FORKING = f"""
import os
from pipeline.runtime.worker_pool import WorkerPool

def call(request):
    with WorkerPool({HANDLER!r}, size=1, seconds=60, memory_mb=2_000) as pool:
        return pool.call(request).parts[1]

assert call(b"before") == b"before"
pid = os.fork()
if pid == 0:
    os._exit(0 if call(b"in the child") == b"in the child" else 1)
assert call(b"after") == b"after"
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def test_a_program_that_forks_starts_readers_in_both_processes() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKING],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@contextmanager
def watching(workspace: Workspace, **environment: str) -> Iterator[int]:
    """A watcher that has read a page; its process."""
    workspace.put("a.pdf", text_pdf(["A page"]))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        process = workspace.start("watch", "--quiet", "--engine", "embedded")
    try:
        wait_for(lambda: (workspace.outbox / "a.pdf.json").exists())
        yield process.pid
    finally:
        process.kill()
        process.communicate(timeout=60)


@linux
def test_readers_of_a_run_have_no_secrets_and_no_files_of_the_program(tmp_path: Path) -> None:
    secrets = {**SECRETS, "PIPELINE_LIMITS__PASSWORDS": '["a secret"]', "HTTPS_PROXY": "http://user:a%20secret@host"}
    with watching(Workspace(tmp_path), **secrets) as watcher:
        readers = psutil.Process(watcher).children(recursive=True)
        assert readers
        for reader in readers:
            variables = Path(f"/proc/{reader.pid}/environ").read_bytes().decode().split("\0")
            names = {variable.partition("=")[0] for variable in variables}
            assert not names & SECRETS.keys()
            assert not [variable for variable in variables if "secret" in variable]
            assert names >= {"PATH", "HOME"}
            files = open_files(reader.pid)
            assert len([file for file in files if file.startswith("socket:")]) == 1, files
            assert not {file for file in files if file in open_files(watcher)} - {os.devnull}, "of the ledger and the lock"
            assert not [file for file in files if "onnxruntime" in file], "its records for its makers"
            assert reader.cwd() == "/"


def environment_of(engine: EngineProcess) -> dict[str, str]:
    engine.describe()
    (child,) = (child for child in psutil.Process().children() if "engine_process" in " ".join(child.cmdline()))
    text = Path(f"/proc/{child.pid}/environ").read_bytes().decode()
    return dict(variable.split("=", 1) for variable in text.split("\0") if variable)


@linux
@pytest.mark.parametrize("name", ["embedded", "server"])
def test_an_engine_process_has_what_its_server_needs_and_no_other_secret(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in {**SECRETS, "HF_HOME": "/models"}.items():
        if variable != "PIPELINE_LIMITS__PASSWORDS":  # the settings read it here
            monkeypatch.setenv(variable, value)
    engine = EngineProcess(Settings(engine=name), "tests.cluster.faulty_engine:FaultyEngine")
    try:
        variables = environment_of(engine)
    finally:
        engine.close()
    needed = {"PIPELINE_SERVER_KEY", "HTTPS_PROXY"} if name == "server" else set()
    assert {variable for variable in variables if variable in SECRETS} == needed
    assert variables["HF_HOME"] == "/models"
