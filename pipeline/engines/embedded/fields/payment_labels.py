"""Labels of deposits and balances. "Deposit 30 % due now" labels the amount due, "Deposit paid" an amount that was paid before.

"Balance on completion" is due later, and labels neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pipeline.engines.embedded.fields.labels import OTHER, Label
from pipeline.languages import Languages, from_words
from pipeline.languages.word_patterns import plain_any_of
from pipeline.templates.template import Template


@dataclass(frozen=True, slots=True)
class _Patterns:
    requested: re.Pattern[str]
    received: re.Pattern[str]
    later: re.Pattern[str]


@from_words
def _patterns(languages: Languages) -> _Patterns:
    words = languages.words.deposits
    return _Patterns(*(_whole(part) for part in (words.requested, words.received, words.later)))


def _whole(words: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W\d_])(?:{plain_any_of(words)})(?![^\W\d_])", re.IGNORECASE)


def turn_payment_labels(labels: Sequence[Label], template: Template) -> list[Label]:
    """The labels of a page. A deduction that is still to be paid becomes a label of the amount due; a later payment labels no field.

    A deduction is a field with ``deduction``; what is left is the result of the check that subtracts it.
    """
    remainders = {
        name: check.equals for check in template.checks for name in check.subtracted if check.equals and "." not in name
    }
    deductions = {name for name, field in template.fields.items() if field.deduction and name in remainders}
    if not deductions:
        return list(labels)
    turned = []
    received = {
        label.run.number for label in labels if label.field in deductions and _patterns().received.search(label.run.text)
    }
    for label in labels:
        if label.field == OTHER + "paid" and label.run.number in received:  # "received" belongs to the deposit
            continue
        text = label.run.text
        if label.field in deductions and _patterns().received.search(text):
            label = replace(label, cover=1.0)
        elif label.field in deductions and _patterns().requested.search(text):
            label = replace(label, field=str(remainders[label.field]), cover=1.0)
        elif label.field in remainders.values() and _patterns().later.search(text):
            label = replace(label, field=OTHER + "money")
        turned.append(label)
    return turned
