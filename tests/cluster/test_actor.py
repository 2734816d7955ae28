"""What a machine must have before it gets work."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.cluster.actor import check_machine
from pipeline.cluster.cluster import shared_paths
from pipeline.cluster.messages import ActorSetup
from pipeline.errors import EngineUnavailableError
from pipeline.settings import OcrSettings, Settings
from pipeline.words import precision


def setup(**changes: Any) -> ActorSetup:
    settings = Settings(ocr=OcrSettings(precision="float32"), **changes)
    return ActorSetup(settings, "", 1, required_paths=shared_paths(settings))


def test_a_machine_required_paths_the_inbox_and_what_is_in_it(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    wanted = setup(inbox=inbox)
    check_machine(wanted)
    full = replace(wanted, nonempty_folders=wanted.required_paths)
    with pytest.raises(EngineUnavailableError, match="inbox is empty on "):
        check_machine(full)
    (inbox / "a.pdf").touch()
    check_machine(full)
    (inbox / "a.pdf").unlink()
    inbox.rmdir()
    with pytest.raises(EngineUnavailableError, match="inbox is not there on "):
        check_machine(wanted)


def test_a_folder_of_the_same_name_is_not_the_drivers_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where objects are fetched to, every machine may have a folder of its own at the very path."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    places = {"inbox": "s3://papers/in", "outbox": "s3://papers/out"}
    wanted = setup(**places)
    check_machine(wanted)
    assert setup(**places).required_paths == wanted.required_paths, "it is known by the same mark"
    (mark,) = map(Path, wanted.required_paths)
    mark.rename(mark.with_name("shared-another"))
    with pytest.raises(EngineUnavailableError, match="mount it on all machines"):
        check_machine(wanted)


def test_a_processor_that_cannot_read_as_was_decided_gets_no_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = setup(inbox=tmp_path)
    monkeypatch.setattr(precision, "cpu_flags", lambda: frozenset({"avx2"}))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    check_machine(wanted)
    settings = wanted.settings.model_copy(update={"ocr": OcrSettings(precision="bfloat16")})
    with pytest.raises(EngineUnavailableError, match="no unit for bfloat16"):
        check_machine(replace(wanted, settings=settings))
    monkeypatch.setattr(precision, "cpu_flags", lambda: frozenset({"amx_bf16"}))
    check_machine(replace(wanted, settings=settings))
