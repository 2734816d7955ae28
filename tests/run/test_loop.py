"""The loop over real files: every page accounted for, nothing done twice."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.engines.answers import failed_answer
from pipeline.engines.base import Request
from pipeline.errors import LockedError, SettingsError
from pipeline.intake.scan import InboxFile, scan_inbox
from pipeline.monitoring.events import RunCounts
from pipeline.records import Answer
from pipeline.run.job import open_job, open_ledger
from pipeline.run.loop import Loop
from pipeline.run.refresh import Rescan
from pipeline.runtime.lock import locked
from pipeline.settings import LimitSettings, Settings
from pipeline.templates.routing import Route
from tests.drawing import blank_pdf, encrypted_pdf, text_pdf, tiff
from tests.engines.embedded.drawn_documents import bars, cover
from tests.run.conftest import EchoEngine, LastFirstEngine, World


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
    world.engine = LastFirstEngine()
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
    world.changes["limits"] = LimitSettings(passwords=("wrong", "open sesame"))
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


INVOICE = "Invoice 118\nDue date 26 May 2024\nBill to Castle Street Paper\nNet 100.00\nVAT 20.00\nTotal 120.00"


@pytest.mark.parametrize(
    ("second", "chosen"),
    [(INVOICE, "invoice"), ("The committee met on Tuesday and agreed that work may start. " * 8, "transcript")],
)
def test_behind_a_cover_the_next_page_chooses_the_template_for_both(world: World, second: str, chosen: str) -> None:
    world.put("a.pdf", text_pdf(["Documents for May", second]))
    world.run(template=None)
    assert sorted(world.engine.asked) == [(chosen, 1), (chosen, 2)]


def test_a_chart_behind_a_cover_belongs_to_a_report(world: World) -> None:
    chart = bars().image
    world.put("a.tiff", tiff([cover().image, chart]))
    world.put("b.tiff", tiff([chart]))
    world.run(template=None)
    assert set(world.json("a.tiff")["results"]) == {"transcript"}
    assert set(world.json("b.tiff")["results"]) == {"chart"}


def test_pages_above_the_limit_are_skipped_and_named(world: World) -> None:
    world.changes["limits"] = LimitSettings(pages=2)
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
    world.run()
    assert world.texts("sub/a.pdf") == ["A"]
    assert not (world.inbox / "sub" / "a.pdf").exists()
    assert [path.name for path in (tmp_path / "archive").rglob("*.pdf")] == ["a.pdf"]


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

    def poll(self, timeout: float) -> list[Answer]:
        answers = super().poll(timeout)
        return answers if len(self.asked) % 2 == 0 else []


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
    world.engine = LastFirstEngine()
    for number in range(120):
        world.put(f"{number % 7}/{number}.pdf", text_pdf([f"Document {number}"]))
    world.run()
    assert {row["file"]: row["text"] for row in world.csv("transcript")} == {
        f"{number % 7}/{number}.pdf": f"Document {number}" for number in range(120)
    }


class MeddlingEngine(EchoEngine):
    """Does something to the inbox when it is first asked."""

    def __init__(self, meddle: Callable[[], object]) -> None:
        super().__init__()
        self.meddle: Callable[[], object] | None = meddle

    def respond(self, request: Request) -> Answer:
        answer = super().respond(request)
        if self.meddle:
            self.meddle()
            self.meddle = None
        return answer


def test_a_file_that_vanishes_while_it_is_read_costs_nobody_else_and_its_twin_is_read(world: World) -> None:
    pages = [f"Page number {page}" for page in range(1, 41)]
    first = world.put("a.pdf", text_pdf(pages))
    world.put("b.pdf", text_pdf(pages))
    world.put("c.pdf", text_pdf(["Something else"]))
    world.engine = MeddlingEngine(first.unlink)
    tally = world.run()
    assert tally.documents == {"done": 2}
    assert [name for name, _ in tally.skipped_files] == ["a.pdf"]
    assert world.texts("b.pdf") == pages
    assert world.texts("c.pdf") == ["Something else"]


def test_a_file_replaced_while_it_is_read_comes_back_with_its_new_contents(world: World) -> None:
    path = world.put("a.pdf", text_pdf([f"Old page {page}" for page in range(1, 41)]))
    world.engine = MeddlingEngine(lambda: path.write_bytes(text_pdf(["New contents"])))
    assert world.run().documents == {}
    world.run()
    assert world.texts("a.pdf") == ["New contents"]
    assert len(world.csv("transcript")) == 1


def test_a_file_replaced_after_reading_is_not_put_away_unread(world: World) -> None:
    world.changes["after"] = "delete"
    path = world.put("a.pdf", text_pdf(["Old"]))
    world.engine = MeddlingEngine(lambda: path.write_bytes(text_pdf(["New contents"])))
    world.run()
    assert path.read_bytes() == text_pdf(["New contents"])
    world.run()
    assert world.texts("a.pdf") == ["New contents"]
    assert not path.exists()


def test_the_same_path_twice_in_a_round_is_one_row(world: World) -> None:
    world.put("a.pdf", text_pdf(["Version one"]))
    settings = Settings(inbox=world.inbox, outbox=world.outbox, workers=1)
    with open_job(settings, template="transcript", engine=world.engine) as job, Loop(job, RunCounts()) as loop:

        def files() -> Iterator[InboxFile]:
            yield from scan_inbox(job.inbox, job.namer, lambda *_: None)
            world.put("a.pdf", text_pdf(["Version two"]))
            yield from scan_inbox(job.inbox, job.namer, lambda *_: None)

        loop.round(files())
        loop.publisher.tidy()
    assert [row["text"] for row in world.csv("transcript")] == ["Version two"]


def test_a_scanner_that_counts_from_one_every_day_loses_nothing_when_files_are_moved(world: World) -> None:
    world.changes["after"] = "move"
    for day in ("Monday", "Tuesday", "Wednesday"):
        world.put("scan.pdf", text_pdf([f"Scanned on {day}"]))
        world.run()
    assert sorted(row["text"] for row in world.csv("transcript")) == [
        f"Scanned on {day}" for day in ("Monday", "Tuesday", "Wednesday")
    ]
    assert len(list(world.outbox.glob("*.json"))) == 3
    assert len(list((world.inbox.parent / "archive").rglob("*.pdf"))) == 3


def test_files_read_before_are_put_away_when_the_setting_comes_later_and_an_archive_in_the_inbox_is_not_read(
    world: World,
) -> None:
    world.put("a.pdf", text_pdf(["A file"]))
    world.run()
    world.changes.update(after="move", archive=world.inbox / "done")
    for _ in range(3):
        world.run()
    assert [path.relative_to(world.inbox).parts[0] for path in world.inbox.rglob("*.pdf")] == ["done"]
    assert len(world.csv("transcript")) == 1


def test_pages_above_a_raised_limit_are_read_by_reprocessing_what_failed(world: World) -> None:
    world.changes["limits"] = LimitSettings(pages=2)
    world.put("long.pdf", text_pdf(["one one", "two two", "three three"]))
    world.run()
    world.changes["limits"] = LimitSettings()
    with open_ledger(Settings(inbox=world.inbox, outbox=world.outbox)) as ledger:
        ledger.mark_for_rereading(ledger.files_by_path().values(), failed_only=True)
    world.engine.asked.clear()
    world.run()
    assert world.engine.asked == [("transcript", 3)]
    assert world.json("long.pdf")["status"] == "done"


def test_what_template_was_named_once_is_remembered_until_a_route_says_otherwise(world: World) -> None:
    world.put("a.pdf", text_pdf(["Just some text"]))
    world.run("receipt")
    assert world.run(None).to_read == 0
    assert set(world.json("a.pdf")["results"]) == {"receipt"}
    world.changes["routes"] = (Route(match="*.pdf", template=["invoice"]),)
    world.run(None)
    assert set(world.json("a.pdf")["results"]) == {"invoice"}


class HalfEngine(EchoEngine):
    """Fails for one template."""

    def respond(self, request: Request) -> Answer:
        if request.template.name == "receipt":
            return failed_answer(request, "x")
        return super().respond(request)


def test_a_template_that_fails_beside_one_that_is_done_makes_the_document_partial(world: World) -> None:
    world.engine = HalfEngine()
    world.put("a.pdf", text_pdf(["Some words"]))
    assert world.run("transcript,receipt").documents == {"partial": 1}
    assert world.texts("a.pdf") == ["Some words"]


def test_folders_named_like_sheets_do_not_stop_anybody(world: World) -> None:
    world.put("transcript.csv/a.pdf", text_pdf(["In a strange folder"]))
    world.put("b.pdf", text_pdf(["Beside it"]))
    assert world.run().documents == {"done": 2}
    assert sorted(row["text"] for row in world.csv("transcript")) == ["Beside it", "In a strange folder"]


def test_a_document_that_claims_a_million_pages_is_not_believed(world: World) -> None:
    lie = text_pdf(["One page"]).replace(b"/Count 1", b"/Count 1000000")
    world.put("lie.pdf", lie)
    world.put("b.pdf", text_pdf(["Honest"]))
    world.run()
    assert world.texts("b.pdf") == ["Honest"]
    told = world.json("lie.pdf")
    assert (len(told["pages"]) <= 1, told["status"] in ("done", "failed")) == (True, True)


def test_a_file_that_is_found_again_while_it_is_read_is_published_once(world: World) -> None:
    world.put("a.pdf", text_pdf([f"Page {number}" for number in range(30)]))
    tally = RunCounts()
    settings = Settings(inbox=world.inbox, outbox=world.outbox, workers=1)
    with open_job(settings, template="transcript", engine=world.engine) as job, Loop(job, tally) as loop:
        (found,) = scan_inbox(job.inbox, job.namer, tally.file_skipped)
        loop.round(iter([found, None, found, found]))
    assert tally.documents == {"done": 1}


def test_a_rescan_passes_over_what_is_unchanged_and_sees_what_is_not(world: World) -> None:
    world.put("a.pdf", text_pdf(["A"]))
    world.put("b.pdf", text_pdf(["B"]))
    world.run()
    settings = Settings(inbox=world.inbox, outbox=world.outbox, workers=1)
    with open_job(settings, engine=world.engine) as job:
        rescan = Rescan(job, lambda *_: None)
        assert [len(files) for files in rescan.look()] == [0, 2]
        assert rescan.look() == ([], [])
        (world.inbox / "b.pdf").write_bytes(text_pdf(["Another B"]))
        world.put("c.pdf", text_pdf(["C"]))
        todo, known = rescan.look()
        assert ([found.source.name for found in todo], known) == (["b.pdf", "c.pdf"], [])
