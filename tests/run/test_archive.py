"""Files that failed are set aside with the reason beside them, and come back when somebody moves them into the inbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drawing import encrypted_pdf, text_pdf
from tests.run.conftest import World
from tests.run.test_later_retry import FailingEngine, let_time_pass


@pytest.fixture
def moving(world: World) -> World:
    """A world in which files that were read are moved away."""
    world.changes.update(after="move")
    return world


def failed_folder(world: World) -> Path:
    return world.inbox.parent / "failed"


@pytest.mark.parametrize("after", ["move", "delete"])
def test_what_failed_is_set_aside_with_its_reason(world: World, after: str) -> None:
    world.changes.update(after=after)
    content = world.put("letters/sealed.pdf", encrypted_pdf()).read_bytes()
    world.run()
    assert not (world.inbox / "letters/sealed.pdf").exists()
    assert (failed_folder(world) / "letters/sealed.pdf").read_bytes() == content
    told = (failed_folder(world) / "letters/sealed.pdf.reason.txt").read_text(encoding="utf-8")
    assert "needs_password" in told
    assert "limits.passwords" in told
    assert world.json("letters/sealed.pdf")["status"] == "failed"


def test_it_comes_back_under_its_name_and_is_tried_again(moving: World) -> None:
    sealed = encrypted_pdf(password="swordfish")
    moving.put("sealed.pdf", sealed)
    moving.run()
    aside = failed_folder(moving) / "sealed.pdf"
    aside.rename(moving.inbox / "sealed.pdf")
    (failed_folder(moving) / "sealed.pdf.reason.txt").rename(moving.inbox / "sealed.pdf.reason.txt")
    moving.changes["limits"] = {"passwords": ["swordfish"]}
    assert moving.run().documents == {"done": 1}
    assert moving.json("sealed.pdf")["status"] == "done"
    assert [row["file"] for row in moving.csv("documents")] == ["sealed.pdf"]
    assert not (moving.inbox / "sealed.pdf").exists()
    assert not list(failed_folder(moving).glob("*.pdf"))


def test_a_mended_file_takes_the_place_of_the_one_that_failed(moving: World) -> None:
    moving.put("a.pdf", b"%PDF-1.7 broken off")
    moving.run()
    (failed_folder(moving) / "a.pdf").unlink()
    moving.put("a.pdf", text_pdf(["Mended"]))
    assert moving.run().documents == {"done": 1}
    assert moving.texts("a.pdf") == ["Mended"]
    assert [(row["file"], row["status"]) for row in moving.csv("documents")] == [("a.pdf", "done")]


def test_another_file_of_that_name_is_another_document(moving: World) -> None:
    moving.put("a.pdf", b"%PDF-1.7 broken off")
    moving.run()
    moving.put("a.pdf", text_pdf(["Another one"]))
    moving.run()
    assert sorted((row["file"], row["status"]) for row in moving.csv("documents")) == [("a.pdf", "failed"), ("a.pdf~2", "done")]


def test_two_failures_of_one_name_do_not_meet(moving: World) -> None:
    moving.put("a.pdf", b"%PDF-1.7 broken off")
    moving.run()
    moving.put("a.pdf", b"%PDF-1.7 broken off in another place")
    moving.run()
    assert sorted(path.name for path in failed_folder(moving).iterdir()) == [
        "a-2.pdf", "a-2.pdf.reason.txt", "a.pdf", "a.pdf.reason.txt",
    ]  # fmt: skip


def test_a_run_that_died_between_the_move_and_its_note_costs_no_result(moving: World) -> None:
    """The ledger still has the file in the inbox; the next scan of that name must not take its place."""
    moving.changes["after"] = "keep"
    path = moving.put("scan.pdf", text_pdf(["First"]))
    moving.run()
    path.unlink()
    moving.changes["after"] = "move"
    moving.run()
    moving.put("scan.pdf", text_pdf(["Second"]))
    moving.run()
    assert moving.texts("scan.pdf") == ["First"]
    assert moving.texts("scan.pdf~2") == ["Second"]


def test_a_failed_folder_inside_the_inbox_is_not_read(moving: World) -> None:
    moving.changes["failed"] = moving.inbox / "failed"
    moving.put("a.pdf", b"%PDF-1.7 broken off")
    moving.run()
    assert (moving.inbox / "failed" / "a.pdf").exists()
    assert moving.run().to_read == 0


def test_a_file_that_waits_for_another_try_keeps_its_name_though_its_share_was_away_for_a_while(moving: World) -> None:
    engine = moving.engine = FailingEngine()
    path = moving.put("a.pdf", text_pdf(["Hello"]))
    moving.run()
    elsewhere = path.rename(moving.inbox.parent / "elsewhere.pdf")
    moving.run()
    elsewhere.rename(path)
    let_time_pass(moving)
    engine.good = True
    moving.run()
    assert [(row["file"], row["status"]) for row in moving.csv("documents")] == [("a.pdf", "done")]
