"""Every seed of the fuzzer, also earlier findings, passes its harness. A harness can fail."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

FUZZ = Path(__file__).parents[2] / "fuzz"
SEEDS = sorted(path.relative_to(FUZZ / "corpus") for path in (FUZZ / "corpus").glob("*/*"))


def harness(target: str) -> Callable[[bytes], None]:
    once: Callable[[bytes], None] = importlib.import_module(f"fuzz.{target}").once
    return once


@pytest.fixture(autouse=True)
def without_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [name for name in os.environ if name.startswith("PIPELINE_")]:
        monkeypatch.delenv(variable)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("seed", SEEDS, ids=str)
def test_a_seed_passes(seed: Path) -> None:
    harness(seed.parts[0])((FUZZ / "corpus" / seed).read_bytes())


@pytest.mark.parametrize("target", sorted({seed.parts[0] for seed in SEEDS}))
@pytest.mark.parametrize("data", [b"", b"\0", b"\xff\xfe", b"%PDF-", bytes(range(256)) * 8])
def test_empty_input_and_noise_pass(target: str, data: bytes) -> None:
    harness(target)(data)


def test_every_target_has_seeds_and_they_are_small() -> None:
    targets = {path.stem for path in FUZZ.glob("*.py")} - {"__init__", "run", "seeds"}
    assert {seed.parts[0] for seed in SEEDS} == targets
    assert sum((FUZZ / "corpus" / seed).stat().st_size for seed in SEEDS) < 200_000


def test_a_broken_contract_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fuzz.values.parse_number", lambda text, mark=None: Decimal("NaN"))
    with pytest.raises(AssertionError):
        harness("values")(b"\x0012.50")
