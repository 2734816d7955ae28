"""Who sells what to whom: companies and people with addresses and numbers, goods and their prices, all invented."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from decimal import Decimal

from training.generator import identifiers
from training.generator.choices import draw
from training.generator.vocabulary import UNSPACED, Country, split, without_accents, words

SYLLABLES = [
    "ba",
    "be",
    "bo",
    "ca",
    "co",
    "da",
    "de",
    "do",
    "el",
    "en",
    "fa",
    "fi",
    "ga",
    "gi",
    "ha",
    "in",
    "ka",
    "ki",
    "la",
    "le",
    "li",
    "lo",
    "lu",
    "ma",
    "me",
    "mi",
    "mo",
    "na",
    "ne",
    "no",
    "nu",
    "or",
    "pa",
    "pe",
    "ra",
    "re",
    "ri",
    "ro",
    "sa",
    "se",
    "si",
    "so",
    "ta",
    "te",
    "ti",
    "to",
    "tra",
    "va",
    "ve",
    "vi",
    "vo",
    "xa",
    "za",
    "ze",
]
"""Names of companies that mean nothing are made of these."""
SCALE = {
    "JPY": 130, "KRW": 1200, "VND": 22000, "IDR": 14000, "CLP": 800, "COP": 3800, "HUF": 340, "INR": 50, "TWD": 28, "RSD": 100, "SEK": 10,
    "DKK": 7, "NOK": 10, "CZK": 23, "MXN": 17, "ARS": 400, "ZAR": 16, "TRY": 20, "PLN": 4, "RON": 5, "BRL": 5, "MYR": 4, "CNY": 7,
}  # fmt: skip
"""About how many units of the currency are a euro."""
COMPANY_WORDS = {
    "VN": ("Thương mại", "Dịch vụ", "Xây dựng"),
    "ID": ("Maju", "Jaya", "Sentosa", "Abadi"),
    "IN": ("Traders", "Enterprises", "Industries"),
}
LATIN_NAMES = frozenset({"el", "bg", "ru", "uk", "ja", "zh", "ko"})
"""Languages of other scripts: an invented name in Latin letters is rarer there."""


@dataclass(frozen=True)
class Party:
    """A company or a person, as printed."""

    name: str
    brand: str
    """The name on the sign, without legal form."""
    street: str
    city: str
    """Postcode and city in one line."""
    country: str
    country_name: str = ""
    """Printed below the address; empty where it is not."""
    extra: tuple[str, ...] = ()
    """Lines between name and street: a department, a person."""
    tax_id: str = ""
    tax_label: str = ""
    phone: str = ""
    fax: str = ""
    mail: str = ""
    web: str = ""
    iban: str = ""
    account: str = ""
    bic: str = ""
    bank: str = ""
    register: str = ""
    tax_number: str = ""
    director: str = ""
    person: bool = False

    @property
    def address(self) -> tuple[str, ...]:
        """The lines of the address, without the name."""
        return tuple(line for line in (*self.extra, self.street, self.city, self.country_name) if line)


@dataclass
class Trade:
    """What a document is about: language, country, both parties and the goods that the seller has."""

    language: str
    country: Country
    seller: Party
    buyer: Party
    ship_to: Party
    goods: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)


def person(language: str, rng: random.Random) -> str:
    """A person's name in the order of the language."""
    first, last = rng.choice(words(language, "first")), rng.choice(words(language, "last"))
    if language in UNSPACED or language == "ko":
        return f"{last}{first}" if rng.random() < 0.7 else f"{last} {first}"
    return f"{last} {first}" if language in {"hu", "vi"} else f"{first} {last}"


def _invented(rng: random.Random) -> str:
    name = "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(2, 3))).capitalize()
    return name + rng.choice(["", "", "x", "n", "s", "tec", "net", "line", "lab", "pro", "med", "soft"])


def _brand(language: str, shop: bool, rng: random.Random) -> str:
    trade = rng.choice(words(language, "shop" if shop else "trade"))
    last = rng.choice(words(language, "last"))
    other = rng.choice(words(language, "last"))
    invented = _invented(rng) if language not in LATIN_NAMES or rng.random() < 0.3 else last
    if language in UNSPACED or language == "ko":
        return rng.choice([f"{last}{trade}", f"{last}{trade}", f"{trade} {invented}", f"{invented}{trade}"])
    if shop:
        return rng.choice(
            [
                invented,
                f"{trade} {last}",
                f"{trade} {invented}",
                f"{last} {trade}",
                invented.upper(),
                f"{invented} {trade}",
                f"{last}'s" if language == "en" else last,
            ]
        )
    return rng.choice(
        [
            f"{last} {trade}",
            f"{invented} {trade}",
            invented,
            f"{last} & {other}",
            f"{trade} {last}",
            f"{last} & {other} {trade}",
            f"{invented} {rng.choice(['Group', 'International', 'Europe', '24', 'Plus', 'One'])}",
        ]
    )


def party(language: str, country: Country, rng: random.Random, *, shop: bool = False, person_share: float = 0.0) -> Party:
    """An invented party in the country."""
    is_person = rng.random() < person_share
    brand = person(language, rng) if is_person else _brand(language, shop, rng)
    name = brand
    if not is_person and country.before:
        name = f"{rng.choice(country.before)} {brand}" if language not in {"ja"} else f"{rng.choice(country.before)}{brand}"
        if language == "ja" and rng.random() < 0.3:
            name = brand + rng.choice(country.before)
    elif not is_person and country.forms and rng.random() < (0.55 if shop else 0.9):
        name = f"{brand} {rng.choice(country.forms)}" if language not in UNSPACED else brand + rng.choice(country.forms)
    if not is_person and rng.random() < 0.06 and name.upper() != name:
        name = name.upper()
    street = rng.choice(words(language, "street")).replace(
        "#", str(draw(rng, {rng.randint(1, 60): 5, rng.randint(60, 900): 1}))
    )
    extra: list[str] = []
    if not is_person and rng.random() < 0.2:
        extra.append(person(language, rng))
    host = re.sub("[^a-z0-9]+", rng.choice(["", "-"]), without_accents(brand).lower()).strip("-") or _invented(rng).lower()
    domain = f"{host}.{rng.choice([country.code.lower(), country.code.lower(), 'com', 'eu'])}".replace(".us", ".com").replace(
        ".gb", ".co.uk"
    )
    domain = (
        domain.replace(".au", ".com.au").replace(".tr", ".com.tr").replace(".br", ".com.br")
        if not domain.endswith("co.uk")
        else domain
    )
    own_iban = identifiers.iban(country.code, rng) or ""
    return Party(
        name=name,
        brand=brand,
        street=street,
        city=rng.choice(country.cities),
        country=country.code,
        extra=tuple(extra),
        tax_id="" if is_person and rng.random() < 0.5 else identifiers.tax_id(country.tax_id, rng),
        tax_label=rng.choice(country.tax_labels) if country.tax_labels and rng.random() < 0.6 else "",
        phone=identifiers.fill(rng.choice(country.phone), rng),
        fax=identifiers.fill(rng.choice(country.phone), rng),
        mail=f"{rng.choice(['info', 'office', 'mail', 'sales', 'kontakt', 'billing', 'service'])}@{domain}",
        web=rng.choice(["www.", "www.", "", "https://"]) + domain,
        iban=own_iban,
        account=identifiers.fill(rng.choice(["########", "##########", "#### #### ##", "######-#"]), rng),
        bic=identifiers.bic(country.code, rng),
        bank=f"{rng.choice(words(language, 'last'))} Bank" if rng.random() < 0.5 else f"{_invented(rng)} Bank",
        register=identifiers.fill(rng.choice(["#####", "########", "### ### ###", "######"]), rng),
        tax_number=identifiers.fill(rng.choice(["###/###/#####", "## ### #####", "########", "##-#######"]), rng),
        director=person(language, rng),
        person=is_person,
    )


def price(currency: str, rng: random.Random, low: float, high: float, decimals: int) -> Decimal:
    """A price between about ``low`` and ``high`` euros, in the currency; small ones are more frequent."""
    value = low * (high / low) ** rng.random() * SCALE.get(currency, 1) * rng.uniform(0.8, 1.2)
    if value > 10_000:
        value = round(value / 500) * 500
    elif value > 500 and decimals == 0:
        value = round(value / 10) * 10
    habit = rng.random()
    if decimals == 0:
        return Decimal(max(1, round(value)))
    if habit < 0.35:
        return Decimal(max(1, round(value))).quantize(Decimal(1).scaleb(-decimals))
    if habit < 0.6:
        return (Decimal(max(1, round(value))) - Decimal("0.01")).quantize(Decimal("0.01")).max(Decimal("0.19"))
    return Decimal(f"{max(value, 0.11):.{decimals}f}")


def units(language: str) -> list[str]:
    """Words for units of quantity."""
    return words(language, "units")


def goods(language: str, shop: bool) -> list[str]:
    """What is sold, by word lists."""
    return words(language, "food") if shop else [*words(language, "goods"), *words(language, "services")]


__all__ = ["Party", "Trade", "goods", "party", "person", "price", "split", "units"]
