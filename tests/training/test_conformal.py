"""The threshold keeps its promise on layouts that it was not chosen on."""

from __future__ import annotations

import random

from training.conformal import Judged, loss, thresholds


def layouts(seed: int, count: int) -> list[Judged]:
    """Layouts on which some programs err more than others; confidence tells right from wrong only partly, and too well."""
    draw = random.Random(seed)
    found = []
    for layout in range(count):
        skill = draw.betavariate(6, 1)
        for _ in range(8):
            right = draw.random() < skill
            sure = min(0.98, max(0.0, draw.gauss(0.9 if right else 0.6, 0.15)))
            found.append(Judged(f"{seed} {layout}", sure, right, True, False, 1 - skill))
    return found


def strangest(answers: list[Judged]) -> dict[str, list[Judged]]:
    groups: dict[str, list[Judged]] = {}
    for answer in sorted(answers, key=lambda each: -each.strangeness):
        groups.setdefault(answer.layout, []).append(answer)
    return dict(list(groups.items())[: len(groups) // 10])


def test_on_new_layouts_no_more_errors_than_accepted_stay_unnamed() -> None:
    for accepted in (0.05, 0.1):
        losses = []
        for seed in range(12):
            threshold = dict(thresholds(layouts(seed, 1000), 0.98).table)[accepted]
            losses += [loss(group, threshold) for group in strangest(layouts(1000 + seed, 300)).values()]
        assert 0.2 * accepted < sum(losses) / len(losses) <= accepted


def test_few_layouts_promise_little() -> None:
    table = dict(thresholds(layouts(1, 100), 0.98).table)
    assert table[0.05] == 1.0
    assert table[0.5] < 1.0
    assert thresholds(layouts(1, 100), 0.98).layouts == 10


def test_the_table_falls_as_more_is_accepted() -> None:
    values = [threshold for _, threshold in thresholds(layouts(2, 500), 0.98).table]
    assert values == sorted(values, reverse=True)
