"""What has become of a task: waiting, or read, with its result."""

from __future__ import annotations

from typing import Any

from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.ledger import Ledger
from pipeline.web.context import ServerContext, document_id
from pipeline.web.task_store import Task


def find_record(ledger: Ledger, task: Task) -> FileRecord | None:
    """The file of a task in the ledger; None before it is admitted."""
    files = ledger.files_with_contents(task.sha256)
    return next((file for file in files if file.source.relative == task.file), None)


def has_ended(ledger: Ledger, task: Task) -> bool:
    """Whether the file of a task has been read."""
    return _is_published(find_record(ledger, task), task)


def _is_published(file: FileRecord | None, task: Task) -> bool:
    return file is not None and file.published_sha256 == task.sha256 and not file.stale


def task_object(context: ServerContext, task: Task, *, with_result: bool = True) -> dict[str, Any]:
    """A task as the API and webhooks give it: ``TaskStatus`` in ``api.task_models``. Raises LedgerError."""
    with context.ledger() as ledger:
        file = find_record(ledger, task)
        publication = context.publication(ledger, file) if file and _is_published(file, task) else None
    webhook = None
    if task.webhook:
        state = "delivered" if task.delivered_at else "waiting" if task.next_at else "failed"
        webhook = {"url": task.webhook, "state": state, "attempts": task.attempts, "error": task.last_error or None}
    return {
        "id": task.id,
        "status": publication.status if publication else "waiting",
        "file": task.file,
        "sha256": task.sha256,
        "at": task.at,
        "document": document_id(file.source.name) if file and publication else None,
        "reason": publication.reason if publication else None,
        "detail": publication.detail if publication else None,
        "result": publication.as_json() if publication and with_result else None,
        "webhook": webhook,
    }
