"""Options that several commands share."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from pipeline.engines.registry import ENGINE_NAMES
from pipeline.errors import SettingsError
from pipeline.object_urls import is_url
from pipeline.values.times import format_timestamp

F = TypeVar("F", bound=Callable[..., Any])
_AGE = re.compile(r"^(\d{1,6})([hdw])$")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
Path_ = click.Path(path_type=Path)
Place = Path | str
"""A path, or the URL of an object store, which is no path: it would lose a slash."""


def place(written: str) -> Place:
    """A URL as it is, all else as a path."""
    return written if is_url(written) else Path(written)


config = click.option(
    "--config", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Settings file [./pipeline.yaml if there]."
)
inbox = click.option("--inbox", type=place, metavar="PATH", help="Folder to read, or its URL in an object store [./inbox].")
outbox = click.option(
    "--outbox", type=place, metavar="PATH", help="Folder for results, or its URL in an object store [./outbox]."
)
engine = click.option("--engine", metavar="NAME", help=f"What reads the pages: {', '.join(ENGINE_NAMES)} [auto].")
model = click.option(
    "--model", metavar="NAME", help="Model of the engine: a name, a folder or a GGUF file [the engine's default]."
)
template = click.option(
    "--template", metavar="NAME", help="Use this template for every file, e.g. invoice; several with commas."
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
quiet = click.option(
    "--quiet", "-q", is_flag=True, help="Print nothing but what failed, and a line that sums it up (for cron)."
)
log_json = click.option(
    "--log-json", is_flag=True, help="Write one JSON object a line on standard error, instead of text (log.json)."
)
metrics_port = click.option(
    "--metrics-port",
    metavar="N",
    type=click.IntRange(0, 65_535),
    help="Serve metrics for Prometheus there; 0 is off [metrics.port].",
)


_executor = click.option(
    "--executor", type=click.Choice(["local", "ray"]), help="Read on this machine, or on those of a Ray cluster [local]."
)
_address = click.option("--address", metavar="HOST:PORT", help="The Ray cluster; `local` starts one here [ray.address].")
_shard = click.option("--shard", metavar="K/N", help="Only the K-th of N parts of the inbox, each with an outbox of its own.")

max_minutes = click.option(
    "--max-minutes",
    type=click.FloatRange(min=0, min_open=True),
    help="Stop after so long, when the pages in flight are done; the next run goes on.",
)


def executor(command: F) -> F:
    """``--executor --address``."""
    return _executor(_address(command))


def shard(command: F) -> F:
    """``--executor --address --shard``."""
    return executor(_shard(command))


def placed(executor: str | None, address: str | None, shard: str | None = None) -> dict[str, Any]:
    """What these options say, for ``load_settings``. Who names a cluster means to use it."""
    return {
        "executor": executor or ("ray" if address else None),
        "ray": {"address": address} if address else None,
        "shard": shard,
    }


def until(minutes: float | None) -> float | None:
    """The time (monotonic) at which so many minutes are over."""
    return None if minutes is None else time.monotonic() + 60 * minutes


def long_ago(option: str, age: str) -> str:
    """The time before which lies what is older than ``12h``, ``30d`` or ``8w``, as the ledger writes times. Raises SettingsError."""
    match = _AGE.match(age)
    try:
        then = datetime.now(UTC) - timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None
    except OverflowError:  # before the year 1
        then = None
    if then is None:
        raise SettingsError(f"{option} {age}: not an age", "write a number and h, d or w, e.g. 30d")
    return format_timestamp(then)


def folders(command: F) -> F:
    """``--config --inbox --outbox``."""
    return config(inbox(outbox(command)))
