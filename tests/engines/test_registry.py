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


def test_auto_is_embedded_without_a_model() -> None:
    assert make_engine(Settings()).identity.startswith("embedded/")


def test_auto_uses_a_model_that_the_settings_name(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    write_checkpoint(folder)
    engine = make_engine(Settings(model=str(folder)))
    assert engine.identity.startswith("vlm/")
    assert "model@local-" in engine.identity
    assert engine.retries == Settings().retry.answer_attempts - 1


def test_the_error_without_a_model_names_the_command_that_downloads_it() -> None:
    with pytest.raises(EngineUnavailableError) as caught:
        make_engine(Settings(engine="vlm"))
    assert caught.value.exit_code == ExitCode.NO_ENGINE
    assert "pipeline models pull" in caught.value.cure


def test_the_error_for_an_unknown_engine_lists_the_engines() -> None:
    with pytest.raises(EngineUnavailableError) as caught:
        make_engine(Settings(engine="gpt"))
    assert "embedded" in caught.value.cure
