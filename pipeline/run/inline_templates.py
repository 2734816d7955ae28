"""Templates that programs give with a request: one file each below ``outbox/.pipeline/templates``.

A file that is to be read with such a template lies in a folder of the inbox that is named like the template, as for every other template.
No page and no other path leads to it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
import uuid
from contextlib import suppress
from pathlib import Path

from pipeline.errors import OutboxError, TemplateError
from pipeline.ledger.ledger import Ledger
from pipeline.templates.load import parse_template
from pipeline.templates.schema_nodes import field_key
from pipeline.templates.schema_template import ENDING as SCHEMA_ENDING
from pipeline.templates.schema_template import parse_schema_template
from pipeline.templates.template import Applies, Template

FOLDER = "templates"
YAML_ENDING = ".yaml"
MAX_TEMPLATES = 1_000
"""How many are kept. Each is compiled by every run."""
UNUSED_SECONDS = 30 * 86_400.0
"""Time without a request that names it, after which a template may be freed. Tasks are forgotten then, too."""
MAX_BYTES = 200_000
DIGEST_LETTERS = 10
_NAME = re.compile(rf"[a-z][a-z0-9_]*_[0-9a-f]{{{DIGEST_LETTERS}}}")
_ORIGIN = "template"


def record_template(ledger: Ledger, inbox: Path, text: str) -> Template:
    """The template that is written in ``text``, kept beside the ledger under a name of its own. See ``_record``."""
    _check_size(text)
    return _record(ledger, inbox, text, YAML_ENDING, parse_template(text, _ORIGIN).name)


def record_schema(ledger: Ledger, inbox: Path, text: str) -> Template:
    """The template of a JSON Schema, kept in the same way; its name begins like the schema's title."""
    _check_size(text)
    parse_schema_template(text, "schema", "schema")  # it says what is wrong
    return _record(ledger, inbox, text, SCHEMA_ENDING, field_key(str(json.loads(text).get("title") or "schema")))


def inline_templates(state: Path) -> dict[str, Template]:
    """All that were recorded, by name. One that this version refuses is left out."""
    found: dict[str, Template] = {}
    with suppress(OSError):
        for path in sorted((state / FOLDER).iterdir()):
            for ending in (YAML_ENDING, SCHEMA_ENDING):
                name = path.name.removesuffix(ending)
                if name != path.name and _NAME.fullmatch(name):
                    with suppress(TemplateError, OSError, UnicodeError):
                        found[name] = _parse(path.read_text(encoding="utf-8"), ending, name)
    return found


def may_be_recorded(relative: str) -> bool:
    """Whether a path below the inbox has a folder that may be named like a recorded template or question."""
    return any(_NAME.fullmatch(folder) for folder in relative.split("/")[:-1])


def _check_size(text: str) -> None:
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise TemplateError(f"the template is longer than {MAX_BYTES:,} bytes", "make it shorter")


def _record(ledger: Ledger, inbox: Path, text: str, ending: str, own_name: str) -> Template:
    """Keep a template. Its name is its own and a digest of the text: the same text is the same template.

    Raises TemplateError, OutboxError.
    """
    digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:DIGEST_LETTERS]
    name = f"{re.sub('_+', '_', own_name)[: 60 - DIGEST_LETTERS].rstrip('_')}_{digest}"
    if not _NAME.fullmatch(name):
        name = f"{'schema' if ending == SCHEMA_ENDING else 'template'}_{digest}"
    template = _parse(text, ending, name)
    path = ledger.path.parent / FOLDER / f"{name}{ending}"
    try:
        with suppress(FileNotFoundError):
            os.utime(path)
            return template
        path.parent.mkdir(parents=True, exist_ok=True)
        if not _has_room(ledger, inbox.resolve(), path.parent):
            raise TemplateError(
                f"{MAX_TEMPLATES:,} different templates came with requests of the last 30 days",
                "put templates that are used often into the folder of templates, and name them",
            )
        unfinished = path.parent / f".{uuid.uuid4().hex}.tmp"
        unfinished.write_text(text, encoding="utf-8", errors="replace")
        unfinished.replace(path)
    except OSError as error:
        raise OutboxError(f"{path}: cannot be written: {error.strerror or error}", "free disk space") from error
    return template


def _has_room(ledger: Ledger, inbox: Path, folder: Path) -> bool:
    """Whether one more template may be kept. Those that were not used for longest are freed for it.

    The result files of a freed template stay: its documents are not read again unless they change.
    """
    used = sorted((path.stat().st_mtime, path) for path in folder.iterdir() if not path.name.startswith("."))
    too_many = len(used) - MAX_TEMPLATES + 1
    for at, path in used:
        if too_many <= 0 or time.time() - at < UNUSED_SECONDS:
            break
        files = [
            file
            for file in (inbox / path.name.removesuffix(YAML_ENDING).removesuffix(SCHEMA_ENDING)).rglob("*")
            if file.is_file()
        ]
        records = [ledger.file_at(file) for file in files]
        if all(record and record.published_sha256 == record.sha256 and not record.stale for record in records):
            for record in filter(None, records):
                ledger.pin(record.source.name)
            path.unlink(missing_ok=True)
            too_many -= 1
    return too_many <= 0


def _parse(text: str, ending: str, name: str) -> Template:
    if ending == SCHEMA_ENDING:
        return parse_schema_template(text, "schema", name).model_copy(update={"applies": Applies()})
    return parse_template(text, _ORIGIN).model_copy(update={"name": name, "applies": Applies()})
