"""A worker that hangs, crashes or exhausts memory costs one call."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import pytest

from pipeline.errors import DocumentError, EngineUnavailableError
from pipeline.runtime.worker_pool import Reply, WorkerPool, unpack_parts

ACT = "tests.runtime.test_worker_pool:act"


def connection_to_parent() -> int:
    """The worker's end of the pipe, found as a hostile file's code would find it."""
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            if str(entry.readlink()).startswith("socket:"):
                return int(entry.name)
    raise AssertionError


def act(request: bytes) -> list[bytes]:
    """A handler that does what the request says."""
    word = request.decode()
    if word == "hang":
        time.sleep(600)
    if word == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if word == "term":
        os.kill(os.getpid(), signal.SIGTERM)
    if word == "raise":
        raise DocumentError("needs_password", "locked")
    if word == "bug":
        raise KeyError("x")
    if word == "half":
        os.write(connection_to_parent(), b"\x00\x00\x10\x00abc")
        time.sleep(600)
    if word == "eat":
        return [bytes(1 << 34)]
    if word.startswith("crash-once:"):
        marker = Path(word.partition(":")[2])
        if not marker.exists():
            marker.touch()
            os._exit(3)
    return [request.upper(), b"\0" * 100_000]


def replies(pool: WorkerPool, *requests: str) -> dict[str, bytes | str]:
    results: dict[str, bytes | str] = {}

    def submit(request: str) -> None:
        def on_reply(reply: Reply) -> None:
            results[request] = reply.error.reason if reply.error else reply.parts[0]

        pool.submit(request.encode(), on_reply)

    for request in requests:
        submit(request)
    while pool.poll():
        pass
    return results


def test_every_call_gets_its_own_reply_also_when_others_fail() -> None:
    requests = ["a", "crash", "b", "hang", "raise", "c", "bug", "eat", "d"]
    with WorkerPool(ACT, size=2, seconds=2, memory_mb=2_000) as pool:
        assert replies(pool, *requests) == {
            "a": b"A",
            "b": b"B",
            "c": b"C",
            "d": b"D",
            "crash": "unreadable",
            "hang": "timeout",
            "raise": "needs_password",
            "bug": "unreadable",
            "eat": "too_large",
        }


def test_a_call_whose_worker_died_by_accident_is_tried_again(tmp_path: Path) -> None:
    request = f"crash-once:{tmp_path}/marker"
    with WorkerPool(ACT, size=1, seconds=20, memory_mb=2_000, attempts=2) as pool:
        losses: list[str] = []
        reply = pool.call(request.encode(), losses.append)
        assert reply.parts[0] == request.upper().encode()
        assert losses == ["its reader crashed (exit status 3)"]


def test_a_crash_names_its_signal() -> None:
    with WorkerPool(ACT, size=1, seconds=20, memory_mb=2_000) as pool:
        reply = pool.call(b"crash")
    assert reply.error is not None
    assert "SIGSEGV" in reply.error.detail


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_half_a_reply_does_not_hold_up_the_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.runtime.worker_pool.REPLY_TIMEOUT_SECONDS", 1)
    with WorkerPool(ACT, size=1, seconds=30, memory_mb=2_000) as pool:
        assert replies(pool, "half", "a") == {"half": "timeout", "a": b"A"}


@pytest.mark.parametrize("message", [b"", b"x", b"\xff" * 40, b"\0" * 4, b"\1\0\0\0" + b"\xff" * 8])
def test_nonsense_is_no_message(message: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        unpack_parts(message)


def test_a_handler_that_cannot_be_imported_blames_no_document() -> None:
    pool = WorkerPool("pipeline.no_such_module:f", size=1, seconds=30, memory_mb=2_000)
    with pool, pytest.raises(EngineUnavailableError, match=r"no_such_module"):
        pool.call(b"x")


def test_a_signal_to_the_group_leaves_workers_to_their_parent() -> None:
    with WorkerPool(ACT, size=1, seconds=30, memory_mb=2_000) as pool:
        assert replies(pool, "term") == {"term": b"TERM"}


def test_waiting_ends_when_nothing_comes() -> None:
    with WorkerPool(ACT, size=1, seconds=60, memory_mb=2_000) as pool:
        assert pool.poll() == 0
        pool.submit(b"hang", lambda _: None)
        assert pool.poll(timeout=0.2) == 0
        assert pool.load == 1


def test_a_callback_may_submit_the_next_call() -> None:
    parts: list[bytes] = []
    with WorkerPool(ACT, size=1, seconds=60, memory_mb=2_000) as pool:

        def on_first(reply: Reply) -> None:
            parts.append(reply.parts[0])
            pool.submit(b"second", lambda second: parts.append(second.parts[0]))

        pool.submit(b"first", on_first)
        while pool.poll():
            pass
    assert parts == [b"FIRST", b"SECOND"]
