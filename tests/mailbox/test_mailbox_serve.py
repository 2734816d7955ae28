"""`pipeline serve` over a mailbox: what it holds is shown and unlocked in the browser, and nothing is uploaded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.drawing import encrypted_pdf
from tests.mailbox.conftest import MailRuns
from tests.mailbox.dovecot import mail
from tests.web.serve.conftest import Served, wait_for

WORD = "open sesame"


@pytest.fixture
def client(runs: MailRuns) -> Iterator[httpx.Client]:
    """A client of a server that reads a mailbox with one locked attachment."""
    runs.server.put(mail(1, attachment=encrypted_pdf("Sealed", WORD)))
    served = Served(runs.folder, environment=runs.environment).start()
    with served.client() as client:
        yield client
    served.stop()


def attachment(client: httpx.Client, status: str) -> Any:
    """The attachment, when it has this status."""
    documents = client.get("/api/documents").json()["documents"]
    return next((each for each in documents if each["file"].endswith(".pdf") and each["status"] == status), None)


def test_an_attachment_is_unlocked_in_the_browser_and_its_page_is_drawn(client: httpx.Client) -> None:
    url = f"/api/documents/{wait_for(lambda: attachment(client, 'failed'))['id']}"
    assert client.get(f"{url}/view").json()["lock"] is not None
    wrong = client.post(f"{url}/password", json={"password": "a wrong one"})
    assert (wrong.status_code, wrong.json()["detail"]) == (409, "this password does not open it; nothing was changed")
    assert client.post(f"{url}/password", json={"password": WORD}).status_code == 202
    wait_for(lambda: attachment(client, "done"))
    assert client.get(f"{url}/pages/1.webp").status_code == 200

    home = client.get("/").text
    assert "imaps://" in home
    assert 'id="drop"' not in home
    refused = client.put("/api/files/x.pdf", content=b"%PDF-1.4")
    assert (refused.status_code, refused.json()["detail"][:23]) == (409, "the inbox is a mailbox ")
    assert client.post("/api/read", content=b"%PDF-1.4").status_code == 409
