"""A lesson changes only what it is about, never against a check, and never on a page of another sender."""

from __future__ import annotations

from dataclasses import replace

from pipeline.learning.applying import support, with_lesson
from pipeline.records import Claim, FieldLesson, Lesson, Page, Sender, Word
from tests.learning.conftest import INVOICE

SENDER = Sender(vat_ids=("GB736190278",), names=("Quillford Ropeworks Ltd",))
TEXT = "Quillford Ropeworks Ltd GB736190278 GB736190279 Net 100.00 VAT 20.00 Total 120.00 Weight 999.00 A-17 B-18"
PAGE = Page(
    1, 595, 842, tuple(Word(word, (50, 20 * at, 150, 20 * at + 10), at) for at, word in enumerate(TEXT.split())), "textlayer"
)
SHIPPED = {
    "vendor_name": Claim("Quillford Ropeworks Ltd", score=0.9),
    "vendor_vat_id": Claim("GB736190278", score=0.9),
    "subtotal": Claim("100.00", score=0.9),
    "tax_total": Claim("20.00", score=0.9),
    "total": Claim("120.00", score=0.9),
    "invoice_number": Claim("A-17", "A-17", (13,), 0.6),
}


def lesson(*fields: str, right: int = 3, replayed: int = 3) -> Lesson:
    return Lesson(5, "invoice", SENDER, {name: FieldLesson(("Word",), replayed=replayed, right=right) for name in fields})


def test_a_changed_value_is_flagged_and_no_surer_than_its_replays() -> None:
    taught = {**SHIPPED, "invoice_number": Claim("B-18", "B-18", (14,), 0.99)}
    claims = with_lesson(SHIPPED, taught, lesson("invoice_number"), PAGE, INVOICE)
    assert claims["invoice_number"] == Claim("B-18", "B-18", (14,), 0.8, ("learned:5",))
    assert {name: claim for name, claim in claims.items() if name != "invoice_number"} == {
        name: claim for name, claim in SHIPPED.items() if name != "invoice_number"
    }


def test_a_value_that_stays_is_not_surer() -> None:
    taught = {**SHIPPED, "invoice_number": replace(SHIPPED["invoice_number"], score=0.99)}
    assert with_lesson(SHIPPED, taught, lesson("invoice_number"), PAGE, INVOICE) is SHIPPED


def test_fields_that_the_lesson_is_not_about_stay() -> None:
    taught = {**SHIPPED, "invoice_number": Claim("B-18", "B-18", (14,), 0.99), "total": Claim("999.00", score=0.99)}
    assert with_lesson(SHIPPED, taught, lesson("invoice_number"), PAGE, INVOICE)["total"].value == "120.00"


def test_a_value_that_a_sum_refuses_is_not_taken() -> None:
    taught = {**SHIPPED, "total": Claim("999.00", score=0.99)}
    assert with_lesson(SHIPPED, taught, lesson("total"), PAGE, INVOICE) is SHIPPED


def test_a_number_with_wrong_check_digits_is_not_taken() -> None:
    shipped = {name: claim for name, claim in SHIPPED.items() if name != "vendor_vat_id"}
    taught = {**shipped, "vendor_vat_id": Claim("GB736190279", score=0.99)}
    assert with_lesson(shipped, taught, lesson("vendor_vat_id"), PAGE, INVOICE) is shipped
    right = {**shipped, "vendor_vat_id": Claim("GB736190278", score=0.99)}
    assert with_lesson(shipped, right, lesson("vendor_vat_id"), PAGE, INVOICE)["vendor_vat_id"].value == "GB736190278"


def test_a_value_that_is_not_on_the_page_is_not_taken() -> None:
    taught = {**SHIPPED, "invoice_number": Claim("Z-99", "Z-99", (), 0.99)}
    assert with_lesson(SHIPPED, taught, lesson("invoice_number"), PAGE, INVOICE) is SHIPPED


def test_a_page_on_which_another_seller_is_read_stays() -> None:
    taught = {**SHIPPED, "invoice_number": Claim("B-18", "B-18", (14,), 0.99)}
    other = replace(lesson("invoice_number"), sender=Sender(vat_ids=("GB980780684",), names=("Quillford Ropeworks Ltd",)))
    assert with_lesson(SHIPPED, taught, other, PAGE, INVOICE) is SHIPPED
    without_number = {**SHIPPED, "vendor_vat_id": Claim(None)}
    by_name = replace(lesson("invoice_number"), sender=Sender(names=("Ostravale Glazing Ltd",)))
    assert with_lesson(without_number, taught, by_name, PAGE, INVOICE) is without_number


def test_a_field_that_loses_its_place_takes_what_the_second_reading_gives() -> None:
    shipped = {**SHIPPED, "invoice_number": Claim(None), "vendor_vat_id": Claim("GB736190278", "GB736190278", (3,), 0.9)}
    taught = {**shipped, "invoice_number": Claim("GB736190278", "GB736190278", (3,), 0.9), "vendor_vat_id": Claim(None)}
    claims = with_lesson(shipped, taught, lesson("invoice_number"), PAGE, INVOICE)
    assert claims["vendor_vat_id"].value is None
    assert claims["vendor_vat_id"].flags == ("learned:5",)


def test_support_grows_with_replays_and_falls_with_wrong_ones() -> None:
    assert support(FieldLesson(replayed=2, right=2)) == 0.75
    assert support(FieldLesson(replayed=20, right=20)) > 0.95
    assert support(FieldLesson(replayed=4, right=2)) == 0.5
