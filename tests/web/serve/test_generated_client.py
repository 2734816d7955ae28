"""A client that is generated from the OpenAPI description reads a file, with typed requests and answers."""

from __future__ import annotations

import base64
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("openapi_python_client")

from tests.web.serve.in_process import in_process

OPERATIONS = {"read", "task_status", "documents", "fetch_result", "upload_file", "correct", "ask", "chat_completions", "models"}


def generate(folder: Path, description: Any) -> None:
    """Write the package ``generated_client`` into the folder."""
    (folder / "openapi.json").write_text(json.dumps(description), encoding="utf-8")
    program = "from openapi_python_client.cli import app; app()"
    options = ["generate", "--path", "openapi.json", "--output-path", "generated_client", "--meta", "none"]
    made = subprocess.run([sys.executable, "-c", program, *options], cwd=folder, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    assert "Endpoint will not be generated" not in made.stdout


def test_a_generated_client_has_a_file_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with in_process(tmp_path) as served:
        generate(tmp_path, served.client.get("/api/openapi.json").json())
        monkeypatch.syspath_prepend(tmp_path)
        made = importlib.import_module("generated_client.api.default")
        assert {path.stem for path in Path(made.__path__[0]).glob("*.py")} >= OPERATIONS
        models = importlib.import_module("generated_client.models")
        client = importlib.import_module("generated_client").AuthenticatedClient(base_url="http://unused", token="unused")
        client.set_httpx_client(served.client)

        def call(name: str, **arguments: Any) -> Any:
            return importlib.import_module(f"generated_client.api.default.{name}").sync(client=client, **arguments)

        text = base64.b64encode(b"Parcel number: PX-77120\n").decode()
        task = call("read", body=models.ReadRequest(document=text, name="label.txt", question="What is the parcel number?"))
        assert (type(task).__name__, task.status) == ("TaskStatus", "waiting")
        served.read()
        task = call("task_status", task=task.id, wait=1.0)
        assert task.status == "done"
        (result,) = task.result["results"].values()
        assert result["fields"]["answer"]["value"] == "PX-77120"
        listed = call("documents")
        assert (listed.total, listed.documents[0].id, listed.documents[0].status) == (1, task.document, "done")
        refused = call("read", body=models.ReadRequest(document="%"))
        assert "base64" in refused.detail
