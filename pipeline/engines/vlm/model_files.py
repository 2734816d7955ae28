"""The files of a model: which of a repository are downloaded, which a folder must have, which are refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SUFFIXES = (".json", ".jinja", ".txt", ".model", ".safetensors")
"""Data files only: pickled weights (.bin, .pt, .pth) and Python files can run code when they are loaded."""
PICKLED = (".bin", ".pt", ".pth")
IGNORED_PREFIXES = ("consolidated", "adapter_")
"""Prefixes of safetensors files that are not the weights, or a second copy of them."""
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
TOKENIZERS = (("tokenizer.json",), ("tokenizer.model",), ("vocab.json", "merges.txt"), ("vocab.txt",), ("spiece.model",))
MAX_HEADER_BYTES = 100_000_000
"""The limit of a safetensors header in the format's own library."""
SMALL_FILE_BYTES = 1_000_000
END_BYTES = 65_536


def data_files(names: Iterable[str]) -> list[str]:
    """The files of a repository that are downloaded: data files in its root folder."""
    return sorted(
        name
        for name in names
        if name.endswith(SUFFIXES)
        and not set(name) & set("/\\")
        and not name.startswith(".")
        and not (name.endswith(".safetensors") and name.startswith(IGNORED_PREFIXES))
    )


def refusal(folder: Path) -> str | None:
    """The reason why the model in ``folder`` is never used, complete or not; None for other models."""
    names = [path.name for path in folder.iterdir()]
    if not any(name.endswith((".safetensors", INDEX)) for name in names) and any(name.endswith(PICKLED) for name in names):
        return "its weights are *.bin or *.pt files only, which can run code when they are loaded"
    return custom_code_reason(read_json(folder / "config.json"))


def custom_code_reason(config: Any) -> str | None:
    """The reason why a model with this ``config.json`` is refused: it needs its own Python code. None for other models."""
    if isinstance(config, dict) and "auto_map" in config:
        return "its config.json asks for Python code from its repository (auto_map), which is never run"
    return None


def missing(folder: Path) -> list[str]:
    """The missing or damaged parts of the model in ``folder``, as texts; empty for a model that can be loaded. Reads no weights."""
    lacking = [path.name for path in sorted(folder.iterdir()) if not path.exists()]
    if not isinstance(read_json(folder / "config.json"), dict):
        lacking.append("config.json" + (" (damaged)" if (folder / "config.json").exists() else ""))
    if (folder / INDEX).exists() and not _shards(folder):
        lacking.append(f"{INDEX} (damaged)")
    for path in weights(folder):
        if not path.exists():
            lacking.append(path.name)
        elif _cut_short(path):
            lacking.append(f"{path.name} (cut short)")
    if not has_tokenizer(path.name for path in folder.iterdir() if path.exists()):
        lacking.append("a tokenizer (tokenizer.json)")
    return list(dict.fromkeys(lacking))


def has_tokenizer(names: Iterable[str]) -> bool:
    """Whether a tokenizer is among the files."""
    present = set(names)
    return any(present.issuperset(files) for files in TOKENIZERS)


def weights(folder: Path) -> list[Path]:
    """Paths of the weight files, present or not."""
    return [folder / name for name in _shards(folder)] if (folder / INDEX).exists() else [folder / WEIGHTS]


def accepts_images(folder: Path) -> bool:
    """Whether the model accepts images."""
    config = read_json(folder / "config.json")
    return isinstance(config, dict) and bool(config.get("vision_config"))


def digest_files(files: Iterable[Path]) -> str:
    """12 hexadecimal digits that identify files by name, size and contents, without reading gigabytes.

    Of files from 1 MB on, only the first and last 64 KiB count, and the header of safetensors, which lists name, type and position of
    every tensor. Weights that were trained further or quantised again differ there almost certainly. A change of a few bytes in the
    middle of a large file is not noticed.
    """
    sha = hashlib.sha256()
    for path in sorted(files):
        size = path.stat().st_size
        sha.update(f"{path.name}\0{size}\0".encode())
        with path.open("rb") as file:
            if size < SMALL_FILE_BYTES:
                sha.update(file.read())
                continue
            sha.update(file.read(END_BYTES + (_header_bytes(path) if path.suffix == ".safetensors" else 0)))
            file.seek(-END_BYTES, 2)
            sha.update(file.read())
    return sha.hexdigest()[:12]


def read_json(path: Path) -> Any:
    """The JSON value in a file; None where the file is absent or holds no JSON."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def _shards(folder: Path) -> list[str]:
    index = read_json(folder / INDEX)
    names = index.get("weight_map") if isinstance(index, dict) else None
    return sorted({Path(str(name)).name for name in names.values()}) if isinstance(names, dict) else []


def _header_bytes(path: Path) -> int:
    with path.open("rb") as file:
        return min(8 + int.from_bytes(file.read(8), "little"), MAX_HEADER_BYTES)


def _cut_short(path: Path) -> bool:
    """Whether a safetensors file ends before the last tensor that its header lists."""
    length = _header_bytes(path)
    with path.open("rb") as file:
        header = file.read(length)[8:]
    try:
        tensors = json.loads(header)
        end = max((entry["data_offsets"][1] for name, entry in tensors.items() if name != "__metadata__"), default=0)
    except (ValueError, AttributeError, LookupError, TypeError):
        return True
    return path.stat().st_size < length + int(end)
