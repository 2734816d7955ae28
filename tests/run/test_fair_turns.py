"""A document of many slow pages holds up no other: documents take turns at the readers and at the engine, and each has a time limit."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from pipeline.engines.base import Request
from pipeline.intake.scan import Inbox, InboxFile, scan_inbox
from pipeline.monitoring.events import RunCounts
from pipeline.publish.publication import Publication
from pipeline.records import Answer, Page, UnitKey
from pipeline.run import admission, batching, reading_turns
from pipeline.run.job import all_templates, open_job, open_ledger
from pipeline.run.loop import Loop
from pipeline.run.request_turns import RequestTurns
from pipeline.settings import Settings
from pipeline.settings_sections import LimitSettings
from tests.drawing import text_pdf
from tests.run.conftest import EchoEngine, RunFolders

PAGES = 100


class SlowEngine(EchoEngine):
    """Says that it took long for every answer."""

    seconds = 1000.0

    def respond(self, request: Request) -> Answer:
        return dataclasses.replace(super().respond(request), seconds=self.seconds)


class Order(RunCounts):
    """Records which documents are published, and how many pages had been read and answered by then."""

    def __init__(self) -> None:
        super().__init__()
        self.published: dict[str, tuple[int, int]] = {}
        self.pages = self.answers = 0

    def page_read(self, sha256: str, page: Page) -> None:
        self.pages += 1

    def answer_received(self, answer: Answer) -> None:
        self.answers += 1

    def document_published(self, publication: Publication) -> None:
        super().document_published(publication)
        self.published[publication.source.name] = (self.pages, self.answers)


def run(folders: RunFolders, files: Iterator[InboxFile | None] | None = None, order: Order | None = None) -> Order:
    order = order or Order()
    settings = Settings(inbox=folders.inbox, outbox=folders.outbox, **{"workers": 1, **folders.changes})
    with open_job(settings, template="transcript", engine=folders.engine) as job, Loop(job, order) as loop:
        loop.round(files or scan_inbox(job.inbox, job.outbox_names, order.file_skipped))
        loop.publisher.tidy()
    return order


def long_pdf(name: str) -> bytes:
    return text_pdf([f"{name}, page {number}" for number in range(1, PAGES + 1)])


def test_small_documents_behind_a_long_one_are_read_before_it_ends(
    folders: RunFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_turns, "TURN_SECONDS", 0.02)
    folders.put("a long.pdf", long_pdf("Long"))
    for number in range(3):
        folders.put(f"b {number}.pdf", text_pdf([f"Small {number}"]))
    order = run(folders)
    assert order.documents == {"done": 4}
    assert max(order.published[f"b {number}.pdf"][0] for number in range(3)) < PAGES / 2
    assert [text.split()[-1] for text in folders.texts("a long.pdf")] == [str(number) for number in range(1, PAGES + 1)]


def test_a_small_document_that_arrives_while_long_ones_are_read_is_read_soon(
    folders: RunFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_turns, "TURN_SECONDS", 0.02)
    for name in ("a", "b", "c"):
        folders.put(f"{name}.pdf", long_pdf(name))
    files = list(scan_inbox(open_inbox(folders), lambda _, preferred: preferred, lambda *_: None))
    folders.put("late.pdf", text_pdf(["Late"]))
    (late,) = (file for file in scan_inbox(open_inbox(folders), lambda _, name: name, lambda *_: None) if file not in files)

    def arriving() -> Iterator[InboxFile | None]:
        yield from files
        for _ in range(3):
            yield None
        yield late

    order = run(folders, arriving())
    assert order.published["late.pdf"][0] < 2 * PAGES
    assert order.documents == {"done": 4}


def open_inbox(folders: RunFolders) -> Inbox:
    return Inbox(folders.inbox, (folders.outbox,))


class WaitingEngine(EchoEngine):
    """Has no room until the page of the small document waits for it, too."""

    waits = True

    @property
    def room(self) -> bool:
        return not self.waits and super().room


def test_a_small_document_goes_before_the_pages_of_a_long_one_that_wait_for_the_engine(
    folders: RunFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_turns, "TURN_SECONDS", 0.02)
    monkeypatch.setattr(
        batching, "MAX_WAITING", 2 * PAGES
    )  # on a slow machine the readers would stop before the small document came
    folders.engine = engine = WaitingEngine()
    folders.put("a long.pdf", long_pdf("Long"))
    folders.put("b.pdf", text_pdf(["Small"]))

    class SmallPage(Order):
        def page_read(self, sha256: str, page: Page) -> None:
            super().page_read(sha256, page)
            engine.waits = engine.waits and page.words[0].text != "Small"

    order = SmallPage()

    def arriving() -> Iterator[InboxFile | None]:
        long, small = scan_inbox(open_inbox(folders), lambda _, name: name, lambda *_: None)
        yield long
        while order.pages < 30:
            yield None
        yield small

    run(folders, arriving(), order)
    read, answered = order.published["b.pdf"]
    assert read >= 30
    assert answered <= 2, "the requests of the long document waited longer, and only the first one went before"


def test_more_documents_than_may_be_open_are_all_read(folders: RunFolders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_turns, "OPEN_DOCUMENTS", 2)
    monkeypatch.setattr(reading_turns, "TURN_SECONDS", 0.0)
    for number in range(7):
        folders.put(f"{number}.pdf", text_pdf([f"{number}, page {page}" for page in range(4)]))
    assert run(folders).documents == {"done": 7}


def test_requests_of_a_page_stay_together_and_documents_alternate() -> None:
    templates = all_templates(Settings())
    turns = RequestTurns()

    def add(sha256: str, page: int, template: str) -> None:
        turns.add(Request(UnitKey(sha256, page, template, "r"), Page(page, 1, 1), templates[template]))

    for page in (1, 2, 3):
        add("long", page, "invoice")
        add("long", page, "transcript")
    add("short", 1, "invoice")
    add("other", 1, "invoice")
    turns.discard(UnitKey("other", 1, "invoice", "r"))
    taken = []
    while key := turns.next_key():
        taken.append((key.sha256, key.page, key.template))
        assert turns.take(key).key == key
        assert len(turns) == 7 - len(taken)
    first = [("long", 1, "invoice"), ("long", 1, "transcript"), ("short", 1, "invoice")]
    assert taken == [*first, *(("long", page, name) for page in (2, 3) for name in ("invoice", "transcript"))]


# ---- limits.document_minutes -------------------------------------------------------------------------


def limited(folders: RunFolders, seconds: float) -> None:
    folders.changes["limits"] = LimitSettings(document_minutes=seconds / 60)


def test_a_document_out_of_time_is_partial_names_its_missing_pages_and_is_not_retried(folders: RunFolders) -> None:
    folders.engine = SlowEngine()
    limited(folders, 2500)
    folders.put("long.pdf", text_pdf([f"Page {number}" for number in range(1, 9)]))
    folders.put("short.pdf", text_pdf(["Short"]))
    assert folders.run().documents == {"partial": 1, "done": 1}
    document = folders.json("long.pdf")
    done = sum(page["status"] == "done" for page in document["pages"])
    assert done == 3
    assert (document["status"], document["reason"]) == ("partial", "too_slow")
    missing = [page for page in document["pages"] if page["status"] == "failed"]
    assert [page["page"] for page in missing] == list(range(done + 1, 9))
    assert {page["reason"] for page in missing} == {"too_slow"}
    assert "limits.document_minutes" in missing[0]["detail"]
    again = folders.run()
    assert (again.known, again.to_read) == (2, 0)
    limited(folders, 0)
    with open_ledger(Settings(inbox=folders.inbox, outbox=folders.outbox)) as ledger:
        record = ledger.file_by_name("long.pdf")
        assert record
        assert record.retry_at is None
        ledger.mark_for_rereading([record], failed_only=True)
    before = len(folders.engine.units)
    assert folders.run().documents == {"done": 1}
    assert len(folders.engine.units) == before + len(missing), "only the missing pages are read"


def test_the_time_counts_from_one_run_to_the_next(folders: RunFolders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "RECORD_SECONDS", 1.0)
    folders.engine = SlowEngine()
    limited(folders, 4500)
    folders.put("long.pdf", text_pdf([f"Page {number}" for number in range(1, 9)]))
    order = Order()
    settings = Settings(inbox=folders.inbox, outbox=folders.outbox, workers=1, **folders.changes)
    with open_job(settings, template="transcript", engine=folders.engine) as job, Loop(job, order) as loop:
        loop.round(scan_inbox(job.inbox, job.outbox_names, order.file_skipped), lambda: order.answers >= 2)
    assert order.documents == {}, "the round was interrupted"
    first = order.answers
    assert folders.run().documents == {"partial": 1}
    pages = [page["status"] for page in folders.json("long.pdf")["pages"]]
    assert pages.count("done") == 5, f"{first} pages of the first run count"
    with open_ledger(settings) as ledger:
        assert ledger.seconds_spent(folders.json("long.pdf")["document"]["sha256"]) == 0
