from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline import languages


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """An empty folder of language files. The built-in languages alone are in force again after the test."""
    path = tmp_path / "languages"
    path.mkdir()
    yield path
    languages.use(None)
