"""Fuzzes the settings loader: a file of any bytes gives Settings or a SettingsError."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pipeline.errors import SettingsError
from pipeline.settings import load_settings


def once(data: bytes) -> None:
    """Accepted settings are within their bounds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pipeline.yaml"
        path.write_bytes(data)
        try:
            settings = load_settings(path)
        except SettingsError as error:
            assert error.message
            return
        seconds = (settings.limits.seconds, settings.server.seconds, settings.intake.rescan_seconds)
        assert all(0 < duration <= 1_000_000 for duration in seconds)
