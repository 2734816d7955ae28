"""The language of a question, and what is said in it where a document has no answer."""

from __future__ import annotations

import re

from pipeline.languages import Language, active

DEFAULT = "en"
_WORD = re.compile(r"[^\W\d_]+")


def question_language(question: str) -> str:
    """The code of the language of which a question has most question words, articles and prepositions; English where it has none."""
    words, text = set(_WORD.findall(question.casefold())), question.casefold()
    scores = {code: _score(language, words, text) for code, language in active().by_code.items()}
    best = max(scores.values(), default=0)
    return next((code for code, score in scores.items() if score == best and score > 0), DEFAULT)


def _score(language: Language, words: set[str], text: str) -> int:
    own = language.questions
    cues = {*own.stop_words, *own.date, *own.money, *own.number, *own.place, *own.party}
    phrases = sum(phrase in text for phrase in own.stop_phrases)
    return 2 * len(words & cues) + phrases + len(words & {*own.document, *own.common})


def no_answer(question: str, pages: int) -> str:
    """Says in the language of the question that a document of so many pages has no answer."""
    own, default = (active().by_code[code].questions for code in (question_language(question), DEFAULT))
    if pages > 1:
        return own.not_on_pages or default.not_on_pages
    return own.not_on_page or default.not_on_page
