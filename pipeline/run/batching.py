"""When pages are read and when the engine gets them.

An engine that ``gathers`` wants the cores that readers want: side by side, a page costs it twice the time that the page takes by
itself. So pages are read some at a time while it stands still, and none while it works. Others get each page as it is read.
"""

from __future__ import annotations

IDLE_SECONDS = 0.05
"""How long the loop waits for a reader before it looks whether more files have settled."""
TURN_SECONDS = 1.0
"""How long it waits for a reader at most before the observer hears that it came round."""
GLANCE_SECONDS = 0.002
"""How long it waits while an engine has answers under way."""
ROOM = 64
"""Requests that may wait before no more pages are read."""
GATHERED = 16
"""Pages that are read at a time for an engine that gathers them."""
PATIENCE_SECONDS = 10.0
"""How long it stands still for a page that does not come."""


class Pace:
    """One round's state: whether the engine is ``fed`` just now, or stands still for pages."""

    def __init__(self, *, gathers: bool) -> None:
        self._gathers, self._waited = gathers, 0.0
        self.fed = not gathers

    def has_room(self, waiting: int, load: int) -> bool:
        """Whether one more page should be read, when so many requests wait and readers have so many calls."""
        return waiting + load < GATHERED if self._gathers else waiting < ROOM

    def look(self, load: int) -> None:
        """Settle ``fed``, when readers have so many calls. A reader that hangs does not hold up answers."""
        self.fed = not (self._gathers and load and self._waited < PATIENCE_SECONDS)

    def waited(self, seconds: float, *, came: bool) -> None:
        """So long was waited for a reader, and a reply ``came`` or did not."""
        self._waited = 0.0 if came else self._waited + seconds
