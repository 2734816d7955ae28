"""Small checkpoints with random weights, in the file layout of the hub: the engine runs as with a real model, except for its answers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    PreTrainedModel,
    Qwen2TokenizerFast,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
)

from pipeline.engines.base import Request
from pipeline.engines.prompting import make_prompt, system_message
from pipeline.engines.vlm.chat_template import ChatTemplate, EncodedPrompt
from pipeline.settings import configs_folder
from pipeline.templates.load import load_templates
from tests.engines.vlm.record_processor import CHAT_TEMPLATE, PREPROCESSOR, SPECIAL_TOKENS, SPLIT_PATTERN

VOCABULARY = 800
PADDED = 832
"""Rows of the embedding: more than there are tokens, as in Qwen's own checkpoints."""
TEXT = {
    "hidden_size": 96, "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 24,
    "intermediate_size": 192, "max_position_embeddings": 16384,
}  # fmt: skip
VISION = {
    "depth": 4, "hidden_size": 64, "num_heads": 4, "intermediate_size": 128, "patch_size": 16, "spatial_merge_size": 2,
    "temporal_patch_size": 2, "deepstack_visual_indexes": [0, 1, 2], "num_position_embeddings": 64,
}  # fmt: skip
LAYER_SCALE = 5.0
Sizes = Mapping[str, Any]


@cache
def tokenizer() -> Any:
    """A byte-level BPE, trained on the built-in templates' prompts, with Qwen's special tokens and chat template."""
    backend = Tokenizer(models.BPE())
    split = pre_tokenizers.Split(Regex(SPLIT_PATTERN), "isolated")
    backend.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    templates = load_templates([configs_folder() / "templates"]).values()
    backend.train_from_iterator([part for t in templates for part in (t.prompt, system_message(t))], trainer)
    backend.add_special_tokens(SPECIAL_TOKENS)
    made = Qwen2TokenizerFast(
        tokenizer_object=backend,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=SPECIAL_TOKENS[1:],
    )
    made.chat_template = CHAT_TEMPLATE
    return made


def vision_model(seed: int = 0, text: Sizes = TEXT, vision: Sizes = VISION, *, scale: float = LAYER_SCALE) -> Any:
    """A Qwen3-VL with random weights in float32; with ``scale`` 1 they are those with which training begins."""
    ids = {name: tokenizer().convert_tokens_to_ids(f"<|{name}|>") for name in ("image_pad", "video_pad")}
    ends = {name: tokenizer().convert_tokens_to_ids(f"<|{name}|>") for name in ("vision_start", "vision_end")}
    rows = text["head_dim"] // 2
    rope = {
        "rope_type": "default",
        "rope_theta": 10_000.0,
        "mrope_section": [rows - 2 * (rows // 3), rows // 3, rows // 3],
        "mrope_interleaved": True,
    }
    config = Qwen3VLConfig(
        text_config={**text, "vocab_size": PADDED, "tie_word_embeddings": True, "rope_parameters": rope},
        vision_config={**vision, "out_hidden_size": text["hidden_size"]},
        tie_word_embeddings=True,
        image_token_id=ids["image_pad"],
        video_token_id=ids["video_pad"],
        vision_start_token_id=ends["vision_start"],
        vision_end_token_id=ends["vision_end"],
    )
    torch.manual_seed(seed)
    return with_scaled_layers(Qwen3VLForConditionalGeneration(config), scale)


def text_model(family: str = "qwen2", seed: int = 0, **changes: Any) -> Any:
    """A text model of a family by its ``model_type`` (e.g. ``llama``), random, in float32; ``changes`` are of its config."""
    sizes = {**TEXT, "vocab_size": PADDED, "tie_word_embeddings": True, **changes}
    tokens = {"eos_token_id": tokenizer().eos_token_id, "pad_token_id": tokenizer().pad_token_id, "bos_token_id": None}
    torch.manual_seed(seed)
    return with_scaled_layers(AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **sizes, **tokens)))


def with_scaled_layers(model: Any, scale: float = LAYER_SCALE) -> Any:
    """The model in float32 with larger weights in its layers, so that answers depend on the page and do not only repeat it."""
    embeddings = model.get_input_embeddings().weight
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1 and parameter is not embeddings:
                parameter.mul_(scale)
            if scale != 1 and re.search(r"(model|language_model)\.norm\.weight$", name):
                parameter.mul_(10)
    model.generation_config.eos_token_id = tokenizer().eos_token_id
    model.generation_config.pad_token_id = tokenizer().pad_token_id
    return model.float().eval()


def with_short_answers(model: Any, strings: float = 2.5, endings: float = 1.6) -> Any:
    """The model with a higher probability of closing strings, and with all special tokens as stop tokens: its answers are short."""
    known = tokenizer()
    closing = [number for text, number in known.get_vocab().items() if '"' in text]
    with torch.no_grad():
        model.get_input_embeddings().weight[closing] *= strings
        model.get_input_embeddings().weight[known.all_special_ids] *= endings
    model.generation_config.eos_token_id = sorted(known.all_special_ids)
    return model


def save(model: PreTrainedModel, folder: Path, *, chat_template: bool = True) -> Path:
    """Write a checkpoint as it comes from the hub; ``VlmEngine(Settings(engine="vlm", model=str(folder)))`` runs it."""
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    if hasattr(model.config, "vision_config"):
        (folder / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR), encoding="utf-8")
    if not chat_template:
        (folder / "chat_template.jinja").unlink()
    return folder


def random_checkpoint(folder: Path, seed: int = 0) -> Path:
    """A random Qwen3-VL with short answers."""
    return save(with_short_answers(vision_model(seed)), folder)


def random_text_checkpoint(folder: Path, family: str = "qwen2", **changes: Any) -> Path:
    """A random text model with short answers."""
    return save(with_short_answers(text_model(family, **changes)), folder)


def encoded(chat: ChatTemplate, request: Request) -> EncodedPrompt:
    """The encoded prompt of a request, as the engine makes it."""
    return chat.encode(make_prompt(request), request.local_image)
