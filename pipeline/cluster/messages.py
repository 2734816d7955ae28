"""Messages between the driver and the actors. Ray pickles them, between machines that trust each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter
from typing import Any

from pipeline.records import AnyImage, Claim, Lesson, Page, Reason, UnitKey, Word
from pipeline.settings import Settings

ENGINE_FACTORY = "pipeline.engines.registry:make_engine"


@dataclass(frozen=True, slots=True)
class ActorSetup:
    """What an actor is made of."""

    settings: Settings
    handler: str
    """The function that readers run, as ``module:function``."""
    readers: int
    """Processes that read."""
    cores: tuple[int, ...] = ()
    """Processors that the actor keeps to; none means all."""
    required_paths: tuple[str, ...] = ()
    """Files and folders of the driver that must exist on the actor's machine, too."""
    nonempty_folders: tuple[str, ...] = ()
    """Folders that must not be empty: where a share is not mounted, an empty folder is in its place."""
    engine_factory: str = ENGINE_FACTORY
    """The function that makes the engine from the settings, as ``module:function``."""


@dataclass(frozen=True, slots=True)
class ReplyHead:
    """A reader's reply without its pixels, which stay on the machine where they were drawn."""

    parts: list[bytes] = field(default_factory=list)
    """The first part; all parts where the reply has no images, or small ones."""
    remote_sizes: tuple[int, ...] = ()
    """Bytes of each part that stays there."""
    error: tuple[Reason, str] | None = None
    """As DocumentError's."""
    seconds: float = 0.0
    losses: tuple[str, ...] = ()
    """Why reader processes died over the call, once for each."""


@dataclass(frozen=True, slots=True)
class RemoteRequest:
    """A Request on its way to an actor. Its template is sent once and referred to; the actor fetches remote pixels itself."""

    key: UnitKey
    page: Page
    """Without its words."""
    words: tuple[tuple[Any, ...], ...]
    """The fields of each word, in order: pickled five times as fast as the words themselves."""
    template: Any
    """A reference to the template."""
    digest: str
    """The template's digest."""
    pages: int
    temperature: float
    image: AnyImage | None = None
    lesson: Lesson | None = None
    reading: Mapping[str, Claim] | None = None


_WORD_FIELDS = attrgetter(*(field.name for field in fields(Word)))


def pack_page(page: Page) -> tuple[Page, tuple[tuple[Any, ...], ...]]:
    """``page`` and ``words`` of a RemoteRequest."""
    return replace(page, words=()), tuple(map(_WORD_FIELDS, page.words))


def unpack_page(request: RemoteRequest) -> Page:
    """The page of a request with its words."""
    return replace(request.page, words=tuple(Word(*fields) for fields in request.words))


class ImageLostError(Exception):
    """The machine that drew an image is gone; the image must be drawn again."""


ClusterStatus = Mapping[str, Any]
"""What `status` and metrics show of a cluster, as JSON."""
