"""``kill -9`` while renamed and moved documents are recognised: every document keeps its one result, under its present name."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.run.kills import KillFolders, kill_when, share

pytestmark = pytest.mark.kills
DOCUMENTS = 24


def rename_some(folders: KillFolders, chance: random.Random, number: int) -> None:
    """Rename some documents, let two change places, and rename a folder."""
    names = sorted(folders.texts)
    one, other, *few = chance.sample(names, 6)
    folders.rename(one, "between.pdf")
    folders.rename(other, one)
    folders.rename("between.pdf", other)
    for at, name in enumerate(few):
        folders.rename(name, f"folder-{number % 3}/{number:03}-{at}.pdf" if at % 2 else f"{number:03}-{at}.pdf")
    moved = [name for name in folders.texts if name.startswith(f"folder-{(number + 1) % 3}/")]
    for name in moved:
        folders.rename(name, f"folder-{(number + 2) % 3}/{number:03}-{name.rpartition('/')[2]}")


def is_at_work(folders: KillFolders) -> Callable[[], bool]:
    """Whether a result file of now is no longer there: the run publishes results under their new names."""
    results = list(folders.outbox.rglob("*.pdf.json"))
    return lambda: not all(path.exists() for path in results)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_kills_while_moves_are_recognised_lose_and_double_nothing(tmp_path: Path) -> None:
    folders = KillFolders(tmp_path, tmp_path / "elsewhere")
    for number in range(DOCUMENTS):
        folders.put(f"{'folder-0/' if number % 4 == 0 else ''}{number:02}.pdf")
    folders.end_well("run")
    chance, survivors, hits = random.Random(12), folders.units(), 0
    for number in range(share(0.06)):
        rename_some(folders, chance, number)
        hits += kill_when(folders.start("run"), is_at_work(folders), chance, 60 if number % 3 else chance.random() * 2)
        folders.check_originals()
        assert survivors == folders.units(), "a renamed document was read again"
    folders.end_well("run")
    folders.end_well("run")
    assert hits, "a run must be killed while it works"
    assert survivors == folders.units(), "a renamed document was read again"
    folders.check_all()
