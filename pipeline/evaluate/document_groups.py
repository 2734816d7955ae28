"""Documents that have something in common (a language, a country, a layout), and how right they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pipeline.evaluate.intervals import Share, bootstrap
from pipeline.evaluate.printed_language import UNKNOWN
from pipeline.evaluate.review_errors import ReviewErrors, review_errors
from pipeline.evaluate.scored_document import ScoredDocument


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """Documents that have something in common: a language, a layout."""

    documents: int
    layouts: int
    share: Share
    interval: tuple[float, float]
    """95 % interval by a bootstrap over its layouts; of one layout, over its documents."""
    review: ReviewErrors


def share_of(documents: Iterable[ScoredDocument], field: str | None = None) -> Share:
    """Right ones among the cells of documents, or among those of one field."""
    cells = [cell for document in documents for cell in document.cells if field in (None, cell.field)]
    return Share(sum(cell.right for cell in cells), len(cells))


def grouped(documents: Iterable[ScoredDocument], key: Callable[[ScoredDocument], str]) -> dict[str, GroupFigures]:
    """Figures by what ``key`` says of a document, the largest group first."""
    members: dict[str, list[ScoredDocument]] = defaultdict(list)
    for document in documents:
        members[key(document) or UNKNOWN].append(document)
    figures = {name: _group_figures(group) for name, group in members.items()}
    return dict(sorted(figures.items(), key=lambda item: (-item[1].documents, item[0])))


def _group_figures(documents: Sequence[ScoredDocument]) -> GroupFigures:
    by_layout: dict[str, list[ScoredDocument]] = defaultdict(list)
    for document in documents:
        by_layout[document.layout.name].append(document)
    shares = [share_of(own) for own in by_layout.values()] if len(by_layout) > 1 else [document.share for document in documents]
    errors = review_errors(cell for document in documents for cell in document.cells)
    return GroupFigures(len(documents), len(by_layout), share_of(documents), bootstrap(shares), errors)
