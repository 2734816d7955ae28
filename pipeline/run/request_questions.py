"""Questions that programs send instead of a template. At most ``MAX_QUESTIONS`` are kept, with those of the command line.

When each was sent last is the time of an empty file below ``outbox/.pipeline/questions``. A question that no request has sent for
``UNUSED_SECONDS`` is freed for a new one: its results stay, and its documents are not read again.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path

from pipeline.errors import OutboxError, TemplateError
from pipeline.ledger.ledger import Ledger
from pipeline.run.inline_templates import UNUSED_SECONDS
from pipeline.templates.question_template import ask_template
from pipeline.templates.template import Template

FOLDER = "questions"
MAX_QUESTIONS = 1_000
"""How many are kept. Each is compiled by every run."""


def record_question(ledger: Ledger, inbox: Path, question: str) -> Template:
    """The template of a question, which the ledger keeps. Raises TemplateError, OutboxError."""
    template = ask_template(question)
    folder = ledger.path.parent / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        known = {ask_template(text).name: text for text in ledger.questions()}
        if template.name not in known and not _has_room(ledger, inbox.resolve(), folder, known):
            raise TemplateError(
                f"{MAX_QUESTIONS:,} different questions came with requests of the last 30 days", "use a template"
            )
        (folder / template.name).touch()
    except OSError as error:
        raise OutboxError(f"{folder}: cannot be written: {error.strerror or error}", "free disk space") from error
    ledger.record_question(template.name, question)
    return template


def _has_room(ledger: Ledger, inbox: Path, folder: Path, known: dict[str, str]) -> bool:
    """Whether one more may be kept. Those that were not sent for longest are freed for it, where all their documents are read."""
    too_many = len(known) - MAX_QUESTIONS + 1
    if too_many <= 0:
        return True
    used = []
    for name in known:
        with suppress(FileExistsError):  # one of an older version counts from now on
            (folder / name).touch(exist_ok=False)
        used.append(((folder / name).stat().st_mtime, name))
    for at, name in sorted(used):
        if too_many <= 0 or time.time() - at < UNUSED_SECONDS:
            break
        if _free(ledger, inbox, name):
            (folder / name).unlink(missing_ok=True)
            too_many -= 1
    return too_many <= 0


def _free(ledger: Ledger, inbox: Path, name: str) -> bool:
    """Forget a question, unless a document of it waits, or a run of the command line asked it of other documents."""
    own = inbox / name
    asked = [row["name"] for row in ledger.rows("SELECT name FROM files WHERE instr(recipes, ?)", [json.dumps(name)])]
    records = [record for file in asked if (record := ledger.file_by_name(file))]
    waiting = [file for file in own.rglob("*") if file.is_file() and not ledger.file_at(file)]
    is_done = all(r.published_sha256 == r.sha256 and not r.stale and r.source.path.is_relative_to(own) for r in records)
    if waiting or not is_done:
        return False
    for record in records:
        ledger.pin(record.source.name)
    ledger.forget_question(name)
    return True
