"""``pipeline eval``: how right are the readings, where do they go wrong, and did a change help?"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from pipeline.cli import options
from pipeline.cli.console import RunScreen, plural
from pipeline.cli.eval_tables import headline, print_comparison, print_evaluation, print_misses
from pipeline.cli.monitors import monitor_command
from pipeline.cli.run import read_files
from pipeline.cli.terminal import echo, echo_json
from pipeline.engines.registry import ENGINE_NAMES
from pipeline.errors import ExitCode, SettingsError
from pipeline.evaluate.comparison import Comparison, compare
from pipeline.evaluate.einvoice_truth import read_einvoice_truth
from pipeline.evaluate.evaluation import Evaluation, evaluate
from pipeline.evaluate.evaluation_report import write_report
from pipeline.evaluate.expected import Truth
from pipeline.evaluate.printed_language import language_of
from pipeline.evaluate.read_results import ReadDocument, read_results
from pipeline.evaluate.recording_engine import recorded_pages
from pipeline.evaluate.scored_document import hashes_of
from pipeline.evaluate.serialise import cell_json, comparison_json, evaluation_json
from pipeline.evaluate.truth import TruthRow, find_truth, fitting_template, read_truth, truths
from pipeline.evaluate.variant import Variant, find_results, find_template, make_variant
from pipeline.intake.scan import scan_arguments
from pipeline.printable import one_line
from pipeline.run.job import all_templates, open_job
from pipeline.run.loop import Loop
from pipeline.run.refresh import split_up_to_date
from pipeline.settings import Settings
from pipeline.templates.template import Template, TemplateField

EINVOICE_TEMPLATE = "invoice"


@click.command("eval")
@click.argument("folder", metavar="TRUTH_FOLDER", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--truth", type=click.Path(path_type=Path), help="The truth [truth.jsonl or truth.csv in the folder].")
@click.option(
    "--e-invoices", "einvoices", is_flag=True, help="E-invoices are their own truth; their XML is hidden from the reader."
)
@click.option(
    "--template", metavar="NAME_OR_FILE", help="Read with this template [the first that has all fields of the truth]."
)
@click.option("--fields", metavar="NAMES", help="Score only these fields; several with commas.")
@options.engine
@options.model
@options.config
@click.option("--against", metavar="WHAT", help="Compare with an engine, an outbox, or `last`: what --keep kept before.")
@click.option("--against-template", metavar="NAME_OR_FILE", help="Compare with another version of the template.")
@click.option(
    "--against-config", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Compare with other settings."
)
@click.option("--hide-xml", is_flag=True, help="Read the pages of e-invoices as if they carried no data.")
@click.option(
    "--report", type=click.Path(path_type=Path, dir_okay=False), help="Write an HTML report with every miss on its page."
)
@click.option("--misses", is_flag=True, help="List every miss.")
@click.option(
    "--keep",
    type=options.local_path,
    metavar="PATH",
    help="Keep what is read in this folder: the next evaluation goes on from there.",
)
@click.option("--limit", type=click.IntRange(min=1), help="Only the first so many documents of the truth.")
@options.quiet
@options.as_json
def command(
    folder: Path,
    truth: Path | None,
    einvoices: bool,
    template: str | None,
    fields: str | None,
    engine: str | None,
    model: str | None,
    config: Path | None,
    against: str | None,
    against_template: str | None,
    against_config: Path | None,
    hide_xml: bool,
    report: Path | None,
    misses: bool,
    keep: Path | None,
    limit: int | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Read documents whose truth is known, and say how much of it was read right.

    The truth is a file in the folder: truth.jsonl (an object a line: `file`, `fields`) or truth.csv (a column `file`, a column a
    field). Nothing in the folder or in your outbox is changed. A document that cannot be read counts as wrong.

    \b
    Examples:
      pipeline eval truth/ --report report.html
      pipeline eval truth/ --engine vlm --against embedded
      pipeline eval truth/ --template new.yaml --against-template invoice
      pipeline eval truth/ --keep eval/ --against last      did my change help?
      pipeline eval e-invoices/ --e-invoices
    """
    if sum(map(bool, (against, against_template, against_config))) > 1:
        raise SettingsError(
            "--against, --against-template and --against-config exclude each other", "compare one thing at a time"
        )
    if einvoices and truth:
        raise SettingsError("--e-invoices and --truth exclude each other", "e-invoices are their own truth")
    settings, folder, silent = options.read_settings(config, engine=engine, model=model), folder.resolve(), quiet or as_json
    only = tuple(name.strip() for name in (fields or "").split(",") if name.strip())
    path = None if einvoices else truth or find_truth(folder)
    rows = read_truth(path) if path else None
    chosen, file = _template(template, settings, rows, only)
    rows = rows or read_einvoice_truth(folder, chosen, settings)
    with _workplace(keep) as work:

        def variant_of(with_settings: Settings, with_template: Template, with_file: Path | None) -> Variant:
            return make_variant(with_settings, folder, work, with_template, with_file, hide_xml=hide_xml or einvoices)

        variant = variant_of(settings, chosen, file)
        other: Variant | Path | None = None
        if against_template:
            other = variant_of(settings, *find_template(against_template, settings))
        elif against_config:
            theirs = options.read_settings(against_config)
            other = variant_of(theirs, *((chosen, file) if file else find_template(chosen.name, theirs)))
        elif against in ENGINE_NAMES:
            other = variant_of(settings.model_copy(update={"engine": against, "model": ""}), chosen, file)
        elif against:
            other = find_results(against, work, variant)
        specs = {**(other.template.fields if isinstance(other, Variant) else {}), **chosen.fields}
        all_truths = truths(rows[:limit], folder, specs, only)
        hashes = hashes_of(all_truths)
        evaluation = evaluate(
            variant.label, all_truths, hashes, _read(variant, all_truths, hashes, quiet=silent), specs, _languages(variant)
        )
        comparison = compare(_other(other, all_truths, hashes, variant, specs, quiet=silent), evaluation) if other else None
        if report:
            about = _about(path or "the e-invoices' own data", all_truths, variant)
            write_report(report, evaluation, comparison, specs, settings, partial(recorded_pages, variant.outbox), about)
        output = _Output(evaluation, comparison, variant, report, variant.outbox if keep else None)
        output.as_json() if as_json else output.as_text(quiet=quiet, misses=misses)
    if evaluation.problems:
        raise click.exceptions.Exit(ExitCode.SOME_FAILED)


def _template(
    named: str | None, settings: Settings, rows: Sequence[TruthRow] | None, only: tuple[str, ...]
) -> tuple[Template, Path | None]:
    """The template that was named, else the one that fits the truth; with its file, where it was named by that."""
    if named or rows is None:
        return find_template(named or EINVOICE_TEMPLATE, settings)
    requested = [TruthRow("", "", dict.fromkeys(only))] if only else rows
    return fitting_template(requested, all_templates(settings)), None


@contextmanager
def _workplace(keep: Path | None) -> Iterator[Path]:
    """The folder for what is read: the one to keep, or one that goes away."""
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="pipeline-eval-") as folder:
        try:
            yield Path(folder)
        except KeyboardInterrupt:
            echo("pipeline: what was read is not kept; with --keep FOLDER the next evaluation would go on from there", err=True)
            raise


def _read(variant: Variant, all_truths: Sequence[Truth], hashes: Mapping[Path, str], *, quiet: bool) -> dict[str, ReadDocument]:
    """Read what is not read yet, by the ordinary loop, and return all results by sha256."""
    screen = RunScreen(logs_to_stderr=variant.settings.log.as_json)
    with (
        monitor_command("eval", variant.settings, screen, quiet=quiet) as monitor,
        open_job(variant.settings, template=variant.template.name, engine=variant.engine) as job,
        Loop(job, monitor) as loop,
        monitor.observe(job, loop),
    ):
        paths = [truth.path for truth in all_truths if truth.path in hashes]
        todo, before = split_up_to_date(
            job, scan_arguments(paths, job.inbox, job.outbox_names, monitor.file_skipped), job.file_records
        )
        read_files(job, loop, screen, monitor, todo, before, quiet=quiet)
        if loop.stopping:
            raise KeyboardInterrupt
        for name, why in screen.skipped_files:
            echo(one_line(f"not read: {name}: {why}"), err=True)
    return read_results(variant.outbox, variant.template.name, variant.recipe)


def _other(
    other: Variant | Path,
    all_truths: Sequence[Truth],
    hashes: Mapping[Path, str],
    variant: Variant,
    specs: Mapping[str, TemplateField],
    *,
    quiet: bool,
) -> Evaluation:
    """The scored documents of the variant to compare with: read now, or from a folder of results."""
    if isinstance(other, Variant):
        return evaluate(other.label, all_truths, hashes, _read(other, all_truths, hashes, quiet=quiet), specs)
    results = read_results(other, variant.template.name)
    from_data = any(field.from_data for result in results.values() for field in result.fields.values())
    if from_data and not variant.settings.read_einvoices:
        echo(f"pipeline: {other} was read with the e-invoices' XML, which is hidden here", err=True)
    return evaluate(str(other), all_truths, hashes, results, specs)


def _languages(variant: Variant) -> Callable[[Truth, str], str]:
    """The language of a document, by its truth and its sha256."""

    def language(truth: Truth, sha256: str) -> str:
        pages = [] if truth.language or not sha256 else recorded_pages(variant.outbox, sha256)
        return language_of(truth, variant.template, pages)

    return language


def _about(truth: Path | str, all_truths: Sequence[Truth], variant: Variant) -> dict[str, str]:
    """The head of the report."""
    return {
        "truth": f"{truth.resolve() if isinstance(truth, Path) else truth} ({plural(len(all_truths), 'document')})",
        "template": variant.label.partition(" · ")[0],
        "engine": variant.engine.identity,
        "e-invoices": "XML hidden from the reader" if not variant.settings.read_einvoices else "XML read where there is some",
        "recipe": variant.recipe,
    }


@dataclass(frozen=True)
class _Output:
    """The result of the command, to print."""

    evaluation: Evaluation
    comparison: Comparison | None
    variant: Variant
    report: Path | None
    kept: Path | None

    def as_json(self) -> None:
        """Everything, with every miss."""
        summary: dict[str, Any] = {
            "template": self.variant.template.name,
            "engine": self.variant.engine.identity,
            "recipe": self.variant.recipe,
            **evaluation_json(self.evaluation),
            "misses": [cell_json(cell) for cell in self.evaluation.cells if not cell.right],
            "against": None,
            "report": str(self.report) if self.report else None,
            "kept": str(self.kept) if self.kept else None,
        }
        if self.comparison:
            summary["against"] = {**evaluation_json(self.comparison.before), "comparison": comparison_json(self.comparison)}
        echo_json(summary)

    def as_text(self, *, quiet: bool, misses: bool) -> None:
        """Tables for people; when ``quiet`` the one line that matters."""
        if quiet:
            echo(self.comparison.verdict if self.comparison else headline(self.evaluation))
            return
        print_evaluation(self.evaluation)
        if misses:
            print_misses(self.evaluation)
        if self.comparison:
            print_comparison(self.comparison)
        for file, why in self.evaluation.problems:
            echo(one_line(f"{file}: {why}"), err=True)
        if self.report:
            echo(f"The report: {self.report}")
        if self.kept:
            echo(f"Kept in {self.kept}")
