"""How to install an extra: the hint fits this installation, and no text names the package index's unrelated ``pipeline``."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pipeline.install_hint import install_hint

ROOT = Path(__file__).resolve().parent.parent
TEXTS = {".py", ".md", ".yaml", ".yml", ".toml", ".txt", ".html", ".js", ".sh", ""}
INSTALLER = r"\b(?:pip3?|pipx|uv tool|uv) (?:install|download|add|wheel)\b"
FORBIDDEN = {
    "an extra of the unrelated package": re.compile(r"(?<![\w./-])pipeline\[[a-z]"),
    "the unrelated package": re.compile(INSTALLER + r"[^\n|#]*?[ '\"]pipeline(?![\w./-])"),
    "our own name, fetched from an index": re.compile(INSTALLER + r"(?![^\n]*--no-index)[^\n]*inbox-pipeline"),
}
ORIGINS = [
    ({"url": "file://{here}", "dir_info": {"editable": True}}, "install --editable '{here}[vlm,serve]'"),
    ({"url": "file://{here}", "dir_info": {}}, "install '{here}[vlm,serve]'"),
    ({"url": "file://{here}/a%20folder/inbox.whl", "archive_info": {}}, "install '{here}/a folder/inbox.whl[vlm,serve]'"),
    (
        {"url": "https://git.example/invoices.git", "vcs_info": {"vcs": "git", "commit_id": "abc123"}},
        "install 'inbox-pipeline[vlm,serve] @ git+https://git.example/invoices.git@abc123'",
    ),
]  # fmt: skip


def install_from(origin: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed distribution whose ``direct_url.json`` is ``origin``."""
    info = folder / "site" / "inbox_pipeline-9.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.4\nName: inbox-pipeline\nVersion: 9\n", encoding="utf-8")
    if origin:
        (info / "direct_url.json").write_text(origin, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder / "site"))


@pytest.mark.parametrize(("origin", "command"), ORIGINS)
def test_the_hint_is_the_command_for_the_place_this_was_installed_from(
    origin: dict[str, Any], command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a folder" / "inbox.whl").touch()
    install_from(json.dumps(origin).replace("{here}", str(tmp_path)), tmp_path, monkeypatch)
    assert install_hint("vlm", "serve").endswith(f" -m pip {command}".replace("{here}", str(tmp_path)))


@pytest.mark.parametrize(
    "origin", ["", "{", "[]", '{"url": "file:///no/such/checkout", "dir_info": {}}', '{"url": "https://a.example/b.whl"}']
)
def test_without_a_known_origin_the_hint_names_the_page(origin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_from(origin, tmp_path, monkeypatch)
    assert install_hint("vlm") == "install the extra `vlm`: docs/install.md"


@pytest.mark.parametrize(
    "bad",
    [
        "pip install 'pipeline[vlm]'", "python -m pip install pipeline", "pip download pipeline", 'pip install -U "pipeline"',
        "uv tool install pipeline", "the extra pipeline[serve]", "pip install inbox-pipeline", "uv add 'inbox-pipeline[vlm]'",
    ],
)  # fmt: skip
def test_a_dangerous_hint_is_recognised(bad: str) -> None:
    assert any(pattern.search(bad) for pattern in FORBIDDEN.values())


def test_no_text_leads_to_somebody_elses_package() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    files = [ROOT / name for name in listed if Path(name).suffix in TEXTS and not name.startswith("fuzz/corpus")]
    mistakes = []
    for path in files:
        if path == Path(__file__).resolve() or not path.is_file():
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            mistakes += [f"{path}:{number}: {what}: {line}" for what, pattern in FORBIDDEN.items() if pattern.search(line)]
    assert mistakes == []


def test_the_page_on_installing_explains_every_extra() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    table = "\n".join(line for line in page.splitlines() if line.startswith("| `"))
    assert [extra for extra in extras if f"`{extra}`" not in table] == []
