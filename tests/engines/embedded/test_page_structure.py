"""Pages whose parts a learned layout has named are read in order, and written as text, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from pipeline.engines.embedded.transcript.transcript_reader import read_transcript
from pipeline.records import Page, Region, RegionKind, Word
from pipeline.values.boxes import bounding_box
from tests.engines.embedded.page_builder import template
from tests.engines.embedded.test_transcript import OTHER, PROSE, block, line

MORE = [
    "The lighthouse on the cape was",
    "built of granite in the years of",
    "the great storms and burns still",
]


class Sheet:
    """A page to which parts are added with their kinds."""

    def __init__(self) -> None:
        self.words: list[Word] = []
        self.regions: list[Region] = []
        self._lines = 0

    def add(self, kind: RegionKind, texts: list[str], x: float, y: float, size: float = 10) -> Sheet:
        """Lines of text as one region."""
        start = len(self.words)
        for number, text in enumerate(texts):
            self.words += line(text, x, y + 1.2 * size * number, self._lines, size)
            self._lines += 1
        indices = tuple(range(start, len(self.words)))
        self.regions.append(Region(kind, bounding_box(self.words[n].box for n in indices), indices))
        return self

    def table(self, cells: Sequence[tuple[str, float, float]], rows: tuple[float, ...], columns: tuple[float, ...]) -> Sheet:
        """Cells with their places as one region."""
        start = len(self.words)
        for text, x, y in cells:
            self.words += line(text, x, y, self._lines)
            self._lines += 1
        indices = tuple(range(start, len(self.words)))
        self.regions.append(Region("table", bounding_box(self.words[n].box for n in indices), indices, rows, columns))
        return self

    def read(self, name: str = "transcript") -> dict[str, str]:
        """The fields of a template."""
        page = Page(1, 600, 800, tuple(self.words), "textlayer", regions=tuple(self.regions))
        return {field: str(claim.value or "") for field, claim in read_transcript(page, template(name)).items()}


def in_order(text: str, *parts: str) -> bool:
    places = [text.index(part) for part in parts]
    return places == sorted(places)


def test_columns_below_and_above_a_wide_figure_are_read_band_by_band() -> None:
    sheet = Sheet().add("text", PROSE, 50, 60).add("text", OTHER, 320, 60)
    sheet.add(
        "caption", ["Figure 2. The harbour of the island as it looks from the tower of the church on the hill in May"], 50, 300
    )
    sheet.add("text", MORE, 50, 340).add(
        "text", ["At night its light is seen from", "thirty miles away and by day", "boats ask it for the weather"], 320, 340
    )
    text = sheet.read()["text"]
    assert in_order(text, PROSE[-1], OTHER[0], OTHER[-1], "Figure 2", MORE[0], MORE[-1], "At night")


def test_white_at_the_same_height_does_not_divide_columns() -> None:
    sheet = Sheet().add("text", PROSE, 50, 60).add("text", OTHER, 320, 60)
    sheet.add("text", MORE, 50, 160).add("text", MORE[::-1], 320, 160)
    text = sheet.read()["text"]
    assert in_order(text, PROSE[-1], MORE[0], OTHER[0])


@pytest.mark.parametrize("numbers", [(1, 2, 3, 4), (1, 3, 2, 4)])
def test_numbered_cards_are_read_in_the_order_of_their_numbers(numbers: tuple[int, ...]) -> None:
    sheet = Sheet()
    for number, (x, y) in zip(numbers, ((50, 60), (320, 60), (50, 200), (320, 200)), strict=True):
        sheet.add("heading", [f"{number}. Island"], x, y).add("text", MORE, x, y + 20)
    assert in_order(sheet.read()["text"], "1. Island", "2. Island", "3. Island", "4. Island")


def test_labels_and_their_values_are_read_row_by_row() -> None:
    sheet = Sheet()
    for number, (label, value) in enumerate((("Name", "Ada"), ("Island", "Brando"), ("Berth", "Nine"), ("Nights", "Two"))):
        sheet.add("text", [label], 50, 60 + 30 * number).add("text", [value], 250, 60 + 30 * number)
    assert in_order(sheet.read()["text"], "Name", "Ada", "Island", "Brando", "Berth", "Nine", "Nights", "Two")


def test_a_part_that_covers_two_columns_is_read_column_by_column() -> None:
    sheet = Sheet()
    rows = [f"{left}" for left in PROSE]
    start = 0
    for number, (left, right) in enumerate(zip(rows, OTHER, strict=True)):
        sheet.words += line(left, 50, 60 + 12 * number, number) + line(right, 320, 60 + 12 * number, number)
    indices = tuple(range(start, len(sheet.words)))
    sheet.regions.append(Region("text", bounding_box(word.box for word in sheet.words), indices))
    assert in_order(sheet.read()["text"], PROSE[-1], OTHER[0])


def test_heads_and_feet_with_all_parts_of_their_line_are_apart() -> None:
    sheet = Sheet().add("text", PROSE, 50, 100)
    sheet.add("text", ["Edition 4"], 50, 760).add("footer", ["No. 77-12"], 250, 760).add("footer", ["May 2020"], 450, 760)
    sheet.add("header", ["Ferries of the north"], 200, 30)
    fields = sheet.read()
    assert fields["text"] == "\n".join(PROSE)
    assert (fields["header"], fields["footer"]) == ("Ferries of the north", "Edition 4  No. 77-12  May 2020")


def test_an_old_running_head_close_above_the_text_is_no_text() -> None:
    lines = [" ".join(pair) for pair in zip(PROSE, OTHER, strict=True)]
    words = line("214", 50, 40, 0) + line("SEA JOURNEYS.", 190, 40, 1) + line("[Ch. IV.", 380, 40, 2)
    words += block(lines * 2, 50, 53, 3)
    claims = read_transcript(Page(1, 480, 800, tuple(words), "textlayer"), template("transcript"))
    assert claims["header"].value == "214  SEA JOURNEYS.  [Ch. IV."
    assert str(claims["text"].value).startswith(lines[0])


def test_a_word_that_is_broken_before_a_figure_goes_on_behind_it() -> None:
    sheet = Sheet().add("text", ["The keeper of the light-", "house told us of the har-"], 50, 60)
    sheet.add("caption", ["Figure 1. The keeper."], 50, 120).add("text", ["bour and of its ferries."], 50, 160)
    assert "of the harbour\n\nFigure 1. The keeper.\n\nand of its ferries." in sheet.read()["text"]


def test_a_drop_cap_begins_its_word() -> None:
    sheet = Sheet()
    sheet.words = [
        Word("O", (50, 60, 68, 83), 0),
        *line("ver the past summer the ferries", 72, 60, 1),
        *line("were full on every weekend of", 72, 72, 2),
    ]
    sheet.words += line("July and of August", 50, 84, 3)
    sheet.regions = [Region("text", bounding_box(word.box for word in sheet.words), tuple(range(len(sheet.words))))]
    assert sheet.read()["text"].startswith("Over the past summer the ferries\nwere full")


def read_by_ocr(confidences: Sequence[float], texts: Sequence[str] = PROSE) -> str:
    words = [
        replace(word, source="ocr", confidence=confidence)
        for number, (text, confidence) in enumerate(zip(texts, confidences, strict=False))
        for word in line(text, 50, 60 + 12 * number, number)
    ]
    claim = read_transcript(Page(1, 600, 800, tuple(words), "ocr"), template("transcript"))["text"]
    assert claim.flags == (("handwriting",) if "[handwriting?]" in str(claim.value) else ())
    return str(claim.value)


def test_lines_that_ocr_cannot_read_are_named_as_handwriting() -> None:
    text = read_by_ocr([0.99, 0.7, 0.8, 0.82, 0.98, 0.75])
    assert [part for part in text.split("\n") if part] == [PROSE[0], "[handwriting?]", PROSE[4], "[handwriting?]"]


def test_poor_print_is_no_handwriting() -> None:
    assert read_by_ocr([0.97, 0.85, 0.96, 0.95, 0.96, 0.97]) == "\n".join(PROSE)


def test_a_script_of_another_recogniser_is_no_handwriting() -> None:
    assert "паром" in read_by_ocr([0.8, 0.8], ["паром уходит в семь часов", "и идёт сорок минут"])


def spanned() -> Sheet:
    cells = [("Island", 50, 60), ("Guests in two summers", 200, 60), ("2023", 200, 80), ("2024", 290, 80)]
    cells += [
        ("Brando", 50, 100),
        ("856", 200, 100),
        ("902", 290, 100),
        ("Svartso", 50, 120),
        ("2310", 200, 120),
        ("2298", 290, 120),
    ]
    return Sheet().table(cells, (75, 95, 115), (150, 250))


class Cells(HTMLParser):
    """The cells of tables: tag, text, columns."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.cells: list[list[object]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("td", "th"):
            self.cells.append([tag, "", int(dict(attrs).get("colspan") or 1)])

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1][1] = f"{self.cells[-1][1]}{data.strip()}"


def test_a_cell_over_two_columns_is_one_cell_in_html() -> None:
    cells = Cells(spanned().read("document")["html"]).cells
    assert cells[:2] == [["th", "Island", 1], ["th", "Guests in two summers", 2]]
    assert [text for _, text, _ in cells[2:]] == ["", "2023", "2024", "Brando", "856", "902", "Svartso", "2310", "2298"]
    assert "<table>" in spanned().read("document")["markdown"]


def test_a_plain_table_is_markdown() -> None:
    cells = [
        ("Island", 50, 60),
        ("Guests", 200, 60),
        ("Brando", 50, 80),
        ("856", 200, 80),
        ("Svartso", 50, 100),
        ("2310", 200, 100),
    ]
    sheet = Sheet().table(cells, (75, 95), (150,))
    table = "| Island | Guests |\n| --- | --- |\n| Brando | 856 |\n| Svartso | 2310 |"
    assert sheet.read("document")["markdown"] == sheet.read()["text"] == table


def document() -> Sheet:
    sheet = Sheet().add("header", ["Ferries of the north"], 200, 30).add("title", ["How to reach the islands"], 50, 60, 20)
    sheet.add("text", PROSE, 50, 100).add("heading", ["Before you leave"], 50, 190, 11)
    sheet.add("list", ["• Buy a ticket in the hall", "by the pier"], 50, 210).add("list", ["• Take a coat"], 50, 238)
    sheet.add("caption", ["Figure 4. The pier in June."], 50, 480).add("footnote", ["1 Not on Sundays."], 50, 700)
    sheet.add("formula", ["t = s / v"], 200, 520)
    sheet.regions.append(Region("picture", (50, 300, 300, 470)))
    return sheet


def test_the_structure_of_a_page_as_html() -> None:
    html = document().read("document")["html"]
    expected = [
        "<header>Ferries of the north</header>",
        "<h1>How to reach the islands</h1>",
        f"<p>{PROSE[0]}<br>",
        "<h3>Before you leave</h3>",
    ]
    expected += [
        "<ul>\n<li>Buy a ticket in the hall by the pier</li>\n<li>Take a coat</li>\n</ul>",
        'aria-label="Figure 4. The pier in June."',
    ]
    expected += [
        '<p class="caption">Figure 4. The pier in June.</p>',
        '<p class="formula">t = s / v</p>',
        '<aside class="footnote">1 Not on Sundays.</aside>',
    ]
    assert in_order(html, *expected)


def test_the_structure_of_a_page_as_markdown() -> None:
    markdown = document().read("document")["markdown"]
    expected = ["<!-- header: Ferries of the north -->", "# How to reach the islands", PROSE[-1], "### Before you leave"]
    expected += [
        "- Buy a ticket in the hall by the pier",
        "- Take a coat",
        "![Figure 4. The pier in June.]()",
        "*Figure 4. The pier in June.*",
    ]
    assert in_order(markdown, *expected)


def test_text_that_looks_like_markup_stays_text() -> None:
    evil = [
        "<script>alert(1)</script> # no heading",
        "# not a heading",
        "[click](javascript:alert(1)) **loud**",
        "--> <img src=x onerror=alert(1)>",
    ]
    sheet = Sheet().add("header", [evil[3]], 60, 30)
    for number, text in enumerate(evil[:3]):
        sheet.add(("text", "caption", "heading")[number], [text], 50, 100 + 40 * number)
    sheet.add("picture", ["](x) <b onmouseover=alert(1)>"], 50, 300)
    sheet.add("text", PROSE, 50, 400)
    fields = sheet.read("document")
    rendered = MarkdownIt("commonmark", {"html": True}).render(fields["markdown"])
    for text in (rendered, fields["html"]):
        seen = _Tags(text)
        assert not {"script", "img-src", "b", "a", "strong"} & seen.names
        assert "alert(1)" in seen.text


class _Tags(HTMLParser):
    """Names of tags, and the text between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add("img-src" if tag == "img" and dict(attrs).get("src") else tag)
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text += data
