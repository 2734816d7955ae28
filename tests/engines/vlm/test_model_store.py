"""Which models count as here, by the folders and files that a user may have."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from pipeline.engines.vlm.model_store import DEFAULT_MODEL, cache_folder, cached_models, find_model, model_is_here
from pipeline.errors import EngineUnavailableError, ExitCode
from tests.hub import write_checkpoint

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OTHER = "fedcba9876543210fedcba9876543210fedcba98"


@pytest.fixture(autouse=True)
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "hf" / "hub"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "mine", megabytes=3)


def refused(name: str | Path, revision: str | None = None) -> EngineUnavailableError:
    with pytest.raises(EngineUnavailableError) as caught:
        find_model(str(name), revision)
    assert not model_is_here(str(name), revision)
    return caught.value


def cached(cache: Path, name: str, commit: str, main: bool = True, **config: Any) -> Path:
    home = cache / f"models--{name.replace('/', '--')}"
    if main:
        (home / "refs").mkdir(parents=True, exist_ok=True)
        (home / "refs" / "main").write_text(commit)
    return write_checkpoint(home / "snapshots" / commit, megabytes=0.1, **config)


def test_a_folder_is_a_model(model: Path) -> None:
    found = find_model(str(model))
    assert (found.name, found.folder, found.gguf, found.vision) == ("mine", model, None, True)
    assert found.bytes == (model / "model.safetensors").stat().st_size
    assert found.revision.startswith("local-")
    assert find_model("./mine") == find_model("mine") == found


def test_the_same_contents_have_the_same_revision_in_every_folder(model: Path, tmp_path: Path) -> None:
    copied = Path(shutil.copytree(model, tmp_path / "other" / "mine"))
    (copied / "README.md").write_text("changed, and of no consequence")
    assert find_model(str(copied)).revision == find_model(str(model)).revision


@pytest.mark.parametrize("place", [12, 2_000, -10])
def test_weights_of_the_same_size_that_differ_in_head_or_tail_are_another_revision(model: Path, place: int) -> None:
    before = find_model(str(model)).revision
    weights = model / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[place] ^= 1 if place != 12 else ord(b"a") ^ ord(b"l")  # the latter renames a tensor
    weights.write_bytes(content)
    assert find_model(str(model)).revision != before


def test_a_changed_prompt_template_is_another_revision(model: Path) -> None:
    before = find_model(str(model)).revision
    (model / "chat_template.jinja").write_text("{{ messagez }}")
    assert find_model(str(model)).revision != before


def test_missing_files_of_a_folder_are_named(tmp_path: Path) -> None:
    model = write_checkpoint(tmp_path / "sharded", shards=3)
    assert find_model(str(model)).bytes == sum(path.stat().st_size for path in model.glob("*.safetensors"))
    (model / "model-00002-of-00003.safetensors").unlink()
    (model / "tokenizer.json").unlink()
    error = refused(model)
    assert "model-00002-of-00003.safetensors, a tokenizer" in error.message
    assert error.exit_code == ExitCode.NO_ENGINE
    (model / "config.json").write_text("{")
    assert "config.json (damaged)" in refused(model).message
    (model / "model.safetensors.index.json").write_text("[]")
    assert "model.safetensors.index.json (damaged)" in refused(model).message


def test_truncated_weights_are_noticed(model: Path) -> None:
    os.truncate(model / "model.safetensors", 2_000_000)
    assert "model.safetensors (cut short)" in refused(model).message


def test_weights_and_configurations_that_can_run_code_are_refused(tmp_path: Path, model: Path) -> None:
    pickled = write_checkpoint(tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    assert "can run code" in refused(pickled).message
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModel": "modeling.Own"}}))
    assert "auto_map" in refused(model).message


def test_gguf_is_found_by_file_or_folder(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    file = folder / "small-q4.gguf"
    file.write_bytes(b"GGUF" + bytes(2_000_000))
    by_file, by_folder = find_model(str(file)), find_model(str(folder))
    assert (by_file.name, by_file.gguf, by_file.folder, by_file.vision) == ("small-q4.gguf", "small-q4.gguf", folder, False)
    assert by_file.bytes == 2_000_004
    assert (by_folder.gguf, by_folder.folder) == ("small-q4.gguf", folder)
    (folder / "small-q8.gguf").write_bytes(b"GGUF")
    assert "2 .gguf files" in refused(folder).message
    assert find_model(str(file)) == by_file
    file.write_bytes(b"<!DOCTYPE html>")
    assert "not a GGUF file" in refused(file).message


def test_the_error_for_an_absent_model_names_the_command_that_downloads_it() -> None:
    error = refused(DEFAULT_MODEL)
    assert error.message == f"{DEFAULT_MODEL} is not on this machine"
    assert error.cure == f"pipeline models pull {DEFAULT_MODEL}"
    assert refused("org/name", "v2").cure == "pipeline models pull org/name --revision v2"
    assert "does not exist" in refused("./nowhere").message
    for wrong in ("org/name/more", "two words", "a--b", "-x", ""):
        assert "neither" in refused(wrong).message
    assert "is not a revision" in refused("org/name", "../../x").message


def test_a_model_in_the_cache_is_found_by_branch_commit_and_beginning_of_a_commit(hub_cache: Path) -> None:
    new = cached(hub_cache, "org/name", COMMIT)
    old = cached(hub_cache, "org/name", OTHER, main=False, old=True)
    assert (find_model("org/name").folder, find_model("org/name").name) == (new, "org/name")
    assert find_model("org/name", "main").revision == find_model("org/name", COMMIT).revision == COMMIT
    assert find_model("org/name", OTHER[:8]).folder == old
    assert "is not on this machine" in refused("org/name", OTHER[:4]).message
    assert "is not on this machine" in refused("org/name", "v1").message


def test_without_a_main_branch_the_last_complete_revision_is_used(hub_cache: Path) -> None:
    complete = cached(hub_cache, "org/name", COMMIT, main=False)
    half = cached(hub_cache, "org/name", OTHER, main=False)
    (half / "model.safetensors").unlink()
    os.utime(half, (2e9, 2e9))
    assert find_model("org/name").folder == complete
    assert [(model.revision, model.lacks) for model in cached_models()] == [(COMMIT, ()), (OTHER, ("model.safetensors",))]


def test_a_link_without_its_blob_makes_a_model_incomplete_whichever_file_it_is(hub_cache: Path) -> None:
    folder = cached(hub_cache, "org/name", COMMIT)
    (folder / "chat_template.jinja").unlink()
    (folder / "chat_template.jinja").symlink_to("../../blobs/gone")
    error = refused("org/name")
    assert error.message == "org/name is incomplete; missing: chat_template.jinja"
    assert error.cure == "pipeline models pull org/name"


def test_cached_models_have_their_kind(hub_cache: Path) -> None:
    cached(hub_cache, "org/reads", COMMIT)
    cached(hub_cache, "org/writes", COMMIT, vision_config=None, architectures=["Qwen3ForCausalLM"])
    cached(hub_cache, "org/embeds", COMMIT, vision_config=None, architectures=["BertModel"])
    cached(hub_cache, "org/codes", COMMIT, auto_map={})
    assert [(model.name, "auto_map" in model.refused) for model in cached_models() if model.refused] == [("org/codes", True)]
    assert {model.name: model.kind for model in cached_models()} == {
        "org/reads": "vision",
        "org/writes": "text",
        "org/embeds": "other",
        "org/codes": "vision",
    }


def test_finding_a_model_is_fast_and_imports_no_large_library(hub_cache: Path) -> None:
    cached(hub_cache, "org/name", COMMIT)
    program = """
        import sys, time
        from pipeline.engines.vlm.model_store import find_model
        seconds = []
        for _ in range(5):
            started = time.perf_counter()
            find_model("org/name")
            seconds.append(time.perf_counter() - started)
        print(min(seconds))
        print({"torch", "transformers", "huggingface_hub", "httpx", "httpx2"} & set(sys.modules))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True)
    seconds, imported = done.stdout.split()
    assert float(seconds) < 0.02
    assert imported == "set()"


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"HF_HOME": "~/elsewhere"},
        {"XDG_CACHE_HOME": "/x"},
        {"HF_HOME": "/a", "HF_HUB_CACHE": "$HOME/b"},
        {"HUGGINGFACE_HUB_CACHE": "/old"},
    ],
)
def test_the_cache_folder_is_that_of_huggingface_hub(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    program = "from huggingface_hub.constants import HF_HUB_CACHE; print(HF_HUB_CACHE)"
    folder = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    assert str(cache_folder()) == folder
