"""The seller and the buyer: names by labels, legal forms, place, print size, repetition and web addresses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Mapping, Sequence

from rapidfuzz import fuzz

from pipeline.engines.embedded.fields.labels import Label
from pipeline.engines.embedded.fields.name_candidates import (
    NameCandidate,
    begins_with_house_number,
    find_name_candidates,
    has_house_number,
    is_address,
    is_organisation,
    is_person,
    is_return_line,
    is_town,
    without_legal_form,
)
from pipeline.engines.embedded.fields.page_rows import Layout, label_key
from pipeline.engines.embedded.fields.vocabulary import vocabulary

WINDOW = 5.0
"""Distance from the return line to the first lines of the address window, in letter heights."""
NAMED = 0.45
"""Share of a line that a web address must make up for the line to be the name behind it."""
_MOST_NAMES = 100
_WORDS = re.compile(r"[\s/|]+")
_HEADING_LETTERS = 3
"""Letters of a word from which it can be a heading; shorter ones are codes and remarks."""
_CHAIN = 5  # lines of a block that are looked at


class Parties:
    """The names on a page, and which of them are the seller and the buyer."""

    def __init__(
        self,
        layout: Layout,
        labels: list[Label],
        roles: Mapping[str, str],
        busy: set[int],
        cuts: Mapping[int, int],
        headings: Sequence[Container[str]] = (),
    ) -> None:
        """``roles`` maps the template's party fields to ``seller`` or ``buyer``.

        ``busy`` are runs that hold amounts or dates; ``cuts`` says where in a run a tax number begins. ``headings`` are folded texts of
        tables, none of which is a name.
        """
        self.layout = layout
        self.labels = [label for label in labels if label.field in roles and label.start <= 2]
        self.roles = roles
        candidates = [
            name
            for name in find_name_candidates(layout, labels, self.labels, busy, cuts)
            if not self.street(name) and not _is_heading(name.text, headings)
        ]
        likely = sorted(candidates, key=lambda name: -name.features)[:_MOST_NAMES]
        self.names = sorted(likely, key=lambda name: name.run.number)
        self._senders = [name for name in self.names if name.start <= 2 and is_return_line(name.run.text)]
        self._host_shares: dict[str, float] = {}
        self._labelled: dict[tuple[str, int, int], float] = {}
        self._counts = Counter(_key(name.text) for name in self.names)
        tops = [run.box[1] for run in layout.runs]
        self._first, self._last = min(tops, default=0.0), max(tops, default=0.0)

    def seller_strength(self, name: NameCandidate) -> float:
        """How likely the name is the seller's."""
        top = self.depth(name)
        score = 0.35 * name.features
        score += 0.25 * max(0.0, 1.0 - top * 3.5)
        score += 0.1 if top > 0.85 and name.features >= 0.8 else 0.0
        score += 0.1 * min(2.0, max(0.0, name.run.size / self.layout.height - 1.0)) if top < 0.5 else 0.0
        score += 0.15 * min(2, self._counts[_key(name.text)] - 1)
        score += 0.4 * self.host_share(name.text)
        backed = name.features >= 0.8 or self.before_address(name) > 0
        score += (0.45 if backed else 0.2) * self.labelled_as(name, "seller")
        score -= 0.6 * self.labelled_as(name, "buyer")
        score += 0.12 * self.before_address(name)
        score -= 0.3 if self.after_address(name) else 0.0
        score -= 0.3 if self.street(name) else 0.0
        score += 0.3 if name in self._senders else 0.0
        score -= 0.3 if self.in_address_window(name) else 0.0
        score -= 0.3 if self.former(name) else 0.0
        score -= 0.3 if self.person(name) and "buyer" in self.roles.values() else 0.0
        return score

    def buyer_strength(self, name: NameCandidate) -> float:
        """How likely the name is the buyer's: labelled so, or in the address window."""
        top = self.depth(name)
        score = 0.25 * name.features + 0.75 * self.labelled_as(name, "buyer") - 0.4 * self.labelled_as(name, "seller")
        score += 0.25 * self.before_address(name) if 0.04 < top < 0.4 else 0.0
        score += 0.1 if self.person(name) else 0.0
        score += 0.3 if self.in_address_window(name) else 0.0
        score -= 0.3 if name in self._senders else 0.0
        score -= 0.4 * self.host_share(name.text)
        score -= 0.25 if top > 0.6 else 0.0
        score -= 0.3 if self.after_address(name) else 0.0
        score -= 0.15 * min(2, self._counts[_key(name.text)] - 1)
        return score

    def copies(self, name: NameCandidate) -> int:
        """How often else the name is printed on the page."""
        return self._counts[_key(name.text)] - 1

    def is_sender(self, name: NameCandidate) -> bool:
        """Whether the name begins a return line: a name and its address in one small line."""
        return name in self._senders

    def depth(self, name: NameCandidate) -> float:
        """0 for the first line of the page, 1 for the last."""
        return (name.run.box[1] - self._first) / max(1.0, self._last - self._first)

    def labelled_as(self, name: NameCandidate, role: str) -> float:
        """1 for a name beside or right below a label of that role; less for other lines of the same block."""
        key = role, name.run.number, name.start
        if key not in self._labelled:
            strengths = (self._label_strength(label, name) for label in self.labels if self.roles[label.field] == role)
            self._labelled[key] = max(strengths, default=0.0)
        return self._labelled[key]

    def _label_strength(self, label: Label, name: NameCandidate) -> float:
        """How well the label leads to the name."""
        weight = 0.3 + 0.7 * label.cover
        height = max(4.0, self.layout.height)
        if label.run is name.run:
            return max(weight, 0.8) if name.start >= label.end and label.start <= 2 else 0.0
        beside = name.run.box[0] - label.box[2]
        if label.row == name.run.row and 0 <= beside < 0.25 * self.layout.page.width:
            return weight * 0.9
        gap = (name.run.box[1] - label.box[3]) / height
        if not (-0.8 < gap < 6 and abs(name.run.box[0] - label.run.box[0]) < 3 * height):
            return 0.0
        between = sum(
            1 for n in self.names if label.row < n.run.row < name.run.row and abs(n.run.box[0] - name.run.box[0]) < 3 * height
        )
        return weight * (1.0 - 0.08 * max(0.0, gap)) * 0.5**between

    def host_share(self, text: str) -> float:
        """How much of a web or mail address on the page the name explains."""
        if text not in self._host_shares:
            self._host_shares[text] = self._host_share(text)
        return self._host_shares[text]

    def _host_share(self, text: str) -> float:
        if not self.layout.hosts:
            return 0.0
        plain = without_legal_form(text)
        joined = label_key(plain)
        best = 0.0
        for host in self.layout.hosts if len(joined) >= 3 else ():
            if joined in host:
                best = max(best, len(joined) / len(host))
            elif host in joined:  # "Thank you for shopping at ..." holds the host, and much besides
                best = max(best, 1.0 if len(host) >= NAMED * len(joined) else (len(host) / len(joined)) ** 0.5)
            elif fuzz.ratio(joined, host) >= 80:
                best = max(best, 0.9)
            parts = [label_key(word) for word in plain.split() if len(label_key(word)) >= 4 and label_key(word) in host]
            if 2 * sum(map(len, parts)) >= len(joined):
                best = max(best, min(1.0, sum(map(len, parts)) / len(host)))
        return best if best >= 0.45 else 0.0

    def before_address(self, name: NameCandidate) -> float:
        """1 when the next lines of the block are an address, less the farther they are."""
        for at, run in enumerate(self.layout.chain(name.run, 1, _CHAIN)):
            if is_address(run.text):
                return 1.0 - 0.2 * at
        return 0.0

    def in_address_window(self, name: NameCandidate) -> bool:
        """Whether the name begins the block below a return line: the address window of a letter (DIN 5008)."""
        height = max(4.0, self.layout.height)
        return any(
            0 < name.run.box[1] - sender.run.box[3] < WINDOW * height
            and abs(name.run.box[0] - sender.run.box[0]) < 3 * height
            and not any(sender.run.row < other.run.row < name.run.row and is_address(other.run.text) for other in self.names)
            for sender in self._senders
        )

    def former(self, name: NameCandidate) -> bool:
        """Whether the words before it say that it is a former name."""
        before = [name.run.text[: name.start], *(run.text for run in self.layout.chain(name.run, -1, 1))]
        return any(vocabulary().former.search(text) for text in before)

    def street(self, name: NameCandidate) -> bool:
        """Whether it is a street without a word for one: it ends or begins with a house number, and the next line is a town."""
        below = next(iter(self.layout.chain(name.run, 1, 1)), None)
        if below is None:
            return False
        return (has_house_number(name.text) and is_address(below.text)) or (
            begins_with_house_number(name.text) and is_town(below.text)
        )

    def addressed(self, name: NameCandidate) -> bool:
        """Whether a mark behind the name says that the page is addressed to it: 御中."""
        rest = name.run.text[name.start + len(name.text) :].strip()
        return vocabulary().addressee.match(rest) is not None

    def person(self, name: NameCandidate) -> bool:
        """Whether a form of address begins it or the line above it."""
        return is_person(name.text) or any(is_person(run.text) for run in self.layout.chain(name.run, -1, 1))

    def after_address(self, name: NameCandidate) -> bool:
        """Whether an address stands above it in its block, and nothing says that it is an organisation."""
        return any(is_address(run.text) for run in self.layout.chain(name.run, -1, 3)) and name.features < 0.8


def same_name(a: str, b: str) -> bool:
    """Whether two names are of one party."""
    return fuzz.token_set_ratio(a.casefold(), b.casefold()) >= 92


def _is_heading(text: str, headings: Sequence[Container[str]]) -> bool:
    """Whether a text is a heading, or several side by side: "Moms (kr) Belopp"."""

    def is_known(part: str) -> bool:
        return any(label_key(part) in known for known in headings)

    parts = _WORDS.split(text)
    words = [word for word in parts if sum(map(str.isalpha, word)) >= _HEADING_LETTERS]
    several = len(words) > 1 or (len(parts) > 1 and bool(words) and not is_organisation(text))
    return is_known(text) or (several and all(map(is_known, words)))


def _key(text: str) -> str:
    return label_key(text)[:24]
