"""Web pages, Markdown, XML, CSV, plain text and RTF: what a person sees is read, in the encoding that the bytes have."""

from __future__ import annotations

import pytest

from pipeline.pages.formats.delimited import delimiter_of
from pipeline.pages.formats.text_encoding import decode
from tests.office_files import rtf, rtf_table
from tests.pages.formats.reading import laid_out, places, refusal, text, words

RUSSIAN = "Счёт на оплату номер двадцать пять от первого мая для покупателя"
JAPANESE = "請求書番号と合計金額をお知らせいたしますのでご確認ください"


def page(body: str, head: str = "") -> bytes:
    return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>".encode()


@pytest.mark.parametrize(
    "hidden",
    [
        '<div style="display:none">unseen</div>',
        '<span style="font-size:0px">unseen</span>',
        '<p style="VISIBILITY: hidden">unseen</p>',
        "<p hidden>unseen</p>",
        '<input type="hidden" value="unseen">',
        '<p style="mso-hide:all">unseen</p>',
        '<div class="big preheader">unseen</div>',
        '<div id="x"><b>unseen</b></div>',
        "<script>unseen</script><style>unseen</style><noscript>unseen</noscript><template>unseen</template>",
        "<!-- unseen -->",
        "<svg><text>unseen</text></svg>",
    ],
)
def test_what_a_browser_does_not_show_is_not_read(hidden: str) -> None:
    style = (
        "<title>unseen</title><style>.preheader, #x{display:none} .seen{color:red} @media print{.seen{display:none}}</style>"
    )
    assert text(page(f'<p class="seen">seen</p>{hidden}<p>end</p>', style)) == "seen end"


def test_tables_of_a_web_page_keep_their_cells_and_those_that_only_place_are_taken_apart() -> None:
    goods = (
        "<table><tr><th>Item</th><th>Sum</th></tr><tr><td rowspan=2>Door</td><td>1.00</td></tr><tr><td>2.00</td></tr></table>"
    )
    letter = f"<table><tr><td><table><tr><td>Seller</td><td>No. 5</td></tr></table></td></tr><tr><td>{goods}</td></tr></table>"
    found = places(page(letter))
    assert found["Seller"] == "table 1, row 1, column 1"
    assert found["Sum"] == "table 2, row 1, column 2"
    assert found["2.00"] == "table 2, row 3, column 2"


def test_lists_line_breaks_forms_and_headings_of_a_web_page() -> None:
    body = "<h1>Big</h1><ol start=3><li>three<li>four</ol><p>a<br>b</p>"
    body += "<form><input value='typed'><select><option>x<option selected>y</select>"
    assert text(page(body)) == "Big 3. three 4. four a b typed y"
    assert max(word.size for word in laid_out(page(body)).words(1)) == 18.0


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("Größe für Žluťoučký €".encode(), "Größe für Žluťoučký €"),
        ("Größe für 5 € „heute“".encode("cp1252"), "Größe für 5 € „heute“"),
        ("Größe".encode("utf-16"), "Größe"),
        ("plain Latin text".encode("utf-16-le"), "plain Latin text"),
        ("Größe".encode("utf-8-sig"), "Größe"),
        (RUSSIAN.encode("cp1251"), RUSSIAN),
        (JAPANESE.encode("shift_jis"), JAPANESE),
    ],
)
def test_the_encoding_of_a_text_is_found_out(content: bytes, shown: str) -> None:
    assert text(content, "a.txt").replace(" ", "") == shown.replace(" ", "")


def test_a_page_that_names_a_wrong_or_an_impossible_encoding_is_read() -> None:
    for name in ("utf-8", "no-such-thing", "hex", "idna"):
        content = page("Größe", f'<meta charset="{name}">').decode().encode("cp1252")
        assert text(content) == "Größe"
    assert text(page("Größe", '<meta charset="iso-8859-15">').decode().encode("iso-8859-15")) == "Größe"


@pytest.mark.parametrize("content", [bytes(range(256)) * 8, b"\0" * 500, b"\x89abc\0\x01\x02" * 100])
def test_bytes_that_are_no_text_are_none(content: bytes) -> None:
    assert decode(content) is None
    assert refusal(content).reason == "unsupported"


@pytest.mark.parametrize(
    ("content", "named", "delimiter"),
    [
        ("a;b;c\n1;2,5;3\n4;5,5;6\n", True, ";"),
        ("a,b\n1,2\n", True, ","),
        ("a\tb\tc\n1\t2\t3\n4\t5\t6\n", False, "\t"),
        ("sep=|\na|b\n", True, "|"),
        ('a,"b, c",d\n1,"2\n3",4\n5,6,7\n', False, ","),
        ("one column\nonly\n", True, ","),
        ("Dear Sir, thank you, and so on.\nWe hope, as ever, you are well\nBest, me\n", False, ""),
        ("One line, with, commas, in, it\n", False, ""),
    ],
)
def test_the_delimiter_is_the_one_that_the_lines_agree_on(content: str, named: bool, delimiter: str) -> None:
    assert delimiter_of(content, named=named) == delimiter


def test_cells_of_a_csv_file_are_named_like_those_of_a_sheet() -> None:
    found = places(b'Name;Sum\n"Doe; Jane";1,00\n', "a.csv")
    assert (found["Jane"], found["1,00"]) == ("A2", "B2")


def test_columns_of_a_text_stay_under_each_other() -> None:
    lines = ["Item            Price", "Door            90.00", "\tafter a tab"]
    found = {word.text: word for word in laid_out("\n".join(lines).encode()).words(1)}
    assert found["Price"].box[0] == found["90.00"].box[0]
    assert found["90.00"].place == "line 2"
    assert laid_out(b"first\fsecond").pages == 2


def test_markdown_is_read_as_its_page() -> None:
    source = "# Offer\n\nSome *soft* and **strong** words\n\n| A | B |\n|---|---|\n| 1 | 2 |\n\n1. one\n2. two\n\n`code`"
    assert text(source.encode(), "a.md") == "Offer Some soft and strong words A B 1 2 1. one 2. two code"
    assert places(source.encode(), "a.md")["B"] == "table 1, row 1, column 2"


def test_xml_shows_names_as_words_and_records_as_a_table() -> None:
    lines = "<Line><Item>Door</Item><NetSum>90.00</NetSum></Line><Line><Item>Key</Item><NetSum>5.00</NetSum></Line>"
    source = f"<Order id='7'><OrderNumber>A-1</OrderNumber><Lines>{lines}</Lines><Note>as <b>agreed</b> then</Note></Order>"
    document = laid_out(source.encode())
    assert " ".join(word.text for word in document.words(1)) == (
        "Order id: 7 Order Number: A-1 Lines Item Net Sum Door 90.00 Key 5.00 Note as agreed then"
    )
    found = places(source.encode())
    assert (found["A-1"], found["5.00"], found["7"]) == ("/Order/OrderNumber", "/Order/Lines/Line[2]/NetSum", "/Order/@id")


def test_rtf_with_tables_code_pages_and_hidden_text() -> None:
    body = (
        "Gr\\'fc\\'dfe {\\v hidden}{\\deleted gone}\\u8364?\\par "
        + rtf_table([["Item", "Price"], ["Door", "90.00"]])
        + "After\\par"
    )
    body += "{\\footnote note}{\\header top}{\\*\\unknown x}{\\pict 00ff}{\\field{\\*\\fldinst HYPERLINK x}{\\fldrslt link}}"
    assert words(rtf(body)) == ["top", "Grüße", "€", "Item", "Price", "Door", "90.00", "After", "link", "note"]
    assert places(rtf(body))["90.00"] == "table 1, row 2, column 2"
    cyrillic = b"{\\rtf1\\ansi\\deff0{\\fonttbl{\\f0 A;}{\\f1\\fcharset204 B;}}\\f1 \\'d1\\'f7\\'b8\\'f2 {\\f0 \\'e4}\\par}"
    assert words(cyrillic) == ["Счёт", "ä"]


def test_text_from_right_to_left_is_read_in_its_order_and_starts_at_the_right() -> None:
    found = laid_out("חשבונית מספר 4711\n".encode(), "a.txt").words(1)
    assert [word.text for word in found] == ["חשבונית", "מספר", "4711"]
    assert found[0].box[0] > found[1].box[0] > found[2].box[0]
