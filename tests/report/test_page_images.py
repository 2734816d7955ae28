"""Page images: in the order of the requests, only of unchanged files, and only up to the limit."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from pipeline.errors import DocumentError
from pipeline.report.page_images import DATA_URI_PREFIX, EmbeddedImage, PageImageRequest, draw_page_images
from pipeline.run.page_requests import PictureRequest
from pipeline.settings import Settings
from tests.drawing import text_pdf

SETTINGS = Settings(workers=2)


def request(path: Path, key: str, page: int = 1, mtime_ns: int | None = None) -> PageImageRequest[str]:
    status = path.stat()
    return PageImageRequest(key, path, "", status.st_size, mtime_ns or status.st_mtime_ns, page, PictureRequest(102_400, 0))


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    path = tmp_path / "a.pdf"
    path.write_bytes(text_pdf(["one", "two", "three"]))
    return path


def test_images_come_in_the_order_of_the_requests_and_failures_with_their_reason(pdf: Path) -> None:
    broken = pdf.with_name("broken.pdf")
    broken.write_bytes(b"%PDF-1.7 broken")
    requests = [request(pdf, "c", 3), request(broken, "x"), request(pdf, "old", mtime_ns=5), request(pdf, "a")]
    results = list(draw_page_images(requests, SETTINGS, 10_000_000))
    assert [key for key, _ in results] == ["c", "x", "old", "a"]
    assert [type(item) for _, item in results] == [EmbeddedImage, DocumentError, DocumentError, EmbeddedImage]
    image = results[0][1]
    assert isinstance(image, EmbeddedImage)
    assert (image.width, image.height) == pytest.approx((595, 842), abs=4), "in points, to a pixel"
    assert image.uri.startswith(DATA_URI_PREFIX)
    assert Image.open(io.BytesIO(base64.b64decode(image.uri[len(DATA_URI_PREFIX) :]))).format == "WEBP"


def test_no_images_come_beyond_the_limit(pdf: Path) -> None:
    requests = [request(pdf, name, page) for page, name in enumerate("abc", 1)]
    first = next(item for _, item in draw_page_images(requests, SETTINGS, 10_000_000))
    assert isinstance(first, EmbeddedImage)
    assert [key for key, _ in draw_page_images(requests, SETTINGS, len(first.uri))] == ["a"]
