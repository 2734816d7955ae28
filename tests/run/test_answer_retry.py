"""Retries of answers that fail their checks: the requests that the engine gets, and the results in the outbox."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pipeline.engines.answers import failed_answer
from pipeline.engines.base import Request
from pipeline.records import Answer, Claim
from pipeline.templates.template import Template
from tests.drawing import text_pdf
from tests.run.conftest import EchoEngine, RunFolders

PAGE = "Invoice no. R-4711\nDate 12.03.2025\n\n\n\n\n\n\n\n\n\n\n\n\nSubtotal 100.00\nVAT 19.00\nTotal 119.00"
RIGHT = {"invoice_number": "R-4711", "subtotal": "100.00", "tax_total": "19.00", "total": "119.00"}
Script = Callable[[Request, int], Answer | dict[str, Any]]


class ScriptedEngine(EchoEngine):
    """Answers by a script, which gets the request and the number of requests before it."""

    def __init__(self, script: Script, *, retries: int = 2, accepts_images: bool = False) -> None:
        super().__init__()
        self.script, self.accepts_images = script, accepts_images
        self.retries = retries
        self.requests: list[Request] = []

    def wants_image(self, template: Template) -> bool:
        del template
        return self.accepts_images

    def respond(self, request: Request) -> Answer:
        self.requests.append(request)
        scripted = self.script(request, len(self.requests) - 1)
        if isinstance(scripted, dict):
            return Answer(request.key, {name: Claim(scripted.get(name)) for name in request.template.fields})
        return scripted


def fields_of(folders: RunFolders, name: str = "a.pdf") -> Any:
    return folders.json(name)["results"]["invoice"]["fields"]


def run_script(folders: RunFolders, script: Script, **engine: Any) -> ScriptedEngine:
    scripted = ScriptedEngine(script, **engine)
    folders.engine = scripted
    folders.put("a.pdf", text_pdf([PAGE]))
    folders.run("invoice")
    return scripted


def test_an_answer_that_passes_its_checks_is_not_retried(folders: RunFolders) -> None:
    engine = run_script(folders, lambda request, number: RIGHT)
    assert [request.temperature for request in engine.requests] == [0]
    assert fields_of(folders)["total"]["value"] == "119.00"


def test_a_value_that_is_not_on_the_page_is_retried_on_the_part_with_its_label(folders: RunFolders) -> None:
    engine = run_script(
        folders, lambda request, number: RIGHT | ({"invoice_number": "R-4712"} if number == 0 else {}), accepts_images=True
    )
    first, second = engine.requests
    assert list(second.template.fields) == ["invoice_number"]
    assert "Invoice" in " ".join(word.text for word in second.page.words)
    assert "Total" not in " ".join(word.text for word in second.page.words)
    assert first.image
    assert second.image
    assert second.image.scale > 1.5 * first.image.scale, "enlarged"
    assert second.image.height < second.image.width / 2, "a part of the page"
    field = fields_of(folders)["invoice_number"]
    assert (field["value"], field["flags"]) == ("R-4711", [])


def test_a_unit_that_has_killed_engines_is_not_asked_again(folders: RunFolders) -> None:
    engine = run_script(folders, lambda request, number: replace(failed_answer(request, "it killed three engines"), final=True))
    assert len(engine.requests) == 1
    assert folders.json("a.pdf")["status"] == "failed"


def test_a_second_answer_that_is_no_better_changes_nothing(folders: RunFolders) -> None:
    engine = run_script(folders, lambda request, number: RIGHT | {"invoice_number": f"R-{number}"})
    assert len(engine.requests) == 2
    field = fields_of(folders)["invoice_number"]
    assert (field["value"], field["flags"]) == ("R-0", ["ungrounded"])


def test_a_wrong_sum_is_retried_at_rising_temperature_and_the_first_of_equal_answers_wins(folders: RunFolders) -> None:
    engine = run_script(folders, lambda request, number: RIGHT | {"total": "100.00"})
    assert [request.temperature for request in engine.requests] == [0, 0, 0.3, 0.6]
    assert [set(request.template.fields) for request in engine.requests[1:]] == [{"subtotal", "tax_total", "total"}] * 3
    assert fields_of(folders)["total"]["value"] == "100.00"
    assert any(flag.startswith("sum:") for flag in fields_of(folders)["total"]["flags"])


def test_the_last_retry_has_an_image_of_higher_resolution(folders: RunFolders) -> None:
    engine = run_script(folders, lambda request, number: RIGHT | {"total": "100.00"}, accepts_images=True)
    areas = [request.image.width * request.image.height for request in engine.requests if request.image]
    assert len(areas) == 4
    assert areas[3] > 1.4 * areas[0]
    assert areas[2] == pytest.approx(areas[0], rel=0.02)


def test_a_better_answer_at_a_higher_temperature_wins(folders: RunFolders) -> None:
    run_script(folders, lambda request, number: RIGHT | ({"total": "100.00"} if number < 3 else {}))
    assert fields_of(folders)["total"]["value"] == "119.00"
    assert fields_of(folders)["total"]["flags"] == []


def truncated(request: Request) -> Answer:
    claims = {"invoice_number": Claim("R-4711"), "total": Claim("11", flags=("truncated",))}
    return Answer(request.key, claims, "failed", "too_large", "the answer is longer than answer.tokens of `invoice` (8)")


def test_a_truncated_answer_is_retried_for_all_fields(folders: RunFolders) -> None:
    engine = run_script(folders, lambda request, number: RIGHT if number else truncated(request))
    assert [request.temperature for request in engine.requests] == [0, 0.3]
    assert engine.requests[1].template == engine.requests[0].template
    assert folders.json("a.pdf")["status"] == "done"


def test_values_before_the_truncation_are_kept_and_the_document_is_partial(folders: RunFolders) -> None:
    engine = run_script(folders, lambda request, number: truncated(request))
    assert len(engine.requests) == 3
    document = folders.json("a.pdf")
    assert (document["status"], document["reason"]) == ("partial", "too_large")
    assert "answer.tokens" in document["pages"][0]["detail"]
    assert fields_of(folders)["invoice_number"]["value"] == "R-4711"
    assert "truncated" in fields_of(folders)["total"]["flags"]


def test_without_retries_no_unit_is_requested_twice(folders: RunFolders) -> None:
    engine = run_script(folders, lambda request, number: RIGHT | {"total": "1.00"}, retries=0)
    assert len(engine.requests) == 1


def test_a_missed_row_is_no_reason_to_retry_the_total(folders: RunFolders) -> None:
    rows = [{"description": "Oak boards", "quantity": None, "unit_price": None, "amount": "19.00"}]
    engine = run_script(folders, lambda request, number: RIGHT | {"line_items": rows})
    assert len(engine.requests) == 1
    assert any(flag.startswith("sum:") for flag in fields_of(folders)["line_items"]["flags"])


def test_retries_of_many_pages_reach_the_right_pages(folders: RunFolders) -> None:
    def script(request: Request, number: int) -> dict[str, Any]:
        numbers = [word.text for word in request.page.words if word.text.startswith("R-")]
        first = len(request.template.fields) > 3
        return {"invoice_number": "wrong" if first else numbers[0] if numbers else None}

    folders.engine = ScriptedEngine(script)
    for number in range(12):
        folders.put(f"{number}.pdf", text_pdf([PAGE.replace("R-4711", f"R-{number}0")]))
    folders.run("invoice")
    assert [fields_of(folders, f"{number}.pdf")["invoice_number"]["value"] for number in range(12)] == [
        f"R-{number}0" for number in range(12)
    ]


def test_another_number_of_retries_is_another_recipe(folders: RunFolders) -> None:
    engine = run_script(folders, lambda request, number: RIGHT)
    folders.run("invoice")
    assert len(engine.requests) == 1
    engine.retries = 0
    folders.run("invoice")
    assert len(engine.requests) == 2
