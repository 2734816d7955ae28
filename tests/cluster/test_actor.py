"""What a machine must have before it gets work."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.cluster.actor import check
from pipeline.cluster.cluster import _shared
from pipeline.cluster.messages import Setup
from pipeline.errors import EngineUnavailableError
from pipeline.settings import OcrSettings, Settings
from pipeline.words import precision


def setup(**changes: Any) -> Setup:
    settings = Settings(ocr=OcrSettings(precision="float32"), **changes)
    return Setup(settings, "", 1, must_see=_shared(settings))


def test_a_machine_must_see_the_inbox_and_what_is_in_it(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    wanted = setup(inbox=inbox)
    check(wanted)
    full = replace(wanted, must_hold=wanted.must_see)
    with pytest.raises(EngineUnavailableError, match="inbox is empty on "):
        check(full)
    (inbox / "a.pdf").touch()
    check(full)
    (inbox / "a.pdf").unlink()
    inbox.rmdir()
    with pytest.raises(EngineUnavailableError, match="inbox is not there on "):
        check(wanted)


def test_a_folder_of_the_same_name_is_not_the_drivers_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where objects are fetched to, every machine may have a folder of its own at the very path."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    places = {"inbox": "s3://papers/in", "outbox": "s3://papers/out"}
    wanted = setup(**places)
    check(wanted)
    assert setup(**places).must_see == wanted.must_see, "it is known by the same mark"
    (mark,) = map(Path, wanted.must_see)
    mark.rename(mark.with_name("shared-another"))
    with pytest.raises(EngineUnavailableError, match="mount it on all machines"):
        check(wanted)


def test_a_processor_that_cannot_read_as_was_decided_gets_no_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = setup(inbox=tmp_path)
    monkeypatch.setattr(precision, "cpu_flags", lambda: frozenset({"avx2"}))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    check(wanted)
    settings = wanted.settings.model_copy(update={"ocr": OcrSettings(precision="bfloat16")})
    with pytest.raises(EngineUnavailableError, match="no unit for bfloat16"):
        check(replace(wanted, settings=settings))
    monkeypatch.setattr(precision, "cpu_flags", lambda: frozenset({"amx_bf16"}))
    check(replace(wanted, settings=settings))
