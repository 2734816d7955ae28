"""Encodes a prompt with the model's own chat template: token ids and, for models that accept images, pixels.

Qwen's vision models are used without their video processor, which needs torchvision. Their image processor runs on Pillow, and this module
expands each ``<|image_pad|>`` to the ``t * h * w / merge²`` tokens of its image, as Qwen3VLProcessor does. Other families use their own
AutoProcessor.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any

from PIL import Image

from pipeline.engines.chat import ChatMessage
from pipeline.engines.prompting import Prompt
from pipeline.engines.vlm.model_store import LocalModel
from pipeline.errors import EngineUnavailableError
from pipeline.records import PageImage

TOKEN_SIDE = 32
"""Pixels along the side of a visual token (Qwen3-VL: patches of 16, merged 2 x 2)."""


@dataclass(frozen=True, slots=True)
class EncodedPrompt:
    """Arguments of the model's ``forward``: ``input_ids`` of shape (1, tokens), and the tensors of the image if there is one."""

    inputs: Mapping[str, Any]
    image_digest: bytes = b""
    """Identifies the image; empty where there is none, or where its number of tokens is not known."""

    @property
    def tokens(self) -> int:
        """Tokens of the prompt, including those of the image."""
        return int(self.inputs["input_ids"].shape[1])


class ChatTemplate:
    """Encodes prompts for one checkpoint. Raises EngineUnavailableError where the checkpoint has no chat template."""

    def __init__(self, model: LocalModel, config: Any) -> None:
        from transformers import AutoTokenizer

        source: dict[str, Any] = {"gguf_file": model.gguf} if model.gguf else {}
        self._folder, self._config, self.accepts_images = model.folder, config, model.vision
        self.tokenizer: Any = AutoTokenizer.from_pretrained(  # nosec B615 # a folder of this machine, nothing is downloaded
            model.folder, local_files_only=True, trust_remote_code=False, **source
        )
        if not self.tokenizer.chat_template:
            raise EngineUnavailableError(
                f"{model.name} has no chat template", "take an instruct model, e.g. the default: leave `model` empty"
            )

    def encode(self, prompt: Prompt, image: PageImage | None = None) -> EncodedPrompt:
        """Token ids and pixels of a prompt."""
        system, text = self._without_control_tokens(prompt.system), self._without_control_tokens(prompt.text)
        if image is None:
            return self._encode_text(self._render(system, text))
        picture = pad_to_tokens(image)
        content = [{"type": "image"}, {"type": "text", "text": text}]
        if not self._has_image_tokens:
            return self._encode_by_processor(system, content, picture)
        encoded = self._encode_pictures(self._render(system, content), [picture])
        return replace(encoded, image_digest=_digest(image, picture))

    def encode_chat(self, messages: Sequence[ChatMessage]) -> EncodedPrompt:
        """Token ids and pixels of a conversation. Raises ValueError for images where the model accepts none, and for refused roles."""
        images = [image for message in messages for image in message.images]
        if images and not self.accepts_images:
            raise ValueError("the model does not accept images")
        conversation = [
            {"role": message.role, "content": self._chat_content(message, with_parts=self.accepts_images)}
            for message in messages
        ]
        if not images:
            return self._encode_text(self._render_chat(conversation))
        pictures = [pad_to_tokens(image) for image in images]
        if not self._has_image_tokens:
            inputs = self._processor(
                images=pictures, text=[self._render_chat(conversation, self._processor)], return_tensors="pt"
            )
            return EncodedPrompt({name: value for name, value in inputs.items() if name != "attention_mask"})
        encoded = self._encode_pictures(self._render_chat(conversation), pictures)
        return replace(encoded, image_digest=_digest(images[0], pictures[0])) if len(images) == 1 else encoded

    def _chat_content(self, message: ChatMessage, *, with_parts: bool) -> Any:
        if not with_parts:
            return self._without_control_tokens(message.text)
        return [
            {"type": "image"} if isinstance(part, PageImage) else {"type": "text", "text": self._without_control_tokens(part)}
            for part in message.parts
        ]

    def _render_chat(self, conversation: list[dict[str, Any]], writer: Any = None) -> str:
        """A conversation as text, up to the model's answer. A template without a system role gets its text before the first message."""
        settings = {"tokenize": False, "add_generation_prompt": True, "enable_thinking": False}
        write = (writer or self.tokenizer).apply_chat_template
        try:
            return str(write(conversation, **settings))
        except Exception as error:  # templates without a system role raise errors of any kind
            if len(conversation) < 2 or conversation[0]["role"] != "system" or conversation[1]["role"] != "user":
                raise ValueError(f"the model's chat template refuses these roles: {error}") from error
            opening, first = conversation[0]["content"], conversation[1]["content"]
            both = [*_parts(opening), *_parts(first)] if isinstance(first, list) else f"{opening}\n\n{first}"
            return str(write([{"role": "user", "content": both}, *conversation[2:]], **settings))

    def _encode_text(self, text: str) -> EncodedPrompt:
        import torch

        ids = self.tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
        return EncodedPrompt(
            {"input_ids": ids, **({"mm_token_type_ids": torch.zeros_like(ids)} if self._has_image_tokens else {})}
        )

    def _render(self, system: str, content: Any, writer: Any = None) -> str:
        """The conversation as text, up to the model's answer. ``content`` is a text or a list of parts."""
        settings = {"tokenize": False, "add_generation_prompt": True, "enable_thinking": False}
        write = (writer or self.tokenizer).apply_chat_template
        parts = self.accepts_images  # chat templates of these models accept lists of parts; some accept nothing else
        message = _parts(content) if parts else content
        try:
            opening = {"role": "system", "content": _parts(system) if parts else system}
            return str(write([opening, {"role": "user", "content": message}], **settings))
        except Exception:  # templates without a system role raise errors of any kind
            both = [*_parts(f"{system}\n\n"), *_parts(content)] if parts else f"{system}\n\n{content}"
            return str(write([{"role": "user", "content": both}], **settings))

    def _without_control_tokens(self, text: str) -> str:
        """The text with every control token of the model split in two, so that a page that prints ``<|im_end|>`` controls nothing.

        Single surrogates, which tokenizers refuse, become question marks.
        """
        valid = text.encode(errors="replace").decode()
        return self._controls.sub(lambda match: f"{match[0][0]} {match[0][1:]}", valid)

    @cached_property
    def _controls(self) -> re.Pattern[str]:
        added = [str(token) for token in self.tokenizer.added_tokens_decoder.values() if len(str(token).strip()) > 1]
        return re.compile("|".join(map(re.escape, sorted(added, key=len, reverse=True))) or r"(?!)")

    # ---- images -----------------------------------------------------------------------------------

    @property
    def _has_image_tokens(self) -> bool:
        return hasattr(self._config, "image_token_id") and hasattr(
            getattr(self._config, "vision_config", None), "spatial_merge_size"
        )

    def _encode_pictures(self, text: str, pictures: Sequence[Image.Image]) -> EncodedPrompt:
        """Encode a text with one ``<|image_pad|>`` for each picture, in their order."""
        import torch

        pixels = self._image_processor(images=list(pictures), return_tensors="pt")
        grids = pixels["image_grid_thw"]
        pad = self.tokenizer.convert_ids_to_tokens(self._config.image_token_id)
        counts = [int(grid.prod()) // self._image_processor.merge_size**2 for grid in grids]
        before, *behind = text.split(pad)
        expanded = before + "".join(pad * count + piece for count, piece in zip(counts, behind, strict=True))
        ids = self.tokenizer(expanded, add_special_tokens=False, return_tensors="pt")["input_ids"]
        types = (ids == self._config.image_token_id).to(torch.int32)
        return EncodedPrompt(
            {"input_ids": ids, "mm_token_type_ids": types, "pixel_values": pixels["pixel_values"], "image_grid_thw": grids}
        )

    @cached_property
    def _image_processor(self) -> Any:
        from transformers import AutoImageProcessor

        return AutoImageProcessor.from_pretrained(self._folder, backend="pil", local_files_only=True, trust_remote_code=False)  # nosec B615 # as above

    def _encode_by_processor(self, system: str, content: Any, picture: Image.Image) -> EncodedPrompt:
        inputs = self._processor(images=[picture], text=[self._render(system, content, self._processor)], return_tensors="pt")
        return EncodedPrompt({name: value for name, value in inputs.items() if name != "attention_mask"})

    @cached_property
    def _processor(self) -> Any:
        from transformers import AutoProcessor

        return AutoProcessor.from_pretrained(self._folder, local_files_only=True, trust_remote_code=False)  # nosec B615 # as above


def _parts(content: Any) -> list[dict[str, str]]:
    return content if isinstance(content, list) else [{"type": "text", "text": content}]


def _digest(image: PageImage, picture: Image.Image) -> bytes:
    digest = blake2b(b"%d x %d" % picture.size, digest_size=16)
    digest.update(image.rgb)
    return digest.digest()


def pad_to_tokens(image: PageImage) -> Image.Image:
    """The page as a Pillow image, with white added right and below up to whole visual tokens.

    Padding keeps letters sharp; resizing blurs them.
    """
    picture = Image.frombytes("RGB", (image.width, image.height), image.rgb)
    width, height = (max(1, -(-side // TOKEN_SIDE)) * TOKEN_SIDE for side in picture.size)
    if (width, height) == picture.size:
        return picture
    padded = Image.new("RGB", (width, height), "white")
    padded.paste(picture, (0, 0))
    return padded
