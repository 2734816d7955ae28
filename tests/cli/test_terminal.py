"""What a document, a file name or another program says is text for the terminal, never a command to it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pipeline as package
from pipeline.cli.console import RunScreen, TerminalConsole, documents_table
from pipeline.ledger.ledger import Ledger
from pipeline.printable import one_line, printable, printable_json
from pipeline.records import DocumentInfo, Source
from tests.cli.conftest import Pipeline
from tests.drawing import text_pdf
from tests.publish.building import publication

ATTACKS = [
    "\x1b[2J\x1b]0;title\x07",
    "\x9b2J",
    "\u202efdp.exe",
    "\u2066x\u2069",
    "\u200e\u200f\u061c",
    "\u2028line\u2029",
    "\rover",
    "back\b\b\b",
    "\ud800",
    "\U000e0041",
    "[bold red]x[/] [link=http://evil]y[/link] [/nothing]",
    ":bomb:",
    "all\npipeline: nothing failed",
]


def obeyed(text: str) -> list[str]:
    """The characters that a terminal obeys, apart from line breaks."""
    return [
        c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in "\u200c\u200d"
    ]


@given(st.text())
def test_no_control_character_stays_and_json_means_the_same(text: str) -> None:
    assert obeyed(one_line(text)) == obeyed(printable(text)) == []
    assert "\n" not in one_line(text)
    assert printable(text).count("\n") == text.count("\n")
    written = printable_json(json.dumps({text: [text]}, ensure_ascii=False, indent=1))
    assert obeyed(written) == []
    assert json.loads(written) == {text: [text]}
    written.encode()


def test_letters_of_every_script_stay_as_they_are() -> None:
    for text in ("Zażółć gęślą", "見積書 ＡＢＣ\u3000", "שלום", "می‌خواهم", "क्‍ष", "1\u00a0234,50\u202f€", "👩‍💻"):
        assert one_line(text) == text


def test_every_command_prints_through_one_place() -> None:
    root = Path(package.__file__).parent
    ways = re.compile(r"(?<![\w.])(click\.s?echo|print|sys\.std(out|err)\.write|print_exc|Console)\(")
    exempt = {"cli/terminal.py", "cli/console.py", "monitoring/logs.py", "web/supervisor.py"}
    found = {
        f"{path.relative_to(root)}:{number}"
        for path in root.rglob("*.py")
        if str(path.relative_to(root)) not in exempt
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if ways.search(line)
    }
    assert found == set()


def test_the_table_of_a_run_shows_markup_and_control_characters_as_text() -> None:
    screen = RunScreen()
    attacks = [attack for attack in ATTACKS if attack != "\ud800"]  # no name of a result holds one
    for attack in attacks:
        screen.document_published(publication(f"{attack}.pdf", {"note": attack}))
    file = io.StringIO()
    console = TerminalConsole(width=200)
    console.file = file
    console.print(documents_table(screen))
    console.print("\x1b[2J", "[bold]x[/]")
    text = file.getvalue()
    assert obeyed(text) == []
    for shown in (
        r"\x1b[2J",
        r"\x9b2J",
        r"\u202efdp.exe",
        "[bold red]x[/] [link=http://evil]y",
        ":bomb:",
        r"all\npipeline: nothing",
    ):
        assert shown in text
    assert not re.search("^pipeline:", text, re.MULTILINE)


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_failures_in_the_ledger_are_printed_as_text(folder: Path, pipeline: Pipeline, more: list[str]) -> None:
    with Ledger(folder / "outbox" / ".pipeline") as ledger:
        for number, attack in enumerate(ATTACKS):
            sha256, name = hashlib.sha256(str(number).encode()).hexdigest(), f"{number}{attack}".replace("\ud800", "?")
            ledger.record_document(DocumentInfo(sha256, "pdf", 0, "unreadable", name))
            ledger.record_file(Source(Path(f"/inbox/{number}"), name, name), sha256, 1, 1)
            ledger.record_publication(name, sha256, {}, "failed", "unreadable")
    for command in ("status", "export"):
        outcome = pipeline(command, *more)
        assert outcome.code == 0
        assert obeyed(outcome.out + outcome.err) == []
    status = pipeline("status", "--failed", *more)
    if more:
        shown = {row["detail"].lstrip("0123456789") for row in status.json["failures"]}
        assert len(status.json["failures"]) == len(ATTACKS)
        assert shown <= {attack.replace("\ud800", "?") for attack in ATTACKS}
    else:
        assert r"0\x1b[2J" in status.out.replace("\n", "")


def run(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    environment = {
        **os.environ,
        "PIPELINE_WORKERS": "1",
        "PIPELINE_INTAKE__UNCHANGED_SECONDS": "0",
    }
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        timeout=120,
        check=False,
    )


@pytest.mark.slow
def test_names_of_files_are_printed_as_text_by_a_real_run(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    for number, attack in enumerate(ATTACKS):
        path = os.fsencode(tmp_path / "inbox") + b"/" + f"{number}{attack}.pdf".replace("/", "_").encode(errors="surrogatepass")
        with open(path, "wb") as file:  # noqa: PTH123 - a name that is not text
            file.write(text_pdf(["Text"]) if number % 2 else b"damaged")
    for arguments in (
        ["run", "--template", "transcript"],
        ["run", "--quiet"],
        ["run", "--json"],
        ["status"],
        ["status", "--json"],
    ):
        ran = run(tmp_path, *arguments)
        text = (ran.stdout + ran.stderr).decode()
        assert ran.returncode in (0, 1), text
        assert obeyed(text) == []
        assert "\npipeline: nothing failed" not in text


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "missing\x1b[2J\x9b.pdf"],
        ["run", "--template", "no\u202esuch"],
        ["run", "--no-such\x1b[2J"],
        ["status", "--config", "missing\x9b2J.yaml"],
        ["no-such\x1b[2J"],
        ["run", "x\npipeline: all is well"],
    ],
)
def test_errors_name_what_was_given_as_text(folder: Path, pipeline: Pipeline, arguments: list[str]) -> None:
    (folder / "inbox").mkdir()
    outcome = pipeline(*arguments)
    assert outcome.code == 2
    assert outcome.err
    assert obeyed(outcome.out + outcome.err) == []
    assert "\npipeline:" not in outcome.err
