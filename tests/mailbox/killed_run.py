"""A run over a mailbox that kills itself at a chosen call: ``python -m tests.mailbox.killed_run POINT NUMBER after|before``.

The settings come from the environment. Without a POINT it runs to its end.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from pipeline.ledger.ledger import Ledger
from pipeline.monitoring.events import RunCounts
from pipeline.remote.message_store import MessageStore
from pipeline.run.job import open_job
from pipeline.run.loop import Loop
from pipeline.run.publisher import Publisher
from pipeline.run.refresh import split_up_to_date
from pipeline.settings import load_settings
from tests.run.conftest import EchoEngine

POINTS: dict[str, tuple[type, str]] = {
    "fetch": (MessageStore, "fetch"),
    "commit": (Ledger, "commit"),
    "publish": (Publisher, "publish"),
    "flush": (Publisher, "flush"),
    "plan": (Ledger, "begin_removals"),
    "move": (MessageStore, "move"),
    "mark": (MessageStore, "mark"),
    "delete": (MessageStore, "remove_unchanged"),
    "end": (Ledger, "end_removals"),
}


def kill_at(point: str, number: int, when: str) -> None:
    """Make the process kill itself before or after this call of a method."""
    owner, name = POINTS[point]
    original: Callable[..., Any] = getattr(owner, name)
    calls = 0

    def counted(*arguments: Any, **keywords: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*arguments, **keywords)
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, counted)


def main() -> None:
    """One run."""
    if len(sys.argv) > 1:
        kill_at(sys.argv[1], int(sys.argv[2]), sys.argv[3])
    tally = RunCounts()
    with (
        open_job(load_settings(None, search=False), template="transcript", engine=EchoEngine()) as job,
        Loop(job, tally, archive_files=True) as loop,
    ):
        todo, known = split_up_to_date(job, job.scan(tally.file_skipped), job.file_records)
        loop.round(iter(todo))
        loop.publisher.archive_published(known)
        loop.publisher.tidy()
    print(len(todo), tally.skipped_files)


if __name__ == "__main__":
    main()
