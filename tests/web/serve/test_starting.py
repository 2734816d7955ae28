"""Starting `pipeline serve`: a second one says where the first one is, and a browser opens only for a person."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import httpx

from pipeline.web.open_browser import has_person
from tests.web.serve.conftest import Served, wait_for


def test_a_second_start_says_where_the_first_one_is(folder: Path) -> None:
    first = Served(folder).start()
    try:
        command = [sys.executable, "-m", "pipeline", "serve", "--port", "0", "--engine", "embedded"]
        second = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
        assert second.returncode == 3
        assert f"runs already for outbox at {first.base}/" in second.stderr
        assert first.token not in second.stderr
        with first.client() as client:
            assert client.get("/api/status").status_code == 200
    finally:
        first.stop()
    assert Served(folder).start().stop() == 0, "the lock goes with its process"


def test_a_program_that_starts_the_server_can_wait_for_it_and_finds_no_line_of_a_library_in_the_log(folder: Path) -> None:
    log = folder / "log"
    command = [sys.executable, "-m", "pipeline", "serve", "--port", "0", "--engine", "embedded"]
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        assert process.stdout
        address = process.stdout.readline().partition("?")[0]
        answer = httpx.get(f"{address}api/health", timeout=60)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
        refused = httpx.get(f"{address}api/status", timeout=60)
        assert refused.status_code == 401
        assert "Authorization: Bearer" in refused.json()["detail"]
    finally:
        process.terminate()
        process.communicate(timeout=90)
    assert log.read_text(encoding="utf-8") == ""


def test_a_browser_opens_for_a_person_with_a_display_and_never_under_cron() -> None:
    display = {"DISPLAY": ":0"}
    assert has_person(display, "linux", is_terminal=True)
    assert has_person({}, "darwin", is_terminal=True)
    assert not has_person(display, "linux", is_terminal=False), "cron, a service, a pipe"
    assert not has_person({}, "linux", is_terminal=True), "no display"
    assert not has_person(display | {"SSH_CONNECTION": "x"}, "linux", is_terminal=True)


def test_the_address_opens_at_a_terminal_unless_an_option_forbids_it(folder: Path) -> None:
    opened = folder / "opened"
    browser = folder / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o755)
    environment = {key: value for key, value in os.environ.items() if key not in ("SSH_CONNECTION", "CI")}
    environment |= {"BROWSER": f"{browser} %s", "DISPLAY": ":0", "PIPELINE_WORKERS": "1"}
    for options, expected in ((["--no-browser"], False), ([], True)):
        leader, follower = pty.openpty()
        command = [sys.executable, "-m", "pipeline", "serve", "--port", "0", "--engine", "embedded", *options]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdin=follower, stdout=follower, stderr=follower)
        os.close(follower)
        try:
            printed = b""
            while b"Ctrl-C" not in printed:
                printed += os.read(leader, 4096)
            if expected:
                wait_for(opened.exists)
                wait_for(opened.read_text)
                assert opened.read_text().strip() in printed.decode()
        finally:
            process.terminate()
            process.wait(60)
            os.close(leader)
        assert opened.exists() == expected
