"""Runs the last layer's feed-forward network only for tokens whose logits are needed: in a prompt, one in a thousand.

The output for other tokens has no effect, because no further layer attends to it. Keys and values are computed before this network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch


class LastFeedForward:
    """Wraps the feed-forward network of a model's last layer. Has no effect in families whose layers are built differently."""

    def __init__(self, model: Any) -> None:
        self._rows: torch.Tensor | None = None
        layers = getattr(model.get_decoder(), "layers", None)
        network = getattr(layers[-1], "mlp", None) if layers else None
        if network is not None and hasattr(network, "down_proj"):  # mixtures of experts return more than a tensor
            network.forward = self._wrap(network.forward)

    @contextmanager
    def restricted_to(self, rows: torch.Tensor) -> Iterator[None]:
        """A context in which the network runs only for these tokens (indices along the sequence axis)."""
        self._rows = rows
        try:
            yield
        finally:
            self._rows = None

    def _wrap(self, whole: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
        def forward(hidden: torch.Tensor) -> torch.Tensor:
            if self._rows is None:
                return whole(hidden)
            output = torch.zeros_like(hidden)
            output[:, self._rows] = whole(hidden[:, self._rows])
            return output

        return forward
