"""Loads a checkpoint, and chooses its precision and threads by the machine's processor and memory."""

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
from pipeline.settings_sections import VlmSettings

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
    """How a model runs on this machine."""

    dtype: str
    """Of the weights in linear layers."""
    weight_bytes: int
    """Bytes of the weights in this precision."""
    token_bytes: int
    """Bytes of one token's keys and values."""
    free_bytes: int
    """Bytes of memory that are free now."""
    threads: int
    cache_bytes: int = 1 << 40
    """Bytes that keys and values may take where there is enough memory."""

    @property
    def uses_float32_products(self) -> bool:
        """Whether weights are kept in bfloat16 and multiplied in float32, because the processor has no units for bfloat16."""
        return self.dtype == "bfloat16" and not multiplies_bfloat16()

    @property
    def compute_dtype(self) -> str:
        """Precision of everything except weights in ``int8``."""
        return _int8_compute_dtype() if self.dtype == "int8" else self.dtype

    @property
    def rows(self) -> int:
        """Tokens that one step may read, draft tokens included. With more, wrong draft tokens cost more time than right ones save."""
        return _ROWS[self.dtype]

    @property
    def needed_bytes(self) -> int:
        """The least memory with which the model runs."""
        return self.weight_bytes + RESERVE + MIN_TOKENS * self.token_bytes

    @property
    def tokens(self) -> int:
        """Tokens that all active sequences together may have in the KV cache."""
        memory = min(self.cache_bytes, self.free_bytes - self.weight_bytes - RESERVE)
        return max(MIN_TOKENS, memory // max(1, self.token_bytes))


def make_plan(model: LocalModel, settings: VlmSettings) -> Plan:
    """Precision, memory and threads for this machine. Reads only the checkpoint's config.

    Raises EngineUnavailableError when the processor does not support the precision in the settings.
    """
    config = _config(model)
    free = free_memory()
    stored = 2 if not model.gguf else _GGUF_BYTES
    parameters = model.bytes / stored
    token_numbers = _token_numbers(config)
    dtype = settings.dtype if settings.dtype != "auto" else _best_dtype(parameters)
    weights, size = parameters * _BYTES[dtype], _BYTES[dtype]
    if dtype == "int8":
        if not multiplies_bytes():
            raise EngineUnavailableError(
                "this processor has no unit that multiplies bytes (AVX-512 VNNI or AVX-VNNI)", "set `vlm: {dtype: auto}`"
            )
        size = _BYTES[_int8_compute_dtype()]
        weights += _embedding_numbers(config) * (size - 1)
    if (
        model.gguf
    ):  # dequantised weights are not mapped, so that the embedding table and the copy that the head reads both take memory
        weights += _embedding_numbers(config) * size
    return Plan(
        dtype, int(weights), token_numbers * size, free, settings.threads or usable_cores(), int(settings.cache_gb * GIGABYTE)
    )


def _int8_compute_dtype() -> str:
    return "bfloat16" if multiplies_bfloat16() else "float32"


_LOAD_DTYPES = {"int8": "bfloat16"}
"""Precision in which weights are loaded before they are quantised."""
_GGUF_BYTES = 0.6
"""Bytes a parameter takes in the usual 4-bit quantisation. Loading dequantises them."""


def _best_dtype(parameters: float) -> str:
    """bfloat16 where the processor multiplies it or the memory is too small for float32; else float32.

    Counts the memory of the machine, not the free memory: precision is part of the recipe, and must not change from day to day.
    """
    if multiplies_bfloat16() or parameters * _BYTES["float32"] + RESERVE > FLOAT32_MEMORY_SHARE * total_memory():
        return "bfloat16"
    return "float32"


def _config(model: LocalModel) -> dict[str, Any]:
    if model.gguf:
        return {}
    config: dict[str, Any] = json.loads((model.folder / "config.json").read_text(encoding="utf-8"))
    return config


def _token_numbers(config: dict[str, Any]) -> int:
    """Numbers in one token's keys and values: layers x 2 x heads x head size. Defaults are those of a usual 2B model."""
    text = config.get("text_config") or config
    layers, heads = text.get("num_hidden_layers", 28), text.get("num_attention_heads", 16)
    grouped = text.get("num_key_value_heads") or heads
    size = text.get("head_dim") or text.get("hidden_size", 2048) // heads
    return int(layers * 2 * grouped * size)


def _embedding_numbers(config: dict[str, Any]) -> int:
    """Numbers in the embedding table, and in the head where it has its own table."""
    text = config.get("text_config") or config
    tables = 1 if config.get("tie_word_embeddings", text.get("tie_word_embeddings", True)) else 2
    return int(tables * text.get("vocab_size", 151_936) * text.get("hidden_size", 2048))


def check_memory(model: LocalModel, plan: Plan) -> None:
    """Raises EngineUnavailableError when the model does not fit into the free memory."""
    if plan.needed_bytes > plan.free_bytes:
        needed, free = f"{plan.needed_bytes / GIGABYTE:.1f} GB", f"{plan.free_bytes / GIGABYTE:.1f} GB"
        raise EngineUnavailableError(
            f"{model.name} needs {needed} of memory in {plan.dtype}, {free} are free",
            "close other programs, take a smaller model (`model:`), or `engine: embedded`",
        )


def load_model(model: LocalModel, plan: Plan) -> Any:
    """The checkpoint as a model of transformers, ready to run. Raises EngineUnavailableError."""
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
    dtype = getattr(torch, _LOAD_DTYPES.get(plan.dtype, plan.dtype))
    try:
        with redirect_stderr(StringIO()):  # transformers shows a progress bar for GGUF files that no setting turns off
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
