"""A language model's answers beside the embedded engine's reading of the same page: what it is asked, and what is published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.engines.base import Request
from pipeline.records import Answer, Claim
from pipeline.settings import configs_folder
from pipeline.templates.load import load_template
from tests.drawing import text_pdf
from tests.run.conftest import EchoEngine, RunFolders

PAGE = (
    "Harrow Lane Tools Ltd\n12 Mill Street, Leeds LS1 4AB\n\nINVOICE\nInvoice no. R-4711\nInvoice date 12 March 2025\n\n"
    "Subtotal 100.00\nVAT 19.00\nTotal EUR 119.00"
)


class ModelEngine(EchoEngine):
    """Has the identity of a language model, and answers each field that it is asked with a value of ``values``."""

    identity = "vlm/3 scripted"

    def __init__(self, *, retries: int = 0, **values: Any) -> None:
        super().__init__()
        self.values, self.retries = values, retries
        self.requests: list[Request] = []

    def respond(self, request: Request) -> Answer:
        self.requests.append(request)
        return Answer(
            request.key,
            {name: Claim(self.values.get(name), signals={"token probability": 0.9}) for name in request.template.fields},
        )


def published(folders: RunFolders, engine: ModelEngine) -> Any:
    folders.engine = engine
    folders.put("a.pdf", text_pdf([PAGE]))
    folders.run("invoice")
    return folders.json("a.pdf")["results"]["invoice"]


def test_only_fields_that_are_not_read_for_sure_are_asked(folders: RunFolders) -> None:
    engine = ModelEngine()
    fields = published(folders, engine)["fields"]
    (request,) = engine.requests
    assert "total" not in request.template.fields
    assert "line_items" in request.template.fields
    assert request.reading is not None
    assert request.reading["total"].value == "119.00"
    assert (fields["total"]["value"], fields["invoice_number"]["value"]) == ("119.00", "R-4711")


def test_what_the_model_reads_has_a_confidence(folders: RunFolders) -> None:
    engine = ModelEngine(buyer_name="Harrow Lane Tools Ltd", due_date="2025-03-12")
    result = published(folders, engine)
    details = {
        name for name, field in load_template(configs_folder() / "templates" / "invoice.yaml").fields.items() if field.detail
    }
    known = {name: field["confidence"] for name, field in result["fields"].items() if name not in details | {"line_items"}}
    assert all(0 < sure < 1 for name, sure in known.items() if name != "document_type")
    assert not {name for name, field in result["fields"].items() if field["value"] and field["confidence"] == 1}


def test_a_field_that_the_page_does_not_have_is_empty_or_named_for_review(folders: RunFolders) -> None:
    engine = ModelEngine(buyer_name="Mill Street", due_date="2025-03-12", prepaid="19.00", vendor_vat_id="R-4711")
    result = published(folders, engine)
    filled = [name for name in engine.values if result["fields"][name]["value"] and name not in result["review"]]
    assert filled == []


def test_a_value_that_another_answer_cannot_change_is_not_asked_again(folders: RunFolders) -> None:
    engine = ModelEngine(retries=2, vendor_vat_id="DE000000000")
    published(folders, engine)
    assert len(engine.requests) == 1


SUM = """
name: sum
prompt: "Read {{ words }}"
fields:
  subtotal: {type: money, merge: last, labels: {from: invoice.subtotal}}
  tax_total: {type: money, merge: last, labels: {from: invoice.tax_total}}
  total: {type: money, merge: last, labels: {from: invoice.total}}
checks: [{name: whole, sum: [subtotal, tax_total], equals: total}]
"""


def test_a_page_that_is_read_for_sure_is_not_sent_to_the_model(folders: RunFolders, tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "sum.yaml").write_text(SUM, encoding="utf-8")
    folders.changes["templates"] = tmp_path / "templates"
    engine = ModelEngine(total="19.00")
    folders.engine = engine
    for name in ("a.pdf", "b.pdf"):
        folders.put(name, text_pdf([PAGE.replace("R-4711", name)]))
    folders.run("sum")
    assert engine.requests == []
    assert [folders.json(name)["results"]["sum"]["fields"]["total"]["value"] for name in ("a.pdf", "b.pdf")] == ["119.00"] * 2
