"""Fuzzes the opening of PDFs and images: open, measure and draw page 1, by MuPDF and PDFium or by Pillow."""

from __future__ import annotations

import contextlib
import math
import tempfile
from pathlib import Path

from pipeline.errors import DocumentError
from pipeline.pages.mupdf import MuPdfDocument
from pipeline.pages.open_document import open_document, open_with_pdfium
from pipeline.pages.protocol import OpenDocument, fit_scale
from pipeline.safe_open import open_file

MEGAPIXELS = 4
"""Limit for image files. It is low so that inputs are fast."""
SCALE = 0.25
MAX_PIXELS = 250_000


def once(data: bytes) -> None:
    """Any bytes are drawn or refused with DocumentError."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "input.pdf"  # with this suffix, bytes without a header are tried as a PDF
        path.write_bytes(data)
        with open_file(path) as file:
            try:
                document = open_document(file, str(path), passwords=("secret",), megapixels=MEGAPIXELS)
            except DocumentError:
                return
            _draw(document)
            if document.kind == "pdf" and (other := open_with_pdfium(file, ("secret",))):
                _draw(other)


def _draw(document: OpenDocument) -> None:
    with contextlib.closing(document), contextlib.suppress(DocumentError):
        assert document.pages >= 1
        assert not isinstance(document, MuPdfDocument) or document.native_page(1).parent.is_pdf
        size, native = document.size(1), document.native_scale(1)
        assert math.isfinite(size.width * size.height), size
        assert native is None or (math.isfinite(native) and native > 0), native
        document.image_boxes(1)
        assert isinstance(document.loss_warning(1), str)
        image = document.draw(1, fit_scale(size, SCALE, MAX_PIXELS))
        assert len(image.rgb) == 3 * image.width * image.height > 0
