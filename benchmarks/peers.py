"""What simpler ways read from the same files: OCR with regular expressions, and invoice2data with the templates it ships.

    python -m benchmarks.peers regex FOLDER OUT.jsonl
    python -m benchmarks.peers invoice2data FOLDER OUT.jsonl --python ENVIRONMENT/bin/python

Writes one JSON object a line, ``{"file": …, "fields": {…}}``, to be scored beside ours by the same rules. The regular expressions are
what one writes in an afternoon: the last amount beside a word for the total, the first date, the code after a word for the number.
invoice2data (1.0) runs in an environment of its own (``pip install invoice2data``, Debian's ``poppler-utils``).
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.drawn.reading import read_page
from pipeline.errors import DocumentError
from pipeline.records import Page
from pipeline.values.dates import find_dates
from pipeline.values.money import parse_money
from pipeline.values.numbers import plain_decimal

Fields = dict[str, Any]
_AMOUNT = re.compile(r"\d[\d., ]*[.,]\d{2}(?!\d)")
_TOTAL = re.compile(r"total|gesamt|summe|betrag|ttc|totaal|razem|totale|importe|kopā|合计", re.IGNORECASE)
_NET = re.compile(r"sub-?total|netto|zwischensumme|\bht\b|imponibile|excl", re.IGNORECASE)
_TAX = re.compile(r"\bvat\b|mwst|ust|tva|btw|\biva\b|gst|\btax\b|pvn", re.IGNORECASE)
_NUMBER = re.compile(
    r"(?:invoice|rechnung|facture|factuur|faktura|fattura|factura|receipt|bill)\D{0,14}?([A-Z0-9][\w/-]*\d[\w/-]*)",
    re.IGNORECASE,
)
_CURRENCY = {
    "€": "EUR",
    "EUR": "EUR",
    "$": "USD",
    "USD": "USD",
    "£": "GBP",
    "GBP": "GBP",
    "RM": "MYR",
    "zł": "PLN",
    "PLN": "PLN",
}
_INVOICE2DATA = """
import json, logging, sys
logging.disable(logging.CRITICAL)
from invoice2data import extract_data
from invoice2data.extract.loader import read_templates
templates = read_templates()
for path in sys.argv[1:]:
    try:
        found = extract_data(path, templates=templates) or {}
    except Exception:
        found = {}
    print(json.dumps({"file": path, "found": found}, default=str))
"""
_NAMES = {
    "invoice_number": "invoice_number",
    "date": "invoice_date",
    "issuer": "vendor_name",
    "amount": "total",
    "currency": "currency",
}


def by_regex(page: Page) -> Fields:
    """Fields of one page, line by line."""
    lines: dict[int, list[str]] = {}
    for word in page.words:
        lines.setdefault(word.line, []).append(word.text)
    texts = [" ".join(words) for words in lines.values()]
    fields: Fields = {"vendor_name": texts[0] if texts else None}
    for text in texts:
        amounts = [money for match in _AMOUNT.findall(text) if (money := parse_money(match))]
        kind = "subtotal" if _NET.search(text) else "total" if _TOTAL.search(text) else "tax_total" if _TAX.search(text) else ""
        if amounts and kind:
            fields[kind] = plain_decimal(amounts[-1].amount)
    whole = "\n".join(texts)
    if dates := list(find_dates(whole, None)):
        fields["invoice_date"] = fields["date"] = dates[0][2].isoformat()
    if number := _NUMBER.search(whole):
        fields["invoice_number"] = fields["receipt_number"] = number[1]
    fields["currency"] = next((code for mark, code in _CURRENCY.items() if mark in whole), None)
    return fields


def regex(files: list[Path]) -> Iterator[Fields]:
    """The first page of every file, by text layer or OCR."""
    with tempfile.TemporaryDirectory() as folder:
        for path in files:
            try:
                fields = by_regex(read_page(path.read_bytes(), Path(folder) / path.name))
            except DocumentError:
                fields = {}
            yield {"file": path.name, "fields": fields}


def invoice2data(files: list[Path], python: str) -> Iterator[Fields]:
    """What its templates find; files that none fits have no field."""
    outcome = subprocess.run([python, "-c", _INVOICE2DATA, *map(str, files)], capture_output=True, text=True, check=True)
    for line in outcome.stdout.splitlines():
        output = json.loads(line) if line.startswith('{"file"') else None
        if output:
            fields = {ours: str(output["found"][theirs])[:10] if theirs == "date" else output["found"][theirs]
                      for theirs, ours in _NAMES.items() if output["found"].get(theirs) is not None}  # fmt: skip
            yield {"file": Path(output["file"]).name, "fields": fields}


def main() -> None:
    """Read, write, count."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("way", choices=["regex", "invoice2data"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--python", default=shutil.which("python3") or "python3", help="of the environment that holds invoice2data"
    )
    arguments = parser.parse_args()
    files = sorted(path for path in arguments.folder.iterdir() if path.is_file())
    rows = list(regex(files) if arguments.way == "regex" else invoice2data(files, arguments.python))
    arguments.out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    print(f"{len(rows)} files, {sum(bool(row['fields']) for row in rows)} with a value")


if __name__ == "__main__":
    main()
