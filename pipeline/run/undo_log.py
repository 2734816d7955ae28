"""What `pipeline forget` has taken away, in folders of the outbox: the result files and the ledger's rows, to be brought back.

A folder is whole and on the disk before anything is removed. It stays until a person deletes it.
"""

from __future__ import annotations

import errno
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pipeline.errors import OutboxError, SettingsError
from pipeline.ledger.forgotten import Row, decode_row, encode_row
from pipeline.publish.atomic_files import write_atomically
from pipeline.runtime.file_system import sync_folder
from pipeline.safe_open import open_file
from pipeline.settings import STATE_FOLDER
from pipeline.values.times import utc_timestamp

FOLDER = "forgotten"
_ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{4}")
State = Literal["forgetting", "forgotten", "undoing", "undone"]


@dataclass(frozen=True, slots=True)
class ForgottenDocument:
    """A document in an undo log."""

    name: str
    result: str | None
    """The copy of its result file, below the log's folder; None where it had none."""


@dataclass(frozen=True)
class UndoLog:
    """One folder of the undo log."""

    folder: Path

    @property
    def id(self) -> str:
        """What `forget --undo` takes."""
        return self.folder.name

    @property
    def state(self) -> State:
        """How far the forgetting or its undoing is."""
        state: State = json.loads((self.folder / "state.json").read_text(encoding="utf-8"))["state"]
        return state

    def set_state(self, state: State) -> None:
        """Record how far it is, on the disk when this returns."""
        content = json.dumps({"state": state, "at": utc_timestamp()}) + "\n"
        write_atomically(self.folder / "state.json", [content.encode()])
        sync_folder(self.folder)

    def documents(self) -> list[ForgottenDocument]:
        """The documents in it, by name."""
        content = json.loads((self.folder / "documents.json").read_text(encoding="utf-8", errors="surrogateescape"))
        return [ForgottenDocument(item["name"], item["result"]) for item in content["documents"]]

    def rows(self) -> list[tuple[str, Row]]:
        """The ledger's rows, by table."""
        with (self.folder / "rows.jsonl").open(encoding="utf-8", errors="surrogateescape") as lines:
            return [decode_row(line) for line in lines]


def undo_logs(outbox: Path) -> list[UndoLog]:
    """All undo logs of an outbox, oldest first."""
    folder = outbox / STATE_FOLDER / FOLDER
    entries = sorted(folder.iterdir()) if folder.is_dir() else []
    return [UndoLog(entry) for entry in entries if _ID.fullmatch(entry.name) and (entry / "state.json").is_file()]


def find_undo_log(outbox: Path, identifier: str | None) -> UndoLog:
    """The log with this id, or the latest one that is not undone. Raises SettingsError."""
    logs = undo_logs(outbox)
    if identifier:
        logs = [log for log in logs if log.id == identifier]
        if logs and logs[0].state == "undone":
            raise SettingsError(f"{identifier}: is undone already", "nothing was changed")
    open_logs = [log for log in logs if log.state != "undone"]
    if not open_logs:
        raise SettingsError(
            f"{identifier}: no such id in {outbox / STATE_FOLDER / FOLDER}" if identifier else "nothing was forgotten",
            "`ls` that folder for the ids; nothing was changed",
        )
    return open_logs[-1]


def write_undo_log(outbox: Path, names: Sequence[str], rows: Iterable[tuple[str, Row]], identifier: str = "") -> UndoLog:
    """Copy results and rows into a new log, on the disk when this returns. Raises OutboxError."""
    parent = outbox / STATE_FOLDER / FOLDER
    try:
        parent.mkdir(parents=True, exist_ok=True)
        for leftover in parent.glob(".*"):  # of a command that was killed before anything was removed
            shutil.rmtree(leftover, ignore_errors=True)
        identifier = identifier or f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
        unfinished = parent / f".{identifier}"
        (unfinished / "results").mkdir(parents=True)
        documents = [
            {"name": name, "result": _copy(outbox / f"{name}.json", unfinished, number)} for number, name in enumerate(names)
        ]
        _write(unfinished / "documents.json", [json.dumps({"documents": documents}, ensure_ascii=False, indent=1)])
        _write(unfinished / "rows.jsonl", (encode_row(table, row) for table, row in rows))
        _write(unfinished / "state.json", [json.dumps({"state": "forgetting", "at": utc_timestamp()})])
        sync_folder(unfinished / "results")
        sync_folder(unfinished)
        unfinished.rename(parent / identifier)
        sync_folder(parent)
        sync_folder(parent.parent)
    except OSError as error:
        raise OutboxError(
            f"{parent}: cannot be written: {error.strerror or error}",
            "free disk space or check permissions; nothing was removed",
        ) from error
    return UndoLog(parent / identifier)


def _copy(path: Path, folder: Path, number: int) -> str | None:
    """Copy a result file. Returns its name below ``folder``; None where there is no such file, but a link or a pipe, say."""
    name = f"results/{number}.json"
    try:
        result = open_file(Path(os.path.realpath(path.parent)) / path.name)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ENXIO, errno.ELOOP):
            raise
        return None
    with result, (folder / name).open("wb") as file:
        shutil.copyfileobj(result, file)
        file.flush()
        os.fsync(file.fileno())
    return name


def _write(path: Path, lines: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8", errors="surrogateescape") as file:
        for line in lines:
            file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def unfinished_logs(outbox: Path) -> Iterator[UndoLog]:
    """Logs of commands that were interrupted."""
    return (log for log in undo_logs(outbox) if log.state in ("forgetting", "undoing"))
