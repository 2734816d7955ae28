"""Reference texts of files by programs that none of the compared ones is built on: LibreOffice, poppler, Python's own modules.

A text that lies there already, such as one typed from a picture, is left as it is.
"""

from __future__ import annotations

import email
import email.policy
import re
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import olefile
from lxml import etree, html

WRITER = frozenset([".docx", ".docm", ".dotx", ".doc", ".dot", ".odt", ".fodt", ".sxw", ".rtf", ".html", ".htm"])
CALC = frozenset([".xlsx", ".xlsm", ".xltx", ".xls", ".xlsb", ".ods", ".fods", ".sxc"])
IMPRESS = frozenset([".pptx", ".pptm", ".ppsx", ".ppt", ".odp", ".fodp", ".sxi"])
PLAIN = frozenset(
    [".txt", ".csv", ".tsv", ".json", ".rst", ".org", ".asciidoc", ".tex", ".bib", ".srt", ".vtt", ".ics", ".vcs", ".md"]
)
ALL_SHEETS = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
SECONDS = 180
_LINK_TARGET = re.compile(r"\]\([^)]*\)|<[^>]*>")
_MESSAGE_BODIES = {"__substg1.0_1000001F": "utf-16-le", "__substg1.0_1000001E": "cp1252"}
"""PidTagBody in Unicode and in the code page of the sender (MS-OXMSG 2.4)."""


def write_references(folder: Path, references: Path) -> int:
    """A text for every file that some extractor opens. Returns how many there are."""
    count = 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        target = references / f"{path.relative_to(folder)}.txt"
        if not target.exists() and (text := reference_text(path)).strip():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", errors="replace")
        count += target.exists()
    return count


def reference_text(path: Path) -> str:
    """The text of a file; empty for one that cannot be opened, and for kinds without an extractor."""
    suffix = path.suffix.lower()
    extractors: dict[str, Callable[[Path], str]] = {
        ".pdf": _pdf, ".eml": _mail, ".emlx": _mail, ".msg": _outlook, ".xml": _xml, ".epub": _book,
        **dict.fromkeys(WRITER, _writer), **dict.fromkeys(CALC, _calc), **dict.fromkeys(IMPRESS, _impress), **dict.fromkeys(PLAIN, _plain),
    }  # fmt: skip
    try:
        return extractors[suffix](path) if suffix in extractors else ""
    except Exception as error:  # a reference that cannot be made is none
        print(f"no reference for {path.name}: {type(error).__name__}: {error}")
        return ""


def _converted(path: Path, target: str, ending: str) -> list[Path]:
    folder = Path(tempfile.mkdtemp(prefix="reference-"))
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", target, "--outdir", str(folder / "out"), str(path)]
    subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    return sorted((folder / "out").glob(f"*{ending}"))


def _writer(path: Path) -> str:
    return "\n".join(file.read_text("utf-8", "replace") for file in _converted(path, "txt:Text (encoded):UTF8", ".txt"))


def _calc(path: Path) -> str:
    return "\n".join(file.read_text("utf-8", "replace") for file in _converted(path, ALL_SHEETS, ".csv"))


def _impress(path: Path) -> str:
    return "\n".join(_pdf(file) for file in _converted(path, "pdf", ".pdf"))


def _pdf(path: Path) -> str:
    outcome = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, timeout=SECONDS, check=True)
    return outcome.stdout.decode("utf-8", "replace")


def _plain(path: Path) -> str:
    content = path.read_bytes()
    wide = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-16-le"
    encodings = (wide,) if b"\0" in content else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return _LINK_TARGET.sub(" ", text) if path.suffix == ".md" else text
    return ""


def _page_text(content: bytes | str) -> str:
    root = html.fromstring(content)
    for hidden in root.xpath("//script|//style|//head"):
        hidden.drop_tree()
    return " ".join(str(text) for text in root.itertext())


def _mail(path: Path) -> str:
    content = path.read_bytes()
    message = email.message_from_bytes(
        content[content.find(b"\n") + 1 :] if path.suffix == ".emlx" else content, policy=email.policy.default
    )
    body = message.get_body(("html", "plain"))
    text = str(body.get_content()) if body is not None else ""
    return _page_text(text) if body is not None and body.get_content_subtype() == "html" and text.strip() else text


def _outlook(path: Path) -> str:
    if not olefile.isOleFile(str(path)):
        return _mail(path)
    with olefile.OleFileIO(str(path)) as ole:
        return next(
            (ole.openstream(name).read().decode(code) for name, code in _MESSAGE_BODIES.items() if ole.exists(name)), ""
        )


def _xml(path: Path) -> str:
    root = etree.parse(str(path), etree.XMLParser(resolve_entities=False, no_network=True)).getroot()
    return " ".join(str(text) for text in root.itertext())


def _book(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        names = [
            name for name in archive.namelist() if name.endswith((".xhtml", ".html", ".htm")) and not re.search("nav|toc", name)
        ]
        return "\n".join(_page_text(archive.read(name)) for name in names)
