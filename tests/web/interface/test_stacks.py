"""A stack is split and merged by dragging its pages, or by keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.ledger.orders import open_orders
from pipeline.monitoring.events import Observer
from pipeline.run.job import open_job
from pipeline.run.loop import Loop
from tests.run.processes import wait_for
from tests.web.interface.conftest import DESKTOP, PHONE, ServedOutbox

axe = pytest.importorskip("axe_playwright_python.sync_playwright")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
OpenPage = Callable[..., Any]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["1280", "390"])
def test_pages_are_dragged_to_other_documents_and_moved_by_keys(
    outbox: ServedOutbox, open_page: OpenPage, size: dict[str, int]
) -> None:
    id = outbox.add_invoice(f"stack{size['width']}.pdf", pages=4)  # noqa: A001 - as in the addresses
    page = open_page(f"/documents/{id}", size)
    page.locator(".split summary").click()
    pages = page.get_by_label("Pages of each document")
    assert pages.input_value() == "1-4"
    page.get_by_label("page 3", exact=True).hover()
    page.mouse.down()
    page.get_by_role("group", name="A new document").hover()
    page.mouse.up()
    assert pages.input_value() == "1-2+4,3"
    page.get_by_label("page 4", exact=True).press("ArrowDown")
    assert pages.input_value() == "1-2,3-4"
    page.get_by_label("page 2", exact=True).press("Enter")
    assert pages.input_value() == "1,2,3-4"
    page.get_by_role("button", name="Merge with the next").first.click()
    page.get_by_label("page 4", exact=True).press("Delete")
    assert pages.input_value() == "1-2,3"
    assert page.get_by_role("group", name="In no document").get_by_label("page 4").is_visible()
    violations = axe.Axe().run(page).response["violations"]
    serious = [item for item in violations if item["impact"] in ("serious", "critical")]
    assert [(item["id"], [node["html"] for node in item["nodes"]][:3]) for item in serious] == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    with page.expect_response("**/split") as answer:
        page.get_by_role("button", name="Split", exact=True).click()
    assert answer.value.status == 202
    *_, row = outbox.folder.ledger.rows("SELECT decision FROM person_splits ORDER BY at")
    assert [one["pages"] for one in json.loads(row["decision"])["documents"]] == [[1, 2], [3]]


def test_after_a_split_the_first_of_its_documents_is_shown(outbox: ServedOutbox, open_page: OpenPage) -> None:
    from pipeline.web.context import document_id

    id = outbox.add_invoice("cut.pdf", pages=3)  # noqa: A001 - as in the addresses
    page = open_page(f"/documents/{id}")
    page.locator(".split summary").click()
    page.get_by_label("Pages of each document").fill("1-2,3")
    with page.expect_response("**/split", timeout=15_000) as answer:
        page.get_by_role("button", name="Split", exact=True).click()
    assert answer.value.status == 202
    with open_job(outbox.folder.settings) as job, Loop(job, Observer()) as loop:
        loop.answer_questions()
        wait_for(lambda: not open_orders(job.ledger, "publishing"))
    page.wait_for_url(f"**/documents/{document_id('cut.pdf/1-2')}**")
    page.get_by_text("Part of").wait_for()
