"""What the tests with ``kill -9`` share: folders with documents of known text, moments to kill at, and the check of all results."""

from __future__ import annotations

import csv
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.drawing import encrypted_pdf, text_pdf

KILLS = int(os.environ.get("KILLS", "36"))
"""Number of kills of all tests together. Each test takes its share. docs/reliability.md reports KILLS=300."""
OLD = 1_000_000_000
UNFINISHED = re.compile(r"^\.|\.(part|tmp|partial|claim|claimed)$|\(changed ")
"""Names of files that are not complete, that a run works on, or that another program seems to have changed."""


def share(part: float) -> int:
    """This part of all kills, three at least."""
    return max(3, round(KILLS * part))


@dataclass
class KillFolders:
    """An inbox, an outbox and an archive; what has been put into the inbox; and the program over them."""

    folder: Path
    archive_parent: Path
    after: str = "keep"
    texts: dict[str, list[str]] = field(default_factory=dict)
    """Texts of the pages by name, of the documents that can be read."""
    sealed: list[str] = field(default_factory=list)
    """Names of the documents that cannot be opened."""
    originals: Counter[bytes] = field(default_factory=Counter)
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.inbox.mkdir(parents=True, exist_ok=True)

    @property
    def inbox(self) -> Path:
        return self.folder / "inbox"

    @property
    def outbox(self) -> Path:
        return self.folder / "outbox"

    @property
    def archive(self) -> Path:
        return self.archive_parent / "archive"

    @property
    def failed(self) -> Path:
        return self.archive_parent / "failed"

    @property
    def names(self) -> list[str]:
        return sorted([*self.texts, *self.sealed])

    def put(self, name: str, pages: int = 1, *, equal_to: str | None = None) -> None:
        """Put a document into the inbox at once, as a rename does; with ``equal_to`` with the contents of another one."""
        texts = self.texts[equal_to] if equal_to else [f"Document {name} page {page}" for page in range(1, pages + 1)]
        self.texts[name] = texts
        self._write(name, text_pdf(texts))

    def put_sealed(self, name: str) -> None:
        """Put a document into the inbox that cannot be opened."""
        self.sealed.append(name)
        self._write(name, encrypted_pdf(name))

    def rename(self, old: str, new: str) -> None:
        """Rename a document of the inbox."""
        (self.inbox / new).parent.mkdir(parents=True, exist_ok=True)
        (self.inbox / old).rename(self.inbox / new)
        self.texts[new] = self.texts.pop(old)

    def _write(self, name: str, content: bytes) -> None:
        self.originals[content] += 1
        path, unseen = self.inbox / name, self.folder / "unseen"
        path.parent.mkdir(parents=True, exist_ok=True)
        unseen.write_bytes(content)
        os.utime(unseen, (OLD, OLD))
        unseen.rename(path)

    def put_batch(self, number: int, documents: int = 6) -> None:
        """Put documents into the inbox: some in a subfolder, two equal ones, and one that cannot be opened in every third batch."""
        for at in range(documents):
            self.put(f"{'sub/' if at % 3 == 1 else ''}{number:03}-{at}.pdf")
        self.put(f"{number:03}-twin.pdf", equal_to=f"{number:03}-0.pdf")
        if number % 3 == 0:
            self.put_sealed(f"{number:03}-sealed.pdf")

    def start(self, command: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a command of the program."""
        folders = ["--outbox", str(self.outbox)]
        if command in ("run", "watch"):
            folders += ["--inbox", str(self.inbox), "--template", "transcript", "--quiet"]
        settings = {
            "AFTER": self.after,
            "ARCHIVE": str(self.archive),
            "FAILED": str(self.failed),
            "WORKERS": "1",
            "INTAKE__UNCHANGED_SECONDS": "0.1",
            **self.settings,
        }
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline", command, *folders, *arguments],
            env={**os.environ, **{f"PIPELINE_{name}": value for name, value in settings.items()}},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def end_well(self, command: str, *arguments: str) -> None:
        """Run a command to its end."""
        assert self.start(command, *arguments).wait(1200) in (0, 1 if self.sealed and command == "run" else 0)

    def problems(self) -> list[str]:
        """The documents that are not done, with the reason."""
        results = [self.result(name) for name in self.texts if (self.outbox / f"{name}.json").exists()]
        return [str([item["document"]["path"], item["reason"], item["pages"]]) for item in results if item["status"] != "done"]

    def units(self) -> dict[tuple[str, int], str]:
        """See ``units``."""
        return units(self.outbox)

    def in_inbox(self) -> int:
        """Number of files in the inbox."""
        return sum(path.suffix == ".pdf" for path in self.inbox.rglob("*"))

    # ---- checks -----------------------------------------------------------------------------------------

    def check_originals(self) -> None:
        """Check that no document is lost: it is in the inbox or the archive, or it was deleted and has its result.

        A file that was being moved may have a hidden name.
        """
        found = Counter(path.read_bytes() for path in self._files())
        if self.after != "delete":
            lost = self.originals - found
            assert not lost, f"{lost.total()} originals are lost"
            return
        for texts in {tuple(texts): texts for texts in self.texts.values()}.values():
            equal = [name for name, other in self.texts.items() if other == texts]
            deleted = self.originals[text_pdf(texts)] - found[text_pdf(texts)]
            published = [name for name in equal if self._is_published(name)]
            assert deleted <= len(published), f"of {equal} {deleted} were deleted, and only {published} have results"

    def _is_published(self, name: str) -> bool:
        return (self.outbox / f"{name}.json").exists() and self.published_texts(name) == self.texts[name]

    def check_all(self) -> None:
        """Check after a run in good order that every document is published once, with its own text, and has its one original."""
        for name, texts in self.texts.items():
            assert self.published_texts(name) == texts
        for name in self.sealed:
            assert self.result(name)["status"] == "failed"
        for sheet in ("transcript", "documents"):
            rows, expected = Counter(rows_of(self.outbox / f"{sheet}.csv")), Counter(self.names)
            assert rows == expected, (
                f"{sheet}.csv lacks {sorted(expected - rows)}, and has too many of {sorted(rows - expected)}"
            )
        results = sorted(path.relative_to(self.outbox).as_posix() for path in self.outbox.rglob("*.json"))
        assert [path for path in results if not path.startswith(".")] == [f"{name}.json" for name in self.names]
        self._check_places()
        self.check_no_leftovers()

    def _check_places(self) -> None:
        expected = self.originals.copy()
        if self.after == "delete":
            expected = Counter(encrypted for path in self.failed.rglob("*.pdf") for encrypted in [path.read_bytes()])
            assert expected.total() == len(self.sealed), "failed documents are not in their folder once"
        found = Counter(path.read_bytes() for path in self._files() if path.suffix == ".pdf")
        assert found == expected, f"{(expected - found).total()} originals are lost, {(found - expected).total()} are doubled"
        assert self.in_inbox() == (expected.total() if self.after == "keep" else 0)

    def check_no_leftovers(self) -> None:
        """Check that no unfinished file is left anywhere."""
        visible = [path for path in self.outbox.rglob("*") if ".pipeline" not in path.parts]
        left = [path for path in [*visible, *self._files()] if UNFINISHED.search(path.name)]
        state = self.outbox / ".pipeline"
        left += [path for path in state.rglob("*") if path.is_file() and re.search(r"\.tmp$|^\.export|\.part$", path.name)]
        left += [path for path in state.iterdir() if path.name.startswith(".")]
        assert not left, f"unfinished files are left: {left[:5]}"

    def _files(self) -> Iterator[Path]:
        for root in (self.inbox, self.archive, self.failed):
            yield from (path for path in root.rglob("*") if path.is_file())

    def result(self, name: str) -> Any:
        """The JSON of a document."""
        return json.loads((self.outbox / f"{name}.json").read_text(encoding="utf-8"))

    def published_texts(self, name: str) -> list[str]:
        """The published texts of a document's pages."""
        return list(self.result(name)["results"]["transcript"]["fields"]["text"]["value"])


def units(outbox: Path) -> dict[tuple[str, int], str]:
    """Committed units by document and page, with the time when they ended."""
    path = outbox / ".pipeline" / "ledger.sqlite"
    if not path.exists():
        return {}
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            return {(sha, page): at for sha, page, at in db.execute("SELECT sha256, page, ended_at FROM units")}
    except sqlite3.OperationalError:  # the ledger is being made
        return {}


def rows_of(sheet: Path) -> list[str]:
    """The column ``file`` of a CSV file."""
    with sheet.open(encoding="utf-8", newline="") as file:
        return [row["file"] for row in csv.DictReader(file)]


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process as ``kill -9`` does."""
    process.send_signal(signal.SIGKILL)
    process.wait()


@dataclass
class CommandTime:
    """How long a command takes, in seconds, as kills show it: the machine may have become faster or slower since it was measured."""

    seconds: float

    def kill_within(self, process: subprocess.Popen[bytes], chance: random.Random) -> bool:
        """Kill a process at some moment of its time. Returns whether it was still alive."""
        started = time.monotonic()
        alive = kill_when(process, lambda: False, chance, self.seconds * (0.3 + 0.7 * chance.random()))
        self.seconds = self.seconds * 1.1 if alive else min(self.seconds, time.monotonic() - started)
        return alive


def kill_when(process: subprocess.Popen[bytes], condition: Callable[[], bool], chance: random.Random, seconds: float) -> bool:
    """Kill a process some milliseconds after ``condition``, or after ``seconds``. Returns whether it was still alive."""
    until = time.monotonic() + seconds
    while process.poll() is None and not condition() and time.monotonic() < until:
        time.sleep(0.001)
    time.sleep(chance.random() ** 3 * 0.05)  # mostly at once: a file is moved in less than a millisecond
    alive = process.poll() is None
    kill(process)
    return alive
