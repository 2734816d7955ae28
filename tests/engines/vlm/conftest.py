"""Small checkpoints, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines.vlm.tiny import random_checkpoint, random_text_checkpoint


@pytest.fixture(scope="session")
def vision_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Qwen3-VL."""
    return random_checkpoint(tmp_path_factory.mktemp("models") / "tiny-vl")


@pytest.fixture(scope="session")
def text_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random text model."""
    return random_text_checkpoint(tmp_path_factory.mktemp("models") / "tiny-text")
