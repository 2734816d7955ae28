"""``pipeline reprocess``: read known documents again, and archives, with the present templates and engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from pipeline.cli import options
from pipeline.cli.console import RunScreen, plural
from pipeline.cli.monitors import monitor_command, monitoring_overrides
from pipeline.cli.run import exit_with_result, print_report, read_files
from pipeline.cli.terminal import echo, echo_json
from pipeline.errors import StoreError
from pipeline.intake.folder_walk import SkipCallback
from pipeline.intake.scan import InboxFile
from pipeline.learning.affected import names_to_read_again
from pipeline.ledger.contained_records import part_of, records_of_parts
from pipeline.ledger.file_records import FileRecord
from pipeline.printable import one_line
from pipeline.remote.objects import MAX_SINGLE_LOOKUPS
from pipeline.run.job import Job, check_template, open_job
from pipeline.run.loop import Loop
from pipeline.run.refresh import split_up_to_date

DRY_RUN_NAMES = 50
"""Names that `--dry-run` prints."""


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
@click.option("--all", "everything", is_flag=True, help="Every document that was ever read.")
@click.option("--dry-run", is_flag=True, help="List the documents that would be read again; read nothing.")
@options.max_minutes
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
    everything: bool,
    dry_run: bool,
    max_minutes: float | None,
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

    Name PATHS (files and folders, known or new), filters, or --all. The parts of a container (archive, mail) appear in the outbox below
    its name; those that were read before with the same template and engine are read again only if a filter selects them. A published
    result stays until the new one replaces it. What --max-minutes leaves is read by the next `pipeline run`.

    \b
    Examples:
      pipeline reprocess --failed
      pipeline reprocess --all --dry-run
      pipeline reprocess --read-with invoice --older-than 30d
      pipeline reprocess scans-2024.zip --template invoice
      pipeline reprocess scans-2024.zip --older-than 0h
    """
    filters = Filters(paths, failed, status, read_with, older_than, learned)
    if not paths and not filters.any and not everything:
        raise click.UsageError(
            "name files, a filter such as --failed or --read-with, or --all; --dry-run lists what would be read"
        )
    if everything and (paths or filters.any):
        raise click.UsageError("--all cannot be combined with PATHS or filters")
    overrides = {
        "inbox": inbox,
        "outbox": outbox,
        "engine": engine,
        "model": model,
        **options.cluster_overrides(executor, address),
    }
    deadline = options.deadline_after(max_minutes)
    settings = options.read_settings(config, **overrides, **monitoring_overrides(log_json))
    screen = RunScreen(logs_to_stderr=settings.log.as_json)
    if dry_run:
        with open_job(settings, template=template) as job:
            _print_choice(job, filters, screen, as_json=as_json)
        return
    with (
        monitor_command("reprocess", settings, screen, quiet=quiet) as monitor,
        open_job(settings, template=template) as job,
        Loop(job, monitor) as loop,
        monitor.observe(job, loop),
    ):
        named, records = _choice(job, filters, monitor.file_skipped)
        job.ledger.mark_for_rereading(records, failed_only=failed)
        todo = named if paths and not filters.any else _present_files(job, records, monitor.file_skipped)
        todo, known = split_up_to_date(job, todo, job.ledger.files_by_path())
        loop.until = deadline
        read_files(job, loop, screen, monitor, todo, known, quiet=quiet or as_json)
        print_report(screen, settings, quiet=quiet, as_json=as_json)
        exit_with_result(loop, screen)


@dataclass(frozen=True)
class Filters:
    """Which known documents to read again; see the options of the command."""

    paths: tuple[options.PathOrUrl, ...]
    failed: bool
    status: str | None
    read_with: str | None
    older_than: str | None
    learned: bool

    @property
    def any(self) -> bool:
        """Whether there is a filter besides the paths."""
        return bool(self.failed or self.status or self.read_with or self.older_than or self.learned)


def _choice(job: Job, filters: Filters, on_skip: SkipCallback) -> tuple[list[InboxFile], list[FileRecord]]:
    """The files that the paths name, and the known documents that match. Raises SettingsError."""
    if filters.read_with:
        check_template(filters.read_with, job.templates)
    named = list(job.scan(on_skip, _without_links(filters.paths))) if filters.paths else []
    selection = _selected_paths(job, named) if filters.paths else None
    records = _matching_records(job, selection, filters)
    if filters.learned:
        names = names_to_read_again(job.ledger, job.templates)
        records = [record for record in records if record.source.name in names]
    if selection is not None and not filters.any:  # the parts of a container that are up to date stay
        records = [record for record in records if not record.has_parts and not _is_part(job, record)]
    return named, records


def _print_choice(job: Job, filters: Filters, screen: RunScreen, *, as_json: bool) -> None:
    """What would be read, with its pages as far as they are known. Nothing is changed."""
    named, records = _choice(job, filters, screen.file_skipped)
    by_name = {record.source.name: record for record in records if not record.has_parts}
    names = list(dict.fromkeys([*by_name, *(file.source.name for file in named)]))
    documents = (job.ledger.document(record.sha256, stale=True) for record in by_name.values())
    pages = sum(document.pages for document in documents if document)
    if as_json:
        echo_json({"documents": len(names), "pages": pages, "files": names})
        return
    for name in names[:DRY_RUN_NAMES]:
        echo(one_line(name))
    if len(names) > DRY_RUN_NAMES:
        echo(f"… and {len(names) - DRY_RUN_NAMES:,} more (--json lists them all)")
    echo(f"would read {plural(len(names), 'document')}, {plural(pages, 'page')} when they were read last; nothing was changed")


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


def _matching_records(job: Job, selection: set[str] | None, filters: Filters) -> list[FileRecord]:
    """Known files that match the paths and the filters."""
    before = options.time_before("--older-than", filters.older_than) if filters.older_than else None
    return [
        file
        for file in [*job.ledger.files_by_path().values(), *job.ledger.deleted_files()]
        if (selection is None or str(file.source.path) in selection)
        and (not filters.failed or file.status in ("failed", "partial"))
        and (not filters.status or file.status == filters.status)
        and (not filters.read_with or filters.read_with in file.recipes)
        and (not before or (file.published_at or "") < before)
    ]


def _present_files(job: Job, records: list[FileRecord], on_skip: SkipCallback) -> list[InboxFile]:
    """The chosen files that still exist; for parts of containers the outermost container, which is taken apart once more."""
    files: dict[Path, InboxFile] = {}
    many = job.objects and len(records) > MAX_SINGLE_LOOKUPS
    listed = {item.source.path: item for item in job.scan(on_skip)} if many else {}
    for record in records:
        file = record
        if _is_part(job, record):
            origin = part_of(job.ledger, record.source.name)
            container = job.ledger.file_by_name(origin.root) if origin else None
            if container is None:
                on_skip(record.source.name, "is in an archive: name the archive")
                continue
            file = container
        path = file.source.path
        if path in files:
            continue
        if file.place == "deleted":
            on_skip(file.source.name, "was deleted after it was read (`after: delete`)")
            continue
        try:
            present = listed.get(path) or job.present_file(file.source)
        except StoreError as error:
            on_skip(file.source.name, error.message)
            continue
        if present is None:
            on_skip(file.source.name, f"is no longer at {path}")
            continue
        files[path] = present
    return list(files.values())
