"""Options that several commands share."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from pipeline.cli.terminal import echo
from pipeline.engines.registry import ENGINE_NAMES
from pipeline.errors import SettingsError
from pipeline.object_urls import is_url
from pipeline.safe_open import path_problem, shortened
from pipeline.settings import Settings, load_settings
from pipeline.values.times import format_timestamp

F = TypeVar("F", bound=Callable[..., Any])
_AGE = re.compile(r"^(\d{1,6})([hdw])$")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}
PathOrUrl = Path | str
"""A path, or the URL of an object store. A URL stays a string: as a Path it would lose a slash."""


def path_or_url(text: str) -> PathOrUrl:
    """``text`` itself if it is a URL, else as ``local_path``."""
    return text if is_url(text) else local_path(text)


def local_path(text: str) -> Path:
    """A path. Raises SettingsError for one that the operating system refuses."""
    if problem := path_problem(Path(text)):
        raise SettingsError(f"{shortened(text)}: {problem}", "check the path; nothing was read of it")
    return Path(text)


config = click.option(
    "--config",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Settings file [./pipeline.yaml, if it exists].",
)
inbox = click.option(
    "--inbox", type=path_or_url, metavar="PATH", help="Folder to read, or its URL in an object store or a mailbox [./inbox]."
)
outbox = click.option(
    "--outbox", type=path_or_url, metavar="PATH", help="Folder for results, or its URL in an object store [./outbox]."
)
engine = click.option("--engine", metavar="NAME", help=f"What reads the pages: {', '.join(ENGINE_NAMES)} [auto].")
model = click.option(
    "--model", metavar="NAME", help="Model of the engine: a name, a folder or a GGUF file [the engine's default]."
)
template = click.option(
    "--template", metavar="NAME", help="Use this template for every file, e.g. invoice; several with commas."
)
schema = click.option(
    "--schema",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Fill this JSON Schema from every file, e.g. order.schema.json.",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
quiet = click.option("--quiet", "-q", is_flag=True, help="Print only what failed, and one line of summary (for cron).")
log_json = click.option(
    "--log-json", is_flag=True, help="Write the log to standard error, one JSON object a line, instead of text [log.json]."
)
metrics_port = click.option(
    "--metrics-port",
    metavar="N",
    type=click.IntRange(0, 65_535),
    help="Serve metrics for Prometheus on this port; 0 is off [metrics.port].",
)


_executor = click.option(
    "--executor", type=click.Choice(["local", "ray"]), help="Read on this machine, or on the machines of a Ray cluster [local]."
)
_address = click.option("--address", metavar="HOST:PORT", help="The Ray cluster; `local` starts one here [ray.address].")
_shard = click.option(
    "--shard", metavar="K/N", help="Read only the K-th of N parts of the inbox; each part needs its own outbox."
)

max_minutes = click.option(
    "--max-minutes",
    type=click.FloatRange(min=0, min_open=True),
    help="Stop after this time, once the pages in work are done; exit code 1 if files are left. The next run continues.",
)


def executor(command: F) -> F:
    """``--executor --address``."""
    return _executor(_address(command))


def shard(command: F) -> F:
    """``--executor --address --shard``."""
    return executor(_shard(command))


def cluster_overrides(executor: str | None, address: str | None, shard: str | None = None) -> dict[str, Any]:
    """These options as overrides of the settings. ``--address`` implies ``--executor ray``."""
    return {
        "executor": executor or ("ray" if address else None),
        "ray": {"address": address} if address else None,
        "shard": shard,
    }


def deadline_after(minutes: float | None) -> float | None:
    """The monotonic time in ``minutes`` from now; None without a limit."""
    return None if minutes is None else time.monotonic() + 60 * minutes


def time_before(option: str, age: str) -> str:
    """The time that was ``age`` (``12h``, ``30d``, ``8w``) ago, as the ledger writes times. Raises SettingsError."""
    match = _AGE.match(age)
    try:
        then = datetime.now(UTC) - timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None
    except OverflowError:  # before the year 1
        then = None
    if then is None:
        raise SettingsError(f"{option} {age}: this is not an age", "write a number and h, d or w, e.g. 30d")
    return format_timestamp(then)


def folders(command: F) -> F:
    """``--config --inbox --outbox``."""
    return config(inbox(outbox(command)))


def read_settings(config: Path | None, **overrides: Any) -> Settings:
    """``load_settings``, and a warning on standard error for each key of an older version. A run with a JSON log logs it instead."""
    settings = load_settings(config, **overrides)
    if not settings.log.as_json:
        for line in settings.deprecations:
            echo(f"pipeline: {line}", err=True)
    return settings
