"""What a forecast becomes for a cluster."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.estimate.forecast import Forecast
from pipeline.estimate.sampling import Sample
from pipeline.estimate.scaling import DOCUMENT_SECONDS, PAGE_SECONDS, spread
from pipeline.estimate.totals import Total


def made(files: int, pages: float, seconds: float) -> Forecast:
    likely = np.array([0.8, 1.0, 1.2])
    return Forecast(
        files, pages=Total(pages, pages * likely), seconds=Total(seconds, seconds * likely), sample=Sample(startup=10.0)
    )


def test_actors_share_the_work_but_not_the_start() -> None:
    shared = spread(made(100, 1_000, 8_010.0), [2] * 8, here=2)
    assert (shared.actors, shared.cores, shared.driven) == (8, 16, False)
    assert shared.forecast.seconds is not None
    assert shared.forecast.seconds.value == pytest.approx(1_010.0)
    larger = spread(made(100, 1_000, 8_010.0), [8] * 2, here=2)
    assert larger.forecast.seconds is not None
    assert larger.forecast.seconds.value == pytest.approx(1_010.0), "cores count, however many actors they make"


def test_the_drivers_own_part_is_not_shared() -> None:
    shared = spread(made(10_000, 100_000, 50_010.0), [2] * 1_000, here=2)
    least = 10_000 * DOCUMENT_SECONDS + 100_000 * PAGE_SECONDS
    assert shared.driven
    assert shared.forecast.seconds is not None
    assert shared.forecast.seconds.value == pytest.approx(least + 10.0)
    assert shared.forecast.seconds.likely.min() > 10.0 + 10_000 * DOCUMENT_SECONDS


def test_without_a_time_there_is_nothing_to_share() -> None:
    assert spread(Forecast(3), [1], here=2).forecast.seconds is None
