"""The engine's tokens are those of transformers' own ``generate``: one prompt at a time, many at once, in little memory."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
import torch
from transformers import AutoModelForImageTextToText, Gemma3Config

from benchmarks.decoding import decode_all
from pipeline.engines.vlm.chat_template import EncodedPrompt
from pipeline.engines.vlm.decode import Decoder, DecodeTask
from pipeline.engines.vlm.runner import PlainRunner, Runner, SlotRunner, make_runner
from pipeline.errors import EngineUnavailableError
from tests.engines.vlm.tiny import TEXT, VOCABULARY, text_model, tokenizer, vision_model, with_scaled_layers

STOP: int = tokenizer().eos_token_id
WORDS = VOCABULARY - 20
"""Token ids below this are text."""
WAYS = {"one at a time": {"batch": 1}, "eight at once": {"batch": 8}, "in little memory": {"batch": 8, "memory": 400}}
FAMILIES: dict[str, tuple[type[Runner], dict[str, Any]]] = {
    "qwen2": (SlotRunner, {}),
    "llama": (SlotRunner, {}),
    "mistral": (SlotRunner, {"sliding_window": 24}),
    "gemma3_text": (SlotRunner, {"sliding_window": 24, "query_pre_attn_scalar": 24}),
    # Attention is capped, is cut into chunks, sinks, or is none: transformers' own way must be taken.
    "gemma2": (PlainRunner, {"sliding_window": 24, "query_pre_attn_scalar": 24, "attn_logit_softcapping": 5.0}),
    "llama4_text": (
        PlainRunner,
        {"attention_chunk_size": 16, "num_local_experts": 2, "layer_types": ["chunked_attention", "full_attention"] * 2}
        | {"num_hidden_layers": 4, "no_rope_layers": [1, 0, 1, 0]},
    ),
    "gpt_oss": (PlainRunner, {"sliding_window": 24, "num_local_experts": 4, "num_experts_per_tok": 2}),
    "lfm2": (PlainRunner, {"layer_types": ["conv", "full_attention", "conv"], "block_auto_adjust_ff_dim": False}),
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    """Small products are quicker so."""
    torch.set_num_threads(1)


def some(chance: random.Random, least: int, most: int) -> list[int]:
    return [chance.randrange(WORDS) for _ in range(chance.randint(least, most))]


def beginnings(count: int, seed: int) -> list[list[int]]:
    """What stands before the page: mostly one of two instructions, whole or in part, so that prompts share their beginnings."""
    chance = random.Random(seed)
    instructions = [some(chance, 60, 60), some(chance, 90, 90)]
    made = []
    for _ in range(count):
        known = chance.choice(instructions)
        made.append(chance.choice([known, known, known[: chance.randint(1, len(known))], some(chance, 1, 60)]))
    return made


def with_image(before: list[int], seed: int, question: int = 0) -> EncodedPrompt:
    """A prompt with a picture of 2 x 2 to 16 x 16 patches between text, one by the ``seed``; every fifth without."""
    chance, noise = random.Random(seed), torch.Generator().manual_seed(seed)
    start, end, pad = tokenizer().convert_tokens_to_ids(["<|vision_start|>", "<|vision_end|>", "<|image_pad|>"])
    high, wide = 2 * chance.randint(1, 8), 2 * chance.randint(1, 8)
    picture = [start, *[pad] * (high * wide // 4), end] if seed % 5 else []
    question_ids = some(random.Random(question), 1, 40) if question else some(chance, 1, 40)
    ids = torch.tensor([[*before, *picture, *question_ids]])
    inputs = {"input_ids": ids, "mm_token_type_ids": (ids == pad).int()}
    if picture:
        inputs["pixel_values"] = torch.randn(high * wide, 3 * 2 * 16 * 16, generator=noise)
        inputs["image_grid_thw"] = torch.tensor([[1, high, wide]])
        return EncodedPrompt(inputs, b"%d" % seed)
    return EncodedPrompt(inputs)


def text_only(before: list[int], seed: int) -> EncodedPrompt:
    return EncodedPrompt({"input_ids": torch.tensor([[*before, *some(random.Random(seed), 1, 40)]])})


def prompts(make: Callable[[list[int], int], EncodedPrompt], count: int, seed: int = 1) -> list[EncodedPrompt]:
    """Random prompts of mixed sizes; some stand there twice, and some are the beginning of another."""
    made = [make(before, number) for number, before in enumerate(beginnings(count - count // 10, seed))]
    for prompt in made[: count // 20]:
        made.append(EncodedPrompt(dict(prompt.inputs), prompt.image_digest))
        cut = max(1, int((prompt.inputs["input_ids"] < WORDS).int()[0].argmin()) or prompt.tokens - 3)
        made.append(EncodedPrompt({name: value[:, :cut] for name, value in prompt.inputs.items() if name.endswith("_ids")}))
    random.Random(seed).shuffle(made)
    return made


def expected(model: Any, prompt: EncodedPrompt, limit: int) -> list[int]:
    everything = torch.ones_like(prompt.inputs["input_ids"])
    out = model.generate(**prompt.inputs, attention_mask=everything, max_new_tokens=limit, do_sample=False)
    found: list[int] = out[0, prompt.tokens :].tolist()
    return found[: found.index(STOP)] if STOP in found else found


def decoded(runner: Runner, requested: Sequence[EncodedPrompt], limit: int, **limits: int) -> list[list[int]]:
    tasks = (DecodeTask(number, prompt, limit) for number, prompt in enumerate(requested))
    found = {one.tag: list(one.tokens) for one in decode_all(Decoder(runner, {STOP}, **limits), tasks)}
    return [found[number] for number in range(len(requested))]


def check_variety(answers: Sequence[Sequence[int]]) -> None:
    """A model that always says the same would prove nothing."""
    assert len(set(map(tuple, answers))) > len(answers) * 0.7, "answers depend on the page"
    assert len({token for answer in answers for token in answer}) > 40, "and are no fixed point"


@pytest.mark.slow
def test_two_hundred_pages_get_the_models_own_answers() -> None:
    model = vision_model()
    requested, limit = prompts(with_image, 200), 20
    assert sum("pixel_values" in prompt.inputs for prompt in requested) > 100
    want = [expected(model, prompt, limit) for prompt in requested]
    check_variety(want)
    runner = make_runner(model)
    assert isinstance(runner, SlotRunner)
    for name, limits in WAYS.items():
        got = decoded(runner, requested, limit, **limits)
        assert [n for n, answer in enumerate(got) if answer != want[n]] == [], name


def record_lengths(runner: Runner) -> list[int]:
    """Of each pass through the model, how many tokens it read."""
    lengths: list[int] = []
    runner.model.register_forward_pre_hook(  # type: ignore[attr-defined]
        lambda module, args, inputs: lengths.append(inputs["input_ids"].shape[1]), with_kwargs=True
    )
    return lengths


def test_one_page_is_read_once_for_all_its_templates() -> None:
    model, instructions = vision_model(), some(random.Random(1), 60, 60)
    requested = [with_image(instructions, page, question) for page in (1, 2, 3, 4) for question in (7, 8, 9)]
    requested.append(with_image(some(random.Random(2), 60, 60), 4, 9))
    want = [expected(model, prompt, 20) for prompt in requested]
    check_variety(want)
    runner = make_runner(model)
    lengths = record_lengths(runner)
    assert decoded(runner, requested, 20, batch=4) == want
    images = [length for length in lengths if length > 44]
    assert len(images) <= 5, "each page once, and once more behind other instructions"
    vision_calls: list[int] = []
    model.model.visual.register_forward_pre_hook(lambda *_: vision_calls.append(1))
    decoded(runner, requested[:6], 1, batch=4)
    assert len(vision_calls) == 2, "the vision tower, too"


def test_the_shared_prefix_of_a_prompt_is_not_computed_again() -> None:
    runner = make_runner(vision_model())
    lengths = record_lengths(runner)
    first, second = some(random.Random(1), 60, 60), some(random.Random(2), 60, 60)
    requested = [with_image(first, 1), with_image(first, 2), with_image(second, 1), with_image(first, 3), with_image(first, 3)]
    read = []
    for prompt in requested:
        runner.prefill(prompt, 1)
        read.append(prompt.tokens - lengths.pop())
    assert read[:4] == [0, 61, 0, 61], "the instructions and the token that opens the picture"
    assert read[4] > 61, "the same picture again"


@pytest.mark.parametrize("family", FAMILIES)
def test_other_families_get_their_own_answers_too(family: str) -> None:
    kind, changes = FAMILIES[family]
    model = text_model(family, **changes)
    requested, limit = prompts(text_only, 30), 20
    if family == "llama4_text":  # whose prompts here are never without a whole chunk
        requested = [prompt for prompt in requested if prompt.tokens > 16]
    want = [expected(copy.deepcopy(model), prompt, limit) for prompt in requested]
    check_variety(want)
    runner = make_runner(model)
    assert isinstance(runner, kind)
    for name, limits in WAYS.items():
        got = decoded(runner, requested, limit, **limits)
        assert [n for n, answer in enumerate(got) if answer != want[n]] == [], name


def test_a_model_that_uses_slots_is_accepted_again() -> None:
    model = vision_model()
    assert isinstance(make_runner(model), SlotRunner)
    assert isinstance(make_runner(model), SlotRunner)


def test_a_family_without_a_kv_cache_is_refused() -> None:
    model = text_model("mamba", state_size=4, intermediate_size=96)
    with pytest.raises(EngineUnavailableError, match="models of the kind mamba") as error:
        make_runner(model)
    assert "--model" in error.value.cure


def test_images_with_bidirectional_attention_use_the_plain_runner() -> None:
    """Gemma 3: in text without images its attention is like any other's."""
    text = {**TEXT, "vocab_size": VOCABULARY, "sliding_window": 64, "layer_types": ["full_attention"] * 3}
    vision = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    pad = tokenizer().convert_tokens_to_ids("<|image_pad|>")
    config = Gemma3Config(
        text_config=text,
        vision_config={**vision, "image_size": 56, "patch_size": 7},
        mm_tokens_per_image=16,
        image_token_index=pad,
        eos_token_id=STOP,
    )
    torch.manual_seed(0)
    model = with_scaled_layers(AutoModelForImageTextToText.from_config(config))
    torch.nn.init.normal_(model.model.multi_modal_projector.mm_input_projection_weight)

    def picture(before: list[int], seed: int) -> EncodedPrompt:
        ids = torch.tensor([[*before, *[pad] * 16, *some(random.Random(5), 3, 9)]])
        pixels = torch.randn(1, 3, 56, 56, generator=torch.Generator().manual_seed(seed))
        return EncodedPrompt({"input_ids": ids, "token_type_ids": (ids == pad).int(), "pixel_values": pixels})

    requested = [picture([1, 2, 3], seed) for seed in range(10)]
    want = [expected(copy.deepcopy(model), prompt, 10) for prompt in requested]
    assert len(set(map(tuple, want))) > 5, "answers depend on the image"
    assert decoded(make_runner(model), requested, 10, batch=4) == want


def test_the_last_layer_runs_only_for_tokens_whose_logits_are_needed() -> None:
    model = text_model()
    lengths: dict[int, list[int]] = {}

    def watch(number: int, whole: Callable[[torch.Tensor], torch.Tensor], hidden: torch.Tensor) -> torch.Tensor:
        lengths.setdefault(number, []).append(hidden.shape[1])
        return whole(hidden)

    layers = model.model.layers
    for number, layer in enumerate(layers):
        layer.mlp.forward = partial(watch, number, layer.mlp.forward)
    runner = make_runner(model)
    state, _ = runner.prefill(text_only(list(range(30)), 1), room=8)
    prompt = lengths[0][-1]
    assert prompt >= 31
    assert lengths[len(layers) - 1][-1] == 1
    runner.step([state], [[5, 6, 7]], [2])
    assert (lengths[0][-1], lengths[len(layers) - 1][-1]) == (3, 2)
