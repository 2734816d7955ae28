"""Word documents: what a person reads is read, what is deleted or hidden is not."""

from __future__ import annotations

from tests.office_files import RELATIONS, WORD, docx, relations, word_paragraph, word_table
from tests.pages.formats.reading import laid_out, places, text, words


def part(root: str, inside: str) -> str:
    return f'<w:{root} xmlns:w="{WORD}" xmlns:r="{RELATIONS}">{inside}</w:{root}>'


def run(inside: str, properties: str = "") -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t xml:space='preserve'>{inside}</w:t></w:r>"


def test_words_say_in_which_paragraph_or_cell_they_stand() -> None:
    body = word_paragraph("Offer 12") + word_table([["Item", "Price"], ["Door", "90.00"]]) + word_paragraph("Kindly")
    assert places(docx(body)) == {
        "Offer": "paragraph 1",
        "12": "paragraph 1",
        "Item": "table 1, row 1, column 1",
        "Price": "table 1, row 1, column 2",
        "Door": "table 1, row 2, column 1",
        "90.00": "table 1, row 2, column 2",
        "Kindly": "paragraph 2",
    }


def test_deleted_and_hidden_text_is_not_read_and_inserted_text_is() -> None:
    body = (
        f"<w:p>{run('kept ')}<w:del><w:r><w:delText>deleted</w:delText></w:r></w:del><w:ins>{run('added')}</w:ins></w:p>"
        f"<w:p><w:moveFrom>{run('away')}</w:moveFrom><w:moveTo>{run('here')}</w:moveTo>{run('secret', '<w:vanish/>')}</w:p>"
        f"<w:tbl><w:tr><w:trPr><w:del/></w:trPr><w:tc>{word_paragraph('oldrow')}</w:tc></w:tr>"
        f"<w:tr><w:tc>{word_paragraph('newrow')}</w:tc></w:tr></w:tbl>"
    )
    assert words(docx(body)) == ["kept", "added", "here", "newrow"]


def test_a_word_over_several_runs_is_one_word() -> None:
    assert words(docx(f"<w:p>{run('In', '<w:b/>')}{run('voice:')}{run(' 17')}</w:p>")) == ["Invoice:", "17"]


def test_headers_footers_footnotes_and_text_boxes_are_read() -> None:
    box = "<w:r><w:drawing><wp><w:txbxContent>" + word_paragraph("Boxed") + "</w:txbxContent></wp></w:drawing></w:r>"
    box = box.replace("<wp>", '<w:inline xmlns:wp="x">').replace("</wp>", "</w:inline>")
    reference = '<w:r><w:footnoteReference w:id="2"/></w:r>'
    section = (
        '<w:sectPr><w:headerReference w:type="default" r:id="r1"/><w:footerReference w:type="default" r:id="r2"/></w:sectPr>'
    )
    body = f"<w:p>{run('Body')}{reference}{box}</w:p>{section}"
    notes = f'<w:footnote w:type="separator" w:id="0">{word_paragraph("no")}</w:footnote>'
    notes += f'<w:footnote w:id="2">{word_paragraph("Noted")}</w:footnote>'
    targets = {"r1": ("header", "header1.xml"), "r2": ("footer", "footer1.xml"), "r3": ("footnotes", "footnotes.xml")}
    file = docx(
        body,
        {
            "word/_rels/document.xml.rels": relations(targets),
            "word/header1.xml": part("hdr", word_paragraph("Letterhead")),
            "word/footer1.xml": part("ftr", word_paragraph("Bank")),
            "word/footnotes.xml": part("footnotes", notes),
        },
    )
    found = places(file)
    assert list(found) == ["Letterhead", "Body[2]", "Boxed", "Noted", "Bank"]
    assert (found["Letterhead"], found["Boxed"]) == ("header, paragraph 1", "text box 1, paragraph 1")
    assert (found["Noted"], found["Bank"]) == ("footnote 2, paragraph 1", "footer, paragraph 1")


def test_a_text_box_that_is_stored_twice_for_old_programs_is_read_once() -> None:
    inside = f"<w:txbxContent>{word_paragraph('Once')}</w:txbxContent>"
    both = (
        f'<mc:AlternateContent xmlns:mc="m"><mc:Choice><w:drawing>{inside}</w:drawing></mc:Choice>'
        f"<mc:Fallback><w:pict>{inside}</w:pict></mc:Fallback></mc:AlternateContent>"
    )
    assert words(docx(f"<w:p><w:r>{both}</w:r></w:p>")) == ["Once"]


def test_lists_show_their_numbers() -> None:
    def level(number: int, form: str, label: str) -> str:
        return f'<w:lvl w:ilvl="{number}"><w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{label}"/></w:lvl>'

    numbering = part(
        "numbering",
        f'<w:abstractNum w:abstractNumId="5">{level(0, "decimal", "%1.")}{level(1, "lowerLetter", "%1.%2)")}</w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="5"/></w:num>',
    )

    def item(text: str, depth: int) -> str:
        return f'<w:p><w:pPr><w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="1"/></w:numPr></w:pPr>{run(text)}</w:p>'

    body = item("one", 0) + item("inner", 1) + item("more", 1) + item("two", 0) + item("again", 1)
    file = docx(
        body,
        {"word/_rels/document.xml.rels": relations({"r1": ("numbering", "numbering.xml")}), "word/numbering.xml": numbering},
    )
    assert text(file) == "1. one 1.a) inner 1.b) more 2. two 2.a) again"


def test_styles_make_headings_large_and_bold_and_hide_text() -> None:
    styles = part(
        "styles",
        '<w:style w:type="paragraph" w:styleId="Big"><w:rPr><w:b/><w:sz w:val="32"/></w:rPr></w:style>'
        '<w:style w:type="paragraph" w:styleId="Title"><w:basedOn w:val="Big"/></w:style>'
        '<w:style w:type="paragraph" w:styleId="Ghost"><w:rPr><w:vanish/></w:rPr></w:style>',
    )

    def style(name: str, text: str) -> str:
        return f'<w:p><w:pPr><w:pStyle w:val="{name}"/></w:pPr>{run(text)}</w:p>'

    file = docx(
        style("Title", "Offer") + style("Ghost", "unseen") + word_paragraph("plain"),
        {"word/_rels/document.xml.rels": relations({"r1": ("styles", "styles.xml")}), "word/styles.xml": styles},
    )
    offer, plain = laid_out(file).words(1)
    assert (offer.text, offer.size, offer.bold) == ("Offer", 16.0, True)
    assert (plain.text, plain.bold) == ("plain", False)


def test_merged_cells_are_read_once_and_nested_tables_stay_beside_their_neighbours() -> None:
    wide = f'<w:tc><w:tcPr><w:gridSpan w:val="2"/></w:tcPr>{word_paragraph("Wide")}</w:tc>'
    top = f'<w:tc><w:tcPr><w:vMerge w:val="restart"/></w:tcPr>{word_paragraph("Tall")}</w:tc>'
    below = f"<w:tc><w:tcPr><w:vMerge/></w:tcPr>{word_paragraph('')}</w:tc>"
    inner = word_table([["in", "side"]])
    body = (
        f"<w:tbl><w:tr>{wide}<w:tc>{word_paragraph('Last')}</w:tc></w:tr>"
        f"<w:tr>{top}<w:tc>{word_paragraph('a')}</w:tc><w:tc>{inner}</w:tc></w:tr>"
        f"<w:tr>{below}<w:tc>{word_paragraph('b')}</w:tc><w:tc>{word_paragraph('c')}</w:tc></w:tr></w:tbl>"
    )
    found = {word.text: word for word in laid_out(docx(body)).words(1)}
    assert found["Last"].place == "table 1, row 1, column 3"
    assert found["b"].place == "table 1, row 3, column 2"
    assert found["Tall"].line == found["a"].line == found["in"].line == found["side"].line
    assert found["Tall"].box[2] < found["a"].box[0] < found["in"].box[0] < found["side"].box[0]


def test_a_long_table_repeats_its_heading_on_each_page() -> None:
    heading = f"<w:tr><w:trPr><w:tblHeader/></w:trPr><w:tc>{word_paragraph('Item')}</w:tc><w:tc>{word_paragraph('Price')}</w:tc></w:tr>"
    rows = "".join(
        f"<w:tr><w:tc>{word_paragraph(f'row{n}')}</w:tc><w:tc>{word_paragraph('1.00')}</w:tc></w:tr>" for n in range(120)
    )
    document = laid_out(docx(f"<w:tbl>{heading}{rows}</w:tbl>"))
    assert document.pages > 2
    pages = [[word.text for word in document.words(number)] for number in range(1, document.pages + 1)]
    assert all(page[:2] == ["Item", "Price"] for page in pages)
    assert [word for page in pages for word in page if word.startswith("row")] == [f"row{n}" for n in range(120)]


def test_page_breaks_begin_a_new_page() -> None:
    document = laid_out(
        docx(word_paragraph("first") + '<w:p><w:r><w:br w:type="page"/></w:r></w:p>' + word_paragraph("second"))
    )
    assert [[word.text for word in document.words(number)] for number in (1, 2)] == [["first"], ["second"]]


def test_letters_of_formulas_are_read_in_their_order() -> None:
    def part(text: str) -> str:
        return f"<m:r><m:t>{text}</m:t></m:r>"

    formula = f"<m:oMath><m:f><m:num>{part('a')}</m:num><m:den>{part('b')}</m:den></m:f><m:sSup><m:e>{part('c')}</m:e></m:sSup></m:oMath>"
    spaced = formula.replace("<m:oMath>", '<m:oMath xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math">')
    assert words(docx(f"<w:p>{run('x ')}{spaced}</w:p>")) == ["x", "abc"]
