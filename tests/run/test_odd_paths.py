"""A folder or a file with a path that the operating system or the program cannot use costs nothing but itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import read
from pipeline.errors import SettingsError
from pipeline.settings import load_settings
from tests.deep_folders import deep_folder
from tests.drawing import text_pdf
from tests.run.processes import Workspace, wait_for


@pytest.mark.timeout(120)
@pytest.mark.parametrize("after", ["keep", "move", "delete"])
def test_a_document_in_a_very_deep_folder_is_read_like_the_others(tmp_path: Path, after: str) -> None:
    space = Workspace(tmp_path)
    space.put("a.pdf")
    space.put("z.pdf")
    page = text_pdf(["far below"])
    with deep_folder(space.inbox, 1_200, {1_200: page}):
        code, out, err = space.run("run", "--json", AFTER=after)
        report = json.loads(out)
        assert (code, report["documents"]) == (0, {"done": 3}), err
        assert report["left_for_later"] == []
        code, out, err = space.run("run", "--json", AFTER=after)
        assert (code, json.loads(out)["read"]) == (0, []), err
        assert any(space.inbox.glob("*.pdf")) == (after == "keep")
    results = [path.read_text(encoding="utf-8") for path in space.outbox.glob("*.json")]
    assert len(results) == 3
    assert sum("far below" in text for text in results) == 1


@pytest.mark.timeout(120)
def test_a_path_that_the_operating_system_cannot_name_is_left_with_its_reason(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    space.put("a.pdf")
    with deep_folder(space.inbox, 45, {2: text_pdf(["near"]), 45: text_pdf(["far"])}, name="d" * 100):
        code, out, err = space.run("run", "--json")
        report = json.loads(out)
        assert (code, report["documents"]) == (1, {"done": 2}), err
        (left,) = report["left_for_later"]
        assert "longer than 4,095 bytes" in left["why"]
        assert left["file"].startswith(str(space.inbox))
        assert left["file"].endswith("d" * 100)


@pytest.mark.timeout(120)
def test_the_longest_path_that_can_be_named_is_read(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    space.put("a.pdf")
    levels, rest = divmod(4_092 - len(os.fsencode(space.inbox)) - len("/deep.pdf"), 101)
    levels, rest = (levels, rest) if rest > 1 else (levels - 1, rest + 101)
    top = space.inbox / ("t" * (rest - 1))
    top.mkdir()
    with deep_folder(top, levels, {levels: text_pdf(["near the end"])}, name="d" * 100):
        code, out, err = space.run("run", "--json", AFTER="move")
        assert json.loads(out)["documents"] == {"done": 2}, err
        assert code == 0


@pytest.mark.timeout(120)
@pytest.mark.parametrize("after", ["keep", "move"])
def test_names_of_all_kinds_are_read_and_stop_nothing(tmp_path: Path, after: str) -> None:
    space = Workspace(tmp_path)
    space.inbox.mkdir()
    names = [
        os.fsdecode(b"caf\xe9.pdf"),
        os.fsdecode(b"\xff\xfe/x.pdf"),
        "漢" * 83 + ".pdf",
        "n" * 251 + ".pdf",
        "line\nbreak.pdf",
        "\u202etxt.pdf",
    ]
    for number, name in enumerate(names):
        space.put(name, text_pdf([f"document {number}"]))
    broken = space.put("漢" * 83 + ".xyz", b"\x00\x93\xff\x00nothing\x00")
    code, out, err = space.run("run", "--json", AFTER=after)
    assert (code, json.loads(out)["documents"]) == (1, {"done": len(names), "failed": 1}), err
    assert "Traceback" not in err
    left = [path for path in space.inbox.rglob("*") if path.is_file()]
    assert len(left) == (len(names) + 1 if after == "keep" else 0), left
    assert broken.exists() == (after == "keep")


@pytest.mark.timeout(120)
def test_what_may_not_be_read_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    space.put("a.pdf")
    space.put("b.pdf").chmod(0)
    if os.access(space.inbox / "b.pdf", os.R_OK):
        pytest.skip("this user may read everything")
    space.put("closed/c.pdf").parent.chmod(0)
    space.put("listed/d.pdf").parent.chmod(0o444)
    try:
        code, out, err = space.run("run", "--json")
    finally:
        for folder in ("closed", "listed"):
            (space.inbox / folder).chmod(0o755)
    report = json.loads(out)
    assert (code, report["documents"]) == (1, {"done": 1}), err
    assert {Path(item["file"]).name for item in report["left_for_later"]} == {"b.pdf", "closed", "d.pdf"}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("how", ["native", "polling", "auto"])
def test_a_watcher_goes_on_beside_a_very_deep_folder(tmp_path: Path, how: str) -> None:
    space = Workspace(tmp_path)
    space.inbox.mkdir()
    with deep_folder(space.inbox, 1_200, {1_200: text_pdf(["far below"])}):
        settings = {"INTAKE__CHANGE_DETECTION": how, "INTAKE__UNCHANGED_SECONDS": "0.2", "INTAKE__POLL_SECONDS": "0.5"}
        process = space.start("watch", **settings)
        try:
            wait_for(lambda: process.poll() is not None or len(list(space.outbox.glob("*.json"))) == 1)
            space.put("late.pdf")
            wait_for(lambda: process.poll() is not None or (space.outbox / "late.pdf.json").exists(), 50)
            assert process.poll() is None
        finally:
            process.terminate()
            _, err = process.communicate(timeout=60)
        assert "Traceback" not in err, err


@pytest.mark.timeout(120)
@pytest.mark.parametrize("command", ["run", "reprocess", "review", "estimate"])
def test_a_path_of_the_command_line_that_the_system_refuses_is_a_wrong_argument(tmp_path: Path, command: str) -> None:
    space = Workspace(tmp_path)
    space.put("a.pdf")
    loop = tmp_path / "loop.pdf"
    loop.symlink_to(loop)
    for path, problem in ((str(loop), "Too many levels"), ("/".join(["d" * 200] * 25), "too long")):
        call = [sys.executable, "-m", "pipeline", command, path]
        done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, problem in done.stderr, "Traceback" in done.stderr) == (2, True, False), done.stderr


@pytest.mark.parametrize("key", ["inbox", "outbox", "archive", "failed", "templates", "languages"])
def test_a_path_of_the_settings_that_the_system_refuses_is_named_with_its_key(tmp_path: Path, key: str) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for path in (loop, Path("/".join(["d" * 200] * 25))):
        with pytest.raises(SettingsError, match=key):
            load_settings(None, search=False, **{key: path})


def test_the_python_api_refuses_such_a_path_too(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="too long"):
        read(tmp_path / "/".join(["d" * 200] * 25))
