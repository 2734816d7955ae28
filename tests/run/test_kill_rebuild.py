"""``kill -9`` while a damaged ledger is made anew: the next run begins again, and nothing is trusted that is not whole."""

from __future__ import annotations

import fcntl
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.errors import LedgerError
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.replacement import begin_rebuilding
from tests.drawing import text_pdf
from tests.run.conftest import EchoEngine, RunFolders
from tests.run.kills import share

DOCUMENTS = 300
KILLS = max(10, share(0.05))
REBUILD = """
import sys
from pathlib import Path
from pipeline.ledger.recovery import open_checked_ledger
outbox, inbox = Path(sys.argv[1]), Path(sys.argv[2])
print("begins", flush=True)
with open_checked_ledger(outbox / ".pipeline", outbox, lambda relative: inbox / relative, []) as ledger:
    print(sum(1 for _ in ledger.published_files()), flush=True)
"""


def state(folders: RunFolders) -> Path:
    return folders.outbox / ".pipeline"


def start_rebuild(folders: RunFolders) -> subprocess.Popen[str]:
    """A process that opens the ledger as a run does, just before it opens it."""
    arguments = [sys.executable, "-c", REBUILD, str(folders.outbox), str(folders.inbox)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "begins\n"
    return process


def damage(folders: RunFolders) -> None:
    for path in state(folders).glob("ledger.sqlite*"):
        path.write_bytes(b"no database at all" * 1000)


def results(folders: RunFolders) -> dict[str, str]:
    """Text of all results by name."""
    names = [path.relative_to(folders.outbox).as_posix() for path in folders.outbox.glob("*.json")]
    return {name: " ".join(folders.texts(name.removesuffix(".json"))) for name in names}


@pytest.mark.kills
@pytest.mark.slow
def test_kills_of_a_rebuild_lose_no_row_and_overwrite_no_result(folders: RunFolders) -> None:
    for number in range(DOCUMENTS):
        folders.put(f"{number:03}.pdf", text_pdf([f"Number {number}"]))
    folders.changes.update(after="move")
    folders.run()
    before = results(folders)
    assert len(before) == DOCUMENTS
    damage(folders)
    copy = RunFolders(folders.inbox, folders.outbox.with_name("copy"))
    shutil.copytree(folders.outbox, copy.outbox)
    began = time.monotonic()
    with start_rebuild(copy) as whole:
        assert whole.communicate()[0] == f"{DOCUMENTS}\n"
    seconds = time.monotonic() - began

    chance, killed = random.Random(3), 0
    for _ in range(4 * KILLS):
        with start_rebuild(folders) as process:
            time.sleep(chance.random() * seconds)
            process.kill()
            out, _ = process.communicate()
        if out:  # it was quicker
            assert out == f"{DOCUMENTS}\n"
            damage(folders)
        else:
            killed += 1
        if killed == KILLS:
            break
    assert killed == KILLS, "the kills must fall into the work"

    folders.put("000.pdf", text_pdf(["The new file"]))  # the first file of this name is in the archive
    folders.engine = EchoEngine()
    folders.run()
    assert folders.engine.units == [("transcript", 1)], "only the new file is read"
    rows = [row["file"] for row in folders.csv("documents")]
    assert len(rows) == len(set(rows)) == DOCUMENTS + 1
    after = results(folders)
    assert before.items() <= after.items()
    assert after.keys() - before.keys() == {"000.pdf~2.json"}
    assert not list(state(folders).glob("rebuil*"))
    assert folders.run().to_read == 0


def test_a_log_of_the_damaged_ledger_is_not_applied_to_the_new_one(folders: RunFolders) -> None:
    """The run died when it had moved the damaged file away, and not its log. SQLite accepts any log that is whole in itself."""
    folders.put("a.pdf", text_pdf(["Hello"]))
    folders.run()
    other = folders.outbox.with_name("other")
    with Ledger(other):
        log = (other / "ledger.sqlite-wal").read_bytes()  # an empty ledger
    assert len(log) > 4096
    begin_rebuilding(state(folders), "damaged", state(folders) / "damaged-1")
    (state(folders) / "ledger.sqlite-wal").write_bytes(log)
    (state(folders) / "rebuilt.sqlite-wal").write_bytes(log)
    folders.engine = EchoEngine()
    folders.run()
    assert folders.engine.units == []
    with Ledger(state(folders)) as ledger:
        assert [file.source.name for file in ledger.published_files()] == ["a.pdf"]
    assert (state(folders) / "damaged-1" / "ledger.sqlite-wal").read_bytes() == log


def stopped_rebuild(folders: RunFolders) -> subprocess.Popen[str]:
    """A process that was stopped (SIGSTOP) while it fills the new ledger: the damaged one is moved away, and no file is locked."""
    for _ in range(10):
        for leftover in state(folders).glob("rebuilt*"):
            leftover.unlink()
        damage(folders)
        process = start_rebuild(folders)
        deadline = time.monotonic() + 30
        while not (state(folders) / "rebuilt.sqlite").exists() and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        process.send_signal(signal.SIGSTOP)
        if not (state(folders) / "ledger.sqlite").exists() and _is_unlocked(state(folders) / "opening"):
            return process
        process.kill()  # it was quicker, or was about to begin or to end
        process.communicate()
    raise AssertionError("no process could be stopped in the middle of its work")


def _is_unlocked(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_no_process_opens_a_ledger_that_is_not_whole(folders: RunFolders) -> None:
    folders.put("a.pdf", text_pdf(["Hello"]))
    folders.run()
    hold = folders.outbox / "b.pdf.json"  # JSON, but no result: it takes a while to read
    hold.write_bytes(b"[" + b"0," * 5_000_000 + b"0]")
    process = stopped_rebuild(folders)
    try:
        with pytest.raises(LedgerError, match="made anew"):
            Ledger(state(folders))
        assert not (state(folders) / "ledger.sqlite").exists()
    finally:
        process.kill()
        process.communicate()
    with pytest.raises(LedgerError, match="made anew"):
        Ledger(state(folders))
    hold.unlink()
    folders.engine = EchoEngine()
    folders.run()
    assert folders.engine.units == []
    asides = [folder / "ledger.sqlite" for folder in state(folders).glob("damaged-*")]
    assert all(aside.read_bytes().startswith(b"no database") for aside in asides)
    assert asides
    with sqlite3.connect(state(folders) / "ledger.sqlite") as db:
        assert db.execute("SELECT name FROM files").fetchall() == [("a.pdf",)]
    assert json.loads((folders.outbox / "a.pdf.json").read_text(encoding="utf-8"))["status"] == "done"


def test_things_that_are_no_results_do_not_hold_a_rebuild(folders: RunFolders) -> None:
    folders.put("sub/a.pdf", text_pdf(["Hello"]))
    folders.run()
    private = folders.inbox.with_name("private.json")
    shutil.copy(folders.outbox / "sub" / "a.pdf.json", private)
    os.mkfifo(folders.outbox / "b.pdf.json")
    os.mkfifo(folders.outbox / "sub" / "pipe.json")
    (folders.outbox / "c.pdf.json").symlink_to(private)
    (folders.outbox / "d.pdf.json").symlink_to("d.pdf.json")
    (folders.outbox / "e.pdf.json").mkdir()
    (folders.outbox / "loop").symlink_to(folders.outbox)
    with (folders.outbox / "f.pdf.json").open("wb") as huge:
        huge.truncate(1 << 36)
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(folders.outbox)  # the path of a socket is short
        try:
            listener.bind("g.pdf.json")
        finally:
            os.chdir(here)
        damage(folders)
        with start_rebuild(folders) as process:
            try:
                assert process.communicate(timeout=60)[0] == "1\n"
            finally:
                process.kill()
    folders.engine = EchoEngine()
    folders.run()
    assert folders.engine.units == []
    with Ledger(state(folders)) as ledger:
        assert [file.source.name for file in ledger.published_files()] == ["sub/a.pdf"]
