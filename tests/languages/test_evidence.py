"""Which languages a page is in, and what a word means there that has several meanings."""

from __future__ import annotations

import datetime
import random
import re
import time
from collections.abc import Callable
from functools import partial

import pytest

from pipeline.engines.embedded.fields import read_fields
from pipeline.engines.embedded.fields.label_index import LabelIndex, label_index
from pipeline.engines.embedded.fields.labels import find_labels
from pipeline.engines.embedded.fields.name_candidates import is_organisation
from pipeline.engines.embedded.fields.page_rows import label_key, lay_out
from pipeline.languages.evidence import language_weights, weight
from pipeline.languages.word_patterns import plain_any_of
from pipeline.values.dates import find_dates
from tests.engines.embedded.fields.pages import Line, page, template, template_of

POLISH = ["Faktura VAT 7/2024", "Sprzedawca: Dąb Sp. z o.o.", "Nabywca: Klon Sp. z o.o.", "Data wystawienia: 03.05.2024"]
SPANISH = ["Factura 7/2024", "Proveedor: Roble S.L.", "Cliente: Arce S.L.", "Fecha de emisión: 03/05/2024"]
CROATIAN = ["Račun br. 7", "Kupac: Javor d.o.o.", "Datum dospijeća"]


def lines(texts: list[str]) -> list[Line]:
    return [(50, 50 + 30 * at, text) for at, text in enumerate(texts)]


def test_a_page_in_two_languages_has_both() -> None:
    weights = language_weights([*POLISH, *SPANISH])
    assert weights["pl"] > 0.7
    assert weights["es"] > 0.7
    assert weights.get("fi", 0.0) < 0.3


def test_on_a_page_without_known_words_every_language_counts() -> None:
    weights = language_weights(["12.50", "Xqwz"])
    assert weights == {"any": 1.0, "other": 1.0}
    assert weight(["fi"], weights) == 1.0
    assert weight(["fi"], language_weights(POLISH)) < 0.2


@pytest.mark.parametrize(("texts", "field"), [(POLISH, "total"), (SPANISH, "subtotal")])
def test_a_word_means_what_it_means_in_the_pages_language(texts: list[str], field: str) -> None:
    layout = lay_out(page(lines([*texts, "Suma 120.00"])))
    labels = find_labels(layout, label_index(template("invoice")))
    assert [label.field for label in labels if label.run.text.startswith("Suma")] == [field]


def test_a_label_of_the_template_in_another_language_does_not_hide_what_the_word_means() -> None:
    """ "Baki" is the change in Malay. A template that calls a total so in another language does not change that."""
    text = "name: bill\nprompt: Read.\nfields:\n  total: {type: money, labels: {az: [Baki], ms: [Jumlah]}}\n"
    receipt = page(lines(["Resit rasmi", "Juruwang: Siti", "Jumlah 18.00", "Tunai 20.00", "Baki 2.00", "Terima kasih"]))
    assert read_fields(receipt, template_of(text))["total"].value == "18.00"


def test_a_short_label_of_another_language_means_nothing() -> None:
    """ "DP" is a deposit in Indonesian."""
    texts = ["Invoice number: 17", "Billed to: Harrow Ltd", "Shipping address", "Payment terms", "Customer", "Amount due 30.00"]
    texts += ["Please remit your payment within thirty days", "Purchase order", "Order 02102-DP 24.00"]
    labels = find_labels(lay_out(page(lines(texts))), label_index(template("invoice")))
    assert [label.field for label in labels if label.field == "prepaid"] == []
    indonesian = ["Nomor Faktur: 17", "Kepada: PT Jati", "Jatuh Tempo: 3 Mei 2024", "DP 24.000"]
    labels = find_labels(lay_out(page(lines(indonesian))), label_index(template("invoice")))
    assert [label.field for label in labels if label.run.text.startswith("DP")] == ["prepaid"]


@pytest.mark.parametrize(
    ("language", "text", "month"),
    [(CROATIAN, "5. listopada 2024.", 10), (POLISH, "5 listopada 2024", 11), (["Faktura č.", "Datum splatnosti"], "5. listopad 2024", 11)],
)  # fmt: skip
def test_a_month_is_that_of_the_pages_language(language: list[str], text: str, month: int) -> None:
    dates = find_dates(text, None, language_weights([*language, text]))
    assert [day for _, _, day in dates] == [datetime.date(2024, month, 5)]


@pytest.mark.parametrize(
    "text",
    [
        "2024 m. gegužės 3 d.",
        "2024. gada 3. maijs",
        "ngày 3 tháng 5 năm 2024",
        "3 tháng 05, 2024",
        "2024년 5월 3일",
        "令和6年5月3日",
        "民國113年5月3日",
        "3 Μαΐου 2024",
        "3. toukokuuta 2024",
        "2024. május 3.",
        "3 Mei 2024",
        "3 Mayıs 2024",
        "3. maja 2024",
    ],
)
def test_dates_as_the_languages_print_them(text: str) -> None:
    assert [day for _, _, day in find_dates(text)] == [datetime.date(2024, 5, 3)]


@pytest.mark.parametrize(
    "text", ["Dub s.r.o.", "Hrast d.o.o.", "Papír a.s.", "Meşe A.Ş.", "Roble S.L.", "참나무목공 주식회사", "Tamme OÜ"]
)
def test_legal_forms_in_small_letters_and_other_writing(text: str) -> None:
    assert is_organisation(text)


def test_letters_without_an_accent_in_unicode_are_folded() -> None:
    assert label_key("SATICI") == label_key("Satıcı")
    assert label_key("Beløb") == label_key("Belob")
    assert label_key("Hóa đơn") == label_key("Hoa don")


def test_ten_times_the_labels_take_hardly_longer() -> None:
    chance = random.Random(7)
    letters = "abcdefghijklmnopqrstuvwxyz"
    few = {"".join(chance.choices(letters, k=chance.randint(4, 16))): {"total": frozenset({"en"})} for _ in range(1000)}
    many = {"".join(chance.choices(letters, k=chance.randint(4, 16))): {"total": frozenset({"en"})} for _ in range(10000)}
    layout = lay_out(page([(40, 40 + 14 * row, " ".join(chance.sample(sorted(few), 6))) for row in range(40)]))
    times = {}
    for name, labels in (("few", few), ("many", few | many)):
        index = LabelIndex(labels)
        times[name] = min(seconds(partial(find_labels, layout, index)) for _ in range(5))
    assert times["many"] < 3 * times["few"]


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def test_an_expression_of_many_words_finds_the_longest() -> None:
    expression = re.compile(plain_any_of(["total", "total due", "to", "tot", "due"]))
    assert expression.findall("total due, total, tot, to, due") == ["total due", "total", "tot", "to", "due"]
