"""What prompts have in common is read once: the instructions that all pages of a template begin with, and a page's image for all the
templates that read it.

Keys and values of a token depend on the tokens before it and on nothing else, so a prompt that begins like an earlier one takes them
from there (prefix caching, as in vLLM and SGLang).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.engines.vlm.chat_template import EncodedPrompt
from pipeline.engines.vlm.kv_cache import Slot

KEPT, LONGEST = 2, 1024
"""Instructions that are kept (templates that take turns), and how many tokens of each."""
LEAST = 16
"""Fewer common tokens are not worth copying."""


def common_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two sequences begin with alike."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


@dataclass(frozen=True, slots=True)
class Prefix:
    """The part of a prompt that others may share: its tokens up to the first image, or to the end of the only one, ``picture``."""

    ids: list[int]
    picture: bytes = b""
    text: int = 0
    """Tokens in front of the image; all of them where there is none."""

    def common(self, other: Prefix) -> int:
        """How many tokens both begin with; an image is shared as a whole or not at all."""
        same = common_length(self.ids, other.ids)
        whole = self.picture and self.picture == other.picture and same == len(self.ids) == len(other.ids)
        return same if whole else min(same, self.text, other.text)


def prefix_of(prompt: EncodedPrompt) -> Prefix:
    """The shareable part of a prompt."""
    ids: list[int] = prompt.inputs["input_ids"][0].tolist()
    types = prompt.inputs.get("mm_token_type_ids")
    if types is None:
        text = 0 if "pixel_values" in prompt.inputs else len(ids)
        return Prefix(ids[: min(text, LONGEST)], b"", min(text, LONGEST))
    image = types[0].nonzero().flatten().tolist()
    if not image:
        return Prefix(ids[:LONGEST], b"", min(len(ids), LONGEST))
    return Prefix(
        ids[: image[-1] + 1] if prompt.image_digest else ids[: min(image[0], LONGEST)],
        prompt.image_digest,
        min(image[0], LONGEST),
    )


class PrefixCache:
    """Slots whose beginnings may be taken over."""

    def __init__(self) -> None:
        self._texts: deque[tuple[Prefix, Slot]] = deque(maxlen=KEPT)
        self._image: tuple[Prefix, Slot] | None = None
        """The last prompt with an image: all templates of a page come one after the other."""

    @property
    def tokens(self) -> int:
        """Tokens in memory that may belong to no answer any more."""
        return sum(slot.length for _, slot in self._texts) + (self._image[1].length if self._image else 0)

    def take(self, wanted: Prefix, most: int, capacity: int) -> tuple[int, Slot]:
        """How many tokens at the beginning, ``most`` at most, are known, in a slot of ``capacity`` that begins with them."""
        known = [*self._texts, *([self._image] if self._image else [])]
        lengths = [min(most, wanted.common(one)) for one, _ in known]
        best = max(range(len(lengths)), key=lengths.__getitem__, default=None)
        if best is None or lengths[best] < LEAST:
            return 0, Slot(capacity)
        return lengths[best], known[best][1].fork(lengths[best], capacity)

    def keep(self, known: Prefix, slot: Slot, shared: int) -> None:
        """Remember what a prompt has been read into, unless most of it was ``shared`` with one that is remembered."""
        if known.picture and shared < len(known.ids):
            self._image = known, slot
        text = replace(known, ids=known.ids[: known.text], picture=b"")
        if text.ids and min(shared, known.text) < known.text / 2:
            self._texts.append((text, slot.fork(known.text, known.text)))

    def clear(self) -> None:
        """Forget everything."""
        self._texts.clear()
        self._image = None
