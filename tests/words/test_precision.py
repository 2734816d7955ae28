from __future__ import annotations

import importlib.util
import subprocess
import sys
from importlib.machinery import ModuleSpec

import numpy as np
import pytest

from pipeline.errors import EngineUnavailableError
from pipeline.settings import Settings
from pipeline.words import fast_recogniser, precision
from pipeline.words.fast_recogniser import LENGTHS, FastRecogniser, least_certain, most_likely, nearest_length
from pipeline.words.networks import Bfloat16Network, Tensor
from pipeline.words.ocr import OcrReader, read_image, to_bgr
from pipeline.words.precision import bfloat16_obstacle, choose_precision
from pipeline.words.recogniser import MAX_WIDTH, MIN_WIDTH, LineText, Pixels, Recogniser

from .drawing import LETTER_LINES, letter, picture, texts

needs_units = pytest.mark.skipif(
    bfloat16_obstacle(6_000) is not None, reason="OpenVINO, or a unit that multiplies bfloat16, is missing"
)


def settings(requested: str = "auto", memory_mb: int = 6_000) -> Settings:
    return Settings(ocr={"precision": requested}, limits={"memory_mb": memory_mb})


@pytest.mark.parametrize(
    ("flags", "installed", "memory_mb", "message"),
    [
        ({"avx2", "avx512f"}, True, 6_000, "no unit"),
        ({"avx512_bf16"}, False, 6_000, "not installed"),
        ({"avx512_bf16"}, True, 2_000, "memory_mb"),
    ],
)
def test_without_a_requirement_ocr_runs_in_float32(
    monkeypatch: pytest.MonkeyPatch, flags: set[str], installed: bool, memory_mb: int, message: str
) -> None:
    monkeypatch.setattr(precision, "cpu_flags", lambda: frozenset(flags))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: ModuleSpec(name, None) if installed else None)
    assert choose_precision(settings(memory_mb=memory_mb)) == "float32"
    with pytest.raises(EngineUnavailableError, match=message):
        choose_precision(settings("bfloat16", memory_mb))


def test_with_all_requirements_bfloat16_is_used_unless_the_settings_name_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "cpu_flags", lambda: frozenset({"amx_bf16"}))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: ModuleSpec(name, None))
    precisions = [choose_precision(settings(requested)) for requested in ("auto", "bfloat16", "float32")]
    assert precisions == ["bfloat16", "bfloat16", "float32"]


def test_lines_are_stretched_by_less_than_2_5_percent_to_few_lengths() -> None:
    widths = range(MIN_WIDTH, MAX_WIDTH + 1)
    assert max(abs(nearest_length(width) / width - 1) for width in widths if width < LENGTHS[-1]) < 0.025
    assert len({nearest_length(width) for width in widths}) < 150
    assert len({nearest_length(width) for width in range(MIN_WIDTH, 2_400)}) < 100


def test_the_least_certain_letter_counts_by_its_best_column() -> None:
    classes, probabilities = np.array([0, 1, 1, 0, 2]), np.array([0.9, 0.7, 0.95, 1, 0.8], np.float32)
    assert least_certain(classes, probabilities) == pytest.approx(0.8)
    assert least_certain(classes[:4], probabilities[:4]) == pytest.approx(0.95)
    assert least_certain(classes[:1], probabilities[:1]) == 0.0


def test_probabilities_are_those_of_a_softmax() -> None:
    logits = np.random.default_rng(0).normal(size=(7, 30)).astype(np.float32)
    best, probabilities = most_likely(logits)
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert best.tolist() == softmax.argmax(axis=1).tolist()
    assert probabilities[best != 0] == pytest.approx(softmax.max(axis=1)[best != 0], rel=1e-5)


@needs_units
def test_both_precisions_read_the_same_words() -> None:
    page = picture(letter())
    exact, rounded = read_image(page), read_image(page, "bfloat16")
    assert texts(rounded) == texts(exact) == LETTER_LINES
    for one, other in zip(exact, rounded, strict=True):
        assert other.box == pytest.approx(one.box, abs=4.0)  # less than two columns of the recogniser


@needs_units
def test_lines_in_doubt_are_read_again_in_float32_and_clear_ones_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    batch_sizes: list[int] = []

    class Exact(Recogniser):
        def read(self, lines: list[Pixels]) -> list[LineText]:  # type: ignore[override]
            batch_sizes.append(len(lines))
            return super().read(lines)

    chance = np.random.default_rng(0)
    lines = [to_bgr(picture(letter()))[110:140], chance.integers(0, 255, (40, 400, 3)).astype(np.uint8)]
    clear, noise = FastRecogniser(Exact).read(lines)
    assert batch_sizes == [1]
    assert noise == Recogniser().read(lines[1:])[0]
    monkeypatch.setattr(fast_recogniser, "MIN_PROBABILITY", 1.1)
    assert FastRecogniser(Exact).read(lines) == Recogniser().read(lines)
    assert clear.text == Recogniser().read(lines[:1])[0].text


@needs_units
def test_openvino_does_not_report_its_use_over_the_network() -> None:
    """Its model converter reports each import to a server of its makers."""
    load = "Bfloat16Network('rapidocr', 'PP-OCRv6_det_small.onnx')"
    code = f"import sys; from pipeline.words.networks import Bfloat16Network; {load}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "openvino" in loaded
    assert not [name for name in loaded if "telemetry" in name]


@needs_units
def test_lines_of_many_lengths_need_few_input_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network is compiled for each shape, which takes as long as reading it twice."""
    shapes: list[tuple[int, ...]] = []
    run = Bfloat16Network.run

    def count_calls(self: Bfloat16Network, pictures: Tensor) -> Tensor:
        shapes.append(pictures.shape)
        return run(self, pictures)

    monkeypatch.setattr(Bfloat16Network, "run", count_calls)
    line = to_bgr(picture(letter()))[110:140]
    FastRecogniser(Recogniser).read([line[:, :width] for width in range(200, 500, 5)])
    assert len(shapes) == 60
    assert len(set(shapes)) <= 26


def test_a_reader_loads_the_bfloat16_network_only_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ImportError

    monkeypatch.setattr(Bfloat16Network, "__init__", fail)
    assert texts(OcrReader().read(picture(letter()))) == LETTER_LINES
    with pytest.raises(ImportError):
        OcrReader(precision="bfloat16")
