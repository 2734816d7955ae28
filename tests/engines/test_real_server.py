"""The engine `server` against a real one, llama.cpp with a small model: its grammar, its death and its return."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import jsonschema
import pytest

from pipeline.engines.prompting import make_prompt
from pipeline.engines.server import ServerEngine
from pipeline.engines.server.chat_request import answer_form, chat
from pipeline.settings import Settings
from pipeline.settings_sections import ServerSettings
from pipeline.templates.answer_schema import json_schema
from pipeline.templates.load import parse_template
from pipeline.templates.template import Template
from tests.drawing import text_pdf
from tests.engines.conformance import BUILT_IN, LINES, check_answer, request, words_of
from tests.engines.polling import answer_all
from tests.llama_server import LlamaServer, model_file

pytestmark = [pytest.mark.slow, pytest.mark.skipif(model_file() is None, reason="xllamacpp or its model is not installed")]
SLIP = """\
name: slip
prompt: |
  Read this slip.
  {{ words }}
fields:
  issued: {type: date}
  total: {type: money}
  currency: {type: currency}
  kind: {type: enum, values: [invoice, receipt, letter]}
answer: {tokens: 256}
"""
"""A template whose answers are short by their schema, for a model that understands little."""


@pytest.fixture(scope="module")
def llama() -> Iterator[LlamaServer]:
    with LlamaServer() as server:
        yield server


def reader(llama: LlamaServer) -> ServerEngine:
    return ServerEngine(Settings(model="smollm2", server=ServerSettings(url=llama.url, accepts_images=False)))


@dataclass
class Folder:
    """An inbox with slips and the command line over it."""

    path: Path

    def slips(self, count: int) -> list[str]:
        """Draw slips, some of two pages; the names of their files."""
        (self.path / "inbox").mkdir()
        (self.path / "templates").mkdir()
        (self.path / "templates" / "slip.yaml").write_text(SLIP, encoding="utf-8")
        for number in range(count):
            pages = [
                f"Slip {number} page {page}\n2{number} March 2025\nTotal {number}.50 EUR" for page in range(1, 2 + number % 2)
            ]
            path = self.path / "inbox" / f"{number}.pdf"
            path.write_bytes(text_pdf(pages))
            os.utime(path, (1_000_000, 1_000_000))
        return [f"{number}.pdf" for number in range(count)]

    def start(self, url: str, attempts: int = 6) -> subprocess.Popen[str]:
        """``pipeline run`` against the server at ``url``."""
        variables = {
            "PIPELINE_SERVER__URL": url,
            "PIPELINE_SERVER__ACCEPTS_IMAGES": "false",
            "PIPELINE_SERVER__CONCURRENCY": "2",
            "PIPELINE_SERVER__REQUEST_ATTEMPTS": str(attempts),
            "PIPELINE_TEMPLATES": str(self.path / "templates"),
            "PIPELINE_WORKERS": "1",
            "PIPELINE_RETRY__ANSWER_ATTEMPTS": "1",
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        command = [sys.executable, "-m", "pipeline", "run", "--quiet", "--engine", "server", "--template", "slip"]
        return subprocess.Popen(
            [*command, "--model", "smollm2"], env={**os.environ, **variables}, cwd=self.path, stderr=subprocess.PIPE, text=True
        )

    def units(self) -> dict[tuple[str, int], tuple[str, str]]:
        """Committed units: how and when they ended."""
        ledger = self.path / "outbox" / ".pipeline" / "ledger.sqlite"
        try:
            with sqlite3.connect(f"file:{ledger}?mode=ro", uri=True) as database:
                rows = database.execute("SELECT sha256, page, status, ended_at FROM units").fetchall()
        except sqlite3.OperationalError:  # not there yet
            return {}
        return {(sha256, page): (status, ended) for sha256, page, status, ended in rows}

    def wait_for(self, count: int) -> None:
        """Until so many units are committed."""
        deadline = time.monotonic() + 120
        while len(self.units()) < count:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def check_complete(self, names: list[str]) -> None:
        """Every document once, every page answered by the model, in the schema's form."""
        with (self.path / "outbox" / "slip.csv").open(encoding="utf-8", newline="") as file:
            assert sorted(row["file"] for row in csv.DictReader(file)) == names
        for number, name in enumerate(names):
            document = json.loads((self.path / "outbox" / f"{name}.json").read_text(encoding="utf-8"))
            assert [page["status"] for page in document["pages"]] == ["done"] * (1 + number % 2), document
            assert document["provenance"]["engine"].startswith("server/3 smollm2@127.0.0.1:")
        assert {status for status, _ in self.units().values()} == {"done"}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_the_servers_grammar_accepts_our_schemas_and_enforces_them(llama: LlamaServer) -> None:
    slip = parse_template(SLIP, "slip.yaml")
    drawn = [words_of(*LINES), words_of("Receipt", "17.03.2025", "Total 5,00 EUR"), words_of("Dear Sir,", "kind regards")]
    for words in drawn:
        one = request(slip, words)
        body = chat(one, make_prompt(one), "smollm2") | answer_form(slip.name, json_schema(slip), "json_schema")
        response = httpx.post(f"{llama.url}/chat/completions", json=body, timeout=100, trust_env=False).json()
        jsonschema.validate(json.loads(response["choices"][0]["message"]["content"]), json_schema(slip))
    engine = ServerEngine(Settings(server=ServerSettings(url=llama.url, accepts_images=False)))
    assert "smollm2@127.0.0.1" in engine.identity
    answers = answer_all(engine, *[request(slip, words, number) for number, words in enumerate(drawn, 1)])
    assert [answer.status for answer in answers] == ["done"] * 3, answers
    for answer in answers:
        check_answer(answer, slip)


@pytest.mark.parametrize("template", BUILT_IN.values(), ids=lambda template: template.name)
def test_the_server_accepts_every_built_in_template(llama: LlamaServer, template: Template) -> None:
    short = template.model_copy(update={"answer": template.answer.model_copy(update={"tokens": 24})})
    (answer,) = answer_all(reader(llama), request(short))
    check_answer(answer, short)
    assert (answer.status, answer.reason) in (("done", None), ("failed", "too_large")), answer


def test_a_page_beyond_its_context_is_too_large(llama: LlamaServer) -> None:
    page = words_of(*[f"{number} the quick brown fox jumps over the lazy dog" for number in range(1500)])
    (answer,) = answer_all(reader(llama), request(BUILT_IN["transcript"], page))
    assert (answer.status, answer.reason) == ("failed", "too_large")
    assert "context" in answer.detail


def test_the_whole_pipeline(llama: LlamaServer, folder: Folder) -> None:
    names = folder.slips(3)
    run = folder.start(llama.url)
    assert run.wait(200) == 0, run.communicate()
    folder.check_complete(names)


def test_a_server_killed_midway_and_started_again_loses_no_answer(folder: Folder) -> None:
    names = folder.slips(6)
    with LlamaServer() as server:
        run = folder.start(server.url)
        folder.wait_for(2)
        before = folder.units()
        server.kill()
        time.sleep(1)
        assert run.poll() is None, "it waits for the server"
        server.start()
        assert run.wait(250) == 0, run.communicate()
    assert before.items() <= folder.units().items(), "what was answered before was not requested again"
    folder.check_complete(names)


def test_a_dead_server_ends_the_run_and_the_next_run_continues(folder: Folder) -> None:
    names = folder.slips(6)
    with LlamaServer() as server:
        run = folder.start(server.url, attempts=2)
        folder.wait_for(2)
        server.kill()
        _, output = run.communicate(timeout=60)
        assert run.returncode == 4, output
        assert "does not answer" in output
        assert "run the same command again" in output
        before = folder.units()
        assert 2 <= len(before) < 9
        assert {status for status, _ in before.values()} == {"done"}, "nothing counts as failed"
        server.start()
        run = folder.start(server.url)
        assert run.wait(250) == 0, run.communicate()
    assert before.items() <= folder.units().items()
    folder.check_complete(names)
