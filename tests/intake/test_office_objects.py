"""Files that were inserted into an office document are documents of their own; charts, formulas and buttons belong to the page."""

from __future__ import annotations

import struct
from pathlib import Path

from tests.drawing import text_pdf
from tests.drawn_containers import Members, compound_file, office_file, zip_of
from tests.intake.test_container_kinds import Taken

PDF = text_pdf(["An invoice"])
WORKBOOK = zip_of([("[Content_Types].xml", b"<Types/>"), ("xl/workbook.xml", b"<workbook/>")])


def document(objects: Members, chart: str = "") -> bytes:
    """A text document with inserted objects, one of which may hold the numbers of a chart."""
    links = f'<Relationships><Relationship Id="r1" Target="../embeddings/{chart}"/></Relationships>'
    parts = [(f"word/embeddings/{name}", content) for name, content in objects]
    return zip_of([("[Content_Types].xml", b"<Types/>"), ("word/charts/_rels/chart1.xml.rels", links.encode()), *parts])


def packed_object(label: str, content: bytes) -> bytes:
    """An object that the packager of Windows wrote (MS-OLEDS 2.3.6)."""
    path = rf"C:\temp\{label}".encode("cp1252") + b"\0"
    body = b"\2\0" + label.encode("cp1252") + b"\0" + path + struct.pack("<HHI", 0, 3, len(path)) + path
    body += struct.pack("<I", len(content)) + content
    return compound_file({"\x01Ole10Native": struct.pack("<I", len(body)) + body})


def test_inserted_files_are_documents_with_their_own_names(tmp_path: Path) -> None:
    taken = Taken(
        tmp_path,
        "offer.docx",
        document(
            [
                ("oleObject1.bin", compound_file({"CONTENTS": PDF})),
                ("oleObject2.bin", packed_object("Preisliste Müller.pdf", PDF)),
                ("oleObject3.bin", packed_object(r"..\..\evil.pdf", PDF)),
                ("Sheet1.xlsx", WORKBOOK),
                ("oleObject4.bin", compound_file({"WordDocument": b"x"})),
            ]
        ),
    )
    assert list(taken.parts) == ["oleObject1.pdf", "Preisliste Müller.pdf", "evil.pdf", "Sheet1.xlsx", "oleObject4.doc"]
    assert [taken.parts[name] for name in list(taken.parts)[:3]] == [PDF] * 3


def test_charts_formulas_and_buttons_are_no_documents(tmp_path: Path) -> None:
    objects = [
        ("Sheet1.xlsx", WORKBOOK),
        ("oleObject1.bin", compound_file({"Workbook": b"x", "\x01CompObj": b"..MSGraph.Chart.8"})),
        ("oleObject2.bin", compound_file({"Equation Native": b"x", "\x01CompObj": b"..Equation.3"})),
        ("oleObject3.bin", b"anything"),
    ]
    taken = Taken(tmp_path, "offer.docx", document(objects, chart="Sheet1.xlsx"))
    assert (taken.parts, taken.skipped) == ({}, [])


def test_a_damaged_object_is_a_part_that_says_so(tmp_path: Path) -> None:
    cut = packed_object("a.pdf", PDF).replace(struct.pack("<I", len(PDF)) + PDF[:8], struct.pack("<I", 10**9) + PDF[:8])
    taken = Taken(tmp_path, "offer.docx", document([("oleObject1.bin", cut)]))
    assert taken.parts == {"oleObject1.bin": cut}
    assert Taken(tmp_path, "b.docx", office_file([])).parts == {}
