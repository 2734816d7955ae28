"""Turns pydantic's errors about a YAML file into sentences for its author, with a suggestion."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails
from rapidfuzz import fuzz, process

from pipeline.yaml_files.yaml_lines import Where

_LONGEST_QUOTE = 60
"""Characters of a wrong value that a message quotes."""
LANGUAGE_PATTERN = r"^[a-z]{2}$"
"""The two letters of a language (ISO 639-1)."""


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """``", did you mean `x`?"`` when a choice looks like the word, else an empty string."""
    best = process.extractOne(word.lower(), list(choices), scorer=fuzz.ratio, score_cutoff=65)
    return f", did you mean `{best[0]}`?" if best else ""


def error_location(error: ErrorDetails) -> Where:
    """The way to the wrong value in the file."""
    return tuple(part for part in error["loc"] if part != "[key]")


def explain(error: ErrorDetails, model: type[BaseModel], whole: str) -> str:
    """One sentence for one of pydantic's errors. ``model`` is that of the whole file, ``whole`` the message for a file without keys."""
    where, kind = error_location(error), error["type"]
    name, dotted = str(where[-1]) if where else "", ".".join(map(str, where))
    value = str(error["input"])[:_LONGEST_QUOTE]
    if kind == "extra_forbidden":
        keys = _keys(model, where[:-1])
        return f"unknown key `{name}`" + (did_you_mean(name, keys) or _list_of("keys here are", keys))
    if kind == "missing":
        return f"`{'.'.join(map(str, where[:-1]))}` has no `{name}`" if where[:-1] else f"`{name}` is missing"
    if error["input"] is None:
        return f"`{dotted}` is empty"
    if kind == "literal_error":
        return _unknown_choice(model, where, value)
    if kind == "string_pattern_mismatch":
        pattern = error.get("ctx", {}).get("pattern")
        return _bad_name(pattern, name if "[key]" in error["loc"] else value)
    if kind == "value_error":
        return f"`{dotted}`: {error['msg'].removeprefix('Value error, ')}"
    if kind == "list_type":
        return f"`{dotted}` must be a list, e.g. `[{value}]`"
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return f"`{dotted}` must hold keys (`key: value`)" if where else whole
    if kind == "too_short" and name == "fields":
        return "`fields` is empty: a template needs at least one field"
    return f"`{dotted}`: {error['msg'][:1].lower()}{error['msg'][1:]}"


def _unknown_choice(model: type[BaseModel], where: Where, value: str) -> str:
    choices = [str(choice) for choice in get_args(_without_none(_annotation(model, where)))]
    key = next(part for part in reversed(where) if isinstance(part, str))
    noun = key.removesuffix("s") if isinstance(where[-1], int) else key
    return f"unknown {noun} `{value}`" + (did_you_mean(value, choices) or _list_of("choose one of", choices))


def _bad_name(pattern: str | None, value: str) -> str:
    if pattern == LANGUAGE_PATTERN:
        return f"`{value}` is not a language: write its two letters, such as `en`"
    cleaned = re.sub(r"[^a-z0-9]+", "_", value.lower()).strip("_")
    example = f", e.g. `{cleaned}`" if re.match(r"[a-z]", cleaned) else ""
    return f"`{value}` is not a name: lower-case letters, digits and `_`, a letter first{example}"


def _list_of(lead: str, choices: Iterable[str]) -> str:
    listed = ", ".join(choices)
    return f" ({lead} {listed})" if listed else ""


def _keys(model: type[BaseModel], where: Where) -> list[str]:
    inner = _without_none(_annotation(model, where))
    if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
        return []
    return [info.alias or name for name, info in inner.model_fields.items()]


def _annotation(model: type[BaseModel], where: Where) -> Any:
    """The declared type of a value in a file; None where the model has no such place."""
    annotation: Any = model
    for part in where:
        annotation = _without_none(annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            fields = annotation.model_fields.items()
            annotation = next((info.annotation for name, info in fields if part in (info.alias, name)), None)
        else:
            annotation = (get_args(annotation) or (None,))[-1]
    return annotation


def _without_none(annotation: Any) -> Any:
    """The type without ``| None``."""
    if get_origin(annotation) in (Union, types.UnionType):
        choices = [choice for choice in get_args(annotation) if choice is not type(None)]
        return choices[0] if len(choices) == 1 else annotation
    return annotation
