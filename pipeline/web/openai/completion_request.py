"""The body of a chat completion: what is understood of OpenAI's, what is refused, and what is ignored."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.engines.chat import Role

MAX_MESSAGES, MAX_PARTS, MAX_IMAGES, MAX_STOPS = 256, 64, 8, 4
MAX_SCHEMA_BYTES = 100_000
_ROLES: dict[str, Role] = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
MAX_JOINT_PATTERNS = 8
"""Patterns of a schema in which several may have to hold at once: with each, llguidance takes some three times as long to compile them."""
_REMARKS = frozenset({"$ref", "$comment", "title", "description", "default", "examples", "deprecated", "$defs", "definitions"})


class CompletionError(Exception):
    """Why a request gets no completion, as OpenAI's API says it."""

    def __init__(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.param = status, code, param


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore")


class ImageUrl(_Lenient):
    """An image: a data URL. Nothing is fetched."""

    url: str


class ContentPart(_Lenient):
    """A text or an image."""

    type: Literal["text", "image_url"]
    text: str = ""
    image_url: ImageUrl | None = None


class Message(_Lenient):
    """One message of the conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | Annotated[list[ContentPart], Field(max_length=MAX_PARTS)] | None = None


class JsonSchema(_Lenient):
    """A JSON Schema with its name."""

    name: str = ""
    json_schema: dict[str, Any] = Field(alias="schema")


class ResponseFormat(_Lenient):
    """What form the answer has."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    json_schema: JsonSchema | None = None


class StreamOptions(_Lenient):
    """Whether a stream ends with the number of tokens."""

    include_usage: bool = False


class CompletionRequest(_Lenient):
    """A chat completion. Keys that are not named here are ignored, except for those that change what an answer is."""

    model: str = ""
    messages: Annotated[list[Message], Field(min_length=1, max_length=MAX_MESSAGES)]
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    seed: int | None = None
    stop: str | Annotated[list[str], Field(max_length=MAX_STOPS)] | None = None
    response_format: ResponseFormat | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Literal[1] | None = None
    tools: Annotated[list[Any], Field(max_length=0)] | None = None
    functions: Annotated[list[Any], Field(max_length=0)] | None = None
    logprobs: Literal[False] | None = None

    @property
    def limit(self) -> int | None:
        """Tokens that the answer may have."""
        return self.max_completion_tokens or self.max_tokens

    @property
    def schema(self) -> dict[str, Any] | None:  # type: ignore[override] # pydantic's own method of this name is deprecated
        """The JSON Schema that the answer must meet; None for any text."""
        form = self.response_format
        if form is None or form.type == "text":
            return None
        return form.json_schema.json_schema if form.type == "json_schema" and form.json_schema else {"type": "object"}


def parse_request(body: bytes) -> CompletionRequest:
    """The request in a body. Raises CompletionError 400."""
    try:
        request = CompletionRequest.model_validate_json(body)
    except ValidationError as error:
        mistake = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, mistake["loc"]))
        message = f"{place}: {mistake['msg']}" if place else f"the body is no request: {mistake['msg']}"
        raise CompletionError(400, message.encode(errors="replace").decode(), param=place or None) from error
    form = request.response_format
    if form and form.type == "json_schema" and form.json_schema is None:
        raise CompletionError(400, "response_format.json_schema is missing", param="response_format")
    return request


def check_schema(schema: dict[str, Any]) -> None:
    """Raises CompletionError 400 for a JSON Schema that would take too long to compile."""
    patterns, is_joint, left = 0, False, [schema]
    try:
        is_long = len(json.dumps(schema)) > MAX_SCHEMA_BYTES
    except RecursionError:
        is_long = True
    if is_long:
        raise CompletionError(400, "the JSON Schema is too long", param="response_format")
    while left:
        value: Any = left.pop()
        if isinstance(value, dict):
            patterns += sum(key in value for key in ("pattern", "format"))
            is_joint = is_joint or "allOf" in value or ("$ref" in value and not _REMARKS.issuperset(value))
        if isinstance(value, dict | list):
            left += value.values() if isinstance(value, dict) else value
    if is_joint and patterns > MAX_JOINT_PATTERNS:
        message = f"a JSON Schema with `allOf`, or with keys beside `$ref`, may have {MAX_JOINT_PATTERNS} patterns and formats"
        raise CompletionError(400, message, param="response_format")


def message_parts(message: Message) -> list[str | bytes]:
    """The texts of a message and the bytes of its images, in their order. Raises CompletionError 400."""
    if not isinstance(message.content, list):
        return [message.content or ""]
    return [part.text if part.type == "text" else _image_bytes(part) for part in message.content]


def role_of(message: Message) -> Role:
    """The role of a message for the model."""
    return _ROLES[message.role]


def _image_bytes(part: ContentPart) -> bytes:
    url = part.image_url.url if part.image_url else ""
    head, _, text = url.partition(",")
    if not head.lower().startswith("data:image/") or not head.lower().endswith(";base64"):
        message = "an image must be a data URL with base64 (data:image/png;base64,…): nothing is fetched"
        raise CompletionError(400, message, code="invalid_image_url", param="messages")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise CompletionError(400, "an image is no base64", code="invalid_base64", param="messages") from error
