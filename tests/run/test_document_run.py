"""The state of one document, driven without files, ledger or engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.intake.scan import InboxFile
from pipeline.records import DocumentInfo, Page, PageImage, Source, Word
from pipeline.run.document_run import Action, AskEngine, ChooseTemplate, DocumentRun, EndPages, PageReply
from pipeline.templates.template import PageKind

SHA256 = "f" * 64
TEMPLATES: Mapping[PageKind, str] = {
    "invoice": "invoice",
    "receipt": "receipt",
    "chart": "chart",
    "photo": "caption",
    "text": "transcript",
}
IMAGE = PageImage(1, 1, b"\0\0\0", 1.0)


def new_run(page_limit: int = 10) -> DocumentRun:
    file = InboxFile(Source(Path("/inbox/a.pdf"), "a.pdf", "a.pdf"), 1, 1)
    return DocumentRun(file, SHA256, published={}, page_limit=page_limit, templates_by_kind=TEMPLATES)


def document(pages: int) -> DocumentInfo:
    return DocumentInfo(SHA256, "pdf", pages)


def recipes(*templates: str) -> dict[str, str]:
    return {template: f"recipe of {template}" for template in templates}


def planned_run(pages: int, *templates: str, page_limit: int = 10) -> tuple[DocumentRun, list[Action]]:
    """A run whose templates are known before it is opened, and its first actions."""
    run = new_run(page_limit)
    return run, run.plan(document(pages), recipes(*templates), dict.fromkeys(templates, ()))


def page(number: int, *, blank: bool = False) -> Page:
    return Page(number, 600, 800, () if blank else (Word("word", (0, 0, 1, 1), 0),), blank=blank)


def reply(number: int, kind: PageKind | None = None, *, blank: bool = False, **images: PageImage) -> PageReply:
    return PageReply(number, page(number, blank=blank), kind, images)


def choose(run: DocumentRun, actions: list[Action], ended: Mapping[str, Collection[int]] | None = None) -> list[Action]:
    """Carry out the choice of a template, which must be the only action. Returns the next actions."""
    (action,) = actions
    assert isinstance(action, ChooseTemplate)
    return run.plan(action.document, recipes(action.template), ended or {action.template: ()})


def requests(actions: list[Action]) -> list[tuple[int, str]]:
    """Page and template of the actions, which must all be requests to the engine."""
    assert all(isinstance(action, AskEngine) for action in actions)
    return [(action.page.number, action.template) for action in actions if isinstance(action, AskEngine)]


def test_a_document_goes_from_opening_to_complete() -> None:
    run = new_run()
    assert (run.phase, run.has_page_to_read) == ("opening", False)
    assert run.plan(document(2), None, {}) == []
    assert (run.phase, run.has_page_to_read) == ("choosing", True)
    assert run.next_page() == 1
    assert not run.has_page_to_read, "pages are read one at a time while no template is chosen"
    assert requests(choose(run, run.page_replied(reply(1, "invoice")))) == [(1, "invoice")]
    assert (run.phase, run.open_units, run.pages_with_engine) == ("reading", {1: ["invoice"], 2: ["invoice"]}, {1})
    assert run.next_page() == 2
    assert not run.has_page_to_read
    assert requests(run.page_replied(reply(2))) == [(2, "invoice")]
    run.unit_ended(2, "invoice")
    assert run.phase == "reading"
    run.unit_ended(1, "invoice")
    assert (run.phase, run.open_units, run.pages_with_engine) == ("complete", {}, set())


def test_pages_of_a_document_with_known_templates_are_all_read_at_once_in_order() -> None:
    run, actions = planned_run(3, "invoice", "transcript")
    assert (actions, run.phase) == ([], "reading")
    assert [run.next_page() for _ in range(3)] == [1, 2, 3]
    with pytest.raises(IndexError):
        run.next_page()
    assert requests(run.page_replied(reply(3))) == [(3, "invoice"), (3, "transcript")]


def test_units_that_an_earlier_run_has_ended_are_not_read_again() -> None:
    run = new_run()
    run.plan(document(3), recipes("invoice", "transcript"), {"invoice": {1, 2}, "transcript": {2}})
    assert run.open_units == {3: ["invoice", "transcript"], 1: ["transcript"]}
    assert [run.next_page(), run.next_page()] == [1, 3]


def test_a_document_whose_units_have_all_ended_completes_at_once() -> None:
    run = new_run()
    assert run.plan(document(1), recipes("invoice"), {"invoice": {1}}) == []
    assert run.phase == "complete"


@pytest.mark.parametrize("templates", [None, recipes("invoice")])
def test_a_document_that_cannot_be_opened_completes_at_once(templates: dict[str, str] | None) -> None:
    run = new_run()
    assert run.plan(DocumentInfo(SHA256, "", 0, "unreadable"), templates, {"invoice": ()}) == []
    assert (run.phase, run.has_page_to_read) == ("complete", False)
    assert run.recipes == (templates or {})


@pytest.mark.parametrize("templates", [None, recipes("invoice")])
def test_a_document_without_pages_completes_at_once(templates: dict[str, str] | None) -> None:
    run = new_run()
    assert run.plan(document(0), templates, {"invoice": ()}) == []
    assert (run.phase, run.recipes) == ("complete", templates or {})


def test_a_cover_is_held_back_until_the_next_page_chooses_the_template_for_both() -> None:
    run = new_run()
    run.plan(document(2), None, {})
    run.next_page()
    assert run.page_replied(reply(1)) == []
    assert run.phase == "choosing"
    assert run.next_page() == 2
    assert requests(choose(run, run.page_replied(reply(2, "invoice")))) == [(1, "invoice"), (2, "invoice")]
    assert not run.has_page_to_read, "both pages are read already"


@pytest.mark.parametrize("kind", ["chart", "photo"])
def test_a_picture_behind_a_cover_makes_the_document_a_transcript(kind: PageKind) -> None:
    run = new_run()
    run.plan(document(2), None, {})
    run.next_page()
    run.page_replied(reply(1))
    run.next_page()
    assert requests(choose(run, run.page_replied(reply(2, kind)))) == [(1, "transcript"), (2, "transcript")]


@pytest.mark.parametrize(("kind", "template"), [("chart", "chart"), ("photo", "caption")])
def test_a_picture_behind_a_blank_page_keeps_its_template(kind: PageKind, template: str) -> None:
    run = new_run()
    run.plan(document(2), None, {})
    run.next_page()
    run.page_replied(reply(1, blank=True))
    run.next_page()
    assert choose(run, run.page_replied(reply(2, kind))) == [EndPages([1], "blank"), AskEngine(page(2), template)]


def test_a_document_without_any_kind_falls_back_to_a_transcript() -> None:
    run = new_run()
    run.plan(document(2), None, {})
    for number in (1, 2):
        assert run.next_page() == number
        actions = run.page_replied(reply(number))
    assert requests(choose(run, actions)) == [(1, "transcript"), (2, "transcript")]


def test_a_page_that_fails_while_the_template_is_chosen_ends_when_it_is() -> None:
    run = new_run()
    run.plan(document(2), None, {})
    run.next_page()
    assert run.page_replied(PageReply(1, reason="unreadable", detail="damaged", seconds=2.0)) == []
    run.next_page()
    actions = choose(run, run.page_replied(reply(2, "receipt")))
    assert actions == [EndPages([1], "failed", "unreadable", "damaged", 2.0), AskEngine(page(2), "receipt")]


@pytest.mark.parametrize("blank", [False, True])
def test_a_page_that_was_read_only_for_its_kind_ends_no_unit(blank: bool) -> None:
    """The contents were read before with a template that the command line named, under another name."""
    run = new_run()
    run.plan(document(1), None, {})
    run.next_page()
    assert choose(run, run.page_replied(reply(1, blank=blank)), {"transcript": {1}}) == []
    assert (run.phase, run.pages_with_engine) == ("complete", set())


def test_the_image_of_the_page_that_chooses_goes_to_the_chosen_template() -> None:
    run = new_run()
    run.plan(document(1), None, {})
    run.next_page()
    assert choose(run, run.page_replied(reply(1, "photo", photo=IMAGE))) == [AskEngine(page(1), "caption", IMAGE)]


def test_each_template_gets_its_own_image() -> None:
    run, _ = planned_run(1, "invoice", "transcript")
    run.next_page()
    assert run.page_replied(reply(1, invoice=IMAGE)) == [
        AskEngine(page(1), "invoice", IMAGE),
        AskEngine(page(1), "transcript"),
    ]


def test_pages_above_the_limit_are_skipped_and_never_read() -> None:
    run, actions = planned_run(4, "invoice", page_limit=2)
    assert actions == [EndPages([3, 4], "skipped", "too_large", "above limits.pages")]
    assert [run.next_page(), run.next_page()] == [1, 2]
    assert not run.has_page_to_read


def test_the_template_is_chosen_below_the_page_limit() -> None:
    run = new_run(page_limit=1)
    run.plan(document(3), None, {})
    run.next_page()
    assert not run.has_page_to_read
    actions = choose(run, run.page_replied(reply(1)))
    assert actions == [EndPages([2, 3], "skipped", "too_large", "above limits.pages"), AskEngine(page(1), "transcript")]


def test_blank_and_failed_pages_end_without_the_engine() -> None:
    run, _ = planned_run(2, "invoice")
    assert run.page_replied(reply(1, blank=True)) == [EndPages([1], "blank")]
    assert run.page_replied(PageReply(2, reason="timeout", detail="slow", seconds=3.0)) == [
        EndPages([2], "failed", "timeout", "slow", 3.0)
    ]
    assert run.pages_with_engine == set()


def test_the_end_of_an_unknown_unit_changes_nothing() -> None:
    run, _ = planned_run(1, "invoice")
    run.unit_ended(1, "receipt")
    run.unit_ended(9, "invoice")
    assert (run.phase, run.open_units) == ("reading", {1: ["invoice"]})


@settings(deadline=None)
@given(st.data())
def test_every_unit_ends_exactly_once_in_any_order(data: st.DataObject) -> None:
    """Pages are handed out, replies arrive and answers come in an arbitrary order, as with several readers and a batching engine."""
    pages, limit = data.draw(st.integers(0, 6), "pages"), data.draw(st.integers(1, 6), "limit")
    templates = data.draw(
        st.none() | st.lists(st.sampled_from(sorted(TEMPLATES.values())), min_size=1, unique=True), "templates"
    )
    ended = {template: data.draw(st.sets(st.integers(1, 6)), f"ended {template}") for template in sorted(TEMPLATES.values())}
    run = new_run(limit)
    read: list[int] = []
    at_readers: list[int] = []
    at_engine: list[tuple[int, str]] = []
    ends: Counter[tuple[int, str]] = Counter()

    def carry_out(actions: list[Action]) -> None:
        for action in actions:
            match action:
                case ChooseTemplate(info, template):
                    carry_out(run.plan(info, recipes(template), ended))
                case AskEngine(page_read, template):
                    at_engine.append((page_read.number, template))
                case EndPages(numbers):
                    for unit in [(number, template) for number in numbers for template in list(run.open_units[number])]:
                        end(unit)

    def end(unit: tuple[int, str]) -> None:
        ends[unit] += 1
        run.unit_ended(*unit)

    def page_reply(number: int) -> PageReply:
        outcome = data.draw(st.sampled_from(["failed", "blank", None, *TEMPLATES]), f"page {number}")
        if outcome == "failed":
            return PageReply(number, reason="unreadable")
        if outcome == "blank":
            return reply(number, blank=True)
        return reply(number, outcome if run.recipes is None else None)  # type: ignore[arg-type]

    carry_out(run.plan(document(pages), recipes(*templates) if templates else None, ended))
    while run.has_page_to_read or at_readers or at_engine:
        steps = ["read"] * run.has_page_to_read + ["reply"] * bool(at_readers) + ["answer"] * bool(at_engine)
        step = data.draw(st.sampled_from(steps), "step")
        if step == "read":
            at_readers.append(run.next_page())
            read.append(at_readers[-1])
        elif step == "reply":
            number = data.draw(st.sampled_from(at_readers), "reply")
            at_readers.remove(number)
            carry_out(run.page_replied(page_reply(number)))
        else:
            unit = data.draw(st.sampled_from(at_engine), "answer")
            at_engine.remove(unit)
            end(unit)

    assert run.phase == "complete"
    units = {(number, template) for template in run.recipes or () for number in range(1, pages + 1)}
    assert set(ends) == {(number, template) for number, template in units if number not in ended[template]}
    assert set(ends.values()) <= {1}
    assert len(read) == len(set(read)), "no page is read twice"
    assert all(number <= limit for number in read)
