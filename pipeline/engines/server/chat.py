"""A page as a chat: what is sent to the server."""

from __future__ import annotations

import base64
import hashlib
import io
from typing import Any, Literal

from PIL import Image

from pipeline.engines.asking import instructions, is_text, question
from pipeline.engines.base import Request
from pipeline.records import PageImage
from pipeline.templates.model import Template
from pipeline.templates.schema import json_schema

Form = Literal["json_schema", "json_object", "free"]
"""How an answer is held to its form: by a grammar made from the schema, to any JSON, or by the words of the question alone."""
FORMS: tuple[Form, ...] = ("json_schema", "json_object", "free")
"""The strictest first."""


def chat(request: Request, model: str) -> dict[str, Any]:
    """The body of a chat completion, without the form of its answer. Raises DocumentError ``too_large``, TemplateError."""
    text = question(request, sees=request.image is not None)
    content: Any = text
    if request.image:
        content = [{"type": "image_url", "image_url": {"url": data_url(request.image)}}, {"type": "text", "text": text}]
    return {
        "model": model,
        "messages": [{"role": "system", "content": instructions(request.template)}, {"role": "user", "content": content}],
        "max_tokens": request.template.answer.tokens,
        "temperature": request.temperature,
        "seed": _seed(request),
    }


def answer_form(template: Template, form: Form) -> dict[str, Any]:
    """What a chat's body says about the form of its answer."""
    if is_text(template) or form == "free":
        return {}
    if form == "json_object":
        return {"response_format": {"type": "json_object"}}
    schema = {"name": template.name, "strict": True, "schema": json_schema(template)}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def data_url(image: PageImage) -> str:
    """The picture as a PNG inside a URL; packed lightly, since the way is short."""
    buffer = io.BytesIO()
    Image.frombytes("RGB", (image.width, image.height), image.rgb).save(buffer, "PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _seed(request: Request) -> int:
    """The same for the same request; 31 bits, which every server takes."""
    return int.from_bytes(hashlib.sha256(f"{request.key}{request.temperature}".encode()).digest()[:4]) >> 1
