"""What `auto` means in a cluster: the driver decides it once, as a local run would on its machine, and tells all actors.

So a job goes on under the same recipes here and there, and a cluster of different machines does not read an inbox anew because another
one of them was quicker today. A machine that cannot do what was decided gets no work, and says why.
"""

from __future__ import annotations

from pipeline.engines.registry import engine_name
from pipeline.errors import PipelineError
from pipeline.settings import Settings
from pipeline.words.precision import choose_precision


def decided(settings: Settings) -> Settings:
    """The settings without `auto` for the engine and for precisions. What somebody named is left to the actors to have."""
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
