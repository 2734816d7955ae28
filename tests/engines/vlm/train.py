"""Trains a small Qwen3-VL to memorise a few drawn pages, so that a test knows which page an answer belongs to.

The prompts and the pixels are those that the engine will be given: pages come through the pipeline's own reader, prompts through the
engine's ``ChatTemplate``, and answers are spelt as the template's grammar has them.
"""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image, ImageDraw, ImageFont
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

from pipeline.engines.base import Request
from pipeline.engines.vlm.chat_template import ChatTemplate
from pipeline.engines.vlm.constraint import Grammars
from pipeline.engines.vlm.model_store import find_model
from pipeline.records import PageImage, UnitKey
from pipeline.run.page_reader import handle
from pipeline.run.page_requests import PAGE_CONTENT, ReadRequest
from pipeline.templates.answer_schema import json_schema
from pipeline.templates.template import Template
from tests.engines.vlm.tiny import PADDED, Sizes, encoded, save, tokenizer, vision_model

TEXT: Sizes = {
    "hidden_size": 192, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 48,
    "intermediate_size": 512, "max_position_embeddings": 16384,
}  # fmt: skip
VISION: Sizes = {
    "depth": 4, "hidden_size": 128, "num_heads": 4, "intermediate_size": 512, "patch_size": 16, "spatial_merge_size": 2,
    "temporal_patch_size": 2, "deepstack_visual_indexes": [0, 1, 2], "num_position_embeddings": 256,
}  # fmt: skip
SIDE = 256
RATE, WARM_UP, MOST_STEPS = 2e-3, 60, 400
SURE = 0.2
"""Loss in nats that no token of an answer may exceed: each is likelier than all others together."""


class Lesson(NamedTuple):
    """A page with its answer: the prompt's tensors, the answer's ids, and which of those the model must choose itself."""

    inputs: Mapping[str, Any]
    ids: list[int]
    chosen: list[bool]


def draw(text: str) -> Image.Image:
    """Four large black characters, two a line, on mid-grey: a small model learns to see them soon."""
    picture = Image.new("RGB", (SIDE, SIDE), (128, 128, 128))
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(size=130)
    for place, letter in enumerate(text):
        pen.text(
            (SIDE // 4 + SIDE // 2 * (place % 2), SIDE // 4 + SIDE // 2 * (place // 2)), letter, "black", font, anchor="mm"
        )
    return picture


def read(path: Path, template: Template) -> Request:
    """The first page of a file, as the loop hands it to the engine."""
    stat = path.stat()
    read_request = ReadRequest(str(path), stat.st_size, stat.st_mtime_ns, page=1, images={template.name: template.image.pixels})
    head, pixels = handle(pickle.dumps(read_request))
    reading = PAGE_CONTENT.validate_json(head)
    image = PageImage(reading.images[0].width, reading.images[0].height, pixels, reading.images[0].scale)
    return Request(UnitKey("0" * 64, 1, template.name, "0" * 16), reading.page, template, image)


def lesson(request: Request, answer: Mapping[str, str], chat: ChatTemplate, grammars: Grammars) -> Lesson:
    """What the model has to write for a page."""
    text, ids, chosen = json.dumps(answer), list[int](), list[bool]()
    constraint = grammars.start(json_schema(request.template))
    while not constraint.finished:
        forced = constraint.forced()
        ids += forced
        chosen += [False] * len(forced)
        if not constraint.finished:
            token = tokenizer().encode(text[len(tokenizer().decode(ids)) :])[0]
            constraint.accept(token)
            ids.append(token)
            chosen.append(True)
    assert tokenizer().decode(ids) == text
    return Lesson(encoded(chat, request).inputs, ids, chosen)


def teach(folder: Path, pages: Mapping[Path, Mapping[str, str]], template: Template, threads: int = 1) -> int:
    """Write a checkpoint that knows the answer to every page; how many steps it took. All prompts must be of one length.

    Raises AssertionError when it does not come to know them.
    """
    torch.set_num_threads(threads)
    model = vision_model(text=TEXT, vision=VISION, scale=1)
    with torch.no_grad():
        model.model.visual.patch_embed.proj.weight.mul_(5)  # else the loss long stays where the image is not looked at
    save(model, folder)
    chat, grammars = ChatTemplate(find_model(str(folder)), model.config), Grammars(tokenizer(), PADDED)
    lessons = [lesson(read(path, template), answer, chat, grammars) for path, answer in pages.items()]
    steps = _train(model, lessons)
    save(model.eval(), folder)
    return steps


def _train(model: Any, lessons: Sequence[Lesson]) -> int:
    inputs, labels, prompt = _batch(lessons)
    tokens = int((labels >= 0).sum())
    blind = math.log(len(lessons)) * len(lessons) / tokens
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / WARM_UP))
    model.train()
    for step in count(1):
        logits = model(**inputs).logits[:, prompt - 1 : -1]
        losses = cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-1, reduction="none")
        loss = losses.sum() / tokens
        if losses.max() < SURE:  # before the next step, which may unlearn a page
            return step
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        assert step < MOST_STEPS, (
            f"not learnt: loss {float(loss):.3f} after {step} steps; a model that does not look stays at {blind:.3f}"
        )
    raise AssertionError


def _batch(lessons: Sequence[Lesson]) -> tuple[dict[str, Any], torch.Tensor, int]:
    """All lessons at once; labels (lessons, answer) are -1 where there is nothing to choose; the length of the prompts."""
    (prompt,) = {one.inputs["input_ids"].shape[1] for one in lessons}
    answers = pad_sequence([torch.tensor(one.ids) for one in lessons], True)
    labels = [torch.tensor([i if mine else -1 for i, mine in zip(one.ids, one.chosen, strict=True)]) for one in lessons]
    prompts = {name: torch.cat([one.inputs[name] for one in lessons]) for name in lessons[0].inputs}
    types = prompts["mm_token_type_ids"]
    inputs = {
        **prompts,
        "input_ids": torch.cat([prompts["input_ids"], answers], 1),
        "mm_token_type_ids": torch.cat([types, torch.zeros_like(answers, dtype=types.dtype)], 1),
    }
    return inputs, pad_sequence(labels, True, -1), prompt
