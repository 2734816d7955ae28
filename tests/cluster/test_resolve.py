"""What `auto` means is resolve_auto by the driver, as in a local run on its machine: recipes are then the same here and there."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cluster.cluster import Cluster
from pipeline.cluster.resolve import resolve_auto
from pipeline.engines.vlm import model_load, model_store
from pipeline.engines.vlm.model_store import LocalModel
from pipeline.ledger.ledger import Ledger
from pipeline.run.job import Job, all_templates
from pipeline.settings import Settings
from pipeline.settings_sections import OcrSettings, VlmSettings
from pipeline.words import precision
from tests.run.conftest import EchoEngine


def test_recipes_of_a_cluster_are_those_of_the_drivers_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for obstacle in (None, precision.Obstacle("an old processor")):
        monkeypatch.setattr(precision, "bfloat16_obstacle", lambda memory_mb, obstacle=obstacle: obstacle)
        settings = Settings(inbox=tmp_path, engine="embedded")
        cluster = Cluster(settings, "")
        assert cluster.precision == ("float32" if obstacle else "bfloat16")
        with Ledger(tmp_path / cluster.precision) as ledger:
            here = Job(settings, all_templates(settings), EchoEngine(), ledger)
            there = Job(settings, all_templates(settings), EchoEngine(), ledger, cluster=cluster)
        assert (there.precision, there.recipes) == (here.precision, here.recipes)


def test_a_named_precision_stays_also_where_the_driver_cannot_use_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "bfloat16_obstacle", lambda memory_mb: precision.Obstacle("the driver is an old machine"))
    assert Cluster(Settings(inbox=tmp_path, ocr=OcrSettings(precision="bfloat16")), "").precision == "bfloat16"


@pytest.mark.parametrize("quick", [True, False])
def test_engine_and_precision_are_those_of_a_local_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, quick: bool) -> None:
    assert resolve_auto(Settings()).engine in ("embedded", "vlm")
    (tmp_path / "config.json").write_text("{}")
    monkeypatch.setattr(model_store, "find_model", lambda *_: LocalModel("m", "r", tmp_path, None, False, 1_000))
    monkeypatch.setattr(model_load, "multiplies_bfloat16", lambda: quick)
    resolved = resolve_auto(Settings(engine="auto", model="m"))
    assert (resolved.engine, resolved.vlm.dtype) == ("vlm", "bfloat16" if quick else "float32")
    assert resolve_auto(Settings(engine="vlm", vlm=VlmSettings(dtype="int8"))).vlm.dtype == "int8"


def test_a_model_may_be_on_the_machines_alone(tmp_path: Path) -> None:
    resolved = resolve_auto(Settings(engine="vlm", model=str(tmp_path / "absent")))
    assert (resolved.engine, resolved.vlm.dtype) == ("vlm", "auto")
