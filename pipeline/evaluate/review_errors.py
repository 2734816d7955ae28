"""Do people find what is wrong? Errors that nothing tells them to look at, work for nothing, and values that no document has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.evaluate.intervals import Share
from pipeline.evaluate.scoring import Cell


@dataclass(frozen=True, slots=True)
class ReviewErrors:
    """Of scored values; tables are left out."""

    values: int
    """Values that the documents have."""
    wrong: int
    """Those that were read wrong or not at all."""
    silent: int
    """Wrong ones that are neither named for review nor flagged: nobody will look at them."""
    marked: int
    """Right ones that are named for review or flagged: work for nothing."""
    absent: int
    """Values of which the truth says that the document has none."""
    filled: int
    """Those that came out with a value."""
    filled_silently: int
    """Those of them that are neither named for review nor flagged."""

    @property
    def silent_share(self) -> Share:
        """Silent errors among the values that the documents have."""
        return Share(self.silent, self.values)

    @property
    def marked_share(self) -> Share:
        """Marked ones among the right values."""
        return Share(self.marked, self.values - self.wrong)

    @property
    def filled_share(self) -> Share:
        """Filled ones among the absent values."""
        return Share(self.filled, self.absent)


def review_errors(cells: Iterable[Cell]) -> ReviewErrors:
    """Counts over ``cells``, of which those with rows are left out."""
    plain = [cell for cell in cells if cell.rows is None]
    printed = [cell for cell in plain if cell.truth is not None]
    absent = [cell for cell in plain if cell.truth is None]
    wrong = [cell for cell in printed if not cell.right]
    filled = [cell for cell in absent if cell.outcome == "invented"]
    return ReviewErrors(
        len(printed),
        len(wrong),
        sum(not cell.marked for cell in wrong),
        sum(cell.right and cell.marked for cell in printed),
        len(absent),
        len(filled),
        sum(not cell.marked for cell in filled),
    )
