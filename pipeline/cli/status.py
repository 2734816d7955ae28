"""``pipeline status``: what the ledger says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from pipeline.cli import options
from pipeline.cli.show import echo_json, plural
from pipeline.errors import CURES, LockedError
from pipeline.ledger.ledger import FILE_NAME, Ledger
from pipeline.run.job import STATE_FOLDER, locked, open_ledger
from pipeline.settings import Settings, load_settings


@click.command("status")
@options.config
@options.outbox
@click.option("--failed", is_flag=True, help="List every document that failed, wholly or in part.")
@options.as_json
def command(config: Path | None, outbox: Path | None, failed: bool, as_json: bool) -> None:
    """Show what is done, what failed and why, and whether a run is at work. Reads the ledger only; disturbs nobody."""
    settings = load_settings(config, outbox=outbox)
    if not (settings.outbox / STATE_FOLDER / FILE_NAME).is_file():
        told: dict[str, Any] = {"outbox": str(settings.outbox), "documents": {}, "units": {}, "failures": [], "running": False}
    else:
        with open_ledger(settings) as ledger:
            told = _told(ledger, settings, None if failed else 10)
    if as_json:
        echo_json(told)
    else:
        _print(told)


def _told(ledger: Ledger, settings: Settings, limit: int | None) -> dict[str, Any]:
    documents = {row["status"] or "waiting": row["n"] for row in ledger.rows("SELECT status, count(*) n FROM files GROUP BY 1")}
    units = {row["status"]: row["n"] for row in ledger.rows("SELECT status, count(*) n FROM units GROUP BY 1")}
    templates = list(
        ledger.rows(
            """SELECT template, count(DISTINCT sha256) documents, count(*) pages, round(avg(seconds), 3) seconds_a_page
               FROM units GROUP BY template ORDER BY template"""
        )
    )
    failures = list(
        ledger.rows(
            """SELECT files.name file, files.status, files.reason, coalesce(nullif(documents.detail, ''), (
                      SELECT detail FROM units WHERE units.sha256 = files.sha256 AND units.reason IS NOT NULL LIMIT 1)) detail,
                      published_at at
               FROM files LEFT JOIN documents USING (sha256) WHERE files.status IN ('failed', 'partial')
               ORDER BY published_at DESC LIMIT ?""",
            [-1 if limit is None else limit],
        )
    )
    return {
        "outbox": str(settings.outbox),
        "running": _running(settings),
        "documents": documents,
        "units": units,
        "templates": templates,
        "failures": [{**row, "cure": CURES.get(row["reason"] or "engine")} for row in failures],
    }


def _running(settings: Settings) -> bool:
    try:
        with locked(settings.outbox):
            return False
    except LockedError:
        return True


def _print(told: dict[str, Any]) -> None:
    counts = ", ".join(f"{count:,} {status}" for status, count in sorted(told["documents"].items())) or "nothing read yet"
    click.echo(f"{told['outbox']}: {counts}" + ("; a run is at work" if told["running"] else ""))
    for row in told.get("templates", []):
        pages = plural(row["pages"], "page")
        click.echo(f"  {row['template']}: {plural(row['documents'], 'document')}, {pages}, {row['seconds_a_page']} s a page")
    if told["failures"]:
        table = Table("file", "status", "why", "what to do", box=None, pad_edge=False, header_style="bold")
        for row in told["failures"]:
            table.add_row(row["file"], row["status"], f"{row['reason']}: {row['detail'] or ''}", row["cure"])
        click.echo("\nlast failures:")
        Console(markup=False).print(table)
