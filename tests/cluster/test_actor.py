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
from pipeline.settings import Settings
from pipeline.settings_sections import OcrSettings
from pipeline.words import precision


def setup(**changes: Any) -> ActorSetup:
    settings = Settings(ocr=OcrSettings(precision="float32"), **changes)
    return ActorSetup(settings, "", 1, required_paths=shared_paths(settings))


def test_a_machine_required_paths_the_inbox_and_what_is_in_it(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    required = setup(inbox=inbox)
    check_machine(required)
    full = replace(required, nonempty_folders=required.required_paths)
    with pytest.raises(EngineUnavailableError, match="inbox is empty on "):
        check_machine(full)
    (inbox / "a.pdf").touch()
    check_machine(full)
    (inbox / "a.pdf").unlink()
    inbox.rmdir()
    with pytest.raises(EngineUnavailableError, match="inbox is not there on "):
        check_machine(required)


def test_a_folder_of_the_same_name_is_not_the_state_folder_of_the_driver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every machine may have a folder of its own at the path to which objects are fetched."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    places = {"inbox": "s3://documents/in", "outbox": "s3://documents/out"}
    required = setup(**places)
    check_machine(required)
    assert setup(**places).required_paths == required.required_paths, "the mark is made once"
    (mark,) = map(Path, required.required_paths)
    mark.rename(mark.with_name("shared-another"))
    with pytest.raises(EngineUnavailableError, match="mount it on all machines"):
        check_machine(required)


def test_a_processor_that_cannot_read_in_the_precision_of_the_run_gets_no_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    required = setup(inbox=tmp_path)
    monkeypatch.setattr(precision, "cpu_flags", lambda: frozenset({"avx2"}))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    check_machine(required)
    settings = required.settings.model_copy(update={"ocr": OcrSettings(precision="bfloat16")})
    with pytest.raises(EngineUnavailableError, match="no unit for bfloat16"):
        check_machine(replace(required, settings=settings))
    monkeypatch.setattr(precision, "cpu_flags", lambda: frozenset({"amx_bf16"}))
    check_machine(replace(required, settings=settings))
