"""``pipeline learn``: what corrected and confirmed values teach, shown before it is used, listed, and undone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from pipeline.cli import options
from pipeline.cli.console import TerminalConsole, plural
from pipeline.cli.terminal import echo, echo_json
from pipeline.engines.embedded.embedded_engine import EmbeddedEngine
from pipeline.errors import ExitCode, SettingsError
from pipeline.learning.affected import names_to_read_again
from pipeline.learning.confirmed import Replay
from pipeline.learning.lookup import LedgerLessons
from pipeline.learning.planning import FieldProposal, Proposal, plan
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.lessons import names_with_lesson, record_lesson, recorded_lessons, undo_lesson
from pipeline.ledger.replacement import has_ledger
from pipeline.records import Sender
from pipeline.run.confirmed_documents import ConfirmedDocuments, confirmed_documents
from pipeline.run.job import Job, open_job, open_read_only_job
from pipeline.settings import STATE_FOLDER, Settings

LAST = "last"
WAYS = {"labels": "label", "shift": "weights", "both": "label and weights"}


@click.command("learn")
@options.folders
@click.option("--list", "show_list", is_flag=True, help="List what was learned.")
@click.option("--undo", is_flag=False, flag_value=LAST, metavar="[ID]", help="Stop using what was learned last, or lesson ID.")
@click.option("--yes", is_flag=True, help="Do not ask (for scripts).")
@options.as_json
def command(
    config: Path | None,
    inbox: options.PathOrUrl | None,
    outbox: options.PathOrUrl | None,
    show_list: bool,
    undo: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Learn from the values that people corrected or confirmed.

    For each sender with two or more such documents, every document is read with what the sender's other documents teach. What mends more
    values than it breaks is shown, and used for documents that are read from now on if you agree. With --json and without --yes, it is
    only shown.

    \b
    Examples:
      pipeline learn                 show what would change, and ask
      pipeline learn --yes           use it without a question
      pipeline learn --list          what was learned so far
      pipeline learn --undo 3        stop using lesson 3
      pipeline reprocess --learned   read documents again whose sender was learned about since
    """
    if undo is not None and (show_list or yes):
        raise SettingsError("--undo goes with neither --list nor --yes", "give one of them")
    settings = options.read_settings(config, inbox=inbox, outbox=outbox)
    if not has_ledger(settings.outbox / STATE_FOLDER) and not settings.outbox_url:
        raise SettingsError(f"nothing was read into {settings.outbox_location} yet", "name the outbox with --outbox")
    with _open(settings) as job:
        if show_list:
            _list(job.ledger, as_json)
        elif undo is not None:
            _undo(job, undo, as_json)
        else:
            _learn(job, yes=yes, as_json=as_json)


@contextmanager
def _open(settings: Settings) -> Iterator[Job]:
    """The job. An outbox on this machine may be in use by a run meanwhile, as it may while people correct values."""
    engine = EmbeddedEngine(settings.limits.seconds)
    with open_job(settings, engine=engine) if settings.outbox_url else open_read_only_job(settings, engine) as job:
        yield job


# ---- learn ---------------------------------------------------------------------------------------


def _learn(job: Job, *, yes: bool, as_json: bool) -> None:
    with TerminalConsole(stderr=True, quiet=as_json).status("reading the confirmed documents again"):
        found = confirmed_documents(job)
        proposals, unknown = plan(found.documents, Replay(job.settings.limits.seconds), LedgerLessons(job.ledger))
    if not as_json:
        _print(found, proposals, unknown)
    useful = [proposal for proposal in proposals if proposal.lesson]
    accepted = bool(useful) and (yes or (not as_json and _confirmed(len(useful))))
    numbers = {id(one): _record(job.ledger, one) for one in useful} if accepted else {}
    waiting = len(names_to_read_again(job.ledger, job.templates)) if accepted else 0
    if as_json:
        echo_json(
            {
                "senders": [_as_json(one, numbers.get(id(one))) for one in proposals],
                "left_out": found.left_out,
                "without_sender": unknown,
                "recorded": sorted(numbers.values()),
                "read_before": waiting,
            }
        )
    elif accepted:
        listed = ", ".join(map(str, sorted(numbers.values())))
        echo(
            f"Used from now on: {'lesson' if len(numbers) == 1 else 'lessons'} {listed}. `pipeline learn --undo ID` takes one back."
        )
        if waiting:
            echo(
                f"{plural(waiting, 'document')} of these senders were read before: `pipeline reprocess --learned` reads them again."
            )


def _record(ledger: Ledger, proposal: Proposal) -> int:
    assert proposal.lesson is not None  # noqa: S101 - only useful proposals are recorded
    counts = {
        one.field: {"mended": len(one.mended), "broken": len(one.broken), "replayed": one.replayed, "right": one.right}
        for one in proposal.fields
    }
    return record_lesson(ledger, proposal.lesson, counts).number


def _confirmed(count: int) -> bool:
    try:
        if click.confirm(f"Use this for documents that are read from now on ({plural(count, 'sender')})?", default=False):
            return True
    except click.Abort:
        raise SettingsError("not confirmed", "add --yes where there is nobody to ask; nothing was changed") from None
    echo("nothing was changed")
    raise click.exceptions.Exit(ExitCode.SOME_FAILED)


def _print(found: ConfirmedDocuments, proposals: Sequence[Proposal], unknown: Sequence[str]) -> None:
    if not proposals and not found.left_out and not unknown:
        echo("nothing to learn from: no value was corrected or confirmed yet (`pipeline serve`)")
    for one in proposals:
        echo(
            f"{sender_title(one.sender)}, template {one.template}: {plural(len(one.documents), 'document')} with confirmed values"
        )
        if one.fields or one.refused:
            _print_fields(one)
        if one.reason:
            echo(f"  {one.reason}")
        for field in one.fields:
            echo(f"  {field.field} would be mended in: {', '.join(field.mended)}")
            if field.broken:
                echo(f"  {field.field} would be broken in: {', '.join(field.broken)}")
        echo()
    for name, reason in found.left_out.items():
        echo(f"left out: {name}: {reason}")
    for name in unknown:
        echo(f"left out: {name}: its pages print no VAT id, IBAN or name of its sender")


def _print_fields(proposal: Proposal) -> None:
    table = Table("field", "learned", "mended", "broken", "right afterwards", box=None, pad_edge=False)
    for one in proposal.fields:
        table.add_row(one.field, _learned(one), *_counts(one))
    for one in proposal.refused:
        table.add_row(one.field, "nothing: it would not mend more than it breaks", *_counts(one))
    TerminalConsole().print(table)


def _learned(one: FieldProposal) -> str:
    texts = ", ".join(f"“{label}”" for label in one.labels)
    return f"{WAYS[one.way]} {texts}".strip() if one.labels else "weights"


def _counts(one: FieldProposal) -> tuple[str, str, str]:
    return str(len(one.mended)), str(len(one.broken)), f"{one.right} of {one.replayed}"


def sender_title(sender: Sender) -> str:
    """The name of a sender and its first number."""
    numbers = [*sender.vat_ids, *sender.ibans]
    name = next(iter(sender.names), "")
    return f"{name} ({numbers[0]})" if name and numbers else name or next(iter(numbers), "unknown")


def _as_json(one: Proposal, number: int | None) -> dict[str, Any]:
    return {
        "sender": {"names": one.sender.names, "vat_ids": one.sender.vat_ids, "ibans": one.sender.ibans},
        "template": one.template,
        "documents": one.documents,
        "lesson": number,
        "fields": [_field_as_json(field) for field in one.fields],
        "not_learned": [_field_as_json(field) for field in one.refused],
        "reason": one.reason,
    }


def _field_as_json(one: FieldProposal) -> dict[str, Any]:
    return {
        "field": one.field,
        "learns": one.way,
        "labels": one.labels,
        "mended": one.mended,
        "broken": one.broken,
        "replayed": one.replayed,
        "right": one.right,
    }


# ---- list and undo -------------------------------------------------------------------------------


def _list(ledger: Ledger, as_json: bool) -> None:
    lessons = recorded_lessons(ledger)
    if as_json:
        echo_json(
            [
                {
                    "lesson": one.lesson.number,
                    "sender": sender_title(one.lesson.sender),
                    "template": one.lesson.template,
                    "fields": {
                        name: {"labels": field.labels, **one.replay.get(name, {})} for name, field in one.lesson.fields.items()
                    },
                    "at": one.at,
                    "undone_at": one.undone_at,
                    "documents": names_with_lesson(ledger, one.lesson.number),
                }
                for one in lessons
            ]
        )
        return
    if not lessons:
        echo("nothing was learned yet")
        return
    table = Table("lesson", "sender", "template", "fields", "since", "documents with its values", box=None, pad_edge=False)
    for one in lessons:
        state = f"{one.at[:10]}, undone {one.undone_at[:10]}" if one.undone_at else one.at[:10]
        count = str(len(names_with_lesson(ledger, one.lesson.number)))
        number, title = str(one.lesson.number), sender_title(one.lesson.sender)
        table.add_row(number, title, one.lesson.template, ", ".join(one.lesson.fields), state, count)
    TerminalConsole().print(table)


def _undo(job: Job, which: str, as_json: bool) -> None:
    used = [one.lesson.number for one in recorded_lessons(job.ledger) if not one.undone_at]
    if which != LAST and which not in {str(one.lesson.number) for one in recorded_lessons(job.ledger)}:
        raise SettingsError(f"--undo {which}: this is no number of a lesson", "`pipeline learn --list` shows the lessons")
    if which == LAST and not used:
        raise SettingsError("there is no lesson in use", "`pipeline learn --list` shows the lessons")
    number = used[-1] if which == LAST else int(which)
    names = undo_lesson(job.ledger, number)
    if as_json:
        echo_json({"undone": number, "documents": names})
        return
    echo(f"lesson {number} is no longer used")
    if names:
        echo(
            f"{plural(len(names), 'document')} have values of it: `pipeline run` reads those in the inbox again, "
            "`pipeline reprocess --learned` also those in the archive"
        )
