"""Clients that connect and send nothing, or too little: many at once, and again as soon as they are closed."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

BEGINNINGS = (b"", b"G", b"GET /metrics HTTP/1.1\r\nHost: x\r\n", b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nx")
"""What they send at the start: nothing, a letter, a head that does not end, a body that does not end."""


@contextmanager
def silent_clients(port: int, count: int = 300, *, again: bool = True) -> Iterator[list[socket.socket]]:
    """So many open connections; with ``again`` a thread opens others without pause, up to as many once more."""
    clients: list[socket.socket] = []
    end = threading.Event()

    def open_one(number: int) -> None:
        client = socket.create_connection(("127.0.0.1", port), timeout=30)
        clients.append(client)
        with contextlib.suppress(OSError):  # closed already
            client.sendall(BEGINNINGS[number % len(BEGINNINGS)])

    def open_again() -> None:
        number = 0
        while not end.is_set():
            if len(clients) >= 2 * count:
                with contextlib.suppress(OSError):
                    clients.pop(0).close()
            with contextlib.suppress(OSError):
                open_one(number)
            number += 1
            time.sleep(0.002)

    thread = threading.Thread(target=open_again, daemon=True)
    try:
        for number in range(count):
            with contextlib.suppress(OSError):
                open_one(number)
        if again:
            thread.start()
        yield clients
    finally:
        end.set()
        if thread.ident:
            thread.join(30)
        for client in clients:
            client.close()
