"""Finds lines in scripts that PP-OCR's network does not know, and reads them with Tesseract.

The network leaves out letters that it does not know, so a line in another script is one with gaps where the detector saw text. Such gaps
cost nothing to find. Only on a page with many of them a few lines are read with each installed model, and the surest one reads all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from pipeline.languages.evidence import known_words
from pipeline.words.detector import Pixels, Quad
from pipeline.words.line_parts import Reader, beside_number, unread_share, with_native_numbers, with_parts
from pipeline.words.native_digits import numbers_of
from pipeline.words.recogniser import LineText, LineWord
from pipeline.words.scripts import Script, available_models, wanted_scripts
from pipeline.words.tesseract import TesseractRecogniser, installed_models, line_of

WIDEST_GAP = 1.1
"""Line heights between the centres of two letters in text that is read completely."""
UNREAD_SHARE = 0.3
"""Share of a line's length without letters from which the line is unread."""
MIN_ASPECT = 1.6
"""A shorter line says nothing: its box may hold a mark or a picture."""
CLEAR = 0.9
"""Confidence of PP-OCR from which a line of letters is clear print that it knows."""
MIN_LINES, MIN_DOUBTFUL = 2, 0.35
"""A page may have another script where at least so many lines, with this share of the length of all with letters, are unread or unclear."""
MIN_UNREAD, ENOUGH_WORDS = 0.3, 3
"""With less of that length unread, so many words of known languages say that it is a bad picture of a script that PP-OCR knows, or a
page in two scripts."""
UNREAD_WORDS = 0.25
"""Share of the words of the sample that PP-OCR does not read one by one, from which such a page may be in two scripts."""
SAMPLE = 8
"""Lines that are read with each model."""
MIN_SURE = 0.6
"""Confidence of a script on the sample, in letters of the script, from which it is the page's."""
MIN_LIKELY, MIN_LEAD = 0.35, 1.5
"""On photographs no model is sure. With this confidence a script is the page's where no other one has more than this part of it."""
SURE = 0.8
"""Confidence of the script of the last page, from which no other one is tried."""
COVERED = 0.6
"""Share of a word that numbers of PP-OCR cover where they replace it."""
DIGIT_WIDTH = 0.45
"""Width of a digit in line heights."""
MIN_DIGITS = 3
"""Shorter numbers replace only doubtful words: noise of two digits is frequent."""
CERTAIN = 0.97
"""Confidence of PP-OCR from which a line on a page of another script is Latin."""
DOUBTFUL = 0.6
"""Confidence of a word below which a Latin word of PP-OCR replaces it."""
MARKS = 0.12
"""Room above and below a line, in line heights."""
TIE = 0.04
"""Models of one script that differ less are as sure."""
CLEAR_DIGITS = 0.8
"""Confidence of a line below which numbers are those of PP-OCR, which misreads fewer of them in bad light, in any script."""
MIN_CONFIDENCE = 0.3
"""Lowest confidence of a line that Tesseract reads."""
MIN_BESIDE_CLEAR = 0.5
"""The same where PP-OCR reads the line clearly."""
MIN_LETTERS = 6
"""Letters of a line that PP-OCR has read as words."""
LOOSE_TIE = 0.25
"""The same for a model that words tell from the others."""
_OTHERS = {"fas": re.compile(r"\bال\w\w|ة\b")}
"""Words by which a page is not in the language of a model: Arabic ones for that of Persian, which writes two of their letters otherwise."""
_NO_WORD = re.compile(r"(?!)")
MIN_OTHERS = 2
_GREEK = re.compile("[\u0370-\u03ff]{2}")
_NUMBER = re.compile(r"[#№₹$€£¥%+(-]*\d[\d.,:/%()+-]*")
_LATIN_WORD = re.compile(r"[A-Za-z][A-Za-z0-9@./&-]{2,}")
_ONLY_LATIN = re.compile("[bdfghijklmnqrstuvwzDFGIJLNQRSUVWZ]")
"""Letters that no Cyrillic or Greek letter looks like."""
_ZEROS = re.compile("[0OО]{3}")
_WON = re.compile(r"W(?=\d)")
MIN_OWN_DIGITS = 10
"""Typical digits on a page that prints numbers in those of Arabic."""
_TYPICAL = "٢٣٤٦٧٨٩۴۶"
"""Digits of Arabic and Persian that no letter or digit of another script looks like; 5 is a circle, and 1 a stroke."""
_DOLLAR = re.compile(r"\$(?=\d)")
_NAME = re.compile("[\"'«„“”]?[А-ЯЁ]")
_LOOKALIKE_WORD = re.compile(r"(?<![^\W_])[ABCEHKMOPTXY]{3,}(?![^\W_])")
"""A word in capitals whose letters Latin and Cyrillic have both."""
_CYRILLIC = str.maketrans("ABCEHKMOPTXY", "АВСЕНКМОРТХУ")
_LOOKALIKES = ("Cyrillic", "Greek")
"""Scripts whose letters are taken for Latin ones."""


@dataclass(frozen=True, slots=True)
class ForeignText:
    """Lines that replace those of PP-OCR, by number. ``unread``: the page has a script that nothing here reads."""

    lines: dict[int, LineText]
    unread: bool = False


NOTHING = ForeignText({})


class ForeignLines:
    """Reads what PP-OCR does not, page by page. It remembers the model of the page before."""

    def __init__(self, languages: Collection[str] = ()) -> None:
        self._scripts = wanted_scripts(languages)
        self._last: tuple[Script, str] | None = None

    def read(
        self,
        lines: Sequence[LineText],
        sizes: Sequence[tuple[float, float]],
        crop: Callable[[int], Pixels],
        read_parts: Reader,
    ) -> ForeignText:
        """What else the lines of a page say.

        ``lines`` are what PP-OCR read, ``sizes`` their width and height in pixels, ``crop`` gives a line's picture. ``read_parts`` is
        PP-OCR on pictures of single words.
        """
        if not self._scripts:
            return NOTHING
        aspects = [width / max(height, 1.0) for width, height in sizes]
        long = [n for n in range(len(lines)) if aspects[n] >= MIN_ASPECT]
        unread = [n for n in long if is_unread(lines[n], aspects[n])]
        letters = [n for n in long if n in unread or not _is_number(lines[n])]
        doubtful = [n for n in letters if n in unread or lines[n].confidence < CLEAR]
        length, missing = (sum(sizes[n][0] for n in of) for of in (doubtful, unread))
        total = sum(sizes[n][0] for n in letters)
        if len(doubtful) < min(MIN_LINES, len(lines)) or length < MIN_DOUBTFUL * total:
            return NOTHING
        sample = _sample(doubtful, aspects)
        known = missing < MIN_UNREAD * total and known_words(line.text for line in lines) >= ENOUGH_WORDS
        if known and unread_share([crop(n) for n in sample], read_parts) < UNREAD_WORDS:
            return NOTHING
        found = self._script_of([crop(n) for n in sample], [lines[n] for n in sample], MIN_SURE if known else MIN_LIKELY)
        if found is None:
            return NOTHING if known else ForeignText({}, unread=True)
        script, model = self._last = found
        chosen = [n for n, line in enumerate(lines) if n in unread or _may_be(script, line)]
        pictures = [crop(n) for n in chosen]
        texts = _recogniser(script, model).read(pictures)
        own = _native_numbers(lines, crop) if script.name == "Arabic" else {}
        texts = [with_native_numbers(script, text, own.get(n, [])) for n, text in zip(chosen, texts, strict=True)]
        native = bool(own) or _prints_own_digits(script, texts)
        if script.weak_digits:
            texts = with_parts(script, texts, pictures, read_parts, numbers=not native)
        better: dict[int, LineText] = {}
        for n, text in zip(chosen, texts, strict=True):
            if not native and script.weak_digits and n not in unread and _is_number(lines[n]):
                printed = [replace(word, text=word.text.lstrip(".,:")) for word in _words(lines[n], aspects[n])]
                if script.pattern.search(text.text) and (numbers := [word for word in printed if _NUMBER.fullmatch(word.text)]):
                    beside = beside_number(script, text, numbers)
                    better |= {n: beside} if script.pattern.search(beside.text) else {}
                continue
            if own.get(n) and text.words:
                better[n] = text
                continue
            least = MIN_BESIDE_CLEAR if n not in unread and is_clear(lines[n]) else MIN_CONFIDENCE
            if not script.pattern.search(text.text) or text.confidence < least:
                continue
            if native or n in unread or not _is_number(lines[n]):
                text = with_company_form(text)
                weak = not native and not script.weak_digits and text.confidence < CLEAR_DIGITS
                better[n] = with_numbers(text, lines[n], aspects[n]) if weak else text
        if script.name == "Thai":
            better |= {n: without_dollar(text) for n, text in enumerate(lines) if n not in better and _DOLLAR.search(text.text)}
            better = {n: without_dollar(text) for n, text in better.items()}
        if script.name == "Hangul":
            better |= {
                n: replace(line, text=_WON.sub("₩", line.text))
                for n, line in enumerate(lines)
                if n not in better and _WON.match(line.text)
            }
        if script.name == "Cyrillic":
            for n, line in enumerate(lines):
                if n not in better and in_cyrillic(line.text) != line.text:
                    better[n] = replace(line, text=in_cyrillic(line.text))
        return ForeignText(better)

    def legibility(self, directions: Sequence[tuple[Sequence[Pixels], Sequence[LineText]]]) -> list[float]:
        """How surely the same lines are in a script of this reader in each of several directions, from 0 to 1.

        A direction is the pictures of the lines, and what PP-OCR reads there. A model that is sure ends the search, so the one of the
        page before comes first.
        """
        installed = installed_models()
        options = [(script, models[0]) for script in self._scripts if (models := available_models(script, installed))]
        best = [0.0] * len(directions)
        for option in [*([self._last] if self._last else []), *options]:
            best = [max(sure, _confidence(*direction, *option)[0]) for sure, direction in zip(best, directions, strict=True)]
            if max(best) >= SURE:
                break
        return best

    def _script_of(self, sample: Sequence[Pixels], lines: Sequence[LineText], least: float) -> tuple[Script, str] | None:
        """The script and the model that read the sample with most confidence; None where none has the ``least`` confidence."""
        installed = installed_models()
        alone = self._last and len(available_models(self._last[0], installed)) == 1
        if self._last and alone and _confidence(sample, lines, *self._last)[0] >= SURE:
            return self._last
        options = [(script, model) for script in self._scripts for model in available_models(script, installed)]
        readings = [_confidence(sample, lines, *option) for option in options]
        rated = [sure for sure, _ in readings]
        best = max(rated, default=0.0)
        if best < least:
            return None
        script = options[rated.index(best)][0]
        second = max((sure for option, sure in zip(options, rated, strict=True) if option[0] is not script), default=0.0)
        if best < MIN_SURE and best < MIN_LEAD * second:
            return None
        # Of two models of a script the later one is for a language whose letters the first lacks.
        tied = [
            (option, f"{text} {readings[rated.index(best)][1]}")
            for option, (sure, text) in zip(options, readings, strict=True)
            if option[0] is script and sure >= best - (LOOSE_TIE if option[1] in _OTHERS else TIE)
        ]
        fitting = [option for option, text in tied if len(_OTHERS.get(option[1], _NO_WORD).findall(text)) < MIN_OTHERS]
        return (fitting or [option for option, _ in tied])[-1]


def _is_number(line: LineText) -> bool:
    return bool(line.text) and not any(map(str.isalpha, line.text)) and line.confidence >= CLEAR


def with_marks(quad: Quad) -> Quad:
    """The box of a line with room for the marks above and below letters, which Thai and Devanagari have and the detector leaves out."""
    down = (quad[3] - quad[0] + quad[2] - quad[1]) / 2 * MARKS
    return np.array([quad[0] - down, quad[1] - down, quad[2] + down, quad[3] + down], np.float32)


def is_unread(line: LineText, aspect: float) -> bool:
    """Whether letters are missing in a line; ``aspect`` is its length over its height."""
    if _GREEK.search(line.text):
        return True
    at = (0.0, *line.columns, 1.0)
    missing = sum(max(0.0, (after - before) * aspect - WIDEST_GAP) for before, after in pairwise(at))
    return missing >= UNREAD_SHARE * aspect


def is_clear(line: LineText) -> bool:
    """Whether PP-OCR has read a line clearly: a number alone, or words. A letter beside a number may be what it makes of a word."""
    letters = sum(map(str.isalpha, line.text))
    return line.confidence >= CLEAR and bool(line.text) and (letters == 0 or letters >= MIN_LETTERS)


def with_numbers(text: LineText, line: LineText, aspect: float) -> LineText:
    """The words of ``text``, with numbers and Latin words where ``line`` (PP-OCR's text of the same picture) has them."""
    printed = _words(line, aspect)
    numbers = [word for word in printed if _NUMBER.fullmatch(word.text)]
    latin = [word for word in printed if _LATIN_WORD.fullmatch(word.text)]
    words: list[LineWord] = []
    used: set[LineWord] = set()
    for word in text.words:
        known = numbers if word.confidence >= DOUBTFUL else [*numbers, *latin]
        over = {n: _shared(word, number) for n, number in enumerate(known) if _shared(word, number) > 0}
        short = sum(len(known[n].text) for n in over) < MIN_DIGITS and word.confidence >= DOUBTFUL
        if short or sum(over.values()) < COVERED * (word.end - word.start):
            words.append(word)
            continue
        inside = [n for n, shared in over.items() if shared > 0.5 * (known[n].end - known[n].start)]
        words += [known[n] for n in inside if known[n] not in used]
        used |= {known[n] for n in inside}
    return line_of(words, text.confidence) if used else text


def with_company_form(text: LineText) -> LineText:
    """The words of a line with the Russian "ООО" (Ltd) before a name where zeros were read for its letters."""
    words = list(text.words)
    for n, (word, after) in enumerate(pairwise(text.words)):
        if _ZEROS.fullmatch(word.text) and _NAME.match(after.text):
            words[n] = replace(word, text="ООО")
    return line_of(words, text.confidence)


def in_cyrillic(text: str) -> str:
    """A line of a page in Cyrillic, with the words in capitals that PP-OCR has taken for Latin ones: "СУМА" for "CYMA"."""
    return _LOOKALIKE_WORD.sub(lambda word: word[0].translate(_CYRILLIC), text)


def without_dollar(line: LineText) -> LineText:
    """A line of a Thai page without dollar signs before numbers: PP-OCR takes the sign of the baht for one, and Tesseract knows neither."""
    if line.words:
        return line_of([replace(word, text=_DOLLAR.sub("", word.text)) for word in line.words], line.confidence)
    dollars = {match.start() - sum(map(str.isspace, line.text[: match.start()])) for match in _DOLLAR.finditer(line.text)}
    columns = tuple(column for n, column in enumerate(line.columns) if n not in dollars)
    return replace(line, text=_DOLLAR.sub("", line.text), columns=columns)


def _recogniser(script: Script, model: str) -> TesseractRecogniser:
    return TesseractRecogniser(model, joined=script.joined)


def _may_be(script: Script, line: LineText) -> bool:
    """Whether a line of a page in a script may be in it: unclear print, also of Latin look, and numbers in the script's own digits."""
    letters = sum(map(str.isalpha, line.text))
    if not letters:
        return script.digits is not None or script.weak_digits or not line.text
    if script.weak_digits and letters < MIN_LETTERS:
        return True
    if script.name in _LOOKALIKES and not _ONLY_LATIN.search(line.text):
        return True
    return line.confidence < CERTAIN


def _is_clear_number(line: LineText) -> bool:
    """Whether PP-OCR has surely read a number in the digits 0 to 9; of one or two digits it may have read others."""
    return _is_number(line) and line.confidence >= CERTAIN and sum(map(str.isdecimal, line.text)) >= MIN_DIGITS


def _native_numbers(lines: Sequence[LineText], crop: Callable[[int], Pixels]) -> dict[int, list[LineWord]]:
    """The numbers in Arabic or Persian digits by line; none on a page that prints others.

    Most of these digits look like no other sign, so that a page with few of them and many clear numbers has the digits 0 to 9.
    """
    found = {n: numbers_of(crop(n)) for n, line in enumerate(lines) if not _is_clear_number(line)}
    own = sum(sign in _TYPICAL for words in found.values() for word in words for sign in word.text)
    others = sum(map(str.isdecimal, "".join(line.text for n, line in enumerate(lines) if n not in found)))
    return {n: words for n, words in found.items() if words} if own >= MIN_OWN_DIGITS and own > others else {}


def _prints_own_digits(script: Script, lines: Iterable[LineText]) -> bool:
    """Whether most digits of a page are those of the script: PP-OCR takes them for others."""
    if script.digits is None:
        return False
    text = "".join(line.text for line in lines)
    own = len(re.findall(f"[{script.digits}]", text))
    return own > sum(char in "0123456789" for char in text)


def _sample(unread: Sequence[int], aspects: Sequence[float]) -> list[int]:
    """The lines to try models on: long ones, but no rules across the page."""
    return sorted(unread, key=lambda n: abs(aspects[n] - 10))[:SAMPLE]


def _confidence(sample: Sequence[Pixels], printed: Sequence[LineText], script: Script, model: str) -> tuple[float, str]:
    """The mean confidence of a model, counted for letters of its script only, and what it reads; single letters count as wrong, numbers
    not at all.

    ``printed`` is what PP-OCR read.
    """
    read = _recogniser(script, model).read(sample)
    aspects = [crop.shape[1] / crop.shape[0] for crop in sample]
    lines = [with_numbers(*three) for three in zip(read, printed, aspects, strict=True)]
    own = foreign = sure = 0.0
    for word in (word for line in lines for word in line.words):
        letters = len(script.pattern.findall(word.text))
        own += letters
        sure += letters * word.confidence if len(word.text) > 1 else 0.0
        foreign += sum(char.isalpha() for char in script.pattern.sub("", word.text))
    filled = sum(script.pattern.search(line.text) is not None for line in lines)
    return sure / max(own + foreign, 1.0) * filled / max(len(sample), 1), " ".join(line.text for line in read)


def _words(line: LineText, aspect: float) -> list[LineWord]:
    """The words of PP-OCR's text with their places."""
    words, at = [], 0
    for token in line.text.split():
        columns = line.columns[at : at + len(token)]
        at += len(token)
        if len(columns) == len(token):
            half = (columns[-1] - columns[0]) / (2 * (len(token) - 1)) if len(token) > 1 else DIGIT_WIDTH / (2 * aspect)
            words.append(LineWord(token, max(0.0, columns[0] - half), min(1.0, columns[-1] + half), line.confidence))
    return words


def _shared(a: LineWord, b: LineWord) -> float:
    return min(a.end, b.end) - max(a.start, b.start)
