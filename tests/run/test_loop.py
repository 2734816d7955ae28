"""The loop over real files: every page accounted for, nothing done twice."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from pipeline.engines.base import Request
from pipeline.errors import LockedError, SettingsError
from pipeline.records import Answer
from pipeline.run.job import locked
from pipeline.settings import Limits
from tests.drawing import blank_pdf, encrypted_pdf, text_pdf
from tests.run.conftest import EchoEngine, LateEngine, World


def test_a_folder_becomes_json_and_csv_and_a_second_run_does_nothing(world: World) -> None:
    world.put("a.pdf", text_pdf(["Alpha one", "Alpha two"]))
    world.put("sub/b.pdf", text_pdf(["Beta"]))
    first = world.run()
    assert first.documents == {"done": 2}
    assert world.texts("a.pdf") == ["Alpha one", "Alpha two"]
    told = world.json("sub/b.pdf")
    assert told["document"] | {"sha256": ""} == {"path": "sub/b.pdf", "sha256": "", "kind": "pdf", "pages": 1}
    assert (told["status"], told["reason"]) == ("done", None)
    assert [page["status"] for page in told["pages"]] == ["done"]
    assert told["pages"][0]["source"] == "textlayer"
    assert told["provenance"]["engine"] == "echo/1"
    assert sorted(row["file"] for row in world.csv("transcript")) == ["a.pdf", "sub/b.pdf"]
    asked = list(world.engine.asked)
    second = world.run()
    assert (second.known, second.to_read, sum(second.documents.values())) == (2, 0, 0)
    assert world.engine.asked == asked


def test_the_same_bytes_under_two_names_are_read_once_and_published_twice(world: World) -> None:
    for name in ("a.pdf", "copy of a.pdf", "deep/a.pdf"):
        world.put(name, text_pdf(["Same"]))
    world.run()
    assert world.engine.asked == [("transcript", 1)]
    assert [world.texts(name) for name in ("a.pdf", "copy of a.pdf", "deep/a.pdf")] == [["Same"]] * 3
    assert len(world.csv("transcript")) == 3


def test_twins_of_different_routes_are_each_read_by_their_own_template(world: World) -> None:
    world.engine = LateEngine()
    world.put("transcript/a.pdf", text_pdf(["Same"]))
    world.put("invoice/a.pdf", text_pdf(["Same"]))
    world.run(template=None)
    assert sorted(world.engine.asked) == [("invoice", 1), ("transcript", 1)]
    assert set(world.json("invoice/a.pdf")["results"]) == {"invoice"}
    assert set(world.json("transcript/a.pdf")["results"]) == {"transcript"}


def test_bad_files_fail_with_a_reason_and_the_others_go_on(world: World) -> None:
    world.put("locked.pdf", encrypted_pdf("secret", "open sesame"))
    world.put("empty.pdf", b"")
    world.put("cut.pdf", text_pdf(["Cut"])[:200])
    world.put("notes.txt", b"just text")
    world.put("fine.pdf", text_pdf(["Fine"]))
    tally = world.run()
    assert tally.documents == {"failed": 4, "done": 1}
    reasons = {name: world.json(name)["reason"] for name in ("locked.pdf", "empty.pdf", "cut.pdf", "notes.txt")}
    assert reasons == {
        "locked.pdf": "needs_password",
        "empty.pdf": "unreadable",
        "cut.pdf": reasons["cut.pdf"],
        "notes.txt": "unsupported",
    }
    assert reasons["cut.pdf"] in ("unreadable", "zero_pages")
    assert {row["file"]: row["status"] for row in world.csv("documents")} == {
        **dict.fromkeys(reasons, "failed"),
        "fine.pdf": "done",
    }
    assert world.run().to_read == 0, "failed documents are not tried again by themselves"


def test_a_password_from_the_settings_opens_the_file(world: World) -> None:
    world.put("locked.pdf", encrypted_pdf("Sealed letter", "open sesame"))
    world.changes["limits"] = Limits(passwords=("wrong", "open sesame"))
    world.run()
    assert world.texts("locked.pdf") == ["Sealed letter"]


def test_blank_pages_never_reach_the_engine_and_keep_their_number(world: World) -> None:
    world.put("a.pdf", text_pdf(["First", "", "Third"]))
    world.put("blank.pdf", blank_pdf(2))
    world.run()
    assert world.engine.asked == [("transcript", 1), ("transcript", 3)]
    assert world.texts("a.pdf") == ["First", "", "Third"]
    assert [page["status"] for page in world.json("a.pdf")["pages"]] == ["done", "blank", "done"]
    assert world.json("blank.pdf")["status"] == "done"


def test_pages_above_the_limit_are_skipped_and_named(world: World) -> None:
    world.changes["limits"] = Limits(pages=2)
    world.put("long.pdf", text_pdf(["one", "two", "three", "four"]))
    world.run()
    told = world.json("long.pdf")
    assert (told["status"], told["reason"]) == ("partial", "too_large")
    assert [page["status"] for page in told["pages"]] == ["done", "done", "skipped", "skipped"]


def test_another_template_reads_again_only_what_it_must(world: World, tmp_path: Path) -> None:
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "note.yaml").write_text("name: note\nprompt: Read it.\nfields:\n  text: {type: text}\n")
    world.changes["templates"] = templates
    world.put("a.pdf", text_pdf(["A"]))
    world.put("b.pdf", text_pdf(["B"]))
    world.run("note,transcript")
    assert sorted(world.engine.asked) == sorted([("note", 1), ("transcript", 1)] * 2)
    world.engine.asked.clear()
    (templates / "note.yaml").write_text("name: note\nprompt: Read it well.\nfields:\n  text: {type: text}\n")
    world.run("note,transcript")
    assert world.engine.asked == [("note", 1)] * 2
    assert len(world.csv("note")) == 2


def test_a_changed_file_replaces_its_row(world: World) -> None:
    world.put("a.pdf", text_pdf(["Old"]))
    world.put("b.pdf", text_pdf(["B"]))
    world.run()
    path = world.put("a.pdf", text_pdf(["New and longer"]))
    os.utime(path, (2_000_000, 2_000_000))
    world.run()
    assert {row["file"]: row["text"] for row in world.csv("transcript")} == {"a.pdf": "New and longer", "b.pdf": "B"}


def test_a_question_adds_its_answer_and_stays(world: World) -> None:
    world.put("a.pdf", text_pdf(["Delivery on Monday"]))
    world.run()
    world.run(None, ask="When is the delivery?")
    results = world.json("a.pdf")["results"]
    assert len(results) == 2
    asked = next(name for name in results if name != "transcript")
    assert results[asked]["fields"]["answer"]["value"] == "Delivery on Monday"
    world.put("b.pdf", text_pdf(["B"]))
    world.run()
    assert set(world.json("a.pdf")["results"]) == {"transcript", asked}


def test_limit_stops_early_and_the_rest_is_read_next_time(world: World) -> None:
    for name in "abc":
        world.put(f"{name}.pdf", text_pdf([name]))
    assert sum(world.run(limit=2).documents.values()) == 2
    assert sum(world.run().documents.values()) == 1


def test_only_one_run_at_a_time(world: World) -> None:
    world.put("a.pdf", text_pdf(["A"]))
    with locked(world.outbox), pytest.raises(LockedError):
        world.run()
    assert world.run().documents == {"done": 1}


def test_an_unknown_template_is_refused_with_a_suggestion(world: World) -> None:
    with pytest.raises(SettingsError, match="invoice"):
        world.run("invoce")


def test_files_are_moved_only_when_told_and_only_after_their_result(world: World, tmp_path: Path) -> None:
    world.changes.update(after="move", archive=tmp_path / "archive")
    world.put("sub/a.pdf", text_pdf(["A"]))
    bad = world.put("bad.txt", b"text")
    world.run()
    assert world.texts("sub/a.pdf") == ["A"]
    assert not (world.inbox / "sub" / "a.pdf").exists()
    assert [path.name for path in (tmp_path / "archive").rglob("*.pdf")] == ["a.pdf"]
    assert bad.exists(), "what failed stays where the user sees it"


def test_names_that_would_collide_in_the_outbox_stay_apart(world: World) -> None:
    world.put("a.pdf", text_pdf(["file"]))
    world.put("a.pdf.json/b.pdf", text_pdf(["below"]))
    tally = world.run()
    assert tally.documents == {"done": 2}
    texts = sorted(path.read_text(encoding="utf-8") for path in world.outbox.rglob("*.json"))
    assert len(texts) == 2


def test_names_that_are_no_text_or_hold_newlines_and_dashes(world: World) -> None:
    raw = os.fsdecode(b"caf\xe9 \xff.pdf")
    names = [raw, "new\nline.pdf", "-rf.pdf", "=1+1.pdf", "x" * 251 + ".pdf", "ünï 文.pdf"]
    for number, name in enumerate(names):
        world.put(name, text_pdf([f"Document {number}"]))
    assert world.run().documents == {"done": len(names)}
    assert sorted(row["text"] for row in world.csv("transcript")) == [f"Document {number}" for number in range(len(names))]
    assert len(list(world.outbox.glob("*.json"))) == len(names)
    assert not [row["file"] for row in world.csv("documents") if row["file"].startswith("=")]
    assert world.run().to_read == 0


class ForgetfulEngine(EchoEngine):
    """Loses every second request."""

    def answer(self, requests: Iterable[Request]) -> Iterator[Answer]:
        for number, answer in enumerate(super().answer(requests)):
            if number % 2:
                yield answer


def test_an_engine_that_forgets_an_answer_is_found_out(world: World) -> None:
    world.engine = ForgetfulEngine()
    world.put("a.pdf", text_pdf(["one", "two", "three"]))
    assert world.run().documents == {"partial": 1}
    told = world.json("a.pdf")
    assert [(page["status"], page.get("reason")) for page in told["pages"]] == [
        ("failed", "engine"),
        ("done", None),
        ("failed", "engine"),
    ]


def test_hundreds_of_documents_through_an_engine_that_answers_last_things_first(world: World) -> None:
    world.engine = LateEngine()
    for number in range(120):
        world.put(f"{number % 7}/{number}.pdf", text_pdf([f"Document {number}"]))
    world.run()
    assert {row["file"]: row["text"] for row in world.csv("transcript")} == {
        f"{number % 7}/{number}.pdf": f"Document {number}" for number in range(120)
    }
