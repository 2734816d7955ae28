"""Pages as pictures: in the order asked for, only of the file that was read, and only as much as finds room."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from pipeline.errors import DocumentError
from pipeline.report.page_images import HEAD, Drawn, Wanted, draw
from pipeline.run.page_requests import Picture
from pipeline.settings import Settings
from tests.drawing import text_pdf

SETTINGS = Settings(workers=2)


def wanted(path: Path, key: str, page: int = 1, mtime_ns: int | None = None) -> Wanted[str]:
    status = path.stat()
    return Wanted(key, path, status.st_size, mtime_ns or status.st_mtime_ns, page, Picture(100, 0))


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    path = tmp_path / "a.pdf"
    path.write_bytes(text_pdf(["one", "two", "three"]))
    return path


def test_pictures_come_in_the_order_asked_for_and_failures_with_their_reason(pdf: Path) -> None:
    broken = pdf.with_name("broken.pdf")
    broken.write_bytes(b"%PDF-1.7 broken")
    asked = [wanted(pdf, "c", 3), wanted(broken, "x"), wanted(pdf, "old", mtime_ns=5), wanted(pdf, "a")]
    found = list(draw(asked, SETTINGS, 10_000_000))
    assert [key for key, _ in found] == ["c", "x", "old", "a"]
    assert [type(item) for _, item in found] == [Drawn, DocumentError, DocumentError, Drawn]
    picture = found[0][1]
    assert isinstance(picture, Drawn)
    assert (picture.width, picture.height) == pytest.approx((595, 842), abs=4), "in points, to a pixel"
    assert picture.uri.startswith(HEAD)
    assert Image.open(io.BytesIO(base64.b64decode(picture.uri[len(HEAD) :]))).format == "WEBP"


def test_no_more_pictures_than_find_room(pdf: Path) -> None:
    asked = [wanted(pdf, name, page) for page, name in enumerate("abc", 1)]
    first = next(item for _, item in draw(asked, SETTINGS, 10_000_000))
    assert isinstance(first, Drawn)
    assert [key for key, _ in draw(asked, SETTINGS, len(first.uri))] == ["a"]
