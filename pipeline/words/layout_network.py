"""Loads PyMuPDF's layout network: a graph network over lines of text, with features of the page's pixels (AGPL-3.0, in its wheel).

The package's own start activates the network for every page that PyMuPDF opens, and lets ONNX Runtime take all cores and return its
memory after each call. Here it runs on its own, on some threads, and keeps its memory, which halves its time.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.runtime.pymupdf_import import pymupdf

PIXEL_NETWORK = "feature_imf1.onnx"
LINE_NETWORK = "layout_rf2.4.1+imf1.onnx"
GRID_NETWORK = "table_grid_model_v4_ep.onnx"


@cache
def layout_network(threads: int = 1) -> Any:
    """PyMuPDF's network for layouts, loaded once for each process; None where the installed PyMuPDF has none, or another one."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # it would record and send how it is used
    try:
        return _load(threads)
    except (ImportError, AttributeError, OSError, TypeError, ValueError):
        return None


def _load(threads: int) -> Any:
    import onnxruntime

    before = pymupdf._get_layout
    pymupdf._get_layout = before or (
        lambda *_args, **_options: None
    )  # importing the package would load the network a second time
    try:
        from pymupdf.layout.onnx import BoxRFDGNN
    finally:
        pymupdf._get_layout = before
    onnxruntime.set_default_logger_severity(4)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 4
    folder = Path(BoxRFDGNN.__file__).parent.parent / "resources" / "onnx"

    def session(path: object, _providers: object = None) -> Any:
        return onnxruntime.InferenceSession(str(folder / Path(str(path)).name), options, providers=["CPUExecutionProvider"])

    own = {module: module.make_session for module in _users(BoxRFDGNN)}
    try:
        for module in own:
            module.make_session = session
        return BoxRFDGNN.BoxRFDGNN(feature_set_name="imf+rf", use_sort=False, table_grid_model_ver="V4")
    finally:
        for module, make_session in own.items():
            module.make_session = make_session


def _users(network: Any) -> tuple[Any, ...]:
    """The modules that make sessions of ONNX Runtime."""
    from pymupdf.layout.onnx import TableGridExtractorV2

    return network, TableGridExtractorV2
