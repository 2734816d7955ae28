"""Draws the charts of a seed with every program that is installed."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from training.charts.programs.base_r_charts import draw_base_r
from training.charts.programs.browser_page import BrowserPage
from training.charts.programs.drawn_subject import form_and_subject
from training.charts.programs.ggplot_charts import draw_ggplot
from training.charts.programs.gnuplot_charts import draw_gnuplot, lacks_gnuplot
from training.charts.programs.office_charts import draw_office, lacks_office
from training.charts.programs.other_program import DrawingFailedError, OtherProgram
from training.charts.programs.pygal_charts import draw_pygal, lacks_pygal
from training.charts.programs.r_program import lacks_ggplot, lacks_r
from training.charts.programs.vega_charts import draw_vega, lacks_vega
from training.charts.programs.web_charts import draw_web, lacks_web

NAMES = ("ggplot", "base_r", "gnuplot", "vega", "pygal", "web", "office")
TRIES = 4
"""How many numbers are tried for each chart: not every program has every form."""


def draw_all(
    out: Path,
    seed: int,
    say: Callable[[str], None],
    *,
    packages: Path | None = None,
    only: Collection[str] = NAMES,
    most: int | None = None,
) -> None:
    """Writes pictures and their truth to ``out``, at most ``most`` of each program of ``only``, and says what could not be drawn.

    ``packages`` is the folder with ``node_modules`` for charts of web pages.
    """
    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    with BrowserPage() as page:
        for program in _programs(page, packages):
            if program.name not in only:
                continue
            if missing := program.lacks():
                say(f"{program.name} is left out: it needs {missing}")
            else:
                count = program.count if most is None else min(most, program.count)
                say(f"{program.name}: {_draw(program, count, out, seed, say)} charts")


def _programs(page: BrowserPage, packages: Path | None) -> list[OtherProgram]:
    folder = packages or Path()
    return [
        OtherProgram("ggplot", 60, lacks_ggplot, draw_ggplot),
        OtherProgram("base_r", 36, lacks_r, draw_base_r),
        OtherProgram("gnuplot", 22, lacks_gnuplot, draw_gnuplot),
        OtherProgram("vega", 40, lacks_vega, draw_vega),
        OtherProgram("pygal", 24, lacks_pygal, partial(draw_pygal, page)),
        OtherProgram("web", 62, partial(lacks_web, packages), partial(draw_web, page, folder)),
        OtherProgram("office", 24, lacks_office, draw_office),
    ]


def _draw(program: OtherProgram, count: int, out: Path, seed: int, say: Callable[[str], None]) -> int:
    """Draws ``count`` charts, or fewer where too few numbers give one; how many."""
    done = 0
    for number in range(1, program.count * TRIES + 1):
        if done == count:
            break
        random, form, drawn = form_and_subject(seed, program.name, number)
        if drawn is None:
            continue
        picture = out / f"{program.name}_{number:03d}.png"
        try:
            truth = program.draw(drawn, form, random, picture)
        except DrawingFailedError as error:
            picture.unlink(missing_ok=True)
            say(f"{picture.name} ({form}) was not drawn: {error}")
            continue
        if truth is None:
            continue
        stored = {"file": picture.name, "kind": program.name, **truth, "form": form}
        picture.with_suffix(".json").write_text(json.dumps(stored, ensure_ascii=False), encoding="utf-8")
        done += 1
    return done
