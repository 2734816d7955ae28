"""Who sends a document, by what its pages print: VAT ids, IBANs and names, never the name of a file.

A page is a sender's only if it prints one of these *and* most of the words that all confirmed documents of the sender have, and if the
engine reads no other seller on it. A page on which somebody else prints the sender's name is none.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.checks.text_keys import letters_and_digits
from pipeline.checks.value_comparison import is_absent, same_value
from pipeline.engines.embedded.fields.bank_identifiers import find_bank_identifiers
from pipeline.engines.embedded.fields.page_rows import lay_out
from pipeline.engines.embedded.logical_page import logical_page
from pipeline.records import Claim, Evidence, Page, Sender
from pipeline.templates.template import Template

LEAST_LETTERS = 5
"""Letters and digits of a name that tells a sender."""
SHARED_WORDS = 0.6
"""Share of a sender's words that a page of the sender prints at least."""
MOST_WORDS = 80
FEW_WORDS = 5
"""With fewer words of its own a sender is known by all words that its documents share."""
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True)
class PageText:
    """The words of a page as they are compared with senders."""

    compact: str
    """Letters and digits without blanks, folded."""
    words: frozenset[str]

    @classmethod
    def of(cls, page: Page) -> PageText:
        """The text of a page."""
        texts = [word.text for word in page.words]
        return cls(letters_and_digits(" ".join(texts)), words_of(texts))


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """Words of at least three letters, in lower case."""
    return frozenset(word.casefold() for text in texts for word in _WORD.findall(text))


def sender_keys(fields: Mapping[str, Evidence], template: Template, pages: Sequence[Page]) -> Sender:
    """The numbers and names of a document's sender that its pages print, without ``words``."""
    vat_ids, names = [], []
    texts = [PageText.of(page) for page in pages]
    for name, field in template.fields.items():
        value = fields[name].value if name in fields else None
        if field.role != "seller" or is_absent(value) or not isinstance(value, str) or not _is_printed(value, texts):
            continue
        if field.type == "identifier" and field.format == "vat":
            vat_ids.append(compact(value))
        elif field.type == "party" and len(letters_and_digits(value)) >= LEAST_LETTERS:
            names.append(value)
    return Sender(tuple(vat_ids), tuple(sorted(set(_ibans(pages)))), tuple(names))


def is_seller(sender: Sender, claims: Mapping[str, Claim], template: Template) -> bool:
    """Whether the seller that the engine reads on a page may be this sender: the same VAT id; without one, the same name."""
    sellers = {name: field for name, field in template.fields.items() if field.role == "seller"}
    read = {name: claims[name].value for name in sellers if name in claims and isinstance(claims[name].value, str)}
    vat_ids = [compact(value) for name, value in read.items() if sellers[name].format == "vat"]
    if vat_ids and sender.vat_ids:
        return bool(set(vat_ids) & set(sender.vat_ids))
    names = [value for name, value in read.items() if sellers[name].type == "party"]
    known = (*sender.names, *sender.read_as)
    return not names or any(same_value("party", name, other) for name in names for other in known)


def compact(value: str) -> str:
    """Letters and digits of a number, in upper case."""
    return "".join(c for c in value.upper() if c.isalnum())


def _ibans(pages: Sequence[Page]) -> Iterable[str]:
    for page in pages:
        yield from (compact(found.text) for found in find_bank_identifiers(lay_out(logical_page(page))) if found.kind == "iban")


def _is_printed(value: str, texts: Sequence[PageText]) -> bool:
    key = letters_and_digits(value)
    return bool(key) and any(key in text.compact for text in texts)


def same_sender(a: Sender, b: Sender) -> bool:
    """Whether two documents have one sender: by VAT id; where one of them has none, by name; by IBAN only where a name is not known.

    The account on a bill may be the customer's own: "we debit your account".
    """
    if a.vat_ids and b.vat_ids:
        return bool(set(a.vat_ids) & set(b.vat_ids))
    if not a.names or not b.names:
        return bool(set(a.ibans) & set(b.ibans))
    keys = {letters_and_digits(name) for name in a.names}
    return any(letters_and_digits(name) in keys for name in b.names)


def joined(senders: Sequence[Sender], pages: Sequence[Sequence[Page]], others: Collection[str]) -> Sender:
    """One sender of several documents; ``others`` are words that documents of other senders print."""
    shared = frozenset.intersection(*(_document_words(each) for each in pages))
    own = shared - frozenset(others)
    words = sorted(own if len(own) >= FEW_WORDS else shared, key=lambda word: (-len(word), word))[:MOST_WORDS]
    return Sender(
        tuple(sorted({vat for sender in senders for vat in sender.vat_ids})),
        tuple(sorted(frozenset.intersection(*(frozenset(sender.ibans) for sender in senders)))),
        tuple(dict.fromkeys(name for sender in senders for name in sender.names)),
        tuple(dict.fromkeys(name for sender in senders for name in sender.read_as)),
        tuple(sorted(words)),
    )


def _document_words(pages: Sequence[Page]) -> frozenset[str]:
    return words_of(word.text for page in pages for word in page.words)


def likeness(sender: Sender, text: PageText) -> float:
    """How much of a sender's words a page prints, 0 to 1; 0 where it prints none of its numbers and names, or too few words."""
    numbers = (*sender.vat_ids, *sender.ibans)
    keys = [letters_and_digits(each) for each in (*numbers, *sender.names)]
    if not any(len(key) >= LEAST_LETTERS and key in text.compact for key in keys):
        return 0.0
    if not sender.words:
        return SHARED_WORDS
    share = len(text.words.intersection(sender.words)) / len(sender.words)
    return share if share >= SHARED_WORDS else 0.0
