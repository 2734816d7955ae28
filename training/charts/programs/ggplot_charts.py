"""Charts of R's package ggplot2."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random

from training.charts.programs.drawn_subject import Truth, has_numbers, truth_of
from training.charts.programs.r_program import quoted, run_r, vector
from training.charts.subjects import Subject

THEMES = (
    "theme_grey", "theme_bw", "theme_minimal", "theme_classic", "theme_light", "theme_grey", "theme_dark", "theme_linedraw",
)  # fmt: skip
SIZES = ((7, 5, 96), (7, 5, 192), (6, 4, 110), (8, 5, 150), (7, 7, 96))
"""Width and height in inches, and pixels in an inch."""
WITH_NAMES = ("bar", "barh", "grouped", "groupedh", "stacked", "stackedh", "pie", "points")
"""Forms whose categories are names, even where they are numbers."""


@dataclass(frozen=True)
class _Layers:
    """The layers of a plot as R code, and whether they print values."""

    code: str
    printed: bool = False


def draw_ggplot(drawn: Subject, form: str, random: Random, out: Path) -> Truth | None:
    """A chart with one of the themes of ggplot2."""
    if form == "hist":
        return None
    theme, size = random.choice(THEMES), random.choice((11, 11, 12, 14, 16))
    fill = random.choice(["steelblue", "grey35", "tomato", "#69b3a2", "darkgreen", "grey35"])
    width = random.choice((0.9, 0.9, 0.7, 0.5))
    points = _points(random) if form == "scatter" else []
    if points:
        data = f"d<-data.frame(x={vector([x for x, _ in points])},y={vector([y for _, y in points])})\n"
        layers = _Layers("ggplot(d,aes(x,y))+geom_point(size=2)")
    else:
        data, layers = _data(drawn, form), _layers(drawn, form, fill, width, random)
    plot = layers.code
    titled = random.random() < 0.7
    if titled:
        plot += f"+labs(title={quoted(drawn.title)})"
    if form != "pie":
        plot += f"+{theme}(base_size={size})+labs(x={quoted(drawn.x_title)},y={quoted(drawn.y_title)},fill='',colour='')"
        if random.random() < 0.3 and form != "points":
            plot += "+theme(legend.position='bottom')"
    across, down, dpi = random.choice(SIZES)
    save = f"ggsave({quoted(str(out))},p,width={across},height={down},dpi={dpi},bg='white')"
    run_r(f"library(ggplot2)\n{data}p<-{plot}\n{save}\n", out)
    truth = truth_of(drawn, form, printed=layers.printed, titled=titled)
    if points:
        truth["rows"] = [{"category": str(x), "series": None, "value": y} for x, y in points]
    return truth


def _points(random: Random) -> list[tuple[float, float]]:
    count = random.randint(8, 25)
    across = [round(random.uniform(0, 100), 1) for _ in range(count)]
    return [(x, round(random.uniform(0, 50) + x / 4, 1)) for x in across]


def _data(drawn: Subject, form: str) -> str:
    """A data frame with a row for each value; years are numbers along lines."""
    numbers = has_numbers(drawn)
    categories = drawn.categories * len(drawn.series)
    series = [name for name in drawn.series for _ in drawn.categories]
    values = [value for row in drawn.values for value in row]
    column = f"c({','.join(categories)})" if numbers else vector(categories)
    code = f"d<-data.frame(cat={column},ser=factor({vector(series)},levels={vector(drawn.series)}),val={vector(values)})\n"
    if form in WITH_NAMES or not numbers:
        code += f"d$cat<-factor(d$cat,levels={vector(drawn.categories)})\n"
    return code


def _layers(drawn: Subject, form: str, fill: str, width: float, random: Random) -> _Layers:
    turned = "+coord_flip()" if form.endswith("h") else ""
    if form in ("bar", "barh"):
        if random.random() < 0.3:
            place = "hjust=-0.1" if form == "barh" else "vjust=-0.4"
            bars = f"ggplot(d,aes(cat,val))+geom_col(fill='{fill}',width={width})+geom_text(aes(label=val),{place},size=3)"
            return _Layers(bars + turned, printed=True)
        if random.random() < 0.25:
            return _Layers(f"ggplot(d,aes(cat,val,fill=cat))+geom_col(width={width}){turned}")
        return _Layers(f"ggplot(d,aes(cat,val))+geom_col(fill='{fill}',width={width}){turned}")
    if form in ("grouped", "groupedh"):
        return _Layers(f"ggplot(d,aes(cat,val,fill=ser))+geom_col(position='dodge',width={width}){turned}")
    if form in ("stacked", "stackedh"):
        return _Layers(f"ggplot(d,aes(cat,val,fill=ser))+geom_col(width={width}){turned}")
    if form in ("line", "dense", "lines"):
        return _Layers(_lines(drawn, form, random))
    if form == "area":
        return _Layers(f"ggplot(d,aes(cat,val,group=1))+geom_area(fill='{fill}')")
    if form == "points":
        return _Layers("ggplot(d,aes(val,cat))+geom_point(size=2)")
    pie = "ggplot(d,aes('',val,fill=cat))+geom_col(width=1)+coord_polar('y')+theme_void()"
    return _Layers(f"{pie}+geom_text(aes(label=val),position=position_stack(vjust=.5))", printed=True)


def _lines(drawn: Subject, form: str, random: Random) -> str:
    width = random.choice((0.5, 0.5, 0.8, 1.2))
    if form == "lines":
        group = "" if has_numbers(drawn) else ",group=ser"
        code = f"ggplot(d,aes(cat,val,colour=ser{group}))+geom_line(linewidth={width})"
    else:
        colour = random.choice(("", ",colour='steelblue'", ",colour='red'", ""))
        code = f"ggplot(d,aes(cat,val,group=1))+geom_line(linewidth={width}{colour})"
    return code + ("+geom_point()" if random.random() < 0.35 else "")
