"""The words in which people are told why a value needs a review: English ones, unless a subclass has another language."""

from __future__ import annotations

from collections.abc import Sequence


class ReviewWords:
    """The words of reasons, notes and cures, and the names of fields in them."""

    def say(self, text: str, **values: object) -> str:
        """A text with values at places like ``%(amount)s``."""
        return text % values if values else text

    def detail(self, text: str) -> str:
        """What is said of a failure, as the program has recorded it."""
        return text

    def name(self, field: str) -> str:
        """The name of a field or column."""
        return field

    def names(self, fields: Sequence[str]) -> str:
        """The names of fields, with commas in between."""
        return ", ".join(map(self.name, fields))
