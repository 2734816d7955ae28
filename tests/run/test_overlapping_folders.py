"""Settings in which two folders overlap so that documents could be lost are refused before anything is touched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import SettingsError
from pipeline.run.overlapping_folders import check_folders, check_paths
from pipeline.settings import configs_folder, load_settings
from tests.run.processes import Workspace

STORE = "memory://bucket"


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("inbox", "outbox/.pipeline", "templates", "languages"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "link").symlink_to("inbox")
    monkeypatch.chdir(tmp_path)


def check(**settings: Any) -> None:
    check_folders(load_settings(None, search=False, **settings))


REFUSED: list[dict[str, str]] = [
    {"inbox": "inbox", "outbox": "inbox"},
    {"inbox": "outbox/documents", "outbox": "outbox"},
    {"inbox": "inbox", "archive": "inbox"},
    {"inbox": "inbox", "archive": "link"},
    {"inbox": "inbox", "archive": "outbox/../inbox/"},
    {"inbox": "inbox", "failed": "inbox"},
    {"inbox": "scans/2026-11-29", "archive": "scans"},
    {"inbox": "scans/inbox", "failed": "scans"},
    {"inbox": "inbox", "templates": "inbox"},
    {"inbox": "link", "languages": "inbox"},
    {"outbox": "outbox", "archive": "outbox"},
    {"outbox": "outbox", "failed": "outbox"},
    {"outbox": "done/results", "failed": "done"},
    {"outbox": "done/results", "archive": "done"},
    {"outbox": "outbox", "archive": "outbox/.pipeline/tmp"},
    {"outbox": "outbox", "failed": "outbox/.pipeline"},
    {"outbox": "outbox", "templates": "outbox/.pipeline/unpacked"},
    {"outbox": "outbox", "languages": "outbox/.pipeline/objects"},
    {"templates": "templates", "failed": "templates"},
    {"languages": "done/languages", "archive": "done"},
    {"inbox": f"{STORE}/a", "archive": f"{STORE}/a"},
    {"inbox": f"{STORE}/a/b", "failed": f"{STORE}/a"},
    {"inbox": f"{STORE}/a", "outbox": f"{STORE}/a"},
    {"inbox": f"{STORE}/a/b", "outbox": f"{STORE}/a"},
    {"inbox": f"{STORE}/a", "outbox": f"{STORE}/b", "archive": f"{STORE}/b"},
    {"inbox": "states/memory", "outbox": f"{STORE}/b", "state": "states"},
    {"inbox": "inbox", "outbox": f"{STORE}/b", "state": "inbox/states"},
]
ALLOWED: list[dict[str, str]] = [
    {},
    {"after": "move"},
    {"inbox": "inbox", "outbox": "inbox/results"},
    {"inbox": "inbox", "archive": "inbox/done", "failed": "inbox/failed"},
    {"inbox": "inbox", "archive": "done", "failed": "done"},
    {"archive": "done", "failed": "done/failed"},
    {"outbox": "outbox", "archive": "outbox/originals", "failed": "outbox/failed"},
    {"inbox": "inbox", "templates": "inbox/templates"},
    {"inbox": "./inbox", "templates": "."},
    {"inbox": "inbox", "outbox": "inbox2"},
    {"inbox": f"{STORE}/a", "outbox": f"{STORE}/a/results", "archive": f"{STORE}/a/done"},
    {"inbox": f"{STORE}/a", "outbox": f"{STORE}/ab"},
    {"inbox": f"{STORE}/a", "outbox": "outbox"},
]


@pytest.mark.parametrize("settings", REFUSED, ids=str)
def test_two_folders_that_must_not_overlap_are_named(settings: dict[str, str]) -> None:
    paths = {key: value if "://" in value else Path(value) for key, value in settings.items()}
    with pytest.raises(SettingsError) as caught:
        check(**paths)
    keys = [key for key in settings if key != "after"]
    assert sum(f"`{key}`" in caught.value.message or f"`{key}/.pipeline`" in caught.value.message for key in keys) == 2
    assert caught.value.exit_code == 2
    assert caught.value.cure


@pytest.mark.parametrize("settings", ALLOWED, ids=str)
def test_folders_may_lie_in_each_other_where_nothing_is_lost(settings: dict[str, str]) -> None:
    check(**{key: value if "://" in value or key == "after" else Path(value) for key, value in settings.items()})


def test_a_folder_that_is_known_by_two_names_is_one_folder(tmp_path: Path) -> None:
    """As on a file system that ignores case: the paths differ, device and inode are the same."""
    (tmp_path / "INBOX").mkdir(exist_ok=True)
    mount = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", 'mount --bind inbox INBOX && exec "$@"', "sh"]
    if shutil.which("unshare") is None or subprocess.run([*mount, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no folder can be mounted here")
    script = (
        "from pathlib import Path; from pipeline.settings import load_settings;"
        "from pipeline.run.overlapping_folders import check_folders;"
        "check_folders(load_settings(None, search=False, inbox=Path('inbox'), archive=Path('INBOX')))"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([*mount, sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)
    assert "SettingsError: `inbox` (inbox) is the same folder as `archive` (INBOX)" in done.stderr


def test_paths_of_the_command_line_stay_out_of_the_state_and_of_results(tmp_path: Path) -> None:
    settings = load_settings(None, search=False, outbox=Path("outbox"), failed=Path("outbox/failed"), after="move")
    for folder in ("outbox/sub", "outbox/failed", "elsewhere"):
        Path(folder).mkdir(parents=True)
    Path("outbox/a.pdf").touch()
    for refused in ("outbox/.pipeline", "outbox/.pipeline/ledger.sqlite", "outbox", "outbox/sub"):
        with pytest.raises(SettingsError, match="`outbox"):
            check_paths([Path(refused)], settings)
    check_paths([Path(path) for path in ("outbox/a.pdf", "outbox/failed", "elsewhere", ".", "inbox")], settings)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("archive", ["inbox", "outbox/.pipeline/tmp", "outbox/.pipeline/unpacked"])
def test_no_original_is_erased(tmp_path: Path, archive: str) -> None:
    space = Workspace(tmp_path)
    space.put("a.pdf")
    for _ in range(2):  # the second run empties the folders of the first
        code, out, err = space.run("run", AFTER="move", ARCHIVE=str(tmp_path / archive))
        assert (code, out) == (2, ""), err
        assert "`archive`" in err
    assert (space.inbox / "a.pdf").is_file()


@pytest.mark.timeout(120)
def test_the_state_of_an_outbox_is_no_document(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    space.put("a.pdf")
    assert space.run("run")[0] == 0
    code, _, err = space.run("run", str(space.outbox / ".pipeline"))
    assert code == 2, err
    assert ".pipeline" in err
    assert sorted(path.name for path in space.outbox.glob("*.json")) == ["a.pdf.json"]


@pytest.mark.timeout(120)
def test_templates_inside_the_inbox_are_no_documents(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    space.put("a.pdf")
    template = space.put("own/transcript.yaml", (configs_folder() / "templates" / "transcript.yaml").read_bytes())
    code, out, err = space.run("run", "--json", AFTER="move", TEMPLATES=str(space.inbox / "own"))
    assert (code, json.loads(out)["documents"]) == (0, {"done": 1}), err
    assert template.is_file()
    assert not (space.inbox / "a.pdf").exists()
