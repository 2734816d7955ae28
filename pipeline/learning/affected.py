"""Documents whose values would be others if they were read again, because of a lesson that was recorded or undone since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.checks.text_keys import letters_and_digits
from pipeline.learning.senders import compact
from pipeline.ledger.corrections import correction_history
from pipeline.ledger.file_records import FileRecord
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.lessons import RecordedLesson, names_with_lesson, recorded_lessons
from pipeline.templates.template import Template


def names_to_read_again(ledger: Ledger, templates: Mapping[str, Template]) -> set[str]:
    """Names of the results of documents that were read before a lesson about their sender, or with one that is undone.

    The sender of a document is what was read or corrected; one of whose sender nothing was read is left out.
    """
    lessons = recorded_lessons(ledger)
    names = {name for one in lessons if one.undone_at for name in names_with_lesson(ledger, one.lesson.number)}
    used = [one for one in lessons if not one.undone_at and one.lesson.template in templates]
    if used:
        names.update(
            file.source.name for file in ledger.published_files() if not file.part and _is_older(ledger, templates, file, used)
        )
    return names


def names_of_sender(ledger: Ledger, template: Template, recorded: RecordedLesson) -> list[str]:
    """Names of the results of documents of a lesson's sender that were read before the lesson."""
    templates = {template.name: template}
    return [
        file.source.name
        for file in ledger.published_files()
        if not file.part and _is_older(ledger, templates, file, [recorded])
    ]


def _is_older(ledger: Ledger, templates: Mapping[str, Template], file: FileRecord, lessons: list[RecordedLesson]) -> bool:
    """Whether a file was read before a lesson about its sender. It may have been published again since."""
    for template in {one.lesson.template for one in lessons}.intersection(file.recipes):
        period = ledger.processing_period(file.published_sha256 or "", {template: file.recipes[template]})
        later = [one.lesson.sender for one in lessons if one.lesson.template == template and period and period[1] < one.at]
        if not later:
            continue
        values = set(_seller_values(ledger, file, templates[template]))
        for sender in later:
            if values & {letters_and_digits(known) for known in (*sender.names, *sender.vat_ids)}:
                return True
    return False


def _seller_values(ledger: Ledger, file: FileRecord, template: Template) -> Iterator[str]:
    """Numbers and names of the seller, as they were read or corrected, folded."""
    sha256 = file.published_sha256 or ""
    fields = [
        name
        for name, field in template.main_fields().items()
        if field.role == "seller" and field.type in ("identifier", "party")
    ]
    results = ledger.results(sha256, template.name, file.recipes[template.name])
    values = [result.fields[name].value for result in results for name in fields if name in result.fields]
    values += [
        history[-1].value
        for (owner, name), history in correction_history(ledger, sha256).items()
        if owner == template.name and name in fields
    ]
    for value in values:
        if isinstance(value, str) and compact(value):
            yield letters_and_digits(value)
