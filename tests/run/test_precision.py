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
from tests.run.conftest import EchoEngine, RunFolders


def test_pages_are_read_again_when_the_precision_changes(folders: RunFolders, monkeypatch: pytest.MonkeyPatch) -> None:
    folders.put("a.pdf", text_pdf(["Alpha"]))
    for precision, count in (("float32", 1), ("float32", 1), ("bfloat16", 2), ("bfloat16", 2)):
        monkeypatch.setattr("pipeline.run.job.choose_precision", lambda settings, chosen=precision: chosen)
        monkeypatch.setattr("pipeline.run.compose.OCR_LIBRARIES", {"float32": (), "bfloat16": ("onnxruntime",)})
        folders.run()
        assert len(folders.engine.units) == count


def test_the_recipe_of_float32_does_not_name_the_precision() -> None:
    template = all_templates(Settings())["transcript"]
    assert recipe(template, EchoEngine()) == recipe(template, EchoEngine(), precision="float32")
    assert recipe(template, EchoEngine()) != recipe(template, EchoEngine(), precision="bfloat16")


@pytest.mark.skipif(bfloat16_obstacle(6_000) is not None, reason="OpenVINO, or a unit that multiplies bfloat16, is missing")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_reader_reads_in_the_precision_of_its_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
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
