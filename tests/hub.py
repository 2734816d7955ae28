"""A hub on loopback: serves folders as model repositories, over HTTP as huggingface_hub speaks it, and can misbehave.

    with Hub({"org/name": folder}) as hub:
        subprocess.run([...], env={**os.environ, **hub.environment, "HF_HOME": ...})

Files are streamed, so that a folder may hold gigabytes; hashes are computed once a file. ``hub.log`` lists the requests and how many
bytes of bodies went out.
"""

from __future__ import annotations

import hashlib
import json
import random
import socket
import threading
import time
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

CHUNK = 1 << 18
ERROR_CODES = {401: "RepoNotFound", 404: "RepoNotFound", 403: "GatedRepo"}


@dataclass
class HubRequest:
    """One request, and what went out in answer."""

    method: str
    path: str
    range: str
    authorized: bool
    sent: int = 0


@dataclass
class Hub:
    """The switches may be turned while it runs."""

    models: dict[str, Path]
    drop_after: int | None = None
    """Break the connection after so many bytes of a body."""
    drops: int = 1_000_000
    """How many connections are still to be broken by ``drop_after``."""
    bytes_a_second: int | None = None
    flipped: set[str] = field(default_factory=set)
    """Names of files of which one byte is served wrong."""
    status: int | None = None
    """Answer everything with this error."""
    ranges: bool = True
    """Whether Range requests are answered with a part; else with everything."""
    storage: Hub | None = None
    """Another hub to which requests for large files are redirected, as to a content network."""
    log: list[HubRequest] = field(default_factory=list)
    url: str = ""
    _server: ThreadingHTTPServer | None = None

    def __enter__(self) -> Hub:
        hub = self

        class Handler(_Handler):
            served = hub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """No more connections are taken."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def environment(self) -> dict[str, str]:
        """What a client needs to find this hub."""
        return {"HF_ENDPOINT": self.url}

    def sent(self) -> int:
        """Bytes of bodies of files that went out."""
        return sum(one.sent for one in self.log)


class _Handler(BaseHTTPRequestHandler):
    served: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        hub = self.served
        self.request_record = HubRequest(
            self.command, self.path, self.headers.get("Range", ""), "Authorization" in self.headers
        )
        hub.log.append(self.request_record)
        parts = urlsplit(self.path)
        path = unquote(parts.path).strip("/")
        if hub.status:
            self._error(hub.status, ERROR_CODES.get(hub.status, ""))
        elif path.startswith("api/models/"):
            self._api(path.removeprefix("api/models/"), parse_qs(parts.query))
        else:
            self._resolve(path)

    def _api(self, path: str, query: dict[str, list[str]]) -> None:
        name, what, revision = _split(path, ("revision", "tree"))
        model = self._model(name, revision)
        if model is None:
            return
        folder, commit = model
        names = _names(folder)
        if what == "tree":
            self._json([_tree_entry(folder, name) for name in names])
            return
        blobs = bool(query.get("blobs"))
        siblings = [_sibling(folder, name) if blobs else {"rfilename": name} for name in names]
        self._json({"id": name, "modelId": name, "sha": commit, "siblings": siblings, "tags": [], "downloads": 0})

    def _resolve(self, path: str) -> None:
        name, _, rest = _split(path, ("resolve",))
        revision, _, file = rest.partition("/")
        model = self._model(name, revision)
        if model is None:
            return
        folder, commit = model
        if file not in _names(folder):
            self._error(404, "EntryNotFound")
            return
        size, digest, large = _described(folder / file)
        common = {"X-Repo-Commit": commit, "X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(size), "ETag": f'"{digest}"'}
        if large and self.served.storage:
            self._start(302, {**common, "Location": self.served.storage.url + self.path, "Content-Length": "0"})
            return
        first = self._first(size)
        headers = {**common, "Content-Length": str(size - first), "Accept-Ranges": "bytes"}
        if first:
            headers["Content-Range"] = f"bytes {first}-{size - 1}/{size}"
        self._start(206 if first else 200, headers)
        if self.command == "GET":
            self._stream(folder / file, first)

    def _stream(self, path: Path, first: int) -> None:
        hub = self.served
        wrong = path.stat().st_size // 2 if path.name in hub.flipped else -1
        limit = hub.drop_after if hub.drop_after is not None and hub.drops > 0 else None
        started = time.monotonic()
        with path.open("rb") as file:
            file.seek(first)
            while chunk := file.read(CHUNK if hub.bytes_a_second is None else min(CHUNK, hub.bytes_a_second // 10)):
                at = file.tell() - len(chunk)
                if at <= wrong < at + len(chunk):
                    chunk = chunk[: wrong - at] + bytes([chunk[wrong - at] ^ 1]) + chunk[wrong - at + 1 :]
                if limit is not None:
                    chunk = chunk[: limit - self.request_record.sent]
                try:
                    self.wfile.write(chunk)
                except OSError:
                    self.close_connection = True
                    return
                self.request_record.sent += len(chunk)
                if limit is not None and self.request_record.sent >= limit:
                    hub.drops -= 1
                    self._break_off()
                    return
                if hub.bytes_a_second:
                    time.sleep(max(0.0, started + self.request_record.sent / hub.bytes_a_second - time.monotonic()))

    def _break_off(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _model(self, name: str, revision: str) -> tuple[Path, str] | None:
        folder = self.served.models.get(name)
        if folder is None:
            self._error(401, "RepoNotFound")  # what the hub answers to strangers, whether it is private or not there
            return None
        commit = commit_of(folder)
        if revision not in ("", "main", commit):
            self._error(404, "RevisionNotFound")
            return None
        return folder, commit

    def _first(self, size: int) -> int:
        value = self.headers.get("Range", "")
        if not self.served.ranges or not value.startswith("bytes=") or not value.endswith("-"):
            return 0
        return min(int(value[6:-1]), size)

    def _json(self, value: object) -> None:
        body = json.dumps(value).encode()
        self._start(200, {"Content-Type": "application/json", "Content-Length": str(len(body))})
        self.wfile.write(body)

    def _error(self, status: int, code: str) -> None:
        self._start(status, {"X-Error-Code": code, "Content-Length": "0"} if code else {"Content-Length": "0"})

    def _start(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def commit_of(folder: Path) -> str:
    """The commit of a folder: changes whenever a file does."""
    return hashlib.sha1("".join(f"{name} {_described(folder / name)[1]}\n" for name in _names(folder)).encode()).hexdigest()


def write_checkpoint(folder: Path, megabytes: float = 1.0, shards: int = 1, seed: int = 0, **config: object) -> Path:
    """A folder that looks like a vision-language model, with random weights of the given size."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"architectures": ["Qwen3VLForConditionalGeneration"], "model_type": "qwen3_vl", "vision_config": {"depth": 1}}
    (folder / "config.json").write_text(json.dumps({**settings, **config}))
    for name in ("tokenizer.json", "tokenizer_config.json", "preprocessor_config.json", "generation_config.json"):
        (folder / name).write_text(json.dumps({"made for": name}))
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    (folder / "README.md").write_text("# nothing that is needed")
    noise = random.Random(seed)
    names = [f"model-{n:05}-of-{shards:05}.safetensors" for n in range(1, shards + 1)] if shards > 1 else ["model.safetensors"]
    for number, name in enumerate(names):
        write_safetensors(folder / name, f"layer.{number}", noise.randbytes(int(megabytes * 1e6 / shards)))
    if shards > 1:
        places = {f"layer.{number}": name for number, name in enumerate(names)}
        (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return folder


def write_safetensors(path: Path, tensor: str, content: bytes) -> None:
    """A safetensors file with one tensor of bytes."""
    header = json.dumps({tensor: {"dtype": "U8", "shape": [len(content)], "data_offsets": [0, len(content)]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + content)


def _split(path: str, words: tuple[str, ...]) -> tuple[str, str, str]:
    """``org/name/resolve/main/file`` to name, word and rest."""
    for word in words:
        name, separator, rest = path.partition(f"/{word}/")
        if separator:
            return name, word, rest
    return path, "", ""


def _names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _described(path: Path) -> tuple[int, str, bool]:
    stat = path.stat()
    return _hashed(path, stat.st_size, stat.st_mtime_ns)


@cache
def _hashed(path: Path, size: int, changed: int) -> tuple[int, str, bool]:
    """Size, hash, and whether the file is large: SHA-256 for those, git's blob hash for small ones, as on the hub."""
    large = path.suffix in (".safetensors", ".bin", ".gguf") or size > 10_000_000
    digest = hashlib.sha256() if large else hashlib.sha1(b"blob %d\0" % size)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return size, digest.hexdigest(), large


def _sibling(folder: Path, name: str) -> dict[str, object]:
    size, digest, large = _described(folder / name)
    blob = hashlib.sha1(digest.encode()).hexdigest() if large else digest
    lfs = {"lfs": {"sha256": digest, "size": size, "pointerSize": 135}} if large else {}
    return {"rfilename": name, "size": size, "blobId": blob, **lfs}


def _tree_entry(folder: Path, name: str) -> dict[str, object]:
    size, digest, large = _described(folder / name)
    lfs = {"lfs": {"oid": digest, "size": size, "pointerSize": 135}} if large else {}
    return {
        "type": "file",
        "path": name,
        "size": size,
        "oid": hashlib.sha1(digest.encode()).hexdigest() if large else digest,
        **lfs,
    }
