"""The forecast for a cluster. Actors share the work; the driver plans, checks, commits and publishes in one thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.estimate.forecast import Forecast
from pipeline.estimate.totals import Total

DRIVER_DOCUMENT_SECONDS = 0.003
DRIVER_PAGE_SECONDS = 0.007
"""Time of the driver for a document, and for each of its pages (docs/scale.md)."""


@dataclass(frozen=True, slots=True)
class ClusterForecast:
    """A forecast for a number of actors."""

    forecast: Forecast
    actors: int
    cores: int
    driver: Total | None = None
    """Seconds that the driver takes, however many actors there are."""
    driver_is_limit: bool = False
    """Whether the actors wait for the driver, so that more of them do not help."""


def scale_forecast(forecast: Forecast, actors: Sequence[int], cores: int) -> ClusterForecast:
    """The forecast for ``actors``, given by the cores of each; the sample was read with ``cores`` cores."""
    if forecast.seconds is None or forecast.pages is None:
        return ClusterForecast(forecast, len(actors), sum(actors))
    startup, share = forecast.sample.startup, cores / max(1, sum(actors))
    work = forecast.seconds.scaled(share, -startup * share)
    driver = forecast.pages.scaled(DRIVER_PAGE_SECONDS, forecast.files * DRIVER_DOCUMENT_SECONDS)
    longer = Total(max(work.value, driver.value), np.maximum(work.outcomes, driver.outcomes))
    scaled = replace(forecast, seconds=longer.scaled(1, startup))
    return ClusterForecast(scaled, len(actors), sum(actors), driver, driver_is_limit=driver.value * 1.05 >= longer.value)
