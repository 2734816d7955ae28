"""The fingerprint of a template, part of every recipe: when it changes, the template's units are read again."""

from __future__ import annotations

import hashlib
import json

from pipeline.templates.model import Template


def digest(template: Template) -> str:
    """Sixteen hexadecimal digits over everything that can change an answer: not comments, not ``for``, not defaults.

    The order of keys is of no consequence, except that of ``fields`` and ``columns``: a model is asked in that order.
    """
    content = template.model_dump(mode="json", exclude_defaults=True, exclude={"applies"})
    content["order"] = {name: list(field.columns) for name, field in template.fields.items()}
    content["asked"] = list(template.fields)
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]
