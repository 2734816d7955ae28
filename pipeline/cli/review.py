"""``pipeline review``: results for a person to look over, in one HTML file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipeline.cli import options
from pipeline.cli.console import echo_json, plural
from pipeline.errors import SettingsError
from pipeline.ledger.connection import LEDGER_FILE
from pipeline.remote.local_copy import send_file, update_local_copy
from pipeline.run.job import all_templates, known_templates, open_ledger
from pipeline.settings import STATE_FOLDER
from pipeline.templates.model import Template
from pipeline.web.originals import local_originals
from pipeline.web.selection import SelectedDocument, Selection, matching_files, select_documents
from pipeline.web.static_export import ReviewSummary, write_review
from pipeline.yaml_files.explain import did_you_mean

FILE = "review.html"
LIMIT = 1_000
MEGABYTES = 15.0
T = TypeVar("T")


@click.command("review")
@click.argument("paths", nargs=-1, type=options.PATH)
@options.config
@options.outbox
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help=f"The file to write [OUTBOX/{FILE}].")
@click.option("--needs-review", is_flag=True, help="Only documents with a value to look at, or with pages that are missing.")
@click.option("--since", metavar="WHEN", help="Only documents read since then: an age (12h, 30d, 8w) or a day (2025-03-24).")
@click.option("--template", metavar="NAME", help="Only documents that were read with this template.")
@click.option("--limit", type=click.IntRange(min=1), default=LIMIT, show_default=True, help="The latest so many documents.")
@click.option(
    "--megabytes",
    type=click.FloatRange(min=0, max=500),
    default=MEGABYTES,
    show_default=True,
    help="Room for pictures of pages; those of documents that need a look come first. 0: none.",
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

    It opens from disk in any browser and can be mailed; nothing is loaded from anywhere. PATHS are files or folders that were read, or
    results in the outbox. The inbox, the outbox and a run at work are left alone.

    \b
    Examples:
      pipeline review
      pipeline review --needs-review --since 7d
      pipeline review inbox/march --template invoice --output march.html
    """
    settings = options.read_settings(config, outbox=outbox)
    update_local_copy(settings)
    if not (settings.outbox / STATE_FOLDER / LEDGER_FILE).is_file():
        raise SettingsError(f"nothing was read into {settings.outbox_location} yet", "name the outbox with --outbox")
    choice = Selection(paths, template, _since(since) if since else None, needs_review)
    path = output or settings.outbox / FILE
    with open_ledger(settings) as ledger, _bar(quiet or as_json) as bar:
        templates = known_templates(all_templates(settings), ledger)
        files = matching_files(ledger, choice, settings.outbox)
        _check(files, choice, templates)
        found, looked_at = _latest(
            bar.track(
                select_documents(files, ledger, templates, choice, settings.review.accepted_error),
                total=len(files),
                description="looking through results",
            ),
            limit,
        )
        drawing = bar.add_task("drawing pages", total=None, visible=False)

        def drawn(done: int, of: int) -> None:
            bar.update(drawing, completed=done, total=of, visible=True)

        about = {
            "selection": _in_words(choice, since),
            "left_out": len(files) - looked_at,
            "accepted_error": settings.review.accepted_error,
        }
        with local_originals(settings, found) as here:
            written = write_review(path, here, templates, settings, about, round(megabytes * 1_000_000), drawn)
    place = send_file(settings, path)
    if as_json:
        echo_json({"report": place, **asdict(written), "left_out": about["left_out"]})
    elif not quiet:
        _tell(place, written, len(files) - looked_at)


def _since(when: str) -> str:
    """A day (by UTC) or an age as the ledger writes times. Raises SettingsError."""
    try:
        return f"{date.fromisoformat(when).isoformat()}T00:00:00.000Z"
    except ValueError:
        return options.time_before("--since", when)


def _check(files: list[Any], choice: Selection, templates: dict[str, Template]) -> None:
    """Raises SettingsError where what was named is not there; that nothing needs a look is no mistake."""
    if not files and choice.paths:
        raise SettingsError(
            "no document that was read fits", "`pipeline status` tells what was read; paths are files, folders or results"
        )
    if not files and choice.template and choice.template not in templates:
        raise SettingsError(
            f"there is no template `{choice.template}`{did_you_mean(choice.template, templates)}",
            f"templates: {', '.join(sorted(templates))}",
        )


def _latest(found: Iterable[SelectedDocument | None], limit: int) -> tuple[list[SelectedDocument], int]:
    """The first ``limit`` documents that are not left out, and how many were looked at."""
    kept: list[SelectedDocument] = []
    looked_at = 0
    for item in found:
        looked_at += 1
        if item:
            kept.append(item)
        if len(kept) == limit:
            break
    return kept, looked_at


def _in_words(choice: Selection, since: str | None) -> str:
    parts = [
        ", ".join(str(path) for path in choice.paths),
        f"read with {choice.template}" if choice.template else "",
        f"since {since}" if since else "",
        "what needs a look" if choice.needs_review else "",
    ]
    return "; ".join(part for part in parts if part)


@contextmanager
def _bar(hidden: bool) -> Iterator[Progress]:
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("· left about"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=hidden or not console.is_terminal, transient=True) as bar:
        yield bar


def _tell(path: str, written: ReviewSummary, left_out: int) -> None:
    click.echo(
        f"{path}: {plural(written.documents, 'document')}, {written.to_review:,} to look at; "
        f"{plural(written.pictures, 'picture')}, {_size(written.bytes)}"
    )
    if left_out:
        click.echo(f"{plural(left_out, 'older document')} left out: raise --limit, or choose with --since, --template or paths")
    if written.without_picture:
        click.echo(
            f"{plural(written.without_picture, 'page')} without a picture, for want of room: raise --megabytes, or choose fewer documents"
        )


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
