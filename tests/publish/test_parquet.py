"""Parquet files, read back by pandas and pyarrow."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.publish.parquet import write_parquet
from tests.publish.building import KINDS, frame


def write(folder: Path, *batches: Iterable[Mapping[str, Any]]) -> Path:
    (folder / "scratch").mkdir(exist_ok=True)
    [path] = write_parquet(folder, {"bill": KINDS}, ({"bill": frame(*rows)} for rows in batches), folder / "scratch")
    assert list((folder / "scratch").iterdir()) == []
    return path


def test_every_type_is_kept(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        [{"file": "a", "number": "007", "day": "1815-06-18", "total": "1234.5", "at": "09:42", "note": "=1+1"}],
        [{"file": "b"}],
    )
    schema = pq.read_schema(path)
    assert schema.names == list(KINDS)
    assert schema.field("day").type == pa.date32()
    assert schema.field("total").type == pa.decimal128(38, 2)
    a, b = pd.read_parquet(path).to_dict("records")
    assert a == {
        "file": "a",
        "number": "007",
        "day": datetime.date(1815, 6, 18),
        "at": "09:42",
        "total": Decimal("1234.50"),
        "note": "=1+1",
    }
    assert [key for key, value in b.items() if not pd.isna(value)] == ["file"]


def test_amounts_have_as_many_decimals_as_the_longest(tmp_path: Path) -> None:
    amounts = ["0.00012345", "-123456789012345678901234567890.1", "7"]
    totals = pd.read_parquet(write(tmp_path, [{"file": "a", "total": amount} for amount in amounts]))["total"]
    assert [Decimal(amount) for amount in amounts] == list(totals)


@pytest.mark.parametrize("amount", ["1" * 40, "1." + "1" * 40, "about 5"])
def test_a_column_with_a_value_of_another_type_is_text(tmp_path: Path, amount: str) -> None:
    frame = pd.read_parquet(write(tmp_path, [{"file": "a", "total": "1.50", "day": "soon"}, {"file": "b", "total": amount}]))
    assert list(frame["total"]) == ["1.50", amount]
    assert frame["day"][0] == "soon"


def test_an_export_without_documents_has_no_rows(tmp_path: Path) -> None:
    assert pq.read_table(write(tmp_path)).num_rows == 0


def test_every_batch_is_a_row_group(tmp_path: Path) -> None:
    rows = [{"file": str(number), "total": f"{number}.00"} for number in range(25)]
    path = write(tmp_path, rows[:10], rows[10:20], rows[20:])
    assert pq.ParquetFile(path).num_row_groups == 3
    assert list(pd.read_parquet(path)["file"]) == [str(number) for number in range(25)]


def test_characters_that_no_file_can_hold_are_replaced(tmp_path: Path) -> None:
    assert pd.read_parquet(write(tmp_path, [{"file": "a", "note": "x\0y \ud800"}]))["note"][0] == "xy ?"
