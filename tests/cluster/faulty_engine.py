"""Engines for tests in a cluster, and a run with them in a process of its own.

    python -m tests.cluster.faulty_engine INBOX OUTBOX [ADDRESS]

Each page takes a moment, and must come with its image. One with the word KILL ends the engine's process as the kernel does when memory
runs out, ACTOR ends its actor, HANG never answers, GATE waits until a file stands beside the inbox. Without an address the run is local.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from pipeline.cluster.cluster import Cluster
from pipeline.engines.base import Request, SequentialEngine
from pipeline.intake.scan import scan_inbox
from pipeline.monitoring.events import Observers, RunCounts
from pipeline.monitoring.progress import Progress
from pipeline.records import Answer, Claim, PageImage
from pipeline.run.job import open_job
from pipeline.run.loop import Loop
from pipeline.run.page_requests import HANDLER
from pipeline.run.refresh import split_up_to_date
from pipeline.settings import Settings
from pipeline.settings_sections import RaySettings, RetrySettings
from pipeline.templates.template import Template

ENGINE_FACTORY = "tests.cluster.faulty_engine:FaultyEngine"
SECONDS = float(os.environ.get("FAULTY_ENGINE_SECONDS", "0.1"))


class FaultyEngine(SequentialEngine):
    """Answers one page after the other, slowly; a document's page without its image ends the engine."""

    identity = "echo/1"
    retries = 0
    needs_whole_page = False
    prefers_batches = False

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._gate = settings.inbox.parent / "open"

    def wants_image(self, template: Template) -> bool:
        del template
        return True

    def respond(self, request: Request) -> Answer:
        text = " ".join(word.text for word in request.page.words)
        if "Document" in text:
            image = request.image
            assert isinstance(image, PageImage)
            assert len(image.rgb) == 3 * image.width * image.height > 0
        if "ACTOR" in text:
            os.kill(os.getppid(), signal.SIGKILL)
        if "KILL" in text:
            os.kill(os.getpid(), signal.SIGKILL)
        while "GATE" in text and not self._gate.exists():
            time.sleep(0.05)
        while "HANG" in text:
            time.sleep(60)
        time.sleep(SECONDS)
        claims = {name: Claim(text or None) for name, spec in request.template.fields.items() if spec.type == "text"}
        return Answer(request.key, claims)


def run(inbox: Path, outbox: Path, address: str | None, retry: RetrySettings, wait: float = 60) -> RunCounts:
    """One pass over the inbox."""
    settings = Settings(
        inbox=inbox, outbox=outbox, workers=1, retry=retry, ray=RaySettings(address=address or "", cpus=1, timeout_seconds=wait)
    )
    tally = RunCounts()
    with ExitStack() as stack:
        cluster = stack.enter_context(Cluster(settings, HANDLER, engine_factory=ENGINE_FACTORY)) if address else None
        engine = cluster.engine if cluster else FaultyEngine(settings)
        job = stack.enter_context(open_job(settings, template="transcript", engine=engine, cluster=cluster))
        progress = Progress("run")
        progress.cluster = (lambda: cluster.status) if cluster else None
        loop = stack.enter_context(Loop(job, Observers(tally, progress)))
        progress.begin(outbox, engine.identity)
        todo, _ = split_up_to_date(job, scan_inbox(job.inbox, job.outbox_names, tally.file_skipped), job.file_records)
        loop.round(iter(todo))
        loop.publisher.tidy()
    return tally


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None, RetrySettings(stop_after_failures=50))
