"""The wheel alone is enough: everything the pipeline needs lies in it, and it works from any folder, without the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.drawing import text_pdf

ROOT = Path(__file__).resolve().parent.parent
OLD = 1_000_000_000

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without any network."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*build, "--wheel-dir", str(folder), str(ROOT)], check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def pipeline(wheel: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of the unpacked wheel, in a folder that knows nothing of the checkout."""
    unpacked = wheel.parent / "unpacked"
    if not unpacked.exists():
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(unpacked)
    command = [sys.executable, "-m", "pipeline", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(unpacked), "PIPELINE_WORKERS": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_wheel_carries_settings_templates_and_types(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    configs = {path.relative_to(ROOT).as_posix() for path in (ROOT / "configs").rglob("*") if path.is_file()}
    assert {"configs/pipeline.yaml", "configs/templates/invoice.yaml"} <= configs
    assert {f"pipeline/{name}" for name in configs} <= names
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "pipeline").rglob("*.py")}
    pages = {"evaluate/report.html", "evaluate/report.css", "review/review.html", "review/review.css", "review/review.js"}
    pages |= {f"serve/{name}" for name in ("serve.css", "serve.js", "html/home.html", "html/document.html")}
    assert {*modules, "pipeline/py.typed", *(f"pipeline/{name}" for name in pages)} <= names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "examples/", "inbox/"))]


def test_the_unpacked_wheel_works_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    where = [sys.executable, "-c", "import pipeline; print(pipeline.__file__)"]
    assert pipeline(wheel, tmp_path, "--version").returncode == 0
    unpacked = wheel.parent / "unpacked"
    told = subprocess.run(
        where, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(unpacked)}, capture_output=True, text=True, check=True
    )
    assert told.stdout.startswith(str(unpacked)), "the checkout must not answer for the wheel"

    assert pipeline(wheel, tmp_path, "init").returncode == 0
    pdf = tmp_path / "inbox" / "note.pdf"
    pdf.write_bytes(text_pdf(["Goods received in good order"]))
    os.utime(pdf, (OLD, OLD))
    run = pipeline(wheel, tmp_path, "run", "--template", "transcript")
    assert run.returncode == 0, run.stdout + run.stderr
    published = json.loads((tmp_path / "outbox" / "note.pdf.json").read_text(encoding="utf-8"))
    assert published["results"]["transcript"]["fields"]["text"]["value"] == ["Goods received in good order"]


def test_a_mistaken_template_name_is_told_with_the_wheels_own_templates(wheel: Path, tmp_path: Path) -> None:
    pipeline(wheel, tmp_path, "init")
    run = pipeline(wheel, tmp_path, "run", "--template", "invoce")
    assert run.returncode == 2
    assert "invoice" in run.stderr
