"""Finds the models on this machine, and tells which are complete. Everything here is offline and fast.

Models from the hub are in the cache that all Hugging Face libraries share (``HF_HUB_CACHE``, ``HF_HOME``): folders ``models--ORG--NAME``
with ``blobs`` named by their hash, ``snapshots/COMMIT`` with links to them, and ``refs`` from a branch to its commit. A model can also be
a folder or a .gguf file anywhere.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.engines.vlm.model_files import SUFFIXES, accepts_images, digest_files, missing, read_json, refusal, weights
from pipeline.errors import EngineUnavailableError
from pipeline.install_hint import install_hint

DEFAULT_MODEL = "Qwen/Qwen3-VL-2B-Instruct"
DEFAULT_REVISION = "main"
PACKAGES = ("torch", "transformers", "huggingface_hub", "llguidance")
HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", re.ASCII)
REVISION = re.compile(r"[\w][\w./-]*", re.ASCII)
COMMIT = re.compile(r"[0-9a-f]{40}")
MIN_COMMIT_DIGITS = 7
GENERATIVE_SUFFIXES = ("ForCausalLM", "ForConditionalGeneration", "ForImageTextToText", "LMHeadModel")


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A complete model on this machine."""

    name: str
    """As the user named it: ``org/name``, or the name of the folder or file."""
    revision: str
    """Commit hash; for a local folder or file ``local-`` and 12 hexadecimal digits of a digest (see ``model_files.digest_files``)."""
    folder: Path
    """The folder with config.json, tokenizer and weights."""
    gguf: str | None
    """Name of the file within the folder when the weights are GGUF."""
    vision: bool
    """Whether it accepts images; False for GGUF."""
    bytes: int
    """Size of the weights on disk."""


@dataclass(frozen=True, slots=True)
class CachedModel:
    """One revision of a model in the cache, complete or not."""

    name: str
    revision: str
    """Commit hash; empty when a download was interrupted before its first file was complete."""
    bytes: int
    kind: str
    """``vision``, ``text``, or ``other`` for models that generate no text (those of other tools)."""
    lacks: tuple[str, ...]
    """What is missing; empty for a complete one."""
    refused: str | None
    """The reason why it is never used, complete or not."""
    default: bool
    folder: Path


def find_model(name: str, revision: str | None = None) -> LocalModel:
    """The model called ``name``: ``org/name`` in the cache, else a folder or a .gguf file.

    ``revision`` is a branch, a tag, a commit or the beginning of one. Without it, the last download of the main branch is used, or else
    the last complete revision. Raises EngineUnavailableError when the model is absent, incomplete or refused.
    """
    if is_local(name):
        return _local(Path(name).expanduser())
    cure = f"pipeline models pull {name}" + (f" --revision {revision}" if revision else "")
    folder = snapshot_folder(name, revision)
    if folder is None:
        raise EngineUnavailableError(f"{name}{f' at {revision}' if revision else ''} is not on this machine", cure)
    _check(folder, name, cure)
    return LocalModel(
        name, folder.name, folder, None, accepts_images(folder), sum(path.stat().st_size for path in weights(folder))
    )


def model_is_here(name: str, revision: str | None = None) -> bool:
    """Whether ``find_model`` finds it."""
    try:
        find_model(name, revision)
    except EngineUnavailableError:
        return False
    return True


def is_local(name: str) -> bool:
    """Whether ``name`` is a path: it exists, or begins with ``.``, ``~`` or ``/``. Every other name is a name on the hub."""
    return bool(name) and (name.startswith((".", "~", "/")) or Path(name).exists())


def require_packages(*names: str) -> None:
    """Raises EngineUnavailableError, with the command that installs them, when packages of ``names`` are missing (default: all of the
    extra ``vlm``)."""
    absent = [name for name in names or PACKAGES if importlib.util.find_spec(name) is None]
    if absent:
        raise EngineUnavailableError(f"not installed: {', '.join(absent)}", install_hint("vlm"))


def cache_folder() -> Path:
    """The cache of the Hugging Face libraries, by their environment variables. Importing the libraries would be slow."""
    home = os.environ.get("XDG_CACHE_HOME", "~/.cache") + "/huggingface"
    hub = os.environ.get("HF_HOME", home) + "/hub"
    folder = os.environ.get("HF_HUB_CACHE", os.environ.get("HUGGINGFACE_HUB_CACHE", hub))
    return Path(os.path.expandvars(folder)).expanduser().absolute()


def repository_folder(name: str) -> Path:
    """The folder of a model in the cache, present or not. Raises EngineUnavailableError when ``name`` is no valid name."""
    if not HUB_NAME.fullmatch(name) or "--" in name or ".." in name:
        message = f"{name!r} is neither a file or folder here nor the name of a model (ORG/NAME)"
        raise EngineUnavailableError(message, "pipeline models list shows what is here")
    return cache_folder() / f"models--{name.replace('/', '--')}"


def snapshot_folder(name: str, revision: str | None = None) -> Path | None:
    """The folder of one revision (see ``find_model``), complete or not; None where it is absent."""
    home = repository_folder(name)
    if revision is not None and (not REVISION.fullmatch(revision) or ".." in revision):
        raise EngineUnavailableError(f"{revision!r} is not a revision", "name a branch, a tag or a commit")
    commit: str | None
    try:
        commit = (home / "refs" / (revision or DEFAULT_REVISION)).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        commit = revision
    if commit is None:
        return max(_folders(home), key=lambda folder: (not missing(folder), folder.stat().st_mtime), default=None)
    matches = [folder for folder in _folders(home) if folder.name.startswith(commit) and len(commit) >= MIN_COMMIT_DIGITS]
    return matches[0] if len(matches) == 1 else None


def cached_models() -> Iterator[CachedModel]:
    """Every model in the cache, by name, including incomplete ones and those of other tools."""
    for home in sorted(cache_folder().glob("models--*")):
        name = home.name.removeprefix("models--").replace("--", "/")
        half = sum(path.stat().st_size for path in home.glob("blobs/*.incomplete"))
        folders = sorted(_folders(home))
        for folder in folders:
            lacks = tuple(missing(folder))
            size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) + (half if lacks else 0)
            default = name == DEFAULT_MODEL
            yield CachedModel(name, folder.name, size, _kind(folder), lacks, refusal(folder), default, folder)
        if half and not folders:
            yield CachedModel(name, "", half, "", ("nearly everything",), None, name == DEFAULT_MODEL, home)


def _folders(home: Path) -> list[Path]:
    return [path for path in home.glob("snapshots/*") if path.is_dir()]


def _kind(folder: Path) -> str:
    config = read_json(folder / "config.json")
    if not isinstance(config, dict):
        return ""
    if accepts_images(folder):
        return "vision"
    return "text" if any(str(name).endswith(GENERATIVE_SUFFIXES) for name in config.get("architectures") or ()) else "other"


def _local(path: Path) -> LocalModel:
    if not path.exists():
        raise EngineUnavailableError(
            f"{path} does not exist", "check the path; `pipeline models list` shows what is in the cache"
        )
    if path.is_file():
        return _gguf(path, [path])
    data = [file for file in path.iterdir() if file.name.endswith(SUFFIXES) and file.is_file()]
    quantized = [file for file in path.iterdir() if file.suffix == ".gguf"]
    if quantized and not any(file.suffix == ".safetensors" for file in data):
        if len(quantized) > 1:
            raise EngineUnavailableError(f"{path} holds {len(quantized)} .gguf files", "name the one to use")
        return _gguf(quantized[0], [*data, *quantized])
    _check(path, str(path), "copy the folder again, or name another model")
    size = sum(file.stat().st_size for file in weights(path))
    return LocalModel(path.resolve().name, f"local-{digest_files(data)}", path.resolve(), None, accepts_images(path), size)


def _gguf(path: Path, files: list[Path]) -> LocalModel:
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise EngineUnavailableError(f"{path} is not a GGUF file", "name a folder with safetensors, or a .gguf file")
    name = path.name if len(files) == 1 else path.resolve().parent.name
    return LocalModel(name, f"local-{digest_files(files)}", path.absolute().parent, path.name, False, path.stat().st_size)


def _check(folder: Path, name: str, cure: str) -> None:
    if reason := refusal(folder):
        raise EngineUnavailableError(
            f"{name} is refused: {reason}", "use a model with safetensors weights and without auto_map"
        )
    if lacks := missing(folder):
        raise EngineUnavailableError(f"{name} is incomplete; missing: {', '.join(lacks)}", cure)
