"""Requests to reader processes and their replies. ``page_reader`` is the other side, in the reader process.

Replies are JSON and raw pixels, so that a reader taken over by a hostile file can send data and nothing else. Requests come from the
trusted side and are pickled, because a path need not be valid text.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import TypeAdapter

from pipeline.errors import DocumentError
from pipeline.intake.scan import InboxFile, file_location
from pipeline.ledger.document_passwords import DocumentPasswords
from pipeline.pages.formats.limits import FormatLimits
from pipeline.records import AnyImage, Box, DocumentInfo, Page, PageImage, RemoteImage
from pipeline.run.document_run import DocumentRun, PageReply
from pipeline.runtime.worker_pool import Reply
from pipeline.safe_open import FileState
from pipeline.settings import STATE_FOLDER, Settings
from pipeline.split_records import PageMarks, SplitPolicy
from pipeline.templates.template import PageKind, Template
from pipeline.words.precision import Precision, choose_precision

if TYPE_CHECKING:
    from pipeline.run.job import Job

MAX_REMARK_LETTERS = 500
VERSION = 10
"""Part of every recipe: raise it when pages are drawn or read differently."""
HANDLER = "pipeline.run.page_reader:handle"
BARCODES_BY_POLICY: Mapping[SplitPolicy, Literal["never", "scans", "always"]] = {
    "auto": "scans",
    "barcode": "always",
    "blank": "never",
    "never": "never",
}
"""Where barcodes of separator sheets are looked for."""
MAX_PAGES = 100_000
"""A document with more pages is taken for damaged."""


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """Draw a page or a part of it once more."""

    pixels: int
    """The most pixels that the image may have."""
    turned: int | None
    """Like ``Page.turned``; None where the reader detects the rotation."""
    part: Box | None = None
    """A box in points of the upright page; None for the whole page."""


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """One call to a reader. ``page`` 0 only opens the file."""

    path: str
    """Path of the file itself, without symbolic links."""
    size: int
    mtime_ns: int
    page: int = 0
    classify: bool = False
    """Whether to classify the page."""
    images: Mapping[str, int] = field(default_factory=dict)
    """Pixels of the image to draw by template, or by kind of page where ``classify``. 0 or absent: no image."""
    whole_page: bool = True
    """Whether images show the whole page, else only its printed part."""
    read_pictures: frozenset[str] = frozenset()
    """Templates, or kinds of page where ``classify``, that also need the text inside the page's pictures."""
    short_print: frozenset[str] = frozenset()
    """The same that need single letters and digits, too: those beside the axis of a chart."""
    layouts: frozenset[str] = frozenset()
    """The same that also need the parts of the page by a learned layout."""
    figures: frozenset[str] = frozenset()
    """The same that also need its figures, with the text in those that are raster images."""
    passwords: tuple[str, ...] = ()
    megapixels: int = 400
    picture: PictureRequest | None = None
    """Draw this image and read nothing."""
    einvoice: bool = True
    """Whether to read the data of an e-invoice inside the file."""
    codes: bool = True
    """Whether to read the QR codes and barcodes of the page."""
    precision: Precision = "float32"
    """Number format in which the OCR computes."""
    marks: bool = False
    """Whether the file has other pages, so that the marks of the page are wanted (see ``PageMarks``)."""
    barcodes: Literal["never", "scans", "always"] = "never"
    """On which pages barcodes are read for these marks: ``scans`` are also sheets with few words."""
    ocr_languages: tuple[str, ...] = ()
    """Languages whose scripts OCR reads, by ISO 639-1; empty for all."""
    numbers: tuple[int, int] | None = None
    """Device and inode of the file; None where they are not compared."""
    formats: FormatLimits = field(default_factory=FormatLimits)
    """What office files and texts may cost."""
    shared_folder: str = ""
    """The folder around ``path`` that a machine of a cluster may reach by links of its own; empty on this machine."""

    @property
    def state(self) -> FileState:
        """What the opened file must match."""
        return FileState(self.size, self.mtime_ns, self.numbers)


@dataclass(frozen=True, slots=True)
class DocumentReply:
    """The reply to a request for page 0."""

    kind: str
    pages: int
    attachments: tuple[str, ...] = ()
    """Names of the files inside a PDF."""
    remarks: tuple[str, ...] = ()
    """What was left out of a file without pages on purpose (hidden sheets, formulas without a value), in words."""


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """Name and size of one image, whose pixels are a part of the reply after its PageContent."""

    name: str
    width: int
    height: int
    scale: float


@dataclass(frozen=True, slots=True)
class PageContent:
    """The reply to a request for a page. The pixels of its images follow as parts in this order."""

    page: Page
    kind: PageKind | None = None
    """None where ``classify`` is not set, and for a page that is blank or a cover."""
    images: tuple[ImageHeader, ...] = ()
    marks: PageMarks | None = None
    """What the page shows about the document that it belongs to, where it was asked for."""


DOCUMENT_REPLY = TypeAdapter(DocumentReply)
PAGE_CONTENT = TypeAdapter(PageContent)


# ---- requests ------------------------------------------------------------------------------------------


def page_request(job: Job, run: DocumentRun, page: int) -> ReadRequest:
    """Read a page for all templates that lack it, or classify it. Page 0 only opens the file."""
    if page == 0:
        return opening_request(job, run.file, run.sha256)
    classify = run.recipes is None
    templates = job.templates_by_kind if classify else {name: name for name in run.open_units.get(page, ())}
    wanted = {key: job.templates[name] for key, name in templates.items()}
    request = _read_request(job, run.file, page, wanted, classify=classify, sha256=run.sha256)
    if run.document is None or run.document.pages < 2:
        return request
    return replace(request, marks=True, barcodes=BARCODES_BY_POLICY[job.split_policy(run.file.source.relative)])


def opening_request(job: Job, file: InboxFile, sha256: str = "") -> ReadRequest:
    """Open a file for its kind and number of pages. ``sha256`` is that of its contents, where it is known."""
    return _read_request(job, file, 0, {}, sha256=sha256)


def question_request(job: Job, file: InboxFile, sha256: str, page: int, template: Template) -> ReadRequest:
    """Read a page for one template, also one that is not among the job's."""
    return _read_request(job, file, page, {template.name: template}, sha256=sha256)


def drawing_request(
    settings: Settings, path: Path, sha256: str, size: int, mtime_ns: int, page: int, picture: PictureRequest
) -> ReadRequest:
    """Draw a page of a file that was read before, with these contents."""
    limits = settings.limits
    path = file_location(path, settings.inbox)
    return ReadRequest(
        str(path),
        size,
        mtime_ns,
        page,
        passwords=passwords_of(settings, sha256),
        megapixels=limits.megapixels,
        picture=picture,
        formats=format_limits(settings),
    )


def words_request(settings: Settings, file: InboxFile, sha256: str, page: int) -> ReadRequest:
    """Read the words of a page of a file that was read before, and nothing else. Raises EngineUnavailableError."""
    picture = PictureRequest(0, None)
    drawing = drawing_request(settings, file.source.path, sha256, file.size, file.mtime_ns, page, picture)
    precision, languages = choose_precision(settings), settings.ocr.languages
    return replace(drawing, picture=None, einvoice=False, codes=False, precision=precision, ocr_languages=languages)


def passwords_of(settings: Settings, sha256: str) -> tuple[str, ...]:
    """The passwords that are tried on a document: its own, then those of the settings."""
    own = DocumentPasswords(settings.outbox / STATE_FOLDER).of(sha256) if sha256 else ()
    return (*own, *settings.limits.passwords)


def format_limits(settings: Settings) -> FormatLimits:
    """What office files and texts may cost, by the settings."""
    limits = settings.limits
    return FormatLimits(limits.words, limits.unpacked_megabytes, settings.office.pages == "libreoffice", limits.seconds)


def _read_request(
    job: Job, file: InboxFile, page: int, templates: Mapping[str, Template], *, sha256: str, classify: bool = False
) -> ReadRequest:
    settings, engine = job.settings, job.engine
    return ReadRequest(
        str(file.location),
        file.size,
        file.mtime_ns,
        page,
        classify=classify,
        images={name: template.image.pixels if engine.wants_image(template) else 0 for name, template in templates.items()},
        whole_page=engine.needs_whole_page,
        read_pictures=frozenset(name for name, template in templates.items() if template.reader == "transcript"),
        short_print=frozenset(name for name, template in templates.items() if template.reader == "chart"),
        layouts=frozenset(name for name, template in templates.items() if template.needs_regions),
        figures=frozenset(name for name, template in templates.items() if template.needs_figures and engine.needs_whole_page),
        passwords=passwords_of(settings, sha256),
        megapixels=settings.limits.megapixels,
        einvoice=settings.read_einvoices,
        codes=settings.read_codes,
        precision=job.precision,
        formats=format_limits(settings),
        ocr_languages=settings.ocr.languages,
        numbers=None if job.cluster else file.numbers,  # other machines number the same file differently
        shared_folder=_shared_folder(job, file.location) if job.cluster else "",
    )


def _shared_folder(job: Job, path: Path) -> str:
    root = job.inbox.root
    return str(root if path.is_relative_to(root) else path.parent)


def encode_request(request: ReadRequest) -> bytes:
    """A request as bytes for the worker pool."""
    return pickle.dumps(request)


# ---- replies -------------------------------------------------------------------------------------------


def decode_document(sha256: str, reply: Reply) -> DocumentInfo:
    """A document's kind and number of pages from a reader's reply, or the reason why it cannot be read."""
    try:
        if reply.error:
            raise reply.error
        opened = decode_opening(reply.parts)
    except DocumentError as error:
        return DocumentInfo(sha256, "", 0, error.reason, error.detail)
    if opened.pages > MAX_PAGES:  # a false page count: every page would need a row in the ledger
        detail = (
            f"claims {opened.pages:,} pages; more than {MAX_PAGES:,} are taken for damage: save it again, or cut it into parts"
        )
        return DocumentInfo(sha256, opened.kind, 0, "too_large", detail)
    detail = "; ".join(remark[:MAX_REMARK_LETTERS] for remark in opened.remarks)
    return DocumentInfo(sha256, opened.kind, opened.pages, detail=detail, attachments=len(opened.attachments))


def decode_page(reply: Reply, number: int) -> PageReply:
    """Page ``number`` from a reader's reply, or the reason why it cannot be read."""
    try:
        content, images = decode_reply(reply, number)
    except DocumentError as error:
        return PageReply(number, reason=error.reason, detail=error.detail, seconds=reply.seconds)
    return PageReply(number, content.page, content.kind, images, marks=content.marks)


def decode_picture(reply: Reply, number: int) -> AnyImage:
    """The image of a ``PictureRequest``. Raises DocumentError."""
    _, images = decode_reply(reply, number)
    if not images:
        raise _invalid(ValueError("no image"))
    return next(iter(images.values()))


def decode_opening(parts: list[bytes]) -> DocumentReply:
    """Decode the parts of a reply to a request for page 0. Raises DocumentError."""
    try:
        return DOCUMENT_REPLY.validate_json(parts[0])
    except (ValueError, IndexError) as error:
        raise _invalid(error) from error


def decode_reply(reply: Reply, number: int) -> tuple[PageContent, Mapping[str, AnyImage]]:
    """The content of page ``number`` and its images by name; pixels may be on another machine. Raises DocumentError."""
    if reply.error:
        raise reply.error
    if not reply.remote_parts:
        return decode_content(reply.parts, number)
    content = _decode_content(reply.parts, number, [pixels.size for pixels in reply.remote_parts])
    return content, {
        header.name: RemoteImage(header.width, header.height, pixels, header.scale)
        for header, pixels in zip(content.images, reply.remote_parts, strict=True)
    }


def decode_content(parts: list[bytes], number: int) -> tuple[PageContent, Mapping[str, PageImage]]:
    """Decode the parts of a reply to a request for page ``number``: its content and its images by name. Raises DocumentError."""
    content = _decode_content(parts, number, [len(pixels) for pixels in parts[1:]])
    return content, {
        header.name: PageImage(header.width, header.height, pixels, header.scale)
        for header, pixels in zip(content.images, parts[1:], strict=True)
    }


def _decode_content(parts: list[bytes], number: int, sizes: list[int]) -> PageContent:
    """The first part of a reply, checked against the number of bytes of each image."""
    try:
        content = PAGE_CONTENT.validate_json(parts[0])
    except (ValueError, IndexError) as error:
        raise _invalid(error) from error
    of_other_page = content.page.number != number or (content.marks and content.marks.page != number)
    if of_other_page or sizes != [3 * header.width * header.height for header in content.images]:
        raise _invalid(ValueError("another page, or pixels that do not fit their size"))
    return content


def _invalid(error: Exception) -> DocumentError:
    return DocumentError("unreadable", f"its reader sent an invalid reply: {error}"[:200])
