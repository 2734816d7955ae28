"""Logistic fits of confidences (``training.confidence`` uses them), and confidences of drawn documents for comparison.

    python -m benchmarks.calibrate [--documents 40] [--cache FOLDER] [--write] [--picture SVG]

Draws ``--documents`` invoices with a text layer in each language, half as many scanned receipts and a quarter as many scanned
invoices, reads them with the embedded engine, and fits a logistic model (ridge, by Newton's method) of whether each value is right.
Prints the expected calibration error (10 bins of equal mass) of a five-fold cross-validation by document; ``--write`` puts the
weights in their place. Pages once read are kept in ``--cache``.
"""

from __future__ import annotations

import argparse
import json
import pickle
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import pipeline.checks
from benchmarks.drawn.invoices import draw_invoice
from benchmarks.drawn.reading import read_page
from benchmarks.drawn.receipts import draw_receipt
from benchmarks.drawn.truth import is_right
from benchmarks.drawn.wording import LANGUAGES
from pipeline.checks.arithmetic import check_document, confirmed_by_sums
from pipeline.checks.confidence import WEIGHTS, features
from pipeline.checks.fallbacks import apply_fallbacks
from pipeline.checks.grounding import ground
from pipeline.engines.embedded.fields import read_fields
from pipeline.evaluate.calibration import Calibration, calibrate
from pipeline.records import Page
from pipeline.settings import configs_folder
from pipeline.templates.load import load_template
from pipeline.templates.template import Template

RIDGE = 0.3
FOLDS = 5
AGAINST = {
    *("a check digit fails", "a sum fails", "dates out of order"),
    *("grounding fuzzy", "grounding none", "hard to read", "ocr", "fallback"),
}
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """One value that was read: what speaks for it, and whether it is right."""

    document: int
    features: dict[str, float]
    right: bool


def drawn_pages(documents: int, cache: Path) -> Iterator[tuple[str, dict[str, str | None], Page]]:
    """Template, truth and page of every drawn document."""
    plan = [("invoice", False, documents), ("receipt", True, documents // 2), ("invoice", True, documents // 4)]
    seed = 0
    for kind, scanned, count in plan:
        for language in LANGUAGES * count:
            seed += 1
            cached = cache / f"{kind}-{language}-{seed}{'-scan' * scanned}.pickle"
            if not cached.exists():
                data, facts = (draw_invoice if kind == "invoice" else draw_receipt)(seed, language, scanned=scanned)
                page = read_page(data, cache / ("page.jpg" if scanned else "page.pdf"))
                cached.write_bytes(pickle.dumps((kind, facts, page)))
            yield pickle.loads(cached.read_bytes())


def cases(documents: int, cache: Path) -> list[Case]:
    """Every value of every drawn document whose truth is known."""
    templates = {name: load_template(configs_folder() / "templates" / f"{name}.yaml") for name in ("invoice", "receipt")}
    rows = []
    for number, (kind, facts, page) in enumerate(drawn_pages(documents, cache)):
        rows += list(_of_document(number, page, templates[kind], facts))
    return rows


def _of_document(number: int, page: Page, template: Template, facts: dict[str, str | None]) -> Iterator[Case]:
    fields = apply_fallbacks(check_document(ground(read_fields(page, template), page, template), template), template)
    sure = confirmed_by_sums(fields, template)
    for name, truth in facts.items():
        if fields[name].value is not None:
            right = is_right(template.fields[name], fields[name].value, truth)
            yield Case(number, features(template.fields[name], fields[name], name in sure), right)


def fit(rows: list[Case]) -> dict[str, float]:
    """Weights by feature. What speaks against a value never gets to speak for it: where a drawn sum fails by chance among right values
    (a discount between the lines and the total), its weight is zero."""
    names = {name for row in rows for name in row.features}
    weights = _likeliest(rows, sorted(names))
    if wrong := {name for name in names & AGAINST if weights[name] > 0}:
        weights = _likeliest(rows, sorted(names - wrong)) | dict.fromkeys(wrong, 0.0)
    return dict(sorted(weights.items()))


def _likeliest(rows: list[Case], names: list[str]) -> dict[str, float]:
    """The most likely weights under a ridge, by Newton's method."""
    matrix, right = _matrix(rows, names), np.array([row.right for row in rows], float)
    weights = np.zeros(len(names))
    for _ in range(50):
        chance = 1 / (1 + np.exp(-matrix @ weights))
        slope = matrix.T @ (right - chance) - RIDGE * weights
        bend = (matrix * (chance * (1 - chance))[:, None]).T @ matrix + RIDGE * np.eye(len(names))
        weights += (move := np.linalg.solve(bend, slope))
        if np.abs(move).max() < 1e-9:
            break
    return {name: round(float(weight), 4) for name, weight in zip(names, weights, strict=True)}


def _matrix(rows: list[Case], names: list[str]) -> Numbers:
    return np.array([[row.features.get(name, 0.0) for name in names] for row in rows])


def chances(rows: list[Case], weights: dict[str, float]) -> Numbers:
    """The confidence of every value."""
    names = list(weights)
    chance: Numbers = 1 / (1 + np.exp(-_matrix(rows, names) @ np.array(list(weights.values()))))
    return chance


def picture(calibration: Calibration) -> str:
    """A reliability diagram as SVG: confidence against the share that is right, with 95 % intervals."""
    marks = []
    for part in calibration.bins:
        x, low, high = 50 + 300 * part.confidence, *(350 - 300 * end for end in part.share.interval)
        marks.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}" stroke="#2e6aa8"/>')
        marks.append(f'<circle cx="{x:.1f}" cy="{350 - 300 * part.share.value:.1f}" r="4" fill="#2e6aa8"/>')
    ticks = [
        f'<text x="{50 + 300 * n / 4}" y="368" text-anchor="middle">{n / 4}</text>'
        f'<text x="44" y="{354 - 300 * n / 4}" text-anchor="end">{n / 4}</text>'
        for n in range(5)
    ]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 370 400" font-family="sans-serif" font-size="11">'
        '<title>Confidence against the share of values that are right</title><rect width="370" height="400" fill="#fff"/>'
        '<path d="M50 50V350H350" fill="none" stroke="#444"/><path d="M50 350L350 50" stroke="#aaa" stroke-dasharray="4"/>'
        f'{"".join(ticks)}<text x="200" y="390" text-anchor="middle">confidence</text>'
        '<text x="14" y="200" text-anchor="middle" transform="rotate(-90 14 200)">share right</text>'
        f"{''.join(marks)}</svg>\n"
    )


def main() -> None:
    """Draw, read, fit, check."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--documents", type=int, default=40, help="invoices with a text layer in each language")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "drawn-pages")
    parser.add_argument("--write", action="store_true", help="put the weights in their place")
    parser.add_argument("--picture", type=Path, help="where to put a reliability diagram (SVG)")
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    rows = cases(arguments.documents, arguments.cache)
    guessed = np.zeros(len(rows))
    for fold in range(FOLDS):
        weights = fit([row for row in rows if row.document % FOLDS != fold])
        held = [n for n, row in enumerate(rows) if row.document % FOLDS == fold]
        guessed[held] = chances([rows[n] for n in held], weights)
    weights = fit(rows)
    for name, weight in weights.items():
        print(f"{weight:8.3f}  {name}")
    held_out = calibrate([(float(chance), row.right) for chance, row in zip(guessed, rows, strict=True)])
    share = sum(row.right for row in rows) / len(rows)
    print(
        f"{len(rows)} values, {share:.3f} of them right, calibration error {held_out.error if held_out else 0:.3f} (cross-validated)"
    )
    if arguments.picture and held_out:
        arguments.picture.write_text(picture(held_out), encoding="utf-8")
    if arguments.write:
        path = Path(pipeline.checks.__path__[0]) / WEIGHTS
        path.write_text(json.dumps(weights, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
