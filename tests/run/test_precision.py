"""The precision of the OCR, from the settings to the reader."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.run.job import all_templates, recipe
from pipeline.run.page_reader import handle
from pipeline.run.page_requests import ReadRequest, decode_content, encode_request
from pipeline.settings import Settings
from pipeline.words.networks import Bfloat16Network, Tensor
from pipeline.words.precision import bfloat16_obstacle
from tests.drawing import page_image, text_pdf
from tests.run.conftest import EchoEngine, World


def test_pages_are_read_again_when_the_precision_changes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put("a.pdf", text_pdf(["Alpha"]))
    for precision, asked in (("float32", 1), ("float32", 1), ("bfloat16", 2), ("bfloat16", 2)):
        monkeypatch.setattr("pipeline.run.job.choose", lambda settings, found=precision: found)
        monkeypatch.setattr("pipeline.run.compose._OF_OCR", {"float32": (), "bfloat16": ("onnxruntime",)})
        world.run()
        assert len(world.engine.asked) == asked


def test_recipes_of_float32_are_those_from_before_there_was_a_choice() -> None:
    template = all_templates(Settings())["transcript"]
    assert recipe(template, EchoEngine()) == recipe(template, EchoEngine(), precision="float32")
    assert recipe(template, EchoEngine()) != recipe(template, EchoEngine(), precision="bfloat16")


@pytest.mark.skipif(bfloat16_obstacle(6_000) is not None, reason="OpenVINO, or a unit that multiplies bfloat16, is missing")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_reader_reads_in_the_precision_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str) -> None:
    calls: list[int] = []
    run = Bfloat16Network.run

    def counted(self: Bfloat16Network, pictures: Tensor) -> Tensor:
        calls.append(len(pictures))
        return run(self, pictures)

    monkeypatch.setattr(Bfloat16Network, "run", counted)
    path = tmp_path / "scan.png"
    page_image(text_pdf(["Delivery note 4711"])).save(path)
    status = path.stat()
    request = ReadRequest(str(path), status.st_size, status.st_mtime_ns, 1, precision=precision)  # type: ignore[arg-type]
    page = decode_content(handle(encode_request(request)), 1)[0].page
    assert "4711" in " ".join(word.text for word in page.words)
    assert bool(calls) == (precision == "bfloat16")
