"""Old office files, and pages as LibreOffice draws them; without LibreOffice, a reason that says what to do."""

from __future__ import annotations

import http.server
import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pipeline.errors import DocumentError
from pipeline.pages.formats import libreoffice
from pipeline.pages.formats.limits import FormatLimits
from pipeline.pages.open_document import open_document
from pipeline.words.text_layer import read_text_layer
from tests.cli.conftest import Pipeline, folder, pipeline
from tests.office_files import ODF, odf, odf_paragraph, office_invoice, packed
from tests.pages.formats.reading import laid_out, refusal
from tests.pages.formats.test_declined import compound_file

__all__ = ["folder", "pipeline"]  # fixtures
needs_libreoffice = pytest.mark.skipif(not libreoffice.find_program(), reason="LibreOffice is not installed")
SECONDS = 200.0


def old(kind: str, new: str) -> bytes:
    """The drawn invoice in an old format, as LibreOffice writes it."""
    return libreoffice.convert(io.BytesIO(office_invoice(new)), f".{new}", kind, SECONDS, "a test")


@needs_libreoffice
@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "new", "word", "place"),
    [
        ("doc", "docx", "K-12", "table 1, row 2, column 1"),
        ("xls", "xlsx", "K-12", "Invoice!A17"),
        ("ppt", "pptx", "EN-20417", "slide 1"),
    ],
)
def test_an_old_office_file_is_read_with_its_places(kind: str, new: str, word: str, place: str) -> None:
    document = laid_out(old(kind, new), f"a.{kind}", FormatLimits(seconds=SECONDS))
    assert document.kind == kind
    found = {word.text: word.place for word in document.words(1)}
    assert {"EN-20417", "1400.40", word} <= set(found)
    assert place in found[word]


OLD_TEXT = (
    '<office:document-content xmlns:office="http://openoffice.org/2000/office" xmlns:text="http://openoffice.org/2000/text" '
    'office:class="text"><office:body><text:p>Offer 4711</text:p></office:body></office:document-content>'
)
OLD_LIST = (
    '<m:manifest xmlns:m="http://openoffice.org/2001/manifest"><m:file-entry m:media-type="application/vnd.sun.xml.writer" '
    'm:full-path="/"/><m:file-entry m:media-type="text/xml" m:full-path="content.xml"/></m:manifest>'
)


@needs_libreoffice
@pytest.mark.slow
def test_a_text_of_openoffice_1_is_read() -> None:
    document = laid_out(
        packed({"content.xml": OLD_TEXT, "META-INF/manifest.xml": OLD_LIST}), "a.sxw", FormatLimits(seconds=SECONDS)
    )
    assert (document.kind, [word.text for word in document.words(1)]) == ("sxw", ["Offer", "4711"])


@needs_libreoffice
@pytest.mark.slow
def test_pages_can_be_those_of_libreoffice() -> None:
    limits = FormatLimits(by_libreoffice=True, seconds=SECONDS)
    document = open_document(io.BytesIO(office_invoice("docx")), "a.docx", formats=limits)
    assert (document.kind, document.pages) == ("docx", 1)
    assert "EN-20417" in [word.text for word in read_text_layer(document.native_page(1))]
    document.close()


def test_without_libreoffice_an_old_file_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libreoffice, "find_program", lambda: None)
    error = refusal(compound_file("WordDocument"), "a.doc")
    assert (error.reason, "LibreOffice" in error.detail, ".docx or PDF" in error.detail) == ("unsupported", True, True)
    limits = FormatLimits(by_libreoffice=True)
    assert open_document(io.BytesIO(office_invoice("docx")), "a.docx", formats=limits).kind == "docx"


def test_doctor_says_whether_it_is_there(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libreoffice, "version", lambda: "")
    pipeline("init")
    assert "apt-get install libreoffice-writer-nogui" in pipeline("doctor").out
    monkeypatch.setattr(libreoffice, "version", lambda: "LibreOffice 24.8")
    assert "office: LibreOffice 24.8 converts old office files" in pipeline("doctor").out


@pytest.fixture
def hung(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in the place of LibreOffice that never ends; it writes its process id to the file that is returned."""
    program, number = tmp_path / "soffice.bin", tmp_path / "pid"
    program.write_text(f"#!/bin/sh\necho $$ > {number}.new; mv {number}.new {number}\nsleep 1000\n")
    program.chmod(0o755)
    monkeypatch.setattr(libreoffice, "find_program", lambda: str(program))
    return number


def test_a_conversion_that_hangs_ends_in_time_with_all_its_processes(hung: Path) -> None:
    with pytest.raises(DocumentError) as ended:
        libreoffice.convert(io.BytesIO(b"x"), ".doc", "docx", 15.0, "a file")
    assert (ended.value.reason, "limits.seconds" in ended.value.detail) == ("timeout", True)
    assert not psutil.pid_exists(int(hung.read_text()))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_a_conversion_ends_with_a_reader_that_is_killed(tmp_path: Path) -> None:
    number = tmp_path / "pid"
    program = tmp_path / "soffice.bin"
    program.write_text(
        f"#!{sys.executable}\nimport os, time\nopen({str(number)!r}, 'w').write(str(os.getpid()))\ntime.sleep(1000)\n"
    )
    program.chmod(0o755)
    code = (
        "import io\nfrom pipeline.pages.formats import libreoffice\n"
        f"libreoffice.find_program = lambda: {str(program)!r}\nlibreoffice.convert(io.BytesIO(b'x'), '.doc', 'docx', 500, 'x')"
    )
    reader = subprocess.Popen(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[3], env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    until = time.monotonic() + 60
    while not (number.exists() and number.read_text()) and time.monotonic() < until:
        time.sleep(0.05)
    child = psutil.Process(int(number.read_text()))
    reader.kill()
    reader.wait()
    child.wait(20)


class _Visits(http.server.BaseHTTPRequestHandler):
    paths: list[str] = []  # noqa: RUF012 - one server at a time

    def do_GET(self) -> None:
        self.paths.append(self.path)
        self.send_response(404)
        self.end_headers()

    do_HEAD = do_OPTIONS = do_PROPFIND = do_GET  # noqa: N815 - as above

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the library's name
        pass


@pytest.fixture
def visits() -> Iterator[tuple[str, list[str]]]:
    with http.server.HTTPServer(("127.0.0.1", 0), _Visits) as listening:
        _Visits.paths.clear()
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_address[1]}", _Visits.paths
        listening.shutdown()


@needs_libreoffice
@pytest.mark.slow
def test_libreoffice_fetches_nothing_and_runs_no_macro(visits: tuple[str, list[str]], tmp_path: Path) -> None:
    address, paths = visits
    mark = tmp_path / "macro-ran"
    image = f'<draw:image xlink:href="{address}/i.png" xmlns:xlink="http://www.w3.org/1999/xlink"/>'
    frame = f'<draw:frame svg:width="5cm" svg:height="5cm">{image}</draw:frame>'
    event = (
        '<office:scripts><office:event-listeners><script:event-listener xmlns:script="urn:oasis:names:tc:opendocument:xmlns:script:1.0" '
        'xmlns:dom="http://www.w3.org/2001/xml-events" xmlns:xlink="http://www.w3.org/1999/xlink" script:language="ooo:script" '
        'script:event-name="dom:load" xlink:href="vnd.sun.star.script:Standard.Module1.Main?language=Basic&amp;location=document"/>'
        "</office:event-listeners></office:scripts>"
    )
    library = "http://openoffice.org/2000/library"
    script = "http://openoffice.org/2000/script"
    macro = f'Sub Main\nOpen "{mark}" For Output As #1\nClose #1\nEnd Sub'.replace('"', "&quot;")
    parts = {
        "META-INF/manifest.xml": _manifest(
            ["content.xml", "Basic/script-lc.xml", "Basic/Standard/script-lb.xml", "Basic/Standard/Module1.xml"]
        ),
        "Basic/script-lc.xml": f'<library:libraries xmlns:library="{library}">'
        '<library:library library:name="Standard" library:link="false"/></library:libraries>',
        "Basic/Standard/script-lb.xml": f'<library:library xmlns:library="{library}" library:name="Standard">'
        '<library:element library:name="Module1"/></library:library>',
        "Basic/Standard/Module1.xml": f'<script:module xmlns:script="{script}" script:name="Module1" '
        f'script:language="StarBasic">{macro}</script:module>',
    }
    body = f"<text:p>Text {frame}</text:p>" + odf_paragraph("End")
    content = odf("text", body, parts={**parts, "content.xml": _with_event(body, event)})
    document = open_document(io.BytesIO(content), "a.odt", formats=FormatLimits(by_libreoffice=True, seconds=SECONDS))
    assert "Text" in [word.text for word in read_text_layer(document.native_page(1))]
    document.close()
    assert paths == []
    assert not mark.exists()


def _manifest(names: list[str]) -> str:
    namespace = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
    root = '<m:file-entry m:full-path="/" m:media-type="application/vnd.oasis.opendocument.text"/>'
    files = "".join(f'<m:file-entry m:full-path="{name}" m:media-type="text/xml"/>' for name in names)
    return f'<m:manifest xmlns:m="{namespace}">{root}{files}</m:manifest>'


def _with_event(body: str, event: str) -> str:
    return f"<office:document-content {ODF}>{event}<office:body><office:text>{body}</office:text></office:body></office:document-content>"
