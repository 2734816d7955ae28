"""``pipeline status``: the counts of the ledger and the progress of the run that works on it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pipeline.cli import options
from pipeline.cli.console import TerminalConsole, plural
from pipeline.cli.terminal import echo, echo_json
from pipeline.errors import cure_of
from pipeline.ledger.counts import (
    document_counts,
    latest_failures,
    page_count,
    review_count,
    template_counts,
    unit_counts,
)
from pipeline.ledger.document_states import state_counts
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.replacement import has_ledger
from pipeline.monitoring.progress import last_run
from pipeline.printable import one_line
from pipeline.remote.local_copy import update_local_copy
from pipeline.run.job import open_ledger
from pipeline.runtime.lock import is_locked
from pipeline.settings import STATE_FOLDER, Settings
from pipeline.values.times import format_duration

MAX_LOAD = 1 / 20
"""Share of a core that `--follow` uses at most."""
STATUSES = ("done", "partial", "failed", "skipped")
LISTED_HOSTS = 10
"""Machines of a cluster that are listed, and actors of each."""
SAME_DURATION = 1.25
"""A range whose ends differ by less than this factor is printed as one duration."""


@click.command("status")
@options.config
@options.outbox
@click.option("--failed", is_flag=True, help="List all documents that failed, wholly or in part, not only the last ten.")
@click.option("--follow", "-f", is_flag=True, help="Update the display until the run ends or Ctrl-C is pressed.")
@options.as_json
def command(config: Path | None, outbox: options.PathOrUrl | None, failed: bool, follow: bool, as_json: bool) -> None:
    """Show how far a run is, what is done, and what failed and why. A run that is at work is not disturbed."""
    if follow and as_json:
        raise click.UsageError("--follow and --json cannot be combined")
    settings = options.read_settings(config, outbox=outbox)
    limit = None if failed else 10
    if as_json:
        echo_json(_status(settings, limit))
    elif follow:
        _follow(settings, limit)
    else:
        _print(_status(settings, limit))


def _status(settings: Settings, limit: int | None) -> dict[str, Any]:
    elsewhere = update_local_copy(settings)
    if not has_ledger(settings.outbox / STATE_FOLDER):
        nothing: dict[str, Any] = {
            "documents": {},
            "pages": 0,
            "units": {},
            "states": {},
            "to_review": 0,
            "templates": [],
            "failures": [],
        }
        return {"outbox": settings.outbox_location, "running": bool(elsewhere), "run": None, **nothing}
    here = is_locked(settings.outbox)
    running = here or bool(elsewhere)
    run = last_run(settings.outbox, locked=here)
    with open_ledger(settings) as ledger:
        return {"outbox": settings.outbox_location, "running": running, "run": run, **_counts(ledger, limit)}


def _counts(ledger: Ledger, limit: int | None) -> dict[str, Any]:
    """What the ledger says of all runs; ``limit`` failures, the last ones first."""
    failures = latest_failures(ledger, limit)
    return {
        "documents": document_counts(ledger),
        "pages": page_count(ledger),
        "units": unit_counts(ledger),
        "states": state_counts(ledger),
        "to_review": review_count(ledger),
        "templates": template_counts(ledger),
        "failures": [{**row, "cure": cure_of(row["reason"] or "engine", row["file"])} for row in failures],
    }


# ---- for people ---------------------------------------------------------------------------------------


def _print(status: dict[str, Any]) -> None:
    for line in _lines(status):
        echo(line)
    if status["failures"]:
        echo("\nlast failures:")
        TerminalConsole().print(_failures(status["failures"]))


def _follow(settings: Settings, limit: int | None) -> None:
    """Update the display every second while a run works."""

    def render() -> tuple[RenderableType, bool]:
        status = _status(settings, limit)
        parts: list[RenderableType] = [Text(line) for line in _lines(status)]
        if status["failures"]:
            parts += [Text("\nlast failures:"), _failures(status["failures"])]
        return Group(*parts), status["running"]

    display, running = render()
    with (
        suppress(KeyboardInterrupt),
        Live(display, console=TerminalConsole(), auto_refresh=False, vertical_overflow="crop") as live,
    ):
        while running:
            started = time.monotonic()
            display, running = render()
            live.update(display, refresh=True)
            time.sleep(max(1.0, (time.monotonic() - started) / MAX_LOAD) if running else 0)


def _lines(status: dict[str, Any]) -> Iterator[str]:
    counts = ", ".join(f"{count:,} {status}" for status, count in sorted(status["documents"].items())) or "nothing read yet"
    pages = f"; {plural(status['pages'], 'page')} read" if status["pages"] else ""
    yield f"{status['outbox']}: {counts}{pages}" + ("; a run is working" if status["running"] else "")
    if status["to_review"]:
        yield f"  {plural(status['to_review'], 'document')} with values to look at: `pipeline serve`, or `pipeline review --needs-review`"
    settled = ", ".join(f"{status['states'][name]:,} {name}" for name in ("approved", "exported") if status["states"].get(name))
    if settled:
        yield f"  {settled} by people"
    for row in status["templates"]:
        pages = plural(row["pages"], "page")
        yield f"  {row['template']}: {plural(row['documents'], 'document')}, {pages}, {row['seconds_a_page']} s a page"
    if status["run"]:
        yield from _run_lines(status["run"])


def _run_lines(run: dict[str, Any]) -> Iterator[str]:
    """The present run, or the last one."""
    done = sum(run["documents"].values())
    by_status = ", ".join(f"{run['documents'][status]:,} {status}" for status in STATUSES if run["documents"].get(status))
    counted = plural(done, "document") + (f" ({by_status})" if by_status else "") + f", {plural(run['pages'], 'page')}"
    since = f"{_local_time(run['started'])}, engine {run['engine']}"
    yield ""
    if run["state"] == "ended":
        error = f": {one_line(run['error'].splitlines()[0])}" if run.get("error") else ""
        yield f"last run: {run['command']}, {since}, {format_duration(run['seconds'])}, exit {run['exit_code']}{error}"
        yield f"  {counted if done else 'nothing new'}; {plural(run['known'], 'file')} known before"
    elif run["state"] == "broken off":
        yield f"last run: {run['command']}, {since}, stopped unexpectedly after {format_duration(run['seconds'])}: killed, or power failed"
        yield f"  {counted}; `pipeline {run['command']}` continues it"
    else:
        yield f"{run['command']} since {since}"
        total = f" of {done + run['waiting']:,}" if run["waiting"] else ""
        yield f"  {counted.replace(' document', f'{total} document', 1)}" + (
            "; waiting for files" if run["state"] == "idle" else ""
        )
        yield from _speed(run)
        if run.get("warning"):
            yield f"  {one_line(run['warning'])}"
        if run.get("cluster"):
            yield from _cluster_lines(run["cluster"])
        if run["reading"]:
            yield one_line(f"  reading {', '.join(run['reading'])}")
        yield f"  last update {format_duration(_age(run['updated']))} ago"
    if run["state"] == "ended":
        yield from _speed(run)


def _cluster_lines(cluster: dict[str, Any]) -> Iterator[str]:
    """The machines of a cluster run, one line each with its actors, the busiest first."""
    actors = cluster["actors"]
    units, pages = (sum(actor[what] for actor in actors) for what in ("units", "pages"))
    starting = f" ({cluster['starting']:,} more are starting or waiting for room)" if cluster["starting"] else ""
    yield (
        f"  ray at {cluster['address']}: {plural(cluster['machines'], 'machine')}, {plural(len(actors), 'actor')}{starting}; "
        f"working on {plural(units, 'unit')} and {plural(pages, 'page')}, {cluster['waiting_units']:,} more units waiting"
    )
    if cluster["lost_actors"]:
        yield f"  {plural(cluster['lost_actors'], 'actor')} lost, {plural(cluster['retried_units'], 'unit')} sent again"
    hosts: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for actor in actors:
        hosts.setdefault((actor["host"], actor["node"]), []).append(actor)
    busiest = sorted(hosts.items(), key=lambda item: -sum(actor["units"] for actor in item[1]))
    for (host, node), there in busiest[:LISTED_HOSTS]:
        each = ", ".join(f"{actor['units']}+{actor['pages']}" for actor in there[:LISTED_HOSTS])
        yield f"    {host} {node}: units+pages {each}; {sum(actor['answered'] for actor in there):,} answered"
    if len(hosts) > LISTED_HOSTS:
        yield f"    … and {len(hosts) - LISTED_HOSTS:,} more machines"
    for host, why in list(cluster["unfit"].items())[:LISTED_HOSTS]:
        yield one_line(f"    not usable: {host}: {why}")


def _speed(run: dict[str, Any]) -> Iterator[str]:
    """The speed, and the time left."""
    if not run["pages_per_minute"]:
        return
    line = f"  {run['documents_per_minute'] or 0:,} documents and {run['pages_per_minute']:,} pages a minute"
    recent = run["recent"]
    if run["state"] == "reading" and recent["seconds"] < run["working_seconds"]:
        line += f" (recently {recent['documents_per_minute'] or 0:,} and {recent['pages_per_minute'] or 0:,})"
    yield line
    if run["state"] == "reading" and run["waiting"]:
        yield f"  time left: {_time_left(run['seconds_left'], _age(run['updated']))}"


def _time_left(range_: list[float] | None, passed: float) -> str:
    if range_ is None:
        return "too early to tell"
    low, high = (max(0.0, end - passed) for end in range_)
    if high <= low * SAME_DURATION or format_duration(low) == format_duration(high):
        return f"about {format_duration((low + high) / 2)}"
    return f"{format_duration(low)} to {format_duration(high)}"


def _local_time(time_: str) -> str:
    """A time of the progress file in local time."""
    return f"{datetime.fromisoformat(time_).astimezone():%Y-%m-%d %H:%M}"


def _age(time_: str) -> float:
    return max(0.0, time.time() - datetime.fromisoformat(time_).timestamp())


def _failures(failures: list[dict[str, Any]]) -> Table:
    table = Table("file", "status", "why", "what to do", box=None, pad_edge=False, header_style="bold")
    for row in failures:
        why = f"{row['reason']}: {row['detail'] or ''}"
        table.add_row(*(Text(one_line(cell)) for cell in (row["file"], row["status"], why, row["cure"])))
    return table
