"""The networks inside the rapidocr wheel, opened directly: its wrapper takes most of a second to import and computes in double width.

ONNX Runtime runs them anywhere. Where OpenVINO is installed (the extra ``fast``) and the CPU multiplies bfloat16, that takes half
the time: the same weights, words alike but for a sign in some hundreds of a poor picture.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tensor = NDArray[np.float32]
RUNTIME_VARIABLE = "PIPELINE_OCR_RUNTIME"
"""``onnxruntime`` or ``openvino`` instead of what suits the machine."""


@dataclass(frozen=True, slots=True)
class Network:
    """``run`` takes pictures and returns the first output, which it may overwrite when it is called again."""

    run: Callable[[Tensor], Tensor]
    letters: tuple[str, ...]
    """What the classes of a recogniser stand for; empty for other networks."""


def load(name: str, threads: int) -> Network:
    """The network in ``name`` of rapidocr's models, by the runtime that suits the machine."""
    path = model_file("rapidocr", name)
    wanted = os.environ.get(RUNTIME_VARIABLE) or ("openvino" if _has_openvino() else "onnxruntime")
    if wanted == "openvino" and (network := _by_openvino(path, threads, forced=RUNTIME_VARIABLE in os.environ)):
        return network
    return _by_onnxruntime(path, threads)


def model_file(package: str, name: str) -> Path:
    """A file in a package's ``models``, without importing the package."""
    spec = importlib.util.find_spec(package)
    folder = Path(next(iter(spec.submodule_search_locations or ()))) if spec else Path()
    return folder / "models" / name


def onnx_session(path: Path, threads: int = 1) -> Any:
    """A session of ONNX Runtime that keeps its memory between calls: asking the system for it anew costs a fifth of the detector."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _by_onnxruntime(path: Path, threads: int) -> Network:
    session = onnx_session(path, threads)
    name = session.get_inputs()[0].name
    letters = session.get_modelmeta().custom_metadata_map.get("character", "")
    return Network(lambda pictures: session.run(None, {name: pictures})[0], tuple(letters.splitlines()))


def _has_openvino() -> bool:
    return importlib.util.find_spec("openvino") is not None


def _by_openvino(path: Path, threads: int, forced: bool) -> Network | None:
    """None where bfloat16 is no faster on this CPU: in full width OpenVINO gains too little for what it takes to start."""
    import openvino

    core = openvino.Core()
    if not forced and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        return None
    model = core.read_model(path)
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": "bf16",
        "ENABLE_CPU_PINNING": False,  # readers would all be tied to the same core
    }
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    stated = ["framework", "character"]
    letters = str(model.get_rt_info(stated).value) if model.has_rt_info(stated) else ""
    return Network(
        lambda pictures: request.infer([pictures], share_inputs=True, share_outputs=True)[0], tuple(letters.splitlines())
    )
