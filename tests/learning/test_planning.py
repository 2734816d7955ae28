"""What is learned from confirmed documents, and what is not: in this process, on pages of words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from pipeline.learning.confirmed import ConfirmedDocument, Replay
from pipeline.learning.lookup import Lookup
from pipeline.learning.planning import Proposal, plan
from pipeline.learning.teaching import teach
from pipeline.records import Page
from tests.engines.embedded.fields.pages import page
from tests.learning.conftest import INVOICE

ROPES, PANES = ("Quillford Ropeworks Ltd", "GB736190278", "Tarry Walk"), ("Ostravale Glazing Ltd", "GB980780684", "Pane Street")


def drawn(sender: tuple[str, str, str], at: int, *, first: str = "Brimsel", second: str = "Wexnor", due: str = "") -> Page:
    """A bill with two numbers beside invented words: BR-… beside ``first``, QF-… beside ``second``."""
    name, vat, street = sender
    return page(
        [
            (60, 40, name, 16),
            (60, 62, f"{at + 1} {street}, Bristol BS1 4QA"),
            (60, 76, f"VAT no. {vat}"),
            (60, 110, "Bill to: Harbour Kitchens Ltd"),
            (60, 124, "12 Quay Road, Hull HU1 1AA"),
            (60, 160, "Invoice", 18),
            (60, 190, f"{first}: BR-{71000 + 13 * at}"),
            (60, 204, f"{second}: QF-{5000 + 37 * at}"),
            (60, 218, f"Invoice date: 0{at + 1} May 2025"),
            (60, 260, f"Total: GBP {40 + at}.50", 12),
            *([(60, 232, f"{due}: 1{at} June 2025")] if due else []),
        ]
    )


def document(
    sender: tuple[str, str, str], at: int, values: Mapping[str, Any], *, sure: frozenset[str] = frozenset(), **words: str
) -> ConfirmedDocument:
    name = f"{sender[0][0].lower()}{at}"
    return ConfirmedDocument(name, f"{name:0>64}", INVOICE, values, (drawn(sender, at, **words),), sure)


def right(at: int) -> dict[str, str]:
    return {"invoice_number": f"QF-{5000 + 37 * at}"}


@pytest.fixture
def replay() -> Replay:
    return Replay(60)


def only(proposals: list[Proposal]) -> Proposal:
    (proposal,) = proposals
    return proposal


def test_labels_are_learned_before_weights(replay: Replay) -> None:
    proposal = only(plan([document(ROPES, at, right(at)) for at in range(3)], replay)[0])
    (field,) = proposal.fields
    assert (field.field, field.way, field.labels) == ("invoice_number", "labels", ("Wexnor",))
    assert (len(field.mended), field.broken, field.right, field.replayed) == (3, (), 3, 3)


def test_a_shift_of_the_last_layer_mends_alone(replay: Replay) -> None:
    """The word changes from bill to bill: no label can be learned. The place of the number does not."""
    words = ("Wexnor", "Dovrit", "Plimgrat", "Skobanu")
    documents = [document(ROPES, at, right(at), second=words[at]) for at in range(4)]
    lesson = teach(documents[:3], only(plan(documents, replay)[0]).sender, {"invoice_number": "shift"})
    assert lesson.fields["invoice_number"].labels == ()
    assert replay.read(documents[3])["invoice_number"].value == "BR-71039"
    assert replay.read(documents[3], Lookup([lesson]))["invoice_number"].value == right(3)["invoice_number"]


def test_a_document_without_the_value_teaches_that_there_is_none(replay: Replay) -> None:
    documents = [document(ROPES, at, {"invoice_number": None}) for at in range(3)]
    proposal = only(plan(documents, replay)[0])
    assert [field.field for field in proposal.fields] == ["invoice_number"]
    assert proposal.lesson
    other = document(ROPES, 4, {})
    assert replay.read(other)["invoice_number"].value == "BR-71052"
    assert replay.read(other, Lookup([proposal.lesson]))["invoice_number"].value is None


def test_a_sure_value_that_nobody_confirmed_must_not_change(replay: Replay) -> None:
    """One bill is corrected; on two others the number that the program reads was sure, and nobody said that it is wrong."""
    unsaid = [document(ROPES, at, {"total": f"{40 + at}.50"}, sure=frozenset({"invoice_number"})) for at in (1, 2)]
    corrected = [document(ROPES, at, right(at)) for at in (0, 3)]
    proposal = only(plan([*corrected, *unsaid], replay)[0])
    assert proposal.lesson is None
    (refused,) = proposal.refused
    assert (len(refused.mended), sorted(refused.broken)) == (2, ["q1", "q2"])


def test_senders_are_told_apart(replay: Replay) -> None:
    """The same word is right on the bills of one sender and wrong on those of the other."""
    ropes = [document(ROPES, at, right(at)) for at in range(2)]
    panes = [document(PANES, at, right(at), first="Wexnor", second="Dovrit") for at in range(2)]
    proposals, unknown = plan([ropes[0], panes[0], ropes[1], panes[1]], replay)
    assert unknown == []
    assert [(one.sender.names[0], one.fields[0].labels) for one in proposals] == [
        (ROPES[0], ("Wexnor",)),
        (PANES[0], ("Dovrit",)),
    ]


def test_a_new_lesson_keeps_what_the_earlier_one_taught(replay: Replay) -> None:
    """The documents that taught the number are gone; on others the day of payment is corrected that is no due date."""
    first = only(plan([document(ROPES, at, right(at)) for at in range(3)], replay)[0]).lesson
    assert first
    dated = [document(ROPES, at, {"due_date": None}, due="Payment date") for at in (4, 5, 6)]
    proposal = only(plan(dated, replay, Lookup([replace(first, number=1)]))[0])
    assert [field.field for field in proposal.fields] == ["due_date"]
    assert proposal.lesson
    read = replay.read(document(ROPES, 7, {}, due="Payment date"), Lookup([replace(proposal.lesson, number=2)]))
    assert (read["due_date"].value, read["invoice_number"].value) == (None, right(7)["invoice_number"])


def test_a_document_without_a_sender_is_named(replay: Replay) -> None:
    bare = page(
        [(60, 160, "Invoice", 18), (60, 190, "Brimsel: BR-71000"), (60, 204, "Wexnor: QF-5000"), (60, 260, "Total: GBP 40.50")]
    )
    documents = [
        ConfirmedDocument("bare", "0" * 64, INVOICE, {**right(0), "vendor_name": None, "vendor_vat_id": None}, (bare,))
    ]
    assert plan(documents, replay) == ([], ["bare"])
