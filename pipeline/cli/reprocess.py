"""``pipeline reprocess``: read known documents again, and archives, with the present templates and engine."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import click

from pipeline.cli import options
from pipeline.cli.container_input import ArchiveScreen, archive_members, unpacked_folder
from pipeline.cli.monitors import RunMonitor, monitor_command, monitoring_overrides
from pipeline.cli.run import exit_with_result, print_report, read_files
from pipeline.errors import StoreError
from pipeline.intake.archive_worker import ArchiveWorker
from pipeline.intake.containers import ARCHIVE_SUFFIXES
from pipeline.intake.scan import InboxFile
from pipeline.learning.affected import names_to_read_again
from pipeline.ledger.file_records import FileRecord
from pipeline.remote.object_store import ObjectGoneError
from pipeline.remote.objects import MAX_SINGLE_LOOKUPS
from pipeline.run.job import Job, check_template, open_job
from pipeline.run.loop import Loop


@click.command("reprocess")
@click.argument("paths", nargs=-1, type=options.path_or_url)
@options.folders
@click.option("--failed", is_flag=True, help="Documents that failed, wholly or in part; only their missing pages are read.")
@click.option("--status", type=click.Choice(["done", "partial", "failed", "skipped"]), help="Documents with this status.")
@click.option("--read-with", metavar="NAME", help="Documents that were read with this template.")
@click.option("--older-than", metavar="AGE", help="Documents read longer ago, e.g. 12h, 30d, 8w.")
@click.option(
    "--learned", is_flag=True, help="Documents of senders of which something was learned, or unlearned, since they were read."
)
@options.template
@options.engine
@options.model
@options.executor
@options.quiet
@options.as_json
@options.log_json
def command(
    paths: tuple[options.PathOrUrl, ...],
    config: Path | None,
    inbox: options.PathOrUrl | None,
    outbox: options.PathOrUrl | None,
    failed: bool,
    status: str | None,
    read_with: str | None,
    older_than: str | None,
    learned: bool,
    template: str | None,
    engine: str | None,
    model: str | None,
    executor: str | None,
    address: str | None,
    quiet: bool,
    as_json: bool,
    log_json: bool,
) -> None:
    """Read documents again with the present templates and engine.

    Without PATHS and filters, every document that was ever read is read again. PATHS are files, folders and archives (.zip, .tar,
    .tar.gz, .tar.xz, .tar.bz2), known or new. The members of an archive appear in the outbox below its name; those that were read
    before with the same template and engine are read again only if a filter selects them. A published result stays until the new
    one replaces it.

    \b
    Examples:
      pipeline reprocess --failed
      pipeline reprocess --read-with invoice --older-than 30d
      pipeline reprocess scans-2024.zip --template invoice
      pipeline reprocess scans-2024.zip --older-than 0h
    """
    overrides = {
        "inbox": inbox,
        "outbox": outbox,
        "engine": engine,
        "model": model,
        **options.cluster_overrides(executor, address),
    }
    settings = options.read_settings(config, **overrides, **monitoring_overrides(log_json))
    screen = ArchiveScreen(logs_to_stderr=settings.log.as_json)
    filtered = bool(failed or status or read_with or older_than or learned)
    with (
        monitor_command("reprocess", settings, screen, quiet=quiet) as monitor,
        open_job(settings, template=template) as job,
        Loop(job, monitor) as loop,
        ArchiveWorker() as worker,
        monitor.observe(job, loop),
    ):
        if read_with:
            check_template(read_with, job.templates)
        local = [_fetch_archive(job, path, monitor) if isinstance(path, str) else path for path in paths]
        archives = list(
            dict.fromkeys(path.resolve() for path in local if isinstance(path, Path) and worker.is_archive(path.resolve()))
        )
        plain = [path for path in local if isinstance(path, str) or path.resolve() not in archives]
        named = list(job.scan(monitor.file_skipped, plain)) if plain else []
        folders = tuple(f"{unpacked_folder(job, archive)}/" for archive in archives)
        selection = _Selection({str(file.source.path) for file in named}, folders if filtered else ()) if paths else None
        by_ledger = selection is None or bool(selection.paths or selection.folders)
        records = _chosen_files(job, selection, failed, status, read_with, older_than) if by_ledger else []
        if learned:
            names = names_to_read_again(job.ledger, job.templates)
            records = [record for record in records if record.source.name in names]
        job.ledger.mark_for_rereading(records, failed_only=failed)
        todo = _present_files(job, records, monitor, folders) if filtered or not paths else named
        more = chain.from_iterable(
            archive_members(job, worker, archive, screen, monitor, outdated_only=filtered) for archive in archives
        )
        try:
            read_files(job, loop, screen, monitor, todo, [], more=more, quiet=quiet or as_json)
        finally:
            shutil.rmtree(job.unpacked, ignore_errors=True)
            for archive in archives:
                if job.objects and job.objects.is_object(archive):
                    archive.unlink(missing_ok=True)
        print_report(screen, settings, quiet=quiet, as_json=as_json)
        exit_with_result(loop, screen)


def _fetch_archive(job: Job, url: str, monitor: RunMonitor) -> options.PathOrUrl:
    """The local path of an archive in an object store, after a download; any other URL as it is.

    Raises SettingsError, StoreError, OutboxError.
    """
    if not job.objects or not url.lower().endswith(ARCHIVE_SUFFIXES):
        return url
    file = next(job.scan(monitor.file_skipped, [url]))
    if file.size <= job.settings.limits.megabytes * 1_000_000:
        with suppress(ObjectGoneError):
            return job.objects.fetch(file).source.path
    return url


@dataclass(frozen=True)
class _Selection:
    """The files that the arguments name: their paths, and the folders of unpacked archives."""

    paths: set[str]
    folders: tuple[str, ...]

    def __contains__(self, path: str) -> bool:
        return path in self.paths or path.startswith(self.folders)


def _chosen_files(
    job: Job, selection: _Selection | None, failed: bool, status: str | None, read_with: str | None, older_than: str | None
) -> list[FileRecord]:
    """Known files that match the paths and the filters."""
    before = options.time_before("--older-than", older_than) if older_than else None
    return [
        file
        for file in [*job.ledger.files_by_path().values(), *job.ledger.deleted_files()]
        if (selection is None or str(file.source.path) in selection)
        and (not failed or file.status in ("failed", "partial"))
        and (not status or file.status == status)
        and (not read_with or read_with in file.recipes)
        and (not before or (file.published_at or "") < before)
    ]


def _present_files(job: Job, records: list[FileRecord], monitor: RunMonitor, unpacking: tuple[str, ...]) -> list[InboxFile]:
    """The chosen files that still exist. Members of archives below ``unpacking`` are left out: they come when they are unpacked."""
    files = []
    many = job.objects and len(records) > MAX_SINGLE_LOOKUPS
    listed = {item.source.path: item for item in job.scan(monitor.file_skipped)} if many else {}
    for file in records:
        path = file.source.path
        if str(path).startswith(unpacking):
            continue
        if file.place == "deleted":
            monitor.file_skipped(file.source.name, "was deleted after it was read (`after: delete`)")
            continue
        try:
            present = listed.get(path) or job.present_file(file.source)
        except StoreError as error:
            monitor.file_skipped(file.source.name, error.message)
            continue
        if present is None:
            inside = path.is_relative_to(job.unpacked.resolve())
            monitor.file_skipped(
                file.source.name, "is in an archive: name the archive" if inside else f"is no longer at {path}"
            )
            continue
        files.append(present)
    return files
