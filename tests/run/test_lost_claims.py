"""Files that a crash left hidden get their names back, also when the ledger does not know of them any more."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.monitoring.events import RunCounts
from pipeline.run.file_removal import claim_path, claimed_path
from pipeline.run.job import open_job
from pipeline.run.loop import Loop
from pipeline.settings import Settings
from tests.drawing import encrypted_pdf, text_pdf
from tests.run.conftest import RunFolders
from tests.run.dying_runs import DyingRuns
from tests.run.test_archive_crash import dying, kept_files
from tests.run.test_open_removals import NAME, begin, read, rows, target

__all__ = ["dying", "read"]


class Warnings(RunCounts):
    """Keeps the warnings of a run."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def warning(self, message: str) -> None:
        self.lines.append(message)


def ledger_files(folders: RunFolders) -> list[Path]:
    return list((folders.outbox / ".pipeline").glob("ledger.sqlite*"))


def warnings(folders: RunFolders, **changes: object) -> list[str]:
    """What the start of a run over the inbox says."""
    said = Warnings()
    settings = Settings(inbox=folders.inbox, outbox=folders.outbox, workers=1, **{**folders.changes, **changes})
    with open_job(settings, template="transcript", engine=folders.engine) as job, Loop(job, said, archive_files=True):
        return said.lines


@pytest.mark.parametrize("loss", ["lost", "damaged"])
@pytest.mark.parametrize("moved", [True, False])
def test_a_claim_that_no_ledger_explains_gets_its_name_back(read: RunFolders, loss: str, moved: bool) -> None:
    begin(read, NAME, to=target(read, NAME) if moved else None)
    for path in ledger_files(read):
        path.write_bytes(b"no database at all" * 1000) if loss == "damaged" else path.unlink()
    read.changes["after"] = "keep"
    assert warnings(read) == [
        f"{NAME}: was hidden when a run was killed, and the ledger does not know it; it has its name again"
    ]
    assert (read.inbox / NAME).read_bytes() == text_pdf(["Beta"])
    read.run()
    assert rows(read) == ["a.pdf", NAME]
    assert read.texts(NAME) == ["Beta"]
    assert warnings(read) == []


def test_a_claim_takes_the_place_of_no_other_file(read: RunFolders) -> None:
    begin(read, NAME, to=None)
    for path in ledger_files(read):
        path.unlink()
    read.put(NAME, text_pdf(["Another one"]))
    read.changes["after"] = "keep"
    read.run()
    contents = {path.name: path.read_bytes() for path in (read.inbox / "letters").iterdir()}
    assert contents == {"b.pdf": text_pdf(["Another one"]), "b-2.pdf": text_pdf(["Beta"])}
    assert rows(read) == ["a.pdf", "letters/b-2.pdf", NAME]


def test_a_claim_among_the_failed_files_gets_its_name_back(folders: RunFolders) -> None:
    folders.changes["after"] = "move"
    folders.put("sealed.pdf", encrypted_pdf())
    folders.run()
    failed = folders.inbox.parent / "failed" / "sealed.pdf"
    failed.rename(claim_path(failed))
    assert len(warnings(folders)) == 1
    assert failed.exists()


def test_claims_of_other_shards_and_other_hidden_files_are_left_alone(read: RunFolders) -> None:
    claims = [claim_path(read.inbox / f"{number}.pdf") for number in range(12)]
    others = [
        read.inbox / name
        for name in (".hidden.pdf", ".a.pdf.0123456.claimed", ".a.pdf.01234567.part", ".git/.x.pdf.01234567.claimed")
    ]
    for path in (*claims, *others):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    assert warnings(read, shard="1/3")
    left = [path for path in claims if path.exists()]
    assert 0 < len(left) < 12
    warnings(read)
    assert not any(path.exists() for path in claims)
    assert all(path.exists() for path in others)


@pytest.mark.slow
@pytest.mark.parametrize("after", ["move", "delete"])
def test_a_crash_and_a_lost_ledger_hide_no_file(dying: DyingRuns, folders: RunFolders, tmp_path: Path, after: str) -> None:
    folders.changes["archive"] = tmp_path / "archive"
    step, hidden = 6, 0
    while not hidden:
        shutil.rmtree(folders.outbox, ignore_errors=True)
        kept_files(folders)
        folders.changes["after"] = after
        assert dying.run(folders, step), "no kill has left a claim"
        hidden = len(list(folders.inbox.rglob("*.claimed")))
        step += 1
    for path in ledger_files(folders):
        path.unlink()
    folders.changes["after"] = "keep"
    present = len([path for path in folders.inbox.rglob("*") if path.is_file()])
    assert sum(folders.run().documents.values()) == present
    assert not list(folders.inbox.rglob("*.claimed"))


@pytest.mark.parametrize(
    "name", ["a.pdf", ".a.pdf", "a", "a.b.claimed", "ä" * 100 + ".pdf", "x" * 232 + ".pdf", "a\nb.pdf", "a.01234567.claimed"]
)
def test_a_claim_holds_the_name_of_its_file(name: str) -> None:
    path = Path("/inbox/letters") / name
    assert claimed_path(claim_path(path)) == path


def test_the_claim_of_a_very_long_name_keeps_its_beginning_and_its_ending() -> None:
    path = Path("/inbox") / ("x" * 251 + ".pdf")
    claim = claim_path(path)
    assert len(claim.name.encode()) == 255
    before = claimed_path(claim)
    assert before
    assert (before.suffix, path.stem.startswith(before.stem)) == (".pdf", True)
