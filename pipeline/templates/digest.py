"""The digest of a template. It is part of every recipe: where it changes, the template's units are read again."""

from __future__ import annotations

import hashlib
import json

from pipeline.templates.template import PIXELS_PER_TOKEN, Template


def digest(template: Template) -> str:
    """Sixteen hexadecimal digits over all that can change an answer. Comments, ``for`` and defaults are left out.

    The order of keys does not count, except in ``fields`` and ``columns``: a model answers in that order. The keys ``order`` and
    ``asked`` are those of the first version, since new ones would change every digest.
    """
    content = template.model_dump(mode="json", exclude_defaults=True, exclude={"applies"})
    if "image" in content:  # as it was counted before it was counted in pixels: known documents stay known
        content["image"] = {"tokens": content["image"]["pixels"] / PIXELS_PER_TOKEN}
        if content["image"]["tokens"].is_integer():
            content["image"]["tokens"] = int(content["image"]["tokens"])
    content["order"] = {name: list(field.columns) for name, field in template.fields.items()}
    content["asked"] = list(template.fields)
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]
