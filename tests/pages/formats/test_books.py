"""Electronic books and XPS documents: their text in the order of reading, with chapters as places; what is locked says so."""

from __future__ import annotations

import io

import pymupdf

from pipeline.pages.formats.limits import FormatLimits
from pipeline.pages.open_document import open_document
from pipeline.words.text_layer import read_text_layer
from tests.office_files import packed
from tests.pages.formats.reading import laid_out, refusal, text

CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
BOOK = (
    '<package xmlns="http://www.idpf.org/2007/opf"><manifest>'
    '<item id="b" href="b%20end.xhtml" media-type="application/xhtml+xml"/>'
    '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/>'
    '<item id="cover" href="cover.png" media-type="image/png"/>'
    '</manifest><spine><itemref idref="cover"/><itemref idref="a"/><itemref idref="b"/></spine></package>'
)


def book(**more: str) -> bytes:
    """An EPUB with two chapters, which the package lists in another order than they are read in."""
    parts = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "OPS/book.opf": BOOK,
        "OPS/a.xhtml": "<html><head><title>x</title></head><body><h1>Terms</h1><p>First chapter.</p></body></html>",
        "OPS/b end.xhtml": '<html><body><p>Second chapter.</p><img src="http://127.0.0.1:9/a.png"/></body></html>',
    }
    return packed({**parts, **{name.replace("__", "/"): content for name, content in more.items()}}, first="mimetype")


def test_chapters_of_a_book_are_read_in_their_order() -> None:
    document = laid_out(book(), "book.epub")
    assert (document.kind, document.pages) == ("epub", 2)
    assert text(book()) == "Terms First chapter. Second chapter."
    assert document.words(2)[0].place == "chapter 2, paragraph 1"


def test_a_book_with_a_copy_protection_says_what_to_do_and_fonts_may_be_encrypted() -> None:
    lock = (
        '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container" xmlns:e="http://www.w3.org/2001/04/xmlenc#">'
        '<e:EncryptedData><e:CipherData><e:CipherReference URI="{}"/></e:CipherData></e:EncryptedData></encryption>'
    )
    error = refusal(packed_with_lock(lock.format("OPS/b%20end.xhtml")))
    assert (error.reason, "copy protection" in error.detail) == ("unsupported", True)
    assert laid_out(packed_with_lock(lock.format("OPS/font.otf"))).pages == 2


def packed_with_lock(lock: str) -> bytes:
    return book(**{"META-INF__encryption.xml": lock})


def test_other_packages_of_the_same_build_are_no_books() -> None:
    design = packed(
        {"mimetype": "application/vnd.adobe.indesign-idml-package", "designmap.xml": "<x/>", "META-INF/container.xml": "<x/>"}
    )
    assert "InDesign" in refusal(design).detail
    assert refusal(book(**{"OPS__book.opf": "<package/>"})).reason == "unreadable"


def xps(words: str) -> bytes:
    """An XPS document of one page (ECMA-388)."""
    kind = "http://schemas.microsoft.com/xps/2005/06"
    font = pymupdf.Font("cour").buffer
    page = (
        f'<FixedPage xmlns="{kind}" Width="816" Height="1056" xml:lang="en"><Glyphs Fill="#ff000000" FontUri="/font.otf" '
        f'FontRenderingEmSize="16" OriginX="96" OriginY="96" UnicodeString="{words}"/></FixedPage>'
    )
    relation = f'<Relationship Id="r1" Type="{kind}/fixedrepresentation" Target="/FixedDocSeq.fdseq"/>'
    return packed(
        {
            "[Content_Types].xml": "<Types/>",
            "_rels/.rels": f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{relation}</Relationships>',
            "FixedDocSeq.fdseq": f'<FixedDocumentSequence xmlns="{kind}"><DocumentReference Source="/doc.fdoc"/></FixedDocumentSequence>',
            "doc.fdoc": f'<FixedDocument xmlns="{kind}"><PageContent Source="/1.fpage"/></FixedDocument>',
            "1.fpage": page,
            "font.otf": font,
        }
    )


def test_an_xps_document_is_read_like_a_pdf() -> None:
    document = open_document(io.BytesIO(xps("Total 12.50")), "a.xps")
    assert (document.kind, document.pages) == ("xps", 1)
    assert [word.text for word in read_text_layer(document.native_page(1))] == ["Total", "12.50"]
    document.close()


def test_damaged_xps_and_one_that_unpacks_to_too_much_end_in_a_reason() -> None:
    error = refusal(packed({"FixedDocSeq.fdseq": "<x", "[Content_Types].xml": "<Types/>"}), "a.xps")
    assert (error.reason, "print it to PDF" in error.detail) == ("unreadable", True)
    assert refusal(xps("a" * 3_000_000), "a.xps", FormatLimits(unpacked_megabytes=1)).reason == "too_large"
