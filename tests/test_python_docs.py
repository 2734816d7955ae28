"""Every example of docs/python.md runs and prints what the page says."""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from examples.trade import Item
from tests.drawing import encrypted_pdf, invoice, invoice_pdf

PAGE = Path(__file__).parents[1] / "docs" / "python.md"
EXAMPLES = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_every_example_prints_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = invoice(number="EN-20418", items=[Item("Model K-12", Decimal(1), Decimal(75))], issued=date(2025, 4, 2))
    for name, content in {
        "invoice.pdf": invoice_pdf(invoice()),
        "locked.pdf": encrypted_pdf(password="open sesame"),
        "inbox/first.pdf": invoice_pdf(invoice()),
        "inbox/second.pdf": invoice_pdf(other),
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIPELINE_WORKERS", "1")  # documents then come in the order of their files
    namespace: dict[str, Any] = {}
    for code, expected in EXAMPLES:
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(compile(code, str(PAGE), "exec", dont_inherit=True), namespace)
        assert printed.getvalue() == expected, code
    assert {path.name for path in tmp_path.iterdir()} == {"inbox", "invoice.pdf", "locked.pdf", "outbox"}


def test_every_example_has_its_output() -> None:
    assert len(EXAMPLES) == PAGE.read_text(encoding="utf-8").count("```python") > 10
