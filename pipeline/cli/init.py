"""``pipeline init``: prepare a folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from pipeline.cli.terminal import echo
from pipeline.errors import SettingsError
from pipeline.settings import FILE_NAME, configs_folder


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
def command(folder: Path) -> None:
    """Prepare FOLDER (by default the current one): create pipeline.yaml, templates/, inbox/ and outbox/.

    Existing files and folders are not changed. templates/examples/ holds copies of the built-in templates to learn from. Your own
    templates go into templates/ itself; one with the name of a built-in template replaces it.
    """
    created = []
    for name in ("inbox", "outbox", "templates"):
        if (folder / name).exists() and not (folder / name).is_dir():
            raise SettingsError(f"{folder / name} exists and is not a folder", "move it away, or choose another folder")
        if not (folder / name).is_dir():
            (folder / name).mkdir(parents=True)
            created.append(f"{name}/")
    settings = folder / FILE_NAME
    if not settings.exists():
        starter = (configs_folder() / "starter.yaml").read_text(encoding="utf-8")
        settings.write_text(starter.replace("{full}", str(configs_folder() / FILE_NAME)), encoding="utf-8")
        created.append("pipeline.yaml")
    examples = folder / "templates" / "examples"
    if not examples.exists():
        shutil.copytree(configs_folder() / "templates", examples)
        created.append("templates/examples/")
    echo(f"created in {folder.resolve()}: {', '.join(created)}" if created else f"{folder.resolve()} was ready already")
    echo("next: put documents into inbox/, then run `pipeline run`; `pipeline doctor` checks this machine")
