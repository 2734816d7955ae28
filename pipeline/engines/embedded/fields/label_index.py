"""The labels of a template in all languages, and what each of them means on a page in certain languages.

A word may be the label of one field in one language and of another field in another one ("Suma" is a subtotal in Spanish and the total in
Polish). What a label means on a page is decided by the weights of the page's languages.

Labels of other things keep values away from fields that do not ask for them ("Cash 50.00" is no total). A template's own
labels take precedence: a delivery note that asks for an order number simply lists that label.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from pipeline.engines.embedded.fields.page_rows import label_key
from pipeline.engines.embedded.fields.vocabulary import vocabulary
from pipeline.languages import Languages, active
from pipeline.languages.evidence import Weights, weight
from pipeline.templates.template import Labels, Template

OTHER = "?"
"""Begins the field name of labels that belong to no field of the template: "?money", "?date", "?identifier"."""
CLEARLY_LESS = 0.5
"""A meaning whose languages have less than this share of the weight of another meaning's languages is left out."""
SHORT, FOREIGN = 4, 0.2
"""Letters of a label that may also be a part of anything, and the weight below which a page is not in a language."""
Meanings = dict[str, frozenset[str]]
"""Field or column to the languages in which a label means it."""
_END = ""
_MOST_CHOICES = 32
"""Sets of languages whose labels are kept: pages of one archive are in few languages."""


class LabelIndex:
    """Folded labels and their meanings."""

    def __init__(self, meanings: Mapping[str, Meanings]) -> None:
        self.meanings = dict(meanings)
        self._tree = tree_of(self.meanings)
        self._in_languages: dict[frozenset[str], list[str]] = {}

    def __contains__(self, label: object) -> bool:
        return label in self.meanings

    def __iter__(self) -> Iterator[str]:
        return iter(self.meanings)

    def in_text(self, text: str, places: Iterable[int]) -> Iterator[tuple[int, str]]:
        """The labels that begin in ``text`` at one of the places, and where, the shortest first."""
        return words_in(self._tree, text, places)

    def fields(self, label: str, weights: Weights) -> list[str]:
        """What the label means on a page in these languages; a field of the template comes before other meanings.

        A short label of languages that the page is not in means nothing there: "DP" is a deposit in Indonesian only.
        """
        meanings = self.meanings[label]
        if self._is_foreign(label, weights):
            return []
        if len(meanings) == 1:
            return list(meanings)
        kept = likely(meanings, weights)
        return [field for field in kept if not field.startswith(OTHER)] or kept

    def _is_foreign(self, label: str, weights: Weights) -> bool:
        """Whether a page is not in the languages of a short label. "No" is understood in all of them."""
        short = len(label) <= SHORT and label.isascii() and label not in vocabulary().vague_labels
        return short and weight(self._languages[label], weights) < FOREIGN

    def by_field(self, weights: Weights) -> dict[str, list[str]]:
        """The labels of each field, and of each kind of other value, in the languages that a page is in."""
        codes = [code for code in self._by_language if weight((code,), weights) >= FOREIGN]
        found: dict[str, list[str]] = {}
        for code in codes:
            for field, labels in self._by_language[code].items():
                found.setdefault(field, []).extend(labels)
        return found

    @cached_property
    def _by_language(self) -> dict[str, dict[str, list[str]]]:
        found: dict[str, dict[str, list[str]]] = {}
        for label, meanings in self.meanings.items():
            for field, codes in meanings.items():
                for code in codes:
                    found.setdefault(code, {}).setdefault(field, []).append(label)
        return found

    def in_languages(self, weights: Weights, least: float) -> list[str]:
        """The labels of languages that have at least some weight on a page."""
        codes = frozenset(code for code in self._by_language if weight((code,), weights) >= least)
        if codes not in self._in_languages:
            if len(self._in_languages) >= _MOST_CHOICES:
                self._in_languages.clear()
            labels = [label for label, own in self._languages.items() if not own.isdisjoint(codes)]
            self._in_languages[codes] = labels
        return self._in_languages[codes]

    @cached_property
    def _languages(self) -> dict[str, frozenset[str]]:
        """The languages that have each label."""
        return {label: frozenset().union(*meanings.values()) for label, meanings in self.meanings.items()}


_INDICES: dict[int, tuple[Template, Languages, LabelIndex]] = {}
_MOST_INDICES = 32


def label_index(template: Template) -> LabelIndex:
    """The labels of the template's fields, and labels of other things of the language files under ``OTHER`` and a type."""
    known = _INDICES.get(id(template))
    if known is None or known[0] is not template or known[1] is not active():
        if len(_INDICES) >= _MOST_INDICES:
            _INDICES.clear()
        known = _INDICES[id(template)] = template, active(), _index(template)
    return known[2]


def _index(template: Template) -> LabelIndex:
    words: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name, field in template.fields.items():
        if field.type != "table":
            for code, label in by_language(field.labels):
                words[label_key(label)][name].add(code)
    for code, language in active().by_code.items():
        for kind, labels in language.other_labels:
            for label in labels:
                words[label_key(label)][OTHER + kind].add(code)
    words.pop("", None)
    return LabelIndex({label: {name: frozenset(codes) for name, codes in names.items()} for label, names in words.items()})


def by_language(labels: Labels) -> Iterator[tuple[str, str]]:
    """Language and label, of all languages."""
    for code, texts in labels.items():
        for text in texts:
            yield code, text


def likely(meanings: Mapping[str, frozenset[str]], weights: Weights) -> list[str]:
    """The meanings without those whose languages have clearly less weight than another meaning's."""
    by_weight = {name: weight(codes, weights) for name, codes in meanings.items()}
    least = CLEARLY_LESS * max(by_weight.values())
    return [name for name, weight_of_name in by_weight.items() if weight_of_name >= least]


def tree_of(words: Iterable[str]) -> dict[str, Any]:
    """The words as a tree of letters, for ``words_in``. The first two letters are one step: most places of a text begin no word."""
    tree: dict[str, Any] = {}
    for word in words:
        node = tree.setdefault(word[:2], {})
        for letter in word[2:]:
            node = node.setdefault(letter, {})
        node[_END] = word
    return tree


def words_in(tree: Mapping[str, Any], text: str, places: Iterable[int]) -> Iterator[tuple[int, str]]:
    """The words of a tree that begin in a text at one of the places, and where, at each place the shortest first.

    A place takes as long as the longest of its words.
    """
    for at in places:
        if text[at : at + 1] in tree:
            yield at, text[at]
        node: Any = tree.get(text[at : at + 2]) if at + 1 < len(text) else None
        place = at + 2
        while node is not None:
            if _END in node:
                yield at, node[_END]
            node = node.get(text[place]) if place < len(text) else None
            place += 1
