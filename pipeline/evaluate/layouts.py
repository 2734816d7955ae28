"""Which documents look alike. The truth may say so; else those of one sender do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.checks.text_keys import letters_and_digits
from pipeline.checks.value_comparison import is_absent
from pipeline.evaluate.expected import Truth
from pipeline.evaluate.printed_language import UNKNOWN
from pipeline.evaluate.read_results import ReadDocument
from pipeline.templates.template import TemplateField

Known = Literal["truth", "sender", "sender as read", "unknown"]
"""How the layout of a document is known: the truth names it; the sender's number or name in the truth; the same as it was read."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of one document."""

    name: str
    """For people: as the truth names it, or the sender's name, else its number. Documents of one layout have one name."""
    known: Known


UNKNOWN_LAYOUT = Layout(UNKNOWN, "unknown")


@dataclass(frozen=True, slots=True)
class _Sender:
    keys: tuple[str, ...]
    """Number and name, in forms in which equal ones are equal."""
    name: str
    known: Known


def layouts(
    truths: Sequence[Truth], results: Sequence[ReadDocument | None], fields: Mapping[str, TemplateField]
) -> list[Layout]:
    """The layout of every document: the truth's, else one for all documents whose sender has the same VAT id or the same name.

    Documents whose sender nobody knows count as one layout, because nothing says that they differ.
    """
    senders = [_sender(truth, result, fields) for truth, result in zip(truths, results, strict=True)]
    groups = _joined([sender.keys for sender in senders])
    names: dict[int, Counter[str]] = {}
    for group, sender in zip(groups, senders, strict=True):
        names.setdefault(group, Counter())[sender.name] += 1
    return [
        Layout(truth.layout, "truth") if truth.layout else Layout(names[group].most_common(1)[0][0], sender.known)
        for truth, group, sender in zip(truths, groups, senders, strict=True)
    ]


def _sender(truth: Truth, result: ReadDocument | None, fields: Mapping[str, TemplateField]) -> _Sender:
    if truth.layout:
        return _Sender((), truth.layout, "truth")
    numbers = list(
        _values(truth, result, [name for name, field in fields.items() if _is_senders(field) and field.format == "vat"])
    )
    names = list(
        _values(truth, result, [name for name, field in fields.items() if _is_senders(field) and field.type == "party"])
    )
    known = [known for _, known in (*numbers[:1], *names[:1])]
    if not known:
        return _Sender(("",), UNKNOWN, "unknown")
    keys = tuple(
        f"{what} {letters_and_digits(text)}" for what, found in (("number", numbers), ("name", names)) for text, _ in found[:1]
    )
    title = (*names, *numbers)[0][0]
    return _Sender(keys, title, "sender" if "sender" in known else "sender as read")


def _is_senders(field: TemplateField) -> bool:
    return field.role == "seller"


def _values(truth: Truth, result: ReadDocument | None, names: Sequence[str]) -> Iterator[tuple[str, Known]]:
    """The true value of each field, else the one that was read where the truth does not know it."""
    for name in names:
        true = truth.fields.get(name)
        if true and isinstance(true[0], str):
            yield " ".join(true[0].split()), "sender"
        elif name not in truth.fields and result and name in result.fields and not is_absent(result.fields[name].value):
            yield " ".join(str(result.fields[name].value).split()), "sender as read"


def _joined(keys: Sequence[tuple[str, ...]]) -> list[int]:
    """A group for each of ``keys``: those that share a key, also through others, are in one. Without a key each is alone."""
    group_of = list(range(len(keys)))

    def root(at: int) -> int:
        while group_of[at] != at:
            group_of[at] = group_of[group_of[at]]
            at = group_of[at]
        return at

    first: dict[str, int] = {}
    for at, own in enumerate(keys):
        for key in own:
            group_of[root(at)] = root(first.setdefault(key, at))
    return [root(at) for at in range(len(keys))]
