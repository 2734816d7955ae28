"""Charts of other programs: their truth follows from the seed, and programs that are missing are named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from training.charts.__main__ import main
from training.charts.programs.draw_all import NAMES
from training.charts.programs.drawn_subject import KINDS, form_and_subject, truth_of


def test_a_seed_makes_the_same_forms_and_truths_and_another_seed_others() -> None:
    def truths(seed: int) -> list[object]:
        drawn = [form_and_subject(seed, "gnuplot", number)[1:] for number in range(1, 30)]
        return [truth_of(found, form) for form, found in drawn if found is not None]

    assert truths(4) == truths(4)
    assert len(truths(4)) > 15
    assert truths(4) != truths(5)


def test_data_suit_their_form() -> None:
    seen = set()
    for number in range(400):
        _, form, drawn = form_and_subject(2, "suits", number)
        if drawn is None:
            continue
        seen.add(form)
        least = min(min(row) for row in drawn.values)
        assert all(len(row) == len(drawn.categories) for row in drawn.values)
        assert (len(drawn.series) > 1) == form.startswith(("grouped", "stacked", "lines"))
        assert least > 0 or form != "pie"
        assert least >= 0 or form not in ("stacked", "stackedh", "area")
        assert form != "dense" or len(drawn.categories) >= 18
    assert seen == set(KINDS)


def test_programs_that_are_missing_are_named_with_what_they_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CHROMIUM", raising=False)
    names = [name for name in NAMES if name != "vega"]  # a Python package: PATH does not hide it
    result = CliRunner().invoke(main, ["programs", str(tmp_path / "out"), *(f"--only={name}" for name in names)])
    assert result.exit_code == 0, result.output
    lines = dict(line.split(" is left out: it needs ") for line in result.output.splitlines())
    assert list(lines) == names
    assert "r-cran-ggplot2" in lines["ggplot"]
    assert "r-base-core" in lines["base_r"]
    assert "gnuplot-nox" in lines["gnuplot"]
    assert "chromium" in lines["pygal"]
    assert "chromium" in lines["web"]
    assert "plotly.js-dist-min" in lines["web"]
    assert "libreoffice-calc" in lines["office"]
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(("name", "program"), [("gnuplot", "gnuplot"), ("base_r", "Rscript")])
def test_two_charts_are_drawn_with_their_truth(name: str, program: str, tmp_path: Path) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"no {program} here")
    result = CliRunner().invoke(main, ["programs", str(tmp_path), "--seed", "3", "--only", name, "--most", "2"])
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-1] == f"{name}: 2 charts"
    truths = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(tmp_path.glob("*.json"))]
    assert len(truths) == 2
    assert {path.name for path in tmp_path.iterdir()} == {n for t in truths for n in (t["file"], t["file"][:-3] + "json")}
    for truth in truths:
        assert truth["kind"] == name
        assert truth["chart_type"] == KINDS[truth["form"]]
        _, form, drawn = form_and_subject(3, name, int(Path(truth["file"]).stem.rsplit("_", 1)[1]))
        assert drawn is not None
        assert form == truth["form"]
        assert [row["value"] for row in truth["rows"]] == [value for row in drawn.values for value in row]
        with Image.open(tmp_path / truth["file"]) as picture:
            grey = picture.convert("L")
            assert grey.width >= 480
            assert grey.getextrema() != (255, 255)
            assert len(grey.getcolors(256) or []) > 2  # more than paper and one ink
