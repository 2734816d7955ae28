"""Sellers and buyers in difficult layouts."""

from __future__ import annotations

from pipeline.engines.embedded.fields import read_fields
from pipeline.records import Page
from tests.engines.embedded.fields.pages import page, template

INVOICE, RECEIPT = template("invoice"), template("receipt")


def parties(letter: Page) -> tuple[object, object]:
    """Seller and buyer."""
    claims = read_fields(letter, INVOICE)
    return claims["vendor_name"].value, claims["buyer_name"].value


def test_the_address_window_is_the_buyer_and_the_footer_confirms_the_seller() -> None:
    letter = page(
        [
            (50, 90, "Birkenhof Gärtnerei GmbH · Am Moor 4 · 28195 Bremen", 7),
            (50, 110, "Frau"),
            (50, 122, "Ines Wagner"),
            (50, 134, "Lindenallee 9"),
            (50, 146, "26121 Oldenburg"),
            (50, 220, "Rechnung Nr. 77", 14),
            (50, 790, "Birkenhof Gärtnerei GmbH"),
            (300, 790, "info@birkenhof-gaertnerei.de"),
        ]
    )
    assert parties(letter) == ("Birkenhof Gärtnerei GmbH", "Ines Wagner")


def test_a_label_shows_a_seller_below_the_buyer() -> None:
    letter = page(
        [
            (50, 50, "Bill to"),
            (50, 64, "Quayside Hotel Ltd"),
            (50, 76, "1 Pier Road, Dover CT16 1AA"),
            (50, 400, "Seller: Meadow Dairy Ltd"),
        ]
    )
    assert parties(letter) == ("Meadow Dairy Ltd", "Quayside Hotel Ltd")


def test_a_label_is_not_cut_from_a_name_that_contains_it() -> None:
    letter = page([(50, 50, "Brandner Metallbau GmbH"), (50, 62, "Werkstraße 20"), (50, 74, "90402 Nürnberg")])
    assert parties(letter)[0] == "Brandner Metallbau GmbH"


def test_titles_countries_and_thanks_are_no_names() -> None:
    letter = page([(50, 50, "TAX INVOICE", 18), (50, 80, "Germany"), (50, 110, "Invoice no: 12")])
    assert parties(letter) == (None, None)


def test_an_address_on_the_line_is_no_part_of_a_name() -> None:
    letter = page(
        [
            (60, 50, "Ahlers Ltd, 4 Mill Road, Leeds LS1 4AP", 9),
            (60, 120, "Bill to:"),
            (60, 134, "Harbour Kitchens Ltd, 12 Quay Road, Hull HU1 1AA"),
            (60, 200, "Invoice no. 4711"),
            (60, 214, "Smith, Jones & Partners Ltd"),
        ]
    )
    assert parties(letter) == ("Ahlers Ltd", "Harbour Kitchens Ltd")


def test_a_tax_number_on_the_line_is_no_part_of_a_name() -> None:
    letter = page(
        [
            (60, 50, "Invoice 4711", 16),
            (60, 90, "Seller: Ahlers Ltd, VAT no. 123456789, 4 Mill Road, Leeds"),
            (60, 110, "Buyer: Harbour Kitchens Ltd, VAT no. 987654321, 12 Quay Road, Hull"),
        ]
    )
    assert parties(letter) == ("Ahlers Ltd", "Harbour Kitchens Ltd")


def test_a_title_in_two_languages_is_no_name() -> None:
    assert parties(page([(50, 50, "Rechnung / Invoice", 18), (50, 110, "Invoice no: 12")])) == (None, None)


def test_a_name_on_two_lines_is_joined() -> None:
    letter = page(
        [(60, 20, "GREEN VALLEY ORGANIC"), (72, 32, "TRADING SDN BHD"), (40, 44, "LOT 5, JALAN TERATAI, 43000 KAJANG")],
        source="ocr",
        width=300,
    )
    assert read_fields(letter, RECEIPT)["vendor_name"].value == "GREEN VALLEY ORGANIC TRADING SDN BHD"


def test_the_vat_id_is_that_of_the_seller() -> None:
    letter = page(
        [
            (50, 50, "Seller"),
            (320, 50, "Buyer"),
            (50, 64, "Polder Pumps BV"),
            (320, 64, "Nordlicht Leuchten GmbH"),
            (50, 76, "VAT ID: NL004495445B01"),
            (320, 76, "VAT ID: DE314159262"),
        ]
    )
    assert read_fields(letter, INVOICE)["vendor_vat_id"].value == "NL004495445B01"
