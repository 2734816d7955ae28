"""``pipeline reprocess``: read known documents again, and archives, with the present templates and engine."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli import options
from pipeline.cli.console import RunScreen
from pipeline.cli.monitors import RunMonitor, monitor_command, monitoring_overrides
from pipeline.cli.run import exit_with_result, print_report, read_files
from pipeline.errors import StoreError
from pipeline.intake.scan import InboxFile
from pipeline.learning.affected import names_to_read_again
from pipeline.ledger.contained_records import part_of, records_of_parts
from pipeline.ledger.file_records import FileRecord
from pipeline.remote.objects import MAX_SINGLE_LOOKUPS
from pipeline.run.job import Job, check_template, open_job
from pipeline.run.loop import Loop
from pipeline.run.refresh import split_up_to_date


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

    Without PATHS and filters, every document that was ever read is read again. PATHS are files and folders, known or new. The parts of
    a container (archive, mail) appear in the outbox below its name; those that were read before with the same template and engine are
    read again only if a filter selects them. A published result stays until the new one replaces it.

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
    screen = RunScreen(logs_to_stderr=settings.log.as_json)
    filtered = bool(failed or status or read_with or older_than or learned)
    with (
        monitor_command("reprocess", settings, screen, quiet=quiet) as monitor,
        open_job(settings, template=template) as job,
        Loop(job, monitor) as loop,
        monitor.observe(job, loop),
    ):
        if read_with:
            check_template(read_with, job.templates)
        named = list(job.scan(monitor.file_skipped, _without_links(paths))) if paths else []
        selection = _selected_paths(job, named) if paths else None
        records = _chosen_files(job, selection, failed, status, read_with, older_than)
        if learned:
            names = names_to_read_again(job.ledger, job.templates)
            records = [record for record in records if record.source.name in names]
        if selection is not None and not filtered:  # the parts of a container that are up to date stay
            records = [record for record in records if not record.has_parts and not _is_part(job, record)]
        job.ledger.mark_for_rereading(records, failed_only=failed)
        todo = _present_files(job, records, monitor) if filtered or not paths else named
        todo, known = split_up_to_date(job, todo, job.ledger.files_by_path())
        read_files(job, loop, screen, monitor, todo, known, quiet=quiet or as_json)
        print_report(screen, settings, quiet=quiet, as_json=as_json)
        exit_with_result(loop, screen)


def _without_links(paths: tuple[options.PathOrUrl, ...]) -> list[options.PathOrUrl]:
    """The arguments, each once: a file and a link to it are one."""
    return list(dict.fromkeys(path if isinstance(path, str) else path.resolve() for path in paths))


def _selected_paths(job: Job, named: list[InboxFile]) -> set[str]:
    """Paths in the ledger of the files that the arguments name, and of the parts of containers among them."""
    paths = {str(file.source.path) for file in named}
    for file in named:
        record = job.ledger.file_at(file.source.path)
        if record and record.has_parts:
            paths |= {str(part.source.path) for part in records_of_parts(job.ledger, record.source.name)}
    return paths


def _is_part(job: Job, record: FileRecord) -> bool:
    """Whether a document was taken out of a container."""
    return record.source.path.is_relative_to(job.unpacked_root)


def _chosen_files(
    job: Job, selection: set[str] | None, failed: bool, status: str | None, read_with: str | None, older_than: str | None
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


def _present_files(job: Job, records: list[FileRecord], monitor: RunMonitor) -> list[InboxFile]:
    """The chosen files that still exist; for parts of containers the outermost container, which is taken apart once more."""
    files: dict[Path, InboxFile] = {}
    many = job.objects and len(records) > MAX_SINGLE_LOOKUPS
    listed = {item.source.path: item for item in job.scan(monitor.file_skipped)} if many else {}
    for record in records:
        file = record
        if _is_part(job, record):
            origin = part_of(job.ledger, record.source.name)
            container = job.ledger.file_by_name(origin.root) if origin else None
            if container is None:
                monitor.file_skipped(record.source.name, "is in an archive: name the archive")
                continue
            file = container
        path = file.source.path
        if path in files:
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
            monitor.file_skipped(file.source.name, f"is no longer at {path}")
            continue
        files[path] = present
    return list(files.values())
