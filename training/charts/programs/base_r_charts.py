"""Charts of R's own graphics."""

from __future__ import annotations

from pathlib import Path
from random import Random

from training.charts.programs.drawn_subject import Truth, has_numbers, truth_of
from training.charts.programs.r_program import quoted, run_r, vector
from training.charts.subjects import Subject

SIZES = ((480, 480, 72), (700, 500, 72), (1400, 1000, 150), (800, 600, 96))
"""Width and height in pixels, and pixels in an inch."""


def draw_base_r(drawn: Subject, form: str, random: Random, out: Path) -> Truth | None:
    """A chart by ``barplot``, ``matplot`` or ``pie``."""
    if form in ("scatter", "area", "points", "hist"):
        return None
    width, height, resolution = random.choice(SIZES)
    colour = random.choice(["'grey'", "'steelblue'", "'tomato'", "'lightblue'"])
    count = len(drawn.series)
    colours = "c('#4E79A7','#F28E2B','#59A14F','#E15759')" if random.random() < 0.5 else f"grey.colors({count})"
    matrix = f"matrix({vector([value for row in drawn.values for value in row])},nrow={count},byrow=TRUE)"
    title = f",main={quoted(drawn.title)}"
    horizontal = form.endswith("h")
    longest = max(map(len, drawn.categories))
    upright = not horizontal and longest > 7  # names below the axis that stand upright
    flags = f",horiz={_flag(horizontal)}{title}" + (",las=2" if upright else "")
    names = f"names.arg={vector(drawn.categories)}"
    if form in ("bar", "barh"):
        label = "" if horizontal else drawn.y_title
        code = f"b<-barplot({vector(drawn.values[0])},{names},col={colour}{flags},ylab={quoted(label)})"
    elif form == "pie":
        code = f"pie({vector(drawn.values[0])},labels=paste({vector(drawn.categories)},{vector(drawn.values[0])}){title})"
    elif form in ("line", "dense", "lines"):
        if not has_numbers(drawn):
            return None
        code = _lines(drawn, matrix, title, colours, random)
    else:
        legend = f"legend.text={vector(drawn.series)},args.legend=list(x='topright')"
        code = f"barplot({matrix},beside={_flag(form.startswith('grouped'))},{names},col={colours}{flags},{legend})"
    left = min(12, 3 + longest // 2) if horizontal else 6
    margins = f"par(mar=c({9 if upright else 5},{left},4,2),las=1)"
    device = f"png({quoted(str(out))},width={width},height={height},res={resolution})"
    run_r(f"{device}\n{margins}\n{code}\ninvisible(dev.off())", out)
    return truth_of(drawn, form, printed=form == "pie")


def _lines(drawn: Subject, matrix: str, title: str, colours: str, random: Random) -> str:
    several = len(drawn.series) > 1
    mark, width = random.choice(("l", "l", "b", "o")), random.choice((1, 1, 2))
    colour = colours.replace("grey.colors", "rainbow") if several else random.choice(["1", "4", "2"])
    years = f"c({','.join(drawn.categories)})"
    look = f"type='{mark}',pch=16,lty=1,lwd={width},col={colour}"
    code = f"matplot({years},t({matrix}),{look},xlab={quoted(drawn.x_title)},ylab={quoted(drawn.y_title)}{title})"
    if several:
        code += f"\nlegend('topleft',legend={vector(drawn.series)},col={colour},lty=1,lwd=2)"
    return code


def _flag(value: bool) -> str:
    return "TRUE" if value else "FALSE"
