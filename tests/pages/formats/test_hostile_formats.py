"""Hostile office files and texts: each ends in a reason or is read without what it tries; nothing is fetched, run or computed."""

from __future__ import annotations

import http.server
import io
import threading
import time
import zipfile
from collections.abc import Iterator

import pytest

from pipeline.errors import DocumentError
from pipeline.pages.formats.limits import FormatLimits
from tests.office_files import (
    RELATIONS,
    docx,
    odf,
    odf_paragraph,
    open_xml,
    pptx,
    raw_xlsx,
    relations,
    slide_shape,
    word_paragraph,
)
from tests.pages.formats.reading import laid_out, refusal, text, words

ENTITIES = (
    '<!DOCTYPE x [<!ENTITY a "boom"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'
)
LAUGHS = "<!DOCTYPE x [<!ENTITY a0 'ha'>" + "".join(f"<!ENTITY a{n + 1} '{f'&a{n};' * 10}'>" for n in range(12)) + "]>"


def with_part(content: bytes, name: str, replaced: bytes) -> bytes:
    """The package with other bytes in a part."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.namelist():
            new.writestr(each, replaced if each == name else old.read(each))
    return buffer.getvalue()


PACKAGES = {
    "word/document.xml": docx(word_paragraph("x")),
    "xl/worksheets/sheet1.xml": raw_xlsx("<sheetData/>"),
    "ppt/slides/slide1.xml": pptx([slide_shape("a", ["x"])]),
    "content.xml": odf("text", odf_paragraph("x")),
}


@pytest.mark.parametrize("name", list(PACKAGES))
@pytest.mark.parametrize("doctype", [ENTITIES, LAUGHS])
def test_entities_in_a_part_end_in_a_reason_at_once(name: str, doctype: str) -> None:
    with zipfile.ZipFile(io.BytesIO(PACKAGES[name])) as archive:
        part = archive.read(name)
    end = part.rindex(b"</")
    hostile = doctype.encode() + part[:end] + b"<row><c t='str'><v>&a12;&b;&c;</v></c></row>" + part[end:]
    started = time.monotonic()
    error = refusal(with_part(PACKAGES[name], name, hostile))
    assert error.reason in ("unsupported", "unreadable")
    assert "XML" in error.detail
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("doctype", [ENTITIES, LAUGHS])
def test_entities_of_plain_xml_end_in_a_reason(doctype: str) -> None:
    error = refusal(f"<?xml version='1.0'?>{doctype}<order><number>&a12;&c;</number></order>".encode())
    assert (error.reason, "entities" in error.detail) == ("unsupported", True)


@pytest.mark.parametrize("name", list(PACKAGES))
def test_a_bomb_ends_while_it_unpacks(name: str) -> None:
    bomb = with_part(PACKAGES[name], name, b"<a>" + b"<b/>" * 2_000_000 + b"</a>")
    assert len(bomb) < 50_000
    error = refusal(bomb, limits=FormatLimits(unpacked_megabytes=3))
    assert (error.reason, "limits.unpacked_megabytes" in error.detail) == ("too_large", True)


@pytest.mark.parametrize("name", list(PACKAGES))
def test_a_header_that_lies_about_a_size_is_no_way_around_the_limit(name: str) -> None:
    bomb = bytearray(with_part(PACKAGES[name], name, b"<a>" + b" " * 9_000_000 + b"</a>"))
    size = (9_000_007).to_bytes(4, "little")
    while (at := bomb.find(size)) >= 0:
        bomb[at : at + 4] = (10).to_bytes(4, "little")
    assert refusal(bytes(bomb), limits=FormatLimits(unpacked_megabytes=5)).reason in ("unreadable", "too_large")


@pytest.mark.parametrize("name", list(PACKAGES))
def test_deep_nesting_ends_in_a_reason(name: str) -> None:
    deep = b"<a>" * 100_000 + b"</a>" * 100_000
    assert refusal(with_part(PACKAGES[name], name, deep)).reason == "unreadable"


def test_tables_in_tables_in_tables_are_read_without_end_of_stack() -> None:
    def nested(levels: int) -> str:
        inner = word_paragraph("core")
        for _ in range(levels):
            inner = f"<w:tbl><w:tr><w:tc>{inner}</w:tc></w:tr></w:tbl>"
        return inner

    assert words(docx(nested(30))) == ["core"]
    assert words(docx(nested(80))) in (["core"], [])
    deep_html = "<table><tr><td>" * 400 + "core" + "</td></tr></table>" * 400
    assert "core" in words(f"<html><body>{deep_html}</body></html>".encode())
    assert "core" in words(f"<html><body>{'<div>' * 2_000}core</body></html>".encode())
    assert refusal(f"<html><body>{'<div>' * 20_000}core</body></html>".encode()).reason == "unreadable"
    assert "core" in words((">" * 5_000 + " core").encode(), "deep.md")
    assert "core" in words(b"{\\rtf1 " + b"{" * 50_000 + b"}" * 50_000 + b" core}")


def test_a_million_rows_are_read_up_to_the_limit_in_time() -> None:
    rows = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(1, 1_000_001))
    started = time.monotonic()
    document = laid_out(raw_xlsx(f"<sheetData>{rows}</sheetData>"), limits=FormatLimits(words=20_000))
    assert time.monotonic() - started < 60
    assert document.pages < 1_000
    with pytest.raises(DocumentError, match=r"Data!A20000"):
        document.words(document.pages)


def test_repeated_cells_and_rows_of_a_sheet_do_not_fill_the_memory() -> None:
    cell = f'<table:table-cell table:number-columns-repeated="16384" office:value-type="string">{odf_paragraph("x")}</table:table-cell>'
    table = f'<table:table table:name="S"><table:table-row table:number-rows-repeated="1048576">{cell}</table:table-row></table:table>'
    document = laid_out(odf("spreadsheet", table), limits=FormatLimits(words=5_000))
    with pytest.raises(DocumentError, match=r"limits\.words"):
        document.words(document.pages)


def test_a_text_of_form_feeds_or_of_one_endless_word_is_laid_out() -> None:
    assert laid_out(b"a" + b"\f" * 100_000 + b"b").pages == 2
    document = laid_out(b"x" * 200_000, limits=FormatLimits(words=10_000))
    assert sum(len(word.text) for n in range(1, document.pages + 1) for word in document.words(n)) == 200_000


class _Visits(http.server.BaseHTTPRequestHandler):
    paths: list[str] = []  # noqa: RUF012 - one server at a time

    def do_GET(self) -> None:
        self.paths.append(self.path)
        self.send_response(404)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the library's name
        pass


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """Address of a server on loopback, and what was asked of it."""
    with http.server.HTTPServer(("127.0.0.1", 0), _Visits) as listening:
        _Visits.paths.clear()
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_address[1]}", _Visits.paths
        listening.shutdown()


def test_nothing_is_fetched(server: tuple[str, list[str]]) -> None:
    address, visits = server
    link = relations({"r1": ("image", f"{address}/picture"), "r2": ("header", f"{address}/header")}, external=["r1", "r2"])
    body = word_paragraph("Text") + '<w:sectPr><w:headerReference w:type="default" r:id="r2"/></w:sectPr>'
    assert text(docx(body, {"word/_rels/document.xml.rels": link})) == "Text"
    template = relations({"r1": ("attachedTemplate", f"{address}/template")}, external=["r1"])
    assert text(docx(word_paragraph("Text"), {"word/_rels/settings.xml.rels": template})) == "Text"
    page = (
        f"<html><head><base href='{address}'><link rel=stylesheet href='{address}/css'></head><body>Text<img src='{address}/i'>"
    )
    assert (
        text(f"{page}<iframe src='{address}/f'></iframe><script src='{address}/s'></script></body></html>".encode()) == "Text"
    )
    outside = f'<!DOCTYPE order SYSTEM "{address}/dtd"><order><number>Text</number></order>'
    assert text(outside.encode()).endswith("Text")
    assert text(f"# Text\n\n![]({address}/m)".encode(), "a.md") == "Text"
    assert visits == []


def test_formulas_that_call_out_and_macros_are_only_what_was_stored() -> None:
    cells = (
        '<c r="A1" t="str"><f>WEBSERVICE("http://127.0.0.1:9/x")</f><v>stored</v></c>'
        '<c r="B1"><f>cmd|"/c calc"!A0</f></c><c r="C1"><f>\'[1]Sheet1\'!A1</f><v>7</v></c>'
    )
    file = raw_xlsx(f'<sheetData><row r="1">{cells}</row></sheetData>', {"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0 macro"})
    assert words(file) == ["stored", "7"]


def test_a_package_whose_main_part_lies_elsewhere_is_damaged() -> None:
    parts = {"word/document.xml": "<x/>", "_rels/.rels": relations({"r1": ("officeDocument", "../../etc/passwd")})}
    error = refusal(open_xml("word/document.xml", "x", parts))
    assert error.reason == "unreadable"
    assert RELATIONS not in error.detail


@pytest.mark.parametrize("size", [0, 3, 30, 100, 400])
@pytest.mark.parametrize("name", list(PACKAGES))
def test_files_that_are_cut_off_end_in_a_reason(name: str, size: int) -> None:
    assert refusal(PACKAGES[name][:size]).reason in ("unreadable", "unsupported")
