"""Conversations of programs with the engine's model, handed over in the loop's thread between pages."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from pipeline.engines.base import Engine
from pipeline.engines.chat import Chat, ChatEnd, ChatEngine, ChatRequest

ROUND_SECONDS = 30.0
"""After this time, a round without documents begins no more conversations, so that what is done between rounds is done."""


class ChatsFullError(Exception):
    """As many conversations wait as may wait."""


class Chats:
    """The conversations of a run. ``submit`` and ``cancel`` may be called by any thread, all else by the loop's."""

    def __init__(self, engine: Engine, places: int, limit: int) -> None:
        """``places``: how many the engine works on while pages wait; ``limit``: how many there may be, waiting and at work."""
        self._engine: ChatEngine | None = engine if isinstance(engine, ChatEngine) else None
        self._driven, self._places, self._limit = engine, places, limit
        self._lock = threading.Lock()
        self._waiting: deque[Chat] = deque()
        self._active: dict[int, Chat] = {}
        self.on_submit: Callable[[], object] = lambda: None
        """Called by the thread that submits: it wakes the loop."""

    @property
    def engine(self) -> ChatEngine | None:
        """The engine, where it has a language model of its own."""
        return self._engine

    @property
    def waiting(self) -> bool:
        """Whether a conversation waits for the engine."""
        return bool(self._waiting)

    @property
    def active(self) -> int:
        """Conversations that the engine works on."""
        return len(self._active)

    @property
    def count(self) -> int:
        """Conversations that wait or are at work."""
        with self._lock:
            return len(self._waiting) + len(self._active)

    def submit(self, request: ChatRequest, listen: Callable[[str | ChatEnd], None]) -> Chat:
        """Queue a conversation. ``listen`` gets its text and its end, from the loop's thread. Raises ChatsFullError."""
        with self._lock:
            if len(self._waiting) + len(self._active) >= self._limit:
                raise ChatsFullError
            chat = Chat(request, listen)
            chat.listen = lambda piece: self._pass_on(chat, listen, piece)
            self._waiting.append(chat)
        self.on_submit()
        return chat

    def hand_over(self, pages_wait: bool) -> None:
        """Give conversations to the engine while it has room. Where pages wait, too, they keep their share of its places."""
        while self._engine and self._driven.room and (len(self._active) < self._places or not pages_wait):
            with self._lock:
                if not self._waiting:
                    return
                chat = self._waiting.popleft()
                self._active[id(chat)] = chat
            if chat.cancelled:
                chat.listen(ChatEnd(error="cancelled"))
            else:
                self._engine.submit_chat(chat)

    def drop_active(self) -> None:
        """The engine has dropped what it had: an error has ended the round."""
        for chat in list(self._active.values()):
            chat.listen(ChatEnd(error="the engine stopped before the answer was complete"))

    def _pass_on(self, chat: Chat, listen: Callable[[str | ChatEnd], None], piece: str | ChatEnd) -> None:
        if isinstance(piece, ChatEnd):
            with self._lock:
                self._active.pop(id(chat), None)
        listen(piece)
