"""What is open of one container: the containers inside of it, and the parts whose reading has not ended. No files, no ledger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pipeline.intake.container_items import OpenedContainer
from pipeline.intake.scan import InboxFile
from pipeline.run.document_run import DocumentRun


@dataclass
class Node:
    """A container: the outermost one, or one inside of it."""

    key: str
    """Its name below the outermost container; empty for that."""
    name: str
    """Name of its result."""
    parent: Node | None
    opened: OpenedContainer | None = None
    file: InboxFile | None = None
    """Its file, of a container without pages inside another one."""
    mail: Mapping[str, str] = field(default_factory=dict)
    open_parts: int = 0
    """Parts, and containers inside, that have not ended."""
    closed: bool = False
    """Whether no more parts follow."""
    left: str = ""
    """Why a part is left for a later run; the container then is, too."""

    @property
    def has_ended(self) -> bool:
        """Whether all that is in it has ended."""
        return self.closed and not self.open_parts

    @property
    def is_host(self) -> bool:
        """Whether it is a document with pages of its own."""
        return bool(self.opened and self.opened.is_host)


@dataclass
class ContainerTree:
    """One outermost container that is taken apart, and what is open of it."""

    run: DocumentRun
    host: str
    """Its kind where it is a document with pages of its own."""
    root: Node = field(init=False)
    """The outermost container."""
    nodes: dict[str, Node] = field(init=False)
    """The containers that have not ended, by their keys."""
    kind: str = ""
    numbers: int = 0
    """Parts that have come out of it."""
    open_files: int = 0
    """Its parts on the disk."""

    def __post_init__(self) -> None:
        self.root = Node("", self.run.file.source.name, None)
        self.nodes = {"": self.root}

    @property
    def name(self) -> str:
        """Name of its result."""
        return self.root.name

    def next_number(self) -> int:
        """The number of the next part."""
        self.numbers += 1
        return self.numbers

    def leave(self, node: Node, reason: str) -> None:
        """Record that a part of ``node`` is left for a later run, and so are the containers around it."""
        at: Node | None = node
        while at:
            at.left = at.left or reason
            at = at.parent

    def ended_from(self, node: Node) -> Iterator[Node]:
        """The containers that have ended because something in ``node`` has, the inner ones first."""
        at: Node | None = node
        while at and at.has_ended:
            self.nodes.pop(at.key, None)
            yield at
            at = at.parent
            if at:
                at.open_parts -= 1
