"""OpenDocument files: what a person reads is read, what is deleted or hidden is not."""

from __future__ import annotations

from tests.office_files import ODF, odf, odf_paragraph, odf_table
from tests.pages.formats.reading import laid_out, places, text, words


def test_a_text_with_deleted_hidden_and_repeated_parts() -> None:
    styles = '<style:style style:name="H" style:family="text"><style:text-properties text:display="none"/></style:style>'
    body = (
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>deleted</text:p></text:deletion></text:changed-region>"
        "</text:tracked-changes><text:h text:outline-level='1'>Offer</text:h>"
        "<text:p>two<text:s text:c='3'/>words<text:line-break/>next <text:span text:style-name='H'>hidden</text:span></text:p>"
        "<text:list><text:list-item><text:p>item</text:p></text:list-item></text:list>"
        "<text:p>a<text:note text:note-class='footnote'><text:note-citation>1</text:note-citation>"
        "<text:note-body><text:p>noted</text:p></text:note-body></text:note></text:p>"
        "<text:p><draw:frame><draw:text-box><text:p>boxed</text:p></draw:text-box></draw:frame></text:p>"
    )
    master = (
        f"<office:document-styles {ODF}><office:master-styles><style:master-page><style:header><text:p>top</text:p></style:header>"
        "<style:footer><text:p>bottom</text:p></style:footer></style:master-page></office:master-styles></office:document-styles>"
    )
    file = odf("text", body, styles=styles, parts={"styles.xml": master})
    assert text(file) == "top Offer two words next • item a[1] boxed noted bottom"
    assert places(file)["noted"] == "footnote 1, paragraph 1"


def test_tables_with_cells_over_several_columns() -> None:
    row = '<table:table-row><table:table-cell table:number-columns-spanned="2"><text:p>wide</text:p></table:table-cell>'
    row += "<table:covered-table-cell/><table:table-cell><text:p>last</text:p></table:table-cell></table:table-row>"
    below = "".join(f"<table:table-cell><text:p>{word}</text:p></table:table-cell>" for word in "abc")
    file = odf("text", f"<table:table>{row}<table:table-row>{below}</table:table-row></table:table>")
    found = {word.text: word for word in laid_out(file).words(1)}
    assert found["last"].place == "table 1, row 1, column 3"
    assert abs(found["last"].box[0] - found["c"].box[0]) < 1


def test_a_sheet_without_what_is_hidden_and_with_formulas_named() -> None:
    styles = '<style:style style:name="T" style:family="table"><style:table-properties table:display="false"/></style:style>'

    def cell(text: str) -> str:
        return f"<table:table-cell office:value-type='string'><text:p>{text}</text:p></table:table-cell>"

    body = (
        "<table:table table:name='My data'><table:table-column/><table:table-column table:visibility='collapse'/><table:table-column/>"
        f"<table:table-row>{cell('a')}{cell('hidden')}{cell('c')}</table:table-row>"
        f"<table:table-row table:visibility='collapse'>{cell('hidden')}</table:table-row>"
        f"<table:table-row table:number-rows-repeated='3'><table:table-cell/></table:table-row>"
        "<table:table-row><table:table-cell table:formula='of:=1+1'/>"
        "<table:table-cell table:number-columns-repeated='2' office:value-type='float'><text:p>7</text:p></table:table-cell>"
        "</table:table-row></table:table>"
        f"<table:table table:name='Secret' table:style-name='T'><table:table-row>{cell('hidden')}</table:table-row></table:table>"
    )
    document = laid_out(odf("spreadsheet", body, styles=styles))
    assert [(word.text, word.place) for word in document.words(1)] == [
        ("a", "'My data'!A1"),
        ("c", "'My data'!C1"),
        ("7", "'My data'!C6"),
    ]
    assert "Secret" in document.remarks[0]
    assert "'My data'!A6" in document.remarks[1]


def test_slides_begin_on_pages_of_their_own_with_their_notes() -> None:
    def frame(name: str, inside: str, y: int) -> str:
        return f'<draw:frame draw:name="{name}" svg:y="{y}cm"><draw:text-box>{inside}</draw:text-box></draw:frame>'

    first = frame("Low", odf_paragraph("below"), 9) + frame("High", odf_paragraph("above"), 2) + odf_table([["x", "y"]])
    notes = f"<presentation:notes>{frame('N', odf_paragraph('noted'), 1)}</presentation:notes>"
    document = laid_out(
        odf(
            "presentation", f"<draw:page>{first}{notes}</draw:page><draw:page>{frame('T', odf_paragraph('two'), 1)}</draw:page>"
        )
    )
    assert document.pages == 2
    assert [word.text for word in document.words(1)] == ["above", "below", "noted"]
    assert {word.text: word.place for word in document.words(1)}["noted"] == "slide 1, notes"


def test_a_flat_file_is_read_as_a_packed_one() -> None:
    mime = "application/vnd.oasis.opendocument.text"
    flat = (
        f'<?xml version="1.0"?><office:document {ODF} office:mimetype="{mime}"><office:body><office:text>{odf_paragraph("flat")}'
        "</office:text></office:body></office:document>"
    )
    assert words(flat.encode(), "a.fodt") == ["flat"]
