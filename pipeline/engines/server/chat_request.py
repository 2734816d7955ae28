"""The body of the HTTP request for a page: a chat completion."""

from __future__ import annotations

import base64
import io
from typing import Any, Literal

from PIL import Image

from pipeline.engines.base import Request
from pipeline.engines.prompting import Prompt
from pipeline.records import PageImage

Form = Literal["json_schema", "json_object", "free"]
"""How the server enforces the form of an answer: by the JSON Schema, as any JSON, or not at all."""
FORMS: tuple[Form, ...] = ("json_schema", "json_object", "free")
"""The strictest first."""


def chat(request: Request, prompt: Prompt, model: str) -> dict[str, Any]:
    """The body of a chat completion, without the form of its answer."""
    content: Any = prompt.text
    if image := request.local_image:
        content = [
            {"type": "image_url", "image_url": {"url": data_url(image)}},
            {"type": "text", "text": prompt.text},
        ]
    return {
        "model": model,
        "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": content}],
        "max_tokens": request.template.answer.tokens,
        "temperature": request.temperature,
        "seed": prompt.seed,
    }


def answer_form(name: str, schema: dict[str, Any] | None, form: Form) -> dict[str, Any]:
    """The part of a body that demands the form of the answer; ``schema`` is None for plain text."""
    if schema is None or form == "free":
        return {}
    if form == "json_object":
        return {"response_format": {"type": "json_object"}}
    return {"response_format": {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": schema}}}


def data_url(image: PageImage) -> str:
    """The image as a PNG in a data URL, with the fastest compression."""
    buffer = io.BytesIO()
    Image.frombytes("RGB", (image.width, image.height), image.rgb).save(buffer, "PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
