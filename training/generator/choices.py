"""Random choices that decide a document's structure, and the id that follows from them."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from typing import TypeVar

Option = TypeVar("Option")


class Choices:
    """Draws structural choices and keeps each under its name. Two documents with equal choices have one layout."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.log: dict[str, str] = {}

    def pick(self, name: str, options: Mapping[str, float]) -> str:
        """One of the options; the numbers are their relative frequencies."""
        option = self.rng.choices(list(options), weights=list(options.values()))[0]
        self.log[name] = option
        return option

    def chance(self, name: str, probability: float) -> bool:
        """True with this probability."""
        value = self.rng.random() < probability
        self.log[name] = "yes" if value else "no"
        return value

    def order(self, name: str, items: Sequence[str]) -> list[str]:
        """The items in random order."""
        drawn = list(items)
        self.rng.shuffle(drawn)
        self.log[name] = " ".join(drawn)
        return drawn

    def some(self, name: str, items: Sequence[str], probability: float) -> list[str]:
        """The items that are kept, each with this probability, in their order."""
        drawn = [item for item in items if self.rng.random() < probability]
        self.log[name] = " ".join(drawn)
        return drawn

    def layout_id(self) -> str:
        """Twelve hexadecimal digits over all choices."""
        return hashlib.sha256(json.dumps(self.log, sort_keys=True).encode()).hexdigest()[:12]


def draw(rng: random.Random, options: Mapping[Option, float]) -> Option:
    """One of the options by their relative frequencies, for what is no part of the structure."""
    return rng.choices(list(options), weights=list(options.values()))[0]
