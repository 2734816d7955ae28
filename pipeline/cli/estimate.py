"""``pipeline estimate``: how long the inbox takes here, how much memory and disk, from a few pages that are really read."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pipeline.cli import options
from pipeline.cli.console import echo_json, one_line, plural
from pipeline.cli.run import check_inbox
from pipeline.cli.signals import stop_on_signals
from pipeline.engines.registry import make_engine
from pipeline.errors import CURES
from pipeline.estimate.forecast import Forecast, make_forecast
from pipeline.estimate.sampling import PAGES_PER_DOCUMENT
from pipeline.estimate.scaling import ClusterForecast, scale_forecast
from pipeline.estimate.totals import Total
from pipeline.remote.local_copy import update_local_copy
from pipeline.run.job import open_read_only_job
from pipeline.run.refresh import split_up_to_date
from pipeline.settings import Settings
from pipeline.values.times import format_duration

MAX_LISTED = 10
"""Most files that are listed with a reason."""
UNITS = {"m": 60, "h": 3_600, "d": 86_400}


def _parse_time(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """``8h``, ``90m``, ``2d`` in seconds."""
    if value is None:
        return None
    match = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)([mhd])", value)
    if not match:
        raise click.BadParameter(f"`{value}` is not a time: write 90m, 8h or 2d", ctx, param)
    return float(match[1]) * UNITS[match[2]]


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
    help="Begin no further page this long after the first one.",
)
@click.option("--within", metavar="TIME", callback=_parse_time, help="Say how likely it is done in that time: 90m, 8h, 2d.")
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
    overrides = {"inbox": inbox, "outbox": outbox, "engine": engine, "model": model}
    settings = options.read_settings(config, **overrides, **options.cluster_overrides(executor, address))
    check_inbox(settings, paths)
    update_local_copy(settings)
    ready = make_engine(settings)
    skipped: list[tuple[str, str]] = []
    console = Console(stderr=True, quiet=as_json)
    with open_read_only_job(settings, ready, template) as job:
        new, known = split_up_to_date(
            job, job.scan(lambda name, reason: skipped.append((name, reason)), paths), job.file_records
        )
        with stop_on_signals(lambda: None, _interrupt), console.status("scanning the inbox") as status:
            forecast = Forecast(files=0)
            if new:
                report = lambda what, done, of: status.update(f"{what}: {done:,} of {of:,}")  # noqa: E731
                forecast = make_forecast(job, ready, template, new, most=sample, seconds=seconds, report=report)
    forecast.sample.skipped += skipped
    cluster = _for_cluster(forecast, settings, actors)
    forecast = cluster.forecast if cluster else forecast
    values = {"engine": ready.identity, "known": len(known), **_json(forecast, cluster, within)}
    if as_json:
        echo_json(values)
    else:
        click.echo("\n".join(_lines(forecast, cluster, values)))
    if forecast.sample.interrupted:
        raise KeyboardInterrupt


def _for_cluster(forecast: Forecast, settings: Settings, actors: int | None) -> ClusterForecast | None:
    """The forecast for a cluster, if the command names one."""
    cores = len(os.sched_getaffinity(0))
    if actors:
        return scale_forecast(forecast, [cores] * actors, cores)
    if settings.executor != "ray":
        return None
    from pipeline.cluster.capacity import actor_cores

    return scale_forecast(forecast, actor_cores(settings.ray), cores)


def _interrupt(signal: str) -> None:
    del signal
    raise KeyboardInterrupt


def _json(forecast: Forecast, cluster: ClusterForecast | None, within: float | None) -> dict[str, Any]:
    """The result for programs."""
    sample, seconds, pages = forecast.sample, forecast.seconds, forecast.pages
    main, readers = sample.memory
    return {
        "files": forecast.files,
        "pages": _range(pages, 0),
        "seconds": _range(seconds, 1),
        "startup_seconds": round(sample.startup, 2),
        "pages_per_hour": _per_hour(pages.value if pages else 0, seconds),
        "documents_per_hour": _per_hour(forecast.files, seconds),
        "memory_bytes": {"peak": main + readers, "main": main, "readers": readers} if main else None,
        "outbox_bytes": _range(forecast.bytes, 0),
        "within": {"seconds": within, "probability": round(seconds.probability_within(within), 3)}
        if within and seconds
        else None,
        "sample": {
            "opened": forecast.opened,
            "documents": len(forecast.read),
            "pages": sum(len(file.pages) for file in forecast.read),
            "seconds": round(sample.startup + sample.seconds, 2),
            "unfinished": forecast.unfinished,
            "failed": [
                {"file": file.source.name, "reason": file.reason, "detail": file.detail, "cure": CURES[file.reason]}
                for file in forecast.failed
                if file.reason
            ],
        },
        "left_for_later": [{"file": name, "why": reason} for name, reason in sample.skipped],
        "shared_with_another_run": forecast.is_shared,
        "interrupted": sample.interrupted,
        "cluster": cluster
        and {
            "actors": cluster.actors,
            "cores": cluster.cores,
            "driver_seconds": _range(cluster.driver, 1),
            "driver_is_the_limit": cluster.driver_is_limit,
        },
    }


def _range(total: Total | None, digits: int) -> dict[str, float] | None:
    if total is None:
        return None
    sides = {"value": total.value, "low": total.range[0], "high": total.range[1]}
    return {name: round(side, digits) if digits else round(side) for name, side in sides.items()}


def _per_hour(count: float, seconds: Total | None) -> dict[str, float] | None:
    if seconds is None or not seconds.range[0]:
        return None
    sides = {"value": seconds.value, "low": seconds.range[1], "high": seconds.range[0]}
    return {name: round(3_600 * count / side, 1) for name, side in sides.items()}


def _lines(forecast: Forecast, cluster: ClusterForecast | None, values: dict[str, Any]) -> Iterator[str]:
    """The same for people."""
    sample, seconds, known = forecast.sample, forecast.seconds, values["known"]
    skipped = [one_line(f"left out: {name}: {reason}") for name, reason in sample.skipped[:MAX_LISTED]]
    if not forecast.files:
        yield "nothing to do: " + (f"{plural(known, 'file')} known and up to date" if known else "there is no file to read")
        yield from skipped
        return
    yield f"to read:   {plural(forecast.files, 'file')} ({known:,} more known and up to date), engine {values['engine']}"
    if forecast.pages:
        opened = "all opened" if forecast.opened == forecast.files else f"{forecast.opened:,} of them opened"
        yield f"pages:     {_text(forecast.pages, _count)}, {opened}"
    if seconds and forecast.pages:
        main, readers = sample.memory
        pages, documents = (3_600 * count / (seconds.value or 1) for count in (forecast.pages.value, forecast.files))
        yield f"time:      {_text(seconds, format_duration)}, of it {format_duration(sample.startup)} for the start"
        yield f"pace:      {pages:,.0f} pages, {documents:,.0f} documents an hour"
        yield f"memory:    {_size(main + readers)} at the peak: {_size(main)} with the engine in it, {_size(readers)} for readers"
        if forecast.bytes:
            yield f"outbox:    {_text(forecast.bytes, _size)}"
        if values["within"]:
            yield f"within {format_duration(values['within']['seconds'])}: {values['within']['probability']:.0%} likely"
    else:
        yield "time:      no page was read to its end, so there is no estimate"
    read, failed = plural(len(forecast.read), "document"), forecast.failed
    pages_read, took = plural(values["sample"]["pages"], "page"), format_duration(values["sample"]["seconds"])
    yield f"\nRead for this: {read} drawn by kind and size, {pages_read}, in {took}."
    if any((file.document_pages or 0) > PAGES_PER_DOCUMENT for file in forecast.read):
        yield f"Of long documents the first {PAGES_PER_DOCUMENT} pages were read; the others are taken to cost as much."
    if forecast.unfinished:
        yield f"{plural(forecast.unfinished, 'document')} not finished in time: left out."
    if forecast.is_shared:
        yield "Another run works on this outbox and makes this one slower."
    if failed:
        yield f"{len(failed):,} of the {read} cannot be read, wholly or in part:"
        yield from (one_line(f"  {file.source.name}: {file.reason}: {file.detail}") for file in failed[:MAX_LISTED])
    yield from skipped
    if cluster:
        yield f"cluster:   {plural(cluster.actors, 'actor')}, {plural(cluster.cores, 'core')}; memory is that of each of them"
        if cluster.driver:
            yield f"driver:    {_text(cluster.driver, format_duration)} for its own part, however many actors there are"
        if cluster.driver_is_limit:
            yield "           and this limits the run: more actors do not help, several drivers would (--shard)"


def _text(total: Total, form: Callable[[float], str]) -> str:
    """``about 3 h (2 h to 5 h)``."""
    value, low, high = (form(side) for side in (total.value, *total.range))
    return value if low == high else f"about {value} ({low} to {high})"


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _size(value: float) -> str:
    if value < 999_500:
        return f"{value / 1e3:.0f} kB"
    if value < 999_500_000:
        return f"{value / 1e6:.1f} MB" if value < 9_950_000 else f"{value / 1e6:.0f} MB"
    return f"{value / 1e9:.1f} GB"
