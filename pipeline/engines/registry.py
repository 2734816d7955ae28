"""Engines by name. ``auto`` takes the best one that is ready."""

from __future__ import annotations

from pipeline.engines.base import Engine
from pipeline.errors import EngineUnavailableError
from pipeline.settings import Settings

NAMES = ("auto", "embedded")


def make_engine(settings: Settings) -> Engine:
    """The engine that the settings name, ready to answer. Raises EngineUnavailableError."""
    if settings.engine in ("auto", "embedded"):
        from pipeline.engines.embedded.engine import EmbeddedEngine

        return EmbeddedEngine(settings.limits.seconds)
    raise EngineUnavailableError(f"there is no engine `{settings.engine}`", f"engines: {', '.join(NAMES)}")
