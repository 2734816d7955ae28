"""Drives an engine as the loop does: submits while there is room, polls until every request is answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.engines.base import Engine, Request
from pipeline.records import Answer


def stream_answers(engine: Engine, requests: Iterable[Request]) -> Iterator[Answer]:
    """Answers in completion order. Requests are taken only as the engine has room; the engine is reset at the end."""
    source = iter(requests)
    following = next(source, None)
    try:
        while following or engine.load:
            while following and engine.room:
                engine.submit(following)
                following = next(source, None)
            yield from engine.poll(1.0)
    finally:
        engine.reset()


def answer_all(engine: Engine, *requests: Request) -> list[Answer]:
    """The answers to these requests, in completion order."""
    return list(stream_answers(engine, requests))
