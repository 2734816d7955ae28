"""A large mailbox and a folder, read into one outbox by turns: kills at random moments and lost connections lose and double nothing."""

from __future__ import annotations

import csv
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.drawing import text_pdf
from tests.mailbox.conftest import MailRuns, Proxy
from tests.run.kills import share, units

MESSAGES, FILES = 2_000, 200
LIMIT_SECONDS = 3_600


class Turns:
    """Runs over the mailbox, through a proxy that cuts its connections, and over the folder. Each is a process that is killed."""

    def __init__(self, runs: MailRuns, proxy: Proxy, seed: int) -> None:
        self.runs, self.proxy, self.chance = runs, proxy, random.Random(seed)
        self.folder = runs.folder / "inbox"
        self.cuts = 0

    def start(self, number: int) -> subprocess.Popen[str]:
        """The next run: every fourth is one over the folder."""
        inbox = {"PIPELINE_INBOX": str(self.folder)} if number % 4 == 3 else {}
        return self.runs.start("run", "--template", "transcript", "--quiet", PIPELINE_AFTER="move", **inbox)

    def interrupt(self, number: int, goal: int) -> None:
        """Let a run read up to about ``goal`` pages, lose its connections at random moments, and die."""
        before = units(self.runs.outbox)
        process = self.start(number)
        until = time.monotonic() + (300 if number % 5 else 4 * self.chance.random())  # every fifth dies while starting
        next_cut = time.monotonic() + 4 * self.chance.random()
        while process.poll() is None and len(units(self.runs.outbox)) < len(before) + goal and time.monotonic() < until:
            if time.monotonic() > next_cut:
                self._cut()
                next_cut = time.monotonic() + 1 + 9 * self.chance.random()
            time.sleep(0.02)
        time.sleep(self.chance.random() * 0.3)
        self.proxy.allow, self.proxy.offline = None, False
        process.kill()
        process.communicate()
        assert before.items() <= units(self.runs.outbox).items(), "a finished page was lost or read again"

    def _cut(self) -> None:
        """Lose the connections now, in the middle of an answer, or for a second in which no other one can be made."""
        self.cuts += 1
        way = self.chance.choice(["now", "answer", "away"])
        if way == "answer":
            self.proxy.allow = self.chance.randint(1, 20_000)
            return
        self.proxy.offline = way == "away"
        self.proxy.cut()
        if way == "away":
            time.sleep(1)
            self.proxy.offline = False


@pytest.fixture
def turns(runs: MailRuns, proxy: Proxy) -> Iterator[Turns]:
    runs.server.deliver(MESSAGES)
    turns = Turns(runs, proxy, 2_000)
    turns.folder.mkdir()
    for number in range(FILES):
        (turns.folder / f"file-{number}.pdf").write_bytes(text_pdf([f"Page of file {number}"]))
    yield turns
    runs.server.clear()


@pytest.mark.proof
@pytest.mark.timeout(2 * LIMIT_SECONDS)
def test_a_mailbox_of_two_thousand_and_a_folder_survive_kills_and_lost_connections(turns: Turns) -> None:
    runs, kills, began = turns.runs, share(0.1), time.monotonic()
    for number in range(kills):
        turns.interrupt(number, turns.chance.randint(0, 2 * MESSAGES // (kills + 1)))
    survivors = units(runs.outbox)
    for number in (3, 0):  # the folder, then the mailbox
        process = turns.start(number)
        _, err = process.communicate(timeout=LIMIT_SECONDS)
        assert process.returncode == 0, err
    assert survivors.items() <= units(runs.outbox).items(), "a finished page was lost or read again"
    assert len(units(runs.outbox)) == MESSAGES + FILES

    expected = [
        *(f"Page of mail {number}" for number in range(MESSAGES)),
        *(f"Page of file {number}" for number in range(FILES)),
    ]
    assert Counter(runs.texts()) == Counter(expected)
    with (runs.outbox / "documents.csv").open(newline="") as file:
        rows = Counter(row["file"] for row in csv.DictReader(file))
    assert rows == Counter(runs.results())
    assert len(rows) == 2 * MESSAGES + FILES, "each message, each attachment and each file has one row"
    assert runs.server.subjects() == []
    assert Counter(runs.server.subjects("Archive")) == Counter(f"Invoice {number}" for number in range(MESSAGES))
    assert sorted(path.name for path in turns.folder.rglob("*.pdf")) == []
    archived = Counter(path.name for path in (runs.folder / "archive").rglob("*.pdf"))
    assert archived == Counter(f"file-{number}.pdf" for number in range(FILES))
    print(
        f"{MESSAGES} messages, {FILES} files, {kills} kills, {turns.cuts} lost connections, {len(survivors)} pages before the last "
        f"runs, {time.monotonic() - began:.0f} s",
        file=sys.stderr,
    )
