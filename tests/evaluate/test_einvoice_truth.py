"""E-invoices as their own truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from examples.einvoice import facturx_xml
from pipeline.errors import TruthError
from pipeline.evaluate.einvoice_truth import read_einvoice_truth
from pipeline.settings import Settings, configs_folder
from pipeline.templates.load import load_templates
from tests.drawing import invoice, invoice_pdf, invoice_truth, jpeg, scanned_invoice, text_pdf
from tests.evaluate.building import put

TEMPLATES = load_templates([configs_folder() / "templates"])


def test_data_inside_of_a_pdf_and_beside_a_scan_become_truth(tmp_path: Path) -> None:
    put(tmp_path, "inside/de.pdf", invoice_pdf(invoice("de"), facturx=True))
    put(tmp_path, "scan.jpg", jpeg(scanned_invoice(invoice("fr"))))
    put(tmp_path, "scan.xml", facturx_xml(invoice("fr")))
    put(tmp_path, "letter.pdf", text_pdf(["No data here"]))
    put(tmp_path, "broken.pdf", b"%PDF-1.7 and nothing more")
    put(tmp_path, ".hidden/es.pdf", invoice_pdf(invoice("es"), facturx=True))
    rows = read_einvoice_truth(tmp_path, TEMPLATES["invoice"], Settings())
    assert [row.file for row in rows] == ["inside/de.pdf", "scan.jpg"]
    for row, language in zip(rows, ("de", "fr"), strict=True):
        truth = invoice_truth(invoice(language))
        assert row.fields["invoice_number"] == truth["invoice_number"]
        assert row.fields["total"] == truth["total"]
        lines = truth["line_items"]
        assert isinstance(lines, list)
        assert [line["description"] for line in row.fields["line_items"]] == [line["description"] for line in lines]


def test_a_folder_without_e_invoices_and_a_template_without_terms_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "letter.pdf", text_pdf(["No data here"]))
    with pytest.raises(TruthError, match="holds no e-invoice"):
        read_einvoice_truth(tmp_path, TEMPLATES["invoice"], Settings())
    with pytest.raises(TruthError, match="names no business term"):
        read_einvoice_truth(tmp_path, TEMPLATES["transcript"], Settings())


def test_xml_with_a_doctype_is_no_truth(tmp_path: Path) -> None:
    put(tmp_path, "scan.pdf", text_pdf(["x"]))
    put(tmp_path, "scan.xml", b'<!DOCTYPE a [<!ENTITY b "c">]>' + facturx_xml(invoice("fr")).partition(b"?>\n")[2])
    with pytest.raises(TruthError, match="holds no e-invoice"):
        read_einvoice_truth(tmp_path, TEMPLATES["invoice"], Settings())
