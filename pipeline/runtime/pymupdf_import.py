"""Imports PyMuPDF without its layout network, which this project does not use: its import takes two thirds of a second."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import cast

_LAYOUT = "pymupdf.layout"

_absent = _LAYOUT not in sys.modules
if _absent:
    sys.modules[_LAYOUT] = cast(
        ModuleType, None
    )  # importing it then fails, as where it is not installed (Python reference, 5.3.1)
import pymupdf  # noqa: E402

if _absent:
    del sys.modules[_LAYOUT]

__all__ = ["pymupdf"]
