"""All texts on a page that may be a date, a time, an amount, a number, a currency or an identifier."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from babel.numbers import get_currency_precision, get_territory_currencies

from pipeline.engines.embedded.fields.bank_identifiers import BankIdentifier, find_bank_identifiers
from pipeline.engines.embedded.fields.labels import cut_box
from pipeline.engines.embedded.fields.page_rows import TIGHT_GAP, Layout, Run
from pipeline.engines.embedded.fields.vocabulary import vocabulary
from pipeline.records import Box
from pipeline.values.countries import (
    CURRENCY_BY_SIGN,
    MIN_WEIGHT,
    country_weights,
    date_order,
    likely_country,
    resolve_currency,
)
from pipeline.values.currencies import (
    CODE_ONLY,
    SHORT_WORDS_AFTER,
    SHORT_WORDS_BEFORE,
    SYMBOL_PATTERN,
    currency_codes,
    find_currency_name,
    find_currency_noun,
    parse_currency,
)
from pipeline.values.dates import Order, find_dates, guess_order, parse_time
from pipeline.values.identifiers import VAT_COUNTRIES, is_valid_vat, parse_vat, repair_vat
from pipeline.values.money import Money, parse_money
from pipeline.values.numbers import guess_decimal_mark, parse_number, plain_decimal
from pipeline.values.tax_numbers import LEAST_WEIGHT, find_tax_numbers


@dataclass(eq=False)
class Candidate:
    """A typed value: characters ``start`` to ``end`` of a run. ``quality`` (0 to 1) is how much it looks like its type.

    Nothing changes one. It is not frozen, because that makes it take three times as long to create, and a page has hundreds.
    """

    kind: str
    value: str
    run: Run
    start: int
    end: int
    box: Box
    words: tuple[int, ...]
    quality: float = 1.0
    currency: str | None = None
    repaired: bool = False
    """Whether letters that OCR took for digits were replaced. Such a value counts only where another number proves it."""
    unclear: bool = False
    """Whether the page does not say where the value ends."""
    text: str | None = None
    """The text as printed, where more than one run has it."""
    place: tuple[int, int, int] = field(init=False)
    """Its place on the page, which no other candidate of its kind has."""

    def __post_init__(self) -> None:
        self.place = self.run.number, self.start, self.end

    @property
    def printed(self) -> str:
        """As printed."""
        return self.text or self.run.text[self.start : self.end].strip()


@dataclass(frozen=True)
class CurrencyMark:
    """A place that names a currency. ``strength`` (0 to 1) is how plainly."""

    code: str
    words: tuple[int, ...]
    printed: str
    beside_amount: bool
    strength: float


_BESIDE_AMOUNT, _ELSEWHERE = 3, 2
"""Votes of a currency beside an amount, and of one that stands elsewhere."""
_UNDECIDED = 0.4
"""Strength of a sign that countries share ("$") where the page does not tell its country: its usual meaning is a guess."""
_CURRENCY = rf"(?:{SYMBOL_PATTERN}|rm|zł|kč|eur|usd|gbp|chf|pln|myr|cny|(?-i:[A-Z]{{3}}))"
_ANY_CURRENCY = re.compile(_CURRENCY, re.IGNORECASE)
_AMOUNT = re.compile(
    rf"(?P<sign>[-−–+(]\s?)?(?:(?<![^\W\d_])(?P<before>{SHORT_WORDS_BEFORE}|{_CURRENCY})\s?:?\s?)?(?P<minus>[-−–]\s?)?"
    r"(?P<digits>(?<![\d.,/])(?:\d{1,2}(?:,\d{2})+,\d{3}(?:\s?\.\s?\d{1,4})?"  # Indian groups: "12,34,567.00"
    r"|\d{1,3}(?:[ .,'’]\d{3})+(?:\s?[.,]\s?\d{1,4})?"
    r"|\d+\s?[.,]\s\d{2}(?!\d)|\d+\s[.,]\d{2}(?!\d)|\d+[.,]\d\s\d(?![\d.,])|\d+(?:[.,]\d{1,4})?|[.,]\d{2})(?![\d]))"
    rf"(?P<cents>\s?[.,]\s?[-–]{{1,2}})?(?P<after>\s?(?:{SHORT_WORDS_AFTER}|{_CURRENCY})(?![^\W\d_]))?(?P<tail>\s?\)|-(?![\w])|\s?(?-i:CR)(?!\w))?",
    re.IGNORECASE,
)
_TIME = re.compile(r"\d{1,2}\s?[:h]\s?\d{2}(?:\s?:\s?\d{2})?(?:\s?[ap]\.?m\b\.?)?", re.IGNORECASE)
_OWN_SIGN = re.compile(r"US ?\$|\$ ?US|RMB|元|人民币|円|[A-Z]{1,2}\$", re.IGNORECASE)
"""Signs that countries do not share."""
_CENTS = re.compile(r"[.,]\s?\d\s?\d$")
_GOES_ON = re.compile(r"[-–]\w|[.,]\d")
_BLANKS_AT_MARK = re.compile(r"([.,]\d) (?=\d$)|\s?([.,])\s?(?=\d{1,4}$)")
_GROUPED = re.compile(r"\d{1,3}(?:[.,]\d{3})*[.,]\d{2}")
_BLANK, _NO_DIGIT = re.compile(" "), re.compile(r"\D")
_CODES_OF_UNITS = {"KGS": "KG"}
"""Codes that are mostly units, as kilograms, and the country in which they are money."""
_CROWN = re.compile(r"(?<![^\W\d_])kr(?![^\W\d_])", re.IGNORECASE)
_CROWNS = {"sv": "SEK", "da": "DKK", "no": "NOK"}
"""The crown of a language, where the page does not tell its country."""
_WORDS_OF_LANGUAGES = {
    "hu": re.compile(r"(?<![^\W\d_])Ft(?![^\W\d_])"),
    "ro": re.compile(r"(?<![^\W\d_])lei(?![^\W\d_])", re.I),
}
"""Abbreviations of currencies that are words in other languages, by the language in which they are none."""
_DIGIT = r"[\dOoQDIl|SB]"
_DAMAGED = re.compile(
    rf"(?<![\w.,:/-])(?P<sign>[-−–]\s?)?(?P<before>{_CURRENCY}\s?)?(?P<whole>{_DIGIT}{{1,6}})(?P<mark>\s?[.,:;]\s?|\s)(?P<cents>{_DIGIT}{{2}})"
    r"(?![\w%]|[.,:/-]\w)",
    re.IGNORECASE,
)
"""An amount in which OCR read letters for digits, or lost or misread the decimal mark."""
_DIGIT_OF_LETTER = str.maketrans("OoQDIilL|SsBb", "0000" + "11111" + "55" + "88")
_IN_BRACKETS = re.compile(r"\((?:in\s)?$", re.IGNORECASE)
_CODE = re.compile(r"(?<![A-Za-z])[A-Z]{3}(?![A-Za-z])")
_BELOW_ONE = re.compile(r"(?<![\d.,])0[.,]\d{3}(?![\d.,])")
_IDENTIFIER = re.compile(r"[^\W_]+(?:[-/._#–]{1,2}[^\W_]+)*")
_CONTACT = re.compile(r"(?<=\d)[-/._#–]{1,2}([^\W\d_]{3,})(?=\d{6})")
"""A word between two numbers that a till has printed without blanks: "0130-TEL0577"."""
_MOST_VAT_WORDS = 8
_VAT_MARK = re.compile(r"[:.#/]")
_LETTER_OF_DIGIT = str.maketrans("0158", "OISB")
_VAT_LETTERS = frozenset(country[:2] for country in (*VAT_COUNTRIES, "GR"))
_CURRENCY_WORD = re.compile(rf"(?<![^\W\d_])(?:{SYMBOL_PATTERN}|zł|kč|[^\W\d_]{{2,8}})(?![^\W\d_])", re.IGNORECASE)


def bank_candidate(layout: Layout, found: BankIdentifier) -> Candidate:
    """The candidate for a number of a bank. Its place is where the number begins."""
    first = found.stretches[0]
    words = tuple(dict.fromkeys(i for part in found.stretches for i in part.run.span(part.start, part.end)))
    box = cut_box(layout, first.run, first.start, first.end)
    return Candidate(found.kind, found.text, first.run, first.start, first.end, box, words, text=found.text)


class Candidates:
    """The typed values of one page, by kind, in reading order."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        texts = [run.text for run in layout.runs]
        self._countries = country_weights(texts)
        self.decimal_mark = guess_decimal_mark(
            texts, decimals=3 if _prints_three_decimals(texts, likely_country(self._countries)) else 2
        )
        self.proven_order: Order | None = guess_order(texts)
        self.order: Order | None = self.proven_order or date_order(self._countries)
        self._taken: dict[int, list[tuple[int, int]]] = {}  # characters of each run that have a type
        self.bank_identifiers = [self._bank_identifier(found) for found in find_bank_identifiers(layout)]
        numeric = [run for run in layout.runs if run.has_digit]
        national = [c for run in numeric for c in self._national_tax_numbers(run)]
        self._proven = {number: tuple(spans) for number, spans in self._taken.items()}
        self.dates = [c for run in layout.runs for c in self._dates(run)]
        self.times = [c for run in numeric for c in self._times(run)]
        for candidate in self.dates + self.times:
            self._taken.setdefault(candidate.run.number, []).append((candidate.start, candidate.end))
        self.vats = sorted([*national, *(c for run in numeric for c in self._vats(run))], key=lambda c: c.place)
        self.numbers = [c for run in numeric for c in self._amounts(run)]
        if layout.page.source == "ocr":
            self.numbers += [c for run in numeric for c in self._damaged_amounts(run)]
        self.money = [c for c in self.numbers if c.kind == "money"]
        self.identifiers = [c for run in layout.runs for c in self._identifiers(run)]

    @cached_property
    def numbers_by_row(self) -> dict[int, list[Candidate]]:
        """The numbers of each row that has some."""
        rows: dict[int, list[Candidate]] = {}
        for candidate in self.numbers:
            rows.setdefault(candidate.run.row, []).append(candidate)
        return rows

    def of(self, kind: str) -> list[Candidate]:
        """Candidates for a field type (``vat`` counts as one)."""
        return {
            "date": self.dates,
            "time": self.times,
            "money": self.money,
            "number": self.numbers,
            "identifier": self.identifiers,
            "vat": self.vats,
        }.get(kind, [])

    def currency(self, converted: Container[tuple[int, int, int]] = ()) -> CurrencyMark | None:
        """The page's currency: the one that is printed most; beside an amount counts more, at the places ``converted`` nothing."""
        votes: Counter[str] = Counter()
        best: dict[str, CurrencyMark] = {}
        for mark in self._currency_marks(converted):
            votes[mark.code] += _BESIDE_AMOUNT if mark.beside_amount else _ELSEWHERE
            if mark.code not in best or mark.strength > best[mark.code].strength:
                best[mark.code] = mark
        return best[votes.most_common(1)[0][0]] if votes else self._named_currency()

    def _named_currency(self) -> CurrencyMark | None:
        """The currency whose name the page prints, as sums in words do: the full name, or the one that it has in the likely country."""
        spoken = [code for code, weight in self.layout.languages.items() if weight >= LEAST_WEIGHT]
        country = likely_country(self._countries, least=1)  # the name says the same once more
        own = next(iter(get_territory_currencies(country)), None) if country else None
        for run in self.layout.runs:
            found = find_currency_name(run.text, spoken)
            span = find_currency_noun(run.text, own, spoken) if own and not found else None
            code, start, end = found or ((own, *span) if own and span else (None, 0, 0))
            if code:
                return CurrencyMark(code, run.span(start, end), run.text[start:end], False, _UNDECIDED)
        return None

    def _currency_marks(self, converted: Container[tuple[int, int, int]]) -> Iterator[CurrencyMark]:
        for candidate in self.numbers:
            if candidate.currency and candidate.place not in converted:
                yield from self._resolved(candidate.currency, candidate.printed, candidate.words, beside_amount=True)
        codes = currency_codes()
        for run in self.layout.runs:
            may_have_brackets = "(" in run.text
            for match in _CURRENCY_WORD.finditer(run.text):
                word = match[0]
                is_code = word in codes and word not in CODE_ONLY
                symbol = (
                    not word.isascii()
                    or word in ("$", "RM")
                    or word.casefold() in ("euro", "euros")
                    or (may_have_brackets and _IN_BRACKETS.search(run.text[: match.start()]) is not None)  # "Unit price (Rs.)"
                )
                if ((is_code and _names_money(run.text, match)) or symbol) and (code := parse_currency(word)):
                    yield from self._resolved(code, word, run.span(*match.span()), beside_amount=False)

    def _resolved(self, currency: str, printed: str, words: tuple[int, ...], *, beside_amount: bool) -> Iterator[CurrencyMark]:
        """The currency that is meant; a sign that countries share means that of the page's country, or of its language.

        None where nothing tells which crown is meant.
        """
        if currency in _CODES_OF_UNITS and self._countries[_CODES_OF_UNITS[currency]] < MIN_WEIGHT:
            return
        strength = 0.9 if beside_amount else 0.6
        language = next((code for code, word in _WORDS_OF_LANGUAGES.items() if word.search(printed)), None)
        if language and self.layout.languages.get(language, 0.0) < max(self.layout.languages.values(), default=0.0):
            return  # "25 Ft" of cable, "lei" of another language
        if currency in printed.upper() or _OWN_SIGN.search(printed) or currency not in CURRENCY_BY_SIGN:
            yield CurrencyMark(currency, words, printed, beside_amount, strength)
            return
        known = any(self._countries[country] >= MIN_WEIGHT for country in CURRENCY_BY_SIGN[currency])
        if _CROWN.search(printed) and not any(self._countries[country] for country in CURRENCY_BY_SIGN["SEK"]):
            weights = self.layout.languages
            spoken = max(_CROWNS, key=lambda language: weights.get(language, 0.0))
            if weights.get(spoken, 0.0) >= max(weights.values()):
                yield CurrencyMark(_CROWNS[spoken], words, printed, beside_amount, strength - 0.1)
            return
        resolved = resolve_currency(currency, self._countries)
        yield CurrencyMark(resolved, words, printed, beside_amount, strength - 0.1 if known else _UNDECIDED)

    def _make(
        self, kind: str, value: str, run: Run, span: tuple[int, int], quality: float = 1.0, currency: str | None = None
    ) -> Candidate:
        words = run.span(*span)
        return Candidate(kind, value, run, *span, cut_box(self.layout, run, *span, words), words, quality, currency)

    def _bank_identifier(self, found: BankIdentifier) -> Candidate:
        """The candidate for a number of a bank; nothing else is looked for in its words."""
        for part in found.stretches:
            self._taken.setdefault(part.run.number, []).append((part.start, part.end))
        return bank_candidate(self.layout, found)

    def _dates(self, run: Run) -> Iterator[Candidate]:
        for start, end, date in find_dates(run.text, self.order, self.layout.languages):
            if not _amount_like(run.text[start:end]) and self._free(run, start, end):
                yield self._make("date", date.isoformat(), run, (start, end), 1.0 if 1990 <= date.year <= 2060 else 0.3)

    def _times(self, run: Run) -> Iterator[Candidate]:
        for match in _TIME.finditer(run.text):
            start = match.start()
            while match.end() - start > 3 and any(c.run is run and c.start <= start < c.end for c in self.dates):
                start += 1
            time = parse_time(run.text[start : match.end()])
            if time and self._free(run, start, match.end()):
                yield self._make("time", time, run, (start, match.end()))

    def _free(self, run: Run, start: int, end: int) -> bool:
        taken = self._taken.get(run.number)
        return not taken or not any(start < stop and end > begin for begin, stop in taken)

    def _national_tax_numbers(self, run: Run) -> Iterator[Candidate]:
        """Tax numbers with the form and the check digits of a country; nothing else is looked for in their characters."""
        for span in find_tax_numbers(run.text, self.layout.languages):
            if self._free(run, *span):
                self._taken.setdefault(run.number, []).append(span)
                yield self._make("vat", run.text[slice(*span)], run, span)

    def _vats(self, run: Run) -> Iterator[Candidate]:
        ends = [*(start - 1 for start in run.starts[1:]), len(run.text)]
        for first, start in enumerate(run.starts):
            marks = [m.end() for m in _VAT_MARK.finditer(run.text, start, ends[first])]
            starts = [at for at in (start, *marks) if self._begins_vat(run.text[at : at + 8].lstrip(" .,;|")[:2])]
            hit = self._vat_at(run, starts, ends[first : first + _MOST_VAT_WORDS]) if starts else None
            if hit:
                self._taken.setdefault(run.number, []).append((hit.start, hit.end))
                yield hit

    def _vat_at(self, run: Run, starts: list[int], ends: list[int]) -> Candidate | None:
        """The longest of the best tax numbers that begin at one of some places and end at one of others."""
        hits: list[Candidate] = []
        for end in reversed(ends):
            for start in starts:
                printed = run.text[start:end].strip(" .,;|")
                text = self._with_letters(printed)
                if not 8 <= len(text) <= 24 or not text[:2].isalpha() or not self._free(run, start, end):
                    continue
                value = parse_vat(text) or (repair_vat(text) if self.layout.page.source == "ocr" else None)
                if value and (text == printed or is_valid_vat(value)):
                    hits.append(self._make("vat", value, run, (start, start + len(text)), 1.0 if is_valid_vat(value) else 0.8))
        return max(hits, key=lambda hit: hit.quality, default=None)

    def _begins_vat(self, letters: str) -> bool:
        """Whether a VAT id may begin so. OCR may have misread one letter of its country."""
        letters = self._with_letters(letters)
        return letters.isalpha() and (self.layout.page.source == "ocr" or letters.upper() in _VAT_LETTERS)

    def _with_letters(self, text: str) -> str:
        """The text, where OCR has read it, with letters for the digits that look like them in the place of a country: "R0" for "RO"."""
        first = text[:2]
        if self.layout.page.source != "ocr" or sum(map(str.isdigit, first)) != 1:
            return text
        changed = first.translate(_LETTER_OF_DIGIT) + text[2:]
        return changed if changed[:2].upper() in _VAT_LETTERS else text

    def _amounts(self, run: Run) -> Iterator[Candidate]:
        at = 0
        while match := _AMOUNT.search(run.text, at):
            span = self._tight(run, match)
            at = max(span[1], at + 1)
            if self._free(run, match.start("digits"), span[1]) and (amount := self._amount(run, match, span)):
                yield amount

    def _tight(self, run: Run, match: re.Match[str]) -> tuple[int, int]:
        """The span of the match, cut at a blank too wide to stand between groups of thousands."""
        for blank in _BLANK.finditer(match["digits"]):
            at = match.start("digits") + blank.start()
            before, after = run.span(at - 1, at), run.span(at + 1, at + 2)
            if before and after:
                words = self.layout.page.words
                gap = words[after[0]].box[0] - words[before[0]].box[2]
                if gap > TIGHT_GAP * max(4.0, run.size):
                    return match.start(), at
        return match.start(), match.end()

    def _amount(self, run: Run, match: re.Match[str], span: tuple[int, int]) -> Candidate | None:
        text = run.text
        start, end = _without_word(match, span)
        digits = match["digits"] if end == match.end() else text[match.start("digits") : end]
        cents = _CENTS.search(digits) is not None
        before = text[match.start("digits") - 1 : match.start("digits")]
        after = text[end : end + 1]
        if (before.isalpha() or before in "/_#") and before and not (cents or match["before"]):
            return None
        if (after.isalpha() and not cents) or (after and after in "/_:" and text[end + 1 : end + 2].isalnum()):
            return None
        if _GOES_ON.match(text, end):
            return None
        if match["sign"] and start == match.start() and match["sign"][0] == "-" and text[max(0, start - 1) : start].isalnum():
            start = match.start("digits")
        if (match["sign"] or "").startswith("(") and (match["after"] or not (match["tail"] or "").strip()):
            # "(35,13 €)" is a remark; negative amounts in brackets have the currency first
            start = match.start("before") if match["before"] else match.start("digits")
            end = match.start("tail") if match["tail"] and end == match.end() else end
        percent = vocabulary().percent.match(text, end) is not None
        number = _parse(digits, text[start:end], self.decimal_mark)
        if number is None or abs(number.amount) >= 10**10:
            return None
        kind = "percent" if percent else "money"
        quality = _quality(digits, cents, bool(number.currency), after)
        if quality < 0.6 and sum(c.isalpha() for c in text[end:]) > 3:
            quality = 0.15  # a count within a sentence
        return self._make(kind, plain_decimal(number.amount), run, (start, end), quality, number.currency)

    def _damaged_amounts(self, run: Run) -> Iterator[Candidate]:
        """Amounts in which letters among the digits, or the decimal mark, are corrected."""
        for match in _DAMAGED.finditer(run.text):
            currency = parse_currency(match["before"].strip()) if match["before"] else None
            digits = match["whole"] + match["cents"]
            is_whole_run = match.start() == 0 and match.end() == len(run.text)
            sound = digits.isdecimal() and match["mark"].strip() in (".", ",")
            if sound or not any(c.isdecimal() for c in digits) or not (currency or is_whole_run):
                continue
            if not currency and (not digits.isdecimal() or match["mark"].strip()):
                continue  # "12:00" is a time, "SO.50" a code
            amount = f"{match['whole'].translate(_DIGIT_OF_LETTER)}.{match['cents'].translate(_DIGIT_OF_LETTER)}"
            number = parse_number(f"-{amount}" if match["sign"] else amount, ".")
            if number is not None:
                candidate = self._make("money", plain_decimal(number), run, match.span(), 0.7, currency)
                yield replace(candidate, repaired=True)

    def _identifiers(self, run: Run) -> Iterator[Candidate]:
        yield from (found for found in self.bank_identifiers if found.run is run)
        if not run.has_digit:
            return
        proven = self._proven.get(run.number, ())
        for match in _IDENTIFIER.finditer(run.text):
            inside = any(match.start() < stop and match.end() > begin for begin, stop in proven)
            if inside or not any(map(str.isdigit, match[0])):
                continue
            span = match.start(), _before_contact(run.text, *match.span())
            text = run.text[slice(*span)]
            quality = 1.0 if len(text) > 2 else 0.7
            if not self._free(run, *span):
                quality = 0.25
            elif _amount_like(text) or vocabulary().percent.match(run.text, span[1]):
                quality = 0.3
            yield self._make("identifier", text, run, span, quality)


def _before_contact(text: str, start: int, end: int) -> int:
    """The end of a number, in front of a telephone number that is joined to it with its label."""
    for match in _CONTACT.finditer(text, start, end):
        if vocabulary().contact.fullmatch(match[1]):
            return match.start()
    return end


def _names_money(text: str, match: re.Match[str]) -> bool:
    """Whether the code of a currency means it: it stands alone, in brackets, behind a colon, at the end, or by a number."""
    before, after = text[: match.start()].rstrip(), text[match.end() :].lstrip()
    return (
        not after
        or before[-1:] in ("(", "[", "/", ":", "=")
        or after[:1] in (")", "]", "/")
        or (not before and after[:1] not in (".", ","))
        or before[-1:].isdigit()
        or after[:1].isdigit()
    )


def _without_word(match: re.Match[str], span: tuple[int, int]) -> tuple[int, int]:
    """The span without three capitals beside the digits that are no currency ("VAT 12.50", "5 PCS")."""
    start, end = span
    if match["before"] and parse_currency(match["before"]) is None:
        start = match.start("minus") if match["minus"] else match.start("digits")
    if match["after"] and end > match.start("after") and parse_currency(match["after"]) is None:
        end = match.start("after")
    return start, end


def _parse(digits: str, whole: str, mark: str | None) -> Money | None:
    money = parse_money(whole, mark)
    if money is not None:
        return money
    number = parse_number(_BLANKS_AT_MARK.sub(r"\1\2", digits), mark)
    if number is None:
        return None
    symbol = _ANY_CURRENCY.search(whole)
    negative = whole.rstrip().endswith(("-", ")")) or whole.lstrip().startswith(("-", "−", "("))
    return Money(-abs(number) if negative else number, parse_currency(symbol[0]) if symbol else None)


def _quality(digits: str, cents: bool, currency: bool, after: str) -> float:
    if cents:
        return 0.8 if after.isalpha() else 1.0
    if currency:
        return 0.9
    whole = _NO_DIGIT.sub("", digits)
    if len(whole) > 7 or (len(whole) > 1 and whole[0] == "0" and "." not in digits and "," not in digits):
        return 0.1
    return 0.5 if any(mark in digits for mark in ".,' ") else 0.35


def _amount_like(text: str) -> bool:
    return (
        _GROUPED.fullmatch(text) is not None
        and text.count(".") + text.count(",") < 3
        and (text.count(".") + text.count(",") == 1 or ("." in text and "," in text))
    )


def _prints_three_decimals(texts: list[str], country: str | None) -> bool:
    """Whether the page's currency has three decimals (ISO 4217: dinars and the rial of Oman) and no other is named.

    Without a named currency it is the country's, where an amount below 1 shows that the mark is one of decimals: "0.585".
    """
    codes = set(_CODE.findall("\n".join(texts))) & currency_codes() - CODE_ONLY
    if not codes and country and any(_BELOW_ONE.search(text) for text in texts):
        codes = set(get_territory_currencies(country))
    return bool(codes) and all(get_currency_precision(code) == 3 for code in codes)
