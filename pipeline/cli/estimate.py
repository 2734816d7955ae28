"""``pipeline estimate``: how long the inbox will take here, how much memory and disk, from a few pages really read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pipeline.cli import options
from pipeline.cli.console import echo_json, one_line, plural
from pipeline.cli.run import check_inbox
from pipeline.cli.signals import stop_on_signals
from pipeline.engines.registry import make_engine
from pipeline.errors import CURES
from pipeline.estimate.forecast import Forecast, forecast
from pipeline.estimate.sampling import PAGES_EACH, Told
from pipeline.estimate.scaling import Spread, spread
from pipeline.estimate.totals import Total
from pipeline.remote.local_copy import update_local_copy
from pipeline.run.job import looking_job
from pipeline.run.refresh import only_new
from pipeline.settings import Settings
from pipeline.values.times import format_duration

SHOWN_FAILURES = 10
UNITS = {"m": 60, "h": 3_600, "d": 86_400}


def _span(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """``8h``, ``90m``, ``2d`` in seconds."""
    if value is None:
        return None
    found = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)([mhd])", value)
    if not found:
        raise click.BadParameter(f"`{value}` is no time: write 90m, 8h or 2d", ctx, param)
    return float(found[1]) * UNITS[found[2]]


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
    type=click.FloatRange(min=0, min_open=True, max=1_000_000),
    default=120,
    show_default=True,
    help="Begin no further page so long after the first one.",
)
@click.option("--within", metavar="TIME", callback=_span, help="Say how likely it is done in that time: 90m, 8h, 2d.")
@options.as_json
def command(
    paths: tuple[options.PathOrUrl, ...],
    config: Path | None,
    inbox: options.PathOrUrl | None,
    outbox: options.PathOrUrl | None,
    template: str | None,
    engine: str | None,
    model: str | None,
    executor: str | None,
    address: str | None,
    actors: int | None,
    sample: int,
    seconds: float,
    within: float | None,
    as_json: bool,
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
    chosen = {
        "inbox": inbox,
        "outbox": outbox,
        "engine": engine,
        "model": model,
        **options.cluster_overrides(executor, address),
    }
    settings = options.read_settings(config, **chosen)
    check_inbox(settings, paths)
    update_local_copy(settings)
    ready = make_engine(settings)
    left: list[tuple[str, str]] = []
    with looking_job(settings, ready, template) as job:
        todo, known = only_new(job, job.scan(lambda name, why: left.append((name, why)), paths), job.known)
        with stop_on_signals(lambda: None, _interrupt), _bar(quiet=as_json) as told:
            made = forecast(job, ready, template, todo, most=sample, seconds=seconds, told=told) if todo else Forecast(files=0)
    made.sample.left += left
    shared = _shared(made, settings, actors)
    made = shared.forecast if shared else made
    if as_json:
        echo_json({**_json(made, len(known), ready.identity, within), "cluster": _cluster(shared)})
    else:
        for line in _lines(made, len(known), ready.identity, within):
            click.echo(line)
        for line in _told(shared):
            click.echo(line)
    if made.interrupted:
        raise KeyboardInterrupt


def _shared(made: Forecast, settings: Settings, actors: int | None) -> Spread | None:
    """The forecast for a cluster, where one was asked for."""
    here = len(os.sched_getaffinity(0))
    if actors:
        return spread(made, [here] * actors, here)
    if settings.executor != "ray":
        return None
    from pipeline.cluster.capacity import actor_cores

    return spread(made, actor_cores(settings.ray), here)


def _cluster(shared: Spread | None) -> dict[str, Any] | None:
    if shared is None:
        return None
    driver = _range(shared.driver, 1)
    return {"actors": shared.actors, "cores": shared.cores, "driver_seconds": driver, "driver_is_the_limit": shared.driven}


def _told(shared: Spread | None) -> Iterator[str]:
    if shared is None:
        return
    yield f"cluster:   {plural(shared.actors, 'actor')}, {plural(shared.cores, 'core')}; memory is that of each of them"
    if shared.driver:
        yield f"driver:    {_said(shared.driver, format_duration)} for its own part, however many actors there are"
    if shared.driven:
        yield "           which is what limits this run: more actors do not help, several drivers would (--shard)"


def _interrupt(signal: str) -> None:
    del signal
    raise KeyboardInterrupt


@contextmanager
def _bar(*, quiet: bool) -> Iterator[Told]:
    """A progress bar as something to tell; nothing when quiet or when nobody looks."""
    console = Console(stderr=True)
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("looking", total=None)
        yield lambda what, done, of: progress.update(task, description=what, completed=done, total=of)


# ---- for programs -------------------------------------------------------------------------------------


def _json(made: Forecast, known: int, engine: str, within: float | None) -> dict[str, Any]:
    sample = made.sample
    main, readers = sample.memory
    return {
        "engine": engine,
        "files": made.files,
        "known": known,
        "pages": _range(made.pages, 0),
        "seconds": _range(made.seconds, 1),
        "startup_seconds": round(sample.startup, 2),
        "pages_per_hour": _pace(made.pages.value if made.pages else 0, made.seconds),
        "documents_per_hour": _pace(made.files, made.seconds),
        "memory_bytes": {"peak": main + readers, "main": main, "readers": readers} if main else None,
        "outbox_bytes": _range(made.bytes, 0),
        "within": {"seconds": within, "probability": round(made.seconds.within(within), 3)}
        if within and made.seconds
        else None,
        "sample": {
            "opened": made.opened,
            "documents": len(made.read),
            "pages": sum(len(seen.pages) for seen in made.read),
            "seconds": round(sample.startup + sample.seconds, 2),
            "unfinished": made.unfinished,
            "failed": [
                {"file": seen.source.name, "reason": seen.reason, "detail": seen.detail, "cure": CURES[seen.reason]}
                for seen in made.failed
                if seen.reason
            ],
        },
        "left_for_later": [{"file": name, "why": why} for name, why in sample.left],
        "shared_with_another_run": made.shared,
        "interrupted": made.interrupted,
    }


def _range(total: Total | None, digits: int) -> dict[str, float] | None:
    if total is None:
        return None
    low, high = total.range
    rounded = {name: round(side, digits) for name, side in (("value", total.value), ("low", low), ("high", high))}
    return rounded if digits else {name: int(side) for name, side in rounded.items()}


def _pace(things: float, seconds: Total | None) -> dict[str, float] | None:
    """So many things an hour."""
    if seconds is None or not seconds.range[0]:
        return None
    low, high = seconds.range
    return {name: round(3_600 * things / side, 1) for name, side in (("value", seconds.value), ("low", high), ("high", low))}


# ---- for people ---------------------------------------------------------------------------------------


def _lines(made: Forecast, known: int, engine: str, within: float | None) -> Iterator[str]:
    if not made.files:
        yield (
            f"nothing to do: {plural(known, 'file')} known and up to date"
            if known
            else "nothing to do: there is no file to read"
        )
        yield from _left(made)
        return
    yield f"to read:   {plural(made.files, 'file')} ({known:,} more known and up to date), engine {engine}"
    if made.pages:
        opened = "all opened" if made.opened == made.files else f"{made.opened:,} of them opened"
        yield f"pages:     {_said(made.pages, _number)}, {opened}"
    if made.seconds and made.pages:
        yield f"time:      {_said(made.seconds, format_duration)}, of it {format_duration(made.sample.startup)} for the start"
        pages, documents = (3_600 * many / (made.seconds.value or 1) for many in (made.pages.value, made.files))
        yield f"pace:      {_number(pages)} pages, {_number(documents)} documents an hour"
        main, readers = made.sample.memory
        yield f"memory:    {_size(main + readers)} at the peak: {_size(main)} with the engine in it, {_size(readers)} for readers"
        if made.bytes:
            yield f"outbox:    {_said(made.bytes, _size)}"
        if within:
            yield f"within {format_duration(within)}: {made.seconds.within(within):.0%} likely"
    else:
        yield "time:      no page was read to its end, so that nothing can be said"
    yield from _sample(made)
    yield from _left(made)


def _sample(made: Forecast) -> Iterator[str]:
    """What the figures stand on."""
    pages = sum(len(seen.pages) for seen in made.read)
    took = format_duration(made.sample.startup + made.sample.seconds)
    yield f"\nRead for this: {plural(len(made.read), 'document')} drawn by kind and size, {plural(pages, 'page')}, in {took}."
    if any(seen.document and seen.document.pages > PAGES_EACH for seen in made.read):
        yield f"Of long ones the first {PAGES_EACH} pages were read; the others are taken to cost as much."
    if made.unfinished:
        yield f"{plural(made.unfinished, 'document')} begun and not finished in time: left out."
    if made.shared:
        yield "Another run is at work on this outbox: alone, it would be faster."
    if made.failed:
        yield f"{len(made.failed):,} of the {plural(len(made.read), 'document')} cannot be read, wholly or in part:"
        for seen in made.failed[:SHOWN_FAILURES]:
            yield one_line(f"  {seen.source.name}: {seen.reason}: {seen.detail}")


def _left(made: Forecast) -> Iterator[str]:
    for name, why in made.sample.left[:SHOWN_FAILURES]:
        yield one_line(f"left out: {name}: {why}")


def _said(total: Total, say: Any) -> str:
    """``about 3 h (2 h to 5 h)``."""
    value, low, high = (say(side) for side in (total.value, *total.range))
    return f"{value}" if low == high else f"about {value} ({low} to {high})"


def _number(value: float) -> str:
    return f"{value:,.0f}"


def _size(value: float) -> str:
    if value < 999_500:
        return f"{value / 1e3:.0f} kB"
    if value < 999_500_000:
        return f"{value / 1e6:.1f} MB" if value < 9_950_000 else f"{value / 1e6:.0f} MB"
    return f"{value / 1e9:.1f} GB"
