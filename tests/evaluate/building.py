"""Folders with drawn documents and their truth."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.drawing import invoice, invoice_pdf, invoice_truth

OLD = 1_000_000_000


def put(folder: Path, name: str, content: bytes) -> Path:
    """A file that no reader takes for one still being written."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (OLD, OLD))
    return path


def put_invoices(folder: Path, languages: Sequence[str], *, facturx: bool = False) -> list[dict[str, Any]]:
    """An invoice in each language, and what is true of it, as lines for ``put_truth``."""
    rows = []
    for language in languages:
        put(folder, f"{language}.pdf", invoice_pdf(invoice(language), facturx=facturx))
        rows.append({"file": f"{language}.pdf", "fields": dict(invoice_truth(invoice(language)))})
    return rows


def put_truth(folder: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """``truth.jsonl``."""
    path = folder / "truth.jsonl"
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    return path
