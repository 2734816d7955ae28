"""Which library opens a damaged PDF, and which error a file without pages gets."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pymupdf
import pytest
from PIL import Image

from pipeline.errors import DocumentError
from pipeline.pages.mupdf import MuPdfDocument
from pipeline.pages.open_document import open_document
from pipeline.pages.pdfium import PdfiumDocument
from pipeline.pages.protocol import OpenDocument
from tests.drawing import encrypted_pdf, png, text_pdf
from tests.pages.raw_pdf import CATALOG, EMPTY_PAGE, PAGE, one_page, raw_pdf, stream

CATALOG_TO_PAGE = "<</Type/Catalog/Pages 3 0 R>>"
"""A catalogue with a page in place of the page tree. MuPDF finds no page, PDFium finds it."""


def open_bytes(folder: Path, content: bytes) -> OpenDocument:
    path = folder / "a.pdf"
    path.write_bytes(content)
    return open_document(path.open("rb"), str(path))


def refusal(folder: Path, content: bytes) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        open_bytes(folder, content)
    return caught.value


def test_a_sound_file_is_read_by_mupdf(tmp_path: Path) -> None:
    assert isinstance(open_bytes(tmp_path, one_page()), MuPdfDocument)


@pytest.mark.parametrize(
    "content",
    [
        one_page(tree="<</Type/Pages/Kids[3 0 R]>>"),
        one_page(catalog=CATALOG_TO_PAGE),
    ],
    ids=["no number of pages", "no tree"],
)
def test_pages_that_only_pdfium_finds_are_read(tmp_path: Path, content: bytes) -> None:
    document = open_bytes(tmp_path, content)
    assert isinstance(document, PdfiumDocument)
    assert document.pages == 1


@pytest.mark.parametrize("count", ["-1", "0", "7777777777", "/One", "4 0 R"])
def test_a_page_tree_that_contradicts_itself_is_unreadable(tmp_path: Path, count: str) -> None:
    error = refusal(tmp_path, one_page(tree=f"<</Type/Pages/Kids[3 0 R]/Count {count}>>"))
    assert error.reason == "unreadable"
    assert "PDFium finds 1" in error.detail


def test_a_false_page_count_is_unreadable(tmp_path: Path) -> None:
    error = refusal(tmp_path, one_page(tree="<</Type/Pages/Kids[3 0 R]/Count 20000>>"))
    assert (error.reason, "MuPDF" in error.detail) == ("unreadable", True)


def test_a_blank_page_of_pdfium_does_not_replace_the_error_of_mupdf(tmp_path: Path) -> None:
    error = refusal(tmp_path, one_page(catalog=CATALOG_TO_PAGE, page=EMPTY_PAGE))
    assert (error.reason, "MuPDF" in error.detail) == ("unreadable", True)


@pytest.mark.parametrize(
    "objects",
    [
        (CATALOG, "<</Type/Pages/Kids[]/Count 0>>"),
        (CATALOG, "<</Type/Pages/Kids[3 0 R]/Count 0>>", "<</Type/Pages/Parent 2 0 R/Kids[]/Count 0>>"),
        (CATALOG, "<</Type/Pages/Count 0>>"),
        (CATALOG, "<</Type/Pages/Kids[]>>"),
    ],
)
def test_a_file_that_declares_no_pages_has_zero_pages(tmp_path: Path, objects: tuple[str, ...]) -> None:
    assert refusal(tmp_path, raw_pdf(*objects)).reason == "zero_pages"


@pytest.mark.parametrize("catalog", ["<</Type/Catalog>>", "<</Type/Catalog/Pages 9 0 R>>"])
def test_a_file_whose_pages_are_not_found_is_damaged_not_empty(tmp_path: Path, catalog: str) -> None:
    assert refusal(tmp_path, raw_pdf(catalog)).reason == "unreadable"


def test_a_file_without_a_page_that_had_to_be_repaired_is_damaged_not_empty(tmp_path: Path) -> None:
    sound = raw_pdf(CATALOG, "<</Type/Pages/Kids[]/Count 0>>")
    assert refusal(tmp_path, sound[: sound.index(b"xref")] + b"trailer<</Root 1 0 R>>").reason == "unreadable"


def test_the_error_of_an_earlier_file_is_not_reported(tmp_path: Path) -> None:
    assert refusal(tmp_path, encrypted_pdf()).reason == "needs_password"
    assert refusal(tmp_path, raw_pdf("<</Type/Catalog>>")).reason == "unreadable"


def test_a_blank_page_has_a_loss_warning_where_the_file_lacks_its_content(tmp_path: Path) -> None:
    assert not open_bytes(tmp_path, one_page(page=EMPTY_PAGE)).loss_warning(1)
    assert not open_bytes(tmp_path, one_page(content=stream("q Q"))).loss_warning(1)
    lost = {
        "content": one_page(page=PAGE.replace("4 0 R", "9 0 R")),
        "syntax": one_page(content=stream("BT /F 30 Tf ((( Greengrocer")),
        "end of file": one_page(content=stream("not compressed at all", "/Filter/FlateDecode")),
        "hold it": one_page()[:110],
    }
    for word, content in lost.items():
        assert word in open_bytes(tmp_path, content).loss_warning(1)


def test_boxes_of_images_are_those_of_the_page_as_displayed(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page(width=200, height=100)
    page.insert_image(pymupdf.Rect(10, 10, 30, 20), stream=png(Image.new("RGB", (20, 10), "red")))
    page.set_rotation(90)
    reopened = open_bytes(tmp_path, bytes(document.tobytes()))
    assert reopened.image_boxes(1) == [(80.0, 10.0, 90.0, 30.0)]
    reopened.close()


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_with_a_pdf_at_its_start_is_not_a_pdf(tmp_path: Path, kind: str) -> None:
    content, buffer = text_pdf(["Inside"]), io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("a.pdf", content)
    else:
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            member = tarfile.TarInfo("a.pdf")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    assert b"%PDF-" in buffer.getvalue()[:1024]
    error = refusal(tmp_path, buffer.getvalue())
    assert (error.reason, "archive" in error.detail) == ("unsupported", True)


@pytest.mark.parametrize("words", ["BMW builds a car.", "II wrote on Monday.", "GIF89a is a format. Nothing else stands here."])
def test_a_text_that_begins_like_a_picture_is_a_text(tmp_path: Path, words: str) -> None:
    assert open_bytes(tmp_path, f"{words}\n".encode()).kind == "txt"


def test_a_web_page_that_is_called_pdf_is_read_as_one_and_damage_is_said_without_paths(tmp_path: Path) -> None:
    assert open_bytes(tmp_path, b"<!doctype html><html><body>Please sign in</body></html>").kind == "html"
    error = refusal(tmp_path, b"%PDF-1.7\n" + bytes(range(128, 256)) * 4)
    assert (error.reason, str(tmp_path) in error.detail) == ("unreadable", False)
