from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.checks.arithmetic import check_document
from pipeline.checks.grounding import ground
from pipeline.records import Claim, Evidence, Page, Word

from .building import claims_of, page_of, template_of

FIELDS: dict[str, Any] = {
    "vendor_name": {"type": "party"},
    "invoice_number": {"type": "identifier"},
    "vat_id": {"type": "identifier", "format": "vat"},
    "invoice_date": {"type": "date"},
    "time": {"type": "time"},
    "currency": {"type": "currency"},
    "total": {"type": "money", "merge": "last"},
    "note": {"type": "text"},
    "kind": {"type": "enum", "values": ["invoice", "credit"]},
    "goods": {"type": "text", "many": True},
    "line_items": {
        "type": "table",
        "columns": {"description": {}, "quantity": {"type": "number"}, "amount": {"type": "money"}},
    },
}
TEMPLATE = template_of(FIELDS)
PAGE = page_of(
    "Harbour Chandlery Ltd   Invoice",
    "Invoice no: HC-2024/077   Date 03.02.2024 17:45:10",
    "VAT ID DE 314 159 262",
    "2 Rope, hemp, 10 m     2.499,00",
    "1 Anchor     1.234,50 €",
    "Shipping     0,00",
    "Net total     3.733,50 €",
    "Grand total     3.733,50 €",
    "Thank you for your order",
)


def look_up(page: Page = PAGE, /, **values: Any) -> Evidence:
    (evidence,) = ground(claims_of(**values), page, TEMPLATE).values()
    return evidence


def words_in(page: Page, evidence: Evidence) -> str:
    """The words whose centre is in the box."""
    assert evidence.box is not None
    x0, y0, x1, y1 = evidence.box
    return " ".join(
        w.text for w in page.words if x0 <= (w.box[0] + w.box[2]) / 2 <= x1 and y0 <= (w.box[1] + w.box[3]) / 2 <= y1
    )


@pytest.mark.parametrize(
    ("name", "value", "grounding", "where"),
    [
        ("vendor_name", "Harbour Chandlery Ltd", "exact", "Harbour Chandlery Ltd"),
        ("vendor_name", "HARBOUR CHANDLERY, LTD.", "exact", "Harbour Chandlery Ltd"),
        ("vendor_name", "Harbor Chandlery Ltd", "fuzzy", "Harbour Chandlery Ltd"),
        ("invoice_number", "HC-2024/077", "exact", "HC-2024/077"),
        ("vat_id", "DE314159262", "exact", "DE 314 159 262"),
        ("invoice_date", "2024-02-03", "value", "03.02.2024"),
        ("time", "17:45", "value", "17:45:10"),
        ("time", "17:45:10", "exact", "17:45:10"),
        ("currency", "EUR", "value", "€"),
        ("total", "3733.50", "value", "3.733,50"),
        ("total", "3733.5", "value", "3.733,50"),
        ("total", "2499.00", "value", "2.499,00"),
    ],
)
def test_a_value_on_the_page_is_found_with_its_words(name: str, value: str, grounding: str, where: str) -> None:
    evidence = look_up(PAGE, **{name: value})
    assert evidence.grounding == grounding
    assert words_in(PAGE, evidence) == where
    assert evidence.printed == where
    assert evidence.page == 1
    assert evidence.flags == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("vendor_name", "Seaside Grocery"),
        ("vendor_name", "Chand"),
        ("invoice_number", "HC-2024/078"),
        ("invoice_number", "2024/07"),
        ("invoice_number", "499"),
        ("vat_id", "DE136695977"),
        ("invoice_date", "2024-02-04"),
        ("time", "17:46"),
        ("currency", "USD"),
        ("total", "3733.51"),
        ("total", "373350"),
        ("total", "-3733.50"),
        ("total", "nonsense"),
        ("note", "Thank you for your 2 orders"),
    ],
)
def test_a_value_that_is_not_on_the_page_is_kept_and_flagged(name: str, value: str) -> None:
    evidence = look_up(PAGE, **{name: value})
    assert evidence.value == value
    assert (evidence.grounding, evidence.box, evidence.flags) == ("none", None, ("ungrounded",))


DUE = template_of(
    {"total": {"type": "money"}, "prepaid": {"type": "money", "deduction": True}, "due": {"type": "money"}},
    checks=[{"name": "due", "sum": ["total", "-prepaid"], "equals": "due"}],
)


@pytest.mark.parametrize("printed", ["-£1,500.00", "1,500.00-", "(1,500.00)", "£1,500.00", "−1,500.00"])
@pytest.mark.parametrize("claimed", ["1500.00", "-1500.00"])
def test_a_deduction_has_no_minus_with_any_printed_sign(claimed: str, printed: str) -> None:
    page = page_of("Total     £8,011.20", f"Deposit received     {printed}", "Due     £6,511.20")
    grounded = ground(claims_of(prepaid=claimed), page, DUE)
    assert grounded["prepaid"].value == "1500.00"
    assert grounded["prepaid"].grounding != "none"


def test_a_field_that_is_not_a_deduction_keeps_its_sign_although_a_check_subtracts_it() -> None:
    template = template_of(
        {name: {"type": "money"} for name in ("opening", "closing", "moved")},
        checks=[{"name": "moved", "sum": ["closing", "-opening"], "equals": "moved"}],
    )
    page = page_of("Opening balance     -200.00", "Closing balance     300.00", "Moved     500.00")
    grounded = ground(claims_of(opening="-200.00", closing="300.00", moved="500.00"), page, template)
    assert grounded["opening"].value == "-200.00"
    assert not any(evidence.flags for evidence in check_document(grounded, template).values())


def test_on_a_credit_note_all_signs_count() -> None:
    page = page_of("Total     -120.00", "Paid     -100.00", "Due     -20.00")
    grounded = ground(claims_of(total="-120.00", prepaid="-100.00", due="-20.00"), page, DUE)
    assert (grounded["prepaid"].value, grounded["prepaid"].grounding) == ("-100.00", "exact")
    assert not any(evidence.flags for evidence in check_document(grounded, DUE).values())


def test_the_merge_rule_chooses_among_several_places() -> None:
    evidence = look_up(total="3733.50")
    assert evidence.box is not None
    assert evidence.box[1] == PAGE.words[-7].box[1] == 20 + 14 * 7, "merge: last takes the last place"


def test_the_source_words_of_the_engine_are_used_when_they_contain_the_value() -> None:
    net = next(i for i, w in enumerate(PAGE.words) if w.text == "3.733,50")
    evidence = ground({"total": Claim("3733.50", "3.733,50", (net,))}, PAGE, TEMPLATE)["total"]
    assert evidence.box == PAGE.words[net].box


def test_the_source_words_of_the_engine_are_ignored_when_they_lack_the_value() -> None:
    claim = Claim("3733.50", "3.733,50", (0, 1, 999, -5))
    evidence = ground({"total": claim}, PAGE, TEMPLATE)["total"]
    assert words_in(PAGE, evidence) == "3.733,50"


@pytest.mark.parametrize(
    ("claimed", "printed"), [("no: HC-2024/077", "HC-2024/077"), ("HC-2024/07", "HC-2024/077"), ("HC2024/077", "HC2024/077")]
)
def test_the_printed_text_of_the_engine_is_kept_only_if_the_words_contain_it(claimed: str, printed: str) -> None:
    evidence = ground({"invoice_number": Claim("HC-2024/077", claimed)}, PAGE, TEMPLATE)["invoice_number"]
    assert evidence.printed == printed


def test_a_charts_legend_may_be_far_from_its_marks() -> None:
    chart = template_of(
        {"data": {"type": "table", "columns": {"category": {}, "series": {}, "value": {"type": "number"}}}}, reader="chart"
    )
    page = page_of("Imports", *["12     40"] * 20, "2019     2020")
    rows = [{"category": "2019", "series": "Imports", "value": "12"}, {"category": "2020", "series": "Exports", "value": "40"}]
    assert ground(claims_of(data=rows), page, chart)["data"].flags == ("ungrounded:2.series",)


def test_an_amount_split_by_blanks_is_one_number_but_two_columns_are_not() -> None:
    assert look_up(page_of("Total 12 345,60 EUR"), total="12345.60").grounding == "value"
    assert look_up(page_of("12     345,60"), total="12345.60").grounding == "none"


def test_the_number_in_a_joined_word_is_found() -> None:
    assert look_up(page_of("TOTAL:RM15.00"), total="15.00").grounding == "value"
    assert look_up(page_of("23/09/2021"), total="23").grounding == "none"


def test_an_ambiguous_date_follows_the_other_dates_of_the_page() -> None:
    assert look_up(page_of("Due 12/25/2024", "Issued 03/04/2024"), invoice_date="2024-03-04").grounding == "value"
    assert look_up(page_of("Due 12/25/2024", "Issued 03/04/2024"), invoice_date="2024-04-03").grounding == "none"


def test_an_address_in_one_of_two_columns_is_found() -> None:
    page = page_of("Mill Lane 5     Invoice 12", "AB1 2CD Easton     Date 1 May 2024")
    evidence = look_up(page, note="Mill Lane 5, AB1 2CD Easton")
    assert evidence.grounding == "exact"
    assert words_in(page, evidence) == "Mill Lane 5 AB1 2CD Easton"


@pytest.mark.parametrize(
    ("text", "value", "grounding"),
    [
        ("Total(RM): 5.00", "MYR", "value"),
        ("Total/EUR 5.00", "EUR", "value"),
        ("CA$5.00", "CAD", "value"),
        ("$5.00", "AUD", "value"),
        ("try our cakes", "TRY", "none"),
        ("Total 5.00", "EUR", "none"),
    ],
)
def test_a_currency_is_found_by_code_sign_or_name(text: str, value: str, grounding: str) -> None:
    assert look_up(page_of(text), currency=value).grounding == grounding


def test_a_time_with_am_or_pm_is_read_together() -> None:
    page = page_of("Paid 5:57 PM")
    assert look_up(page, time="17:57").printed == "5:57 PM"
    assert look_up(page, time="05:57").grounding == "none"


def test_chinese_text_is_found_inside_a_line_without_blanks() -> None:
    evidence = look_up(page_of("购买方名称:东方有限公司"), vendor_name="东方有限公司")
    assert evidence.grounding == "exact"


def test_values_that_are_not_printed_are_not_flagged() -> None:
    assert look_up(kind="invoice").flags == ()
    caption = template_of({"caption": {"type": "text"}, "objects": {"type": "text", "many": True}}, reader="caption")
    evidence = ground(claims_of(caption="A dog on a beach", objects=["dog"]), PAGE, caption)
    assert [e.flags for e in evidence.values()] == [(), ()]
    chart = template_of(
        {
            "title": {"type": "text"},
            "summary": {"type": "text"},
            "data": {"type": "table", "columns": {"category": {}, "value": {"type": "number"}}},
        },
        reader="chart",
    )
    claims = claims_of(title="Not there", summary="It rises.", data=[{"category": "Shipping", "value": "17.3"}])
    flags = {name: e.flags for name, e in ground(claims, PAGE, chart).items()}
    assert flags == {"title": ("ungrounded",), "summary": (), "data": ()}


def test_an_absent_value_has_no_evidence() -> None:
    absent: tuple[Any, ...] = (None, [], "")
    for value in absent:
        evidence = look_up(total=value)
        assert (evidence.page, evidence.box, evidence.flags) == (None, None, ())


def test_values_of_a_list_are_found_one_by_one() -> None:
    evidence = look_up(goods=["Rope", "Anchor", "Cannon"])
    assert evidence.flags == ("ungrounded:3",)
    assert evidence.grounding == "exact"


def test_table_cells_are_found_in_their_row() -> None:
    rows = [
        {"description": "Rope, hemp, 10 m", "quantity": "2", "amount": "2499.00"},
        {"description": "Anchor", "quantity": "1", "amount": "1234.51"},
    ]
    evidence = look_up(line_items=rows)
    assert evidence.flags == ("ungrounded:2.amount",)
    assert evidence.value == rows
    assert evidence.box is not None
    assert (evidence.box[1], evidence.box[3]) == (20 + 14 * 3, 30 + 14 * 4)


def test_equal_amounts_of_two_rows_are_found_in_two_rows() -> None:
    page = page_of("Tea     3.00", "Cake     3.00", "Total     6.00")
    evidence = look_up(page, line_items=[{"description": "Tea", "amount": "3.00"}, {"description": "Cake", "amount": "3.00"}])
    assert evidence.box is not None
    assert (evidence.box[1], evidence.box[3]) == (20, 44)


def test_a_cell_far_from_its_row_is_ungrounded() -> None:
    page = page_of("Tea", *["filler line"] * 20, "9.99")
    assert look_up(page, line_items=[{"description": "Tea", "amount": "9.99"}]).flags == ("ungrounded:1.amount",)


def test_a_transcript_is_checked_as_a_whole() -> None:
    transcript = template_of({"text": {"type": "text", "merge": "all"}}, reader="transcript")
    text = "\n".join(" ".join(w.text for w in PAGE.words if w.line == n) for n in range(9))
    good = ground(claims_of(text=text), PAGE, transcript)["text"]
    assert (good.grounding, good.flags) == ("exact", ())
    invented = ground(claims_of(text="Once upon a time there was a page that said something else"), PAGE, transcript)["text"]
    assert invented.flags == ("ungrounded",)


def test_a_transcript_may_join_hyphenated_words() -> None:
    transcript = template_of({"text": {"type": "text", "merge": "all"}}, reader="transcript")
    page = Page(
        1, 600, 800, tuple(Word(text, (0, n, 9, n + 1), n) for n, text in enumerate(["the", "fer-", "other", "ry", "sails"]))
    )
    assert ground(claims_of(text="the ferry sails other"), page, transcript)["text"].grounding == "exact"
    assert ground(claims_of(text="the ferryman sails"), page, transcript)["text"].grounding != "exact"


def test_a_long_transcript_is_checked_quickly() -> None:
    """100,000 words. Quadratic work would exceed the time limit of the tests."""
    words = tuple(Word(f"w{n}", (0, n, 9, n + 1), n) for n in range(100_000))
    transcript = template_of({"text": {"type": "text", "merge": "all"}}, reader="transcript")
    text = " ".join(w.text for w in words)
    assert ground(claims_of(text=text), Page(1, 600, 800, words), transcript)["text"].grounding == "exact"


def test_fields_that_the_template_lacks_are_dropped() -> None:
    assert ground(claims_of(surprise="x"), PAGE, TEMPLATE) == {}


amounts = st.decimals(min_value=1, max_value=99999, places=2).map(lambda d: f"{d:.2f}")


@given(amounts, st.integers(0, 6), st.integers(1, 9))
def test_a_changed_digit_of_an_amount_is_never_grounded(amount: str, place: int, step: int) -> None:
    digits = [i for i, c in enumerate(amount) if c.isdigit()]
    at = digits[place % len(digits)]
    changed = amount[:at] + str((int(amount[at]) + step) % 10) + amount[at + 1 :]
    assume(Decimal(changed) != Decimal(amount))
    page = page_of("Balance carried", f"Total {amount} EUR", "Thanks")
    assert look_up(page, total=amount).grounding == "exact"
    assert look_up(page, total=changed).grounding == "none"


@given(st.from_regex(r"[A-Z]{2}-?[0-9]{4,10}", fullmatch=True), st.integers(0, 9), st.integers(1, 9))
def test_a_changed_digit_of_an_identifier_is_never_grounded(number: str, place: int, step: int) -> None:
    digits = [i for i, c in enumerate(number) if c.isdigit()]
    at = digits[place % len(digits)]
    changed = number[:at] + str((int(number[at]) + step) % 10) + number[at + 1 :]
    page = page_of(f"Our reference: {number}", "With kind regards")
    assert look_up(page, invoice_number=number).grounding == "exact"
    assert look_up(page, invoice_number=changed).grounding == "none"


@given(st.dates(date(1990, 1, 1), date(2049, 12, 31)), st.integers(1, 400))
def test_a_different_date_is_never_grounded(day: date, later: int) -> None:
    page = page_of(f"Berlin, {day:%d.%m.%Y}", "other 31.12.1970")
    other = day + timedelta(days=later)
    assert look_up(page, invoice_date=day.isoformat()).grounding == "value"
    assert look_up(page, invoice_date=other.isoformat()).grounding == "none"


texts = st.text(st.sampled_from("ab1.,- €/é发"), max_size=12)


@given(
    st.lists(texts, max_size=8),
    st.sampled_from(sorted(set(FIELDS) - {"line_items", "goods"})),
    texts,
    st.lists(st.integers(-2, 30), max_size=4),
)
def test_a_box_is_always_the_union_of_words(lines: list[str], name: str, value: str, hints: list[int]) -> None:
    page = page_of(*lines)
    evidence = ground({name: Claim(value, None, tuple(hints))}, page, TEMPLATE)[name]
    if evidence.box is None:
        assert evidence.grounding == "none"
        return
    assert evidence.grounding != "none"
    for side in range(4):
        assert evidence.box[side] in {w.box[side] for w in page.words}
    assert words_in(page, evidence)
