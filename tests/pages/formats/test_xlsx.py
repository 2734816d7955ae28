"""Excel workbooks: cells as displayed, hidden ones left out, nothing computed."""

from __future__ import annotations

import io

import pytest
import xlsxwriter

from pipeline.pages.formats.limits import FormatLimits
from pipeline.pages.formats.number_format import display
from tests.office_files import MAIN, raw_xlsx, xlsx
from tests.pages.formats.reading import laid_out, places, text, words


def row(number: int, *cells: str, attributes: str = "") -> str:
    return f'<row r="{number}" {attributes}>{"".join(cells)}</row>'


def number(reference: str, value: str, style: int = 0) -> str:
    return f'<c r="{reference}" s="{style}"><v>{value}</v></c>'


def string(reference: str, value: str) -> str:
    return f'<c r="{reference}" t="inlineStr"><is><t>{value}</t></is></c>'


@pytest.mark.parametrize(
    ("raw", "code", "shown"),
    [
        ("1234.5", "#,##0.00", "1234.50"),
        ("1234.5", "General", "1234.5"),
        ("0.1", "General", "0.1"),
        ("33.333333333333336", "General", "33.333333333"),
        ("12345678901234", "General", "12345678901234"),
        ("2.675", "0.00", "2.68"),
        ("0.19", "0%", "19%"),
        ("0.195", "0.0%", "19.5%"),
        ("-5", "#,##0.00;(#,##0.00)", "(5.00)"),
        ("-5", "0.00;[Red]-0.00", "-5.00"),
        ("0", '0.00;-0.00;"-"', "-"),
        ("12", '#,##0.00\\ "€"', "12.00 €"),
        ("12", "[$€-407] #,##0.00", "€ 12.00"),
        ("12.5", '_-* #,##0.00\\ _€_-;-* #,##0.00\\ _€_-;_-* "-"??\\ _€_-;_-@_-', "12.50"),
        ("7", "000", "007"),
        ("4711", '"INV-"0000', "INV-4711"),
        ("0.5", "0.##", "0.5"),
        ("1500000", '0.0,,"M"', "1.5M"),
        ("45292", "yyyy-mm-dd", "2024-01-01"),
        ("45292", "dd/mm/yyyy", "01/01/2024"),
        ("45292", "[$-407]d. mmmm yyyy", "1. Januar 2024"),
        ("45292", "mmm d, yyyy", "Jan 1, 2024"),
        ("45292.75", "dd.mm.yyyy hh:mm", "01.01.2024 18:00"),
        ("45292.75", "h:mm AM/PM", "6:00 PM"),
        ("1.5", "[h]:mm", "36:00"),
        ("45292", "[$-F800]dddd, mmmm dd, yyyy", "2024-01-01"),
        ("5", '[<10]"few";"many"', "few"),
        ("50", '[<10]"few";"many"', "many"),
        ("-1", "yyyy-mm-dd", "-1"),
        ("1e400", "0.00", "1e400"),
        ("abc", "0.00", "abc"),
    ],
)
def test_numbers_are_shown_in_their_format(raw: str, code: str, shown: str) -> None:
    assert display(raw, code) == shown


def test_a_workbook_of_the_other_calendar_has_the_right_dates() -> None:
    assert display("43830", "yyyy-mm-dd", since_1904=True) == "2024-01-01"


def test_cells_of_a_workbook_that_a_program_wrote() -> None:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet("My data")
        sheet.write_string("A1", "Paid on")
        sheet.write_number("B1", 45292, book.add_format({"num_format": "dd.mm.yyyy"}))
        sheet.write_formula("A2", "=1+1", None, 2)
        sheet.write_boolean("B2", True)
        sheet.write_rich_string("A3", "half ", book.add_format({"bold": True}), "bold")
    assert places(buffer.getvalue()) == {
        "Paid": "'My data'!A1",
        "on": "'My data'!A1",
        "01.01.2024": "'My data'!B1",
        "2": "'My data'!A2",
        "TRUE": "'My data'!B2",
        "half": "'My data'!A3",
        "bold": "'My data'!A3",
    }


def test_hidden_sheets_rows_and_columns_are_not_read_and_the_result_says_so() -> None:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        seen, unseen = book.add_worksheet("Seen"), book.add_worksheet("Unseen")
        unseen.write_string("A1", "password")
        unseen.hide()
        seen.write_row(0, 0, ["shown", "column", "end"])
        seen.write_row(1, 0, ["row"])
        seen.set_row(1, None, None, {"hidden": True})
        seen.set_column(1, 1, None, None, {"hidden": True})
    document = laid_out(buffer.getvalue())
    assert [word.text for word in document.words(1)] == ["shown", "end"]
    assert document.remarks == ("hidden sheets that were not read: Unseen",)


def test_a_formula_without_a_stored_value_is_not_computed_and_is_named() -> None:
    formulas = ['<c r="B1"><f>SUM(C1:C9)</f></c>', '<c r="C1"><f>1+1</f><v>2</v></c>']
    sheet = f"<sheetData>{row(1, string('A1', 'Total'), *formulas)}</sheetData>"
    document = laid_out(raw_xlsx(sheet))
    assert [word.text for word in document.words(1)] == ["Total", "2"]
    assert "Data!B1" in document.remarks[0]
    assert "not computed" in document.remarks[0]


def test_shared_strings_without_their_pronunciation_and_with_escapes() -> None:
    strings = (
        f'<sst xmlns="{MAIN}"><si><r><t>東</t></r><r><t>京</t></r><rPh><t>トウ</t></rPh></si><si><t>a_x0020_b</t></si></sst>'
    )
    cells = [f'<c r="{reference}" t="s"><v>{index}</v></c>' for reference, index in (("A1", 0), ("B1", 1), ("C1", 99))]
    sheet = f"<sheetData>{row(1, *cells)}</sheetData>"
    assert words(raw_xlsx(sheet, {"xl/sharedStrings.xml": strings})) == ["東京", "a", "b"]


def test_text_runs_on_over_empty_cells_and_is_wrapped_before_others() -> None:
    long = "A rather long remark about the delivery of these goods"
    document = laid_out(xlsx({"S": [[long, "", ""], [long, "next"]]}))
    found = document.words(1)
    first = [word for word in found if word.place == "S!A1"]
    assert len({word.line for word in first}) == 1
    second, beside = [word for word in found if word.place == "S!A2"], next(word for word in found if word.text == "next")
    assert max(word.box[2] for word in second) < beside.box[0]


def test_a_long_sheet_is_cut_into_pages_with_its_headings_and_a_wide_one_into_groups_of_columns() -> None:
    rows = [["Name", "City", "Amount"], *([f"n{i}", "Ulm", "1.00"] for i in range(200))]
    document = laid_out(xlsx({"S": rows}))
    pages = [[word.text for word in document.words(number)] for number in range(1, document.pages + 1)]
    assert len(pages) == 4
    assert all(page[:3] == ["Name", "City", "Amount"] for page in pages)
    assert [word for page in pages for word in page if word.startswith("n")] == [f"n{i}" for i in range(200)]
    wide = laid_out(xlsx({"S": [[f"column{i:03d}" for i in range(60)]]}))
    assert wide.pages > 1
    assert [word.text for n in range(1, wide.pages + 1) for word in wide.words(n)] == [f"column{i:03d}" for i in range(60)]


def test_every_sheet_of_several_has_its_name_above_it() -> None:
    document = laid_out(xlsx({"January": [["1.00"]], "February": [["2.00"]]}))
    assert [[word.text for word in document.words(n)] for n in (1, 2)] == [["January", "1.00"], ["February", "2.00"]]


def test_a_sheet_with_more_words_than_the_limit_is_read_up_to_it_and_says_where_it_was_cut() -> None:
    document = laid_out(xlsx({"S": [[f"w{i}"] for i in range(500)]}), limits=FormatLimits(words=100))
    assert sum(len(document.words(n)) for n in range(1, document.pages)) == 100
    with pytest.raises(Exception, match=r"limits\.words.*S!A100") as refused:
        document.words(document.pages)
    assert refused.value.reason == "too_large"  # type: ignore[attr-defined]


def test_references_that_lie_are_no_trouble() -> None:
    cells = [string("A1", "a"), '<c r="ZZZZ9999999999" t="inlineStr"><is><t>b</t></is></c>', '<c t="s"><v>-5</v></c>', "<c/>"]
    cells.append('<c r="XFE1" t="inlineStr"><is><t>beyond</t></is></c>')
    assert text(raw_xlsx(f"<sheetData>{row(1, *cells)}{row(99999999, string('A1', 'far'))}</sheetData>")) == "a b"
