"""``pipeline template``: templates of your own."""

from __future__ import annotations

import re
from pathlib import Path

import click
from rich.table import Table

from pipeline.cli import options
from pipeline.cli.console import TerminalConsole
from pipeline.cli.terminal import echo, echo_json
from pipeline.errors import OutboxError, SettingsError
from pipeline.printable import one_line
from pipeline.records import Evidence
from pipeline.run.draft import DraftReading, draft_from_files
from pipeline.settings import Settings

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
VALUE_LENGTH = 60


@click.group("template", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Make templates of your own."""


@command.command("draft")
@click.argument("samples", nargs=-1, required=True, type=options.local_path)
@click.option("--name", default="draft", show_default=True, help="Name of the template: lower-case letters, digits and _.")
@click.option(
    "--to", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="The file to write [templates/NAME.yaml]."
)
@options.config
@options.outbox
@options.as_json
def draft_(
    samples: tuple[Path, ...], name: str, to: Path | None, config: Path | None, outbox: Path | None, as_json: bool
) -> None:
    """Propose a template from SAMPLES: a few documents of one kind.

    What stands on them as a label, again and again, beside values that differ, becomes a field; rows below a heading become a table.
    Values that you have corrected in the outbox name their fields. The commented YAML is written, and what it reads from each
    sample is shown.

    \b
    Examples:
      pipeline template draft delivery-notes/*.pdf --name delivery_note_oak
      pipeline template draft march.pdf april.pdf may.pdf --to templates/meter.yaml
    """
    if not _NAME.fullmatch(name) or name == "documents":
        raise SettingsError(f"`{one_line(name)}` is no name of a template", "use lower-case letters, digits and _")
    settings = options.read_settings(config, outbox=outbox)
    missing = next((path for path in samples if not path.exists()), None)
    if missing:
        raise SettingsError(f"{missing}: no such file or folder", "check the path; nothing was read")
    place = to or _default_place(settings, name)
    if place.exists():
        raise SettingsError(f"{place} exists", "name another file with --to, or another template with --name")
    reading = draft_from_files(settings, samples, name)
    try:
        place.write_text(reading.draft.as_yaml(), encoding="utf-8")
    except OSError as error:
        raise OutboxError(f"{place}: cannot be written: {error.strerror or error}", "name another file with --to") from error
    if as_json:
        values = {sample: {field: item.value for field, item in fields.items()} for sample, fields in reading.read.items()}
        echo_json({"template": str(place), "name": name, "fields": list(reading.template.fields), "read": values})
        return
    _show(reading)
    echo(f"Written to {place}. Check it, then: pipeline run --template {name} PATHS…")


def _default_place(settings: Settings, name: str) -> Path:
    return (settings.templates if settings.templates and settings.templates.is_dir() else Path()) / f"{name}.yaml"


def _show(reading: DraftReading) -> None:
    """A table for each sample: field, value, page."""
    console = TerminalConsole()
    if not console.is_terminal:
        console.width = 120
    for sample, fields in reading.read.items():
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column(one_line(sample), no_wrap=True)
        table.add_column("type")
        table.add_column("value", overflow="ellipsis", no_wrap=True)
        table.add_column("page", justify="right")
        for name, field in reading.template.fields.items():
            evidence = fields[name]
            table.add_row(name, field.type, _value(evidence), "" if evidence.page is None else str(evidence.page))
        console.print(table)
        echo("")


def _value(evidence: Evidence) -> str:
    if isinstance(evidence.value, list):
        return f"{len(evidence.value):,} rows"
    return "–" if evidence.value is None else one_line(str(evidence.value))[:VALUE_LENGTH]
