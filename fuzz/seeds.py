"""Makes the seeds: ``python -m fuzz.seeds`` writes them to ``corpus/``. Seeds named ``finding-…`` were added by hand."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageDraw
from pillow_heif import register_heif_opener

from tests.drawing import encrypted_pdf, exif_turned_jpeg, jpeg, png, scan_pdf, text_pdf, tiff, turned_pdf
from tests.templates.conftest import DELIVERY_NOTE
from tests.words.test_einvoice import CII, UBL, ZUGFERD_1, pdf_with

CORPUS = Path(__file__).parent / "corpus"
PRINTED = {
    "grouped": "1.234.567,89", "swiss": "CHF 1'234.50", "indian": "12,34,567.00", "brackets": "($35.13)", "trailing": "12,50-",
    "word": "3 441 812 euros", "wide": "￥１，２８０.00", "empty_cents": "CHF 20.–", "glued": "23/09/20215:57:07PM",
    "month": "1er août 2020", "american": "Mar 03, 2015", "compact": "20210923", "chinese": "2024年3月5日 14h30",
    "latvian": "2024. gada 5. marts", "iso": "2024-02-29", "vat_de": "DE 314 159 262", "vat_nl": "NL 004495445B01",
    "vat_misread": "LU40003032949", "national": "314159262", "currency": "zł",
}  # fmt: skip
SMALL_TEMPLATE = "name: small\nprompt: '{{ words | upper }}'\nfields: {total: {type: money, labels: {en: [Total]}}}\n"
SETTINGS = """\
inbox: in
outbox: ~/out
engine: embedded
retry: {answer_attempts: 2}
routes:
  - {match: "receipts/**", template: receipt}
  - match: "*.png"
    template: [chart, caption]
after: move
archive: read
limits: {megabytes: 10, seconds: 2.5, passwords: [one, "0123"]}
intake: {unchanged_seconds: 0.1}
vlm: {dtype: float32, threads: 2}
server: {url: "http://127.0.0.1:8080/v1", accepts_images: false}
"""


def main() -> None:
    """Write every seed."""
    register_heif_opener()
    for target, name, content in _all():
        path = CORPUS / target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _all() -> Iterator[tuple[str, str, bytes]]:
    for name, content in (*_pdfs().items(), *_images().items()):
        yield "pages", name, content
    for name, text in PRINTED.items():
        yield "values", name, b"\0" + text.encode()
    for name, text in {"note": DELIVERY_NOTE, "small": SMALL_TEMPLATE}.items():
        yield "templates", name, text.encode()
    for name, text in {"full": SETTINGS, "small": "outbox: out\n"}.items():
        yield "settings", name, text.encode()
    for name, text in {"cii": CII, "ubl": UBL, "zugferd1": ZUGFERD_1}.items():
        yield "einvoice", name, text.encode()
    yield "einvoice", "inside", pdf_with("factur-x.xml", ZUGFERD_1.encode())
    for name, content in _archives().items():
        yield "archives", name, content


def _pdfs() -> dict[str, bytes]:
    text = text_pdf(["Total 12.50", "Page two"])
    return {
        "text.pdf": text,
        "turned.pdf": turned_pdf(text_pdf(["Turned"]), 90),
        "encrypted.pdf": encrypted_pdf(password="secret"),
        "scan.pdf": scan_pdf([_picture()]),
    }


def _images() -> dict[str, bytes]:
    picture = _picture()
    images = {
        "a.png": png(picture),
        "turned.jpg": exif_turned_jpeg(picture),
        "a.jpg": jpeg(picture),
        "a.tiff": tiff([picture] * 2),
    }
    for kind in ("BMP", "GIF", "WEBP", "PPM", "ICO", "TGA", "PCX", "AVIF", "HEIF", "JPEG2000", "DDS", "SGI"):
        images[f"a.{kind.lower()}"] = _saved(picture, kind)
    modes = {"16bit.png": "I;16", "palette.png": "P", "alpha.png": "RGBA", "float.tiff": "F", "cmyk.tiff": "CMYK"}
    for name, mode in modes.items():
        shade = picture.convert("I").convert(mode) if mode == "I;16" else picture.convert(mode)
        images[name] = _saved(shade, name.partition(".")[2].upper())
    return images


def _picture() -> Image.Image:
    picture = Image.new("RGB", (32, 24), "white")
    ImageDraw.Draw(picture).rectangle((4, 4, 20, 12), fill="navy")
    return picture


def _saved(picture: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def _archives() -> dict[str, bytes]:
    members = {"2024/a.pdf": b"one" * 9, "b.pdf": b"two", "../up.pdf": b"x", "2024/.hidden": b"x"}
    archives = {f"tar.{how or 'plain'}": _tar(members, f"w:{how}") for how in ("", "gz", "xz", "bz2")}
    archives["tar.gnu"] = _tar({"long/" * 30 + "a.pdf": b"one"}, "w:", tarfile.GNU_FORMAT)
    archives["tar.pax"] = _tar({"long/" * 30 + "ä.pdf": b"one"}, "w:", tarfile.PAX_FORMAT)
    for name, method in {"stored": zipfile.ZIP_STORED, "deflated": zipfile.ZIP_DEFLATED, "lzma": zipfile.ZIP_LZMA}.items():
        archives[f"zip.{name}"] = _zip(members, method)
    return archives


def _tar(members: dict[str, bytes], mode: str, how: int = tarfile.USTAR_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, format=how) as tar:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def _zip(members: dict[str, bytes], method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=method)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
