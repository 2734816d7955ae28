"""The engine ``server``: pages are answered by any server that speaks OpenAI's chat completions, here or elsewhere."""

from __future__ import annotations

from pipeline.engines.server.server_engine import ServerEngine

__all__ = ["ServerEngine"]
