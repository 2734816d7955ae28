"""Imports PyMuPDF without its layout network and without pymupdf4llm, which this project does not use: they take up to two thirds of a
second."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import cast

_UNUSED = ("pymupdf.layout", "pymupdf4llm")

_absent = [name for name in _UNUSED if name not in sys.modules]
for _name in _absent:
    sys.modules[_name] = cast(
        ModuleType, None
    )  # importing it then fails, as where it is not installed (Python reference, 5.3.1)
import pymupdf  # noqa: E402

for _name in _absent:
    del sys.modules[_name]

__all__ = ["pymupdf"]
