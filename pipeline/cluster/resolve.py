"""Resolves `auto` in a cluster: once, by the driver, as a local run on its machine would, and for all actors.

A job then goes on under the same recipes locally and in the cluster, and different machines do not cause an inbox to be read again. A
machine that cannot work with the resolved settings gets no work, and reports why.
"""

from __future__ import annotations

from pipeline.engines.registry import engine_name
from pipeline.errors import PipelineError
from pipeline.settings import Settings
from pipeline.words.precision import choose_precision


def resolve_auto(settings: Settings) -> Settings:
    """The settings without `auto` for the engine and for precisions. Named values stay, and each actor must be able to use them."""
    ocr, vlm = settings.ocr, settings.vlm
    if ocr.precision == "auto":
        ocr = ocr.model_copy(update={"precision": choose_precision(settings)})
    settings = settings.model_copy(update={"engine": engine_name(settings), "ocr": ocr})
    if settings.engine == "vlm" and vlm.dtype == "auto" and (dtype := _dtype(settings)):
        vlm = vlm.model_copy(update={"dtype": dtype})
    return settings.model_copy(update={"vlm": vlm})


def _dtype(settings: Settings) -> str | None:
    """The precision that the model would have here; None where it is not here: then actors have to agree."""
    from pipeline.engines.vlm.model_load import make_plan
    from pipeline.engines.vlm.model_store import DEFAULT_MODEL, find_model

    try:
        return make_plan(find_model(settings.model or DEFAULT_MODEL, settings.vlm.revision), settings.vlm).dtype
    except PipelineError:
        return None
