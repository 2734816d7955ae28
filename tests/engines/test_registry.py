"""Which engine a name stands for on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.engines.registry import make_engine
from pipeline.errors import EngineUnavailableError, ExitCode
from pipeline.settings import Settings
from tests.hub import write_checkpoint


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))


def test_auto_is_embedded_while_no_model_is_here() -> None:
    assert make_engine(Settings()).identity.startswith("embedded/")


def test_auto_takes_the_model_that_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    write_checkpoint(folder)
    engine = make_engine(Settings(model=str(folder)))
    assert engine.identity.startswith("vlm/")
    assert "model@local-" in engine.identity
    assert engine.retries == Settings().retry.answer_attempts - 1


def test_vlm_without_its_model_says_the_one_command_that_gets_it() -> None:
    with pytest.raises(EngineUnavailableError) as caught:
        make_engine(Settings(engine="vlm"))
    assert caught.value.exit_code == ExitCode.NO_ENGINE
    assert "pipeline models pull" in caught.value.cure


def test_a_name_that_is_no_engine_is_refused_with_those_there_are() -> None:
    with pytest.raises(EngineUnavailableError) as caught:
        make_engine(Settings(engine="gpt"))
    assert "embedded" in caught.value.cure
