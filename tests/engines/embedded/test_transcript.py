"""Pages in many layouts are read in the order in which a person reads them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engines.embedded.transcript.transcript_reader import read_transcript
from pipeline.records import Page, Region, RegionKind, Word
from pipeline.values.boxes import bounding_box
from tests.engines.embedded.page_builder import template

PROSE = [
    "The ferry leaves the harbour at",
    "seven and crosses the sound in",
    "forty minutes when the wind is",
    "fair and the sea is not rough",
    "so take a coat and a good book",
    "for the deck is often very cold",
]
OTHER = [
    "Tickets are sold in the hall by",
    "the pier from six o'clock on and",
    "children under five travel free",
    "while dogs need a muzzle and a",
    "ticket of their own on weekdays",
    "from the first of May to autumn",
]


def line(text: str, x: float, y: float, number: int, size: float = 10) -> list[Word]:
    words = []
    for word in text.split():
        width = 0.5 * size * len(word)
        words.append(Word(word, (x, y, x + width, y + size), number, size=size))
        x += width + 0.3 * size
    return words


def block(texts: list[str], x: float, y: float, first: int = 0, step: float = 12) -> list[Word]:
    return [word for n, text in enumerate(texts) for word in line(text, x, y + step * n, first + n)]


def text_of(words: list[Word]) -> str:
    claim = read_transcript(Page(1, 600, 800, tuple(words), "textlayer"), template("transcript"))["text"]
    return str(claim.value)


def test_lines_keep_their_order_and_paragraphs_are_separated_by_a_blank_line() -> None:
    words = block(PROSE[:3], 50, 50) + block(PROSE[3:], 50, 120, 3)
    assert text_of(words) == "\n".join(PROSE[:3]) + "\n\n" + "\n".join(PROSE[3:])


def test_columns_are_read_one_after_the_other() -> None:
    rows = zip(PROSE, OTHER, strict=True)
    words = [word for n, (a, b) in enumerate(rows) for word in line(a, 50, 50 + 12 * n, n) + line(b, 320, 50 + 12 * n, n)]
    assert text_of(words) == "\n".join(PROSE) + "\n\n" + "\n".join(OTHER)


def test_a_heading_over_two_columns_comes_first_and_a_footer_last() -> None:
    words = line("The ferry to the islands and how to take it in every season", 50, 20, 0, 18)
    words += block(PROSE, 50, 60, 1) + block(OTHER, 320, 60, 1)
    words += line("Page 7 of the guide for guests of the islands and their friends and relatives", 50, 200, 9)
    text = text_of(words)
    assert text.startswith("The ferry to the islands")
    assert text.index(PROSE[-1]) < text.index(OTHER[0])
    assert text.rstrip().endswith("relatives")


def test_rows_of_a_table_are_read_across() -> None:
    table = [("Apples", "12", "3.40"), ("Pears", "7", "2.80"), ("Plums", "30", "9.10"), ("Figs", "5", "4.75")]
    words = [
        word
        for n, row in enumerate(table)
        for x, cell in zip((50, 250, 350), row, strict=True)
        for word in line(cell, x, 50 + 14 * n, n)
    ]
    assert text_of(words) == "\n".join(
        ["| Apples | 12 | 3.40 |", "| --- | --- | --- |", *(f"| {' | '.join(r)} |" for r in table[1:])]
    )


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (
            ["the long cross-", "ing took a day and the", "crossing was rough"],
            "the long crossing\ntook a day and the\ncrossing was rough",
        ),
        (["a heavy thunder-", "storm came up"], "a heavy thunderstorm\ncame up"),
        (["the well-", "known ferry of the"], "the well-known\nferry of the"),
        (["the third-", "class hall and a third-class ticket"], "the third-class\nhall and a third-class ticket"),
        (["the ticket for in-", "and outdoor seats"], "the ticket for in-\nand outdoor seats"),
        (["the Hook-", "Harwich ferry"], "the Hook-\nHarwich ferry"),
        (["pages 14-", "16 of the guide"], "pages 14-\n16 of the guide"),
        (["soft\u00ad", "ware for ferries"], "software\nfor ferries"),
        (["the night before de-", "parture"], "the night before departure"),
    ],
)
def test_words_broken_at_a_line_end_are_joined(lines: list[str], text: str) -> None:
    assert text_of(block(lines, 50, 50)) == text


def test_a_word_broken_at_the_end_of_a_column_is_joined() -> None:
    left, right = [*PROSE[:5], "for the deck is often ter-"], ["ribly cold in the evening", *OTHER[1:]]
    words = [word for n in range(6) for word in line(left[n], 50, 50 + 12 * n, n) + line(right[n], 320, 50 + 12 * n, n)]
    assert "often terribly\n\ncold in the evening" in text_of(words)


def test_typographic_letters_become_plain() -> None:
    assert text_of(block(["o\ufb03ce \ufb01nds a \u2f92 zero\u200bwidth"], 50, 50)) == "office finds a 見 zerowidth"


def test_columns_whose_lines_nearly_touch_are_separated() -> None:
    """The gap between two justified columns is narrower than gaps between words elsewhere."""
    words = []
    for n, (a, b) in enumerate(zip(PROSE, OTHER, strict=True)):
        left = line(a, 50, 50 + 12 * n, n)
        words += [*left[:-1], replace(left[-1], box=(left[-1].box[0], 50 + 12 * n, 220, 60 + 12 * n))]
        words += line(b, 228, 50 + 12 * n, n)
    assert text_of(words) == "\n".join(PROSE) + "\n\n" + "\n".join(OTHER)


def test_wide_text_above_short_columns_does_not_hide_them() -> None:
    wide = [f"{PROSE[n % 6]} {OTHER[n % 6]}" for n in range(20)]
    words = block(wide, 50, 50) + block(PROSE, 50, 320, 20) + block(OTHER, 320, 320, 20)
    assert text_of(words).endswith("\n".join(PROSE) + "\n\n" + "\n".join(OTHER))


def test_a_text_beside_a_table_is_read_separately() -> None:
    rows = [(f"Item {n}", str(n * 7), f"{n * 3}.40") for n in range(1, 13)]
    words = []
    for n, row in enumerate(rows):
        for x, cell in zip((50, 150, 220), row, strict=True):
            words += line(cell, x, 50 + 11 * n, n)
    words += block(PROSE + OTHER, 320, 52, 20, step=13)
    assert text_of(words).endswith("\n".join(PROSE + OTHER))


def test_a_list_is_no_table() -> None:
    words = []
    for n, item in enumerate(("Bring a coat", "Bring a book", "Bring a lamp", "Bring a friend")):
        words += line(f"{n + 1}.", 50, 50 + 14 * n, n) + line(item, 80, 50 + 14 * n, n)
    assert text_of(words) == "1. Bring a coat\n2. Bring a book\n3. Bring a lamp\n4. Bring a friend"


def test_a_picture_beside_a_text_is_read_separately() -> None:
    """Its rows are level with lines of the text by chance."""
    words = block(PROSE + OTHER, 50, 50)
    for n in range(5):
        for x, cell in ((330, "Mass"), (420, str(17 * n))):
            words += [replace(word, source="ocr") for word in line(cell, x, 50 + 24 * n, 2 * n)]
    text = text_of(sorted(words, key=lambda word: word.line))
    assert text.startswith("\n".join(PROSE + OTHER))
    assert "| Mass | 17 |" in text


def test_chinese_words_are_joined_without_blanks() -> None:
    words = [Word("青山", (50, 50, 70, 60), 0), Word("机械", (71, 50, 91, 60), 0), Word("Ltd", (94, 50, 110, 60), 0)]
    assert text_of(words) == "青山机械 Ltd"


def test_a_page_without_words_has_no_text() -> None:
    claim = read_transcript(Page(1, 600, 800), template("transcript"))["text"]
    assert claim.value is None
    assert claim.words == ()


boxes = st.tuples(st.floats(0, 550), st.floats(0, 750), st.floats(1, 200), st.floats(1, 40))


kinds = st.sampled_from(
    ["text", "title", "heading", "list", "caption", "footnote", "table", "picture", "formula", "header", "footer"]
)
edges = st.lists(st.floats(0, 800), max_size=6).map(lambda values: tuple(sorted(values)))
TEXT_ONLY = template("transcript").model_copy(update={"fields": {"text": template("transcript").fields["text"]}})


@given(
    st.lists(
        st.tuples(boxes, st.integers(0, 30), st.sampled_from(["a", "Wort", "longer-", "12.50", "文字", " "])), max_size=80
    ),
    st.lists(st.tuples(kinds, st.lists(st.integers(0, 79), max_size=20), edges, edges), max_size=6),
)
def test_every_word_is_read_exactly_once(
    placed_words: list[tuple[tuple[float, float, float, float], int, str]],
    parts: list[tuple[RegionKind, list[int], tuple[float, ...], tuple[float, ...]]],
) -> None:
    words = [Word(text, (x, y, x + w, y + h), number) for (x, y, w, h), number, text in placed_words]
    taken: set[int] = set()
    regions = []
    for kind, indices, rows, columns in parts:
        own = sorted(set(indices) - taken)
        own = [index for index in own if index < len(words)]
        taken.update(own)
        box = bounding_box(words[index].box for index in own) if own else (10.0, 10.0, 60.0, 60.0)
        regions.append(Region(kind, box, tuple(own), rows, columns))
    page = Page(1, 600, 800, tuple(words), "textlayer", regions=tuple(regions))
    claim = read_transcript(page, TEXT_ONLY)["text"]
    text = claim.value or ""
    assert sorted(claim.words) == [index for index, word in enumerate(words) if word.text.strip()]
    visible = [word.text.strip() for word in words if word.text.strip()]
    letters = Counter(text.replace("|", "").replace("---", "")) - Counter("".join(visible))
    assert set(letters) <= set(" \n"), "only white space and the lines of tables are added"


@given(
    st.lists(
        st.tuples(boxes, st.integers(0, 30), st.sampled_from(["7", "Page 3", "Wort", "www.example.org", "12.50"])), max_size=60
    )
)
def test_each_word_is_in_the_text_or_in_the_furniture(
    placed_words: list[tuple[tuple[float, float, float, float], int, str]],
) -> None:
    words = tuple(Word(text, (x, y, x + w, y + h), number) for (x, y, w, h), number, text in placed_words)
    claims = read_transcript(Page(1, 600, 800, words, "textlayer"), template("transcript"))
    assert sorted(index for claim in claims.values() for index in claim.words) == list(range(len(words)))
    assert not words or claims["text"].value


@pytest.mark.parametrize("columns", [1, 2, 3, 4])
def test_dense_pages_of_many_columns(columns: int) -> None:
    texts = [[f"{PROSE[n % 6]} {c}{n}" for n in range(40)] for c in range(columns)]
    words = [word for n in range(40) for c in range(columns) for word in line(texts[c][n], 20 + 260 * c, 20 + 12 * n, n)]
    assert text_of(words) == "\n\n".join("\n".join(column) for column in texts)
