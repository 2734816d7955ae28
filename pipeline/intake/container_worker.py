"""Takes containers apart in a process of its own, so that what a stranger has packed cannot take this one's memory or time.

The dictionary of an LZMA stream alone may take four gigabytes. The process may take ``MEMORY_MB``, and ``SECONDS`` for one part; the
parts come out as files, as ``containers`` says. A part that kills the process is declined, and a new process goes on behind it.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from pipeline.errors import DocumentError, OutboxError
from pipeline.intake.container_handler import HANDLER, ITEM_TYPES, last_step
from pipeline.intake.container_items import Item, SkippedMember, UnpackedMember
from pipeline.intake.container_members import UNPACK_IT
from pipeline.intake.containers import may_be_archive
from pipeline.records import Reason
from pipeline.runtime.worker_pool import Reply, WorkerPool

MEMORY_MB = 768
"""Address space of the process. Dictionaries up to 256 MB fit in; those of ``xz -9`` have 64. A mail is parsed as a whole."""
SECONDS = 300.0
"""Time to unpack one part."""
MAX_DEATHS = 4
"""Processes that one container may cost."""
_NO_LIMIT = 1 << 62


@dataclass(frozen=True, slots=True)
class UnpackOrder:
    """What is to be taken apart, and how."""

    archive: Path
    into: Path
    max_bytes: int
    """Of the largest part."""
    name: str = ""
    """Of the container for people, where its path does not say it."""
    host: str = ""
    """``pdf``, ``office`` or ``xml`` for a document that may hold others; empty for containers without pages of their own."""
    needed: tuple[str, ...] | None = None
    """Names of the files to unpack; None unpacks all."""
    ignore: tuple[str, ...] = ()
    """Patterns of names that are passed over."""
    passwords: tuple[str, ...] = ()
    """Tried on every container."""
    own_passwords: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Passwords of single containers, by the sha256 of each; empty for the outermost one."""


class ContainerWorker:
    """Takes one container at a time apart. A context manager; the process starts with the first container."""

    def __init__(self, *, memory_mb: int = MEMORY_MB, seconds: float = SECONDS) -> None:
        self._pool = WorkerPool(HANDLER, size=1, seconds=seconds, memory_mb=memory_mb, calls_per_worker=_NO_LIMIT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._pool.close()

    @property
    def is_busy(self) -> bool:
        """Whether an answer is to come."""
        return bool(self._pool.load)

    def is_archive(self, path: Path) -> bool:
        """Whether the contents of ``path`` are a container without pages of its own, also one that cannot be opened."""
        if not may_be_archive(path):
            return False
        reply = self._pool.call(json.dumps({"is_archive": str(path.absolute())}).encode())
        return bool(reply.error) or bool(json.loads(reply.parts[0])["is_archive"])  # after an error, unpacking it says why

    def unpack(
        self, archive: Path, into: Path, *, max_bytes: int, needed: Iterable[str] | None = None, ignore: Iterable[str] = ()
    ) -> Generator[UnpackedMember | SkippedMember, None, None]:
        """The parts, and what is declined; see ``containers.unpack``. It waits for each. Raises OutboxError when the disk is full."""
        order = UnpackOrder(archive, into, max_bytes, needed=None if needed is None else tuple(needed), ignore=tuple(ignore))
        answers: list[Item | str | None] = []
        unpacking = Unpacking(self, order, answers.append)
        while True:
            if not answers:
                unpacking.advance()
            while not answers:
                self.poll(None)
            answer = answers.pop(0)
            if answer is None or answer == "":
                return
            if isinstance(answer, UnpackedMember | SkippedMember):
                yield answer

    def poll(self, timeout: float | None) -> None:
        """Deliver the answer that is there; wait for it at most ``timeout`` seconds. Raises OutboxError when the disk is full."""
        self._pool.poll(timeout)

    def submit(self, request: dict[str, Any], on_reply: Callable[[Reply], None]) -> None:
        """Send a request to the process; ``poll`` delivers the reply."""
        self._pool.submit(json.dumps(request).encode(), on_reply)


class Unpacking:
    """One container that is taken apart. ``on_answer`` gets its kind first (empty: it is no container), then its items, then None."""

    def __init__(self, worker: ContainerWorker, order: UnpackOrder, on_answer: Callable[[Item | str | None], None]) -> None:
        self._worker, self._order, self._on_answer = worker, order, on_answer
        self._items = 0
        self._next: deque[dict[str, Any]] = deque()
        self._fatal: list[tuple[int, Reason, str]] = []
        self._is_open = self._is_given_up = False

    def advance(self) -> None:
        """Give the next answer at once where it is there, else request it; ``worker.poll`` delivers it then."""
        if self._next:
            self._give_next()
        elif self._is_given_up:
            self._on_answer(None)
        elif self._is_open:
            self._worker.submit({}, self._take_item)
        else:
            self._open(self._take_kind)

    def _open(self, on_reply: Callable[[Reply], None]) -> None:
        order = self._order
        request = {
            "archive": str(order.archive.absolute()),  # the process is in another folder
            "into": str(order.into.absolute()),
            "name": order.name or order.archive.name,
            "max_bytes": order.max_bytes,
            "host": order.host,
            "needed": order.needed,
            "ignore": order.ignore,
            "passwords": order.passwords,
            "own_passwords": {key: list(words) for key, words in order.own_passwords.items()},
            "items": self._items,
            "fatal": self._fatal,
        }
        self._worker.submit(request, on_reply)

    def _take_kind(self, reply: Reply) -> None:
        if reply.error:
            self._is_given_up = True
            self._on_answer(_problem(reply.error))
            return
        self._is_open = True
        self._on_answer(str(json.loads(reply.parts[0])["kind"]))

    def _take_kind_again(self, reply: Reply) -> None:
        if reply.error:
            self._take_item(reply)
        else:
            self._worker.submit({}, self._take_item)

    def _take_item(self, reply: Reply) -> None:
        if reply.error:
            step = last_step(self._order.into)
            if not step or step in {earlier for earlier, *_ in self._fatal} or len(self._fatal) >= MAX_DEATHS:
                self._is_given_up = True
                self._on_answer(_problem(reply.error))
                return
            self._fatal.append((step, reply.error.reason, _limit(reply.error)))
            self._open(self._take_kind_again)
            return
        answer = json.loads(reply.parts[0])
        self._next.extend([*answer["items"], *({key: answer[key]} for key in ("disk", "end") if key in answer)])
        self._items += len(answer["items"])
        self._give_next()

    def _give_next(self) -> None:
        answer = self._next.popleft()
        if "disk" in answer:
            raise OutboxError(*answer["disk"])
        if "end" in answer:
            self._on_answer(None)
            return
        fields = {key: value for key, value in answer.items() if key != "item"}
        if fields.get("path") is not None:
            fields["path"] = Path(fields["path"])
        self._on_answer(ITEM_TYPES[answer["item"]](**fields))


def _problem(error: DocumentError) -> SkippedMember:
    reason = f"cannot be unpacked: {_limit(error)}; the rest is not read"
    return SkippedMember("", reason, True, error.reason, of_container=True)


def _limit(error: DocumentError) -> str:
    """Which limit was reached, in words."""
    if error.reason == "timeout":
        return f"one file in it takes too long to unpack; {UNPACK_IT}"
    return f"it needs more memory than an archive may; {UNPACK_IT}" if error.reason == "too_large" else error.detail
