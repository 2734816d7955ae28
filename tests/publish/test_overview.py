"""The table with one line a document, as a spreadsheet opens it by a double click."""

from __future__ import annotations

import codecs
from dataclasses import replace
from pathlib import Path

from pipeline.publish.csv_dialect import DIALECTS
from pipeline.publish.overview import overview_csv
from pipeline.run.compose import publications
from tests.web.review.building import TEMPLATES, PageRead, ReviewFolder, grounded


def test_invoices_and_receipts_stand_in_one_table_with_the_amounts_of_a_language(tmp_path: Path) -> None:
    folder = ReviewFolder(tmp_path)
    invoice = {"vendor_name": "Möbel & Söhne", "invoice_number": "0012", "subtotal": "100.00", "tax_total": "19.00"}
    receipt = {"vendor_name": "=cmd()", "date": "2025-03-01", "total": "1400.50"}
    for name, template, values in (("a.pdf", "invoice", invoice), ("b.jpg", "receipt", receipt), ("c.txt", "transcript", {})):
        fields = {key: grounded(value, confidence=0.999) for key, value in values.items()}
        folder.add(name, name.encode(), [PageRead(fields)], template=template)
    found = list(publications(folder.ledger, TEMPLATES, 0.05))
    found.append(replace(found[0], documents=("stack.pdf/1", "stack.pdf/2")))
    content = b"".join(overview_csv(found, TEMPLATES, DIALECTS["excel-de"]))
    folder.ledger.close()
    assert content.startswith(codecs.BOM_UTF8)
    lines = content.decode("utf-8-sig").splitlines()
    assert lines[1].startswith("Möbel & Söhne;;0012;;;100,00;19,00;;;invoice;to_check;")
    assert lines[2].startswith("'=cmd();;;2025-03-01;;;;1400,50;;receipt;to_check;")
    assert len(lines) == 4, "the amounts of a stack are counted once, with its documents"
    assert lines[3].endswith("transcript;to_check;;c.txt"), "an invoice that was read as a text is not missing unseen"
