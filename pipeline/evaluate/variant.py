"""A variant to evaluate: an engine, a template and settings, with an outbox of its own for the results."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.engines.base import Engine
from pipeline.engines.registry import ENGINE_NAMES, make_engine
from pipeline.errors import SettingsError
from pipeline.evaluate.recording_engine import RecordingEngine
from pipeline.ledger.replacement import LEDGER_FILE
from pipeline.publish.atomic_files import write_atomically
from pipeline.run.job import all_templates, check_template, recipe
from pipeline.settings import STATE_FOLDER, Settings
from pipeline.templates.digest import digest
from pipeline.templates.load import load_template
from pipeline.templates.template import Template
from pipeline.words.precision import choose_precision

LAST = "last"
"""What ``--against`` calls the evaluation that was kept before this one."""


@dataclass(frozen=True)
class Variant:
    """What reads, and where its results go. The folder is named after the recipe, so that results of two recipes never mix."""

    label: str
    settings: Settings
    template: Template
    engine: Engine
    recipe: str = field(init=False)

    def __post_init__(self) -> None:
        data, precision = self.settings.read_einvoices, choose_precision(self.settings)
        object.__setattr__(self, "recipe", recipe(self.template, self.engine, einvoices=data, precision=precision))

    @property
    def outbox(self) -> Path:
        """Where the results are."""
        return self.settings.outbox


def find_template(named: str, settings: Settings) -> tuple[Template, Path | None]:
    """A template by its name, or by its file, which is then returned too. Raises SettingsError, TemplateError."""
    path = Path(named)
    if path.suffix in (".yaml", ".yml"):
        return load_template(path), path
    templates = all_templates(settings)
    check_template(named, templates)
    return templates[named], None


def make_variant(
    settings: Settings, folder: Path, work: Path, template: Template, file: Path | None, *, hide_xml: bool
) -> Variant:
    """A variant that reads documents in ``folder`` and keeps everything below ``work``. Raises EngineUnavailableError, OutboxError.

    Routes are left out: all documents are read with the one template.
    """
    changes: dict[str, object] = {"inbox": folder, "routes": (), "after": "keep"}
    if file:
        changes["templates"] = _folder_with(template, file, work)
    if hide_xml:
        changes["read_einvoices"] = False
    settings = settings.model_copy(update=changes)
    engine = make_engine(settings)
    without_outbox = Variant("", settings, template, engine)
    outbox = work / f"{template.name}-{without_outbox.recipe}"
    named = file.name if file else template.name
    return Variant(
        f"{named} · {engine.identity}",
        settings.model_copy(update={"outbox": outbox}),
        template,
        RecordingEngine(engine, outbox),
    )


def _folder_with(template: Template, file: Path, work: Path) -> Path:
    """A folder that holds this template alone."""
    folder = work / "templates" / digest(template)
    write_atomically(folder / "template.yaml", [file.read_bytes()])
    return folder


def find_results(named: str, work: Path, variant: Variant) -> Path:
    """The folder of results that ``--against`` names. Raises SettingsError where it holds none."""
    if named == LAST:
        outboxes = [path for path in work.glob(f"{variant.template.name}-*") if path != variant.outbox and path.is_dir()]
        if not outboxes:
            raise SettingsError(
                f"{work}: no other evaluation with the template `{variant.template.name}` was kept",
                "evaluate with --keep before the change, and again after it",
            )
        return max(outboxes, key=_last_used)
    folder = Path(named)
    if not folder.is_dir() or not any(_results(folder)):
        raise SettingsError(
            f"--against {named}: neither an engine nor a folder with results",
            f"engines: {', '.join(ENGINE_NAMES)}; folders: an outbox, one that --keep kept, or `{LAST}`",
        )
    return folder


def _last_used(folder: Path) -> float:
    """Time of the last change of a kept evaluation."""
    ledger = folder / STATE_FOLDER / LEDGER_FILE
    return ledger.stat().st_mtime if ledger.exists() else 0.0


def _results(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*.json") if not path.relative_to(folder).parts[0].startswith("."))
