"""The OpenAPI description: with bodies that routes read themselves, and with names from which generators make readable clients."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel

from pipeline.web.api.read import ReadRequest
from pipeline.web.openai.completion_request import CompletionRequest

BODIES: tuple[type[BaseModel], ...] = (ReadRequest, CompletionRequest)
"""Models of bodies that no route has as a parameter."""
_REFERENCE = "#/components/schemas/{model}"


def operation_name(route: APIRoute) -> str:
    """The name of an operation: that of its function."""
    return route.name


def add_bodies(app: FastAPI) -> None:
    """Have the description of ``app`` define the models of ``BODIES``, to which routes refer."""
    describe = app.openapi

    def with_bodies() -> dict[str, Any]:
        if app.openapi_schema is None:
            description = describe()
            models = description.setdefault("components", {}).setdefault("schemas", {})
            for model in BODIES:
                schema = model.model_json_schema(ref_template=_REFERENCE)
                models.update(schema.pop("$defs", {}))
                models[model.__name__] = schema
        return describe()

    app.openapi = with_bodies  # type: ignore[method-assign] # as FastAPI's documentation says
