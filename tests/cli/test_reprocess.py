"""``pipeline reprocess`` on archives: read as they unpack, gone on with where a run ended, and nothing left lying about."""

from __future__ import annotations

import csv
import io
import os
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
import warnings
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipeline.intake.container_handler import BATCH_ITEMS
from pipeline.intake.container_items import UnpackedFiles, UnpackedMember
from pipeline.run.publisher import Publisher
from tests.cli.conftest import Pipeline
from tests.drawing import encrypted_pdf, text_pdf
from tests.run.kills import units

Members = list[tuple[str, bytes]]
AGAIN = ("--template", "transcript", "--json")


def zip_of(path: Path, members: Members) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as pack, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names that come twice are meant
        for name, content in members:
            pack.writestr(name, content)
    return path


def tar_of(path: Path, members: Members) -> Path:
    with tarfile.open(path, "w:xz") as archive_file:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive_file.addfile(info, io.BytesIO(content))
    return path


def rows(outbox: Path, sheet: str = "documents") -> list[dict[str, str]]:
    with (outbox / f"{sheet}.csv").open(encoding="utf-8", newline="") as file:
        return sorted(csv.DictReader(file), key=lambda row: row["file"])


def results(outbox: Path) -> dict[str, int]:
    """Result files with their times."""
    paths = [path.relative_to(outbox) for path in outbox.rglob("*.json")]
    return {path.as_posix(): (outbox / path).stat().st_mtime_ns for path in paths if path.parts[0] != ".pipeline"}


@dataclass
class UnpackedCounts:
    """The number of unpacked files while a command ran."""

    at_each_member: list[int] = field(default_factory=list)
    """Files, each time that a member was unpacked."""
    places: set[Path] = field(default_factory=set)
    at_the_end: int = 0
    """Files when everything had been read."""


@pytest.fixture
def unpacked(monkeypatch: pytest.MonkeyPatch) -> UnpackedCounts:
    """Counts the unpacked files of a command that may have two of them at a time."""
    counts = UnpackedCounts()
    add, tidy = UnpackedFiles.add, Publisher.tidy

    def add_and_count(files: UnpackedFiles, item: UnpackedMember) -> None:
        add(files, item)
        counts.places.add(item.path)
        counts.at_each_member.append(sum(path.exists() for path in counts.places))

    def count_and_tidy(publisher: Publisher) -> None:
        counts.at_the_end = sum(path.exists() for path in counts.places)
        tidy(publisher)

    monkeypatch.setattr(UnpackedFiles.__init__, "__defaults__", (2, 1_000_000))
    monkeypatch.setattr(UnpackedFiles, "add", add_and_count)
    monkeypatch.setattr(Publisher, "tidy", count_and_tidy)
    return counts


def test_few_members_are_unpacked_at_a_time_however_they_end(
    pipeline: Pipeline, folder: Path, unpacked: UnpackedCounts
) -> None:
    twin = text_pdf(["Twin"])
    members = [(f"{number}.pdf", text_pdf([f"Letter {number}"])) for number in range(4)]
    members += [(f"twins/{number}.pdf", twin) for number in range(6)]
    members += [("locked.pdf", encrypted_pdf("x", "secret word")), ("empty.pdf", b""), ("note.txt", b"no document")]
    archive = zip_of(folder / "mixed.zip", members)
    outcome = pipeline("reprocess", archive, *AGAIN)
    assert outcome.json["documents"] == {"done": 11, "failed": 2}
    assert outcome.json["containers"] == {"partial": 1}
    assert len(rows(folder / "outbox")) == 14
    assert len(unpacked.at_each_member) == 13
    assert (max(unpacked.at_each_member), unpacked.at_the_end) == (2, 0)
    assert not (folder / "outbox" / ".pipeline" / "unpacked").exists()

    before = results(folder / "outbox")
    again = pipeline("reprocess", archive, *AGAIN)
    assert (again.code, again.json["documents"], again.json["known"]) == (0, {}, 1)
    assert results(folder / "outbox") == before
    assert len(unpacked.at_each_member) == 13, "nothing is unpacked again"


def test_a_twin_that_turns_out_to_be_known_is_deleted_too(pipeline: Pipeline, folder: Path, unpacked: UnpackedCounts) -> None:
    twins = [(f"{number}.pdf", text_pdf(["A letter to somebody"])) for number in range(30)]
    archive = zip_of(folder / "a.zip", twins)
    pipeline("init")
    (folder / "pipeline.yaml").write_text("inbox: inbox\noutbox: outbox\nroutes: [{match: '**/*.pdf', template: transcript}]\n")
    assert pipeline("reprocess", archive, "--json").json["documents"] == {"done": 30}
    (folder / "pipeline.yaml").write_text("inbox: inbox\noutbox: outbox\n")
    outcome = pipeline("reprocess", archive, "--json")
    assert outcome.json["documents"] == {"done": 1}, "the classifier chose the same, so the other 29 are up to date"
    assert max(unpacked.at_each_member) <= 2 + BATCH_ITEMS, "the process unpacks a batch ahead, no more"
    assert unpacked.at_the_end == 0


def test_filters_choose_among_the_members_of_an_archive(pipeline: Pipeline, folder: Path) -> None:
    archive = zip_of(folder / "a.zip", [("a.pdf", text_pdf(["Alpha"])), ("locked.pdf", encrypted_pdf("x", "secret word"))])
    inner = zip_of(folder / "outer.zip", [("in.zip", archive.read_bytes())])
    for each in (archive, inner):
        assert pipeline("reprocess", each, *AGAIN).json["documents"] == {"done": 1, "failed": 1}
    (folder / "pipeline.yaml").write_text("outbox: outbox\nlimits: {passwords: [secret word]}\n")
    before = results(folder / "outbox")
    assert pipeline("reprocess", archive, "--failed", *AGAIN).json["documents"] == {"done": 1}
    assert pipeline("reprocess", "--failed", *AGAIN).json["documents"] == {"done": 1}, "the container of a part is found"
    after = results(folder / "outbox")
    changed = {name for name in before if before[name] != after[name]}
    assert {name for name in changed if name.endswith(".pdf.json")} == {
        "a.zip/locked.pdf.json",
        "outer.zip/in.zip/locked.pdf.json",
    }
    assert {row["file"]: row["status"] for row in rows(folder / "outbox")} == dict.fromkeys(
        [*("a.zip", "a.zip/a.pdf", "a.zip/locked.pdf", "outer.zip", "outer.zip/in.zip"),
         *("outer.zip/in.zip/a.pdf", "outer.zip/in.zip/locked.pdf")], "done"
    )  # fmt: skip
    assert pipeline("reprocess", archive, "--older-than", "0h", *AGAIN).json["documents"] == {"done": 2}
    assert len(rows(folder / "outbox")) == 7


def test_an_archive_is_the_same_through_a_link_and_when_packed_again(pipeline: Pipeline, folder: Path) -> None:
    archive = zip_of(folder / "2024" / "scans.zip", [("a.pdf", text_pdf(["Alpha"])), ("b.pdf", text_pdf(["Beta"]))])
    assert pipeline("reprocess", archive, *AGAIN).json["documents"] == {"done": 2}
    (folder / "latest.zip").symlink_to(archive)
    assert pipeline("reprocess", folder / "latest.zip", *AGAIN).json["known"] == 1
    zip_of(archive, [("c.pdf", text_pdf(["Gamma"])), ("b.pdf", text_pdf(["Beta"])), ("a.pdf", text_pdf(["Alpha, corrected"]))])
    outcome = pipeline("reprocess", archive, folder / "latest.zip", *AGAIN)
    assert (outcome.json["documents"], outcome.json["known"]) == ({"done": 2}, 1), "one part is as it was"
    assert [(row["file"], row["text"]) for row in rows(folder / "outbox", "transcript")] == [
        ("scans.zip/a.pdf", "Alpha, corrected"),
        ("scans.zip/b.pdf", "Beta"),
        ("scans.zip/c.pdf", "Gamma"),
    ]


def test_archives_and_folders_of_one_name_each_keep_their_own_results(pipeline: Pipeline, folder: Path) -> None:
    pipeline("init")
    place = folder / "inbox" / "scans.zip" / "a.pdf"
    place.parent.mkdir()
    place.write_bytes(text_pdf(["In a folder"]))
    os.utime(place, (1_000_000, 1_000_000))
    assert pipeline("run", *AGAIN).json["documents"] == {"done": 1}
    archives = [zip_of(folder / year / "scans.zip", [("a.pdf", text_pdf([year]))]) for year in ("2019", "2020")]
    assert pipeline("reprocess", *archives, *AGAIN).json["documents"] == {"done": 2}
    assert pipeline("reprocess", *reversed(archives), *AGAIN).json["known"] == 2
    assert {row["file"]: row["text"] for row in rows(folder / "outbox", "transcript")} == {
        "scans.zip/a.pdf": "In a folder",
        "scans.zip~2/a.pdf": "2019",
        "scans.zip~3/a.pdf": "2020",
    }


def test_what_an_archive_lost_is_a_failure_and_the_next_archive_is_read(pipeline: Pipeline, folder: Path) -> None:
    cut, other = folder / "cut.tar.gz", folder / "scans.tar.zst"
    with tarfile.open(cut, "w:gz") as archive_file:
        archive_file.add(Path(__file__), "a.pdf")
    cut.write_bytes(cut.read_bytes()[:300])
    other.write_bytes(b"\x28\xb5\x2f\xfd" + bytes(99))
    good = zip_of(folder / "good.zip", [("a.pdf", text_pdf(["Alpha"]))])
    outcome = pipeline("reprocess", cut, other, good, *AGAIN)
    assert outcome.code == 1
    assert (outcome.json["documents"], outcome.json["containers"]) == ({"done": 1}, {"done": 1, "failed": 2})
    assert [item["file"] for item in outcome.json["left_for_later"]] == ["cut.tar.gz", "scans.tar.zst"]


def test_what_is_passed_over_is_reported_to_a_limit(pipeline: Pipeline, folder: Path) -> None:
    archive = zip_of(folder / "odd.zip", [(f"../{number}.pdf", b"x") for number in range(1200)])
    outcome = pipeline("reprocess", archive, *AGAIN).json
    assert (len(outcome["left_for_later"]), outcome["left_more"]) == (1000, 200)
    other = zip_of(folder / "other.zip", [(f"../{number}.pdf", b"y") for number in range(1200)])
    assert "left for later: 200 more" in pipeline("reprocess", other).err


def recorded_files(outbox: Path) -> dict[str, tuple[str, str]]:
    """Name and contents by path, as the ledger knows them."""
    with sqlite3.connect(f"file:{outbox / '.pipeline' / 'ledger.sqlite'}?mode=ro", uri=True) as db:
        return {
            Path(os.fsdecode(path)).name: (name, sha256)
            for path, name, sha256 in db.execute("SELECT path, name, sha256 FROM files")
        }


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["zip", "tar.xz"])
def test_kills_lose_nothing_double_nothing_and_change_no_name(tmp_path: Path, ending: str) -> None:
    count = 40
    names = [f"{number % 3}/same.pdf" if number % 4 == 0 else f"{number:02}.pdf" for number in range(count)]
    members = [(name, text_pdf([f"Document {number // 2}"])) for number, name in enumerate(names)]  # every second one is a twin
    archive = (zip_of if ending == "zip" else tar_of)(tmp_path / f"scans.{ending}", members)

    def start(outbox: str) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-m",
            "pipeline",
            "reprocess",
            "-q",
            "--template",
            "transcript",
            "--outbox",
            str(tmp_path / outbox),
        ]
        return subprocess.Popen([*command, str(archive)], env={**os.environ, "PIPELINE_WORKERS": "1"})

    assert start("whole").wait(120) == 0
    for goal in (0, 3, 9, 15):
        before = units(tmp_path / "killed")
        process = start("killed")
        until = time.monotonic() + 60
        while process.poll() is None and len(units(tmp_path / "killed")) <= goal and time.monotonic() < until:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert before.items() <= units(tmp_path / "killed").items(), "a finished unit was lost or done again"
    finished_units = units(tmp_path / "killed")
    assert 9 < len(finished_units) < count // 2, "the kills must fall into the work"
    assert start("killed").wait(120) == 0
    assert finished_units.items() <= units(tmp_path / "killed").items()
    assert recorded_files(tmp_path / "killed") == recorded_files(tmp_path / "whole")
    assert results(tmp_path / "killed").keys() == results(tmp_path / "whole").keys()
    assert rows(tmp_path / "killed") == rows(tmp_path / "whole")
    assert len(rows(tmp_path / "killed")) == count + 1
    assert not (tmp_path / "killed" / ".pipeline" / "unpacked").exists()
