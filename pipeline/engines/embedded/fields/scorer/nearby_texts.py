"""The words left of a value and above it, as the scorer compares them with labels."""

from __future__ import annotations

from pipeline.engines.embedded.fields.candidates import Candidate
from pipeline.engines.embedded.fields.page_rows import Layout, Run, label_key
from pipeline.records import Box

MAX_LETTERS = 40
"""Folded letters of a text, at most; a label has fewer."""
_ABOVE_ROWS = 12


class NearbyTexts:
    """The words near the values of one page. A value of several types has them once."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._left: dict[tuple[int, int], str] = {}
        self._above: dict[tuple[int, Box], str] = {}
        self._letters: dict[int, str] = {}
        """The folded letters of runs, by their number, as far as they stand above a value."""

    def left(self, candidate: Candidate) -> str:
        """Folded letters before the value in its run, back to the last digit; where there are none, those of the run left of it."""
        place = candidate.run.number, candidate.start
        if place not in self._left:
            text = _last_words(candidate.run.text[: candidate.start])
            if not text:
                before = [run for run in self._layout.rows[candidate.run.row] if run.box[2] <= candidate.run.box[0] + 1]
                text = _last_words(before[-1].text) if before else ""
            self._left[place] = text
        return self._left[place]

    def above(self, candidate: Candidate) -> str:
        """Folded letters of the nearest run with letters above the value, in its column."""
        place = candidate.run.row, candidate.box
        if place not in self._above:
            run = self._run_above(*place)
            self._above[place] = self._letters_of(run) if run else ""
        return self._above[place]

    def _letters_of(self, run: Run) -> str:
        if run.number not in self._letters:
            self._letters[run.number] = label_key("".join([c for c in run.text if not c.isdigit()]))
        return self._letters[run.number]

    def _run_above(self, row: int, box: Box) -> Run | None:
        x0, _, x1, _ = box
        for above in range(row - 1, max(-1, row - _ABOVE_ROWS), -1):
            for run in self._layout.rows[above]:
                if run.box[0] < x1 and run.box[2] > x0 and run.letters >= 3:
                    return run
        return None


def _last_words(text: str) -> str:
    """The folded letters behind the last digit; a digit directly before the value does not count."""
    kept: list[str] = []
    for word in reversed(text.split()):
        letters = word if word.isalpha() else "".join([c for c in word if not c.isdigit()])
        if len(letters) < len(word) and kept:
            break
        kept.append(letters)
    return label_key(" ".join(reversed(kept)))[-MAX_LETTERS:]
