"""Loads a checkpoint: which precision, how many threads, whether memory will do."""

from __future__ import annotations

import json
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from typing import Any

from pipeline.engines.vlm.machine_capacity import free_memory, total_memory, usable_cores
from pipeline.engines.vlm.model_store import LocalModel
from pipeline.errors import EngineUnavailableError
from pipeline.runtime.processor import multiplies_bfloat16, multiplies_bytes
from pipeline.settings import VlmSettings

GIGABYTE = 1_000_000_000
RESERVE = 1_200_000_000
"""Bytes for libraries, one image's activations and the rest of the pipeline."""
FLOAT32_MEMORY_SHARE = 0.7
"""Share of the machine's memory that a model may take in float32."""
MIN_TOKENS = 8_192
"""Tokens of keys and values that must fit beside the weights: one large page with a long answer."""
_BYTES = {"bfloat16": 2, "float32": 4, "int8": 1}
_ROWS = {"bfloat16": 32, "float32": 16, "int8": 64}


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model will be run here."""

    dtype: str
    """Of the weights in linear layers."""
    weights: int
    """Bytes of the weights in this precision."""
    token: int
    """Bytes that one token's keys and values take."""
    free: int
    """Bytes of memory that are free now."""
    threads: int
    cache: int = 1 << 40
    """Bytes that keys and values may take, were memory without end."""

    @property
    def uses_float32_products(self) -> bool:
        """Whether weights are kept in bfloat16 and multiplied in float32, for want of units that multiply them as they are."""
        return self.dtype == "bfloat16" and not multiplies_bfloat16()

    @property
    def compute_dtype(self) -> str:
        """Precision of everything but weights that are ``int8``."""
        return _beside_bytes() if self.dtype == "int8" else self.dtype

    @property
    def rows(self) -> int:
        """Tokens that one step may read, guessed ones included: with more, what is guessed wrong costs more than the steps it saves."""
        return _ROWS[self.dtype]

    @property
    def needed(self) -> int:
        """Bytes below which nothing works."""
        return self.weights + RESERVE + MIN_TOKENS * self.token

    @property
    def tokens(self) -> int:
        """Tokens that all answers under way may hold together."""
        return max(MIN_TOKENS, min(self.cache, self.free - self.weights - RESERVE) // max(1, self.token))


def make_plan(model: LocalModel, settings: VlmSettings) -> Plan:
    """Precision, memory and threads for this machine; reads the checkpoint's config only. Raises EngineUnavailableError when the
    processor lacks what the settings ask for."""
    config = _config(model)
    free = free_memory()
    stored = 2 if not model.gguf else _GGUF_BYTES
    parameters = model.bytes / stored
    token = _token_bytes(config)
    dtype = settings.dtype if settings.dtype != "auto" else _best_dtype(parameters)
    weights, size = parameters * _BYTES[dtype], _BYTES[dtype]
    if dtype == "int8":
        if not multiplies_bytes():
            raise EngineUnavailableError(
                "this processor has no unit that multiplies bytes (AVX-512 VNNI or AVX-VNNI)", "set `vlm: {dtype: auto}`"
            )
        size = _BYTES[_beside_bytes()]
        weights += _embedded(config) * (size - 1)
    if model.gguf:  # unpacked, it is not mapped: the table of tokens lies beside its copy that the head reads
        weights += _embedded(config) * size
    return Plan(dtype, int(weights), token * size, free, settings.threads or usable_cores(), int(settings.cache_gb * GIGABYTE))


def _beside_bytes() -> str:
    return "bfloat16" if multiplies_bfloat16() else "float32"


_LOADED = {"int8": "bfloat16"}
"""Precision in which weights are loaded that get another one afterwards."""
_GGUF_BYTES = 0.6
"""Bytes a parameter takes in the usual four-bit quantisation; they are unpacked when loaded."""


def _best_dtype(parameters: float) -> str:
    """bfloat16 where the processor multiplies it, else float32, else what memory allows.

    By the memory that the machine has, not by what is free just now: precision is part of the recipe, and must not change from day to day.
    """
    if multiplies_bfloat16() or parameters * _BYTES["float32"] + RESERVE > FLOAT32_MEMORY_SHARE * total_memory():
        return "bfloat16"
    return "float32"


def _config(model: LocalModel) -> dict[str, Any]:
    if model.gguf:
        return {}
    found: dict[str, Any] = json.loads((model.folder / "config.json").read_text(encoding="utf-8"))
    return found


def _token_bytes(config: dict[str, Any]) -> int:
    """Numbers that one token's keys and values hold: layers x 2 x heads x head size (a usual 2B model's where nothing is said)."""
    text = config.get("text_config") or config
    layers, heads = text.get("num_hidden_layers", 28), text.get("num_attention_heads", 16)
    grouped = text.get("num_key_value_heads") or heads
    size = text.get("head_dim") or text.get("hidden_size", 2048) // heads
    return int(layers * 2 * grouped * size)


def _embedded(config: dict[str, Any]) -> int:
    """Numbers in the table of tokens, and in the head where that has one of its own."""
    text = config.get("text_config") or config
    tables = 1 if config.get("tie_word_embeddings", text.get("tie_word_embeddings", True)) else 2
    return int(tables * text.get("vocab_size", 151_936) * text.get("hidden_size", 2048))


def check_memory(model: LocalModel, plan: Plan) -> None:
    """Raises EngineUnavailableError when the model will not fit."""
    if plan.needed > plan.free:
        raise EngineUnavailableError(
            f"{model.name} needs {plan.needed / GIGABYTE:.1f} GB of memory in {plan.dtype}, {plan.free / GIGABYTE:.1f} GB are free",
            "close other programs, take a smaller model (`model:`), or `engine: embedded`",
        )


def load_model(model: LocalModel, plan: Plan) -> Any:
    """The checkpoint as transformers runs it, ready to answer. Raises EngineUnavailableError."""
    check_memory(model, plan)
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForImageTextToText, GgufConfig
    from transformers.utils import logging

    from pipeline.engines.vlm.patch_embedding import replace_patch_convolutions
    from pipeline.engines.vlm.vision_attention import use_matmul_attention

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.set_num_threads(plan.threads)
    family = AutoModelForImageTextToText if model.vision else AutoModelForCausalLM
    source: dict[str, Any] = {"use_safetensors": True}
    if model.gguf:
        source = {"gguf_file": model.gguf, "quantization_config": GgufConfig(dequantize=True)}
    dtype = getattr(torch, _LOADED.get(plan.dtype, plan.dtype))
    try:
        with redirect_stderr(StringIO()):  # GGUF files are unpacked with a bar that no setting of transformers' turns off
            loaded = family.from_pretrained(
                model.folder,
                dtype=dtype,
                local_files_only=True,
                trust_remote_code=False,
                **source,
            )
    except (OSError, ValueError, ImportError, KeyError, RuntimeError) as error:
        raise EngineUnavailableError(
            f"{model.name} cannot be loaded: {' '.join(str(error).split())[:300]}",
            f"check it with `pipeline models verify {model.name}`, or take another with `model:`",
        ) from error
    replace_patch_convolutions(loaded)
    if plan.dtype == "int8":
        from pipeline.engines.vlm.quantise import quantise

        quantise(loaded)
        loaded.to(getattr(torch, plan.compute_dtype))
    use_matmul_attention(loaded)
    if plan.uses_float32_products:
        from pipeline.engines.vlm.float32_linear import use_float32_products

        use_float32_products(loaded)
    elif plan.compute_dtype == "bfloat16":
        from pipeline.engines.vlm.weight_packing import pack_weights

        pack_weights(loaded)
    return loaded.eval()
