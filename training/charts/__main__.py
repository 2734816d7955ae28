"""``python -m training.charts make OUT``, ``programs OUT``, ``measure FOLDER``, ``fit FOLDERS``: charts with truth, and how they are read."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import click

from training.charts.fit import (
    NULL_BELOW,
    SURE_FROM,
    calibration_error,
    fitted,
    highest_confidence,
    observe,
    wrong_in_summaries,
)
from training.charts.make import make_chart
from training.charts.programs.draw_all import NAMES, draw_all
from training.charts.reading import is_near, matches, read_charts, same_label
from training.fit_command import digest

TARGET = Path(__file__).parents[2] / "pipeline" / "engines" / "embedded" / "chart" / "chart_calibration.json"


@click.group()
def main() -> None:
    """Draws charts, measures the reader of charts, and fits its confidence."""


@main.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--count", default=200, show_default=True)
@click.option("--first", default=0, show_default=True, help="Number of the first chart.")
@click.option("--seed", default=1, show_default=True)
def make(out: Path, count: int, first: int, seed: int) -> None:
    """Writes pictures and their truth to OUT."""
    out.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        suffix, content, truth = make_chart(seed, number)
        name = f"{number:06d}"
        (out / f"{name}{suffix}").write_bytes(content)
        (out / f"{name}.json").write_text(
            json.dumps({"file": f"{name}{suffix}", **truth}, ensure_ascii=False), encoding="utf-8"
        )


@main.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--seed", default=1, show_default=True)
@click.option(
    "--packages",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with node_modules, for charts of web pages.",
)
@click.option("--only", type=click.Choice(NAMES), multiple=True, help="Only this program; may be given several times.")
@click.option("--most", type=click.IntRange(1), help="At most so many charts of each program.")
def programs(out: Path, seed: int, packages: Path | None, only: tuple[str, ...], most: int | None) -> None:
    """Writes pictures that other programs draw, and their truth, to OUT; says what a program that is left out needs."""
    draw_all(out, seed, click.echo, packages=packages, only=only or NAMES, most=most)


@main.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--pages", type=click.Path(path_type=Path), default=Path("build/charts"), help="Where words and pictures are kept."
)
@click.option("--most", type=int, help="Only the first charts.")
@click.option("--show", is_flag=True, help="Also a line for each chart that is not wholly right.")
def measure(folder: Path, pages: Path, most: int | None, show: bool) -> None:
    """Prints by kind: the share of rows that are right, of values that are wrong, and of types and titles that are right."""
    totals: dict[str, list[list[float]]] = defaultdict(list)
    for read in read_charts(folder, pages, most):
        rows = read.reading.rows
        found = matches(read.truth, rows)
        hits = sum(n is not None and is_near(read.truth["rows"][n]["value"], row) for n, row in zip(found, rows, strict=True))
        valued = [(n, row) for n, row in zip(found, rows, strict=True) if row.value is not None]
        wrong = sum(n is None or not is_near(read.truth["rows"][n]["value"], row) for n, row in valued)
        title = read.reading.title.text if read.reading.title else ""
        titled = same_label(read.truth["title"] or "", title) if title else not read.truth["title"]
        figures = [
            hits / len(read.truth["rows"]),
            wrong / max(1, len(valued)),
            read.truth["chart_type"] == read.reading.kind,
            titled,
        ]
        for name in (read.truth["kind"], "all"):
            totals[name].append([*figures, len(valued)])
        if show and figures[0] < 1:
            parts = f"{read.truth['chart_type']} as {read.reading.kind}, {hits} of {len(read.truth['rows'])} rows"
            click.echo(
                f"{read.truth['file']} {read.truth['kind']}: {parts}, {wrong} of {len(valued)} values wrong, {read.truth['damage']}"
            )
    click.echo(f"{'kind':20} {'charts':>6} {'rows':>6} {'wrong':>6} {'type':>6} {'title':>6}")
    for name, lines in sorted(totals.items()):
        means = [sum(column) / len(lines) for column in zip(*lines, strict=True)]
        click.echo(f"{name:20} {len(lines):6} " + " ".join(f"{mean:6.3f}" for mean in means[:4]))


@main.command()
@click.argument("folders", type=click.Path(exists=True, path_type=Path), nargs=-1, required=True)
@click.option(
    "--pages", type=click.Path(path_type=Path), default=Path("build/charts"), help="Where words and pictures are kept."
)
@click.option("--most", type=int, help="Only the first charts of each folder.")
@click.option("--write", is_flag=True, help="Writes pipeline/engines/embedded/chart/chart_calibration.json.")
def fit(folders: tuple[Path, ...], pages: Path, most: int | None, write: bool) -> None:
    """Fits the confidence to the charts of FOLDERS, and prints how it holds on charts that were left out."""
    charts = [observe(read) for folder in folders for read in read_charts(folder, pages / folder.name, most)]
    weights, left_out = fitted(charts)
    wrong, told = wrong_in_summaries(charts, left_out)
    chance = [each for part in left_out for each in part]
    right = [each for chart in charts for each in chart.right]
    null = [ok for ok, likely in zip(right, chance, strict=True) if likely < NULL_BELOW]
    figures = {
        "charts": len(charts),
        "rows": len(right),
        "right": round(sum(right) / len(right), 4),
        "calibration_error": round(calibration_error(charts, left_out), 4),
        "null": len(null),
        "right_among_null": round(sum(null) / max(1, len(null)), 4),
        "summary_numbers": told,
        "wrong_in_summaries": round(wrong, 4),
    }
    stored = {
        "recipe": {"charts": {folder.name: digest(folder) for folder in folders}, "left_out": figures},
        "most": highest_confidence(charts),
        "null_below": NULL_BELOW,
        "sure_from": SURE_FROM,
        "weights": {name: weight for name, weight in sorted(weights.items()) if weight},
    }
    click.echo(json.dumps({key: value for key, value in stored.items() if key != "weights"}, indent=1))
    if write:
        TARGET.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
