"""What travels between the driver and the actors. Ray pickles these, between machines that trust each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter
from typing import Any

from pipeline.records import Page, Reason, UnitKey, Word
from pipeline.settings import Settings

MAKE_ENGINE = "pipeline.engines.registry:make_engine"


@dataclass(frozen=True, slots=True)
class Setup:
    """What an actor is made of."""

    settings: Settings
    handler: str
    """What readers run, as ``module:function``."""
    readers: int
    """Processes that read."""
    cores: tuple[int, ...] = ()
    """Processors that it keeps to; none are all."""
    must_see: tuple[str, ...] = ()
    """Files and folders that have to be there, as they are on the driver."""
    must_hold: tuple[str, ...] = ()
    """Folders that must not be empty: where a share is not mounted, an empty folder stands for it."""
    make: str = MAKE_ENGINE
    """What makes the engine from the settings, as ``module:function``."""


@dataclass(frozen=True, slots=True)
class Head:
    """A reader's reply without its pixels, which stay on the machine where they were drawn."""

    parts: list[bytes] = field(default_factory=list)
    """The first part; all of them where the reply has no images."""
    pixels: tuple[int, ...] = ()
    """Bytes of each part that stayed there."""
    error: tuple[Reason, str] | None = None
    """As DocumentError's."""
    seconds: float = 0.0
    lost: tuple[str, ...] = ()
    """Why reader processes died over it, once for each."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """Stands for the pixels of a page where nobody looks at them: part ``index`` of what ``ref`` refers to.

    It has a length, so that a reply can be checked without them.
    """

    ref: Any
    index: int
    size: int
    station: int
    """Number of the actor that drew them."""
    call: bytes
    """What the reader was asked: to draw them once more when their machine is gone."""

    def __len__(self) -> int:
        return self.size


@dataclass(frozen=True, slots=True)
class Asked:
    """A Request on its way to an actor. Its template is told apart, once; its pixels are fetched where they lie."""

    key: UnitKey
    page: Page
    """Without its words."""
    words: tuple[tuple[Any, ...], ...]
    """Their fields, in order: five times as quick to pickle as the words themselves."""
    template: Any
    """A reference to it."""
    digest: str
    pages: int
    temperature: float
    shape: tuple[int, int, float] | None = None
    """Width, height and scale of the image; None without one."""
    pixels: Pixels | bytes | None = None


_FIELDS = attrgetter(*(field.name for field in fields(Word)))


def packed(page: Page) -> tuple[Page, tuple[tuple[Any, ...], ...]]:
    """A page as ``Asked`` holds it."""
    return replace(page, words=()), tuple(map(_FIELDS, page.words))


def unpacked(asked: Asked) -> Page:
    """The page of ``asked`` as it was."""
    return replace(asked.page, words=tuple(Word(*fields) for fields in asked.words))


class PicturesLostError(Exception):
    """The machine that drew a picture is gone; it has to be drawn once more."""


Told = Mapping[str, Any]
"""What `status` and metrics show, as JSON."""
