"""Makes engines by name. ``auto`` chooses the best engine that is ready."""

from __future__ import annotations

from pipeline import languages
from pipeline.engines.base import Engine
from pipeline.errors import EngineUnavailableError
from pipeline.settings import Settings

ENGINE_NAMES = ("auto", "embedded", "vlm", "server")


def make_engine(settings: Settings) -> Engine:
    """The engine that the settings name, ready for requests. ``auto`` means ``vlm`` where its model is on this machine, else ``embedded``.

    The settings' languages are in force from here on. Raises EngineUnavailableError, LanguageError.
    """
    languages.use(settings.languages)
    engine = engine_name(settings)
    if engine == "vlm":
        from pipeline.engines.vlm.vlm_engine import VlmEngine

        return VlmEngine(settings)
    if engine == "server":
        from pipeline.engines.server import ServerEngine

        return ServerEngine(settings)
    if engine == "embedded":
        from pipeline.engines.embedded.embedded_engine import EmbeddedEngine

        return EmbeddedEngine(settings.limits.seconds)
    raise EngineUnavailableError(f"there is no engine `{settings.engine}`", f"engines: {', '.join(ENGINE_NAMES)}")


def engine_name(settings: Settings) -> str:
    """The name of the engine; for ``auto`` the name of the chosen engine."""
    if settings.engine != "auto":
        return settings.engine
    return "vlm" if _model_is_ready(settings) else "embedded"


def _model_is_ready(settings: Settings) -> bool:
    """Whether ``auto`` means ``vlm``: the default model is on this machine, or the settings name a model, which must then be here."""
    from pipeline.engines.vlm.model_store import DEFAULT_MODEL, model_is_here

    return bool(settings.model) or model_is_here(DEFAULT_MODEL, settings.vlm.revision)
