"""Parts of a container in the browser: their pages are shown and questions answered, although their files are deleted after reading."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.drawing import invoice, invoice_pdf
from tests.drawn_containers import mail, zip_of
from tests.web.serve.conftest import Served, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def read_part(served: Served, name: str) -> dict[str, Any]:
    """A part when it was read, and its file deleted."""

    def finished() -> dict[str, Any] | None:
        found = client.get("/api/documents", params={"q": name}).json()["documents"]
        return next((item for item in found if item["file"] == name and item["status"] != "waiting"), None)

    with served.client() as client:
        document: dict[str, Any] = wait_for(finished)
    unpacked = served.outbox / ".pipeline" / "unpacked"
    wait_for(lambda: not [path for path in unpacked.rglob("*.pdf") if path.is_file()])
    return document


def test_pages_of_parts_are_shown_and_questions_about_them_answered(folder: Path) -> None:
    served = Served(folder).start()
    attached = zip_of([("b.pdf", invoice_pdf(invoice("de")))])
    served.submit("scans.zip", zip_of([("a.pdf", invoice_pdf(invoice("en")))]))
    served.submit("mail.eml", mail([("in.zip", attached)]))
    for name in ("scans.zip/a.pdf", "mail.eml/in.zip/b.pdf"):
        document = read_part(served, name)
        with served.client() as client:
            picture = client.get(f"/api/documents/{document['id']}/pages/1.webp")
            assert picture.status_code == 200, picture.text
            assert Image.open(io.BytesIO(picture.content)).width > 500
            assert client.get(f"/api/documents/{document['id']}/pages/1").json()["width"] > 500
            question = {"page": 1, "question": "What is the due date?"}
            order = client.post(f"/api/documents/{document['id']}/questions", json=question).json()
            assert "2025" in served.outcome(order)["answer"]
            order = client.post(f"/api/documents/{document['id']}/readings", json={"template": "transcript"}).json()
            assert served.outcome(order)["status"] == "done"
    assert served.stop() == 0
    assert list((served.outbox / ".pipeline" / "parts").iterdir()) == []


def test_a_part_whose_container_was_deleted_says_so_in_place_of_its_page(folder: Path) -> None:
    served = Served(folder).start()
    served.submit("scans.zip", zip_of([("a.pdf", invoice_pdf(invoice("en")))]))
    document = read_part(served, "scans.zip/a.pdf")
    (served.inbox / "scans.zip").unlink()
    with served.client() as client:
        picture = client.get(f"/api/documents/{document['id']}/pages/1.webp")
        assert picture.status_code == 404
        assert "its container scans.zip is no longer where it was read: put it back" in picture.json()["detail"]
        assert "its container scans.zip is no longer" in client.get(f"/api/documents/{document['id']}/pages/1").text
        assert "Harrow Lane Tools Ltd" in client.get(f"/documents/{document['id']}").text, "its values stay"
    assert served.stop() == 0
