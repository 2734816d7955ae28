"""Requests to the hub: the files of a model, and their bytes."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from rich.filesize import decimal

from pipeline import __version__
from pipeline.backoff import Backoff
from pipeline.engines.vlm import model_files
from pipeline.engines.vlm.hub_errors import PullError, translated_errors
from pipeline.engines.vlm.model_store import COMMIT, DEFAULT_REVISION, repository_folder, require_packages
from pipeline.errors import PipelineError

HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
CHUNK = 1 << 20
RETRIES = 4
"""How many connections in a row may bring no bytes."""
LISTING_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file as the hub describes it: size in bytes; SHA-256 of large files, git's SHA-1 of small ones."""

    name: str
    size: int
    hash: str


@dataclass(frozen=True, slots=True)
class ModelListing:
    """A revision of a model on the hub: its exact commit, and the files to download."""

    name: str
    revision: str
    """As requested: branch, tag or commit."""
    commit: str
    files: tuple[RemoteFile, ...]
    """Weights last, so that an interrupted download mostly lacks weights only."""

    @property
    def home(self) -> Path:
        """The model's folder in the cache."""
        return repository_folder(self.name)

    @property
    def folder(self) -> Path:
        """The folder with links to the files of this revision."""
        return self.home / "snapshots" / self.commit


def request_listing(name: str, revision: str | None = None) -> ModelListing:
    """The exact commit and its files, by one request. Raises PipelineError for a model that is absent, not allowed or not usable."""
    _prepare(name)
    revision = revision or DEFAULT_REVISION
    with translated_errors(name, revision):
        from huggingface_hub import HfApi

        info = HfApi(library_name="pipeline", library_version=__version__).model_info(
            name, revision=revision, files_metadata=True, timeout=LISTING_TIMEOUT_SECONDS
        )
        listed = {sibling.rfilename: sibling for sibling in info.siblings or ()}
        siblings = [listed[name] for name in model_files.data_files(listed)]
        hashes = [(sibling.lfs.sha256 if sibling.lfs else sibling.blob_id) or "" for sibling in siblings]
        sizes = [-1 if sibling.size is None else sibling.size for sibling in siblings]
        remotes = tuple(map(RemoteFile, (sibling.rfilename for sibling in siblings), sizes, hashes))
        commit = info.sha or ""
    _refuse_unusable(name, list(listed))
    if not COMMIT.fullmatch(commit) or not all(HASH.fullmatch(file.hash) and file.size >= 0 for file in remotes):
        raise PullError(
            f"the hub names no sizes and hashes for the files of {name}", "if HF_ENDPOINT names a mirror, use another"
        )
    return ModelListing(name, revision, commit, tuple(sorted(remotes, key=lambda remote: remote.size)))


def download_into(listing: ModelListing, remote: RemoteFile, file: IO[bytes], advance: Callable[[int], None]) -> None:
    """Download the bytes after the end of ``file``. After a broken connection the download continues where it stopped.

    Calls ``advance`` with the number of new bytes; the number is negative when the hub starts again from the beginning. Writes at most
    one chunk more than ``remote.size``. Raises errors that ``translated_errors`` translates.
    """
    import httpx2
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    url = hf_hub_url(listing.name, remote.name, revision=listing.commit)
    headers = {**build_hf_headers(library_name="pipeline", library_version=__version__), "Accept-Encoding": "identity"}
    failures, backoff = 0, Backoff(0.5)
    while (start := file.tell()) < remote.size:
        try:
            _stream(url, headers, file, remote.size, advance)
        except (httpx2.TimeoutException, httpx2.NetworkError, httpx2.RemoteProtocolError):
            failures = 0 if file.tell() > start else failures + 1
            if failures > RETRIES:
                raise
            time.sleep(backoff.seconds_after(failures + 1))
            continue
        if file.tell() <= start:
            raise PullError(f"the hub sends nothing of {remote.name} beyond {decimal(start)}", "try again later")


def _stream(url: str, headers: dict[str, str], file: IO[bytes], size: int, advance: Callable[[int], None]) -> None:
    from huggingface_hub import constants
    from huggingface_hub.utils import hf_raise_for_status, http_stream_backoff  # type: ignore[attr-defined]

    start = file.tell()
    if start:
        headers = {**headers, "Range": f"bytes={start}-"}
    with http_stream_backoff(
        "GET", url, headers=headers, timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT, retry_on_exceptions=()
    ) as response:
        hf_raise_for_status(response)
        if start and response.status_code != 206:
            file.seek(0)
            file.truncate()
            advance(-start)
        for chunk in response.iter_bytes(CHUNK):
            file.write(chunk)
            advance(len(chunk))
            if file.tell() > size:
                return


def _prepare(name: str) -> None:
    """Check the name, and switch off the library's Xet, telemetry and log messages."""
    repository_folder(name)
    require_packages("huggingface_hub")
    os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from huggingface_hub.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]


def _refuse_unusable(name: str, listed: list[str]) -> None:
    if not {model_files.WEIGHTS, model_files.INDEX} & set(listed):
        others = sorted({Path(file).suffix for file in listed} & {".bin", ".pt", ".pth", ".gguf", ".onnx", ".safetensors"})
        message = f"{name} is refused: it holds no {model_files.WEIGHTS}" + (
            f", only {', '.join(others)} files" if others else ""
        )
        raise PipelineError(message, "choose a model with safetensors weights; of .gguf, download one file and give its path")
    if "config.json" not in listed:
        raise PipelineError(f"{name} is refused: it holds no config.json", "choose a model in the format of transformers")
    if not model_files.has_tokenizer(listed):
        raise PipelineError(f"{name} is refused: it holds no tokenizer", "choose a model that generates text")
