"""Generated requests of a stranger and of somebody who may only look: answered as described, and nothing is changed by them."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.web.accounts.account_store import AccountStore
from pipeline.web.accounts.api_tokens import ApiTokens
from pipeline.web.accounts.database import AccountDatabase
from tests.drawing import invoice, invoice_pdf
from tests.web.serve.conftest import Served
from tests.web.serve.test_api import CHECKS

pytest.importorskip("argon2")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(importlib.util.find_spec("schemathesis") is None, reason="schemathesis is not installed"),
]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with a document and two accounts."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "inbox").mkdir()
    served = Served(folder).start()
    served.read(served.submit("invoice.pdf", invoice_pdf(invoice("en")))["sha256"])
    people = AccountStore(AccountDatabase(folder / "outbox" / ".pipeline"))
    people.add_without_password("Adam", "admin")
    people.add_without_password("Rita", "read")
    yield served
    served.stop()


def state(served: Served) -> dict[str, str]:
    """What requests could change: files of the inbox, and the tables and files of what people say and order."""
    found = {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in served.inbox.rglob("*") if path.is_file()}
    tables = ("corrections", "orders", "document_states", "comments", "person_splits", "questions")
    with closing(sqlite3.connect(served.outbox / ".pipeline" / "ledger.sqlite")) as db:
        found |= {table: str(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in tables}
    folder = served.outbox / ".pipeline"
    found |= {path.name: path.read_text() for path in (folder / "said.jsonl", folder / "views.json") if path.exists()}
    return found | {str(path): "" for name in ("trash", "templates", "questions") for path in (folder / name).glob("*")}


def generate(served: Served, headers: list[str], folder: Path) -> str:
    """What schemathesis says about the answers to its requests."""
    settings = folder / "schemathesis.toml"
    settings.write_text('[parameters]\n"query.wait" = 0\n', encoding="utf-8")
    description = folder / "openapi.json"
    with served.client() as client:
        description.write_bytes(client.get("/api/openapi.json").content)
    program = "from schemathesis.cli import schemathesis; schemathesis()"
    options = ["--checks", CHECKS, "--max-examples", "3", "--seed", "1", "--phases", "examples,fuzzing"]
    options += ["--exclude-path-regex", "/events$", "--url", served.base]
    command = [sys.executable, "-c", program, "--config-file", str(settings), "run", str(description), *options, *headers]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-6_000:] + run.stderr[-2_000:]
    return run.stdout


@pytest.mark.parametrize("who", ["stranger", "reader"])
def test_who_may_not_change_anything_changes_nothing(guarded: Served, tmp_path: Path, who: str) -> None:
    token = ApiTokens(AccountDatabase(guarded.outbox / ".pipeline")).make("Rita", "test") if who == "reader" else ""
    before = state(guarded)
    said = generate(guarded, ["-H", f"Authorization: Bearer {token}"] if token else [], tmp_path)
    generated = re.search(r"(\d+) generated", said)
    assert generated
    assert int(generated[1]) > 50
    assert state(guarded) == before
