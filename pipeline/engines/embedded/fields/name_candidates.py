"""Parts of lines that may be the name of an organisation or a person."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from pipeline.engines.embedded.fields.labels import Label
from pipeline.engines.embedded.fields.page_rows import Layout, Run, label_key
from pipeline.engines.embedded.fields.similar_texts import SimilarTexts
from pipeline.engines.embedded.fields.vocabulary import POSTCODE, Vocabulary, has_contact, has_street, is_neutral, vocabulary
from pipeline.languages import Languages, from_words
from pipeline.languages.cldr import country_names

_SPLIT = re.compile(r"\s[|•·●*–—.]\s|\s-\s|[•·●|]|\s{3,}")
_RETURN = re.compile(r"\s[|•·●*–—.-]\s|[•·●|]|\s?,\s|;\s")
_COMMA = re.compile(r",\s")
_TOWN = re.compile(r"^\d{4}\s?[A-Z]{2}\s+[^\W\d]|^\d{4,5}\s+[^\W\d]")
"""A postcode with its town; "1012 AG Amsterdam" has no legal form in it."""
_HOUSE = re.compile(r"[^\W\d]{2}\.?\s\d{1,4}\s?[a-zA-Z]?(?:[/-]\d{1,4})?$")
"""A street's house number at the end of a line."""
_LEADING_HOUSE = re.compile(r"^\d{1,4}[a-zA-Z]?,?\s+[^\W\d]{2}")
_REGISTRATION = re.compile(r"\s*[\[(][^()\[\]]*\d[^()\[\]]*[\])]?\s*$|\s*[\[(]\s*$")
_SENTENCE = re.compile(r"\s.*[a-z]{3}\)?\.$|。$")
"""The end of a sentence; names of people end in no dot, and abbreviations are short. A logo of one word may have a dot."""
_CHINESE = re.compile(r"[\u4e00-\u9fff]{2}")
_LONG_TITLE, _SAME_TITLE = 8, 87.0
"""Letters of a title from which another text is hardly like it by chance, and the likeness (0 to 100) of a misread one."""
_BEHIND_COMMA = re.compile(r"[,،]\s*$")
_NUMBER = re.compile(r"[^\d,،]{0,20}\d")
_MOST_WORDS, _PHRASE_WORDS = 7, 5
_STATE = re.compile(
    r"(?:\w+ )?(?:republic|kingdom|sultanate|commonwealth|r[ée]publi(?:que|ca|[ck]a)|republi[kc]|rep[úu]blica|reino|royaume)"
    r" (?:(?:of|de|del|du|d[aeo]|di) (?:the |la )?)?(.+)",
    re.IGNORECASE,
)
_WEB = re.compile(r"www\.|https?:|\w@\w|\w\.(?:com|net|org)\b", re.IGNORECASE)


@dataclass(frozen=True)
class NameCandidate:
    """A possible name: the characters of a run from ``start``, and lines that belong to it."""

    text: str
    run: Run
    start: int
    words: tuple[int, ...]
    features: float
    """How much it looks like the name of an organisation or a person, 0 to 1."""


def find_name_candidates(
    layout: Layout, labels: list[Label], leads: list[Label], busy: set[int], cuts: Mapping[int, int]
) -> list[NameCandidate]:
    """All possible names. ``leads`` are the labels of parties, which are cut off; the others make a line no name."""
    by_run: dict[int, list[Label]] = {}
    for label in labels:
        by_run.setdefault(label.run.number, []).append(label)
    names: list[NameCandidate] = []
    for run in layout.runs:
        own = by_run.get(run.number, [])
        for start, end in _parts(run, cuts.get(run.number, len(run.text))):
            name = _name(run, _after_lead(run, start, end, [o for o in own if o in leads]), end, own)
            features = _features(name, own, run.number in busy, end - start < len(run.text)) if name else 0.0
            if not name or features <= 0 or (layout.page.source == "ocr" and is_misread_title(name.text)):
                continue
            names.append(NameCandidate(name.text, run, name.start, name.words, features))
    whole = [_joined(layout, name, names) for name in names]
    return [name for name in whole if not is_organisation(name.text) or _has_more_than_form(without_legal_form(name.text))]


def _has_more_than_form(rest: str) -> bool:
    """Whether there is a name beside the legal form: three letters, two capitals ("BP plc"), or writing without letters."""
    return (
        len(label_key(rest)) >= 3
        or not rest.isascii()
        or (len(rest) == 2 and rest.isalnum() and rest.isupper() and not is_neutral(rest))
    )


def _after_lead(run: Run, start: int, end: int, leads: list[Label]) -> int:
    """Where the name begins after a label such as "Seller:"; a legal form alone is no name, so "Seller GmbH" stays whole."""
    for label in leads:
        rest = run.text[label.end : end]
        if label.start - start <= 2 and (rest.lstrip()[:1] == ":" or without_legal_form(rest)):
            start = max(start, label.end)
    return start


def has_house_number(text: str) -> bool:
    """Whether the text ends in a house number and is no organisation."""
    return _HOUSE.search(text) is not None and not is_organisation(text)


def begins_with_house_number(text: str) -> bool:
    """Whether the text begins as a street of English or French habit does, and is no organisation: "7 Mill Row"."""
    return _LEADING_HOUSE.match(text) is not None and not is_organisation(text)


def is_town(text: str) -> bool:
    """Whether the line has a postcode and no house number before it."""
    return POSTCODE.search(text) is not None and _LEADING_HOUSE.match(text) is None


def is_organisation(text: str) -> bool:
    """Whether the text has a legal form or a word for a business. Short forms count only with a capital letter or two dots."""
    return _is_organisation(text, vocabulary())


@lru_cache(maxsize=4096)
def _is_organisation(text: str, words: Vocabulary) -> bool:
    for match in words.organisation.finditer(text):
        letters = [c for c in match[0] if c.isalpha()]
        if len(letters) > 3 or any(c.isupper() for c in letters) or not match[0].isascii() or match[0].count(".") > 1:
            return True
    return False


def is_person(text: str) -> bool:
    """Whether the text begins with a form of address."""
    return vocabulary().honorific.match(text) is not None


def is_return_line(text: str) -> bool:
    """Whether a line holds a name and its address, the parts set apart: "Ahlers Ltd · 4 Mill Road · Leeds LS1 4AP"."""
    parts = [part for part in _RETURN.split(text) if part.strip()]
    return len(parts) >= 2 and not is_address(parts[0]) and any(is_address(part) for part in parts[1:])


def is_address(text: str) -> bool:
    """Whether the line reads like a street or a town with its code."""
    return _is_address(text, vocabulary())


@lru_cache(maxsize=4096)
def _is_address(text: str, _words: Vocabulary) -> bool:
    if has_contact(text) or sum(map(str.isalpha, text)) < 3:
        return False
    return POSTCODE.search(text) is not None or (any(map(str.isdigit, text)) and has_street(text))


def without_legal_form(text: str) -> str:
    """A name without its legal form and registration number."""
    return vocabulary().organisation.sub(" ", _REGISTRATION.sub("", text)).strip(" .,&()-\"'")


def _parts(run: Run, end: int) -> Iterator[tuple[int, int]]:
    at = 0
    for match in _SPLIT.finditer(run.text[:end]):
        yield at, _before_address(run.text, at, match.start())
        at = match.end()
    yield at, _before_address(run.text, at, end)


def _before_address(text: str, start: int, end: int) -> int:
    """Where a name ends that its address follows on the line: "Ahlers Ltd, 4 Mill Road, Leeds LS1 4AP"."""
    for comma in _COMMA.finditer(text, start, end):
        if is_organisation(text[start : comma.start()]) and is_address(_COMMA.split(text[comma.end() : end])[0]):
            return comma.start()
    return end


def _name(run: Run, start: int, end: int, labels: list[Label]) -> NameCandidate | None:
    text = run.text[start:end]
    clean = vocabulary().closing.sub("", text.lstrip(" :;.,|*#-–_'\"("))
    start += len(text) - len(clean)
    clean = vocabulary().addressee.sub("", clean.rstrip(" :;,|*#-–_'")).rstrip()
    clean = _REGISTRATION.sub("", clean).rstrip(" :;,|*#-–_'")
    tail = [o.start for o in labels if o.start > start + 2 and o.start < start + len(clean) <= o.end]
    tail += [o.start for o in labels if start + 2 < o.start < start + len(clean) and _is_numbered(run.text, o)]
    if tail:
        clean = run.text[start : min(tail)].rstrip(" :;,|*#-–_'(")
    return NameCandidate(clean, run, start, run.span(start, start + len(clean)), 0.0) if clean else None


def _is_numbered(text: str, label: Label) -> bool:
    """Whether a label behind a comma begins the details of a party: "Ahlers Ltd, VAT no. 123456, 4 Mill Road"."""
    return _BEHIND_COMMA.search(text, 0, label.start) is not None and _NUMBER.match(text, label.end) is not None


def _features(name: NameCandidate, labels: list[Label], busy: bool, split: bool) -> float:
    text = name.text
    letters, digits = sum(map(str.isalpha, text)), sum(map(str.isdigit, text))
    chinese = not text.isascii() and _CHINESE.search(text) is not None
    if (
        (letters < 3 and not chinese)
        or len(text) > 70
        or digits > letters
        or text.endswith(":")
        or _is_title(text)
        or label_key(text) in _long_labels()
        or label_key(text) in _countries()
    ):
        return 0.0
    organisation = is_organisation(text) and not _TOWN.match(text)
    if _SENTENCE.search(text) and not organisation:
        return 0.0
    if not vocabulary().honorific.sub("", text).strip(" .,"):
        return 0.0
    if _is_labels(name, labels):
        return 0.0
    if not organisation and (has_contact(text) or is_address(text) or _is_phrase(text) or _is_state(text)):
        return 0.0
    if _WEB.search(text) or label_key(name.run.text) in vocabulary().titles:
        return 0.1
    score = 0.85 if organisation else 0.45
    score += 0.15 if text[:1].isupper() or chinese else -0.2
    score -= 0.3 if busy else 0.0
    score -= 0.3 if ":" in text else 0.0
    score -= 0.2 if letters < 5 and not organisation and not chinese else 0.0
    score -= 0.25 if digits and not organisation else 0.0
    score -= 0.2 if not organisation and has_street(text) else 0.0
    score += 0.1 if split and organisation else 0.0
    score -= 0.25 if len(text.split()) > 5 and not organisation else 0.0
    return max(0.05, score)


def _is_phrase(text: str) -> bool:
    """Whether a text has more words than a name, or many of which most begin with a small letter: "Keep this slip for your next visit"."""
    words = text.split()
    small = sum(word[0].islower() for word in words)
    return len(words) > _MOST_WORDS or (len(words) >= _PHRASE_WORDS and 2 * small > len(words))


def _is_state(text: str) -> bool:
    """Whether a text is the full name of a state, which stands above the name of a seller on official forms."""
    match = _STATE.fullmatch(text)
    return match is not None and label_key(match[1]) in _countries()


def _is_title(text: str) -> bool:
    """Whether a text is the title of a document or block, or titles in two languages side by side."""
    titles = vocabulary().titles
    if label_key(text) in titles:
        return True
    words = [word for word in text.split() if any(map(str.isalpha, word))]
    return any(
        label_key(" ".join(words[:at])) in titles and label_key(" ".join(words[at:])) in titles for at in range(1, len(words))
    )


def is_misread_title(text: str) -> bool:
    """Whether a text is the title of a document with a wrong or a lost letter, and no organisation."""
    key = label_key(text)
    if len(key) < _LONG_TITLE or is_organisation(text):
        return False
    return _long_titles().best(key) is not None


@from_words
def _long_titles(languages: Languages) -> SimilarTexts:
    keys = {label_key(title) for language in languages.by_code.values() for title in language.titles}
    return SimilarTexts(sorted(key for key in keys if len(key) >= _LONG_TITLE), _SAME_TITLE)


def _is_labels(name: NameCandidate, labels: list[Label]) -> bool:
    """Whether most of the text is labels."""
    end = name.start + len(name.text)
    spans = {(max(o.start, name.start), min(o.end, end)) for o in labels if o.start < end and o.end > name.start}
    if not spans:
        return False
    covered = sum(c.isalnum() for first, last in spans for c in name.run.text[first:last])
    letters = sum(c.isalnum() for word in name.text.split() if not is_neutral(word) for c in word)
    return covered >= 0.6 * max(1, letters) and not is_organisation(name.text)


def _joined(layout: Layout, name: NameCandidate, names: list[NameCandidate]) -> NameCandidate:
    """With the line above, where a name was printed on two lines and this one is little more than the legal form."""
    if not is_organisation(name.text) or name.start > 2:
        return name
    rest = without_legal_form(name.text).split()
    if len(rest) > 1:
        return name
    above = next(iter(layout.chain(name.run, -1, 1)), None)
    upper = next((n for n in names if n.run is above and n.start <= 2 and not is_organisation(n.text)), None)
    if upper is None or upper.features < 0.4 or not 0.66 < upper.run.size / max(1.0, name.run.size) < 1.5:
        return name
    if rest and not (name.text.isupper() and upper.text.isupper()):
        return name
    text = f"{upper.text} {name.text}"
    return replace(upper, text=text, words=upper.words + name.words, features=max(upper.features, name.features))


@from_words
def _countries(languages: Languages) -> frozenset[str]:
    return frozenset(label_key(name) for code in languages.codes("countries") for name in country_names(code))


@from_words
def _long_labels(languages: Languages) -> frozenset[str]:
    """Labels of several words of any field, folded: "Delivery address" is no name, also where no template asks for that field."""
    labels = [
        label
        for language in languages.by_code.values()
        for words in (*(w for group in language.labels.values() for w in group.values()), language.other_labels.date)
        for label in words
    ]
    return frozenset(label_key(label) for label in labels if len(label.split()) > 1)
