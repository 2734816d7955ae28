"""Who sells and who buys: names told by labels, legal forms, place, print size, repetition and web addresses."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from rapidfuzz import fuzz

from pipeline.engines.embedded.fields.candidates import Candidates
from pipeline.engines.embedded.fields.labels import Label
from pipeline.engines.embedded.fields.layout import Layout, Run, fold
from pipeline.engines.embedded.fields.vocabulary import CONTACT, ORGANISATION, POSTCODE, STREET, TITLES, is_neutral

_TITLES = {fold(title) for title in TITLES}
_SPLIT = re.compile(r"\s[|•·●*–—]\s|\s-\s|[•·●|]")
_DOMAIN = re.compile(
    r"(?:@|www\.|https?://)([\w.-]+)|\b([\w-]{3,}\.(?:com|de|fr|es|it|nl|pl|eu|co\.uk|org|net|at|ch|be|my|sg|lv|pt|cn))\b",
    re.IGNORECASE,
)
_HONORIFIC = re.compile(
    r"^(?:herrn?|frau|mr|mrs|ms|dr|m\.|mme|monsieur|madame|sr|sra|sig|dhr|mevr|pan|pani)\b\.?", re.IGNORECASE
)
_PUBLIC_HOSTS = frozenset(
    [
        "gmail",
        "yahoo",
        "hotmail",
        "outlook",
        "gmx",
        "web",
        "t-online",
        "localhost",
        "example",
        "icloud",
        "live",
        "free",
        "orange",
    ]
)
LEAST = 0.3


@dataclass(frozen=True)
class Name:
    """A possible party's name: part of a run."""

    text: str
    run: Run
    words: tuple[int, ...]
    features: float
    """How much it looks like a name of an organisation or person at all."""


class Parties:
    """Names on a page, and which of them is the seller or the buyer."""

    def __init__(self, layout: Layout, candidates: Candidates, labels: list[Label], roles: dict[str, str]) -> None:
        """``roles`` maps the template's party fields to ``seller`` or ``buyer``."""
        self.layout = layout
        self.labels = labels
        self.roles = roles
        self._hosts = _hosts(layout)
        self._labelled = {word for label in labels for word in label.words}
        self._busy = {c.run.number for c in candidates.money if c.quality >= 0.8} | {c.run.number for c in candidates.dates}
        self.names = self._find_names()
        self._counts = Counter(self._key(name.text) for name in self.names)

    def choose(self) -> dict[str, tuple[Name, float]]:
        """The seller and the buyer with their strengths, each by role; never the same name for both."""
        sellers = {id(n): self.seller_strength(n) for n in self.names}
        buyers = {id(n): self.buyer_strength(n) for n in self.names}
        best: tuple[float, Name | None, Name | None] = (0.0, None, None)
        for seller in [None, *sorted(self.names, key=lambda n: -sellers[id(n)])[:8]]:
            for buyer in [None, *sorted(self.names, key=lambda n: -buyers[id(n)])[:8]]:
                if seller and buyer and same_name(seller.text, buyer.text):
                    continue
                score = (sellers[id(seller)] - LEAST if seller else 0.0) + (buyers[id(buyer)] - LEAST if buyer else 0.0)
                if "buyer" not in self.roles.values() and buyer:
                    continue
                if score > best[0]:
                    best = (score, seller, buyer)
        found = {}
        if best[1]:
            found["seller"] = (best[1], min(1.0, sellers[id(best[1])]))
        if best[2]:
            found["buyer"] = (best[2], min(1.0, buyers[id(best[2])]))
        return found

    def seller_strength(self, name: Name) -> float:
        """How likely the name is the seller's."""
        top = name.run.box[1] / max(1.0, self.layout.page.height)
        score = 0.35 * name.features
        score += 0.25 * max(0.0, 1.0 - top * 3.5)
        score += 0.12 if top > 0.85 and name.features >= 0.8 else 0.0
        score += 0.1 * min(2.0, max(0.0, name.run.size / self.layout.height - 1.0)) if top < 0.5 else 0.0
        score += 0.15 * min(2, self._counts[self._key(name.text)] - 1)
        score += 0.4 if self._like_host(name.text) else 0.0
        score += 0.45 * self._labelled_as(name, "seller")
        score -= 0.6 * self._labelled_as(name, "buyer")
        score += 0.1 if self._has_address_below(name) else 0.0
        score -= 0.35 if _HONORIFIC.match(name.text) else 0.0
        return score

    def buyer_strength(self, name: Name) -> float:
        """How likely the name is the buyer's: labelled so, or in the address window on the left."""
        height, width = max(1.0, self.layout.page.height), max(1.0, self.layout.page.width)
        top, left = name.run.box[1] / height, name.run.box[0] / width
        score = 0.25 * name.features + 0.75 * self._labelled_as(name, "buyer") - 0.4 * self._labelled_as(name, "seller")
        score += 0.2 if 0.08 < top < 0.38 and self._has_address_below(name) else 0.0
        score += 0.1 if _HONORIFIC.match(name.text) else 0.0
        score += 0.05 if left < 0.5 and 0.1 < top < 0.35 else 0.0
        score -= 0.4 if self._like_host(name.text) else 0.0
        score -= 0.25 if top > 0.6 or top < 0.05 else 0.0
        score -= 0.15 * min(2, self._counts[self._key(name.text)] - 1)
        return score

    def _find_names(self) -> list[Name]:
        names: list[Name] = []
        for run in self.layout.runs:
            at = 0
            parts = _SPLIT.split(run.text)
            for part in parts:
                start = run.text.find(part, at)
                at = start + len(part)
                text, start = self._without_label(run, part, start)
                if text and (features := self._features(text, run, len(parts) > 1)) > 0:
                    names.append(Name(text, run, run.span(start, start + len(text)), features))
        return names

    def _without_label(self, run: Run, text: str, start: int) -> tuple[str, int]:
        """The text after a label of a party ("Seller: Acme Ltd"), without marks around it."""
        for label in self.labels:
            if label.run is run and label.field in self.roles and start <= label.start and label.end <= start + len(text):
                rest = run.text[label.end : start + len(text)]
                if (label.start - start <= 2 and rest.lstrip()[:1] in ":-–") or ":" in rest[:3]:
                    text, start = rest, label.end
        clean = text.lstrip(" :;.,|*#-–_'\"")
        start += len(text) - len(clean)
        return clean.rstrip(" :;,|*#-–_'"), start

    def _features(self, text: str, run: Run, split: bool) -> float:
        """0 for what is no name, up to 1 for a line with a legal form."""
        letters = sum(c.isalpha() for c in text)
        digits = sum(c.isdigit() for c in text)
        folded = fold(text)
        if (letters < 3 and not re.search(r"[\u4e00-\u9fff]{2}", text)) or len(text) > 70 or folded in _TITLES:
            return 0.0
        organisation = ORGANISATION.search(text) is not None
        if CONTACT.search(text) and not organisation:
            return 0.0 if not _DOMAIN.search(text) or "@" in text or "www" in text.lower() else 0.2
        if (
            digits > letters
            or text.rstrip().endswith(":")
            or (digits and not organisation and (STREET.search(text) or POSTCODE.search(text)))
        ):
            return 0.0
        if self._is_labels(run, text):
            return 0.0
        if len(text.split()) > 7 and not organisation:
            return 0.0
        score = 0.85 if organisation else 0.45
        score += 0.15 if text[:1].isupper() else -0.2
        score -= 0.3 if run.number in self._busy else 0.0
        score -= 0.25 if digits and not organisation else 0.0
        score -= 0.2 if STREET.search(text) and not organisation else 0.0
        score += 0.1 if split and organisation else 0.0
        score -= 0.25 if len(text.split()) > 5 and not split else 0.0
        return max(0.05, score)

    def _is_labels(self, run: Run, text: str) -> bool:
        """Whether most of the text is labels."""
        own = [label for label in self.labels if label.run is run]
        covered = sum(label.length for label in {(o.start, o.end): o for o in own}.values())
        letters = len([c for word in text.split() if not is_neutral(word) for c in word if c.isalnum()])
        return covered >= 0.6 * max(1, letters)

    def _labelled_as(self, name: Name, role: str) -> float:
        """1 for a name beside or right below a label of that role; less for other lines of the same block."""
        best = 0.0
        height = self.layout.height
        for label in self.labels:
            if self.roles.get(label.field) != role:
                continue
            weight = 0.3 + 0.7 * label.cover
            if label.run is name.run:
                if name.words and label.words and name.words[0] >= label.words[0]:
                    best = max(best, weight if name.words[0] != label.words[0] else 0.5)
            elif label.row == name.run.row and 0 <= name.run.box[0] - label.box[2] < 0.25 * self.layout.page.width:
                best = max(best, weight * 0.9)
            else:
                gap = (name.run.box[1] - label.box[3]) / height
                left = abs(name.run.box[0] - label.run.box[0])
                if -0.8 < gap < 6 and left < 3 * height:
                    between = sum(
                        1
                        for n in self.names
                        if n is not name
                        and label.row < n.run.row < name.run.row
                        and abs(n.run.box[0] - name.run.box[0]) < 3 * height
                    )
                    best = max(best, weight * (1.0 - 0.08 * max(0.0, gap)) * 0.6**between)
        return best

    def _like_host(self, text: str) -> bool:
        plain = re.sub(ORGANISATION, " ", text)
        words = [fold(word) for word in plain.split() if len(fold(word)) >= 4]
        joined = fold(plain)
        for host in self._hosts:
            if len(joined) >= 4 and (joined in host or (len(host) >= 4 and host in joined) or fuzz.ratio(joined, host) >= 80):
                return True
            if any(word in host and len(word) >= 0.5 * len(host) for word in words):
                return True
        return False

    def _has_address_below(self, name: Name) -> bool:
        height = self.layout.height
        for run in self.layout.runs:
            below = (run.box[1] - name.run.box[3]) / height
            if (-0.5 < below < 4.5 and abs(run.box[0] - name.run.box[0]) < 2.5 * height) or (
                -0.5 < below < 4.5 and abs(run.box[0] + run.box[2] - name.run.box[0] - name.run.box[2]) < 3 * height
            ):
                if POSTCODE.search(run.text) or STREET.search(run.text):
                    return True
        return False

    @staticmethod
    def _key(text: str) -> str:
        return fold(text)[:24]


def same_name(a: str, b: str) -> bool:
    """Whether two names are one party."""
    return fuzz.token_set_ratio(a.casefold(), b.casefold()) >= 92


def _hosts(layout: Layout) -> set[str]:
    """Second-level names of the web and mail addresses on the page."""
    hosts: set[str] = set()
    for run in layout.runs:
        for match in _DOMAIN.finditer(run.text):
            parts = [
                part for part in (match[1] or match[2]).casefold().split(".") if part not in ("www", "com", "co", "net", "org")
            ]
            if parts and (name := parts[-2] if len(parts) > 1 else parts[0]) not in _PUBLIC_HOSTS:
                hosts.add(fold(name))
    return {host for host in hosts if len(host) >= 3}
