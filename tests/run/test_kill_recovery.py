"""``kill -9`` of whole runs that find a damaged ledger loses no result, whatever happens to files that are read."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.run.kills import CommandTime, KillFolders, share

pytestmark = pytest.mark.kills
DOCUMENTS = 150


def damage(folders: KillFolders) -> None:
    for path in (folders.outbox / ".pipeline").glob("ledger.sqlite*"):
        path.write_bytes(b"no database at all" * 1000)


@pytest.mark.proof
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("after", ["keep", "move", "delete"])
def test_kills_while_a_ledger_is_rebuilt_lose_no_row(tmp_path: Path, after: str) -> None:
    folders = KillFolders(tmp_path, tmp_path / "elsewhere", after)
    for number in range(DOCUMENTS):
        folders.put(f"{number:03}.pdf")
    folders.end_well("run")
    chance = random.Random(after)
    damage(folders)
    started = time.monotonic()
    folders.end_well("run")
    duration, kills, killed = CommandTime(time.monotonic() - started), share(0.04), 0
    for number in range(6 * kills):
        if number % 2 == 0:
            damage(folders)
        killed += duration.kill_within(folders.start("run"), chance)
        if killed == kills:
            break
    assert killed == kills, "the kills must fall into the work"
    folders.put("000-new.pdf")
    folders.end_well("run")
    folders.end_well("run")
    folders.check_all()
