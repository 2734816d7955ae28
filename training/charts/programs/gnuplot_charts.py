"""Charts of gnuplot."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from random import Random

from training.charts.programs.drawn_subject import Truth, truth_of
from training.charts.programs.other_program import DrawingFailedError, run_program
from training.charts.subjects import Subject

FORMS = ("bar", "grouped", "stacked", "line", "lines", "dense")


def lacks_gnuplot() -> str | None:
    """What to install where gnuplot is missing."""
    return None if shutil.which("gnuplot") else "gnuplot (Debian package gnuplot-nox)"


def draw_gnuplot(drawn: Subject, form: str, random: Random, out: Path) -> Truth | None:
    """Bars from zero or lines over names, in the look of gnuplot's terminal pngcairo; lines over years are not drawn."""
    bars = form in ("bar", "grouped", "stacked")
    if form not in FORMS or (min(min(row) for row in drawn.values) < 0 if bars else drawn.categories[0].isdigit()):
        return None
    data = out.with_suffix(".dat")
    size, font = random.choice(("800,600", "640,480", "1200,800")), random.choice((10, 12))
    lines = [
        f"set terminal pngcairo size {size} enhanced font 'Sans,{font}'",
        f"set output {_quoted(str(out))}",
        f"set title {_quoted(drawn.title)}",
        f"set ylabel {_quoted(drawn.y_title)}",
        f"set key {'autotitle columnhead' if len(drawn.series) > 1 else 'off'}",
    ]
    if random.random() < 0.5:
        lines.append("set grid ytics")
    columns = range(2, 2 + len(drawn.series))
    if bars:
        lines += [
            "set style data histogram",
            f"set style histogram {'rowstacked' if form == 'stacked' else 'clustered gap 1'}",
            f"set style fill solid {random.choice(('border -1', '0.7 noborder'))}",
            "set boxwidth 0.8",
            "set yrange [0:*]",
            "set xtics rotate by -45",
        ]
        parts = [f"{column}:xtic(1)" for column in columns]
    else:
        style = random.choice(("lines", "linespoints", "lines lw 2"))
        parts = [f"{column}:xtic(1) with {style}" for column in columns]
    lines.append("plot " + ", ".join(f"{_quoted(str(data))} using {part}" for part in parts))
    data.write_text(_table(drawn), encoding="utf-8")
    try:
        run_program(["gnuplot"], folder=out.parent, text="\n".join(lines) + "\n")
    finally:
        data.unlink()
    if not out.exists():
        raise DrawingFailedError("gnuplot wrote no picture")
    return truth_of(drawn, form)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _table(drawn: Subject) -> str:
    head = "cat " + " ".join(_quoted(name or "value") for name in drawn.series)
    rows = zip(drawn.categories, *drawn.values, strict=True)
    return "\n".join([head, *(" ".join([_quoted(category), *map(str, values)]) for category, *values in rows)])
