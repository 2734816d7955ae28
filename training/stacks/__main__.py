"""``python -m training.stacks draw OUT``: documents for stacks; ``fit OUT``: fits the search for cuts to them and writes its weights.

``sheets OUT``: scans with several till slips each.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from pipeline.checks.split import boundary_model
from training.generator.browser import open_renderer
from training.generator.make import Kind
from training.stacks.fit import fit_boundaries
from training.stacks.senders import draw_senders, load_senders
from training.stacks.sheets import draw_sheets
from training.stacks.stack import make_stack

SHARE_OF_RECEIPTS = 0.2


@click.group()
def main() -> None:
    """Draw documents for stacks, and fit the search for cuts."""


@main.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--senders", type=click.IntRange(1), default=400)
@click.option("--issues", type=click.IntRange(1), default=3, help="Documents of one sender, in one layout.")
@click.option("--first", type=click.IntRange(1), default=1)
@click.option("--seed", type=int, default=77)
def draw(out: Path, senders: int, issues: int, first: int, seed: int) -> None:
    """Draw PDFs of several documents of each sender into OUT."""
    out.mkdir(parents=True, exist_ok=True)
    receipts = round(SHARE_OF_RECEIPTS * senders)
    kinds: list[tuple[Kind, range]] = [
        ("invoice", range(first, first + senders - receipts)),
        ("receipt", range(first + senders - receipts, first + senders)),
    ]
    with open_renderer() as renderer:
        made = sum(draw_senders(out, kind, numbers, issues, seed, renderer) for kind, numbers in kinds)
    click.echo(f"{made} documents in {out}")


@main.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--count", type=click.IntRange(1), default=20)
@click.option("--degrees", type=click.FloatRange(0, 45), default=0.0, help="How far a slip is turned, at most.")
@click.option("--seed", type=int, default=1)
def sheets(out: Path, count: int, degrees: float, seed: int) -> None:
    """Draw scans with two to four slips each into OUT."""
    with open_renderer() as renderer:
        made = draw_sheets(out, count, seed, degrees, renderer)
    click.echo(f"{made} slips on {count} sheets in {out}")


@main.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--stacks", type=click.IntRange(10), default=600)
@click.option("--write/--no-write", default=True, help="Whether the weights are written to the program.")
def fit(out: Path, stacks: int, write: bool) -> None:
    """Fit the search for cuts, and say how it does on senders that it was not fitted to."""
    fitted, report = fit_boundaries([make_stack(load_senders(out), number) for number in range(stacks)])
    click.echo(report)
    if write:
        path = Path(boundary_model.__file__).with_name(boundary_model.FILE)
        path.write_text(json.dumps(fitted, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
