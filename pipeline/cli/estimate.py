"""``pipeline estimate``: how long the inbox takes here, how much memory and disk, from a few pages that are really read."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.filesize import decimal
from rich.table import Table

from pipeline.cli import options
from pipeline.cli.console import TerminalConsole, document_row, plural
from pipeline.cli.run import check_inbox
from pipeline.cli.signals import stop_on_signals
from pipeline.cli.terminal import echo, echo_json
from pipeline.engines.registry import make_engine
from pipeline.estimate.ratio_estimate import Estimate, Total, make_estimate
from pipeline.printable import one_line
from pipeline.remote.local_copy import update_local_copy
from pipeline.run.job import open_read_only_job
from pipeline.run.refresh import split_up_to_date
from pipeline.runtime.lock import is_locked
from pipeline.values.times import format_duration

MAX_LISTED = 10  # files that are listed with a reason
ROWS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("time", "seconds", format_duration),
    ("pages", "pages", "{:,}".format),
    ("pages an hour", "pages_per_hour", "{:,.0f}".format),
    ("disk (outbox)", "outbox_bytes", decimal),
    ("driver's own time", "driver_seconds", format_duration),
)


def _parse_time(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """``8h``, ``90m``, ``2d`` in seconds."""
    match = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)([mhd])", value or "")
    if value and not match:
        raise click.BadParameter(f"`{value}` is not a time: write 90m, 8h or 2d", ctx, param)
    return float(match[1]) * {"m": 60, "h": 3_600, "d": 86_400}[match[2]] if match else None


def _interrupt() -> None:
    raise KeyboardInterrupt


@click.command("estimate")
@click.argument("paths", nargs=-1, type=options.path_or_url)
@options.folders
@options.template
@options.engine
@options.model
@options.executor
@click.option("--actors", metavar="N", type=click.IntRange(1, 100_000), help="As if N machines like this one shared the work.")
@click.option("--sample", metavar="N", type=click.IntRange(1, 10_000), default=40, show_default=True, help="Documents to read.")
@click.option(
    "--seconds",
    metavar="BUDGET",
    type=click.FloatRange(0, 1_000_000, min_open=True),
    default=120,
    show_default=True,
    help="Begin no further page this long after the first one.",
)
@click.option("--within", metavar="TIME", callback=_parse_time, help="Say how likely it is done in that time: 90m, 8h, 2d.")
@options.as_json
def command(
    paths: tuple[options.PathOrUrl, ...],
    config: Path | None,
    template: str | None,
    executor: str | None,
    address: str | None,
    actors: int | None,
    sample: int,
    seconds: float,
    within: float | None,
    as_json: bool,
    **overrides: Any,
) -> None:
    """Predict hours, memory and disk for what is new in the inbox (or the PATHS given).

    Reads some documents, drawn at random, as `pipeline run` would, and throws the results away. Nothing is written to the outbox, and
    another run may be at work, though it makes this one slower. Ranges are meant to hold 95 times of 100, if the machine stays as it is.

    \b
    Examples:
      pipeline estimate
      pipeline estimate --engine vlm --seconds 900 --within 8h
      pipeline estimate --actors 16 --within 8h

    With --executor ray the sample is read here all the same, and the time divided among the actors for which the cluster has room.
    """
    settings = options.read_settings(config, **overrides, **options.cluster_overrides(executor, address))
    check_inbox(settings, paths)
    update_local_copy(settings)
    engine, skipped = make_engine(settings), list[tuple[str, str]]()
    status = TerminalConsole(stderr=True, quiet=as_json).status(f"reading up to {sample} documents of the inbox")
    with open_read_only_job(settings, engine, template) as job, stop_on_signals(_interrupt, lambda _: None), status:
        shared = is_locked(settings.outbox)
        new, known = split_up_to_date(
            job, job.scan(lambda name, reason: skipped.append((name, reason)), paths), job.file_records
        )
        estimate = make_estimate(job, engine, template, new, sample, seconds)
    cores = here = len(os.sched_getaffinity(0))
    if actors:
        cores *= actors
    elif settings.executor == "ray":
        from pipeline.cluster.capacity import actor_cores

        places = actor_cores(settings.ray)
        actors, cores = len(places), sum(places)
    estimate = estimate.divide(here / max(1, cores)) if actors is not None else estimate
    cluster = actors is not None and {
        "actors": actors,
        "cores": cores,
        "driver_seconds": _range(estimate.driver, 1),
        "driver_is_the_limit": estimate.driver_is_limit,
    }
    values = {"engine": engine.identity, "known": len(known), **_values(estimate, within), "cluster": cluster or None}
    values |= {
        "shared_with_another_run": shared,
        "left_for_later": [{"file": name, "why": why} for name, why in (*skipped, *estimate.sample.skipped)],
    }
    if as_json:
        echo_json(values)
    else:
        _print(values)
    if estimate.interrupted:
        raise KeyboardInterrupt


def _values(estimate: Estimate, within: float | None) -> dict[str, Any]:
    sample, seconds, pages, read = estimate.sample, estimate.seconds, estimate.pages, estimate.read.values()
    main, readers = sample.memory
    failed = [file.publication for file in read if file.publication and file.publication.reason]
    return {
        "files": estimate.files,
        "pages": _range(pages, 0),
        "seconds": _range(seconds, 1),
        "startup_seconds": round(sample.startup, 2),
        "pages_per_hour": _range(seconds and pages and seconds.apply(lambda seconds: 3_600 * pages.value / seconds), 1),
        "documents_per_hour": _range(seconds and seconds.apply(lambda seconds: 3_600 * estimate.files / seconds), 1),
        "memory_bytes": {"peak": main + readers, "main": main, "readers": readers} if main else None,
        "outbox_bytes": _range(estimate.bytes, 0),
        "within": {"seconds": within, "probability": round(float((seconds.outcomes <= within).mean()), 3)}
        if within and seconds
        else None,
        "sample": {
            "opened": len(sample.pages),
            "documents": len(read),
            "pages": sum(len(file.pages) for file in read),
            "seconds": round(sample.startup + sample.seconds, 2),
            "unfinished": len(sample.files) - len(read),
            "failed": [document_row(publication) for publication in failed],
        },
        "interrupted": estimate.interrupted,
    }


def _range(total: Total | None, digits: int) -> dict[str, float] | None:
    """For JSON: the most likely value, and the ends of the range that holds 95 times of 100."""
    sides = total and dict(zip(("value", "low", "high"), (total.value, *total.range), strict=True))
    return {name: round(side, digits or None) for name, side in sides.items()} if sides else None


def _print(values: dict[str, Any]) -> None:
    """The same for people: a table, and what one has to know about it."""
    sample, within, cluster, known = values["sample"], values["within"], values["cluster"] or {}, values["known"]
    notes = []
    if not values["files"]:
        echo("nothing to do: " + (f"{plural(known, 'file')} known and up to date" if known else "there is no file to read"))
    else:
        echo(f"{plural(values['files'], 'file')} to read ({known:,} more known and up to date), engine {values['engine']}\n")
        table = Table("", "about", "likely", box=None, pad_edge=False, header_style="bold")
        for name, key, form in ROWS:
            if sides := {**values, **cluster}.get(key):
                value, low, high = (form(sides[side]) for side in ("value", "low", "high"))
                table.add_row(name, value, "" if low == high else f"{low} to {high}")
        if values["memory_bytes"]:
            table.add_row("memory", decimal(values["memory_bytes"]["peak"]), "on each machine" if cluster else "")
        TerminalConsole().print(table)
        documents, pages = plural(sample["documents"], "document"), plural(sample["pages"], "page")
        notes.append(f"\nFrom {documents} and {pages}, really read in {format_duration(sample['seconds'])}.")
    if values["files"] and not values["seconds"]:
        notes.append("No page was read to its end, so there is no estimate of the time.")
    if within:
        notes.append(f"Within {format_duration(within['seconds'])}: {within['probability']:.0%} likely.")
    if values["shared_with_another_run"]:
        notes.append("Another run works on this outbox and makes this one slower.")
    if cluster.get("driver_is_the_limit"):
        notes.append("The driver limits the run: more actors do not help, several drivers would (--shard).")
    echo("\n".join(notes)) if notes else None
    for file in sample["failed"][:MAX_LISTED]:
        echo(one_line(f"cannot be read: {file['file']}: {file['reason']}: {file['detail']}"))
    for file in values["left_for_later"][:MAX_LISTED]:
        echo(one_line(f"left out: {file['file']}: {file['why']}"))
