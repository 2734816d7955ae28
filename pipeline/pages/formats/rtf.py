"""Rich Text Format: paragraphs and tables. Pictures, objects, fields' instructions, hidden and deleted text are passed over.

Source: Microsoft RTF specification 1.9.1. Groups are followed without recursion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from pipeline.pages.layout.blocks import Align, Block, Cell, PageBreak, Paragraph, Row, Run, Table

_TOKEN = re.compile(rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|([^\\{}\r\n]+)|[\r\n]+")
_SKIPPED = frozenset(
    b"fonttbl colortbl stylesheet info pict object objdata themedata colorschememapping latentstyles datastore listtable listoverridetable "
    b"rsidtbl generator xmlnstbl mmathPr filetbl revtbl fldinst bkmkstart bkmkend datafield docvar password wgrffmtfilter "
    b"nonshppict atnid atnauthor annotation atnref atntime atndate atnparent atrfstart atrfend private template operator".split()
)
"""Groups whose contents are not text of the document."""
_STORIES = {b"header": "header", b"headerl": "", b"headerr": "header", b"headerf": "header", b"footer": "footer", b"footerl": "",
            b"footerr": "footer", b"footerf": "footer", b"footnote": "footnote"}  # fmt: skip
_KEPT = frozenset(b"shptxt shpinst shp shprslt fldrslt field result nestrow nesttableprops ud upr pntext listtext rtf".split())
_SIGNS = {
    b"tab": "\t", b"line": "\n", b"emdash": "—", b"endash": "–", b"bullet": "•", b"lquote": "‘", b"rquote": "’", b"ldblquote": "“",
    b"rdblquote": "”", b"emspace": " ", b"enspace": " ", b"qmspace": " ", b"softline": "\n", b"sect": "\n",
}  # fmt: skip
_CHARSETS = {0: 1252, 1: 1252, 2: 1252, 77: 10000, 128: 932, 129: 949, 134: 936, 136: 950, 161: 1253, 162: 1254, 163: 1258, 177: 1255,
             178: 1256, 186: 1257, 204: 1251, 222: 874, 238: 1250, 255: 437}  # fmt: skip
"""Code pages of fonts by ``\\fcharset``."""
_PYTHON_NAMES = {10000: "mac_roman", 65001: "utf-8"}
_ALIGN: dict[bytes, Align] = {b"ql": "left", b"qj": "left", b"qr": "right", b"qc": "center"}
MAX_GROUPS = 10_000
"""Groups inside groups; a file with more is damaged or hostile, and deeper ones are passed over."""
_TWENTIETHS = 20.0


@dataclass(frozen=True, slots=True)
class _State:
    """Properties that a group takes over and gives back at its end."""

    skipped: bool = False
    hidden: bool = False
    bold: bool = False
    size: float = 10.0
    unicode_skip: int = 1
    code_page: str = "cp1252"
    story: str = ""
    font_table: bool = False


@dataclass(slots=True)
class _Story:
    """What is collected for one part of the document."""

    name: str
    blocks: list[Block] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    cell: list[Paragraph] = field(default_factory=list)
    cells: list[list[Paragraph]] = field(default_factory=list)
    rows: list[tuple[list[list[Paragraph]], tuple[float, ...]]] = field(default_factory=list)
    size: float = 10.0
    paragraphs: int = 0
    tables: int = 0

    def place(self, inside: str) -> str:
        return f"{self.name}, {inside}" if self.name else inside


def rtf_blocks(content: bytes) -> Iterator[Block]:
    """A document: headers, text, footnotes, footers."""
    reader = _Reader()
    reader.read(content)
    for name in ("header", "", "footnote", "footer"):
        if name in reader.stories:
            yield from reader.finished(reader.stories[name])


class _Reader:
    def __init__(self) -> None:
        self.stories: dict[str, _Story] = {"": _Story("")}
        self._state = _State()
        self._stack: list[_State] = []
        self._too_deep = 0
        self._pending = bytearray()
        """Letters in the code page of the present font, which may take two bytes each."""
        self._skip_letters = 0
        self._high = 0
        self._fonts: dict[int, str] = {}
        self._font = 0
        self._in_table = False
        self._align: Align = "left"
        self._edges: list[float] = []
        self._starred = False
        self._default_page = "cp1252"

    @property
    def _story(self) -> _Story:
        name = self._state.story
        if name not in self.stories:
            self.stories[name] = _Story(name)
        return self.stories[name]

    def read(self, content: bytes) -> None:
        """Collect all stories of a file."""
        at = 0
        while match := _TOKEN.match(content, at):
            at = match.end()
            word, number, byte, symbol, brace, text = match.groups()
            if brace:
                self._flush()
                self._brace(brace)
            elif word:
                if word == b"bin":
                    at += max(0, int(number or 0))
                else:
                    self._word(word, int(number) if number else None)
            elif byte:
                self._bytes(bytes([int(byte, 16)]))
            elif symbol:
                self._symbol(symbol)
            elif text:
                self._bytes(text)
        self._flush()
        for story in self.stories.values():
            self._end_paragraph(story)
            self._end_table(story)

    def finished(self, story: _Story) -> list[Block]:
        return story.blocks

    def _brace(self, brace: bytes) -> None:
        self._starred = False
        if brace == b"{":
            if len(self._stack) >= MAX_GROUPS:
                self._too_deep += 1
            else:
                self._stack.append(self._state)
        elif self._too_deep:
            self._too_deep -= 1
        elif self._stack:
            if self._state.story != self._stack[-1].story:
                self._end_paragraph(self._story)
            self._state = self._stack.pop()

    def _symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self._starred = True
        elif symbol in b"\\{}":
            self._bytes(symbol)
        elif symbol == b"~":
            self._text("\u00a0")
        elif symbol == b"_":
            self._text("-")
        elif symbol in b"\r\n":
            self._word(b"par", None)

    def _word(self, word: bytes, number: int | None) -> None:
        self._flush()
        if self._state.font_table:
            self._font_word(word, number)
            return
        starred, self._starred = self._starred, False
        if word == b"fonttbl":
            self._state = replace(self._state, font_table=True)
        elif word in _SKIPPED or (starred and word not in _KEPT and word not in _STORIES):
            self._state = replace(self._state, skipped=True)
        elif word in _STORIES:
            name = _STORIES[word]
            self._state = replace(self._state, story=name, skipped=self._state.skipped or not name)
        elif word == b"u" and number is not None:
            self._unicode(number)
        elif word in _SIGNS:
            self._text(_SIGNS[word])
        else:
            self._property(word, number)

    def _font_word(self, word: bytes, number: int | None) -> None:
        if word == b"f" and number is not None:
            self._font = number
        elif word == b"fcharset" and number is not None:
            self._fonts[self._font] = _code_page(_CHARSETS.get(number, 1252))
        elif word == b"cpg" and number is not None:
            self._fonts[self._font] = _code_page(number)

    def _property(self, word: bytes, number: int | None) -> None:
        state, is_on = self._state, number != 0
        if word == b"b":
            self._state = replace(state, bold=is_on)
        elif word in (b"v", b"deleted"):
            self._state = replace(state, hidden=is_on)
        elif word == b"plain":
            self._state = replace(state, bold=False, hidden=False, size=12.0)
        elif word == b"fs" and number:
            self._state = replace(state, size=min(28.0, max(6.0, number / 2)))
        elif word == b"uc":
            self._state = replace(state, unicode_skip=max(0, min(number or 0, 20)))
        elif word == b"f" and number is not None:
            self._state = replace(state, code_page=self._fonts.get(number, self._default_page))
        elif word == b"ansicpg" and number:
            self._default_page = _code_page(number)
            self._state = replace(state, code_page=self._default_page)
        elif word == b"mac":
            self._default_page = "mac_roman"
            self._state = replace(state, code_page="mac_roman")
        elif word in _ALIGN:
            self._align = _ALIGN[word]
        elif not state.skipped:
            self._structure(word, number)

    def _structure(self, word: bytes, number: int | None) -> None:
        story = self._story
        if word == b"pard":
            self._in_table, self._align = False, "left"
        elif word == b"intbl":
            self._in_table = True
        elif word == b"par":
            self._end_paragraph(story, ends=True)
        elif word == b"page":
            self._end_paragraph(story)
            self._end_table(story)
            if not story.name:
                story.blocks.append(PageBreak())
        elif word in (b"cell", b"nestcell"):
            self._in_table = True
            self._end_paragraph(story)
            story.cells.append(story.cell)
            story.cell = []
        elif word in (b"row", b"nestrow"):
            if story.cells:
                edges = [0.0, *self._edges] if self._edges else []
                widths = tuple(max(0.0, b - a) for a, b in pairwise(edges))
                story.rows.append((story.cells, widths))
            story.cells, story.cell = [], []
        elif word == b"trowd":
            self._edges = []
        elif word == b"cellx" and number is not None:
            self._edges.append(number / _TWENTIETHS)

    def _unicode(self, number: int) -> None:
        code = number + 65_536 if number < 0 else number
        self._skip_letters = self._state.unicode_skip
        if 0xD800 <= code < 0xDC00:
            self._high = code
        elif 0xDC00 <= code < 0xE000 and self._high:
            self._text(chr(0x10000 + (self._high - 0xD800) * 0x400 + code - 0xDC00), keep_skip=True)
            self._high = 0
        elif 0 < code < 0x110000 and not 0xD800 <= code < 0xE000:
            self._text(chr(code), keep_skip=True)

    def _bytes(self, data: bytes) -> None:
        if self._skip_letters:
            skipped = min(self._skip_letters, len(data))
            self._skip_letters -= skipped
            data = data[skipped:]
        if not (self._state.skipped or self._state.hidden or self._state.font_table):
            self._pending += data

    def _flush(self) -> None:
        if self._pending:
            data, self._pending = bytes(self._pending), bytearray()
            self._text(data.decode(self._state.code_page, "replace"), keep_skip=True)

    def _text(self, text: str, *, keep_skip: bool = False) -> None:
        self._flush()
        if not keep_skip:
            self._skip_letters = 0
        state = self._state
        if not (state.skipped or state.hidden or state.font_table or self._too_deep):
            story = self._story
            if not self._in_table and story.rows and text.strip():
                self._end_table(story)
            if not story.runs:
                story.size = state.size
            story.runs.append(Run(text, state.bold))

    def _end_paragraph(self, story: _Story, *, ends: bool = False) -> None:
        """Put the collected runs away; ``ends``: at the end of a paragraph that may be empty."""
        runs, story.runs = tuple(story.runs), []
        if not any(run.text.strip() for run in runs):
            if not self._in_table and not story.rows and story.blocks and ends:
                story.blocks.append(Paragraph((), "", self._state.size, space=0.0))
            return
        if self._in_table:
            table, row, column = story.tables + 1, len(story.rows) + 1, len(story.cells) + 1
            place = story.place(f"table {table}, row {row}, column {column}")
            story.cell.append(Paragraph(runs, place, story.size, self._align, space=0.0))
        else:
            self._end_table(story)
            story.paragraphs += 1
            story.blocks.append(Paragraph(runs, story.place(f"paragraph {story.paragraphs}"), story.size, self._align))

    @staticmethod
    def _end_table(story: _Story) -> None:
        if story.cell or story.cells:  # the last row has no end
            story.rows.append(([*story.cells, story.cell], ()))
            story.cells, story.cell = [], []
        if not story.rows:
            return
        story.tables += 1
        count = max(len(cells) for cells, _ in story.rows)
        widths = next((widths for cells, widths in story.rows if len(widths) == count == len(cells)), ())
        rows = tuple(Row(tuple(Cell(tuple(cell)) for cell in cells)) for cells, _ in story.rows)
        story.blocks.append(Table(rows, widths))
        story.rows = []


def _code_page(number: int) -> str:
    """Python's name of a Windows code page; Windows-1252 for unknown ones."""
    name = _PYTHON_NAMES.get(number, f"cp{number}")
    try:
        b"".decode(name)
    except LookupError:
        return "cp1252"
    return name
