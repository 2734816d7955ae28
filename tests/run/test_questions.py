"""Orders of people during a run: questions about a page, corrected documents published again, documents read with another template."""

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
from pipeline.records import Answer, Correction, UnitKey
from pipeline.run.job import open_job
from pipeline.run.loop import Loop
from pipeline.run.reread_orders import RereadOrders
from pipeline.settings import STATE_FOLDER, Settings
from tests.drawing import blank_pdf, text_pdf
from tests.run.conftest import EchoEngine, RunFolders


@contextmanager
def open_ledger(folders: RunFolders) -> Iterator[Ledger]:
    with Ledger(folders.outbox / STATE_FOLDER) as ledger:
        yield ledger


def ask(folders: RunFolders, name: str, question: str, page: int = 1, follows: int | None = None) -> Order:
    with open_ledger(folders) as ledger:
        file = ledger.file_by_name(name)
        assert file
        return place_order(ledger, "question", file.sha256, {"page": page, "question": question, "follows": follows}, "Anna")


def outcome(folders: RunFolders, order: Order) -> dict[str, object]:
    with open_ledger(folders) as ledger:
        order_now = find_order(ledger, order.id)
    assert order_now is not None
    assert order_now.outcome is not None
    return dict(order_now.outcome)


class QuestionEngine(EchoEngine):
    """Remembers the questions in the order of their requests."""

    def __init__(self) -> None:
        super().__init__()
        self.questions: list[str] = []

    def respond(self, request: Request) -> Answer:
        if "answer" in request.template.fields:
            self.questions.append(request.template.fields["answer"].description)
        return super().respond(request)


class KeyEngine(EchoEngine):
    """Remembers the keys of its requests."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[UnitKey] = []

    def respond(self, request: Request) -> Answer:
        self.keys.append(request.key)
        return super().respond(request)


def test_a_question_is_answered_by_the_next_run_about_its_page_alone(folders: RunFolders) -> None:
    folders.put("a.pdf", text_pdf(["First page", "Second page"]))
    folders.engine = engine = QuestionEngine()
    folders.run()
    engine.units.clear()
    first = ask(folders, "a.pdf", "What is it?", page=2)
    later = ask(folders, "a.pdf", "And why?", page=2, follows=first.id)
    folders.run()
    assert outcome(folders, first)["answer"] == "Second page"
    assert [page for _, page in engine.units] == [2, 2]
    assert "What is it? (answered:" in engine.questions[-1]
    assert outcome(folders, later)["answer"] == "Second page"
    assert list(folders.json("a.pdf")["results"]) == ["transcript"], "no part of the document's result"


def test_a_follow_up_question_contains_the_answer_before_it(folders: RunFolders) -> None:
    folders.put("a.pdf", text_pdf(["Harrow Lane"]))
    folders.engine = engine = QuestionEngine()
    folders.run()
    first = ask(folders, "a.pdf", "Who is it?")
    folders.run()
    ask(folders, "a.pdf", "And where?", follows=first.id)
    folders.run()
    assert 'Who is it? (answered: "Harrow Lane")' in engine.questions[-1]


def test_a_question_of_a_person_and_the_same_one_of_the_run_are_both_answered(folders: RunFolders) -> None:
    """Their requests have keys of their own, so that an answer to one never ends the other."""
    folders.put("a.pdf", text_pdf(["Harrow Lane"]))
    folders.run()
    folders.engine = engine = KeyEngine()
    order = ask(folders, "a.pdf", "Where is it?")
    assert folders.run(None, ask="Where is it?").documents == {"done": 1}
    answers = [
        result["fields"]["answer"]["value"] for name, result in folders.json("a.pdf")["results"].items() if name != "transcript"
    ]
    assert answers == ["Harrow Lane"]
    assert outcome(folders, order)["answer"] == "Harrow Lane"
    assert len(engine.keys) == len(set(engine.keys)) == 2


def test_questions_without_an_answer_say_why_and_delay_no_document(folders: RunFolders) -> None:
    gone = folders.put("gone.pdf", text_pdf(["Gone"]))
    folders.put("blank.pdf", blank_pdf(1))
    folders.run()
    of_gone, of_blank = ask(folders, "gone.pdf", "What?"), ask(folders, "blank.pdf", "What?")
    beyond = ask(folders, "blank.pdf", "What?", page=9)
    gone.unlink()
    folders.put("new.pdf", text_pdf(["New"]))
    folders.run()
    assert "no longer" in str(outcome(folders, of_gone)["error"])
    assert outcome(folders, of_blank)["answer"] is None
    assert "error" in outcome(folders, beyond)
    assert folders.texts("new.pdf") == ["New"]
    with open_ledger(folders) as ledger:
        assert open_orders(ledger) == []


def test_a_corrected_document_is_published_again_with_every_file_that_holds_it(folders: RunFolders) -> None:
    for name in ("a.pdf", "b.pdf"):
        folders.put(name, text_pdf(["As read"]))
    folders.run()
    with open_ledger(folders) as ledger:
        sha256 = next(ledger.published_files()).sha256
        record_correction(
            ledger,
            sha256,
            Correction("transcript", "text", 1, ["As corrected"], False, ["As read"], "Anna", "2026-01-01T00:00:00Z"),
        )
    count = len(folders.engine.units)
    folders.run()
    assert len(folders.engine.units) == count, "nothing is read again"
    for name in ("a.pdf", "b.pdf"):
        field = folders.json(name)["results"]["transcript"]["fields"]["text"]
        assert (field["value"], field["corrected"]["read"]["value"]) == (["As corrected"], ["As read"])
    assert [row["corrected"] for row in folders.csv("transcript")] == ["text", "text"]


@pytest.mark.parametrize("changed", [False, True])
def test_a_result_with_another_template_stays_until_the_file_changes(folders: RunFolders, changed: bool) -> None:
    path = folders.put("a.pdf", text_pdf(["A page"]))
    folders.run(template=None)
    settings = Settings(inbox=folders.inbox, outbox=folders.outbox, workers=1)
    with open_job(settings, engine=folders.engine) as job, Loop(job, RunCounts()):
        file = job.ledger.file_by_name("a.pdf")
        assert file
        order = place_order(
            job.ledger, "reading", file.sha256, {"name": "a.pdf", "template": "receipt", "engine": None}, "Anna"
        )
        RereadOrders(job, RunCounts()).carry_out()
    assert outcome(folders, order)["status"] == "done"
    assert list(folders.json("a.pdf")["results"]) == ["receipt"]
    folders.engine.units.clear()
    if changed:
        path.write_bytes(text_pdf(["Another page"]))
    folders.run(template=None)
    assert bool(folders.engine.units) == changed


NOTE = """
name: note
prompt: "What is printed on page {{ page }}?"
image: {tokens: 64}
answer: {tokens: 24}
fields:
  line: {type: text, merge: first, description: A line.}
"""


@pytest.mark.slow
def test_a_document_is_read_again_by_the_model_that_the_settings_name(folders: RunFolders, tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    from tests.engines.vlm.tiny import random_checkpoint

    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "note.yaml").write_text(NOTE, encoding="utf-8")
    model = random_checkpoint(tmp_path / "model")
    settings = Settings(
        inbox=folders.inbox,
        outbox=folders.outbox,
        workers=1,
        engine="embedded",
        model=str(model),
        templates=tmp_path / "templates",
    )
    folders.put("a.pdf", text_pdf(["A page"]))
    folders.run()
    with open_job(settings) as job:
        file = job.ledger.file_by_name("a.pdf")
        assert file
        order = place_order(job.ledger, "reading", file.sha256, {"name": "a.pdf", "template": "note", "engine": "vlm"}, "Anna")
        RereadOrders(job, RunCounts()).carry_out()
    result = outcome(folders, order)
    assert str(result["engine"]).startswith("vlm/"), result
    assert folders.json("a.pdf")["provenance"]["engine"] == result["engine"]
    assert list(folders.json("a.pdf")["results"]) == ["note"]
