"""The view of a document that the served pages and the static review share."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.publish.publication import Publication
from pipeline.records import Correction, Evidence
from pipeline.web.view import DocumentView, document_view, value_text
from tests.publish.building import BILL, publication


def publication_with_corrections(*values: str | None) -> Publication:
    """A document whose total was read as 5 and corrected to the given values in turn; None withdraws."""
    read = publication("a.pdf", {"total": "5"})
    history = [
        Correction("bill", "total", n, value, value is None, "5", "Anna", "2026-01-01T00:00:00Z")
        for n, value in enumerate(values, 1)
    ]
    total = next((value for value in values[-1:] if value), "5")
    fields = {"bill": {"total": Evidence(total)}}
    return Publication(
        read.source,
        read.document,
        read.recipes,
        read.units,
        fields,
        {},
        corrections={("bill", "total"): history},
        uncorrected=read.fields,
    )


def view(published: Publication) -> DocumentView:
    return document_view(published, {"bill": BILL})


def test_a_corrected_field_has_its_correction_and_the_value_that_was_read() -> None:
    (field,) = view(publication_with_corrections("6", "7")).results[0].fields
    assert field.active_correction is not None
    assert (field.active_correction.value, field.value_read, len(field.corrections)) == ("7", "5", 2)


def test_a_field_with_a_withdrawn_correction_has_only_its_history() -> None:
    (field,) = view(publication_with_corrections("6", None)).results[0].fields
    assert (field.active_correction, field.value_read, len(field.corrections)) == (None, None, 2)


def test_fields_to_review_have_reasons_and_other_flags_are_notes() -> None:
    published = publication("a.pdf", {"total": "5"}, flags=("ungrounded", "as:subtotal"), confidence=0.99)
    (field,) = view(published).results[0].fields
    assert field.review_reasons == ["not found on the page"]
    assert field.notes == ["not printed by itself, taken from subtotal"]


def test_without_its_template_a_result_has_fields_without_specification() -> None:
    (field,) = document_view(publication("a.pdf", {"total": "5"}), {}).results[0].fields
    assert (field.name, field.spec) == ("total", None)


@pytest.mark.parametrize(
    ("confidence", "percent"),
    [(None, ""), (0.5, "50"), (0.944, "94"), (0.984, "98.4"), (0.991, "99.1"), (0.99999, "99.9"), (1.0, "99.9")],
)
def test_the_confidence_is_never_a_hundred_percent(confidence: float | None, percent: str) -> None:
    (field,) = view(publication("a.pdf", {"total": "5"}, confidence=confidence)).results[0].fields
    assert field.confidence_percent == percent


def test_values_have_one_text() -> None:
    assert [value_text(value) for value in (None, [], ["a", "", "b"], "x")] == ["—", "—", "a · b", "x"]


def test_a_failure_has_a_cure_and_no_folders_of_the_machine() -> None:
    published = publication("a.pdf", None)
    document = replace(published.document, detail=f"cannot open {published.source.path}")
    failed = view(replace(published, document=document))
    assert failed.detail == "cannot open a.pdf"
    assert failed.cure
