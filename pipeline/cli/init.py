"""``pipeline init``: a folder made ready."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from pipeline.errors import SettingsError
from pipeline.settings import configs_folder


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
def command(folder: Path) -> None:
    """Make FOLDER (by default this one) ready: pipeline.yaml, templates/, inbox/ and outbox/.

    Nothing that is already there is changed. templates/examples/ holds copies of the built-in templates to look at; what is read are the
    files in templates/ itself, which come before the built-in ones.
    """
    made = []
    for name in ("inbox", "outbox", "templates"):
        if (folder / name).exists() and not (folder / name).is_dir():
            raise SettingsError(f"{folder / name} is there and is no folder", "move it away, or choose another folder")
        if not (folder / name).is_dir():
            (folder / name).mkdir(parents=True)
            made.append(f"{name}/")
    settings = folder / "pipeline.yaml"
    if not settings.exists():
        shutil.copyfile(configs_folder() / "pipeline.yaml", settings)
        made.append("pipeline.yaml")
    examples = folder / "templates" / "examples"
    if not examples.exists():
        shutil.copytree(configs_folder() / "templates", examples)
        made.append("templates/examples/")
    click.echo(f"made in {folder.resolve()}: {', '.join(made)}" if made else f"{folder.resolve()} was ready already")
    click.echo("next: put documents into inbox/, then `pipeline run`; `pipeline doctor` checks this machine")
