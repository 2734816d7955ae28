"""A model that memorised sixteen pages: every page gets its own answer through the whole pipeline, also after kills."""

from __future__ import annotations

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import yaml

from pipeline.engines.prompting import make_prompt
from pipeline.engines.server.chat_request import answer_form, chat
from pipeline.runtime.processor import multiplies_bytes
from pipeline.templates.load import load_templates
from tests.engines.vlm.train import draw, read, teach
from tests.run.kills import units

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
PAGES = 16
TIMEOUT_SECONDS = 400
"""Seconds for sixteen pages; a quarter of a minute is enough where nothing else runs."""
COLOURS = ("red", "green", "blue", "black", "white", "amber", "violet", "grey")
TEMPLATE = {
    "name": "badge",
    "prompt": "Read.",
    "fields": {"code": {"type": "identifier"}, "colour": {"type": "text"}},
    "image": {"tokens": 64},
    "answer": {"tokens": 64},
}
"""The prompt names no words of the page: the answer must come from the pixels."""
Known = Mapping[str, Mapping[str, str]]


@pytest.fixture(scope="module")
def known() -> Known:
    """By the four characters on the page, its answer; the colour stands nowhere."""
    codes = random.Random(4).sample(range(1000, 9999), PAGES)
    return {str(code): {"code": str(code), "colour": COLOURS[turn % len(COLOURS)]} for turn, code in enumerate(codes)}


@pytest.fixture(scope="module")
def home(known: Known, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the template and the trained model."""
    home = tmp_path_factory.mktemp("memorised")
    (home / "templates").mkdir()
    (home / "templates" / "badge.yaml").write_text(yaml.safe_dump(TEMPLATE), encoding="utf-8")
    template = load_templates([home / "templates"])["badge"]
    lessons = home / "lessons"
    lessons.mkdir()
    for code in known:
        draw(code).save(lessons / f"{code}.png")
    teach(home / "model", {lessons / f"{code}.png": answer for code, answer in known.items()}, template)
    return home


def fill(inbox: Path, known: Known, seed: int) -> dict[str, str]:
    """The pages under names that say nothing, in any order; which code stands on which."""
    inbox.mkdir()
    codes = random.Random(seed).sample(sorted(known), len(known))
    names = {f"scan{number:02}.png": code for number, code in enumerate(codes)}
    for name, code in names.items():
        draw(code).save(inbox / name)
        os.utime(inbox / name, (1_000_000, 1_000_000))
    return names


def settings_of(home: Path, batch: int, dtype: str = "float32") -> dict[str, str]:
    return {
        "PIPELINE_TEMPLATES": str(home / "templates"),
        "PIPELINE_RETRY__ANSWER_ATTEMPTS": "1",
        "PIPELINE_WORKERS": "1",
        "PIPELINE_VLM__BATCH": str(batch),
        "PIPELINE_VLM__THREADS": "1",  # another test has the other core
        "PIPELINE_VLM__DTYPE": dtype,
    }


def start(home: Path, folder: Path, batch: int, dtype: str = "float32") -> subprocess.Popen[bytes]:
    settings = settings_of(home, batch, dtype)
    command = [sys.executable, "-m", "pipeline", "run", "--quiet", "--engine", "vlm", "--model", str(home / "model")]
    command += ["--template", "badge", "--inbox", str(folder / "inbox"), "--outbox", str(folder / "outbox")]
    return subprocess.Popen(command, env={**os.environ, **settings}, cwd=folder)


def finish(process: subprocess.Popen[bytes]) -> None:
    try:
        assert process.wait(TIMEOUT_SECONDS) == 0
    finally:
        process.kill()


def check(outbox: Path, names: Mapping[str, str], known: Known) -> None:
    """Every page has its own answer, in its JSON and in the sheet."""
    got, want = {}, {name: known[code] for name, code in names.items()}
    for name in names:
        document = json.loads((outbox / f"{name}.json").read_text(encoding="utf-8"))
        assert document["status"] == "done"
        fields = document["results"]["badge"]["fields"]
        got[name] = {field: fields[field]["value"] for field in TEMPLATE["fields"]}
    assert got == want
    with (outbox / "badge.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["file"]: {"code": row["code"], "colour": row["colour"]} for row in csv.DictReader(file)}
    assert rows == want


EIGHT_BITS = "int8" if multiplies_bytes() else "float32"


@pytest.mark.parametrize(
    ("batch", "seed", "dtype"), [pytest.param(1, 1, "float32", marks=pytest.mark.proof), (8, 2, "float32"), (8, 3, EIGHT_BITS)]
)
def test_every_page_gets_its_own_answer(home: Path, known: Known, tmp_path: Path, batch: int, seed: int, dtype: str) -> None:
    names = fill(tmp_path / "inbox", known, seed)
    finish(start(home, tmp_path, batch, dtype))
    check(tmp_path / "outbox", names, known)


@pytest.mark.parametrize("batch", [pytest.param(1, marks=pytest.mark.proof), 8])
def test_after_a_kill_the_run_continues_and_every_page_keeps_its_answer(
    home: Path, known: Known, tmp_path: Path, batch: int
) -> None:
    names = fill(tmp_path / "inbox", known, 4)
    for goal in (3, 9):
        kill_when(goal, start(home, tmp_path, batch), tmp_path / "outbox")
    before = units(tmp_path / "outbox")
    assert 9 <= len(before) < PAGES
    finish(start(home, tmp_path, batch))
    after = units(tmp_path / "outbox")
    assert len(after) == PAGES
    assert before.items() <= after.items(), "finished pages are not read again"
    check(tmp_path / "outbox", names, known)


def kill_when(goal: int, process: subprocess.Popen[bytes], outbox: Path) -> None:
    """Kill it as soon as so many pages are finished."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while len(units(outbox)) < goal and time.monotonic() < deadline:
        assert process.poll() is None, "it must be killed while it works"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.mark.proof
def test_pages_and_requests_of_programs_share_the_model_and_are_not_mixed_up(home: Path, known: Known, tmp_path: Path) -> None:
    """`pipeline serve` reads all pages while four programs ask for the same pages over OpenAI's API."""
    pytest.importorskip("fastapi")
    names = fill(tmp_path / "inbox", known, 5)
    template = load_templates([home / "templates"])["badge"]
    bodies = {}
    for name, code in names.items():
        request = read(tmp_path / "inbox" / name, template)
        prompt = make_prompt(request)
        bodies[code] = chat(request, prompt, "") | answer_form(template.name, prompt.schema, "json_schema")
    command = [sys.executable, "-m", "pipeline", "serve", "--port", "0", "--engine", "vlm", "--model", str(home / "model")]
    settings = settings_of(home, 4) | {"PIPELINE_SERVE_TOKEN": "a-token-of-this-test-only"}
    environment = {**os.environ, **settings}
    serving = subprocess.Popen(
        [*command, "--template", "badge"], env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    try:
        assert serving.stdout
        base = serving.stdout.readline().split("/?token=")[0]
        headers = {"authorization": "Bearer a-token-of-this-test-only"}
        with httpx.Client(base_url=base, headers=headers, timeout=TIMEOUT_SECONDS) as client:

            def ask(code: str) -> object:
                until = time.monotonic() + TIMEOUT_SECONDS
                while (answer := client.post("/v1/chat/completions", json=bodies[code])).status_code == 503:
                    assert int(answer.headers["retry-after"]) > 0
                    assert time.monotonic() < until, answer.text
                    time.sleep(0.2)
                assert answer.status_code == 200, answer.text
                return json.loads(answer.json()["choices"][0]["message"]["content"])

            with ThreadPoolExecutor(4) as programs:
                assert dict(zip(known, programs.map(ask, known), strict=True)) == known
            until = time.monotonic() + TIMEOUT_SECONDS
            while client.get("/api/documents?status=done").json()["total"] < PAGES:
                assert time.monotonic() < until
                time.sleep(0.2)
    finally:
        serving.terminate()
        serving.wait(90)
    check(tmp_path / "outbox", names, known)
