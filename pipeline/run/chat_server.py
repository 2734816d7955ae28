"""The Unix socket on which `pipeline serve` asks the model of its reading process (docs/decisions.md).

One connection is one conversation. The request is a line of JSON and the pixels of its images; the answer is lines of JSON: ``{"text": …}``
for each piece, then ``{"end": …}``. A question of a person is followed the same way, each ``text`` being the answer so far. Only the user
who runs both processes can reach the socket.
"""

from __future__ import annotations

import json
import os
import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from io import BufferedIOBase
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from pipeline.engines.chat import ChatEnd, ChatMessage, ChatRequest
from pipeline.records import PageImage
from pipeline.run.answer_progress import AnswerProgress
from pipeline.run.chats import Chats, ChatsFullError
from pipeline.run.job import Job

MAX_HEAD = 32_000_000
"""Bytes of a request without pixels."""
MAX_PIXEL_BYTES = 200_000_000
CHECK_SECONDS = 0.5
"""How often it is looked whether the reader of an answer is still there."""
REQUEST_SECONDS = 30.0


@contextmanager
def chat_server(path: Path | None, job: Job, progress: AnswerProgress | None = None) -> Iterator[Chats | None]:
    """Takes conversations on the socket ``path`` while the block lasts, and shows ``progress`` there.

    None without a path, and where the engine has no model.
    """
    if path is None:
        yield None
        return
    settings = job.settings
    chats = Chats(job.engine, max(1, settings.vlm.batch // 2), settings.chat.queue)
    with suppress(OSError):
        path.unlink()
    try:
        opened = _Server(path, chats, progress or AnswerProgress())
    except OSError as error:  # a path that is too long for a socket
        job.notes.append(f"{path}: the model cannot be asked by other programs: {error.strerror or error}")
        yield None
        return
    with opened as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.2,), name="chat-socket", daemon=True)
        thread.start()
        try:
            yield chats if chats.engine else None
        finally:
            server.shutdown()
            thread.join()
            with suppress(OSError):
                path.unlink()


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, path: Path, chats: Chats, progress: AnswerProgress) -> None:
        self.chats, self.progress = chats, progress
        super().__init__(os.fspath(path), _Connection)


class _Connection(socketserver.StreamRequestHandler):
    """One conversation."""

    server: _Server
    timeout = REQUEST_SECONDS

    def handle(self) -> None:
        """Read the request, pass the answer on, and cancel it when its reader has gone."""
        with suppress(OSError, ValueError, KeyError, TypeError):  # the other side has gone, or is not `pipeline serve`
            self._handle()

    def _handle(self) -> None:
        chats = self.server.chats
        head = json.loads(self.rfile.readline(MAX_HEAD))
        engine = chats.engine
        if head.get("ask") == "model":
            self._send({"model": engine.model_name if engine else None, "images": bool(engine and engine.accepts_images)})
            return
        if head.get("ask") == "answer":
            self._follow(int(head["order"]))
            return
        if engine is None:
            self._send({"end": asdict(ChatEnd(error="the engine has no language model", code="model_not_found"))})
            return
        request = _request(head, self.rfile)
        pieces: SimpleQueue[str | ChatEnd] = SimpleQueue()
        try:
            chat = chats.submit(request, pieces.put)
        except ChatsFullError:
            self._send({"end": asdict(ChatEnd(error="too many requests wait for the model", code="rate_limit_exceeded"))})
            return
        try:
            while True:
                try:
                    piece = pieces.get(timeout=CHECK_SECONDS)
                except Empty:
                    if _is_closed(self.connection):
                        return
                    continue
                if isinstance(piece, ChatEnd):
                    self._send({"end": asdict(piece)})
                    return
                self._send({"text": piece})
        finally:
            chat.cancelled = True

    def _follow(self, order: int) -> None:
        """Pass on the answer to a question while it is written, from when the engine gets the question."""
        known: str | None = None
        while True:
            text = self.server.progress.next_text(order, known, CHECK_SECONDS)
            if text == known:
                if _is_closed(self.connection):
                    return
            elif text is None:
                self._send({"end": {}})
                return
            else:
                self._send({"text": text})
                known = text

    def _send(self, message: dict[str, Any]) -> None:
        self.wfile.write(json.dumps(message).encode() + b"\n")


def _is_closed(connection: socket.socket) -> bool:
    """Whether the other side has closed: it sends nothing after its request."""
    readable, _, _ = select.select([connection], [], [], 0)
    return bool(readable) and not connection.recv(1, socket.MSG_PEEK)


def _request(head: dict[str, Any], body: BufferedIOBase) -> ChatRequest:
    """The request; pixels follow its head in the order of the images. Raises KeyError, ValueError, TypeError."""
    left, messages = MAX_PIXEL_BYTES, []
    for message in head["messages"]:
        parts: list[str | PageImage] = []
        for part in message["parts"]:
            if isinstance(part, str):
                parts.append(part)
                continue
            width, height = part
            left -= 3 * width * height
            if width < 1 or height < 1 or left < 0:
                raise ValueError("too many pixels")
            pixels = body.read(3 * width * height)
            if len(pixels) != 3 * width * height:
                raise ValueError("pixels are missing")
            parts.append(PageImage(width, height, pixels, 1.0))
        messages.append(ChatMessage(message["role"], tuple(parts)))
    return ChatRequest(tuple(messages), head["limit"], head["temperature"], head["seed"], head["schema"], tuple(head["stop"]))
