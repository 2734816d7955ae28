"""A page is read with its structure from the file to the result: the layout is found by the reader, and used by the engine."""

from __future__ import annotations

from pathlib import Path

import pytest

import pipeline
from tests.layout_pages import FOOT, HEAD, NOTE, ROWS, SECTION, TITLE, as_scanned, guide_page


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIPELINE_WORKERS", "1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_digital_page_as_html_and_markdown(folder: Path) -> None:
    (folder / "guide.pdf").write_bytes(guide_page())
    document = pipeline.read("guide.pdf", template="document")
    html, markdown = (str(document.fields[name].value[0]) for name in ("html", "markdown"))  # type: ignore[index]
    assert [document.fields[name].grounding for name in ("html", "markdown")] == ["exact", "exact"]
    assert html.startswith(f"<header>{HEAD}</header>")
    assert html.endswith(f"<footer>{FOOT}</footer>")
    assert f"{TITLE}</h" in html
    assert f"{SECTION}</h" in html
    assert "<tr>" + "".join(f"<td>{cell}</td>" for cell in ROWS[1]) + "</tr>" in html
    assert f'<aside class="footnote">{NOTE}</aside>' in html
    assert "| " + " | ".join(ROWS[1]) + " |" in markdown


@pytest.mark.proof
def test_a_scanned_page_has_the_same_structure(folder: Path) -> None:
    (folder / "scan.pdf").write_bytes(as_scanned(guide_page()))
    document = pipeline.read("scan.pdf", template="document")
    html = str(document.fields["html"].value[0])  # type: ignore[index]
    assert f"<header>{HEAD}</header>" in html
    assert "<td>2310</td>" in html
    assert html.index("until the last boat") < html.index("On the islands the summer") < html.index("<td>2310</td>")


def test_a_template_may_do_without_the_learned_layout(folder: Path) -> None:
    built_in = (Path(pipeline.__file__).parents[1] / "configs" / "templates" / "document.yaml").read_text()
    (folder / "templates").mkdir()
    (folder / "templates" / "plain.yaml").write_text(built_in.replace("name: document", "name: plain\nlayout: rules"))
    (folder / "guide.pdf").write_bytes(guide_page())
    document = pipeline.read("guide.pdf", template="plain", settings={"templates": "templates"})
    html = str(document.fields["html"].value[0])  # type: ignore[index]
    assert "<h1>" not in html
    assert "<td>2310</td>" in html
