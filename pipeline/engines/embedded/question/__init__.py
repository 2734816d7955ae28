"""Questions about a page in anybody's words: what is asked, and where the page says it."""

from pipeline.engines.embedded.question.question_reader import read_question

__all__ = ["read_question"]
