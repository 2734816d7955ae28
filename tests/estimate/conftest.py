"""Fixtures of the loop and of the command line."""

from __future__ import annotations

from tests.cli.conftest import folder, pipeline
from tests.run.conftest import folders

__all__ = ["folder", "folders", "pipeline"]
