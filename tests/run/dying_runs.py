"""Runs that are killed (SIGKILL) before a chosen step with a file: `python -m tests.run.dying_runs`.

A line of JSON on standard input (``inbox``, ``outbox``, ``changes``, ``step``, ``roots``) is one run. It is a process of its own,
forked from this one: that need not import everything again. The answer is a line with its exit code, -9 after a kill.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import PIPE, Popen

from tests.run.conftest import RunFolders

EVENTS = ("os.rename", "os.remove", "os.mkdir", "open")
"""Audit events of Python that stand for changes of the file system, and for the opening of a file or folder."""


class DyingRuns:
    """The process that starts the runs."""

    def __init__(self, process: Popen[str]) -> None:
        self._process = process

    def run(self, folders: RunFolders, step: int, roots: Iterable[Path] = ()) -> bool:
        """Run, and kill the run before its step number ``step`` with a file of ``roots``; without them of the inbox, the archive or
        the failed files.

        Returns whether it was killed.
        """
        changes = {key: str(value) for key, value in folders.changes.items()}
        order = {"inbox": str(folders.inbox), "outbox": str(folders.outbox), "changes": changes, "step": step}
        order["roots"] = [str(root) for root in roots]
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        assert code in (0, -signal.SIGKILL), f"the run ended with {code}"
        return code == -signal.SIGKILL


@contextmanager
def dying_runs() -> Iterator[DyingRuns]:
    """Start the process, and stop it when the block ends."""
    command = [sys.executable, "-m", "tests.run.dying_runs"]
    with Popen(command, stdin=PIPE, stdout=PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        try:
            yield DyingRuns(process)
        finally:
            process.kill()


def _run_and_die(order: dict[str, object]) -> None:
    """One run in this process, which kills itself."""
    changes = dict(order["changes"])  # type: ignore[call-overload]
    folders = RunFolders(Path(str(order["inbox"])), Path(str(order["outbox"])), changes=changes)
    roots = order["roots"] or (folders.inbox, folders.inbox.parent / "failed", changes["archive"])
    places = tuple(map(os.fsencode, roots))  # type: ignore[call-overload]
    steps = iter(range(int(str(order["step"])), 0, -1))

    def die(event: str, arguments: tuple[object, ...]) -> None:
        is_step = event in EVENTS and isinstance(arguments[0], str | bytes | Path)
        if is_step and os.fsencode(arguments[0]).startswith(places) and next(steps, 0) == 1:  # type: ignore[arg-type]
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(die)
    folders.run()


def main() -> None:
    """Carry out the orders of standard input."""
    for line in sys.stdin:
        process = os.fork()
        if not process:
            with suppress(BaseException):
                _run_and_die(json.loads(line))
                os._exit(0)
            os._exit(1)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
