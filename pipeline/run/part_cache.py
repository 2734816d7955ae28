"""The files of parts that were unpacked once more, the latest ones: one is unpacked at a time, by a thread that waits for the process."""

from __future__ import annotations

import shutil
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, RLock

from pipeline.intake.scan import InboxFile
from pipeline.run.original_file import OriginalFiles, new_parts_folder
from pipeline.run.part_file import PartFileError, PartPlace, unpack_part
from pipeline.settings import Settings

KEPT_FILES, KEPT_BYTES = 20, 200_000_000
"""Files that stay for the next page; those in use stay beyond that."""
WAIT_SECONDS = 30.0
"""How long a page waits for its file; unpacking goes on meanwhile."""


@dataclass(eq=False, slots=True)
class HeldPart:
    """A part that is unpacked, or will be; its file stays until it is released."""

    key: str
    file: Future[InboxFile]
    """Fails as ``unpack_part`` says."""
    holders: int = 0


class PartCache:
    """Unpacks parts when they are needed, and keeps some. Its methods may be called from any thread. Close it at the end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.originals = OriginalFiles(settings)
        """The outermost containers."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="parts")  # it starts with the first part
        self._lock = RLock()  # cancelling calls ``_trim``
        self._held: OrderedDict[str, HeldPart] = OrderedDict()
        self._closing = Event()
        self._own: Path | None = None

    def close(self) -> None:
        """Delete all files. A part that is being unpacked fails."""
        self._closing.set()
        self._thread.shutdown(cancel_futures=True)
        self.originals.close()
        if self._own:
            shutil.rmtree(self._own, ignore_errors=True)

    @contextmanager
    def open(self, place: PartPlace) -> Iterator[InboxFile]:
        """The file of a part, which stays until the block ends. Raises PartFileError, OutboxError, EngineUnavailableError."""
        held = self.hold(place)
        try:
            try:
                file = held.file.result(WAIT_SECONDS)
            except (TimeoutError, CancelledError):
                shown = place.container.source.relative
                raise PartFileError("timeout", f"it is still being taken out of {shown}: try again in a moment") from None
            yield file
        finally:
            self.release(held)

    def hold(self, place: PartPlace) -> HeldPart:
        """The file of a part, from the cache or unpacked as soon as those before it are. The caller releases it."""
        key = place.part.sha256 + place.part.source.path.suffix
        with self._lock:
            held = self._held.get(key)
            if held is None or not _is_usable(held):
                held = self._held[key] = HeldPart(key, self._thread.submit(self._unpack, place, key))
            self._held.move_to_end(key)
            held.holders += 1
        held.file.add_done_callback(lambda _: self._trim())
        return held

    def release(self, held: HeldPart) -> None:
        """The caller needs the file no longer."""
        with self._lock:
            held.holders -= 1
            if not held.holders:
                held.file.cancel()  # unless it has begun
        self._trim()

    def _unpack(self, place: PartPlace, key: str) -> InboxFile:
        folder = self._folder()
        return unpack_part(place, folder, self._settings, folder / key, self.originals, self._closing.is_set)

    def _folder(self) -> Path:
        if self._own is None or not self._own.is_dir():
            self._own = new_parts_folder(self._settings)
        return self._own

    def _trim(self) -> None:
        """Delete the files that were not used for longest, within the limits."""
        with self._lock:
            ended = {held.key: held for held in self._held.values() if held.file.done()}
            sizes = {key: file.size if (file := _file(held)) else 0 for key, held in ended.items()}
            count, size = len(sizes), sum(sizes.values())
            for key, held in ended.items():
                file = _file(held)
                if held.holders or (file and count <= KEPT_FILES and size <= KEPT_BYTES):
                    continue
                del self._held[key]
                count, size = count - 1, size - sizes[key]
                if file:
                    file.source.path.unlink(missing_ok=True)


def _file(held: HeldPart) -> InboxFile | None:
    """The file of a part that was unpacked; None where that failed."""
    return None if held.file.cancelled() or held.file.exception() else held.file.result()


def _is_usable(held: HeldPart) -> bool:
    """Whether a part is being unpacked, or its file is there."""
    return not held.file.done() or ((file := _file(held)) is not None and file.source.path.is_file())
