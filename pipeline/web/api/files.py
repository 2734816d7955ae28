"""Files into the inbox, and the progress of reading them."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from pipeline.ledger.counts import document_counts
from pipeline.ledger.document_search import change_marker
from pipeline.monitoring.progress import last_run
from pipeline.run.inline_templates import may_be_recorded
from pipeline.runtime.lock import is_locked
from pipeline.web.api.common import (
    ERROR_RESPONSES,
    require_template,
    server_context,
)
from pipeline.web.context import ServerContext
from pipeline.web.uploads import Upload, safe_folder, safe_name

router = APIRouter(prefix="/api", responses=ERROR_RESPONSES)


class UploadedFile(BaseModel):
    """A file that is now in the inbox."""

    file: str
    """Its path below the inbox. It differs from the requested name when that is in use or not permitted."""
    bytes: int
    sha256: str
    """GET /api/documents?sha256=… shows when it has been read."""
    already: bool = False
    """Whether the inbox already had a file with these contents, under the name ``file``; nothing was added then."""


@router.get("/status")
def status(request: Request) -> dict[str, Any]:
    """The progress of the current run; ``marker`` changes whenever a list or a document may look different."""
    return run_status(server_context(request))


def run_status(context: ServerContext) -> dict[str, Any]:
    """The object of ``GET /api/status``."""
    reader = context.supervisor.status()
    running = reader["state"] == "working" or is_locked(context.settings.outbox)
    with context.ledger() as ledger:
        counts, marker = document_counts(ledger), change_marker(ledger)
    run = last_run(context.settings.outbox, locked=running)
    return {"running": running, "reader": reader, "run": run, "documents": counts, "marker": marker}


@router.put(
    "/files/{name:path}",
    status_code=201,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def upload_file(
    request: Request,
    name: Annotated[str, Path(max_length=1_000, description="only the part after the last slash is used")],
    template: Annotated[str, Query(max_length=63, description="template to read it with; empty: chosen by its pages")] = "",
    folder: Annotated[str, Query(max_length=1_000, description="folder of the inbox, made where it is missing")] = "",
) -> UploadedFile:
    """Put a file into the inbox: the body is the file. Its name gets a number when it is in use."""
    context = server_context(request)
    require_template(context, template)
    try:
        with Upload(context.upload_folder()) as upload:
            async for chunk in request.stream():
                await run_in_threadpool(upload.write, chunk)
            if not upload.size:
                raise HTTPException(400, "the file is empty: save or scan it again")
            return await run_in_threadpool(store_upload, context, upload, safe_name(name), template, safe_folder(folder))
    except OSError as error:
        raise HTTPException(503, f"the inbox cannot be written: {error.strerror or error}") from error


def store_upload(context: ServerContext, upload: Upload, name: str, template: str, folder: str = "") -> UploadedFile:
    """Put an upload into the inbox, unless a file with its contents is there already. Raises OSError, LedgerError."""
    contents = {"bytes": upload.size, "sha256": upload.sha256}
    if copy := _existing_copy(context, upload.sha256, template):
        return UploadedFile(file=copy, already=True, **contents)
    stored = upload.store(name, "/".join(filter(None, (template, folder))))
    return UploadedFile(file=stored.file, already=stored.already, **contents)


def _existing_copy(context: ServerContext, sha256: str, template: str) -> str | None:
    """Path of a file in the inbox with these contents; with a template, only of a file in the template's folder.

    Without one, a file is left out that was sent with a template or a question of its own: its pages did not decide.
    """
    inbox = context.settings.inbox.resolve()
    with context.ledger() as ledger:
        for file in ledger.files_with_contents(sha256):
            path = file.source.path
            if file.place == "deleted" or (not template and may_be_recorded(file.source.relative)):
                continue
            if path.is_relative_to(inbox) and (not template or file.source.relative.startswith(f"{template}/")):
                with suppress(OSError):
                    current = path.stat()
                    if (current.st_size, current.st_mtime_ns) == (file.size, file.mtime_ns):
                        return file.source.relative
    return None
