"""A run in a process of its own, with an engine that hangs or dies over certain pages.

    python -m tests.run.odd_engine INBOX OUTBOX SECONDS

A page with the word HANG hangs the engine for ever, KILL kills the process, FAIL gets no answer. SECONDS is the watchdog's timeout.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from pipeline.engines.answers import failed_answer
from pipeline.engines.base import Request
from pipeline.intake.scan import scan_inbox
from pipeline.monitoring.events import RunCounts
from pipeline.records import Answer
from pipeline.run.job import open_job
from pipeline.run.loop import Loop
from pipeline.run.refresh import split_up_to_date
from pipeline.settings import Settings
from pipeline.settings_sections import RetrySettings
from tests.run.conftest import EchoEngine

BATCH = 4


class PrintingCounts(RunCounts):
    """Prints the warnings of a run."""

    def warning(self, message: str) -> None:
        print(message, file=sys.stderr, flush=True)


class OddEngine(EchoEngine):
    """Takes up to BATCH requests before it answers the first, as an engine that batches does."""

    retries = 2

    def __init__(self) -> None:
        super().__init__()
        self.batch: list[Request] = []

    @property
    def room(self) -> bool:
        return self.load < BATCH

    def submit(self, request: Request) -> None:
        super().submit(request)
        self.batch.append(request)

    def reset(self) -> None:
        super().reset()
        self.batch.clear()

    def poll(self, timeout: float) -> list[Answer]:
        batch, self.batch = self.batch, []
        texts = [" ".join(word.text for word in request.page.words) for request in batch]
        if any("KILL" in text for text in texts):
            os.kill(os.getpid(), signal.SIGKILL)
        while any("HANG" in text for text in texts):
            time.sleep(60)
        return [answer for _ in texts for answer in super(OddEngine, self).poll(timeout)]

    def respond(self, request: Request) -> Answer:
        if any("FAIL" in word.text for word in request.page.words):
            return failed_answer(request, "the page says FAIL")
        return super().respond(request)


def main() -> None:
    """Run once over the inbox."""
    inbox, outbox, seconds = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    retry = RetrySettings(watchdog_seconds=seconds, stop_after_failures=50)
    settings = Settings(inbox=inbox, outbox=outbox, workers=1, retry=retry)
    tally = PrintingCounts()
    with open_job(settings, template="transcript", engine=OddEngine()) as job, Loop(job, tally) as loop:
        todo, _ = split_up_to_date(job, scan_inbox(job.inbox, job.outbox_names, tally.file_skipped), job.file_records)
        loop.round(iter(todo))
        loop.publisher.tidy()


if __name__ == "__main__":
    main()
