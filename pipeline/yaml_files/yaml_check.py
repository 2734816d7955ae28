"""Checks a YAML file against a pydantic model and notes every mistake at its line."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from pipeline.yaml_files.explain import error_location, explain
from pipeline.yaml_files.yaml_lines import YamlDocument

Model = TypeVar("Model", bound=BaseModel)


def validate(document: YamlDocument, model: type[Model], whole: str) -> Model | None:
    """The file's content as ``model``, or None where it does not fit. ``whole`` is the message for a file without keys."""
    try:
        return model.model_validate({} if document.data is None else document.data)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            document.add(error_location(detail), explain(detail, model, whole))
        return None
