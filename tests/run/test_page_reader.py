"""Reading pages: rotation, scans, transparency, several frames, broken text layers, data inside files."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pymupdf
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.ttLib.tables._g_l_y_f import Glyph, GlyphComponent
from PIL import Image, ImageOps

from pipeline.errors import DocumentError, FileChangedError
from pipeline.pages.mupdf import MuPdfDocument
from pipeline.pages.pdfium import PdfiumDocument
from pipeline.records import Page, PageImage
from pipeline.run.page_reader import handle
from pipeline.run.page_requests import PictureRequest, ReadRequest, decode_content, decode_opening, encode_request
from pipeline.words.lines import without_picture_words
from pipeline.words.ocr import read_image
from tests.drawing import (
    exif_turned_jpeg,
    invoice,
    invoice_pdf,
    page_image,
    png,
    scan_pdf,
    scanned_invoice,
    text_pdf,
    tiff,
    turned_pdf,
)
from tests.pages.raw_pdf import CATALOG, EMPTY_PAGE, PAGE, TREE, one_page, raw_pdf, stream

LINES = "Delivery note 4711\nThe quick brown fox jumps over the lazy dog\nTwelve boxes of oranges from Valencia\nReceived in good order"


def request(path: Path, page: int = 1, **changes: object) -> ReadRequest:
    status = path.stat()
    return ReadRequest(str(path), status.st_size, status.st_mtime_ns, page, **changes)  # type: ignore[arg-type]


def read(path: Path, page: int = 1, **changes: object) -> tuple[Page, Mapping[str, PageImage]]:
    reading, images = decode_content(handle(encode_request(request(path, page, **changes))), page)
    return reading.page, images


def text(page: Page) -> str:
    return " ".join(word.text for word in page.words)


def fail(*_: object) -> None:
    raise DocumentError("unreadable", "on purpose")


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def words(image: PageImage) -> list[str]:
    return [word.text for word in read_image(image)]


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_words_of_a_rotated_pdf_have_the_boxes_of_the_upright_page(tmp_path: Path, degrees: int) -> None:
    path = write(tmp_path, "a.pdf", turned_pdf(text_pdf(["Delivery note 4711\nThe quick brown fox"]), degrees))
    page, images = read(path, images={"t": 600_000})
    assert "The quick brown fox" in text(page)
    assert (page.width > page.height) == (degrees in (90, 270))
    image = images["t"]
    assert (image.width > image.height) == (page.width > page.height)
    assert image.width == pytest.approx(page.width * image.scale, abs=2)
    for word in page.words:
        assert 0 <= word.box[0] < word.box[2] <= page.width
        assert 0 <= word.box[1] < word.box[3] <= page.height


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_a_rotated_scan_is_turned_upright_with_its_words_image_and_size(tmp_path: Path, turned: int) -> None:
    scan = page_image(text_pdf([LINES], size=20)).rotate(turned, expand=True)
    path = write(tmp_path, "scan.pdf", scan_pdf([scan]))
    page, images = read(path, images={"t": 600_000})
    assert page.source == "ocr"
    assert "quick brown fox" in text(page)
    assert page.height > page.width
    assert "quick brown fox" in " ".join(words(images["t"]))


def test_exif_orientation_is_honoured(tmp_path: Path) -> None:
    photo = page_image(text_pdf([LINES], size=20))
    page, _ = read(write(tmp_path, "a.jpg", exif_turned_jpeg(photo, 6)))
    assert "quick brown fox" in text(page)
    assert (page.turned, page.height > page.width) == (0, True)


def test_frames_of_a_tiff_are_pages_and_animations_are_one(tmp_path: Path) -> None:
    frames = [page_image(text_pdf([f"Frame number {n}"], size=30), dpi=75) for n in ("one", "two", "three")]
    path = write(tmp_path, "a.tiff", tiff(frames))
    assert decode_opening(handle(encode_request(request(path, 0)))).pages == 3
    assert "two" in text(read(path, 2)[0])
    animation = io.BytesIO()
    frames[0].save(animation, "GIF", save_all=True, append_images=frames[1:])
    assert decode_opening(handle(encode_request(request(write(tmp_path, "a.gif", animation.getvalue()), 0)))).pages == 1


@pytest.mark.parametrize(
    ("ending", "options"), [("png", {}), ("webp", {"quality": 90}), ("avif", {"quality": 80}), ("heif", {}), ("bmp", {})]
)
def test_images_are_recognised_by_their_content_not_their_name(tmp_path: Path, ending: str, options: dict[str, int]) -> None:
    image = page_image(text_pdf([LINES], size=24), dpi=80)
    buffer = io.BytesIO()
    image.save(buffer, ending.upper(), **options)
    path = write(tmp_path, "wrong-name.pdf", buffer.getvalue())
    assert decode_opening(handle(encode_request(request(path, 0)))).kind == ending
    assert "brown fox" in text(read(path)[0])


def test_transparent_pixels_are_paper(tmp_path: Path) -> None:
    ink = page_image(text_pdf([LINES], size=24), dpi=80).convert("L")
    clear = Image.new("RGBA", ink.size, (0, 0, 0, 0))
    clear.putalpha(ink.point(lambda grey: 255 - grey))
    page, _ = read(write(tmp_path, "a.png", png(clear)))
    assert "brown fox" in text(page)


def test_an_empty_page_is_blank_and_a_dark_picture_is_not(tmp_path: Path) -> None:
    assert read(write(tmp_path, "white.png", png(Image.new("RGB", (600, 800), "white"))))[0].blank
    assert not read(write(tmp_path, "black.png", png(Image.new("RGB", (600, 800), "black"))))[0].blank
    assert read(write(tmp_path, "a.pdf", text_pdf([""])))[0].blank


def test_a_page_that_lost_its_content_is_unreadable_not_blank(tmp_path: Path) -> None:
    assert read(write(tmp_path, "empty.pdf", one_page(page=EMPTY_PAGE)))[0].blank
    with pytest.raises(DocumentError, match="shows nothing") as caught:
        read(write(tmp_path, "lost.pdf", one_page(page=PAGE.replace("4 0 R", "9 0 R"))))
    assert caught.value.reason == "unreadable"


def test_a_page_that_mupdf_cannot_load_is_read_by_pdfium(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MuPdfDocument, "native_page", fail)
    path = write(tmp_path, "a.pdf", text_pdf([LINES, ""]))
    page, images = read(path, images={"t": 65_000})
    assert "quick brown fox" in text(page)
    assert min(images["t"].rgb) < 128
    with pytest.raises(DocumentError, match="on purpose"):
        read(path, 2)


def test_a_page_that_mupdf_cannot_draw_is_drawn_by_pdfium(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "a.pdf", scan_pdf([page_image(text_pdf([LINES], size=20))]))
    monkeypatch.setattr(MuPdfDocument, "draw", fail)
    assert "quick brown fox" in text(read(path)[0])


def test_a_text_layer_that_cannot_be_read_leaves_the_page_to_ocr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.run.page_reader.read_text_layer", fail)
    page, _ = read(write(tmp_path, "a.pdf", text_pdf([LINES], size=16)))
    assert (page.source, "quick brown fox" in text(page)) == ("ocr", True)


def test_a_blank_page_stays_blank_where_pdfium_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PdfiumDocument, "draw", fail)
    assert read(write(tmp_path, "a.pdf", text_pdf([""])))[0].blank


def test_a_part_of_a_page_that_mupdf_draws_empty_comes_from_pdfium(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def white(document: MuPdfDocument, number: int, scale: float) -> PageImage:
        size = document.size(number)
        width, height = round(size.width * scale), round(size.height * scale)
        return PageImage(width, height, b"\xff" * (3 * width * height), scale)

    path = write(tmp_path, "a.pdf", text_pdf([LINES]))
    monkeypatch.setattr(MuPdfDocument, "draw", white)
    _, images = decode_content(
        handle(encode_request(request(path, picture=PictureRequest(600_000, 0, (50.0, 50.0, 400.0, 120.0))))), 1
    )
    assert min(images[""].rgb) < 128


def test_transparent_pages_with_text_are_not_blank(tmp_path: Path) -> None:
    ink = page_image(text_pdf([LINES], size=24), dpi=80).convert("L")
    clear = Image.new("RGBA", ink.size, "white")
    clear.putalpha(ink.point(lambda grey: 255 - grey))
    page, _ = read(write(tmp_path, "a.png", png(clear)))
    assert "brown fox" in text(page)
    assert read(write(tmp_path, "b.png", png(Image.new("RGBA", (600, 800), (0, 0, 0, 0)))))[0].blank


@pytest.mark.parametrize("ending", ["gif", "png", "webp"])
def test_an_animation_that_begins_with_nothing_is_its_first_frame_that_shows_something(tmp_path: Path, ending: str) -> None:
    frames = [page_image(text_pdf([line], size=30), dpi=75) for line in ("", "Frame number two", "Frame number three")]
    film, empty = io.BytesIO(), io.BytesIO()
    frames[0].save(film, ending.upper(), save_all=True, append_images=frames[1:])
    frames[0].save(empty, ending.upper())
    assert "two" in text(read(write(tmp_path, f"film.{ending}", film.getvalue()))[0])
    assert read(write(tmp_path, f"empty.{ending}", empty.getvalue()))[0].blank


def test_a_page_with_a_single_digit_is_not_blank(tmp_path: Path) -> None:
    assert text(read(write(tmp_path, "a.pdf", text_pdf(["7"])))[0]) == "7"


def test_the_image_has_almost_as_many_pixels_as_requested(tmp_path: Path) -> None:
    path = write(tmp_path, "a.pdf", text_pdf(["Few words"]))
    for pixels in (65_000, 1_300_000):
        image = read(path, images={"t": pixels})[1]["t"]
        assert 0.9 < image.width * image.height / pixels <= 1.01


def test_an_invoice_is_classified_and_its_xml_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, "a.pdf", invoice_pdf(invoice("de"), facturx=True))
    reading, _ = decode_content(handle(encode_request(request(path, classify=True))), 1)
    assert reading.kind == "invoice"
    assert reading.page.facts["BT-1"] == invoice("de").number
    assert not read(path, einvoice=False)[0].facts
    letter = write(tmp_path, "b.pdf", text_pdf(["\n".join(["Dear reader, there is no amount to be paid here."] * 20)]))
    assert decode_content(handle(encode_request(request(letter, classify=True))), 1)[0].kind == "text"


def test_a_cover_has_no_kind_unless_it_is_the_last_page(tmp_path: Path) -> None:
    path = write(tmp_path, "a.pdf", text_pdf(["Documents for May", "Documents for June"]))
    kinds = [decode_content(handle(encode_request(request(path, page, classify=True))), page)[0].kind for page in (1, 2)]
    assert kinds == [None, "text"]


def test_links_around_the_shared_folder_of_a_cluster_are_followed_and_links_in_it_are_not(tmp_path: Path) -> None:
    (tmp_path / "share" / "sub").mkdir(parents=True)
    path = write(tmp_path / "share" / "sub", "a.pdf", text_pdf(["shared"]))
    (tmp_path / "mount").symlink_to("share")
    (tmp_path / "share" / "link").symlink_to("sub")
    root = str(tmp_path / "mount")
    page, _ = read(tmp_path / "mount" / "sub" / "a.pdf", shared_folder=root)
    assert text(page) == "shared"
    for refused, folder in (("mount/link/a.pdf", root), ("mount/sub/a.pdf", "")):
        with pytest.raises(FileChangedError):
            read(tmp_path / refused, shared_folder=folder)
    assert path.exists()


def test_a_file_that_changed_since_it_was_hashed_is_not_read(tmp_path: Path) -> None:
    path = write(tmp_path, "a.pdf", text_pdf(["Old"]))
    old = encode_request(request(path, 1))
    write(tmp_path, "a.pdf", text_pdf(["New and longer than before"]))
    with pytest.raises(Exception, match="changed"):
        handle(old)


CASES = (Path(__file__).resolve().parents[3] / "shared" / "cases" / "stress").resolve()


def recursive_font(letters: str) -> str:
    """A TrueType font as text in latin-1: every glyph is composed of itself, so no program can draw it."""
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", *letters])
    builder.setupCharacterMap({ord(letter): letter for letter in letters})
    glyphs = {".notdef": Glyph()}
    glyphs[".notdef"].numberOfContours = 0
    for letter in letters:
        glyph, component = Glyph(), GlyphComponent()
        component.glyphName, component.x, component.y, component.flags = letter, 0, 0, 0
        glyph.numberOfContours, glyph.components = -1, [component]
        glyph.xMin, glyph.yMin, glyph.xMax, glyph.yMax = 0, 0, 500, 500
        glyphs[letter] = glyph
    builder.setupGlyf(glyphs, calcGlyphBounds=False)
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (600, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({})
    builder.setupOS2()
    builder.setupPost()
    builder.font.recalcBBoxes = False
    buffer = io.BytesIO()
    builder.save(buffer)
    return buffer.getvalue().decode("latin-1")


def test_words_that_mupdf_neither_extracts_nor_draws_are_read_by_pdfium(tmp_path: Path) -> None:
    widths = " ".join(["600"] * 91)
    font = f"<</Type/Font/Subtype/TrueType/BaseFont/Odd/Encoding/WinAnsiEncoding/FirstChar 32/LastChar 122/Widths[{widths}]"
    descriptor = "<</Type/FontDescriptor/FontName/Odd/Flags 32/FontBBox[0 0 500 700]/FontFile2 7 0 R>>"
    content = stream("BT /F 30 Tf 7 Tr 50 50 Td (Greengrocer) Tj ET")  # letters that only clip
    odd = raw_pdf(CATALOG, TREE, PAGE, content, f"{font}/FontDescriptor 6 0 R>>", descriptor, stream(recursive_font("Grencoz")))
    path = write(tmp_path, "odd.pdf", odd)
    with pymupdf.open(path) as document:
        assert not document[0].get_text().strip()
    page, _ = read(path)
    assert (text(page), page.blank) == ("Greengrocer", False)


@pytest.mark.skipif(not CASES.exists(), reason="real documents are not here")
def test_pages_that_mupdf_draws_blank_get_a_second_opinion() -> None:
    rows = [json.loads(line) for line in (CASES / "truth.jsonl").read_text(encoding="utf-8").splitlines()]
    paths = [CASES / row["file"] for row in rows if row["cls"] == "blank_in_mupdf_only"]
    assert paths
    assert not [path.name for path in paths if read(path)[0].blank]


def test_a_scan_that_leans_a_little_keeps_names_and_rows_whole(tmp_path: Path) -> None:
    from pipeline.engines.embedded.fields import read_fields
    from pipeline.settings import configs_folder
    from pipeline.templates.load import load_template

    data = invoice("es")
    for degrees in (-0.7, 0.7):
        scan = scanned_invoice(data, dpi=200).rotate(degrees, resample=Image.Resampling.BICUBIC, fillcolor="white")
        page, _ = read(write(tmp_path, f"{degrees}.pdf", scan_pdf([scan], dpi=200)))
        claims = read_fields(page, load_template(configs_folder() / "templates" / "invoice.yaml"))
        assert claims["vendor_name"].value == data.seller.name
        assert claims["total"].value == str(data.total)
        assert len(claims["line_items"].value) == len(data.items)


def test_an_invalid_reply_is_a_document_error(tmp_path: Path) -> None:
    path = write(tmp_path, "a.pdf", text_pdf([LINES, LINES]))
    good = handle(encode_request(request(path, 1, images={"t": 65_000})))
    assert decode_content(good, 1)[0].page.number == 1
    for parts, page in ((good, 2), (good[:1], 1), ([good[0], good[1][:-1]], 1), ([b"{}", good[1]], 1), ([b"\xff"], 1), ([], 1)):
        with pytest.raises(DocumentError, match="invalid reply"):
            decode_content(parts, page)
    for junk in ([], [b"[]"], [b'{"kind": 1}']):
        with pytest.raises(DocumentError, match="invalid reply"):
            decode_opening(junk)


@pytest.mark.parametrize("degrees", [0, 90, 180])
def test_a_part_of_a_page_is_drawn_enlarged_and_upright(tmp_path: Path, degrees: int) -> None:
    path = write(tmp_path, "a.png", png(scanned_invoice(invoice(), turned=degrees)))
    page, _ = read(path)
    line = next(word for word in page.words if len(word.text) > 6)
    part = (0.0, line.box[1] - 10, page.width, line.box[3] + 10)
    parts = handle(encode_request(request(path, picture=PictureRequest(600_000, page.turned, part))))
    _, images = decode_content(parts, 1)
    image = images[""]
    assert image.width == pytest.approx(page.width * image.scale, abs=2)
    assert image.height == pytest.approx((part[3] - part[1]) * image.scale, abs=2)
    again = read_image(PageImage(image.width, image.height, image.rgb, image.scale))
    assert line.text in " ".join(word.text for word in again)


def test_a_part_outside_the_page_is_still_an_image(tmp_path: Path) -> None:
    path = write(tmp_path, "a.pdf", text_pdf([LINES]))
    parts = handle(encode_request(request(path, picture=PictureRequest(65_000, 0, (900.0, 2000.0, 950.0, 2100.0)))))
    _, images = decode_content(parts, 1)
    assert images[""].width >= 1


def scan_with_a_layer_of_its_own() -> bytes:
    """A scan that fills its page, and one line above it that is in the text layer only."""
    document = pymupdf.open("pdf", scan_pdf([page_image(text_pdf([LINES]))]))
    page = document[0]
    page.insert_text((40, 30), "Archive of the harbour board, box 17", fontsize=12)
    return bytes(document.tobytes())


def test_words_of_a_scan_s_own_layer_are_kept_as_they_are(tmp_path: Path) -> None:
    page, _ = read(write(tmp_path, "a.pdf", scan_with_a_layer_of_its_own()))
    assert page.source == "ocr"
    assert " ".join(word.text for word in page.words if word.source == "textlayer") == "Archive of the harbour board, box 17"
    assert "lazy dog" in text(page)
    assert text(page).count("Archive") == 1


def test_text_in_pictures_is_read_for_the_templates_that_need_it(tmp_path: Path) -> None:
    document = pymupdf.open("pdf", text_pdf([LINES]))
    picture = pymupdf.open().new_page(width=200, height=30)
    picture.insert_text((10, 20), "Harbour office", fontsize=16)
    document[0].insert_image(pymupdf.Rect(100, 500, 300, 530), pixmap=picture.get_pixmap(dpi=200))
    path = write(tmp_path, "a.pdf", bytes(document.tobytes()))
    plain, _ = read(path, images={"transcript": 0})
    page, _ = read(path, images={"transcript": 0}, read_pictures=frozenset({"transcript"}))
    assert without_picture_words(page) == replace(plain, seconds=page.seconds)
    picture_words = [word for word in page.words if word.source == "ocr"]
    assert [word.text for word in picture_words] == ["Harbour", "office"]
    assert all(100 <= word.box[0] < word.box[2] <= 300 and 500 <= word.box[1] < word.box[3] <= 530 for word in picture_words)


def scan_under_layer(path: Path, *, blacked_out: bool, inverted: bool = False) -> Page:
    """A scan whose words lie over it as an invisible layer, as OCR programs store them. One line may be blacked out in the picture."""
    lines = LINES.split("\n")
    with pymupdf.open() as drawn, pymupdf.open() as document:
        page = drawn.new_page(width=420, height=400)
        for row, line in enumerate(lines):
            page.insert_text((40, 60 + 40 * row), line, fontsize=12)
        image = page.get_pixmap(dpi=150).pil_image()
        if inverted:
            image = ImageOps.invert(image)
        if blacked_out:
            image.paste((4, 4, 4), (60, 90, 800, 135))
        scan = document.new_page(width=420, height=400)
        scan.insert_image(scan.rect, stream=png(image))
        for row, line in enumerate(lines):
            scan.insert_text((40, 60 + 40 * row), line, fontsize=12, render_mode=3)
        document.save(path)
    return read(path)[0]


def test_what_is_blacked_out_in_a_scan_is_not_read_from_its_layer(tmp_path: Path) -> None:
    assert "4711" in text(scan_under_layer(tmp_path / "whole.pdf", blacked_out=False))
    assert "4711" in text(scan_under_layer(tmp_path / "inverted.pdf", blacked_out=False, inverted=True))
    page = scan_under_layer(tmp_path / "blacked out.pdf", blacked_out=True)
    assert "Delivery" not in text(page)
    assert "Valencia" in text(page)
    assert page.source == "textlayer"


def book(*, heads: tuple[str, str] = ("THE HARBOUR", "A YEAR ON THE COAST"), pages: int = 4) -> bytes:
    """A book whose left pages have one running head and its right pages another one, close above the text, and numbers below it."""
    body = LINES.split("\n") * 10
    return text_pdf([f"{heads[n % 2]}\n" + "\n".join([*body[n:], *body[:n]]) + f"\nPage {n + 1}" for n in range(pages)])


def test_running_heads_of_left_and_right_pages_are_found_by_the_pages_near_them(tmp_path: Path) -> None:
    path = write(tmp_path, "book.pdf", book())
    for number, head in ((1, "THE HARBOUR"), (2, "A YEAR ON THE COAST"), (4, "A YEAR ON THE COAST")):
        page, _ = read(path, number, images={"transcript": 0}, layouts=frozenset({"transcript"}))
        running = [page.words[n].text for n in page.running]
        assert running == [*head.split(), "Page", str(number)]


def test_a_page_alone_and_pages_without_transcripts_have_no_running_heads(tmp_path: Path) -> None:
    alone = write(tmp_path, "alone.pdf", book(pages=1))
    assert read(alone, images={"transcript": 0}, layouts=frozenset({"transcript"}))[0].running == ()
    assert read(write(tmp_path, "book.pdf", book()), images={"invoice": 0})[0].running == ()
