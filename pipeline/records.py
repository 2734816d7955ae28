"""The records that packages exchange: frozen dataclasses without logic.

No record depends on a package. Boxes are ``(x0, y0, x1, y1)`` in points (1/72 inch) with the origin at the top left of the page
*as a person reads it*: page rotation, EXIF orientation and the turning of scans are already applied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Box = tuple[float, float, float, float]
Json = Any
"""A JSON value: str, int, float, bool, None, or lists and string-keyed dicts of them."""

WordSource = Literal["textlayer", "ocr", "xml", "file"]
"""``file``: paragraphs and cells of a file without pages, laid out on pages of our own."""
UnitStatus = Literal["done", "blank", "failed", "skipped"]
DocumentStatus = Literal["done", "partial", "failed", "skipped"]
Reason = Literal["needs_password", "unreadable", "zero_pages", "unsupported", "too_large", "too_slow", "timeout", "engine"]
Grounding = Literal["exact", "value", "fuzzy", "none"]


@dataclass(frozen=True, slots=True)
class Source:
    """One file as the user named it.

    ``path`` is absolute; ``name`` is where its result goes below the outbox (POSIX separators, unique).
    ``relative`` is the path below the inbox (or below the argument given on the command line), which routes match.
    """

    path: Path
    name: str
    relative: str


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """The contents of a file. Files with equal bytes are one document, under any name."""

    sha256: str
    kind: str
    """What the content is, in lower case: ``pdf``, ``png``, ``jpeg``, ``tiff``, … (``""`` when nothing recognised it)."""
    pages: int
    reason: Reason | None = None
    """Why no page of it can be read; None for a document that opens."""
    detail: str = ""
    attachments: int = 0
    """Number of files inside of it that are documents of their own."""


WRAPPER_KINDS = frozenset(
    ("zip", "tar", "gz", "bz2", "xz", "7z", "rar", "zstd", "cab", "ace", "eml", "mbox", "msg", "p7m", "winmail", "damaged")
)
"""Kinds of containers without pages of their own: all that they say is in their parts."""


@dataclass(frozen=True, slots=True)
class PartStatus:
    """A part of a container, and how it ended."""

    name: str | None
    """Name of its result; None for a part that was declined."""
    shown: str
    """Its name in the container, as printable text; empty for a problem of the container itself."""
    status: DocumentStatus | None
    """None while it is read; ``skipped`` without a reason for what is no document, such as a logo in a mail."""
    reason: Reason | None = None
    detail: str = ""

    @property
    def is_missing(self) -> bool:
        """Whether a document, or a page of one, could not be read."""
        return self.status in (None, "failed", "partial") or self.reason is not None


@dataclass(frozen=True, slots=True)
class PartOf:
    """Where a part comes from."""

    root: str
    """Name of the result of the outermost container."""
    parent: str
    """Name of the result of the container that holds it; empty for the outermost one."""
    mail: Mapping[str, str] = field(default_factory=dict)
    """Header of the mail that it is, or that holds it: ``from``, ``to``, ``date``, ``subject``, ``message_id``."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word as printed, with the box where it stands, in page points."""

    text: str
    box: Box
    line: int
    """Number of the printed line the word belongs to; words of a line are neighbours in ``Page.words``, in reading order:
    from right to left in a line of Arabic or Hebrew."""
    source: WordSource = "textlayer"
    confidence: float = 1.0
    """The recogniser's own probability, 0 to 1; 1 for a text layer."""
    size: float = 0.0
    """Height of the letters in points (font size for a text layer, box height for OCR); 0 when unknown."""
    bold: bool = False
    place: str = ""
    """Where a file without pages has it, in words: ``Sheet1!B7``, ``table 2, row 3, column 1``; empty for other files."""


@dataclass(frozen=True, slots=True)
class CodeFacts:
    """What a code on a page states about its invoice, receipt or payment."""

    standard: str
    """The standard that the code follows: ``EPC``, ``Swiss QR bill`` …"""
    facts: Mapping[str, str]
    """Values by EN 16931 business term, as ``Page.facts``."""
    box: Box
    """The code itself, in points of the upright page."""


RegionKind = Literal[
    "text", "title", "heading", "list", "caption", "footnote", "table", "picture", "formula", "header", "footer"
]
"""What a part of a page is: ``header`` and ``footer`` are printed around the text, ``title`` and ``heading`` above parts of it."""


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a page that belongs together: a paragraph, a heading, an item of a list, a table, a picture."""

    kind: RegionKind
    box: Box
    words: tuple[int, ...] = ()
    """Indices into ``Page.words``, rising. A picture may have none."""
    rows: tuple[float, ...] = ()
    """Of a table, where its rows are separated, from top to bottom, in points of the page; empty where it is not known."""
    columns: tuple[float, ...] = ()
    """The same for its columns, from left to right."""


Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A path that a PDF paints, as displayed, in points of the page. Curves are polygons, and what is clipped away is cut off."""

    parts: tuple[tuple[float, ...], ...]
    """Polygons, or lines where it is only stroked: x and y of each corner by turns."""
    fill: Colour | None = None
    stroke: Colour | None = None
    width: float = 0.0
    """Of the stroke."""
    curved: bool = False
    """Whether the file draws curves."""


FigureKind = Literal["chart", "picture", "drawing"]
"""``chart``: with axes or sectors; ``picture``: a photograph, logo or screenshot; ``drawing``: a diagram, map or ornament."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure among the text of a page, or the page where it is one chart."""

    kind: FigureKind
    box: Box
    """With its labels, without its caption."""
    caption: tuple[int, ...] = ()
    """Indices into ``Page.words``: "Figure 3: …"."""
    shapes: tuple[Shape, ...] = ()
    """What the file draws in it, in the order of painting; empty for a raster image."""
    is_page: bool = False
    """Whether the page shows nothing else."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page as read: its size in points, its words in reading order, and facts that the file states in data."""

    number: int
    """Counted from 1; never shifts, even when other pages of the document failed."""
    width: float
    height: float
    words: tuple[Word, ...] = ()
    source: WordSource | None = None
    """Where the words come from; None for a page without any."""
    blank: bool = False
    turned: int = 0
    """Degrees clockwise by which the scan was turned to stand upright: 0, 90, 180 or 270."""
    unread_script: bool = False
    """Whether lines are in a script that no recogniser on this machine reads."""
    facts: Mapping[str, Json] = field(default_factory=dict)
    """Values of an embedded e-invoice by EN 16931 business term, e.g. ``{"BT-1": "R-17", "BT-112": "119.00", "BG-25": [...]}``;
    only ever on page 1."""
    codes: tuple[CodeFacts, ...] = ()
    """What the QR codes and barcodes of the page state, those of known standards."""
    regions: tuple[Region, ...] = ()
    """Its parts by a learned layout, in no order; empty where it was not asked for, or the page is too small to have one."""
    running: tuple[int, ...] = ()
    """The words of lines that stand in the same place on a page near it, as indices into ``words``; empty where it was not asked for."""
    figures: tuple[Figure, ...] | None = None
    """Its figures, from top to bottom; None where they were not asked for."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class PageImage:
    """Pixels of one page: 8-bit RGB, row by row, ``3 * width * height`` bytes. ``scale`` is pixels per point."""

    width: int
    height: int
    rgb: bytes
    scale: float


@dataclass(frozen=True, slots=True)
class RemotePixels:
    """Pixels that stay on the machine of a cluster where they were drawn, until an engine needs them."""

    ref: Any
    """Ray's reference to the parts of a reader's reply that stayed there."""
    index: int
    """Which of these parts it is."""
    size: int
    """Bytes."""
    actor: int
    """Number of the actor that drew them."""
    call: bytes
    """The request to the reader, to draw them again when their machine is gone."""


@dataclass(frozen=True, slots=True)
class RemoteImage:
    """As PageImage, with pixels on another machine. Only the engine of a cluster accepts it."""

    width: int
    height: int
    pixels: RemotePixels
    scale: float


AnyImage = PageImage | RemoteImage


@dataclass(frozen=True, slots=True)
class UnitKey:
    """Identity of a unit of work: one page, one template, one recipe."""

    sha256: str
    page: int
    template: str
    recipe: str


TOKEN_PROBABILITY = "token probability"  # noqa: S105 - no password
"""Signal of a language model's claim: the product of the probabilities of the tokens that write its value."""


FIGURE = "figure"
"""Signal of the type of a chart that is a figure among text: 1."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What an engine says one field is, before anything is checked.

    ``value`` is normalised by the field's type: money and numbers as plain decimal strings ("1234.50"), dates as ISO 8601, currencies
    as ISO 4217, tables as a list of objects by column name, a field declared ``many`` as a list; None when the page does not say.
    ``words`` are indices into ``Page.words``: where an engine that picks words took the value. Grounding verifies them.
    """

    value: Json
    printed: str | None = None
    words: tuple[int, ...] = ()
    score: float = 0.0
    """The engine's own preference between pages (0 to 1); no calibrated probability. Of a claim without a value the probability that
    the page has none; 0 where the engine gives none."""
    flags: tuple[str, ...] = ()
    signals: Mapping[str, float] = field(default_factory=dict)
    """What else the engine knows that its confidence depends on, by name, 0 to 1."""
    cells: Sequence[Mapping[str, float]] = ()
    """Of a table, for each row: how likely each cell is right, by column; empty where the engine does not say. Not calibrated."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an engine made of one unit. ``reason`` is set when ``status`` is ``failed``."""

    key: UnitKey
    claims: Mapping[str, Claim] = field(default_factory=dict)
    status: UnitStatus = "done"
    reason: Reason | None = None
    detail: str = ""
    seconds: float = 0.0
    final: bool = False
    """Whether the unit is not asked again, although its answer failed: it has killed engines."""
    others: tuple[Mapping[str, Claim], ...] = ()
    """The claims of the further documents on the page, where it shows several."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One field of a result: the claim after it was looked up on the page."""

    value: Json
    printed: str | None = None
    page: int | None = None
    box: Box | None = None
    grounding: Grounding = "none"
    flags: tuple[str, ...] = ()
    score: float = 0.0
    legible: float = 1.0
    """The recogniser's own probability of the least certain word that holds the value; 1 for a text layer."""
    confidence: float | None = None
    """The probability that the value is right, or that the document has none; None where it was not assessed."""
    signals: Mapping[str, float] = field(default_factory=dict)
    """As ``Claim.signals``."""
    cells: Sequence[Mapping[str, float]] = ()
    """As ``Claim.cells``; calibrated once the confidences are assessed."""
    place: str | None = None
    """Where a file without pages has it, as ``Word.place``; None for other files."""


@dataclass(frozen=True, slots=True)
class Sender:
    """How the documents of one sender are recognised on a page: by one of its numbers or names, and by most of its words."""

    vat_ids: tuple[str, ...] = ()
    """Upper case, without blanks and marks, as ``ibans``."""
    ibans: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """As printed."""
    read_as: tuple[str, ...] = ()
    """Names of the seller that the engine reads on the sender's pages by itself, right or wrong."""
    words: tuple[str, ...] = ()
    """Lower-case words that all confirmed documents of the sender print, and few of others."""


@dataclass(frozen=True, slots=True)
class FieldLesson:
    """What was learned of one field of a sender's documents."""

    labels: tuple[str, ...] = ()
    """What stands beside or above the value, as printed."""
    shift: tuple[tuple[float, ...], ...] = ()
    """What is added to the last layer of each network of the scorer; see ``scorer.last_layer``."""
    replayed: int = 0
    """Confirmed documents that were read with what the other ones teach."""
    right: int = 0
    """How many of them had the confirmed value then."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What corrections of one sender's documents have taught about one template. It never changes once it has a number."""

    number: int
    """0 for one that is not recorded."""
    template: str
    sender: Sender
    fields: Mapping[str, FieldLesson]
    scorer: str = ""
    """Digest of the weights that ``FieldLesson.shift`` belongs to; with other weights it is not used."""


@dataclass(frozen=True, slots=True)
class Correction:
    """The value of one field of a document as a person entered it. It replaces what was read. The latest ``version`` of a field holds."""

    template: str
    field: str
    version: int
    """1 for the first one of a field."""
    value: Json
    """Normalised as a claim's; the same as was read where somebody confirmed it."""
    withdrawn: bool
    """Whether what was read holds again; ``value`` is then None and says nothing."""
    before: Json
    """The value that it took the place of."""
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Result:
    """What is committed for one unit: its end status and, when done, a field of evidence by name."""

    key: UnitKey
    status: UnitStatus
    fields: Mapping[str, Evidence] = field(default_factory=dict)
    reason: Reason | None = None
    detail: str = ""
    source: WordSource | None = None
    seconds: float = 0.0
    turned: int = 0
    """As ``Page.turned``: boxes fit the page that is turned so."""
    others: tuple[Mapping[str, Evidence], ...] = ()
    """The fields of the further documents on the page, where it shows several."""


@dataclass(frozen=True, slots=True)
class FileMark:
    """How a file of the outbox was when the program wrote it last, and how it will be after a write that has begun."""

    size: int
    crc: int
    """CRC-32 of these bytes."""
    stamp: str
    """Device, inode and times, as the file system gave them."""
    next_size: int | None = None
    next_crc: int | None = None
    """Size and CRC-32 after the write that has begun; None when none has."""
    next_tail: bytes | None = None
    """The bytes that this write appends behind ``size``, none for a write of the whole file; None where they are not recorded."""
