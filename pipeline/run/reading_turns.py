"""Whose turn at the readers it is: that of a new file, or that of one of the open documents.

Documents take turns of ``TURN_SECONDS``, and new files are opened between two turns, so that a document of thousands of slow pages holds
up no other. A turn lasts for several pages, because a reader that goes on with the same document need not open it again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from pipeline.intake.scan import InboxFile
from pipeline.run.document_run import DocumentRun

TURN_SECONDS = 5.0
"""How long the readers go on with one document while others wait."""
OPEN_DOCUMENTS = 8
"""Documents with pages left to read at a time. Each needs memory for the list of its pages."""
LOOK_SECONDS = 0.05
"""Pause after which the files are queried again when there was none."""


class ReadingTurns:
    """The files that are not open yet, and the documents with a page for a reader."""

    def __init__(self) -> None:
        self._documents: deque[DocumentRun] = deque()
        self._files: Iterator[InboxFile | None] = iter(())
        self.more_files = False
        """Whether more files may come."""
        self._next_look = self._turn_end = 0.0
        self._current: DocumentRun | None = None
        self._next_part: Callable[[], InboxFile | None] = lambda: None

    @property
    def waiting(self) -> bool:
        """Whether there may be something to read, now or later."""
        return self.more_files or bool(self._documents)

    def begin(self, files: Iterable[InboxFile | None], next_part: Callable[[], InboxFile | None] = lambda: None) -> None:
        """Take the files of a round. None among them means "no file now, ask again soon".

        ``next_part`` gives the parts of containers, which come before other files, so that containers are complete soon.
        """
        self._files, self.more_files, self._next_look = iter(files), True, 0.0
        self._next_part = next_part

    def add(self, run: DocumentRun) -> None:
        """A document may have a page for a reader. The document whose turn it is goes on."""
        if run.has_page_to_read and run not in self._documents:
            (self._documents.appendleft if run is self._current else self._documents.append)(run)

    def remove(self, run: DocumentRun) -> None:
        """A document is published or skipped."""
        if run in self._documents:
            self._documents.remove(run)

    def clear(self) -> None:
        """Forget all files and documents."""
        self._documents.clear()
        self._files, self.more_files, self._current = iter(()), False, None

    def next(self) -> InboxFile | DocumentRun | None:
        """The next file to open, or the document whose next page is to be read; None when there is neither now.

        Give the document back (``add``) when its page is taken.
        """
        if self._current not in self._documents or time.monotonic() >= self._turn_end:
            if self._current in self._documents:
                self._documents.rotate(-1)
            self._current = None
            if file := self._next_file():
                return file
        if not self._documents:
            return None
        run = self._documents.popleft()
        if run is not self._current:
            self._current, self._turn_end = run, time.monotonic() + TURN_SECONDS
        return run

    def _next_file(self) -> InboxFile | None:
        """The next file; None when there is none now, or when enough documents are open."""
        if len(self._documents) >= OPEN_DOCUMENTS:
            return None
        if part := self._next_part():
            return part
        if self._documents and time.monotonic() < self._next_look:
            return None
        try:
            file = next(self._files) if self.more_files else None
        except StopIteration:
            self.more_files, file = False, None
        if file is None:
            self._next_look = time.monotonic() + LOOK_SECONDS
        return file
