"""A served outbox with given results, in this process: nothing is read but the words of pages, so that a test states what was read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pymupdf
import pytest

from pipeline.records import Box, Evidence
from pipeline.settings import STATE_FOLDER
from tests.drawing import invoice, invoice_pdf, page_image, scan_pdf
from tests.web.review.building import TEMPLATES, PageRead, ReviewFolder, grounded

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
TOKEN = "a-token-of-a-test-that-is-long-enough"
TIMEOUT_MILLISECONDS = 60_000
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
ROWS = [
    {"description": "Model K-12", "quantity": "12", "unit_price": "84.50", "amount": "1014.00"},
    {"description": "Service pack", "quantity": "2.5", "unit_price": "61.20", "amount": "153.00"},
]


def phrase_box(pdf: bytes, text: str, page: int = 1) -> Box:
    """The box of the first place of a text on a page, in points."""
    with pymupdf.open(stream=pdf) as document:
        left, top, right, bottom = document[page - 1].search_for(text)[0]
    return left, top, right, bottom


def invoice_fields(pdf: bytes, number: str, **changes: Evidence) -> dict[str, Evidence]:
    """An invoice as it was read: its number and its date are doubtful, the other values are not."""

    def read(value: str, printed: str = "", **more: Any) -> Evidence:
        return grounded(value, phrase_box(pdf, printed or value), printed=printed or value, **{"confidence": 0.995, **more})

    fields = {
        "vendor_name": read("Harrow Lane Tools Ltd"),
        "invoice_number": read(number, confidence=0.61),
        "invoice_date": read("2025-03-24", "24 March 2025", confidence=0.72, grounding="value"),
        "due_date": read("2025-04-23", "23 April 2025", grounding="value"),
        "currency": grounded("GBP", confidence=0.99),
        "subtotal": read("1167.00", "£1,167.00", grounding="value"),
        "tax_total": read("233.40", "£233.40", grounding="value"),
        "total": read("1400.40", "£1,400.40", grounding="value"),
        "line_items": grounded(ROWS, (50, 300, 540, 380), printed=None, confidence=0.99),
    }
    return fields | changes


@dataclass
class ServedOutbox:
    """The outbox, and the address of its server."""

    folder: ReviewFolder
    base: str

    def add_invoice(self, name: str, *, scan: bool = False, pages: int = 1, **changes: Evidence) -> str:
        """Add an invoice whose number is its name; returns its identifier in addresses."""
        from pipeline.web.context import document_id

        number = Path(name).stem.upper()
        pdf = invoice_pdf(invoice("en", number=number))
        fields = invoice_fields(pdf, number, **changes)
        content = scan_pdf([page_image(pdf)]) if scan else pdf
        if pages > 1:
            with pymupdf.open(stream=content) as document:
                for n in range(1, pages):
                    document.new_page().insert_text((72, 72), f"Appendix {n}")
                content = document.tobytes()
        self.folder.add(name, content, [PageRead(fields), *(PageRead() for _ in range(1, pages))])
        review = [field for field, item in fields.items() if item.flags or (item.confidence or 1) < 0.9]
        with self.folder.ledger.transaction():
            self.folder.ledger.change("UPDATE files SET review = ? WHERE name = ?", [_json(review), name])
        return document_id(name)

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.base, headers={"authorization": f"Bearer {TOKEN}"}, timeout=60)

    def view(self, id: str) -> dict[str, Any]:  # noqa: A002 - as in the addresses
        """The data of a document, with its fields by ``template.field``."""
        with self.client() as client:
            data: dict[str, Any] = client.get(f"/api/documents/{id}/view").raise_for_status().json()
        data["fields"] = {f"{r['template']}.{f['raw_name']}": f for r in data["results"] for f in r["fields"]}
        return data


def _json(names: Sequence[str]) -> str:
    import json

    return json.dumps(list(names))


@pytest.fixture(scope="module")
def outbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedOutbox]:
    """A server over an empty outbox, for the tests of a module."""
    with serve_outbox(tmp_path_factory.mktemp("served")) as served:
        yield served


@contextmanager
def serve_outbox(path: Path) -> Iterator[ServedOutbox]:
    """A server over the empty outbox ``path/outbox``, for one user until somebody is invited."""
    from pipeline.web import server
    from pipeline.web.app import make_app, with_access_control
    from pipeline.web.context import ServerContext
    from pipeline.web.identity import Accounts
    from pipeline.web.image_cache import PageImageCache
    from pipeline.web.supervisor import Supervisor
    from pipeline.web.task_store import TaskStore

    (path / "inbox").mkdir()
    folder = ReviewFolder(path)
    listener = server.listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    with ExitStack() as stack:
        stack.enter_context(listener)
        images = stack.enter_context(PageImageCache(folder.settings))
        supervisor, tasks = Supervisor([], folder.settings.outbox), TaskStore(folder.settings.outbox / STATE_FOLDER)
        context = ServerContext(folder.settings, TEMPLATES, images, supervisor, tasks)
        hosts = server.permitted_hosts("127.0.0.1", port, ())
        accounts = Accounts(folder.settings.outbox / STATE_FOLDER)
        app = with_access_control(make_app(context), TOKEN, hosts, port, 1_000_000, accounts)
        web_server = server.WebServer(app)
        thread = threading.Thread(target=web_server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield ServedOutbox(folder, f"http://127.0.0.1:{port}")
        web_server.should_exit = True
        thread.join(30)
    folder.ledger.close()


OpenPage = Callable[..., Any]


@pytest.fixture
def open_page(browser: Any, outbox: ServedOutbox) -> Iterator[OpenPage]:
    """Opens addresses of the server; at the end no page may have had an error, or have loaded from elsewhere."""
    problems: list[str] = []
    contexts: list[Any] = []

    def open_one(address: str, size: dict[str, int] = DESKTOP, **more: Any) -> Any:
        context = browser.new_context(viewport=size, **more)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MILLISECONDS)
        page.on("pageerror", lambda error: problems.append(f"error: {error}"))
        page.on("console", lambda message: problems.append(f"{message.type}: {message.text}"))
        page.on("request", lambda request: None if request.url.startswith(outbox.base) else problems.append(request.url))
        page.goto(f"{outbox.base}{address}?token={TOKEN}")
        return page

    yield open_one
    for context in contexts:
        context.close()
    expected = ("409 (Conflict)", "400 (Bad Request)")
    assert [problem for problem in problems if not any(words in problem for words in expected)] == []
