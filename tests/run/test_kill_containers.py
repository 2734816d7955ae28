"""``kill -9`` while containers are read loses no part, no original, and doubles none."""

from __future__ import annotations

import random
import re
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.drawing import text_pdf
from tests.drawn_containers import mail, mailbox, pdf_with, seven_zip_of, signed, tar_of, zip_of
from tests.run.kills import KillFolders, kill_when, rows_of, share

pytestmark = pytest.mark.kills
proof = pytest.mark.proof


@dataclass
class ContainerFolders(KillFolders):
    """An inbox of documents and containers."""

    containers: list[str] = field(default_factory=list)
    """Names of the results of containers without pages of their own."""
    files: int = 0
    """Files that were put into the inbox."""

    def put_containers(self, number: int) -> None:
        """Put one container of each kind into the inbox, each with parts of known text, some of them in containers inside."""

        def page(place: str) -> bytes:
            self.texts[place] = [f"Document {place}"]
            return text_pdf(self.texts[place])

        def mail_of(name: str, enclosed: str) -> bytes:
            self.containers += [name, f"{name}/{enclosed}"]
            inner = zip_of([("x.pdf", page(f"{name}/{enclosed}/x.pdf")), ("y.pdf", page(f"{name}/{enclosed}/y.pdf"))])
            return mail([("a.pdf", page(f"{name}/a.pdf")), (enclosed, inner)], text=None)

        name = f"{number:03}"
        self._put(f"{name}.eml", mail_of(f"{name}.eml", "in.zip"))
        self.containers += [f"{name}.mbox", *(f"{name}.mbox/0000{n}.eml" for n in (1, 2))]
        mails = [mail([("m.pdf", page(f"{name}.mbox/0000{n}.eml/m.pdf"))], text=None) for n in (1, 2)]
        self._put(f"{name}.mbox", mailbox(*mails))
        self.containers += [f"sub/{name}.zip", f"{name}.7z", f"{name}.pdf.p7m", f"{name}.tgz"]
        self._put(f"sub/{name}.zip", zip_of([(f"{n}.pdf", page(f"sub/{name}.zip/{n}.pdf")) for n in range(3)]))
        self._put(f"{name}.7z", seven_zip_of([(f"{n}.pdf", page(f"{name}.7z/{n}.pdf")) for n in range(2)]))
        self._put(f"{name}.tgz", tar_of([("t.pdf", page(f"{name}.tgz/t.pdf"))]))
        self._put(f"{name}.pdf.p7m", signed(page(f"{name}.pdf.p7m/{name}.pdf")))
        self.texts[f"{name}-host.pdf"] = [f"Host {name}"]
        self._put(f"{name}-host.pdf", pdf_with([("q.pdf", page(f"{name}-host.pdf/q.pdf"))], f"Host {name}"))

    def _put(self, name: str, content: bytes) -> None:
        self.files += 1
        self._write(name, content)

    def in_inbox(self) -> int:
        """See KillFolders."""
        return sum(path.is_file() and not path.name.startswith(".") for path in self.inbox.rglob("*"))

    def check_all(self) -> None:
        """See KillFolders."""
        for name, texts in self.texts.items():
            assert self.published_texts(name) == texts
        for name in self.containers:
            assert self.result(name)["status"] == "done", name
            assert all(part["status"] == "done" for part in self.result(name)["parts"])
        expected = {"transcript": Counter([*self.texts]), "documents": Counter([*self.texts, *self.containers])}
        for sheet, names in expected.items():
            rows = Counter(rows_of(self.outbox / f"{sheet}.csv"))
            assert rows == names, f"{sheet}.csv lacks {sorted(names - rows)}, and has too many of {sorted(rows - names)}"
        results = sorted(path.relative_to(self.outbox).as_posix() for path in self.outbox.rglob("*.json"))
        assert [path for path in results if not path.startswith(".")] == sorted(
            f"{name}.json" for name in expected["documents"]
        )
        found = Counter(path.read_bytes() for path in self._files() if not re.search(r"\.reason\.txt$", path.name))
        wanted = Counter() if self.after == "delete" else self.originals
        assert found == wanted, f"{(wanted - found).total()} originals are lost, {(found - wanted).total()} are doubled"
        assert self.in_inbox() == (self.files if self.after == "keep" else 0)
        self.check_no_leftovers()


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("after", ["move", pytest.param("keep", marks=proof), pytest.param("delete", marks=proof)])
def test_kills_of_runs_lose_no_part(tmp_path: Path, after: str) -> None:
    folders = ContainerFolders(tmp_path, tmp_path / "elsewhere", after)
    chance, hits = random.Random(f"containers {after}"), 0
    for number in range(share(0.08)):
        folders.put_containers(number)
        before, process = folders.units(), folders.start("run")
        goal = len(before) + chance.randint(0, 16)

        def has_worked(goal: int = goal) -> bool:
            return len(folders.units()) > goal

        hits += kill_when(process, has_worked, chance, 60 if number % 4 else chance.random() * 2)  # some die while they start
        assert before.items() <= folders.units().items(), "a finished unit was lost or done again"
        if after != "delete":
            folders.check_originals()
    survivors = folders.units()
    folders.end_well("run")
    folders.end_well("run")
    assert survivors.items() <= folders.units().items(), "a finished unit was done again"
    assert hits, "a run must be killed while it works"
    folders.check_all()


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_kills_of_watchers_lose_no_part(tmp_path: Path) -> None:
    folders = ContainerFolders(tmp_path, tmp_path / "elsewhere", "move")
    chance = random.Random("watch containers")
    for number in range(share(0.06)):
        watcher = folders.start("watch")
        time.sleep(chance.random())
        folders.put_containers(number)
        left = folders.in_inbox()

        def some_have_left(left: int = left) -> bool:
            return folders.in_inbox() < left - 1

        kill_when(watcher, some_have_left, chance, 3 + 5 * chance.random())
        folders.check_originals()
    watcher = folders.start("watch")
    folders.put_containers(share(0.06))  # the last watcher has something to do, so that it works when the signal comes
    until = time.monotonic() + 240
    while folders.in_inbox() and time.monotonic() < until:
        time.sleep(0.1)
    watcher.send_signal(signal.SIGTERM)
    assert watcher.wait(60) == 0
    folders.end_well("run")
    folders.check_all()
