"""The API answers generated requests as its own description says; schemathesis generates them."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.web.serve.conftest import Served

pytestmark = pytest.mark.slow
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.skipif(importlib.util.find_spec("schemathesis") is None, reason="schemathesis is not installed")
@pytest.mark.timeout(900)
def test_generated_requests_are_answered_as_described(served: Served, document: dict[str, Any], tmp_path: Path) -> None:
    settings = tmp_path / "schemathesis.toml"
    settings.write_text('[parameters]\n"query.wait" = 0\n', encoding="utf-8")  # else requests wait for files to be read
    program = "from schemathesis.cli import schemathesis; schemathesis()"
    command = [sys.executable, "-c", program, "--config-file", str(settings), "run"]
    options = ["--checks", CHECKS, "--max-examples", "12", "--seed", "1", "--phases", "examples,coverage,fuzzing"]
    options += ["--exclude-path-regex", "/events$"]  # streams, which do not end
    run = subprocess.run(
        [*command, f"{served.base}/api/openapi.json", "-H", f"Authorization: Bearer {served.token}", *options],
        cwd=served.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    print(run.stdout[-1_500:])
    assert run.returncode == 0, run.stdout[-6_000:] + run.stderr[-2_000:]
    generated = re.search(r"(\d+) generated", run.stdout)
    assert generated
    assert int(generated[1]) > 200
    with served.client() as client:
        assert client.get(f"/api/documents/{document['id']}").status_code == 200
    outside = {path.name for path in served.folder.iterdir()}
    assert outside <= {"inbox", "outbox", ".hypothesis", ".schemathesis", "schemathesis-report"}, outside


def test_the_description_has_every_path_of_the_api(served: Served) -> None:
    with served.client() as client:
        described = client.get("/api/openapi.json").json()
    assert {"/api/files/{name}", "/api/documents/{id}", "/api/documents/{id}/questions", "/api/orders/{number}"} <= described[
        "paths"
    ].keys()
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description") or operation.get("summary"), (method, path)
            assert {"401", "403"} <= operation["responses"].keys()
