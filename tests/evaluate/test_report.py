"""The report opens from disk, shows where misses stand, and nothing of a document can act in it."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline.evaluate.comparison import compare
from pipeline.evaluate.evaluation import Evaluation
from pipeline.evaluate.evaluation_report import write_report
from pipeline.evaluate.expected import Truth, parse_expected
from pipeline.evaluate.layouts import Layout
from pipeline.evaluate.read_results import ReadDocument, ReadField
from pipeline.evaluate.scored_document import ScoredDocument
from pipeline.evaluate.scoring import score
from pipeline.records import Page, Word
from pipeline.settings import Settings, configs_folder
from pipeline.templates.load import load_templates
from tests.drawing import text_pdf
from tests.evaluate.building import put

FIELDS = load_templates([configs_folder() / "templates"])["invoice"].fields
EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}\u202e'


class ParsedPage(HTMLParser):
    """Tags, and attributes by tag."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def evaluation(path: Path, fields: dict[str, tuple[Any, ReadField]], label: str = "now", file: str = "a.pdf") -> Evaluation:
    truth = Truth(
        file, path, {name: parse_expected(expected, FIELDS[name]) for name, (expected, _) in fields.items()}, "en", "house"
    )
    result = ReadDocument("done", fields={name: read for name, (_, read) in fields.items()})
    return Evaluation(
        label, [ScoredDocument(truth, "f00d", result, tuple(score(truth, result, FIELDS)), "en", Layout("house", "truth"))]
    )


def page(width: float = 595.0, height: float = 842.0, *words: Word) -> Page:
    return Page(1, width, height, words, "textlayer")


def report_html(tmp_path: Path, results: Evaluation, *pages: Page, **more: Any) -> str:
    out = tmp_path / "report.html"
    write_report(out, results, more.get("comparison"), FIELDS, Settings(), lambda *_: pages, more.get("about", {}))
    return out.read_text(encoding="utf-8")


def test_a_miss_is_shown_with_the_true_place_in_green_and_what_was_taken_in_red(tmp_path: Path) -> None:
    path = put(tmp_path, "a.pdf", text_pdf(["Total 119.00\nPaid 100.00"]))
    words = (Word("Total", (64, 60, 90, 72), 0), Word("119.00", (95, 60, 130, 72), 0), Word("100.00", (95, 77, 130, 89), 1))
    html = report_html(
        tmp_path,
        evaluation(path, {"total": ("119.00", ReadField("100.00", page=1, box=(95, 77, 130, 89)))}),
        page(595, 842, *words),
    )
    html_page = ParsedPage(html)
    boxes = {
        attributes["class"]: attributes for attributes in html_page.all("rect") if attributes["class"] in ("true", "taken")
    }
    assert (boxes["true"]["x"], boxes["true"]["y"]) == ("93.0", "58.0")
    assert (boxes["taken"]["x"], boxes["taken"]["y"]) == ("93.0", "75.0")
    (picture,) = html_page.all("image")
    head, _, data = str(picture["href"]).partition(",")
    assert head == "data:image/webp;base64"
    image = Image.open(io.BytesIO(base64.b64decode(data))).convert("L")
    left, top = float(str(picture["x"])), float(str(picture["y"]))
    scale = image.width / float(str(picture["width"]))
    part = ((60 - left) * scale, (58 - top) * scale, (140 - left) * scale, (92 - top) * scale)
    assert np.asarray(image.crop(part)).min() < 90, "ink stands where the boxes are"


def test_hostile_values_are_text_and_the_policy_forbids_the_rest(tmp_path: Path) -> None:
    path = put(tmp_path, "a.pdf", text_pdf(["x"]))
    row = {"description": EVIL, "quantity": None, "unit_price": None, "amount": EVIL}
    fields: dict[str, tuple[Any, ReadField]] = {
        "vendor_name": (EVIL + "A", ReadField(EVIL, printed=EVIL, flags=(EVIL,), page=1, box=(-1e9, -5, 1e9, 1e9))),
        "line_items": ([{"amount": "5"}], ReadField([row, EVIL])),
    }
    results = evaluation(path, fields, EVIL, EVIL)
    html = report_html(
        tmp_path, results, page(), comparison=compare(evaluation(path, fields, EVIL, EVIL), results), about={EVIL: EVIL}
    )
    html_page = ParsedPage(html)
    assert not html_page.all("script")
    assert not html_page.all("img")
    assert not [name for _, attributes in html_page.tags for name in attributes if name.startswith("on") or name == "style"]
    assert "{{ 7 * 7 }}" in html
    assert html.count("&lt;script&gt;") >= 5
    links = [attributes[key] or "" for _, attributes in html_page.tags for key in ("href", "src") if key in attributes]
    assert all(link.startswith(("data:image/webp;base64,", "#")) for link in links)
    (policy,) = [a["content"] or "" for a in html_page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; img-src data:;")
    style = re.search("<style>(.*?)</style>", html, re.DOTALL)
    assert style
    assert base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode() in policy
    assert "@import" not in style[1]
    assert "url(" not in style[1]


def test_a_value_that_the_page_does_not_print_has_no_place(tmp_path: Path) -> None:
    path = put(tmp_path, "a.pdf", text_pdf(["Total 5.00"]))
    html = report_html(
        tmp_path, evaluation(path, {"total": ("119.00", ReadField(None))}), page(595, 842, Word("5.00", (95, 60, 130, 72), 0))
    )
    assert "the true value was not found" in html
    assert len(ParsedPage(html).all("image")) == 1, "the whole page is shown"


@pytest.mark.parametrize("content", [None, b"%PDF-1.7 broken"])
def test_a_page_that_cannot_be_drawn_leaves_the_miss_without_a_picture(tmp_path: Path, content: bytes | None) -> None:
    path = put(tmp_path, "a.pdf", content) if content else tmp_path / "gone.pdf"
    html = report_html(tmp_path, evaluation(path, {"total": ("119.00", ReadField("5"))}), page())
    assert "119.00" in html
    assert not ParsedPage(html).all("image")


def test_confidence_gets_its_diagram_and_rows_are_marked(tmp_path: Path) -> None:
    path = put(tmp_path, "a.pdf", text_pdf(["x"]))
    fields = {
        "total": ("119.00", ReadField("119", confidence=0.9)),
        "currency": ("EUR", ReadField("USD", confidence=0.6)),
        "line_items": ([{"amount": "5"}, {"amount": "6"}], ReadField([{"amount": "5.00"}])),
    }
    html = report_html(tmp_path, evaluation(path, fields), page())
    assert "Expected calibration error <b>0.350</b> over 2 values" in html
    assert html.count("<circle") == 2
    assert [attributes.get("class") for attributes in ParsedPage(html).all("tr")].count("lone") == 1


def test_the_report_says_what_nobody_would_find_and_on_how_many_layouts(tmp_path: Path) -> None:
    path = put(tmp_path, "a.pdf", text_pdf(["x"]))
    fields: dict[str, tuple[Any, ReadField]] = {
        "total": ("119.00", ReadField("119", confidence=0.9, to_review=True)),
        "currency": ("EUR", ReadField("USD", confidence=0.6)),
        "due_date": (None, ReadField("2025-01-01", confidence=0.7)),
    }
    html = " ".join(re.sub("<[^>]*>", " ", report_html(tmp_path, evaluation(path, fields), page())).split())
    assert "50.0 % silent errors: wrong, and nothing says so 1 of 2 values; 95 % interval" in html
    assert "1 document of 1 layout (the truth names the layout of 1)" in html
    assert "all values 1 of 2 1 of 1 1 of 1 0.733 1 of 3" in html
    assert "confidence says right are values 95 % interval 0.600 0.000 1" in html


def test_pictures_stop_at_the_limit_and_misses_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path, "a.pdf", text_pdf(["x"]))
    results = evaluation(path, {"total": ("119.00", ReadField("5")), "subtotal": ("100.00", ReadField("5"))})
    both = ParsedPage(report_html(tmp_path, results, page())).all("image")
    assert len(both) == 2
    monkeypatch.setattr("pipeline.evaluate.marked_pages.MAX_BYTES", len(str(both[0]["href"])))
    html = report_html(tmp_path, results, page())
    assert len(ParsedPage(html).all("image")) == 1
    assert html.count('<article class="miss">') == 2


def test_a_report_without_a_miss_says_so(tmp_path: Path) -> None:
    html = report_html(tmp_path, evaluation(tmp_path / "a.pdf", {"total": ("119.00", ReadField("119"))}))
    assert "every scored value is right" in html
