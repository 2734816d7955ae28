"""Files beside the documents are never executed, by whatever name, in any process of a run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.engines.base import Request
from pipeline.records import Page, UnitKey, Word
from pipeline.runtime.engine_process import EngineProcess
from pipeline.runtime.worker_pool import WorkerPool
from pipeline.settings import Settings, configs_folder
from pipeline.templates.load import load_templates
from tests.drawing import invoice, invoice_pdf, scan_pdf, scanned_invoice
from tests.hostile_folder import BEFORE_ANY_PROGRAM, BY_RUNPY, MODULES, HostileFolder, console_script, plain_environment

RUN = ("run", "--inbox", ".", "--outbox", "../outbox", "--engine", "embedded", "--quiet")
CHART = Path(__file__).parents[2] / "inbox" / "chart.png"


def with_documents(folder: Path) -> None:
    """One with a text layer, a scan and a chart: they take readers through all their libraries."""
    (folder / "offer.pdf").write_bytes(invoice_pdf(invoice("en")))
    (folder / "scan.pdf").write_bytes(scan_pdf([scanned_invoice(invoice("nl"))]))
    (folder / "chart.png").write_bytes(CHART.read_bytes())


def run(command: list[str], folder: Path, **environment: str) -> None:
    settings = {"PIPELINE_INTAKE__UNCHANGED_SECONDS": "0", **environment}
    done = subprocess.run(command, cwd=folder, env=plain_environment(**settings), capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr[-3_000:]
    for name in ("offer.pdf", "scan.pdf", "chart.png"):
        assert (folder.parent / "outbox" / f"{name}.json").exists(), done.stderr[-3_000:]


@pytest.mark.slow
def test_a_run_as_a_module_executes_no_file_of_the_current_folder(tmp_path: Path) -> None:
    """Python's own -m imports some modules before the program; all others must not run."""
    hostile = HostileFolder(tmp_path / "in", tmp_path / "executed", MODULES - BY_RUNPY)
    with_documents(hostile.folder)
    run([sys.executable, "-m", "pipeline", *RUN], hostile.folder)
    assert hostile.executed == []


@pytest.mark.slow
@pytest.mark.parametrize("python_path", ["", ":", "/nowhere::/nowhere/else"])
def test_a_run_by_its_script_executes_no_file_of_the_current_folder(tmp_path: Path, python_path: str) -> None:
    """An empty entry of PYTHONPATH means the current folder, for Python itself too, before a program runs."""
    before = BEFORE_ANY_PROGRAM if ":" in python_path else frozenset[str]()
    hostile = HostileFolder(tmp_path / "in", tmp_path / "executed", MODULES - before)
    with_documents(hostile.folder)
    run([*console_script(tmp_path / "bin"), *RUN], hostile.folder, PYTHONPATH=python_path)
    assert hostile.executed == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the dynamic linker of Linux")
@pytest.mark.parametrize("library_path", ["", ":/nowhere"])
def test_a_run_loads_no_library_from_the_current_folder(tmp_path: Path, library_path: str) -> None:
    """An empty entry of LD_LIBRARY_PATH means the current folder; `export LD_LIBRARY_PATH=$LD_LIBRARY_PATH:/opt/lib` makes one."""
    hostile = HostileFolder(tmp_path / "in", tmp_path / "executed", frozenset())
    hostile.add_libraries()
    with_documents(hostile.folder)
    run([*console_script(tmp_path / "bin"), *RUN], hostile.folder, LD_LIBRARY_PATH=library_path)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere matplotlib reads its file in the current folder")
def test_a_review_with_a_chart_starts_no_program_and_reads_no_configuration_of_the_current_folder(tmp_path: Path) -> None:
    """An empty entry of PATH means the current folder. matplotlib starts `fc-list`, and reads `matplotlibrc` there before any other."""
    hostile = HostileFolder(tmp_path / "in", tmp_path / "executed", MODULES - BY_RUNPY)
    hostile.add_programs()
    hostile.add_configuration()
    with_documents(hostile.folder)
    paths = {"PATH": f":{os.environ['PATH']}", "MPLCONFIGDIR": str(tmp_path / "fonts")}
    run([sys.executable, "-m", "pipeline", *RUN], hostile.folder, **paths)
    command = [*console_script(tmp_path / "bin"), "review", "--outbox", "../outbox", "--output", "../review.html"]
    done = subprocess.run(
        command, cwd=hostile.folder, env=plain_environment(**paths), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    assert "Bicycles repaired per month" in (tmp_path / "review.html").read_text(encoding="utf-8")
    assert hostile.executed == []


def where(request: bytes) -> list[bytes]:
    """What a child's Python looks through, in a handler of the pool."""
    del request
    return ["\n".join(sys.path).encode(), str(Path.cwd()).encode()]


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HostileFolder:
    """The current folder of this process, and the first one in its module path, as in `python -c` and in notebooks."""
    made = HostileFolder(tmp_path / "in", tmp_path / "executed")
    monkeypatch.chdir(made.folder)
    monkeypatch.setattr(sys, "path", ["", str(made.folder), *sys.path])
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    return made


def test_readers_of_another_program_execute_no_file_of_its_current_folder(hostile: HostileFolder) -> None:
    with WorkerPool("tests.run.test_hostile_folder:where", size=1, seconds=60, memory_mb=2_000) as pool:
        reply = pool.call(b"where")
    assert hostile.executed == []
    path, folder = (part.decode() for part in reply.parts)
    assert str(hostile.folder) not in path.split("\n")
    assert "" not in path.split("\n")
    assert folder == "/"


def test_an_engine_process_executes_no_file_of_the_current_folder(hostile: HostileFolder) -> None:
    template = load_templates([configs_folder() / "templates"])["transcript"]
    page = Page(1, 100, 100, (Word("Hello", (0, 0, 9, 9), 0),))
    engine = EngineProcess(Settings(engine="embedded"), "pipeline.engines.registry:make_engine")
    try:
        answer = engine.answer(Request(UnitKey("f" * 64, 1, "transcript", "recipe"), page, template))
    finally:
        engine.close()
    assert answer.claims["text"].value == "Hello"
    assert hostile.executed == []


def test_a_folder_that_the_user_names_in_pythonpath_stays(hostile: HostileFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = hostile.folder.parent / "mine"
    mine.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(mine))
    monkeypatch.setattr(sys, "path", [*sys.path, str(mine)])
    with WorkerPool("tests.run.test_hostile_folder:where", size=1, seconds=60, memory_mb=2_000) as pool:
        reply = pool.call(b"where")
    assert str(mine) in reply.parts[0].decode().split("\n")
    assert hostile.executed == []
