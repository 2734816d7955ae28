"""An engine that reads a whole page may mix the documents on it: every value is then named for review."""

from __future__ import annotations

from dataclasses import replace

from pipeline.engines.base import Request
from pipeline.engines.embedded.fields import read_fields
from pipeline.records import Answer
from tests.drawing import invoice, invoice_pdf
from tests.engines.embedded.fields.test_sheet_documents import second, sheet
from tests.run.conftest import EchoEngine, RunFolders


class OneDocumentEngine(EchoEngine):
    """Reads the page as if it were one document: from its second half."""

    def respond(self, request: Request) -> Answer:
        words = tuple(word for word in request.page.words if word.box[0] >= request.page.width / 2)
        claims = read_fields(replace(request.page, words=words), request.template)
        return Answer(request.key, {name: replace(claim, words=()) for name, claim in claims.items()})


def test_values_of_any_engine_are_named_on_a_sheet_with_two_invoices(folders: RunFolders) -> None:
    folders.engine = OneDocumentEngine()
    first = invoice("en")
    folders.put("one.pdf", invoice_pdf(first))
    folders.put("two.pdf", sheet(invoice_pdf(first), invoice_pdf(second(first)), "beside"))
    folders.run("invoice")
    results = {name: folders.json(name)["results"]["invoice"] for name in ("one.pdf", "two.pdf")}
    fields = results["two.pdf"]["fields"]
    assert "several-documents" in fields["total"]["flags"]
    assert {name for name, field in fields.items() if field["value"] is not None} == {
        name for name in results["two.pdf"]["review"] if fields[name]["value"] is not None
    }
    assert not any("several-documents" in field["flags"] for field in results["one.pdf"]["fields"].values())
