"""How the words of language files are matched."""

from __future__ import annotations

import re

import pytest

from pipeline.languages.word_patterns import any_of, loose_any_of, plain_any_of


@pytest.mark.parametrize(
    ("word", "text", "matches"),
    [
        ("road", "Mill Road 5", True),
        ("road", "broadly", False),
        ("*weg", "Kirchweg 5", True),
        ("*weg", "weger", False),
        ("recibo*", "recibos", True),
        ("recibo*", "prerecibo", False),
        ("*路*", "南京路5号", True),
        ("*店$", "小店", True),
        ("*店$", "小店 5", False),
        ("ul.", "ul. Długa", True),
        ("ul.", "ul Długa", False),
        ("c/", "c/ Mayor", True),
    ],
)
def test_a_word_is_whole_unless_a_star_says_otherwise(word: str, text: str, matches: bool) -> None:
    assert bool(re.search(any_of([word, "zzz"]), text, re.IGNORECASE)) is matches


@pytest.mark.parametrize("printed", ["eK", "e.K.", "e. K.", "e.K"])
def test_dots_and_blanks_of_a_legal_form_are_optional(printed: str) -> None:
    assert re.fullmatch(loose_any_of(["e. k."]), printed, re.IGNORECASE)


def test_the_longest_word_comes_first_and_signs_are_literal() -> None:
    assert re.findall(plain_any_of(["a", "a.b", "a.b"]), "a.b axb") == ["a.b", "a"]


def test_no_words_match_nothing() -> None:
    assert not any(re.search(expression([]), "") for expression in (any_of, loose_any_of, plain_any_of))
