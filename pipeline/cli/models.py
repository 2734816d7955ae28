"""``pipeline models``: download models from the hub; list, verify and remove the local ones."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from dataclasses import asdict

import click
from rich.filesize import decimal
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from pipeline.cli import options
from pipeline.cli.console import TerminalConsole, plural
from pipeline.cli.terminal import echo, echo_json
from pipeline.engines.vlm import model_check, model_store, pull
from pipeline.engines.vlm.hub import ModelListing, request_listing
from pipeline.engines.vlm.hub_errors import HubUnreachableError
from pipeline.errors import ExitCode, PipelineError
from pipeline.values.times import format_duration

LINE_SECONDS = 15.0
"""How often a download prints its progress where standard error is no terminal."""
REVISION_LENGTH = 8
"""Characters of a revision that are printed."""


@click.group("models", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Download, list, verify and remove models for the engine `vlm`. Only `pull` uses the network."""


@command.command("list")
@options.as_json
def list_(as_json: bool) -> None:
    """List the models in the cache: name, revision, size, kind, and whether they are complete."""
    models = list(model_store.cached_models())
    if as_json:
        echo_json([{**asdict(model), "complete": not model.lacks} for model in models])
        return
    table = Table("name", "revision", "size", "kind", "state", box=None, pad_edge=False, header_style="bold")
    for model in models:
        name = model.name + (" (default)" if model.default else "")
        table.add_row(name, model.revision[:REVISION_LENGTH], decimal(model.bytes), model.kind, _state(model))
    if models:
        TerminalConsole(width=None if sys.stdout.isatty() else 200).print(table)
    else:
        echo(f"no models in {model_store.cache_folder()}")
    if not model_store.model_is_here(model_store.DEFAULT_MODEL):
        echo(f"the default model {model_store.DEFAULT_MODEL} is not here; download it with: pipeline models pull")


@command.command("pull")
@click.argument("name", default=model_store.DEFAULT_MODEL)
@click.option("--revision", metavar="R", help="Branch, tag or commit [main].")
@options.as_json
def pull_(name: str, revision: str | None, as_json: bool) -> None:
    """Download the model NAME (ORG/NAME; by default the default model), or continue an interrupted download."""
    listing = None if _needs_no_hub(name, revision) else _hub_listing(name, revision)
    if listing is None or not pull.missing_files(listing):
        if listing:
            with suppress(OSError):  # a read-only cache can be read all the same
                pull.write_ref(listing)
        model = model_store.find_model(name, listing.commit if listing else revision)
        message = f"{model.name} at {model.revision[:REVISION_LENGTH]} is here already, complete: {model.folder}"
        downloaded = 0
    else:
        pull.check_before_download(listing)
        downloaded = pull.remaining_bytes(listing)
        model = _download(listing)
        message = f"{model.name} at {model.revision[:REVISION_LENGTH]} is here, complete and verified: {model.folder}"
    if as_json:
        echo_json({**asdict(model), "downloaded": downloaded})
    else:
        echo(message)


@command.command("verify")
@click.argument("name", default=model_store.DEFAULT_MODEL)
@options.as_json
def verify_(name: str, as_json: bool) -> None:
    """Compare every file of the model NAME with its hash. Damaged files are deleted, so that `pull` downloads them again; the exit
    code is then 1."""
    if model_store.is_local(name):
        state = "complete as far as its files show; a file or folder of your own has no hashes to compare with"
        echo(f"{model_store.find_model(name).folder}: {state}")
        return
    checked = list(model_check.verify(name))
    if not checked:
        model_store.find_model(name)
    if as_json:
        echo_json([asdict(file) for file in checked])
    else:
        _print_checked(name, checked)
    if any(file.state in model_check.BAD_STATES for file in checked):
        raise click.exceptions.Exit(ExitCode.SOME_FAILED)


@command.command("remove")
@click.argument("name")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def remove_(name: str, yes: bool) -> None:
    """Delete the model NAME from the cache: all revisions, and the rest of interrupted downloads."""
    if model_store.is_local(name):
        raise PipelineError(f"{name} is a file or folder of your own", "delete it yourself")
    size = model_check.size_on_disk(name)
    if not size:
        raise PipelineError(f"{name} is not in {model_store.cache_folder()}", "`pipeline models list` shows what is there")
    if not yes and not click.confirm(f"delete {name} ({decimal(size)}) from {model_store.cache_folder()}?"):
        echo("nothing was deleted")
        return
    model_check.remove(name)
    echo(f"deleted {name}: {decimal(size)}")


def _needs_no_hub(name: str, revision: str | None) -> bool:
    """Whether no request to the hub is needed: NAME is a path, or the revision is an exact commit that is here."""
    return model_store.is_local(name) or bool(
        revision and model_store.COMMIT.fullmatch(revision) and model_store.model_is_here(name, revision)
    )


def _hub_listing(name: str, revision: str | None) -> ModelListing | None:
    """The files of the model on the hub; None when the hub cannot be reached and the model is here."""
    try:
        return request_listing(name, revision)
    except HubUnreachableError as error:
        if not model_store.model_is_here(name, revision):
            raise
        echo(f"pipeline: {error.message}", err=True)
        return None


def _download(listing: ModelListing) -> model_store.LocalModel:
    left, total = pull.remaining_bytes(listing), sum(remote.size for remote in listing.files)
    here = f", {decimal(left)} of them to download" if left < total else ""
    echo(
        f"{listing.name} at {listing.commit[:REVISION_LENGTH]}: {decimal(total)} in {len(listing.files)} files{here}", err=True
    )
    try:
        with _DownloadProgress(left) as progress:
            return pull.download(listing, progress)
    except KeyboardInterrupt:
        echo(
            f"{decimal(total - pull.remaining_bytes(listing))} of {decimal(total)} are here; the next `pull` continues",
            err=True,
        )
        raise


class _DownloadProgress:
    """Shows a bar on a terminal, elsewhere a line every ``LINE_SECONDS``."""

    def __init__(self, left: int) -> None:
        self._console = TerminalConsole(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TextColumn("· about", markup=False),
            TimeRemainingColumn(),
            TextColumn("left", markup=False),
            console=self._console,
        )
        self._task = self._progress.add_task("downloading", total=left)
        self._printed = time.monotonic()

    def __enter__(self) -> _DownloadProgress:
        if self._console.is_terminal:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._progress.stop()

    def stage(self, text: str) -> None:
        """See DownloadProgress."""
        self._progress.update(self._task, description=text)
        self._line()

    def advance(self, count: int) -> None:
        """See DownloadProgress."""
        self._progress.advance(self._task, count)
        self._line()

    def _line(self) -> None:
        if self._console.is_terminal or time.monotonic() < self._printed + LINE_SECONDS:
            return
        self._printed = time.monotonic()
        task = self._progress.tasks[0]
        speed = f", {decimal(int(task.speed))}/s" if task.speed else ""
        left = f", about {format_duration(task.time_remaining)} left" if task.time_remaining else ""
        echo(f"{task.description}: {decimal(int(task.completed))} of {decimal(int(task.total or 0))}{speed}{left}", err=True)


def _state(model: model_store.CachedModel) -> str:
    if model.kind == "other":
        return "of another tool: generates no text"
    if model.refused:
        return f"refused: {model.refused}"
    return f"incomplete: {', '.join(model.lacks)}" if model.lacks else "complete"


def _print_checked(name: str, checked: list[model_check.FileCheck]) -> None:
    states = {"damaged": "is damaged and was deleted", "missing": "is missing", "unknown": "has no known hash: not checked"}
    for file in checked:
        if file.state != "good":
            echo(f"{name} at {file.revision[:REVISION_LENGTH]}: {file.file} {states[file.state]}")
    newest = model_store.snapshot_folder(name)
    wrong = sorted({file.revision for file in checked if file.state in model_check.BAD_STATES})
    for revision in wrong:
        option = "" if newest and newest.name == revision else f" --revision {revision}"
        echo(f"`pipeline models pull {name}{option}` downloads the damaged files again, and only those")
    if not wrong:
        echo(f"{name}: {plural(sum(file.state == 'good' for file in checked), 'file')} match the hub's hashes")
