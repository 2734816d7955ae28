"""Says in a person's words, with a suggestion, what pydantic found wrong in a template."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails
from rapidfuzz import fuzz, process

from pipeline.templates.model import Template
from pipeline.templates.yaml_lines import Where

_SHOWN = 60


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """``", did you mean `x`?"`` when a choice looks like the word, else nothing."""
    best = process.extractOne(word.lower(), list(choices), scorer=fuzz.ratio, score_cutoff=65)
    return f", did you mean `{best[0]}`?" if best else ""


def place(error: ErrorDetails) -> Where:
    """Where in the file the mistake stands."""
    return tuple(part for part in error["loc"] if part != "[key]")


def explain(error: ErrorDetails) -> str:
    """One line for one of pydantic's errors."""
    where, kind = place(error), error["type"]
    name, dotted = str(where[-1]) if where else "", ".".join(map(str, where))
    given = str(error["input"])[:_SHOWN]
    if kind == "extra_forbidden":
        return f"unknown key `{name}`" + (did_you_mean(name, _keys(where[:-1])) or _list_of("keys here are", _keys(where[:-1])))
    if kind == "missing":
        return f"`{'.'.join(map(str, where[:-1]))}` has no `{name}`" if where[:-1] else f"`{name}` is missing"
    if error["input"] is None:
        return f"`{dotted}` is empty"
    if kind == "literal_error":
        return _unknown_choice(where, given)
    if kind == "string_pattern_mismatch":
        return _bad_name(where, name if "[key]" in error["loc"] else given)
    if kind == "value_error":
        return f"`{dotted}`: {error['msg'].removeprefix('Value error, ')}"
    if kind == "list_type":
        return f"`{dotted}` must be a list, e.g. `[{given}]`"
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return (
            f"`{dotted}` must hold keys (`key: value`)"
            if where
            else "a template must hold keys: `name: …`, `prompt: …` and so on"
        )
    if kind == "too_short" and name == "fields":
        return "`fields` is empty: a template needs at least one field"
    return f"`{dotted}`: {error['msg'][:1].lower()}{error['msg'][1:]}"


def _unknown_choice(where: Where, given: str) -> str:
    choices = [str(choice) for choice in get_args(_plain(_annotation(where)))]
    key = next(part for part in reversed(where) if isinstance(part, str))
    noun = key.removesuffix("s") if isinstance(where[-1], int) else key
    return f"unknown {noun} `{given}`" + (did_you_mean(given, choices) or _list_of("choose one of", choices))


def _bad_name(where: Where, given: str) -> str:
    if len(where) > 1 and where[-2] == "labels":
        return f"`{given}` is not a language: write its two letters, such as `en`"
    cleaned = re.sub(r"[^a-z0-9]+", "_", given.lower()).strip("_")
    example = f", e.g. `{cleaned}`" if re.match(r"[a-z]", cleaned) else ""
    return f"`{given}` is not a name: lower-case letters, digits and `_`, a letter first{example}"


def _list_of(lead: str, choices: Iterable[str]) -> str:
    listed = ", ".join(choices)
    return f" ({lead} {listed})" if listed else ""


def _keys(where: Where) -> list[str]:
    model = _plain(_annotation(where))
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return [info.alias or name for name, info in model.model_fields.items()]


def _annotation(where: Where) -> Any:
    """The declared type of a value in a template; None where the model knows no such place."""
    found: Any = Template
    for part in where:
        found = _plain(found)
        if isinstance(found, type) and issubclass(found, BaseModel):
            found = next((info.annotation for name, info in found.model_fields.items() if part in (info.alias, name)), None)
        else:
            found = (get_args(found) or (None,))[-1]
    return found


def _plain(annotation: Any) -> Any:
    """The type without ``| None``."""
    if get_origin(annotation) in (Union, types.UnionType):
        kept = [choice for choice in get_args(annotation) if choice is not type(None)]
        return kept[0] if len(kept) == 1 else annotation
    return annotation
