"""The documentation as a site: it builds, it is complete, and it loads nothing from elsewhere."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import click
import pytest
from pydantic import BaseModel

from docs.reference import meanings_of, pages
from pipeline import languages
from pipeline.cli.commands import COMMANDS, cli
from pipeline.engines.embedded.classify import classify
from pipeline.engines.embedded.fields import read_fields
from pipeline.errors import ExitCode, LanguageError
from pipeline.languages.language_files import built_in_languages, load_languages
from pipeline.records import Reason
from pipeline.renamed_settings import RENAMED_KEYS
from pipeline.settings import Settings, configs_folder
from pipeline.templates.load import load_template
from pipeline.templates.routing import Route
from pipeline.templates.template import AnswerBudget, Applies, Check, Column, ImageBudget, Template, TemplateField
from tests.engines.embedded.page_builder import Sheet

ROOT = Path(__file__).parents[1]
SECTIONS = [info.annotation for info in Settings.model_fields.values() if isinstance(info.annotation, type)]
MODELS: dict[str, list[type[BaseModel]]] = {
    "settings": [Settings, Route, *(section for section in SECTIONS if issubclass(section, BaseModel))],
    "template-keys": [Template, Applies, TemplateField, Column, Check, ImageBudget, AnswerBudget],
}


TEXTS = sorted([*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md"), ROOT / "fuzz" / "README.md"])
"""The pages that people write."""
FOLDERS = "benchmarks|configs|docs|examples|fuzz|pipeline|tests"
PLACEHOLDERS = ("*", "NAME", "xx.")


class LoadedAddresses(HTMLParser):
    """Addresses that a browser loads when it opens a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        loads = tag in ("script", "img", "iframe", "source", "video", "object") or (
            tag == "link" and values.get("rel") != "canonical"
        )
        self.addresses += [value for key in ("src", "href", "data") if loads and (value := values.get(key))]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    build = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (build.returncode, build.stderr) == (0, "")
    return folder


def test_the_site_builds_without_a_dead_link_and_loads_nothing_from_elsewhere(site: Path) -> None:
    html_files = list(site.rglob("*.html"))
    names = {path.relative_to(site).as_posix() for path in html_files}
    assert {f"{page.stem}.html" for page in (ROOT / "docs").glob("*.md")} <= names
    assert {f"reference/{name}.html" for name in pages()} <= names
    for path in html_files:
        page = LoadedAddresses()
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
            subcommand = command.get_command(context, name)
            assert subcommand
            yield from commands(subcommand, f"{path} {name}")


def test_every_command_and_option_is_in_the_reference() -> None:
    page = pages()["commands"]
    sections = dict(re.findall(r"^## (pipeline.*?)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    expected = dict(commands(cli, "pipeline"))
    assert list(sections) == list(expected)
    assert {f"pipeline {name}" for name in COMMANDS} < set(sections)
    for path, command in expected.items():
        options = [
            name for option in command.params if isinstance(option, click.Option) and not option.hidden for name in option.opts
        ]
        assert [name for name in options if name not in sections[path]] == []
        assert "| `" in sections[path]
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
    sections = ["Top level", "for", "fields.NAME", "fields.NAME.columns.NAME", "image", "answer", "checks[]"]
    assert re.findall(r"^## (.*)$", pages()["template-keys"], re.MULTILINE) == sections


def test_every_setting_stands_in_the_commented_file() -> None:
    text = (configs_folder() / "pipeline.yaml").read_text(encoding="utf-8")
    for model in MODELS["settings"]:
        assert [key for name, info in model.model_fields.items() if f"{(key := info.alias or name)}:" not in text] == []


def test_every_exit_code_and_reason_is_explained() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert [code for code in ExitCode if f"| {code.value} |" not in page] == []
    assert [reason for reason in get_args(Reason) if f"| `{reason}` |" not in page] == []


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_and_module_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(rf"(?<![\w./~-])(?:{FOLDERS})/[\w./*-]*[\w/]", text))
    named -= {name for name in named if any(placeholder in name for placeholder in PLACEHOLDERS)}
    named |= {f"{name.replace('.', '/')}.py" for name in re.findall(r"\bbenchmarks\.\w+", text)}
    assert sorted(name for name in named if not (ROOT / name).exists()) == []
    tests = {path.name for path in (ROOT / "tests").rglob("*.py")}
    assert sorted(set(re.findall(r"\btest_\w+\.py\b", text)) - tests) == []


@pytest.mark.parametrize("page", ["reliability", "security"])
def test_every_test_that_a_page_names_exists(page: str) -> None:
    named = re.findall(r"(tests/[\w/]+\.py)::(\w+)", (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8"))
    assert named
    for file, name in named:
        assert re.search(rf"^def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), f"{file}::{name}"


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_holds_both_sides_of_a_merge(page: Path) -> None:
    assert not re.search(r"^(<{7}|>{7}) ", page.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    reference = {f"reference/{name}.md" for name in pages()}
    assert [target for target in targets if target not in reference and not (page.parent / target).exists()] == []


def test_every_module_and_package_is_in_the_layout_of_contributing() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    modules = [
        f"pipeline/{path.name}" + ("/" if path.is_dir() else "")
        for path in (ROOT / "pipeline").iterdir()
        if (path / "__init__.py").exists() or (path.suffix == ".py" and path.name != "__main__.py")
    ]
    assert len(modules) > 20
    assert [module for module in modules if f"`{module}`" not in text] == []


def test_contributing_shows_the_layers_that_are_checked() -> None:
    layers: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"][0][
        "layers"
    ]
    assert "\n".join(["```text", *layers, "```"]) in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_every_renamed_setting_is_on_the_page_about_upgrading() -> None:
    rows = re.findall(r"^\| `([\w.]+)[^|]*\| `([\w.]+)", (ROOT / "docs" / "upgrading.md").read_text("utf-8"), re.MULTILINE)
    assert {(key.old, key.new) for key in RENAMED_KEYS} <= set(rows)


def events_of_the_log() -> Iterator[str]:
    """Names that are passed to ``log_event`` anywhere in the program."""
    for path in (ROOT / "pipeline").rglob("*.py"):
        if "log_event(" in (text := path.read_text("utf-8")):
            calls = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
            named = (call.args[1] for call in calls if getattr(call.func, "id", "") == "log_event")
            yield from (name.value for name in named if isinstance(name, ast.Constant) and isinstance(name.value, str))


def test_the_page_about_monitoring_lists_every_event_of_the_log() -> None:
    page = (ROOT / "docs" / "monitoring.md").read_text("utf-8")
    events = set(events_of_the_log())
    assert {"run_started", "document_published", "run_ended"} <= events
    assert [event for event in sorted(events) if f"`{event}`" not in page] == []


def test_the_page_about_monitoring_lists_every_metric() -> None:
    source = (ROOT / "pipeline" / "monitoring" / "metrics.py").read_text("utf-8")
    page = (ROOT / "docs" / "monitoring.md").read_text("utf-8")
    metrics = set(re.findall(r'"(pipeline_\w+)"', source))
    assert "pipeline_queue_depth" in metrics
    assert [metric for metric in sorted(metrics) if f"`{metric}" not in page] == []


def language_files_of_the_docs() -> dict[str, str]:
    page = (ROOT / "docs" / "languages.md").read_text("utf-8")
    return dict(re.findall(r"```yaml\n# languages/(\w+\.yaml)\n(.*?)```", page, re.DOTALL))


def test_the_language_files_of_the_docs_add_their_words(tmp_path: Path) -> None:
    files = language_files_of_the_docs()
    assert sorted(files) == ["de.yaml", "is.yaml", "sv.yaml"]
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    loaded = load_languages(tmp_path)
    assert "is" not in built_in_languages().by_code
    assert "Summa att betala" in loaded.labels("invoice.total")["sv"]
    assert loaded.labels("invoice.total")["is"] == ["Samtals", "Heildarupphæð"]
    assert loaded.labels("invoice.total")["de"] == built_in_languages().labels("invoice.total")["de"]
    assert loaded.labels("delivery_note.number") == {"de": ["Lieferschein-Nr.", "Lieferscheinnummer"]}


def test_an_icelandic_invoice_is_recognised_and_read_with_the_file_of_the_docs(tmp_path: Path) -> None:
    (tmp_path / "is.yaml").write_text(language_files_of_the_docs()["is.yaml"], "utf-8")
    lines = ("Reikningur", "Reikningsnúmer TM-2041", "Dagsetning 14. mars 2025", "Samtals 1.240,00")
    sheet = Sheet(800, 1130)
    for row, line in enumerate(lines):
        sheet.text(70, 90 + 30 * row, line, 26 if row == 0 else 13)
    assert classify(sheet.page(), None) == "text"
    try:
        languages.use(tmp_path)
        kind = classify(sheet.page(), None)
        claims = read_fields(sheet.page(), load_template(configs_folder() / "templates" / "invoice.yaml"))
    finally:
        languages.use(None)
    assert kind == "invoice"
    assert [claims[name].value for name in ("invoice_number", "invoice_date", "total")] == ["TM-2041", "2025-03-14", "1240.00"]


def test_the_mistake_in_a_language_file_is_reported_as_the_docs_show(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "languages.md").read_text("utf-8")
    (tmp_path / "languages").mkdir()
    (tmp_path / "languages" / "sv.yaml").write_text("# Swedish\nlables:\n  invoice:\n    total: [Summa]\n", "utf-8")
    with pytest.raises(LanguageError) as caught:
        load_languages(tmp_path / "languages")
    assert caught.value.message.replace(f"{tmp_path}{os.sep}", "") in page


def option_names(command: click.Command) -> set[str]:
    names = {name for option in command.params if isinstance(option, click.Option) for name in option.opts}
    return names.union(*(option_names(inner) for _, inner in commands(command, "") if inner is not command), {"--help"})


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_option_that_a_page_gives_to_a_command_exists(page: Path) -> None:
    known = {path.removeprefix("pipeline "): option_names(command) for path, command in commands(cli, "pipeline")}
    text = page.read_text(encoding="utf-8")
    calls = re.findall(r"(?:^|[ `/(])pipeline ([a-z]+)([^\n`|#;]*)", text, re.MULTILINE)
    options = [(name, option) for name, rest in calls if name in COMMANDS for option in re.findall(r"--[a-z][a-z-]*", rest)]
    assert [f"{name} {option}" for name, option in options if option not in known[name]] == []


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_setting_that_a_page_names_exists(page: Path) -> None:
    sections = {
        key: {inner.alias or name for name, inner in info.annotation.model_fields.items()}
        for key, info in Settings.model_fields.items()
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel)
    }
    assert {"retry", "limits", "server"} <= set(sections)
    old = {renamed.old for renamed in RENAMED_KEYS} if page.name in ("upgrading.md", "CHANGELOG.md") else set()
    named = re.findall(rf"`({'|'.join(sections)})\.(\w+)[`:]", page.read_text(encoding="utf-8"))
    wrong = [f"{section}.{key}" for section, key in named if key not in sections[section]]
    assert [key for key in wrong if key not in old] == []


def test_the_readme_is_short_and_names_every_command() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 90
    assert [name for name in COMMANDS if f"pipeline {name}" not in text] == []
