"""Answers questions about a page from what it prints."""

from pipeline.engines.embedded.question.question_reader import read_question

__all__ = ["read_question"]
