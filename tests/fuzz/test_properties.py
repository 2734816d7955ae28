"""Properties of any document and any file: printed values are read back, members of archives are unpacked or reported, and files of users
are loaded or refused with an error."""

from __future__ import annotations

import datetime
import io
import tarfile
import zipfile
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.sax.saxutils import escape

import pytest
import yaml
from babel.dates import format_date, format_time
from babel.numbers import format_currency, get_currency_precision, get_decimal_symbol
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.intake.containers import SkippedMember, UnpackedMember, unpack
from pipeline.values.dates import Order, parse_date, parse_time
from pipeline.values.money import parse_money
from pipeline.words.einvoice import parse_einvoice
from tests.fuzz.test_corpus import harness
from tests.templates.conftest import DELIVERY_NOTE

LANGUAGES = ["en_US", "en_GB", "de_DE", "de_CH", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL", "zh_CN"]
CURRENCIES = ["EUR", "USD", "GBP", "CHF", "PLN", "CNY", "JPY", "SEK", "KWD"]
DAYS = st.dates(datetime.date(1970, 1, 1), datetime.date(2069, 12, 31))


@given(st.integers(-(10**14), 10**14), st.sampled_from(LANGUAGES), st.sampled_from(CURRENCIES), st.booleans())
def test_an_amount_with_its_code_is_read_back_with_its_currency(units: int, locale: str, code: str, accounting: bool) -> None:
    amount = Decimal(units).scaleb(-get_currency_precision(code))
    pattern = "¤¤ #,##0.00;(¤¤ #,##0.00)" if accounting else "#,##0.00 ¤¤;-#,##0.00 ¤¤"
    money = parse_money(format_currency(amount, code, pattern, locale=locale), get_decimal_symbol(locale))
    assert money is not None
    assert (money.amount, money.currency) == (amount, code)


@given(DAYS, st.sampled_from(LANGUAGES))
def test_a_day_with_its_weekday_is_read_back(day: datetime.date, locale: str) -> None:
    assert parse_date(format_date(day, "full", locale=locale)) == day


@given(
    DAYS,
    st.sampled_from(
        [("en_US", "MDY"), ("en_GB", "DMY"), ("de_DE", "DMY"), ("fr_FR", "DMY"), ("nl_NL", "DMY"), ("zh_CN", "YMD")]
    ),
)
def test_a_short_date_is_read_back_with_its_order(day: datetime.date, locale: tuple[str, Order]) -> None:
    assert parse_date(format_date(day, "short", locale=locale[0]), locale[1]) == day


@given(st.times(), st.sampled_from([locale for locale in LANGUAGES if locale != "zh_CN"]), st.sampled_from(["short", "medium"]))
def test_a_time_of_day_is_read_back(time: datetime.time, locale: str, length: Any) -> None:
    read = parse_time(format_time(time, length, locale=locale))
    assert read == f"{time:%H:%M:%S}"[: 5 if length == "short" else 8]


@settings(max_examples=300)
@given(st.binary(max_size=80), st.text(max_size=80))
def test_values_of_any_text_have_the_form_of_their_types(noise: bytes, text: str) -> None:
    harness("values")(noise)
    harness("values")(b"\0" + text.encode())


KEYS = [
    *yaml.safe_load(DELIVERY_NOTE),
    "type",
    "labels",
    "columns",
    "values",
    "sum",
    "equals",
    "limits",
    "routes",
    "seconds",
    "a b",
    "1",
]
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.dates()
    | st.text()
    | st.sampled_from(["money", "table", "{{ words }}"])
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=25,
)


@settings(deadline=None)
@pytest.mark.parametrize("target", ["templates", "settings"])
@given(st.one_of(TREES.map(yaml.safe_dump), st.text(max_size=300)))
def test_a_file_of_any_yaml_is_loaded_or_refused(target: str, text: str) -> None:
    harness(target)(text.encode())


@settings(deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")),
    st.decimals(-(10**9), 10**9, places=2),
)
def test_an_einvoice_keeps_its_words_and_amounts(name: str, amount: Decimal) -> None:
    party = (
        f"<AccountingSupplierParty><Party><PartyName><Name>{escape(name)}</Name></PartyName></Party></AccountingSupplierParty>"
    )
    total = f"<LegalMonetaryTotal><PayableAmount>{amount:f}</PayableAmount></LegalMonetaryTotal>"
    facts = parse_einvoice(f"<Invoice>{party}{total}</Invoice>".encode())
    assert facts is not None
    assert facts.get("BT-27", "") == " ".join(name.split())
    assert Decimal(facts["BT-115"]) == amount


NAMES = st.lists(
    st.sampled_from(["a", "A", "b.pdf", "..", ".", "", ".b", "ä", "c:", "\\", "x" * 250, "e\n", "f~"]), max_size=4
).map("/".join)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(NAMES, st.binary(max_size=20)), min_size=1, max_size=6), st.booleans())
def test_every_member_of_an_archive_is_unpacked_or_reported(members: list[tuple[str, bytes]], as_zip: bool) -> None:
    members = [(name, content) for name, content in members if name and not name.endswith(("/", "\\"))]
    with TemporaryDirectory() as folder:
        archive, into = Path(folder) / "archive", Path(folder) / "folder" / "into"
        archive.write_bytes(_zip(members) if as_zip else _tar(members))
        items = list(unpack(archive, into, max_bytes=10))
        files = [item.path for item in items if isinstance(item, UnpackedMember)]
        assert len(files) + sum(bool(item.name) for item in items if isinstance(item, SkippedMember)) == len(members)
        written = sorted(path for path in Path(folder).rglob("*") if path.is_file() and path != archive)
        assert sorted(files) == written
        assert all(into in path.parents for path in written)
        contents = [content for _, content in members]
        assert all(path.read_bytes() in contents for path in written)


def _zip(members: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as pack:
        for name, content in members:
            pack.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def _tar(members: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()
