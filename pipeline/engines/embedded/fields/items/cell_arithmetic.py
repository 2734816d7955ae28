"""The products and sums that the numbers of a page take part in, as evidence for cells of a table; values themselves stay decimals."""

from __future__ import annotations

from collections.abc import Set

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]
"""One number for each number of the page."""
_MOST_IN_LINE, _MOST_BELOW = 14, 8
"""Numbers of a line, and of the line below, that are multiplied."""
_MOST_ALIGNED = 80
_LONGEST_RUN = 40
"""Numbers below each other that are added, and the most of them that make one sum."""
_CENTS, _SHARE = 0.006, 0.0005
"""By how much a product may differ: half a cent, and a share of it."""
_SMALLEST = 0.05


def products(rows: NDArray[np.intp], values: Column) -> dict[str, Column]:
    """Which numbers are products or factors of others in their line (``near``: also in the line below), or equal to one of them.

    ``rows`` are the lines of the page, in rising order.
    """
    names = ("product", "factor left", "factor right", "product near", "factor near", "equal left", "equal right")
    found = {name: np.zeros(len(values)) for name in (*names, "row has product")}
    by_row: dict[int, list[int]] = {}
    for at, row in enumerate(rows):
        by_row.setdefault(int(row), []).append(at)
    for row, every in by_row.items():
        members = every[:_MOST_IN_LINE]
        for number, i in enumerate(members):
            for j in members[number + 1 :]:
                if values[i] == values[j] and values[i]:
                    found["equal right"][i] = found["equal left"][j] = 1
        _mark_products(values, members, (found["product"], found["factor left"], found["factor right"]))
        below = by_row.get(row + 1, [])[:_MOST_BELOW]
        if below:
            _mark_products(values, [*members, *below], (found["product near"], found["factor near"], found["factor near"]))
        if any(found["product"][i] for i in members):
            found["row has product"][members] = 1
    return found


def _mark_products(values: Column, members: list[int], marks: tuple[Column, Column, Column]) -> None:
    """Marks products and their factors, left and right. A factor of 1 says nothing."""
    for number, i in enumerate(members):
        for j in members[number + 1 :]:
            if values[i] in (0, 1) or values[j] in (0, 1):
                continue
            product = values[i] * values[j]
            for k in members:
                off = abs(values[k] - product)
                if k not in (i, j) and off <= _CENTS + _SHARE * abs(product) and abs(values[k]) > _SMALLEST:
                    marks[0][k] = marks[1][i] = marks[2][j] = 1


def sums(rows: NDArray[np.intp], values: Column, aligned: NDArray[np.bool_], labelled: Set[int]) -> dict[str, Column]:
    """Which numbers are the sum of those above them or part of one, also of a sum in a later line of ``labelled``.

    ``aligned`` says for each number which amounts end where it ends.
    """
    found = {name: np.zeros(len(values)) for name in ("sum of above", "in sum", "in labelled sum", "value below labelled")}
    cents = np.round(values * 100).astype(np.int64)
    totals: dict[int, int] = {}  # the last labelled line with an amount, by cents
    for row, amount in zip(rows, cents, strict=True):
        if int(row) in labelled and amount:
            totals[int(amount)] = max(totals.get(int(amount), -1), int(row))
    added: set[tuple[int, ...]] = set()
    for at in range(len(values)):
        found["value below labelled"][at] = totals.get(int(cents[at]), -1) > rows[at]
        members = np.flatnonzero(aligned[at])
        key = tuple(map(int, members))
        if len(members) < 2 or key in added:
            continue
        added.add(key)
        members = members[np.argsort(rows[members], kind="stable")][:_MOST_ALIGNED]
        prefix = np.concatenate([[0], np.cumsum(cents[members])])
        for end in range(2, len(members) + 1):
            starts = np.arange(max(0, end - _LONGEST_RUN), end - 1)
            each = prefix[end] - prefix[starts]
            if end < len(members):
                for start in starts[np.abs(each - cents[members[end]]) <= 1]:
                    found["sum of above"][members[end]] = 1
                    found["in sum"][members[start:end]] = 1
            for start, value in zip(starts, each, strict=True):
                if value and totals.get(int(value), -1) > rows[members[end - 1]]:
                    found["in labelled sum"][members[start:end]] = 1
    return found
