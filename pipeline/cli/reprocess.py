"""``pipeline reprocess``: documents already seen, and archives, read again with today's recipe."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import click

from pipeline.cli import options
from pipeline.cli.archive_input import UnpackingScreen, members, place
from pipeline.cli.monitors import Eyes, monitored, overrides
from pipeline.cli.run import finish, read, report
from pipeline.errors import StoreError
from pipeline.intake.containers import ARCHIVE_SUFFIXES, is_archive
from pipeline.intake.scan import InboxFile
from pipeline.ledger.file_records import FileRecord
from pipeline.remote.object_store import GoneError
from pipeline.remote.objects import FEW
from pipeline.run.job import Job, check_template, open_job
from pipeline.run.loop import Loop
from pipeline.settings import load_settings


@click.command("reprocess")
@click.argument("paths", nargs=-1, type=options.place)
@options.folders
@click.option("--failed", is_flag=True, help="Documents that failed, wholly or in part; only their missing pages are read.")
@click.option("--status", type=click.Choice(["done", "partial", "failed", "skipped"]), help="Documents with this status.")
@click.option("--read-with", metavar="NAME", help="Documents that were read with this template.")
@click.option("--older-than", metavar="AGE", help="Documents read longer ago, e.g. 12h, 30d, 8w.")
@options.template
@options.engine
@options.model
@options.executor
@options.quiet
@options.as_json
@options.log_json
def command(
    paths: tuple[options.Place, ...],
    config: Path | None,
    inbox: options.Place | None,
    outbox: options.Place | None,
    failed: bool,
    status: str | None,
    read_with: str | None,
    older_than: str | None,
    template: str | None,
    engine: str | None,
    model: str | None,
    executor: str | None,
    address: str | None,
    quiet: bool,
    as_json: bool,
    log_json: bool,
) -> None:
    """Read documents again with today's templates and engine.

    Without PATHS and filters: everything that was ever read. PATHS are files and folders (seen before or not) and archives
    (.zip, .tar, .tar.gz, .tar.xz, .tar.bz2), whose members appear in the outbox below the archive's name. What is published stays
    until the new result is there. Of an archive, what was read before with the same template and engine is not read again unless
    a filter chooses it.

    \b
    Examples:
      pipeline reprocess --failed
      pipeline reprocess --read-with invoice --older-than 30d
      pipeline reprocess scans-2024.zip --template invoice
      pipeline reprocess scans-2024.zip --older-than 0h
    """
    told = {"inbox": inbox, "outbox": outbox, "engine": engine, "model": model, **options.placed(executor, address)}
    settings = load_settings(config, **told, **overrides(log_json))
    screen = UnpackingScreen(logged=settings.log.as_json)
    filtered = bool(failed or status or read_with or older_than)
    with (
        monitored("reprocess", settings, screen, quiet=quiet) as eyes,
        open_job(settings, template=template) as job,
        Loop(job, eyes) as loop,
        eyes.on(job, loop),
    ):
        if read_with:
            check_template(read_with, job.templates)
        here = [_fetched(job, path, eyes) if isinstance(path, str) else path for path in paths]
        archives = list(dict.fromkeys(path.resolve() for path in here if isinstance(path, Path) and is_archive(path)))
        plain = [path for path in here if isinstance(path, str) or path.resolve() not in archives]
        named = list(job.scan(eyes.file_skipped, plain)) if plain else []
        places = tuple(f"{place(job, archive)}/" for archive in archives)
        among = _Among({str(found.source.path) for found in named}, places if filtered else ()) if paths else None
        by_name = among is None or bool(among.paths or among.places)
        chosen = _chosen(job, among, failed, status, read_with, older_than) if by_name else []
        job.ledger.mark_for_rereading(chosen, failed_only=failed)
        todo = _present(job, chosen, eyes, places) if filtered or not paths else named
        more = chain.from_iterable(members(job, archive, screen, eyes, asked_only=filtered) for archive in archives)
        try:
            read(job, loop, screen, eyes, todo, [], more=more, quiet=quiet or as_json)
        finally:
            shutil.rmtree(job.unpacked, ignore_errors=True)
            for archive in archives:
                if job.objects and job.objects.holds(archive):
                    archive.unlink(missing_ok=True)
        report(screen, settings, quiet=quiet, as_json=as_json)
        finish(loop, screen)


def _fetched(job: Job, url: str, eyes: Eyes) -> options.Place:
    """An object that is an archive by its name, fetched; others as they are. Raises SettingsError, StoreError, OutboxError."""
    if not job.objects or not url.lower().endswith(ARCHIVE_SUFFIXES):
        return url
    found = next(job.scan(eyes.file_skipped, [url]))
    if found.size <= job.settings.limits.megabytes * 1_000_000:
        with suppress(GoneError):
            return job.objects.fetch(found).source.path
    return url


@dataclass(frozen=True)
class _Among:
    """Files that the arguments name: their paths, and what the paths of archives' members begin with."""

    paths: set[str]
    places: tuple[str, ...]

    def __contains__(self, path: str) -> bool:
        return path in self.paths or path.startswith(self.places)


def _chosen(
    job: Job, among: _Among | None, failed: bool, status: str | None, read_with: str | None, older_than: str | None
) -> list[FileRecord]:
    """Known files that the filters and paths choose."""
    before = options.long_ago("--older-than", older_than) if older_than else None
    return [
        file
        for path, file in job.ledger.files_by_path().items()
        if (among is None or path in among)
        and (not failed or file.status in ("failed", "partial"))
        and (not status or file.status == status)
        and (not read_with or read_with in file.recipes)
        and (not before or (file.published_at or "") < before)
    ]


def _present(job: Job, chosen: list[FileRecord], eyes: Eyes, unpacking: tuple[str, ...]) -> list[InboxFile]:
    """Those of the files that still lie where they were; members of the archives that are ``unpacking`` come by themselves."""
    found = []
    many = job.objects and len(chosen) > FEW
    listed = {item.source.path: item for item in job.scan(eyes.file_skipped)} if many else {}
    for file in chosen:
        path = file.source.path
        if str(path).startswith(unpacking):
            continue
        try:
            present = listed.get(path) or job.present(file.source)
        except StoreError as error:
            eyes.file_skipped(file.source.name, error.message)
            continue
        if present is None:
            inside = path.is_relative_to(job.unpacked.resolve())
            eyes.file_skipped(file.source.name, "lies in an archive: name the archive" if inside else f"no longer at {path}")
            continue
        found.append(present)
    return found
