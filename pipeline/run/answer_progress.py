"""What the model has written so far of the answers to people's questions. The final answer is in the ledger, and only there."""

from __future__ import annotations

from threading import Condition

from pipeline.engines.answers import answer_so_far
from pipeline.templates.template import Template

MAX_WRITTEN = 20_000
"""Letters of a model's text after which its answer is not followed any more."""


class AnswerProgress:
    """The text of each answer that is being written, by the number of its order. All methods may be called by any thread."""

    def __init__(self) -> None:
        self._texts: dict[int, str] = {}
        self._changed = Condition()

    def begin(self, order: int) -> None:
        """The engine gets the question of an order."""
        with self._changed:
            self._texts[order] = ""
            self._changed.notify_all()

    def write(self, order: int, template: Template, written: str) -> None:
        """The model has written so much, of the form that the template demands. Nothing after ``end``."""
        if len(written) > MAX_WRITTEN:
            return
        text = answer_so_far(template, written)
        with self._changed:
            if self._texts.get(order, text) != text:
                self._texts[order] = text
                self._changed.notify_all()

    def end(self, order: int) -> None:
        """The order is closed."""
        with self._changed:
            self._texts.pop(order, None)
            self._changed.notify_all()

    def clear(self) -> None:
        """No question is with the engine."""
        with self._changed:
            self._texts.clear()
            self._changed.notify_all()

    def next_text(self, order: int, known: str | None, seconds: float) -> str | None:
        """The text once it is another one than ``known``, else the same after these seconds. None: nothing is being written."""
        with self._changed:
            self._changed.wait_for(lambda: self._texts.get(order) != known, seconds)
            return self._texts.get(order)
