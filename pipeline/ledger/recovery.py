"""Rebuilds a damaged ledger from the outbox and the journal. No page is read again.

The JSON files of the outbox hold everything except the separate answer of each page: a field comes back with the document's value, on the
page where that value stands. Files are hashed again in the next run and recognised by their contents. Corrections come from the JSON files
and the journal (see ``ledger.journal``), orders from the journal only.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.errors import LedgerError
from pipeline.ledger.contained_recovery import PartRecovery
from pipeline.ledger.corrections import restore_corrections
from pipeline.ledger.document_states import Comment, DocumentDecision, restore_comment, restore_decision
from pipeline.ledger.journal import read_entries
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.lessons import is_whole_lesson, restore_lesson, restore_undo
from pipeline.ledger.orders import delete_old_orders, insert_order, orders_for_document, restore_order, update_outcome
from pipeline.ledger.rebuilt_units import marked_fields, restore_part, restore_person_split, restore_split, restore_units
from pipeline.ledger.replacement import REBUILT_FILE, begin_rebuilding, end_rebuilding, rebuilding_begun
from pipeline.records import WRAPPER_KINDS, Correction, DocumentInfo, Source, UnitKey
from pipeline.result_checksum import RESULT_KEYS, is_copy_name, is_intact
from pipeline.safe_open import open_file, open_named_file
from pipeline.split_records import contents_of

UNCLEAN_FILE = "unclean"
"""A file that exists while a run works. When a run finds it at its start, the run before crashed, and the ledger is checked."""

UNKNOWN = -1
"""Size and time of a file in a rebuilt ledger. No file has these: it is hashed again, and then recognised."""
_UNSUPPORTED = (sqlite3.InterfaceError, sqlite3.ProgrammingError)
"""What SQLite raises for values such as lists; which of them depends on the version of Python."""
MAX_NUMBER = 2**63 - 1
"""The largest number that SQLite holds."""
MAX_RESULT_BYTES = 256_000_000
"""Bytes of the largest file that is read as a result."""
NAMED_RESULTS = 10
"""Files that are no whole results and that a message names."""

InboxPath = Callable[[str], Path]
"""The absolute path of a file, by its path below the inbox."""


def open_checked_ledger(folder: Path, outbox: Path, inbox_path: InboxPath, messages: list[str]) -> Ledger:
    """The ledger, checked when the last run crashed and rebuilt from the outbox when it is damaged.

    A line about each repair is appended to ``messages``. Raises LedgerError.
    """
    begun = rebuilding_begun(folder)
    if begun is None:
        try:
            ledger = Ledger(folder)
            if (folder / UNCLEAN_FILE).exists():
                ledger.check_integrity()
        except LedgerError as error:
            if not isinstance(error.__cause__, sqlite3.DatabaseError) or isinstance(error.__cause__, sqlite3.OperationalError):
                raise
            begun = str(error.__cause__), folder / f"damaged-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    if begun:
        messages.append(_rebuild(folder, outbox, inbox_path, *begun))
        return Ledger(folder)
    is_new = next(ledger.published_files(), None) is None  # also after a user moved the old one away
    if count := replay_journal(ledger, with_orders=is_new):
        messages.append(f"the ledger lacked {count:,} corrections, questions and lessons; they are restored")
    if not is_new:
        delete_old_orders(ledger)
    return ledger


def _rebuild(folder: Path, outbox: Path, inbox_path: InboxPath, reason: str, set_aside: Path) -> str:
    """Set the damaged ledger aside, and put one that is made from the outbox and the journal at its place when it is whole.

    A run that dies at any instant leaves a mark, by which the next one begins again. Returns a message. Raises LedgerError.
    """
    try:
        reason, set_aside = begin_rebuilding(folder, reason, set_aside)
        with Ledger(folder, REBUILT_FILE) as ledger:
            count, left_out = rebuild_ledger(ledger, outbox, inbox_path)
            replay_journal(ledger, with_orders=True)
            _restore_pins(ledger)
            ledger.close_whole()
        end_rebuilding(folder)
    except (OSError, sqlite3.Error) as error:
        raise LedgerError(
            f"{folder}: the ledger cannot be made anew: {error}",
            "free disk space or check permissions; the next run begins again",
        ) from error
    message = (
        f"the ledger was damaged ({reason}): rebuilt from {count:,} results in {outbox}; the damaged file is in {set_aside}"
    )
    if left_out:
        names = ", ".join(left_out[:NAMED_RESULTS]) + (" …" if len(left_out) > NAMED_RESULTS else "")
        message += (
            f"; left out because they are no whole results: {names}; their documents are read again where they are in the inbox"
        )
    return message


def _restore_pins(ledger: Ledger) -> None:
    """Pin the files whose published result comes from an ordered reading."""
    for file in list(ledger.published_files()):
        others = {other.source.name for other in ledger.files_with_contents(file.sha256)} - {file.source.name}
        readings = [  # the journal has the name of that time; the file may have been renamed since
            order for order in orders_for_document(ledger, file.sha256, "reading") if order.details["name"] not in others
        ]
        outcome = (readings[-1].outcome or {}) if readings else {}
        is_special = bool(readings and (readings[-1].details.get("template") or readings[-1].details.get("engine")))
        if is_special and "status" in outcome and set(outcome["templates"]) == set(file.recipes):
            ledger.pin(file.source.name)


# ---- from the outbox ------------------------------------------------------------------------------


def rebuild_ledger(ledger: Ledger, outbox: Path, inbox_path: InboxPath) -> tuple[int, list[str]]:
    """Fill an empty ledger from the JSON files of an outbox. Returns their number, and the names of those that are no whole result."""
    count = 0
    left_out: list[str] = []
    parts = PartRecovery()
    for name, published in published_results(outbox, left_out.append):
        try:
            with ledger.transaction():
                if "file" in published["document"]:
                    restore_part(ledger, name, published)
                else:
                    relative = published["document"]["path"]
                    _restore_result(ledger, Source(inbox_path(relative), name, relative), published)
                    restore_split(ledger, name, published)
                rights = 0o044 & ~(outbox / f"{name}.json").stat().st_mode  # what the document withholds, its result withholds
                ledger.record_withheld_rights(published["document"]["sha256"], rights)
                parts.add(name, published)
        except (
            LookupError,
            TypeError,
            ValueError,
            AttributeError,
            RecursionError,
            ArithmeticError,
            OSError,
            sqlite3.IntegrityError,
            *_UNSUPPORTED,
        ):
            left_out.append(f"{name}.json")  # damaged, edited by a person, or written by another program
        else:
            count += 1
    parts.write(ledger)
    return count, left_out


def published_results(
    outbox: Path, on_left_out: Callable[[str], None] = lambda _: None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and contents of the results in an outbox. Other files, also copies of changed results, are skipped.

    Only plain files are opened, never a link or a pipe. ``on_left_out`` gets the names of files that are too large to be results.
    """
    root = Path(os.path.realpath(outbox))
    for relative in _json_files(root):
        try:
            with open_file(root / relative) as file:
                if os.fstat(file.fileno()).st_size > MAX_RESULT_BYTES:
                    on_left_out(relative)
                    continue
                if is_copy_name(relative) and not is_intact(file.fileno()):
                    continue
                content = json.loads(file.read().decode())
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(content, dict) and content.keys() >= RESULT_KEYS:
            yield relative.removesuffix(".json"), content


def _json_files(root: Path) -> list[str]:
    """The files below a folder, outside of hidden folders at its top, whose names end in ``.json``, in order. Links are not followed."""
    found: list[str] = []
    folders = [""]
    while folders:
        folder = folders.pop()
        with suppress(OSError), os.scandir(root / folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if folder or not entry.name.startswith("."):
                        folders.append(f"{folder}{entry.name}/")
                elif entry.name.endswith(".json") and (folder or not entry.name.startswith(".")):
                    found.append(folder + entry.name)
    return sorted(found)


def _restore_result(ledger: Ledger, source: Source, published: Mapping[str, Any]) -> None:
    about, provenance = published["document"], published["provenance"]
    sha256, results = about["sha256"], published["results"]
    recipes = {template: result["recipe"] for template, result in results.items()}
    reason_unopened = published["reason"] if not published["pages"] and about["kind"] not in WRAPPER_KINDS else None
    document = DocumentInfo(sha256, about["kind"], about["pages"], reason_unopened, published.get("detail", ""))
    ledger.record_document(document)
    for template, result in results.items():
        ledger.record_recipe(recipes[template], template, provenance.get("engine") or "", provenance.get("versions") or {})
        if question := result.get("question"):
            ledger.record_question(template, question)
        restore_units(ledger, UnitKey(sha256, 0, template, recipes[template]), result, published["pages"], sha256)
    chosen_template = next((template for template, result in results.items() if "question" not in result), None)
    if chosen_template:
        ledger.record_chosen_template(sha256, chosen_template)
    _restore_file(ledger, source, sha256)
    review, corrected = marked_fields(results)
    ledger.record_publication(
        source.name, sha256, recipes, published["status"], published["reason"], review=review, corrected=corrected
    )


def _restore_file(ledger: Ledger, source: Source, sha256: str) -> None:
    """Record the file of a result. Of several that had one path in the inbox, that is the one that is there; the others were moved."""
    namesake = ledger.file_at(source.path)
    if namesake and hash_at(source.path) != sha256:
        ledger.record_deleted_file(source, sha256)
        return
    if namesake:
        ledger.record_deletion(source.path)
    ledger.record_file(source, sha256, UNKNOWN, UNKNOWN)


def hash_at(path: Path) -> str | None:
    """Hash of the file at ``path``; None where none can be read."""
    try:
        with open_named_file(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


# ---- from the journal -----------------------------------------------------------------------------


def replay_journal(ledger: Ledger, *, with_orders: bool) -> int:
    """Restore what people said (corrections, splits, decisions, comments), lessons, and ``with_orders`` also orders, that the ledger lacks.

    Returns how many.

    What was said about a document that was forgotten since is left out.

    The journal may hold two corrections of one version when the ledger took only one of them. The last one holds.
    """
    corrections: dict[tuple[str, str, str, int], Correction] = {}
    orders: dict[int, dict[str, Any]] = {}
    outcomes: dict[int, dict[str, Any]] = {}
    lessons: dict[int, dict[str, Any]] = {}
    undone: dict[int, str] = {}
    splits: dict[str, dict[str, Any]] = {}
    decisions: dict[tuple[str, int], DocumentDecision] = {}
    comments: dict[tuple[str, int], Comment] = {}
    for entry in read_entries(ledger.path.parent):
        try:
            if "correction" in entry:
                correction = Correction(**entry["correction"])
                corrections[entry["sha256"], correction.template, correction.field, correction.version] = correction
            elif "state" in entry:
                decision = DocumentDecision(**entry["state"])
                decisions[str(entry["sha256"]), decision.version] = decision
            elif "comment" in entry:
                comment = Comment(**entry["comment"])
                comments[str(entry["sha256"]), comment.number] = comment
            elif "split" in entry:
                splits[str(entry["sha256"])] = entry
            elif "order" in entry:
                orders[entry["order"]["id"]] = entry["order"]
            elif "ended" in entry:
                outcomes.setdefault(entry["ended"], entry)
            elif "lesson" in entry:
                if is_whole_lesson(entry["lesson"]):
                    lessons[entry["lesson"]["number"]] = entry["lesson"]
            elif "undone" in entry:
                if 0 < int(entry["undone"]) <= MAX_NUMBER:
                    undone[int(entry["undone"])] = str(entry["at"])
            elif "forgotten" in entry:
                forgotten = set(entry["forgotten"])
                corrections = {key: item for key, item in corrections.items() if contents_of(key[0]) not in forgotten}
                splits = {key: item for key, item in splits.items() if key not in forgotten}
                decisions = {key: item for key, item in decisions.items() if contents_of(key[0]) not in forgotten}
                comments = {key: item for key, item in comments.items() if contents_of(key[0]) not in forgotten}
                for number in [number for number, order in orders.items() if order["sha256"] in forgotten]:
                    del orders[number]
                    outcomes.pop(number, None)
        except (KeyError, TypeError, ValueError, OverflowError):  # damaged, or written by another program
            continue
    with ledger.transaction():
        restored: dict[str, int] = defaultdict(int)
        for (key, *_), correction in corrections.items():
            restored[contents_of(key)] += restore_corrections(ledger, key, [correction])
        for (key, _), decision in decisions.items():
            restored[contents_of(key)] += restore_decision(ledger, key, decision)
        for (key, _), comment in comments.items():
            restored[contents_of(key)] += restore_comment(ledger, key, comment)
        for sha256, entry in splits.items():
            restored[sha256] += restore_person_split(ledger, entry)
        restored_orders = 0
        for number, order in orders.items() if with_orders else ():
            restored_orders += restore_order(ledger, order)
            if number in outcomes:
                update_outcome(ledger, number, outcomes[number]["at"], outcomes[number]["outcome"])
        for sha256 in (sha256 for sha256, count in restored.items() if count):
            insert_order(ledger, "publishing", sha256, {}, "")
        restored_lessons = sum(restore_lesson(ledger, entry) for entry in lessons.values())
        restored_lessons += sum(restore_undo(ledger, number, at) for number, at in undone.items())
        return sum(restored.values()) + restored_orders + restored_lessons
