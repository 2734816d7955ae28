"""The place of a value in a file without pages, from the places of its words."""

from __future__ import annotations

import pytest

from pipeline.checks.file_places import place_of
from pipeline.records import Word


@pytest.mark.parametrize(
    ("places", "place"),
    [
        ([], None),
        (["", ""], None),
        (["Data!B7", "Data!B7"], "Data!B7"),
        (["Data!AB12", "Data!A9", "Data!C10"], "Data!A9:AB12"),
        (["'My data'!A1", "'My data'!B1"], "'My data'!A1:B1"),
        (["One!A1", "Two!A1"], "One!A1; Two!A1"),
        (["B2", "C2"], "B2:C2"),
        (["paragraph 3", "paragraph 4"], "paragraph 3; paragraph 4"),
        ([f"line {number}" for number in range(2, 9)], "line 2 to line 8"),
    ],
)
def test_places_of_several_words_are_one_place(places: list[str], place: str | None) -> None:
    assert place_of([Word("x", (0, 0, 1, 1), 0, place=each) for each in places]) == place
