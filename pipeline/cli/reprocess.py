"""``pipeline reprocess``: documents already seen, and archives, read again with today's recipe."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from pipeline.cli import options
from pipeline.cli.monitoring import Eyes, monitored, overrides
from pipeline.cli.run import finish, read, report
from pipeline.cli.show import Screen
from pipeline.errors import SettingsError
from pipeline.intake.archives import is_archive, unpack
from pipeline.intake.scan import Found, look_at, scan_arguments
from pipeline.ledger.ledger import KnownFile
from pipeline.run.job import Job, check_template, open_job
from pipeline.run.loop import Loop
from pipeline.settings import load_settings

_AGE = re.compile(r"^(\d+)([hdw])$")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


@click.command("reprocess")
@click.argument("paths", nargs=-1, type=options.Path_)
@options.folders
@click.option("--failed", is_flag=True, help="Documents that failed, wholly or in part; only their missing pages are read.")
@click.option("--status", type=click.Choice(["done", "partial", "failed", "skipped"]), help="Documents with this status.")
@click.option("--read-with", metavar="NAME", help="Documents that were read with this template.")
@click.option("--older-than", metavar="AGE", help="Documents read longer ago, e.g. 12h, 30d, 8w.")
@options.template
@options.engine
@options.model
@options.quiet
@options.as_json
@options.log_json
def command(
    paths: tuple[Path, ...],
    config: Path | None,
    inbox: Path | None,
    outbox: Path | None,
    failed: bool,
    status: str | None,
    read_with: str | None,
    older_than: str | None,
    template: str | None,
    engine: str | None,
    model: str | None,
    quiet: bool,
    as_json: bool,
    log_json: bool,
) -> None:
    """Read documents again with today's templates and engine.

    Without PATHS and filters: everything that was ever read. PATHS are files and folders (seen before or not) and archives
    (.zip, .tar, .tar.gz, .tar.xz), whose members appear in the outbox below the archive's name. What is published stays until
    the new result is there.

    \b
    Examples:
      pipeline reprocess --failed
      pipeline reprocess --read-with invoice --older-than 30d
      pipeline reprocess scans-2024.zip --template invoice
    """
    settings = load_settings(config, inbox=inbox, outbox=outbox, engine=engine, model=model, **overrides(log_json))
    screen = Screen(logged=settings.log.as_json)
    with (
        monitored("reprocess", settings, screen, quiet=quiet) as eyes,
        open_job(settings, template=template) as job,
        Loop(job, eyes) as loop,
        eyes.on(job, loop),
    ):
        if read_with:
            check_template(read_with, job.templates)
        named = list(_named(job, paths, eyes)) if paths else None
        chosen = _chosen(job, named, failed=failed, status=status, read_with=read_with, older_than=older_than)
        job.ledger.forget(chosen, failed_only=failed)
        todo = named if named is not None and not (failed or status or read_with or older_than) else _present(job, chosen, eyes)
        read(job, loop, screen, eyes, todo, [], quiet=quiet or as_json)
        report(screen, settings, quiet=quiet, as_json=as_json)
        shutil.rmtree(job.unpacked, ignore_errors=True)
        finish(loop, screen)


def _named(job: Job, paths: tuple[Path, ...], eyes: Eyes) -> Iterator[Found]:
    """Files of the arguments, archives unpacked."""
    for path in paths:
        if is_archive(path):
            yield from _unpacked(job, path, eyes)
        else:
            yield from scan_arguments([path], job.inbox, job.namer, eyes.left)


def _unpacked(job: Job, archive: Path, eyes: Eyes) -> Iterator[Found]:
    """Members of an archive; two archives of the same name do not meet."""
    root = job.unpacked / hashlib.sha256(os.fsencode(archive.resolve())).hexdigest()[:12]
    done = unpack(archive, root / archive.name, max_bytes=job.settings.limits.megabytes * 1_000_000)
    for member, why in [*done.refused, *done.damaged]:
        eyes.left(f"{archive.name}/{member}", why)
    if done.damaged:
        eyes.tally.documents["failed"] += len(done.damaged)
    for path in done.files:
        found = look_at(path.resolve(), root.resolve(), job.namer)
        if found:
            yield found


def _chosen(
    job: Job, named: list[Found] | None, *, failed: bool, status: str | None, read_with: str | None, older_than: str | None
) -> list[KnownFile]:
    """Known files that the filters and paths choose."""
    paths = {str(found.source.path) for found in named} if named is not None else None
    before = _before(older_than) if older_than else None
    times = {os.fsdecode(row["path"]): row["published_at"] for row in job.ledger.rows("SELECT path, published_at FROM files")}
    return [
        file
        for path, file in job.ledger.known_files().items()
        if (paths is None or path in paths)
        and (not failed or file.status in ("failed", "partial"))
        and (not status or file.status == status)
        and (not read_with or read_with in file.recipes)
        and (not before or (times[path] or "") < before)
    ]


def _before(age: str) -> str:
    match = _AGE.match(age)
    if not match:
        raise SettingsError(f"--older-than {age}: not an age", "write a number and h, d or w, e.g. 30d")
    then = datetime.now(UTC) - timedelta(**{_UNITS[match[2]]: int(match[1])})
    return then.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _present(job: Job, chosen: list[KnownFile], eyes: Eyes) -> list[Found]:
    """Those of the files that still lie where they were."""
    found = []
    for file in chosen:
        try:
            stat = file.source.path.stat()
        except OSError:
            eyes.left(file.source.name, f"no longer at {file.source.path}")
            continue
        found.append(Found(file.source, stat.st_size, stat.st_mtime_ns))
    del job
    return found
