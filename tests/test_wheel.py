"""The wheel is complete: it holds everything that the program needs, and works in any folder without the checkout."""

from __future__ import annotations

import email
import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from pipeline import __version__
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
    """Run a command of the unpacked wheel, in a folder outside the checkout."""
    unpacked = wheel.parent / "unpacked"
    if not unpacked.exists():
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(unpacked)
    command = [sys.executable, "-m", "pipeline", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(unpacked), "PIPELINE_WORKERS": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_wheel_is_named_inbox_pipeline_and_declares_every_extra(wheel: Path) -> None:
    assert wheel.name == f"inbox_pipeline-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        (path,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = email.message_from_bytes(archive.read(path))
    assert metadata["Name"] == "inbox-pipeline"
    assert metadata["Requires-Python"] == "<3.15,>=3.11"
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert set(metadata.get_all("Provides-Extra") or []) == set(declared)


@pytest.mark.proof
def test_the_wheel_installs_on_a_machine_without_a_network(tmp_path: Path) -> None:
    """The commands of docs/install.md: collect the wheels with a network, install them without one."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    collect = [*pip, "wheel", "--constraint", "constraints.txt", "--wheel-dir", str(tmp_path / "wheels"), ".[serve]"]
    subprocess.run(collect, cwd=ROOT, check=True, capture_output=True)
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "env")], check=True, capture_output=True)
    install = ["install", "--quiet", "--no-index", "--find-links", str(tmp_path / "wheels"), "inbox-pipeline[serve]"]
    subprocess.run([str(tmp_path / "env" / "bin" / "pip"), *install], check=True, capture_output=True)
    command = str(tmp_path / "env" / "bin" / "pipeline")
    assert subprocess.run([command, "--version"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    doctor = subprocess.run([command, "doctor"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "install the extras `objects` and `tags`: docs/install.md" in doctor.stdout


def test_the_wheel_holds_settings_templates_and_types(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    configs = {path.relative_to(ROOT).as_posix() for path in (ROOT / "configs").rglob("*") if path.is_file()}
    assert {"configs/pipeline.yaml", "configs/templates/invoice.yaml"} <= configs
    assert {f"pipeline/{name}" for name in configs} <= names
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "pipeline").rglob("*.py")}
    pages = {"evaluate/report.html", "evaluate/report.css"}
    pages |= {path.relative_to(ROOT / "pipeline").as_posix() for path in (ROOT / "pipeline" / "languages").glob("*.yaml")}
    pages |= {
        f"web/{name}"
        for name in (
            "interface/review.html",
            "interface/interface.css",
            "interface/script/start.js",
            "serve.css",
            "list/start.js",
            "locale/de/names.po",
            "html/home.html",
        )
    }
    assert {*modules, "pipeline/py.typed", *(f"pipeline/{name}" for name in pages)} <= names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "examples/", "inbox/"))]


def test_the_unpacked_wheel_works_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    where = [sys.executable, "-c", "import pipeline; print(pipeline.__file__)"]
    assert pipeline(wheel, tmp_path, "--version").returncode == 0
    unpacked = wheel.parent / "unpacked"
    imported = subprocess.run(
        where, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(unpacked)}, capture_output=True, text=True, check=True
    )
    assert imported.stdout.startswith(str(unpacked)), "the package comes from the wheel, not from the checkout"

    assert pipeline(wheel, tmp_path, "init").returncode == 0
    pdf = tmp_path / "inbox" / "note.pdf"
    pdf.write_bytes(text_pdf(["Goods received in good order"]))
    os.utime(pdf, (OLD, OLD))
    run = pipeline(wheel, tmp_path, "run", "--template", "transcript")
    assert run.returncode == 0, run.stdout + run.stderr
    published = json.loads((tmp_path / "outbox" / "note.pdf.json").read_text(encoding="utf-8"))
    assert published["results"]["transcript"]["fields"]["text"]["value"] == ["Goods received in good order"]


def test_a_mistyped_template_name_is_answered_with_the_templates_of_the_wheel(wheel: Path, tmp_path: Path) -> None:
    pipeline(wheel, tmp_path, "init")
    run = pipeline(wheel, tmp_path, "run", "--template", "invoce")
    assert run.returncode == 2
    assert "invoice" in run.stderr
