"""Makes one chart: the file and its truth, which follow from seed and number alone."""

from __future__ import annotations

import io
from random import Random
from typing import Any

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont

from training.charts.kinds import COMMON, KINDS
from training.charts.look import look
from training.charts.plot_parts import Plot

TRIES = 5


def make_chart(seed: int, number: int) -> tuple[str, bytes, dict[str, Any]]:
    """The suffix and content of a picture, and its truth: kind, type, titles, rows, and whether values are printed."""
    random = Random(f"{seed}/{number}")
    kind = random.choice((*KINDS, *COMMON))
    for attempt in range(TRIES):
        random = Random(f"{seed}/{number}/{attempt}")
        try:
            picture, plot = _draw(kind, random)
        except IndexError:  # no list of series is long enough for this subject
            continue
        suffix, content, damage = _damaged(picture, random)
        rows = [{"category": row.category, "series": row.series, "value": row.value} for row in plot.rows]
        truth = {
            "kind": kind, "chart_type": plot.kind, "title": plot.title, "x_title": plot.x_title, "y_title": plot.y_title,
            "printed": plot.printed, "rows": rows, "damage": damage,
        }  # fmt: skip
        return suffix, content, truth
    raise RuntimeError(f"chart {number} of seed {seed} could not be drawn")


def _draw(kind: str, random: Random) -> tuple[Image.Image, Plot]:
    drawn = look(random)
    settings: dict[str, Any] = {**dict(matplotlib.rcParamsDefault.items()), **drawn.rc, "backend": "agg"}
    with matplotlib.rc_context(settings):  # type: ignore[arg-type]
        figure = Figure(figsize=drawn.size, dpi=drawn.dpi)
        canvas = FigureCanvasAgg(figure)
        plot = KINDS[kind](figure, drawn, random)
        tight = {"bbox_inches": "tight", "pad_inches": random.choice((0.05, 0.15, 0.3))}
        stream = io.BytesIO()
        canvas.print_figure(stream, format="png", facecolor=drawn.rc["figure.facecolor"], **tight)  # type: ignore[arg-type]
    return Image.open(stream).convert("RGB"), plot


def _damaged(picture: Image.Image, random: Random) -> tuple[str, bytes, list[str]]:
    """The picture as people pass it on: smaller, compressed, with fewer colours, or as a part of a screen."""
    damage = []
    if random.random() < 0.12:
        damage.append("screen")
        picture = _on_screen(picture, random)
    if random.random() < 0.25 and picture.width > 600:
        damage.append("smaller")
        factor = random.uniform(0.6, 0.9)
        picture = picture.resize((round(picture.width * factor), round(picture.height * factor)), Image.Resampling.LANCZOS)
    elif random.random() < 0.08:
        damage.append("larger")
        picture = picture.resize((round(picture.width * 1.5), round(picture.height * 1.5)), Image.Resampling.BILINEAR)
    stream = io.BytesIO()
    if random.random() < 0.3:
        damage.append("jpeg")
        picture.save(stream, "JPEG", quality=random.randint(45, 92))
        return ".jpg", stream.getvalue(), damage
    if random.random() < 0.1:
        damage.append("palette")
        picture = picture.quantize(random.choice((32, 128)))
    picture.save(stream, "PNG")
    return ".png", stream.getvalue(), damage


def _on_screen(picture: Image.Image, random: Random) -> Image.Image:
    """The picture among the text of a page on a screen."""
    left, top, below = random.randint(10, 80), random.randint(50, 120), random.randint(20, 90)
    screen = Image.new("RGB", (picture.width + 2 * left, picture.height + top + below), "#ffffff")
    draw = ImageDraw.Draw(screen)
    draw.rectangle((0, 0, screen.width, 30), fill=random.choice(("#f1f3f4", "#24292f", "#e8eaed")))
    font = ImageFont.load_default(size=13)
    draw.text((left, 38), "These are the figures that were asked for last week.", fill="#202020", font=font)
    if below > 45:
        draw.text(
            (left, picture.height + top + 12), "More about this can be found in the next section.", fill="#202020", font=font
        )
    screen.paste(picture, (left, top))
    return screen
