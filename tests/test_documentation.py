"""The documentation as a site: it builds, it is complete, and it loads nothing from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import click
import pytest
from pydantic import BaseModel

from docs.reference import meanings_of, pages
from pipeline.cli.main import COMMANDS, cli
from pipeline.errors import ExitCode
from pipeline.records import Reason
from pipeline.settings import Settings, configs_folder
from pipeline.templates.model import AnswerBudget, Applies, Check, Column, ImageBudget, Template, TemplateField
from pipeline.templates.routing import Route

ROOT = Path(__file__).parents[1]
SECTIONS = [info.annotation for info in Settings.model_fields.values() if isinstance(info.annotation, type)]
MODELS: dict[str, list[type[BaseModel]]] = {
    "settings": [Settings, Route, *(section for section in SECTIONS if issubclass(section, BaseModel))],
    "template-keys": [Template, Applies, TemplateField, Column, Check, ImageBudget, AnswerBudget],
}


class Loaded(HTMLParser):
    """Addresses of what a page loads without being asked."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        loads = tag in ("script", "img", "iframe", "source", "video", "object") or (
            tag == "link" and given.get("rel") != "canonical"
        )
        self.addresses += [value for key in ("src", "href", "data") if loads and (value := given.get(key))]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return folder


def test_the_site_builds_without_a_dead_link_and_loads_nothing_from_elsewhere(site: Path) -> None:
    written = list(site.rglob("*.html"))
    names = {path.relative_to(site).as_posix() for path in written}
    assert {f"{page.stem}.html" for page in (ROOT / "docs").glob("*.md")} <= names
    assert {f"reference/{name}.html" for name in pages()} <= names
    for path in written:
        page = Loaded()
        page.feed(path.read_text(encoding="utf-8"))
        assert page.addresses
        assert [address for address in page.addresses if re.match(r"(https?:)?//", address)] == []
    sheets = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//", sheets) == []


def test_nothing_of_the_machine_that_built_it_stands_in_the_site(site: Path) -> None:
    for path in [*site.rglob("*.html"), site / "search" / "search_index.json"]:
        text = path.read_text(encoding="utf-8")
        assert str(ROOT) not in text
        assert str(Path.home()) + "/" not in text


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found
            yield from commands(found, f"{path} {name}")


def test_every_command_and_option_is_in_the_reference() -> None:
    page = pages()["commands"]
    told = dict(re.findall(r"^## (pipeline.*?)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    wanted = dict(commands(cli, "pipeline"))
    assert list(told) == list(wanted)
    assert {f"pipeline {name}" for name in COMMANDS} < set(told)
    for path, command in wanted.items():
        options = [
            name for option in command.params if isinstance(option, click.Option) and not option.hidden for name in option.opts
        ]
        assert [name for name in options if f"{name}" not in told[path]] == []
        assert "| `" in told[path]
    assert "\b" not in page
    assert "\\|" not in page  # it would be shown within code


@pytest.mark.parametrize(("page", "model"), [(page, model) for page, models in MODELS.items() for model in models])
def test_every_key_is_in_the_reference_with_its_meaning(page: str, model: type[BaseModel]) -> None:
    lines = pages()[page].splitlines()
    meanings = meanings_of(model)
    for name, info in model.model_fields.items():
        assert meanings[name], f"{model.__name__}.{name} has no text below it"
        row = next(
            (
                line
                for line in lines
                if line.startswith(f"| `{info.alias or name}` |") and meanings[name].split("\n")[0] in line
            ),
            None,
        )
        assert row, f"{model.__name__}.{name}"
        assert row.split(" | ")[1].strip()


def test_no_section_of_settings_or_templates_is_left_out() -> None:
    titles = re.findall(r"^## (.*)$", pages()["settings"], re.MULTILINE)
    assert titles == [
        "Top level",
        "routes[]",
        *(key for key, info in Settings.model_fields.items() if info.annotation in MODELS["settings"]),
    ]
    within = ["Top level", "for", "fields.NAME", "fields.NAME.columns.NAME", "image", "answer", "checks[]"]
    assert re.findall(r"^## (.*)$", pages()["template-keys"], re.MULTILINE) == within


def test_every_setting_stands_in_the_commented_file() -> None:
    text = (configs_folder() / "pipeline.yaml").read_text(encoding="utf-8")
    for model in MODELS["settings"]:
        assert [key for name, info in model.model_fields.items() if f"{(key := info.alias or name)}:" not in text] == []


def test_every_exit_code_and_reason_is_explained() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert [code for code in ExitCode if f"| {code.value} |" not in page] == []
    assert [reason for reason in get_args(Reason) if f"| `{reason}` |" not in page] == []
