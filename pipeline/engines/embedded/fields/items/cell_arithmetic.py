"""The products and sums that the numbers of a page take part in, as evidence for cells of a table; values themselves stay decimals."""

from __future__ import annotations

from collections.abc import Sequence, Set
from itertools import accumulate

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
    plain = values.tolist()
    by_row: dict[int, list[int]] = {}
    for at, row in enumerate(rows.tolist()):
        by_row.setdefault(row, []).append(at)
    for row, every in by_row.items():
        members = every[:_MOST_IN_LINE]
        for number, i in enumerate(members):
            for j in members[number + 1 :]:
                if plain[i] == plain[j] and plain[i]:
                    found["equal right"][i] = found["equal left"][j] = 1
        _mark_products(plain, members, (found["product"], found["factor left"], found["factor right"]))
        below = by_row.get(row + 1, [])[:_MOST_BELOW]
        if below:
            _mark_products(plain, [*members, *below], (found["product near"], found["factor near"], found["factor near"]))
        if any(found["product"][i] for i in members):
            found["row has product"][members] = 1
    return found


def _mark_products(values: Sequence[float], members: list[int], marks: tuple[Column, Column, Column]) -> None:
    """Marks products and their factors, left and right. A factor of 1 says nothing."""
    if len(members) < 3:
        return
    factors = [i for i in members if values[i] not in (0, 1)]
    results = [k for k in members if abs(values[k]) > _SMALLEST]
    for number, i in enumerate(factors):
        for j in factors[number + 1 :]:
            product = values[i] * values[j]
            most = _CENTS + _SHARE * abs(product)
            for k in results:
                if abs(values[k] - product) <= most and k not in (i, j):
                    marks[0][k] = marks[1][i] = marks[2][j] = 1


def sums(rows: NDArray[np.intp], values: Column, aligned: NDArray[np.bool_], labelled: Set[int]) -> dict[str, Column]:
    """Which numbers are the sum of those above them or part of one, also of a sum in a later line of ``labelled``.

    ``aligned`` says for each number which amounts end where it ends.
    """
    found = {name: np.zeros(len(values)) for name in ("sum of above", "in sum", "in labelled sum", "value below labelled")}
    cents = np.round(values * 100).astype(np.int64)
    totals: dict[int, int] = {}  # the last labelled line with an amount, by cents
    lines, amounts = rows.tolist(), cents.tolist()
    for row, amount in zip(lines, amounts, strict=True):
        if row in labelled and amount:
            totals[amount] = max(totals.get(amount, -1), row)
    added: set[tuple[int, ...]] = set()
    for at in range(len(values)):
        found["value below labelled"][at] = totals.get(amounts[at], -1) > lines[at]
        key = tuple(np.flatnonzero(aligned[at]).tolist())
        if len(key) < 2 or key in added:
            continue
        added.add(key)
        members = sorted(key, key=lines.__getitem__)[:_MOST_ALIGNED]
        prefix = [0, *accumulate(amounts[member] for member in members)]
        for end in range(2, len(members) + 1):
            following = amounts[members[end]] if end < len(members) else None
            for start in range(max(0, end - _LONGEST_RUN), end - 1):
                value = prefix[end] - prefix[start]
                if following is not None and abs(value - following) <= 1:
                    found["sum of above"][members[end]] = 1
                    found["in sum"][members[start:end]] = 1
                if value in totals and value and totals[value] > lines[members[end - 1]]:
                    found["in labelled sum"][members[start:end]] = 1
    return found
