"""A run over the first messages of a mailbox: ``python -m tests.mailbox.measured_run COUNT OUTBOX`` prints how many were read, and the peak
of this process's own memory in kB."""

from __future__ import annotations

import resource
import sys
from itertools import islice

from pipeline.monitoring.events import RunCounts
from pipeline.run.job import open_job
from pipeline.run.loop import Loop
from pipeline.settings import load_settings
from tests.run.conftest import EchoEngine


def main() -> None:
    """One run."""
    tally = RunCounts()
    settings = load_settings(None, search=False, outbox=sys.argv[2], workers=2)
    with (
        open_job(settings, template="transcript", engine=EchoEngine()) as job,
        Loop(job, tally, archive_files=True) as loop,
    ):
        loop.round(islice(job.scan(tally.file_skipped), int(sys.argv[1])))
        loop.publisher.tidy()
    print(tally.containers.total(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    main()
