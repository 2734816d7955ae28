"""``pipeline serve`` under load: browsers that look for changes, uploads at once, a slow client, and one very large file.

``python -m benchmarks.serve_load --gigabytes 5`` prints a table: how long requests took without and with the load, how much memory the
server took, and that nothing was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.drawing import text_pdf

BROWSERS, UPLOADS, POLL_SECONDS = 50, 20, 2.0
CHUNK = bytes(1 << 20)


class Load:
    """A running server, and what was measured of it."""

    def __init__(self, base: str, token: str, process: psutil.Process) -> None:
        self.base, self._process = base, process
        self.client = httpx.AsyncClient(
            base_url=base,
            headers={"authorization": f"Bearer {token}"},
            timeout=600,
            limits=httpx.Limits(max_connections=BROWSERS + UPLOADS + 10),
        )
        self.seconds: dict[str, list[float]] = {}
        self.statuses: dict[str, list[int]] = {}
        self.memory: dict[str, float] = {}

    async def timed(self, what: str, method: str, path: str, **options: Any) -> httpx.Response:
        """The answer to a request, whose time and status are kept; status 0 is a connection that was lost."""
        began, status = time.monotonic(), 0
        try:
            response = await self.client.request(method, path, **options)
            status = response.status_code
            return response
        finally:
            self.seconds.setdefault(what, []).append(time.monotonic() - began)
            self.statuses.setdefault(what, []).append(status)

    async def browse(self, phase: str, until: asyncio.Event) -> None:
        """What an open list does: its status every two seconds, and the page itself where something has changed."""
        marker = ""
        while not until.is_set():
            with suppress(httpx.TransportError):
                answer = (await self.timed(f"status, {phase}", "GET", "/api/status")).json()
                if answer["marker"] != marker:
                    await self.timed(f"list, {phase}", "GET", "/")
                marker = answer["marker"]
            with suppress(TimeoutError):
                await asyncio.wait_for(until.wait(), POLL_SECONDS)

    async def watch_memory(self, until: asyncio.Event) -> None:
        """The most memory of the server, and of the processes that read."""
        while not until.is_set():
            with suppress(psutil.Error):
                own = self._process.memory_info().rss
                others = sum(child.memory_info().rss for child in self._process.children(recursive=True))
                for name, now in (("server", own), ("reading processes", others)):
                    self.memory[name] = max(self.memory.get(name, 0), now / 1e6)
            with suppress(TimeoutError):
                await asyncio.wait_for(until.wait(), 0.5)

    async def upload(self, number: int) -> tuple[str, str]:
        """Send a small document. Returns the hash that the server found, and the right one."""
        content = text_pdf([f"Load document {number}", f"Number {number * 7919}"])
        answer = await self.timed("upload of a small file", "PUT", f"/api/files/load-{number}.pdf", content=content)
        return answer.json()["sha256"], hashlib.sha256(content).hexdigest()

    async def upload_large(self, gigabytes: float) -> tuple[str, str]:
        """One file that is made while it is sent. It is no document: it is stored, and read as one that nothing supports."""
        digest, parts = hashlib.sha256(), round(gigabytes * 1_000)

        async def chunks() -> AsyncIterator[bytes]:
            for n in range(parts):
                chunk = n.to_bytes(8, "big") + CHUNK[8:]
                await asyncio.to_thread(digest.update, chunk)
                yield chunk

        answer = await self.timed("upload of the large file", "PUT", "/api/files/large.bin", content=chunks())
        return answer.json()["sha256"], digest.hexdigest()

    async def trickle(self) -> str:
        """A client that sends a hundred bytes a second. Returns how it is refused, and when its connection ends."""
        url, began, status = httpx.URL(self.base), time.monotonic(), b""
        reader, writer = await asyncio.open_connection(url.host, url.port)
        head = f"PUT /api/files/slow.bin HTTP/1.1\r\nhost: {url.host}:{url.port}\r\n"
        writer.write(
            f"{head}authorization: {self.client.headers['authorization']}\r\ntransfer-encoding: chunked\r\n\r\n".encode()
        )
        with suppress(ConnectionError):
            while time.monotonic() < began + 180:
                writer.write(b"64\r\n" + bytes(100) + b"\r\n")
                await writer.drain()
                with suppress(TimeoutError):
                    part = await asyncio.wait_for(reader.read(4_096), 1)
                    if not part:
                        break
                    refused = time.monotonic() - began
                    status = status or f"{part[9:12].decode()} after {refused:.0f} s".encode()
        writer.close()
        return f"{status.decode() or 'no answer'}, its connection ended after {time.monotonic() - began:.0f} s"


@asynccontextmanager
async def browsing(load: Load, phase: str) -> AsyncIterator[None]:
    """Open browsers, for as long as the block lasts."""
    until = asyncio.Event()
    browsers = [asyncio.create_task(load.browse(phase, until)) for _ in range(BROWSERS)]
    yield
    until.set()
    await asyncio.gather(*browsers)


async def measure(load: Load, gigabytes: float, seconds: float) -> list[str]:
    """The lines of the report."""
    ended = asyncio.Event()
    memory = asyncio.create_task(load.watch_memory(ended))
    async with load.client:
        while (await load.client.get("/api/status")).json()["reader"]["state"] != "working":
            await asyncio.sleep(0.5)
        idle = load._process.memory_info().rss / 1e6
        async with browsing(load, "without load"):
            await asyncio.sleep(seconds)
        async with browsing(load, "with load"):
            slow = asyncio.create_task(load.trickle())
            uploads = [load.upload(number) for number in range(UPLOADS)]
            sent = await asyncio.gather(*uploads, load.upload_large(gigabytes))
            await all_read(load, [found for found, _ in sent])
            status = await slow
        wrong = [pair for pair in sent if pair[0] != pair[1]]
        listed = (await load.client.get("/api/documents", params={"limit": 1000})).json()["documents"]
    ended.set()
    await memory
    lines = [f"{'':34} requests   median      95 %       most   statuses"]
    for what, times in load.seconds.items():
        ordered = sorted(times)
        most = [statistics.median(ordered), ordered[int(0.95 * (len(ordered) - 1))], ordered[-1]]
        codes = ", ".join(f"{code}: {load.statuses[what].count(code)}" for code in sorted(set(load.statuses[what])))
        lines.append(f"{what:34} {len(times):8} " + " ".join(f"{each:8.3f} s" for each in most) + f"   {codes}")
    lines.append(
        f"memory: server {idle:.0f} MB at the start, " + ", ".join(f"{k} {v:.0f} MB at most" for k, v in load.memory.items())
    )
    lines.append(f"slow client: {status}; files with other contents than were sent: {len(wrong)}")
    found = {item["sha256"] for item in listed}
    lines.append(f"documents lost: {len([one for one, _ in sent if one not in found])} of {UPLOADS + 1}")
    return lines


async def all_read(load: Load, hashes: list[str]) -> None:
    """Wait until all these documents are read."""
    left = set(hashes)
    until = time.monotonic() + 600
    while left and time.monotonic() < until:
        documents = (await load.client.get("/api/documents", params={"limit": 1000})).json()["documents"]
        left -= {item["sha256"] for item in documents if item["status"] != "waiting"}
        await asyncio.sleep(1)


def main() -> None:
    """Measure, and print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=5.0, help="size of the large file")
    parser.add_argument("--seconds", type=float, default=15.0, help="length of the phase without load")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="serve-load-") as name:
        folder = Path(name)
        (folder / "inbox").mkdir()
        environment = {
            **os.environ,
            "PIPELINE_WORKERS": "1",
            "PIPELINE_LIMITS__MEGABYTES": str(round(arguments.gigabytes * 1_100) + 10),
        }
        command = [sys.executable, "-m", "pipeline", "serve", "--port", "0", "--engine", "embedded"]
        with (folder / "errors").open("wb") as errors:
            process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)
        assert process.stdout
        address = re.match(r"(http://127\.0\.0\.1:\d+)/\?token=(\S+)", process.stdout.readline())
        try:
            assert address, "the server did not start"
            load = Load(address[1], address[2], psutil.Process(process.pid))
            print("\n".join(asyncio.run(measure(load, arguments.gigabytes, arguments.seconds))))
        finally:
            process.terminate()
            process.wait(120)


if __name__ == "__main__":
    main()
