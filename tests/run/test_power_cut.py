"""After a power cut that keeps only what was synced, nothing that was moved or deleted is missing from the results."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.drawing import encrypted_pdf, text_pdf
from tests.run.power_cut.disk import Disk, StoredFile, Tree, read_tree, write_tree
from tests.run.power_cut.system_calls import Call, read_calls, start_recorded

CUTS = int(os.environ.get("CUTS", "50"))
"""Number of power cuts of each test under `make proof`."""
DOCUMENTS = 10
OLD = 1_000_000_000


@dataclass(frozen=True)
class Machine:
    """The folders of a run. ``archive`` may lie on another file system."""

    folder: Path
    archive: Path
    after: str

    @property
    def inbox(self) -> Path:
        return self.folder / "inbox"

    @property
    def outbox(self) -> Path:
        return self.folder / "outbox"

    @property
    def roots(self) -> list[Path]:
        return [self.folder, self.archive]

    @property
    def environment(self) -> dict[str, str]:
        settings = {
            "AFTER": self.after,
            "ARCHIVE": str(self.archive / "archive"),
            "FAILED": str(self.archive / "failed"),
            "WORKERS": "1",
            "INTAKE__UNCHANGED_SECONDS": "0.1",
        }
        return {**os.environ, **{f"PIPELINE_{name}": value for name, value in settings.items()}}

    def command(self, name: str) -> list[str]:
        folders = ["--inbox", str(self.inbox), "--outbox", str(self.outbox)]
        return [sys.executable, "-m", "pipeline", name, "--quiet", "--template", "transcript", *folders]


DOCUMENT_NAMES = [f"{'sub/' if number % 3 == 0 else ''}{number:02}.pdf" for number in range(DOCUMENTS)]
SEALED = "sealed.pdf"


def text_of(name: str) -> list[str]:
    return [f"Document {name} page {page}" for page in (1, 2)]


@pytest.fixture(scope="module")
def contents() -> dict[str, bytes]:
    """The documents by name; one cannot be opened."""
    return {name: text_pdf(text_of(name)) for name in DOCUMENT_NAMES} | {SEALED: encrypted_pdf()}


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (OLD, OLD))


def record(machine: Machine, command: str, recording: Path, late: dict[Path, bytes]) -> list[Call]:
    """The calls of a run, or of a watcher that stops when all files are archived. ``late`` files come while it works."""
    process = start_recorded(machine.command(command), recording, machine.environment)
    try:
        if command == "watch":
            for path, content in late.items():
                time.sleep(0.3)
                unseen = machine.inbox / f".{path.name}"
                put(unseen, content)
                unseen.rename(path)
            until = time.monotonic() + 60
            while any(path.is_file() for path in machine.inbox.rglob("*")):
                assert time.monotonic() < until, "the watcher has not archived all files"
                time.sleep(0.05)
            psutil.Process(process.pid).children()[0].send_signal(signal.SIGTERM)
        process.wait(60)
    finally:
        process.kill()
    assert process.returncode in (0, 1), "the recorded program failed"
    return list(read_calls(recording))


def cut_points(machine: Machine, calls: list[Call], chance: random.Random, cuts: int) -> list[int]:
    """Numbers of calls after which the power is cut: half of them, or all of a few, just after a file has left the inbox, or
    after a table was synced where all files stay."""
    inbox = "".join(f"\\x{byte:02x}" for byte in os.fsencode(machine.inbox))
    table = "".join(f"\\x{byte:02x}" for byte in b".csv")
    outbox = "".join(f"\\x{byte:02x}" for byte in os.fsencode(machine.outbox))
    begin = next(number for number, call in enumerate(calls) if any(outbox in argument for argument in call.arguments))
    leaves = [
        number
        for number, call in enumerate(calls)
        if (machine.after == "keep" and call.name == "fsync" and f"{table}>" in call.arguments[0])
        or (call.name.startswith(("unlink", "rename")) and any(inbox in argument for argument in call.arguments))
    ]
    assert leaves, "no file left the inbox, and no table was synced"
    points = [chance.randint(begin, len(calls)) for _ in range(cuts // 2 if cuts > 10 else 0)]
    return points + [min(chance.choice(leaves) + chance.randint(1, 12), len(calls)) for _ in range(cuts - len(points))]


def check_cuts(
    machine: Machine, command: str, contents: dict[str, bytes], recording: Path, cuts: int, read_before: int = 0
) -> None:
    """Check what is left of a run after power cuts. ``read_before`` documents are read by an earlier run."""
    machine.inbox.mkdir(parents=True)
    (machine.inbox / "sub").mkdir()
    machine.archive.mkdir(exist_ok=True)
    names = [*DOCUMENT_NAMES, SEALED]
    for name in names[:read_before]:
        put(machine.inbox / name, contents[name])
    if read_before:
        subprocess.run(machine.command("run"), env=machine.environment, check=True, timeout=120)
    late_names = names[1::2] if command == "watch" else []
    late = {machine.inbox / name: contents[name] for name in late_names}
    for name in names:
        if name not in late_names:
            put(machine.inbox / name, contents[name])
    before = read_tree(machine.roots)
    calls = record(machine, command, recording, late)
    late_tree: Tree = {path: StoredFile(content, OLD * 10**9) for path, content in late.items()}

    disk = Disk(machine.roots, before, late_tree)
    for call in calls:
        disk.apply(call)
    assert disk.tree() == read_tree(machine.roots), "the model of the disk differs from the disk"

    lost = []
    for seed, point in enumerate(cut_points(machine, calls, random.Random(len(calls)), cuts)):
        chance, disk = random.Random(seed), Disk(machine.roots, before, late_tree)
        for call in calls[:point]:
            disk.apply(call)
        write_tree(machine.roots, disk.cut(chance))
        for path, file in disk.late.items():
            put(path, file.data if file else b"")
        if problems := problems_after_restart(machine, contents):
            lost.append(f"cut {seed} after call {point} of {len(calls)}: {problems}")
    assert not lost, "\n".join([f"{len(lost)} of {cuts} cuts:", *lost])


def problems_after_restart(machine: Machine, contents: dict[str, bytes]) -> list[str]:
    """What is wrong once a run has ended after the cut."""
    run = subprocess.run(machine.command("run"), env=machine.environment, capture_output=True, text=True, timeout=120)
    if run.returncode not in (0, 1):
        return [f"exit code {run.returncode}: {run.stderr[-300:]}"]
    problems = []
    for name in DOCUMENT_NAMES:
        path = machine.outbox / f"{name}.json"
        try:
            result = json.loads(path.read_text(encoding="utf-8"))
            if result["results"]["transcript"]["fields"]["text"]["value"] != text_of(name):
                problems.append(f"{name}: wrong text")
        except (OSError, ValueError, KeyError) as error:
            problems.append(f"{name}: no result: {error!r}")
    for sheet in ("documents", "transcript"):
        rows, expected = Counter(csv_files(machine.outbox / f"{sheet}.csv")), Counter(contents.keys())
        if rows != expected:
            problems.append(f"{sheet}.csv: missing {sorted(expected - rows)}, too many {sorted(rows - expected)}")
    problems += [f"{path.name}: our own file counts as changed" for path in machine.outbox.rglob("*(changed *")]
    found = Counter(path.read_bytes() for root in (machine.inbox, machine.archive) for path in root.rglob("*.pdf"))
    for name, content in contents.items():
        expected_copies = 0 if machine.after == "delete" and name != SEALED else 1
        if (copies := found.pop(content, 0)) != expected_copies:
            problems.append(f"{name}: {copies} originals, not {expected_copies}")
    if found:
        problems.append(f"{len(found)} damaged originals")
    return problems


def csv_files(path: Path) -> list[str]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [row["file"] for row in csv.DictReader(file)]


needs_strace = pytest.mark.skipif(not shutil.which("strace"), reason="strace records the calls; Debian: apt-get install strace")


@needs_strace
@pytest.mark.slow
def test_a_power_cut_loses_no_deleted_file(tmp_path: Path, contents: dict[str, bytes]) -> None:
    machine = Machine(tmp_path / "machine", tmp_path / "other", "delete")
    check_cuts(machine, "run", contents, tmp_path / "calls", cuts=6)


@needs_strace
@pytest.mark.slow
def test_after_a_power_cut_no_table_of_ours_counts_as_changed(tmp_path: Path, contents: dict[str, bytes]) -> None:
    machine = Machine(tmp_path / "machine", tmp_path / "other", "keep")
    check_cuts(machine, "run", contents, tmp_path / "calls", cuts=4, read_before=5)


@needs_strace
@pytest.mark.proof
@pytest.mark.parametrize("command", ["run", "watch"])
@pytest.mark.parametrize("after", ["move", "delete"])
def test_power_cuts_lose_nothing(tmp_path: Path, contents: dict[str, bytes], after: str, command: str) -> None:
    check_cuts(Machine(tmp_path / "machine", tmp_path / "other", after), command, contents, tmp_path / "calls", CUTS)


@needs_strace
@pytest.mark.proof
@pytest.mark.parametrize("command", ["run", "watch"])
@pytest.mark.parametrize("after", ["move", "delete"])
def test_power_cuts_between_two_file_systems_lose_nothing(
    tmp_path: Path, contents: dict[str, bytes], other_file_system: Path, after: str, command: str
) -> None:
    check_cuts(Machine(tmp_path / "machine", other_file_system, after), command, contents, tmp_path / "calls", CUTS)
