"""The loop over real files: every page gets a status, and no unit is done twice."""

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
from pipeline.run.refresh import InboxScanner
from pipeline.runtime.lock import locked
from pipeline.settings import Settings
from pipeline.settings_sections import LimitSettings
from pipeline.templates.routing import Route
from tests.drawing import blank_pdf, encrypted_pdf, text_pdf, tiff
from tests.engines.embedded.drawn_documents import bars, cover
from tests.run.conftest import EchoEngine, LastFirstEngine, RunFolders


def test_a_folder_becomes_json_and_csv_and_a_second_run_does_nothing(folders: RunFolders) -> None:
    folders.put("a.pdf", text_pdf(["Alpha one", "Alpha two"]))
    folders.put("sub/b.pdf", text_pdf(["Beta"]))
    first = folders.run()
    assert first.documents == {"done": 2}
    assert folders.texts("a.pdf") == ["Alpha one", "Alpha two"]
    document = folders.json("sub/b.pdf")
    assert document["document"] | {"sha256": ""} == {"path": "sub/b.pdf", "sha256": "", "kind": "pdf", "pages": 1}
    assert (document["status"], document["reason"]) == ("done", None)
    assert [page["status"] for page in document["pages"]] == ["done"]
    assert document["pages"][0]["source"] == "textlayer"
    assert document["provenance"]["engine"] == "echo/1"
    assert sorted(row["file"] for row in folders.csv("transcript")) == ["a.pdf", "sub/b.pdf"]
    units = list(folders.engine.units)
    second = folders.run()
    assert (second.known, second.to_read, sum(second.documents.values())) == (2, 0, 0)
    assert folders.engine.units == units, "nothing is read again"


def test_the_same_bytes_under_two_names_are_read_once_and_published_twice(folders: RunFolders) -> None:
    for name in ("a.pdf", "copy of a.pdf", "deep/a.pdf"):
        folders.put(name, text_pdf(["Same"]))
    folders.run()
    assert folders.engine.units == [("transcript", 1)]
    assert [folders.texts(name) for name in ("a.pdf", "copy of a.pdf", "deep/a.pdf")] == [["Same"]] * 3
    assert len(folders.csv("transcript")) == 3


def test_a_copy_of_a_blank_document_that_was_read_with_a_named_template_is_published(folders: RunFolders) -> None:
    folders.put("a.pdf", blank_pdf(2))
    folders.run("transcript")
    folders.put("copy of a.pdf", blank_pdf(2))
    assert folders.run(template=None).documents == {"done": 1}
    assert [page["status"] for page in folders.json("copy of a.pdf")["pages"]] == ["blank", "blank"]


def test_twins_of_different_routes_are_each_read_by_their_own_template(folders: RunFolders) -> None:
    folders.engine = LastFirstEngine()
    folders.put("transcript/a.pdf", text_pdf(["Same"]))
    folders.put("invoice/a.pdf", text_pdf(["Same"]))
    folders.run(template=None)
    assert sorted(folders.engine.units) == [("invoice", 1), ("transcript", 1)]
    assert set(folders.json("invoice/a.pdf")["results"]) == {"invoice"}
    assert set(folders.json("transcript/a.pdf")["results"]) == {"transcript"}


def test_bad_files_fail_with_a_reason_and_the_others_go_on(folders: RunFolders) -> None:
    folders.put("locked.pdf", encrypted_pdf("secret", "open sesame"))
    folders.put("cut.pdf", text_pdf(["Cut"])[:200])
    folders.put("song.mp3", b"ID3\x03" + bytes(500))
    folders.put("fine.pdf", text_pdf(["Fine"]))
    tally = folders.run()
    assert tally.documents == {"failed": 3, "done": 1}
    reasons = {name: folders.json(name)["reason"] for name in ("locked.pdf", "cut.pdf", "song.mp3")}
    assert reasons == {
        "locked.pdf": "needs_password",
        "cut.pdf": "unreadable",
        "song.mp3": "unsupported",
    }
    assert {row["file"]: row["status"] for row in folders.csv("documents")} == {
        **dict.fromkeys(reasons, "failed"),
        "fine.pdf": "done",
    }
    assert folders.run().to_read == 0, "failed documents are not read again by themselves"


def test_a_password_from_the_settings_opens_the_file(folders: RunFolders) -> None:
    folders.put("locked.pdf", encrypted_pdf("Sealed letter", "open sesame"))
    folders.changes["limits"] = LimitSettings(passwords=("wrong", "open sesame"))
    folders.run()
    assert folders.texts("locked.pdf") == ["Sealed letter"]


def test_blank_pages_never_reach_the_engine_and_keep_their_number(folders: RunFolders) -> None:
    folders.put("a.pdf", text_pdf(["First", "", "Third"]))
    folders.put("blank.pdf", blank_pdf(2))
    folders.run()
    assert folders.engine.units == [("transcript", 1), ("transcript", 3)]
    assert folders.texts("a.pdf") == ["First", "", "Third"]
    assert [page["status"] for page in folders.json("a.pdf")["pages"]] == ["done", "blank", "done"]
    assert folders.json("blank.pdf")["status"] == "done"


INVOICE = "Invoice 118\nDue date 26 May 2024\nBill to Castle Street Paper\nNet 100.00\nVAT 20.00\nTotal 120.00"


@pytest.mark.parametrize(
    ("second", "chosen"),
    [(INVOICE, "invoice"), ("The committee met on Tuesday and agreed that work may start. " * 8, "transcript")],
)
def test_behind_a_cover_the_next_page_chooses_the_template_for_both(folders: RunFolders, second: str, chosen: str) -> None:
    folders.put("a.pdf", text_pdf(["Documents for May", second]))
    folders.run(template=None)
    assert sorted(folders.engine.units) == [(chosen, 1), (chosen, 2)]


def test_a_chart_behind_a_cover_belongs_to_a_report(folders: RunFolders) -> None:
    chart = bars().image
    folders.put("a.tiff", tiff([cover().image, chart]))
    folders.put("b.tiff", tiff([chart]))
    folders.run(template=None)
    assert set(folders.json("a.tiff")["results"]) == {"transcript"}
    assert set(folders.json("b.tiff")["results"]) == {"chart"}


def test_pages_above_the_limit_are_skipped_and_named(folders: RunFolders) -> None:
    folders.changes["limits"] = LimitSettings(pages=2)
    folders.put("long.pdf", text_pdf(["one", "two", "three", "four"]))
    folders.run()
    document = folders.json("long.pdf")
    assert (document["status"], document["reason"]) == ("partial", "too_large")
    assert [page["status"] for page in document["pages"]] == ["done", "done", "skipped", "skipped"]


def test_another_template_reads_again_only_what_it_must(folders: RunFolders, tmp_path: Path) -> None:
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "note.yaml").write_text("name: note\nprompt: Read it.\nfields:\n  text: {type: text}\n")
    folders.changes["templates"] = templates
    folders.put("a.pdf", text_pdf(["A"]))
    folders.put("b.pdf", text_pdf(["B"]))
    folders.run("note,transcript")
    assert sorted(folders.engine.units) == sorted([("note", 1), ("transcript", 1)] * 2)
    folders.engine.units.clear()
    (templates / "note.yaml").write_text("name: note\nprompt: Read it well.\nfields:\n  text: {type: text}\n")
    folders.run("note,transcript")
    assert folders.engine.units == [("note", 1)] * 2
    assert len(folders.csv("note")) == 2


def test_a_changed_file_replaces_its_row(folders: RunFolders) -> None:
    folders.put("a.pdf", text_pdf(["Old"]))
    folders.put("b.pdf", text_pdf(["B"]))
    folders.run()
    path = folders.put("a.pdf", text_pdf(["New and longer"]))
    os.utime(path, (2_000_000, 2_000_000))
    folders.run()
    assert {row["file"]: row["text"] for row in folders.csv("transcript")} == {"a.pdf": "New and longer", "b.pdf": "B"}


def test_a_question_adds_its_answer_and_stays(folders: RunFolders) -> None:
    folders.put("a.pdf", text_pdf(["Delivery on Monday"]))
    folders.run()
    folders.run(None, ask="When is the delivery?")
    results = folders.json("a.pdf")["results"]
    assert len(results) == 2
    question = next(name for name in results if name != "transcript")
    assert results[question]["fields"]["answer"]["value"] == "Delivery on Monday"
    folders.put("b.pdf", text_pdf(["B"]))
    folders.run()
    assert set(folders.json("a.pdf")["results"]) == {"transcript", question}


def test_limit_stops_early_and_the_rest_is_read_next_time(folders: RunFolders) -> None:
    for name in "abc":
        folders.put(f"{name}.pdf", text_pdf([name]))
    assert sum(folders.run(limit=2).documents.values()) == 2
    assert sum(folders.run().documents.values()) == 1


def test_only_one_run_at_a_time(folders: RunFolders) -> None:
    folders.put("a.pdf", text_pdf(["A"]))
    with locked(folders.outbox), pytest.raises(LockedError):
        folders.run()
    assert folders.run().documents == {"done": 1}


def test_an_unknown_template_is_refused_with_a_suggestion(folders: RunFolders) -> None:
    with pytest.raises(SettingsError, match="invoice"):
        folders.run("invoce")


def test_files_are_moved_only_by_the_setting_and_only_after_their_result(folders: RunFolders, tmp_path: Path) -> None:
    folders.changes.update(after="move", archive=tmp_path / "archive")
    folders.put("sub/a.pdf", text_pdf(["A"]))
    folders.run()
    assert folders.texts("sub/a.pdf") == ["A"]
    assert not (folders.inbox / "sub" / "a.pdf").exists()
    assert [path.name for path in (tmp_path / "archive").rglob("*.pdf")] == ["a.pdf"]


def test_names_that_would_collide_in_the_outbox_stay_apart(folders: RunFolders) -> None:
    folders.put("a.pdf", text_pdf(["file"]))
    folders.put("a.pdf.json/b.pdf", text_pdf(["below"]))
    tally = folders.run()
    assert tally.documents == {"done": 2}
    texts = sorted(path.read_text(encoding="utf-8") for path in folders.outbox.rglob("*.json"))
    assert len(texts) == 2


def test_names_that_are_not_valid_text_or_contain_newlines_and_dashes_are_read(folders: RunFolders) -> None:
    raw = os.fsdecode(b"caf\xe9 \xff.pdf")
    names = [raw, "new\nline.pdf", "-rf.pdf", "=1+1.pdf", "x" * 251 + ".pdf", "ünï 文.pdf"]
    for number, name in enumerate(names):
        folders.put(name, text_pdf([f"Document {number}"]))
    assert folders.run().documents == {"done": len(names)}
    assert sorted(row["text"] for row in folders.csv("transcript")) == [f"Document {number}" for number in range(len(names))]
    assert len(list(folders.outbox.glob("*.json"))) == len(names)
    assert not [row["file"] for row in folders.csv("documents") if row["file"].startswith("=")]
    assert folders.run().to_read == 0


class LossyEngine(EchoEngine):
    """Loses every second request."""

    def poll(self, timeout: float) -> list[Answer]:
        answers = super().poll(timeout)
        return answers if len(self.units) % 2 == 0 else []


def test_a_page_without_an_answer_ends_as_failed(folders: RunFolders) -> None:
    folders.engine = LossyEngine()
    folders.put("a.pdf", text_pdf(["one", "two", "three"]))
    assert folders.run().documents == {"partial": 1}
    document = folders.json("a.pdf")
    assert [(page["status"], page.get("reason")) for page in document["pages"]] == [
        ("failed", "engine"),
        ("done", None),
        ("failed", "engine"),
    ]


def test_answers_in_reverse_order_reach_the_right_documents(folders: RunFolders) -> None:
    folders.engine = LastFirstEngine()
    for number in range(120):
        folders.put(f"{number % 7}/{number}.pdf", text_pdf([f"Document {number}"]))
    folders.run()
    assert {row["file"]: row["text"] for row in folders.csv("transcript")} == {
        f"{number % 7}/{number}.pdf": f"Document {number}" for number in range(120)
    }


class ChangingEngine(EchoEngine):
    """Changes the inbox at its first request."""

    def __init__(self, change: Callable[[], object]) -> None:
        super().__init__()
        self.change: Callable[[], object] | None = change

    def respond(self, request: Request) -> Answer:
        answer = super().respond(request)
        if self.change:
            self.change()
            self.change = None
        return answer


def test_a_file_that_vanishes_while_it_is_read_stops_no_other_file_and_its_twin_is_read(folders: RunFolders) -> None:
    pages = [f"Page number {page}" for page in range(1, 41)]
    first = folders.put("a.pdf", text_pdf(pages))
    folders.put("b.pdf", text_pdf(pages))
    folders.put("c.pdf", text_pdf(["Something else"]))
    folders.engine = ChangingEngine(first.unlink)
    tally = folders.run()
    assert tally.documents == {"done": 2}
    assert [name for name, _ in tally.skipped_files] == ["a.pdf"]
    assert folders.texts("b.pdf") == pages
    assert folders.texts("c.pdf") == ["Something else"]


def test_a_file_replaced_while_it_is_read_comes_back_with_its_new_contents(folders: RunFolders) -> None:
    path = folders.put("a.pdf", text_pdf([f"Old page {page}" for page in range(1, 41)]))
    folders.engine = ChangingEngine(lambda: path.write_bytes(text_pdf(["New contents"])))
    assert folders.run().documents == {}
    folders.run()
    assert folders.texts("a.pdf") == ["New contents"]
    assert len(folders.csv("transcript")) == 1


def test_a_file_replaced_after_reading_is_not_deleted_unread(folders: RunFolders) -> None:
    folders.changes["after"] = "delete"
    path = folders.put("a.pdf", text_pdf(["Old"]))
    folders.engine = ChangingEngine(lambda: path.write_bytes(text_pdf(["New contents"])))
    folders.run()
    assert path.read_bytes() == text_pdf(["New contents"])
    folders.run()
    assert folders.texts("a.pdf") == ["New contents"]
    assert not path.exists()


def test_the_same_path_twice_in_a_round_is_one_row(folders: RunFolders) -> None:
    folders.put("a.pdf", text_pdf(["Version one"]))
    settings = Settings(inbox=folders.inbox, outbox=folders.outbox, workers=1)
    with open_job(settings, template="transcript", engine=folders.engine) as job, Loop(job, RunCounts()) as loop:

        def files() -> Iterator[InboxFile]:
            yield from scan_inbox(job.inbox, job.outbox_names, lambda *_: None)
            folders.put("a.pdf", text_pdf(["Version two"]))
            yield from scan_inbox(job.inbox, job.outbox_names, lambda *_: None)

        loop.round(files())
        loop.publisher.tidy()
    assert [row["text"] for row in folders.csv("transcript")] == ["Version two"]


def test_a_scanner_that_counts_from_one_every_day_loses_nothing_when_files_are_moved(folders: RunFolders) -> None:
    folders.changes["after"] = "move"
    for day in ("Monday", "Tuesday", "Wednesday"):
        folders.put("scan.pdf", text_pdf([f"Scanned on {day}"]))
        folders.run()
    assert sorted(row["text"] for row in folders.csv("transcript")) == [
        f"Scanned on {day}" for day in ("Monday", "Tuesday", "Wednesday")
    ]
    assert len(list(folders.outbox.glob("*.json"))) == 3
    assert len(list((folders.inbox.parent / "archive").rglob("*.pdf"))) == 3


def test_files_read_before_are_moved_when_the_setting_comes_later_and_an_archive_in_the_inbox_is_not_read(
    folders: RunFolders,
) -> None:
    folders.put("a.pdf", text_pdf(["A file"]))
    folders.run()
    folders.changes.update(after="move", archive=folders.inbox / "done")
    for _ in range(3):
        folders.run()
    assert [path.relative_to(folders.inbox).parts[0] for path in folders.inbox.rglob("*.pdf")] == ["done"]
    assert len(folders.csv("transcript")) == 1


def test_pages_above_a_raised_limit_are_read_by_reprocessing_what_failed(folders: RunFolders) -> None:
    folders.changes["limits"] = LimitSettings(pages=2)
    folders.put("long.pdf", text_pdf(["one one", "two two", "three three"]))
    folders.run()
    folders.changes["limits"] = LimitSettings()
    with open_ledger(Settings(inbox=folders.inbox, outbox=folders.outbox)) as ledger:
        ledger.mark_for_rereading(ledger.files_by_path().values(), failed_only=True)
    folders.engine.units.clear()
    folders.run()
    assert folders.engine.units == [("transcript", 3)]
    assert folders.json("long.pdf")["status"] == "done"


def test_a_template_named_once_is_remembered_until_a_route_says_otherwise(folders: RunFolders) -> None:
    folders.put("a.pdf", text_pdf(["Just some text"]))
    folders.run("receipt")
    assert folders.run(None).to_read == 0
    assert set(folders.json("a.pdf")["results"]) == {"receipt"}
    folders.changes["routes"] = (Route(match="*.pdf", template=["invoice"]),)
    folders.run(None)
    assert set(folders.json("a.pdf")["results"]) == {"invoice"}


class OneTemplateFails(EchoEngine):
    """Fails for the template `receipt`."""

    def respond(self, request: Request) -> Answer:
        if request.template.name == "receipt":
            return failed_answer(request, "x")
        return super().respond(request)


def test_a_template_that_fails_beside_one_that_is_done_makes_the_document_partial(folders: RunFolders) -> None:
    folders.engine = OneTemplateFails()
    folders.put("a.pdf", text_pdf(["Some words"]))
    assert folders.run("transcript,receipt").documents == {"partial": 1}
    assert folders.texts("a.pdf") == ["Some words"]


def test_folders_named_like_sheets_stop_no_document(folders: RunFolders) -> None:
    folders.put("transcript.csv/a.pdf", text_pdf(["In a strange folder"]))
    folders.put("b.pdf", text_pdf(["Beside it"]))
    assert folders.run().documents == {"done": 2}
    assert sorted(row["text"] for row in folders.csv("transcript")) == ["Beside it", "In a strange folder"]


def test_a_false_page_count_of_a_million_is_ignored(folders: RunFolders) -> None:
    pdf = text_pdf(["One page"]).replace(b"/Count 1", b"/Count 1000000")
    folders.put("lie.pdf", pdf)
    folders.put("b.pdf", text_pdf(["Honest"]))
    folders.run()
    assert folders.texts("b.pdf") == ["Honest"]
    document = folders.json("lie.pdf")
    assert len(document["pages"]) <= 1
    assert document["status"] in ("done", "failed")


def test_a_file_that_is_found_again_while_it_is_read_is_published_once(folders: RunFolders) -> None:
    folders.put("a.pdf", text_pdf([f"Page {number}" for number in range(30)]))
    tally = RunCounts()
    settings = Settings(inbox=folders.inbox, outbox=folders.outbox, workers=1)
    with open_job(settings, template="transcript", engine=folders.engine) as job, Loop(job, tally) as loop:
        (file,) = scan_inbox(job.inbox, job.outbox_names, tally.file_skipped)
        loop.round(iter([file, None, file, file]))
    assert tally.documents == {"done": 1}


def test_a_scanner_finds_changed_and_new_files_only(folders: RunFolders) -> None:
    folders.put("a.pdf", text_pdf(["A"]))
    folders.put("b.pdf", text_pdf(["B"]))
    folders.run()
    settings = Settings(inbox=folders.inbox, outbox=folders.outbox, workers=1)
    with open_job(settings, engine=folders.engine) as job:
        scanner = InboxScanner(job, lambda *_: None)
        assert [len(files) for files in scanner.scan()] == [0, 2]
        assert scanner.scan() == ([], [])
        (folders.inbox / "b.pdf").write_bytes(text_pdf(["Another B"]))
        folders.put("c.pdf", text_pdf(["C"]))
        to_read, up_to_date = scanner.scan()
        assert ([file.source.name for file in to_read], up_to_date) == (["b.pdf", "c.pdf"], [])
