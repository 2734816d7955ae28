"""Runs a decoder over many tasks, as the engine ``vlm`` does over many requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from pipeline.engines.vlm.decode import Decoder, DecodeTask, Generation

T = TypeVar("T")


def decode_all(decoder: Decoder[T], tasks: Iterable[DecodeTask[T]]) -> Iterator[Generation[T]]:
    """Generations in completion order. Tasks are taken only as the decoder has room."""
    source = iter(tasks)
    following = next(source, None)
    while following or decoder.load:
        while following and decoder.room:
            decoder.submit(following)
            following = next(source, None)
        yield from decoder.step()
