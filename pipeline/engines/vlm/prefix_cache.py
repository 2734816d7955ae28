"""Prefix caching: the model reads once what prompts have in common.

Pages of one template share its instructions; templates that read one page share its image. Keys and values of a token depend on the
tokens before it only, so a prompt that begins like an earlier one copies them from there (as in vLLM and SGLang).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.engines.vlm.chat_template import EncodedPrompt
from pipeline.engines.vlm.kv_cache import Slot

MAX_TEXTS, MAX_TEXT_TOKENS = 2, 1024
"""How many instructions are kept, for templates that alternate, and how many tokens of each."""
MIN_SHARED_TOKENS = 16
"""Fewer common tokens are not worth copying."""


def common_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens at the beginning of two sequences are the same."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


@dataclass(frozen=True, slots=True)
class Prefix:
    """The part of a prompt that others can share: its tokens up to the first image, or to the end of its only image."""

    ids: list[int]
    image_digest: bytes = b""
    text: int = 0
    """Tokens before the image; all tokens where there is none."""

    def common(self, other: Prefix) -> int:
        """How many tokens both begin with. An image is shared completely or not at all."""
        same = common_length(self.ids, other.ids)
        whole = self.image_digest and self.image_digest == other.image_digest and same == len(self.ids) == len(other.ids)
        return same if whole else min(same, self.text, other.text)


def prefix_of(prompt: EncodedPrompt) -> Prefix:
    """The part of a prompt that others can share."""
    ids: list[int] = prompt.inputs["input_ids"][0].tolist()
    types = prompt.inputs.get("mm_token_type_ids")
    if types is None:
        text = 0 if "pixel_values" in prompt.inputs else len(ids)
        return Prefix(ids[: min(text, MAX_TEXT_TOKENS)], b"", min(text, MAX_TEXT_TOKENS))
    image = types[0].nonzero().flatten().tolist()
    if not image:
        return Prefix(ids[:MAX_TEXT_TOKENS], b"", min(len(ids), MAX_TEXT_TOKENS))
    return Prefix(
        ids[: image[-1] + 1] if prompt.image_digest else ids[: min(image[0], MAX_TEXT_TOKENS)],
        prompt.image_digest,
        min(image[0], MAX_TEXT_TOKENS),
    )


class PrefixCache:
    """Slots of earlier prompts, whose beginnings later prompts copy."""

    def __init__(self) -> None:
        self._texts: deque[tuple[Prefix, Slot]] = deque(maxlen=MAX_TEXTS)
        self._image: tuple[Prefix, Slot] | None = None
        """The last prompt with an image, because the templates of a page follow one another."""

    @property
    def tokens(self) -> int:
        """Tokens in memory that may not belong to an active sequence."""
        return sum(slot.length for _, slot in self._texts) + (self._image[1].length if self._image else 0)

    def fork_longest(self, prefix: Prefix, most: int, capacity: int) -> tuple[int, Slot]:
        """A new slot of ``capacity`` tokens that holds the longest known beginning of a prompt, and that beginning's length (at most
        ``most``)."""
        cached = [*self._texts, *([self._image] if self._image else [])]
        lengths = [min(most, prefix.common(one)) for one, _ in cached]
        best = max(range(len(lengths)), key=lengths.__getitem__, default=None)
        if best is None or lengths[best] < MIN_SHARED_TOKENS:
            return 0, Slot(capacity)
        return lengths[best], cached[best][1].fork(lengths[best], capacity)

    def store(self, prefix: Prefix, slot: Slot, shared: int) -> None:
        """Keep the slot of a prompt that was read, unless most of the prompt was ``shared`` with a slot that is kept."""
        if prefix.image_digest and shared < len(prefix.ids):
            self._image = prefix, slot
        text = replace(prefix, ids=prefix.ids[: prefix.text], image_digest=b"")
        if text.ids and min(shared, prefix.text) < prefix.text / 2:
            self._texts.append((text, slot.fork(prefix.text, prefix.text)))

    def clear(self) -> None:
        """Free all slots."""
        self._texts.clear()
        self._image = None
