"""Values of the types with a grammar of their own, as people print them."""

from __future__ import annotations

import pytest

from pipeline.values.leaf_values import parse_leaf
from pipeline.values.number_formats import has_check_digits, is_number_format
from pipeline.values.postal import PostalAddress, parse_postal

PRINTED = {
    ("boolean", "Ja"): "true",
    ("boolean", "No"): "false",
    ("boolean", "perhaps"): None,
    ("integer", "1.250"): "1250",
    ("integer", "12.5"): None,
    ("percentage", "19,0 %"): "19.0",
    ("quantity", "2,5 kg"): "2.5 kg",
    ("quantity", "1.000 Stk."): "1000 Stk",
    ("period", "01.03. - 31.03.2026"): "2026-03-01/2026-03-31",
    ("period", "1. bis 31.03.2026"): "2026-03-01/2026-03-31",
    ("period", "28.12. - 03.01.2026"): "2025-12-28/2026-01-03",
    ("period", "from 1 March 2026 to 15 March 2026"): "2026-03-01/2026-03-15",
    ("period", "February 2028"): "2028-02-01/2028-02-29",
    ("period", "03/2026"): "2026-03-01/2026-03-31",
    ("period", "5 March 2026"): None,
    ("duration", "14 days"): "P14D",
    ("duration", "30 Tage"): "P30D",
    ("duration", "2:30 h"): "PT2H30M",
    ("duration", "2 h 30 min"): "PT2H30M",
    ("duration", "14 apples"): None,
    ("phone", "+49 (0) 30 / 1234-56"): "+4930123456",
    ("phone", "(030) 123 45 67"): "0301234567",
    ("phone", "0031 20 123 45 67"): "+31201234567",
    ("phone", "12"): None,
    ("mail", "<Info@EXAMPLE.org>"): "Info@example.org",
    ("mail", "info at example.org"): None,
    ("url", "WWW.Example.org/Path"): "www.example.org/Path",
    ("url", "HTTPS://Example.org"): "https://example.org",
    ("iban", "DE02 1203 0000 0000 2020 51"): "DE02120300000000202051",
    ("iban", "DE03 1203 0000 0000 2020 51"): "DE03120300000000202051",
    ("iban", "4711"): None,
    ("bic", "BYLA DEM1 001"): "BYLADEM1001",
    ("country", "Deutschland"): "DE",
    ("country", "Polska"): "PL",
    ("country", "UK"): "GB",
    ("country", "Atlantis"): None,
    ("address", "1 Main St\nLondon"): "1 Main St, London",
}


@pytest.mark.parametrize(("kind", "text"), PRINTED, ids=lambda part: str(part).replace("\n", " "))
def test_a_printed_value_has_one_form(kind: str, text: str) -> None:
    assert parse_leaf(kind, text) == PRINTED[kind, text]


ADDRESSES = {
    ("Lindenweg 12", "D-12345 Neustadt"): PostalAddress("Lindenweg 12", "12345", "Neustadt", "DE", 1),
    ("Lindenweg 12, 12345 Neustadt",): PostalAddress("Lindenweg 12", "12345", "Neustadt", None, 0),
    ("4 High Street", "Oldham OL1 1AA", "United Kingdom"): PostalAddress("4 High Street", "OL1 1AA", "Oldham", "GB", 1),
    ("4 High Street", "Oldham", "OL1 1AA"): PostalAddress("4 High Street", "OL1 1AA", "Oldham", None, 1),
    ("17 Elm Ave", "Fairview, OH 44126"): PostalAddress("17 Elm Ave", "44126", "Fairview", None, 1),
    ("Molenweg 8", "1234 AB Zaandam"): PostalAddress("Molenweg 8", "1234 AB", "Zaandam", None, 1),
    ("ul. Lipowa 3", "00-123 Warszawa"): PostalAddress("ul. Lipowa 3", "00-123", "Warszawa", None, 1),
    ("Rua Nova 1", "1234-567 Porto"): PostalAddress("Rua Nova 1", "1234-567", "Porto", None, 1),
    ("DE 80999 Unterfeld",): PostalAddress(None, "80999", "Unterfeld", "DE", 0),
    ("Thank you for your order",): PostalAddress(),
}


@pytest.mark.parametrize("lines", ADDRESSES, ids=" / ".join)
def test_an_address_has_parts(lines: tuple[str, ...]) -> None:
    assert parse_postal(lines) == ADDRESSES[lines]


def test_formats_are_modules_of_python_stdnum() -> None:
    assert all(map(is_number_format, ("ean", "de.stnr", "iso11649")))
    assert not any(map(is_number_format, ("de", "util", "os", "de.nothing", "../ean", "ean; import os")))
    assert has_check_digits("ean", "4006381333931")
    assert not has_check_digits("ean", "4006381333932")
    assert not has_check_digits("ean", "x" * 1000)
