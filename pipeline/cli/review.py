"""``pipeline review``: one HTML file in which a person checks the results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipeline.cli import options
from pipeline.cli.console import TerminalConsole, plural
from pipeline.cli.terminal import echo, echo_json
from pipeline.errors import SettingsError
from pipeline.ledger.replacement import has_ledger
from pipeline.remote.local_copy import send_file, update_local_copy
from pipeline.run.job import all_templates, known_templates, open_ledger
from pipeline.settings import STATE_FOLDER
from pipeline.templates.template import Template
from pipeline.web.originals import local_originals
from pipeline.web.selection import SelectedDocument, Selection, matching_files, select_documents
from pipeline.web.static_export import ReviewSummary, write_review
from pipeline.yaml_files.explain import did_you_mean

FILE = "review.html"
DEFAULT_LIMIT = 1_000
DEFAULT_MEGABYTES = 15.0
T = TypeVar("T")


@click.command("review")
@click.argument("paths", nargs=-1, type=options.local_path)
@options.config
@options.outbox
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help=f"The file to write [OUTBOX/{FILE}].")
@click.option("--needs-review", is_flag=True, help="Only documents with a value to check, or with missing pages.")
@click.option("--since", metavar="WHEN", help="Only documents read since then: an age (12h, 30d, 8w) or a day (2025-03-24).")
@click.option("--template", metavar="NAME", help="Only documents that were read with this template.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=DEFAULT_LIMIT,
    show_default=True,
    help="At most this many, latest first.",
)
@click.option(
    "--megabytes",
    type=click.FloatRange(min=0, max=500),
    default=DEFAULT_MEGABYTES,
    show_default=True,
    help="Room for images of pages; documents with values to check come first. 0: no images.",
)
@options.quiet
@options.as_json
def command(
    paths: tuple[Path, ...],
    config: Path | None,
    outbox: options.PathOrUrl | None,
    output: Path | None,
    needs_review: bool,
    since: str | None,
    template: str | None,
    limit: int,
    megabytes: float,
    quiet: bool,
    as_json: bool,
) -> None:
    """Write one HTML file that shows every value on its page.

    The file opens in any browser without a network, and can be mailed. PATHS are files or folders that were read, or results in the
    outbox. The inbox, the outbox and a run that is at work are not changed.

    \b
    Examples:
      pipeline review
      pipeline review --needs-review --since 7d
      pipeline review inbox/march --template invoice --output march.html
    """
    settings = options.read_settings(config, outbox=outbox)
    update_local_copy(settings)
    if not has_ledger(settings.outbox / STATE_FOLDER):
        raise SettingsError(f"nothing was read into {settings.outbox_location} yet", "name the outbox with --outbox")
    selection = Selection(paths, template, _since(since) if since else None, needs_review)
    path = output or settings.outbox / FILE
    with open_ledger(settings) as ledger, _bar(quiet or as_json) as bar:
        templates = known_templates(all_templates(settings), ledger)
        files = matching_files(ledger, selection, settings.outbox)
        _check(files, selection, templates)
        documents, examined = _first_selected(
            bar.track(
                select_documents(files, ledger, templates, selection, settings.review.accepted_error),
                total=len(files),
                description="selecting documents",
            ),
            limit,
        )
        drawing = bar.add_task("drawing pages", total=None, visible=False)

        def on_drawn(done: int, of: int) -> None:
            bar.update(drawing, completed=done, total=of, visible=True)

        about = {
            "selection": _describe(selection, since),
            "left_out": len(files) - examined,
            "accepted_error": settings.review.accepted_error,
        }
        withheld = ledger.withheld_rights()
        with local_originals(settings, ledger, documents) as local:
            summary = write_review(path, local, templates, settings, about, round(megabytes * 1_000_000), on_drawn, withheld)
    place = send_file(settings, path)
    if as_json:
        echo_json({"report": place, **asdict(summary), "left_out": about["left_out"]})
    elif not quiet:
        _print_summary(place, summary, len(files) - examined)


def _since(when: str) -> str:
    """A day (in UTC) or an age, as the ledger writes times. Raises SettingsError."""
    try:
        return f"{date.fromisoformat(when).isoformat()}T00:00:00.000Z"
    except ValueError:
        return options.time_before("--since", when)


def _check(files: list[Any], selection: Selection, templates: dict[str, Template]) -> None:
    """Raises SettingsError when a path or template that was named does not exist. An empty selection alone is no error."""
    if not files and selection.paths:
        raise SettingsError(
            "no known document matches these paths",
            "`pipeline status` shows what was read; paths are files, folders or results",
        )
    if not files and selection.template and selection.template not in templates:
        raise SettingsError(
            f"there is no template `{selection.template}`{did_you_mean(selection.template, templates)}",
            f"templates: {', '.join(sorted(templates))}",
        )


def _first_selected(documents: Iterable[SelectedDocument | None], limit: int) -> tuple[list[SelectedDocument], int]:
    """The first ``limit`` selected documents, and the number of documents that were examined for them."""
    selected: list[SelectedDocument] = []
    examined = 0
    for item in documents:
        examined += 1
        if item:
            selected.append(item)
        if len(selected) == limit:
            break
    return selected, examined


def _describe(selection: Selection, since: str | None) -> str:
    parts = [
        ", ".join(str(path) for path in selection.paths),
        f"read with {selection.template}" if selection.template else "",
        f"since {since}" if since else "",
        "values to check" if selection.needs_review else "",
    ]
    return "; ".join(part for part in parts if part)


@contextmanager
def _bar(hidden: bool) -> Iterator[Progress]:
    console = TerminalConsole(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("· about", markup=False),
        TimeRemainingColumn(),
        TextColumn("left", markup=False),
    )
    with Progress(*columns, console=console, disable=hidden or not console.is_terminal, transient=True) as bar:
        yield bar


def _print_summary(path: str, summary: ReviewSummary, left_out: int) -> None:
    echo(
        f"{path}: {plural(summary.documents, 'document')}, {summary.to_review:,} to check; "
        f"{plural(summary.pictures, 'image')}, {_size(summary.bytes)}"
    )
    if left_out:
        echo(f"{plural(left_out, 'older document')} left out: raise --limit, or select with --since, --template or paths")
    if summary.without_picture:
        echo(
            f"{plural(summary.without_picture, 'page')} without an image, for lack of room: raise --megabytes or select fewer documents"
        )


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
