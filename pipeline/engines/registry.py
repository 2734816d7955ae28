"""Engines by name. ``auto`` takes the best one that is ready."""

from __future__ import annotations

from pipeline.engines.base import Engine
from pipeline.errors import EngineUnavailableError

NAMES = ("auto", "embedded")


def make_engine(name: str) -> Engine:
    """The engine of that name, ready to answer. Raises EngineUnavailableError."""
    if name in ("auto", "embedded"):
        from pipeline.engines.embedded.engine import EmbeddedEngine

        return EmbeddedEngine()
    raise EngineUnavailableError(f"there is no engine `{name}`", f"engines: {', '.join(NAMES)}")
