"""What a forecast becomes for a cluster."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.estimate.forecast import Forecast
from pipeline.estimate.sampling import Sample
from pipeline.estimate.scaling import DRIVER_DOCUMENT_SECONDS, DRIVER_PAGE_SECONDS, scale_forecast
from pipeline.estimate.totals import Total


def forecast(files: int, pages: float, seconds: float) -> Forecast:
    outcomes = np.array([0.8, 1.0, 1.2])
    sample = Sample()
    sample.startup = 10.0
    return Forecast(files, pages=Total(pages, pages * outcomes), seconds=Total(seconds, seconds * outcomes), sample=sample)


def test_actors_share_the_work_but_not_the_start() -> None:
    scaled = scale_forecast(forecast(100, 1_000, 8_010.0), [2] * 8, cores=2)
    assert (scaled.actors, scaled.cores, scaled.driver_is_limit) == (8, 16, False)
    assert scaled.forecast.seconds is not None
    assert scaled.forecast.seconds.value == pytest.approx(1_010.0)
    larger = scale_forecast(forecast(100, 1_000, 8_010.0), [8] * 2, cores=2)
    assert larger.forecast.seconds is not None
    assert larger.forecast.seconds.value == pytest.approx(1_010.0), "cores count, however many actors they make"


def test_the_drivers_own_part_is_not_scaled() -> None:
    scaled = scale_forecast(forecast(10_000, 100_000, 50_010.0), [2] * 1_000, cores=2)
    least = 10_000 * DRIVER_DOCUMENT_SECONDS + 100_000 * DRIVER_PAGE_SECONDS
    assert scaled.driver_is_limit
    assert scaled.forecast.seconds is not None
    assert scaled.forecast.seconds.value == pytest.approx(least + 10.0)
    assert scaled.forecast.seconds.outcomes.min() > 10.0 + 10_000 * DRIVER_DOCUMENT_SECONDS


def test_without_a_time_there_is_nothing_to_share() -> None:
    assert scale_forecast(Forecast(3), [1], cores=2).forecast.seconds is None
