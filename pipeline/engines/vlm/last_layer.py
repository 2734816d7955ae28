"""The last layer's feed-forward network works only for the tokens whose logits are wanted: of a prompt one in a thousand.

Its output for the others goes nowhere, as no further layer attends to it; keys and values are made before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch


class LastFeedForward:
    """Stands before the network of a model's last layer; does nothing in families whose layers look otherwise."""

    def __init__(self, model: Any) -> None:
        self._rows: torch.Tensor | None = None
        layers = getattr(model.get_decoder(), "layers", None)
        network = getattr(layers[-1], "mlp", None) if layers else None
        if network is not None and hasattr(network, "down_proj"):  # experts hand out more than a tensor
            network.forward = self._before(network.forward)

    @contextmanager
    def only(self, rows: torch.Tensor) -> Iterator[None]:
        """Within it the network works for these tokens of the one sequence only."""
        self._rows = rows
        try:
            yield
        finally:
            self._rows = None

    def _before(self, whole: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
        def forward(hidden: torch.Tensor) -> torch.Tensor:
            if self._rows is None:
                return whole(hidden)
            output = torch.zeros_like(hidden)
            output[:, self._rows] = whole(hidden[:, self._rows])
            return output

        return forward
