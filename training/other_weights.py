"""Puts networks that did not see a layout in the place of the shipped ones while its documents are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from pipeline.engines.embedded.fields.addresses import address_block
from pipeline.engines.embedded.fields.items import cell_network
from pipeline.engines.embedded.fields.scorer import network
from training.fit_stacked import Looks, StackedExample, fit_looks


@contextmanager
def networks_in_place(scorer: object, cells: Looks | None, addresses: Looks | None) -> Iterator[None]:
    """Reads with these networks; None keeps the shipped ones."""
    with ExitStack() as stack:
        for module, weights in ((network, scorer), (cell_network, cells), (address_block, addresses)):
            if weights is not None:
                stack.enter_context(patch.object(module, "weights", lambda weights=weights: weights))
        yield


def fit_if_any(examples: Sequence[StackedExample], seed: int, epochs: int, networks: int) -> Looks | None:
    """Networks for tables or addresses; None without examples."""
    return fit_looks(examples, seed, epochs, networks) if examples else None
