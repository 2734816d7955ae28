"""What a language file holds: the words by which documents and questions in one language are understood.

Every key is optional. ``en.yaml`` is the fullest example.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Word = Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]
Words = list[Word]
Calendar = Literal["gregorian", "buddhist", "hijri", "persian"]
"""``hijri`` is the lunar, ``persian`` the solar one."""
DocumentKind = Literal[
    "credit_note", "order", "delivery_note", "quotation", "bank_statement", "payslip", "utility_bill", "contract"
]
KIND_GROUP = "documents"
"""The group of labels of these kinds and of letters. They do not tell the language of a page, and no schema uses them. No template of a
user can have this name, so no words of a user are among them by chance."""
NO_LANGUAGE = "any"
"""The name of the file for words that belong to no language."""
Group = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
LabelName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}(\.[a-z][a-z0-9_]{0,62})?$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class OtherLabels(_Part):
    """Labels of values that most templates do not ask for, by the type of the value: "Cash 50.00" is no total."""

    money: Words = []
    paid: Words = []
    """Amounts that a customer hands over."""
    change: Words = []
    """Amounts that a customer gets back."""
    date: Words = []
    identifier: Words = []


class Organisations(_Part):
    """Words around the names of companies and people."""

    legal_forms: Words = []
    """Legal forms; a dot or a blank in one is optional: ``e. k.`` is also ``eK``."""
    words: Words = []
    """Other words that only names of organisations have."""
    former: Words = []
    """Words before a name that an organisation had once."""
    closings: Words = []
    """Words before a name at the end of a letter."""
    addressee_marks: Words = []
    """What stands behind the name of whom a letter is addressed to."""
    honorifics: Words = []
    """Forms of address before a person's name."""


class Addresses(_Part):
    """Words that addresses contain."""

    streets: Words = []
    house_numbers: Words = []
    """Words before a house number."""
    contact: Words = []
    """Words beside telephone numbers and web addresses."""


class Numbers(_Part):
    """Words beside numbers."""

    percent: Words = []
    scales: dict[Word, Annotated[int, Field(ge=0, le=30)]] = {}
    """Abbreviations behind a number in a chart, as they are written, and the power of ten that they stand for."""
    currencies: dict[Word, Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]] = {}
    """Names of currencies that CLDR lacks, in lower case, and their ISO 4217 codes."""
    whole_amounts: bool = False
    """Whether most documents print amounts without decimals: "85,300"."""


class Dates(_Part):
    """Words within and beside dates."""

    other_documents: Words = []
    """Documents and events other than the invoice: the date behind one of them is not the invoice's."""
    dated: Words = []
    """Words between such a document and its date."""
    discounts: Words = []
    """Words beside a date until which there is a discount."""
    without: Words = []
    """Words before one of ``discounts`` that say that there is none."""

    months: dict[Word, Annotated[int, Field(ge=1, le=12)]] = {}
    """Names of months that CLDR lacks, and their numbers."""
    ordinals: Words = []
    """Endings of a day's number."""
    after_day: Words = []
    """Words between the day and the month."""
    before_month: Words = []
    """Words between the day and the number of the month."""
    after_month: Words = []
    """Words between the month and the year."""
    after_year: Words = []
    """Words behind a year that stands first: "2024. gada 5. marts", "2024 m. kovo 5 d."."""
    hijri_months: dict[Word, Annotated[int, Field(ge=1, le=12)]] = {}
    """Months of the lunar Hijri calendar, and their numbers."""
    persian_months: dict[Word, Annotated[int, Field(ge=1, le=12)]] = {}
    """Months of the solar Hijri calendar, and their numbers."""
    eras: dict[Word, Calendar] = {}
    """Words beside a year that say which calendar it is of."""


class Deposits(_Part):
    """Words beside a deposit."""

    requested: Words = []
    """The deposit is asked for: "Deposit due now"."""
    received: Words = []
    """It was paid before: "Deposit paid"."""
    later: Words = []
    """Beside a balance: it is due at another time, as "on completion"."""


class PageNumbers(_Part):
    """Words beside page numbers."""

    page: Words = []
    isolated_page: Words = []
    """Words before a page number that count only where nothing else stands on the line."""
    of: Words = []
    """Words between a page's number and the number of pages."""
    isolated_of: Words = []
    letter_page: Words = []
    """Words beside the number of a page of a business letter: "Page 1 of 3". Running text may have them, too."""


class Charts(_Part):
    """Words in charts."""

    notes: Words = []
    """Words that begin a source or a note below a chart."""
    captions: Words = []
    """Words that begin the caption of a figure, before its number."""


class Documents(_Part):
    """Words that tell kinds of documents apart. Case and accents do not matter."""

    invoice_terms: Words = []
    """Words that invoices have and other documents lack."""
    business_terms: Words = []
    """Words of invoices that any business letter may have, too."""
    receipt_terms: Words = []
    """Words that till receipts have."""
    invoice_names: Words = []
    """What an invoice calls itself; the beginning of a word is enough."""
    invoice_headings: Words = []
    """Words that stand as the heading of an invoice."""
    heading_prefixes: Words = []
    """Words before such a heading: ``tax`` invoice."""
    numbered_titles: Words = []
    """Words that begin the line with an invoice's number."""
    unnumbered_titles: Words = []
    """Words that look like ``numbered_titles`` and mean something else."""
    receipt_titles: Words = []
    """How a receipt on letter paper is headed."""
    other_titles: Words = []
    """Titles of documents that look like invoices and are none."""
    reminder_titles: Words = []
    """Titles of payment reminders."""
    kinds: dict[DocumentKind, Words] = {}
    """Titles of kinds of documents that have a template of their own. They count only on pages that are no invoice and no receipt."""
    salutations: Words = []
    """What a letter begins with."""
    copies: Words = []
    """What heads a copy of an invoice."""
    totals: Words = []
    """What tills print before a sum."""


class QuestionVocabulary(_Part):
    """Words of questions that people ask about a page."""

    stop_words: Words = []
    """Question words, articles and prepositions; they never stand beside a value as its label."""
    stop_phrases: Words = []
    """The same for languages without blanks between words."""
    elisions: Words = []
    """Articles that an apostrophe joins to the next word."""
    percent: Words = []
    date: Words = []
    money: Words = []
    number: Words = []
    place: Words = []
    party: Words = []
    money_pairs: Words = []
    """Two words that ask for an amount, where one of them alone does not."""
    number_pairs: Words = []
    common: Words = []
    """Words of many labels, which tell no value from another."""
    document: Words = []
    """Words for the document itself."""
    value: Words = []
    """Words for the number of a chart's mark, as opposed to its label."""
    highest: Words = []
    lowest: Words = []
    seller: Words = []
    buyer: Words = []
    not_on_page: str = ""
    """Says that the page has no answer, to who asks in this language."""
    not_on_pages: str = ""
    """The same of a document of several pages."""


class Language(_Part):
    """One language file."""

    cldr: list[Literal["months", "currencies", "countries"]] = []
    """Names that are taken from Unicode's CLDR for this language besides the words below."""
    letters: list[Annotated[str, StringConstraints(pattern=r"^.(-.)?$")]] = []
    """Letters that few other languages have, by which the language is recognised; ``ぁ-ヿ`` is all from one letter to another."""
    labels: dict[Group, dict[LabelName, Words]] = {}
    """What stands beside a value or above a column, by template and field: ``labels: {from: invoice.total}`` in a template."""
    other_labels: OtherLabels = OtherLabels()
    vague_labels: Words = []
    """Labels that say only that a number follows."""
    filler: Words = []
    """Words beside a label that do not change its meaning."""
    remarks: Words = []
    """Words that turn a label behind them into a remark on the label before: "Total incl. VAT"."""
    without_tax: Words = []
    """Words behind a label that say that the tax is not in the amount."""
    titles: Words = []
    """Headings of documents and blocks; none of them is a name."""
    organisations: Organisations = Organisations()
    addresses: Addresses = Addresses()
    numbers: Numbers = Numbers()
    carry_forward: Words = []
    """What stands in a row of a table that carries a sum from one page to the next."""
    deposits: Deposits = Deposits()
    dates: Dates = Dates()
    page_numbers: PageNumbers = PageNumbers()
    charts: Charts = Charts()
    documents: Documents = Documents()
    questions: QuestionVocabulary = QuestionVocabulary()


def merge(languages: Sequence[Language]) -> Language:
    """One language with the words of all, without labels. Lists follow each other; of two entries with one key the first stays."""
    parts = [language.model_dump(exclude_defaults=True, exclude={"labels"}) for language in languages]
    return Language.model_validate(_merged(parts))


def _merged(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    for key, value in (item for part in parts for item in part.items()):
        if isinstance(value, dict):
            whole[key] = _merged([whole.get(key, {}), value])
        elif isinstance(value, list):
            whole[key] = [*whole.get(key, []), *value]
        else:
            whole.setdefault(key, value)
    return whole
