"""What people ask of a run at work: questions about a page, corrected documents published again, other readings that stay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.engines.base import Request
from pipeline.ledger.corrections import record_correction
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.orders import Order, find_order, open_orders, place_order
from pipeline.monitoring.events import RunCounts
from pipeline.records import Answer, Correction
from pipeline.run.job import open_job
from pipeline.run.loop import Loop
from pipeline.run.reread import Rereading
from pipeline.settings import STATE_FOLDER, Settings
from tests.drawing import blank_pdf, text_pdf
from tests.run.conftest import EchoEngine, World


@contextmanager
def ledger(world: World) -> Iterator[Ledger]:
    with Ledger(world.outbox / STATE_FOLDER) as found:
        yield found


def ask(world: World, name: str, question: str, page: int = 1, follows: int | None = None) -> Order:
    with ledger(world) as book:
        file = book.file_by_name(name)
        assert file
        return place_order(book, "question", file.sha256, {"page": page, "question": question, "follows": follows}, "Anna")


def outcome(world: World, asked: Order) -> dict[str, object]:
    with ledger(world) as book:
        found = find_order(book, asked.id)
    assert found is not None
    assert found.outcome is not None
    return dict(found.outcome)


class Prompted(EchoEngine):
    """Remembers what questions it was asked, in their order among the pages."""

    def __init__(self) -> None:
        super().__init__()
        self.questions: list[str] = []

    def respond(self, request: Request) -> Answer:
        if "answer" in request.template.fields:
            self.questions.append(request.template.fields["answer"].description)
        return super().respond(request)


def test_a_question_is_answered_by_the_next_run_about_its_page_alone(world: World) -> None:
    world.put("a.pdf", text_pdf(["First page", "Second page"]))
    world.engine = engine = Prompted()
    world.run()
    engine.asked.clear()
    asked = ask(world, "a.pdf", "What is it?", page=2)
    later = ask(world, "a.pdf", "And why?", page=2, follows=asked.id)
    world.run()
    assert outcome(world, asked)["answer"] == "Second page"
    assert [page for _, page in engine.asked] == [2, 2]
    assert "What is it? (answered:" in engine.questions[-1]
    assert outcome(world, later)["answer"] == "Second page"
    assert list(world.json("a.pdf")["results"]) == ["transcript"], "no part of the document's result"


def test_the_answer_of_a_follow_up_knows_the_answer_before_it(world: World) -> None:
    world.put("a.pdf", text_pdf(["Harrow Lane"]))
    world.engine = engine = Prompted()
    world.run()
    first = ask(world, "a.pdf", "Who is it?")
    world.run()
    ask(world, "a.pdf", "And where?", follows=first.id)
    world.run()
    assert 'Who is it? (answered: "Harrow Lane")' in engine.questions[-1]


def test_questions_that_cannot_be_answered_say_why_and_hold_up_nobody(world: World) -> None:
    gone = world.put("gone.pdf", text_pdf(["Gone"]))
    world.put("blank.pdf", blank_pdf(1))
    world.run()
    of_gone, of_blank = ask(world, "gone.pdf", "What?"), ask(world, "blank.pdf", "What?")
    beyond = ask(world, "blank.pdf", "What?", page=9)
    gone.unlink()
    world.put("new.pdf", text_pdf(["New"]))
    world.run()
    assert "no longer" in str(outcome(world, of_gone)["error"])
    assert outcome(world, of_blank)["answer"] is None
    assert "error" in outcome(world, beyond)
    assert world.texts("new.pdf") == ["New"]
    with ledger(world) as book:
        assert open_orders(book) == []


def test_a_corrected_document_is_published_again_with_every_file_that_holds_it(world: World) -> None:
    for name in ("a.pdf", "b.pdf"):
        world.put(name, text_pdf(["As read"]))
    world.run()
    with ledger(world) as book:
        sha256 = next(book.published_files()).sha256
        record_correction(
            book, sha256, Correction("transcript", "text", 1, ["As said"], False, ["As read"], "Anna", "2026-01-01T00:00:00Z")
        )
    asked = len(world.engine.asked)
    world.run()
    assert len(world.engine.asked) == asked, "nothing is read again"
    for name in ("a.pdf", "b.pdf"):
        field = world.json(name)["results"]["transcript"]["fields"]["text"]
        assert (field["value"], field["corrected"]["read"]["value"]) == (["As said"], ["As read"])
    assert [row["corrected"] for row in world.csv("transcript")] == ["text", "text"]


@pytest.mark.parametrize("changed", [False, True])
def test_another_reading_stays_until_the_file_changes(world: World, changed: bool) -> None:
    path = world.put("a.pdf", text_pdf(["A page"]))
    world.run(template=None)
    settings = Settings(inbox=world.inbox, outbox=world.outbox, workers=1)
    with open_job(settings, engine=world.engine) as job, Loop(job, RunCounts()):
        file = job.ledger.file_by_name("a.pdf")
        assert file
        asked = place_order(
            job.ledger, "reading", file.sha256, {"name": "a.pdf", "template": "receipt", "engine": None}, "Anna"
        )
        Rereading(job, RunCounts()).turn()
    assert outcome(world, asked)["status"] == "done"
    assert list(world.json("a.pdf")["results"]) == ["receipt"]
    world.engine.asked.clear()
    if changed:
        path.write_bytes(text_pdf(["Another page"]))
    world.run(template=None)
    assert bool(world.engine.asked) == changed


NOTE = """
name: note
prompt: "What stands on page {{ page }}?"
image: {tokens: 64}
answer: {tokens: 24}
fields:
  line: {type: text, merge: first, description: A line.}
"""


@pytest.mark.slow
def test_a_document_is_read_again_by_the_model_that_the_settings_name(world: World, tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    from tests.engines.vlm.tiny import random_checkpoint

    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "note.yaml").write_text(NOTE, encoding="utf-8")
    model = random_checkpoint(tmp_path / "model")
    settings = Settings(
        inbox=world.inbox, outbox=world.outbox, workers=1, engine="embedded", model=str(model), templates=tmp_path / "templates"
    )
    world.put("a.pdf", text_pdf(["A page"]))
    world.run()
    with open_job(settings) as job:
        file = job.ledger.file_by_name("a.pdf")
        assert file
        asked = place_order(job.ledger, "reading", file.sha256, {"name": "a.pdf", "template": "note", "engine": "vlm"}, "Anna")
        Rereading(job, RunCounts()).turn()
    told = outcome(world, asked)
    assert str(told["engine"]).startswith("vlm/"), told
    assert world.json("a.pdf")["provenance"]["engine"] == told["engine"]
    assert list(world.json("a.pdf")["results"]) == ["note"]
