"""What a forecast becomes when actors in a cluster share the work: it is divided among them, but the driver's own part is not.

The driver plans, checks, commits and publishes in one thread, whatever the number of actors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.estimate.forecast import Forecast
from pipeline.estimate.totals import Total

DOCUMENT_SECONDS = 0.003
PAGE_SECONDS = 0.007
"""What the driver takes for a document, and for each of its pages (docs/scale.md)."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A forecast for so many actors."""

    forecast: Forecast
    actors: int
    cores: int
    driver: Total | None
    """Seconds that the driver needs at least, however many actors there are."""

    @property
    def driven(self) -> bool:
        """Whether the driver, not the actors, is what it will wait for."""
        return bool(self.driver and self.forecast.seconds and self.driver.value * 1.05 >= self._work)

    @property
    def _work(self) -> float:
        seconds = self.forecast.seconds
        return seconds.value - self.forecast.sample.startup if seconds else 0.0


def spread(made: Forecast, actors: Sequence[int], here: int) -> Spread:
    """The forecast of a run with ``actors``, told by their cores; the sample was read with ``here`` cores."""
    if made.seconds is None or made.pages is None:
        return Spread(made, len(actors), sum(actors), None)
    startup, share = made.sample.startup, here / max(1, sum(actors))
    work = made.seconds.of(share, -startup * share)
    driver = made.pages.of(PAGE_SECONDS, made.files * DOCUMENT_SECONDS)
    longer = Total(max(work.value, driver.value), np.maximum(work.likely, driver.likely))
    return Spread(replace(made, seconds=longer.of(1, startup)), len(actors), sum(actors), driver)
