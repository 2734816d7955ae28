"""``pipeline learn``: what people correct mends the next documents of the sender, and can be taken back."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from tests.learning.conftest import Office
from tests.learning.drawn_bills import OSTRA, QUILL, bill, bill_number, other_number


def put(office: Office, sender: object, *numbers: int) -> None:
    for at in numbers:
        office.put(f"{'q' if sender is QUILL else 'o'}{at}.pdf", bill(QUILL if sender is QUILL else OSTRA, at))


def taught(office: Office, *, documents: int = 2) -> None:
    """Bills of one sender, read, corrected, and learned from."""
    put(office, QUILL, *range(documents))
    office.read()
    for at in range(documents):
        assert office.number(f"q{at}.pdf") == other_number(at)  # the page calls its number by a word that is in no language
        office.correct(f"q{at}.pdf", "invoice_number", bill_number(at))
    assert office.learn("--yes")["recorded"] == [1]


def test_two_corrected_bills_mend_the_third_one(office: Office) -> None:
    put(office, QUILL, 0, 1)
    office.read()
    for at in (0, 1):
        office.correct(f"q{at}.pdf", "invoice_number", bill_number(at))
    shown = office.learn()
    (sender,) = shown["senders"]
    (field,) = sender["fields"]
    assert sender["sender"]["vat_ids"] == [QUILL.vat_id]
    assert (field["field"], field["mended"], field["broken"]) == ("invoice_number", ["q0.pdf", "q1.pdf"], [])
    assert field["labels"] == ["Wexnor"]
    put(office, QUILL, 2)
    office.read()
    assert office.number("q2.pdf") == other_number(2), "nothing is used that was only shown"

    assert office.learn("--yes")["recorded"] == [1]
    put(office, QUILL, 3)
    office.read()
    assert office.number("q3.pdf") == bill_number(3)
    assert "learned:1" in office.fields("q3.pdf")["invoice_number"]["flags"]
    assert office.number("q2.pdf") == other_number(2), "what was read before stays"
    office.reread("--learned")
    assert office.number("q2.pdf") == bill_number(2)
    assert office.learn()["senders"][0]["reason"].startswith("nothing to learn")


def test_a_document_that_was_published_again_since_is_read_again(office: Office) -> None:
    put(office, QUILL, 2)
    taught(office)
    office.correct("q2.pdf", "due_date", "2025-07-01")
    put(office, QUILL, 3)
    office.read()  # publishes the corrected one again
    assert office.fields("q2.pdf")["due_date"]["value"] == "2025-07-01"
    assert office.number("q2.pdf") == other_number(2)
    office.reread("--learned")
    assert office.number("q2.pdf") == bill_number(2)


def test_one_corrected_bill_is_too_little(office: Office) -> None:
    put(office, QUILL, 0)
    office.read()
    office.correct("q0.pdf", "invoice_number", bill_number(0))
    (sender,) = office.learn("--yes")["senders"]
    assert sender["lesson"] is None
    assert "too few documents" in sender["reason"]


def test_what_breaks_as_much_as_it_mends_is_not_used(office: Office) -> None:
    """Two people disagree: for half of the bills the one number is right, for half of them the other."""
    put(office, QUILL, 0, 1, 2, 3)
    office.read()
    for at in range(4):
        office.correct(f"q{at}.pdf", "invoice_number", bill_number(at) if at % 2 else other_number(at))
    shown = office.learn("--yes")
    (sender,) = shown["senders"]
    assert shown["recorded"] == []
    assert sender["lesson"] is None
    assert "mends more" in sender["reason"]


def test_undo_gives_the_answers_back_byte_for_byte(office: Office) -> None:
    put(office, QUILL, 0, 1, 2)
    office.read()
    before = answers(office)
    for at in (0, 1):
        office.correct(f"q{at}.pdf", "invoice_number", bill_number(at))
    office.learn("--yes")
    office.reread("--learned")
    assert answers(office) != before
    assert office.learn("--undo") == {"undone": 1, "documents": ["q0.pdf", "q1.pdf", "q2.pdf"]}
    office.read()
    assert answers(office) == before
    (listed,) = office.learn("--list")
    assert listed["undone_at"] is not None
    assert listed["documents"] == []


def answers(office: Office) -> list[tuple[object, ...]]:
    """Contents of all answers as the ledger holds them."""
    with closing(sqlite3.connect(office.outbox / ".pipeline/ledger.sqlite")) as db:
        return list(db.execute("SELECT sha256, page, template, recipe, status, fields FROM units ORDER BY sha256, page"))


@pytest.mark.slow
def test_two_senders_do_not_disturb_each_other(office: Office) -> None:
    """The word of the one sender stands beside the wrong number on the bills of the other one."""
    put(office, QUILL, 0, 1)
    put(office, OSTRA, 0, 1)
    office.read()
    for at in (0, 1):
        office.correct(f"q{at}.pdf", "invoice_number", bill_number(at))
    office.learn("--yes")
    put(office, OSTRA, 2)
    office.read()
    assert not office.fields("o2.pdf")["invoice_number"]["flags"]
    for at in (0, 1):
        office.correct(f"o{at}.pdf", "invoice_number", bill_number(at))
    assert office.learn("--yes")["recorded"] == [2]
    put(office, QUILL, 3)
    put(office, OSTRA, 3)
    office.read()
    assert (office.number("q3.pdf"), office.number("o3.pdf")) == (bill_number(3), bill_number(3))
    assert office.fields("q3.pdf")["invoice_number"]["flags"] == ["learned:1"]
    assert office.fields("o3.pdf")["invoice_number"]["flags"] == ["learned:2"]


def test_a_sender_that_another_page_only_names_teaches_it_nothing(office: Office) -> None:
    """Another firm prints name and VAT id of the sender on a page of its own layout."""
    taught(office)
    stranger = replace(OSTRA, word="Wexnor", other="Dovrit")
    office.put("s.pdf", bill(stranger, 4, lines=[f"As agreed with {QUILL.name}, VAT no. {QUILL.vat_id}."]))
    office.read()
    assert not any("learned:1" in field["flags"] for field in office.fields("s.pdf").values())


@pytest.mark.slow
def test_a_learned_value_is_no_surer_than_its_replays(office: Office) -> None:
    taught(office)
    put(office, QUILL, 2)
    office.read()
    learned = [item for *_, fields in answers(office) for item in json.loads(str(fields)).values() if item["flags"]]
    assert [item["value"] for item in learned] == [bill_number(2)]
    assert learned[0]["score"] == 0.75  # two replays, both right: (2 + 1) / (2 + 2)


def test_documents_without_their_file_are_left_out_and_named(office: Office) -> None:
    put(office, QUILL, 0, 1, 2)
    office.read()
    for at in range(3):
        office.correct(f"q{at}.pdf", "invoice_number", bill_number(at))
    (office.inbox / "q1.pdf").unlink()
    (office.inbox / "q2.pdf").write_bytes(bill(QUILL, 9))
    shown = office.learn()
    assert "is no longer at" in shown["left_out"]["q1.pdf"]
    assert "has changed" in shown["left_out"]["q2.pdf"]
    assert shown["senders"][0]["documents"] == ["q0.pdf"]


@pytest.mark.parametrize("arguments", [("--undo", "7"), ("--undo", "x"), ("--undo", "1", "--list")])
def test_wrong_arguments_change_nothing(office: Office, arguments: tuple[str, ...]) -> None:
    taught(office)
    code, _, err = office.run("learn", *arguments)
    assert code == 2
    assert "pipeline learn --list" in err or "one of them" in err
    assert [one["undone_at"] for one in office.learn("--list")] == [None]


@pytest.mark.slow
def test_a_lost_ledger_gets_its_lessons_back(office: Office) -> None:
    taught(office)
    for path in (office.outbox / ".pipeline").glob("ledger.sqlite*"):
        path.unlink()
    put(office, QUILL, 2)
    office.read()
    assert office.number("q2.pdf") == bill_number(2)
    assert [one["lesson"] for one in office.learn("--list")] == [1]


@pytest.mark.slow
def test_the_text_names_fields_documents_and_labels(office: Office) -> None:
    put(office, QUILL, 0, 1)
    office.read()
    for at in (0, 1):
        office.correct(f"q{at}.pdf", "invoice_number", bill_number(at))
    code, out, _ = office.run("learn", "--yes")
    assert code == 0
    assert f"{QUILL.name} ({QUILL.vat_id}), template invoice: 2 documents with confirmed values" in out
    assert "label “Wexnor”" in out
    assert "invoice_number would be mended in: q0.pdf, q1.pdf" in out
    assert "pipeline learn --undo" in out
