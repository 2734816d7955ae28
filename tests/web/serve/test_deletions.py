"""Documents that programs delete through the API."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("fastapi")

from pipeline.run.trash import Trash
from tests.drawing import text_pdf
from tests.web.serve.in_process import in_process


def test_one_document_of_a_stack_can_be_deleted_alone(tmp_path: Path) -> None:
    with in_process(tmp_path) as served:
        (served.settings.inbox / "stack.pdf").write_bytes(text_pdf(["one", "two", "three"]))
        served.read()
        whole = next(iter(served.client.get("/api/documents").json()["documents"]))["id"]
        assert served.client.put(f"/api/documents/{whole}/split", json={"pages": "1,2,3"}).status_code == 202
        served.read()
        parts = {item["file"]: item["id"] for item in served.client.get("/api/documents").json()["documents"]}
        assert sorted(parts) == ["stack.pdf/1", "stack.pdf/2", "stack.pdf/3"]
        chosen = parts["stack.pdf/2"]
        ordered = served.client.post("/api/deletions", json={"ids": [chosen]}).json()
        assert (ordered["decided"], ordered["left"]) == ([chosen], [])
        Trash(served.job, served.loop.publisher).carry_out()
        served.read()
        left = {item["file"] for item in served.client.get("/api/documents").json()["documents"]}
        assert left == {"stack.pdf/1", "stack.pdf/3"}
