"""What a question asks for: the words that say which thing, and the kind of value that would answer it.

Understood by single words, without grammar; in the languages that templates have labels in, as far as their question words are here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from pipeline.templates.ask import LEFT_OUT

Kind = Literal["date", "money", "number", "percent", "party", "place"]
_WORD = re.compile(r"[^\W_]+")
_CUES: tuple[tuple[Kind, str], ...] = (
    (
        "percent",
        "rate percent percentage tasso steuersatz prozent prozentsatz pourcentage taux porcentaje aliquota percentuale stawka",
    ),
    ("date", "when wann quand cuándo quando wanneer kiedy 何时"),
    (
        "money",
        "cost costs price much teuer kostet kosten preis hoch combien coûte coûtent prix cuánto cuesta cuestan precio quanto costa "
        "costano prezzo hoeveel kost prijs ile kosztuje cena",
    ),
    ("number", "many wieviele anzahl menge quantity combien cuántos cuántas quanti quante hoeveel liczba"),
    ("place", "where wo où dónde dove waar gdzie address adresse anschrift dirección indirizzo adres"),
    ("party", "who whom whose wer wem wen wessen qui quién chi wie kto company firma"),
)
"""Words that say what kind of value is meant, the kinds that are told more surely first."""
_PAIRS: tuple[tuple[str, Kind], ...] = (
    ("how much", "money"),
    ("how many", "number"),
    ("wie viel", "money"),
    ("wie viele", "number"),
)
_GENERIC = frozenset(
    """
    number no nr num date day name amount sum value total id code nummer datum tag betrag wert summe numéro date jour nom montant
    valeur número fecha día nombre importe valor numero data giorno nome importo valore nummer bedrag waarde numer kwota wartość
    """.split()  # noqa: SIM905 -- as in templates.ask
)
"""Words that many labels share: a label that has only these in common with a question is not what is asked for."""
_DOCUMENT = frozenset(
    """
    invoice bill receipt document page paper letter chart diagram graph file rechnung beleg quittung dokument seite brief blatt facture
    reçu ticket page document lettre factura recibo documento página carta fattura scontrino ricevuta pagina lettera factuur bon
    brief faktura paragon strona list
    """.split()  # noqa: SIM905
)
"""Words for what lies before the one who asks."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, understood as far as it goes."""

    words: tuple[str, ...]
    """Plain content words, in their order."""
    kinds: frozenset[Kind]
    """What kinds of value may answer it; none: any."""

    @property
    def about(self) -> tuple[str, ...]:
        """The words that tell one thing from others; all of them where there are none such."""
        told = tuple(word for word in self.words if word not in _GENERIC and word not in _DOCUMENT)
        return told or tuple(word for word in self.words if word not in _DOCUMENT) or self.words

    def covered(self, text: Collection[str], *, short: bool = False) -> float:
        """How much of what it is about the plain words of a text cover, by letters, from 0 to 1."""
        letters = sum(map(len, self.about))
        return (
            sum(len(word) for word in self.about if any(alike(word, other, short=short) for other in text)) / letters
            if letters
            else 0.0
        )


@lru_cache(maxsize=4096)
def plain(text: str) -> tuple[str, ...]:
    """The words of a text in lower case and without accents."""
    bare = unicodedata.normalize("NFKD", text.casefold().replace("ł", "l").replace("ß", "ss"))
    return tuple(_WORD.findall("".join(letter for letter in bare if not unicodedata.combining(letter))))


def alike(one: str, other: str, *, short: bool = False) -> bool:
    """Whether two plain words are one, but for an ending; ``short``: or an abbreviation, as of months."""
    if one == other:
        return True
    shorter, longer = sorted((one, other), key=len)
    if short:
        return len(shorter) >= 3 and shorter.isalpha() and longer.startswith(shorter)
    return len(shorter) >= 4 and len(longer) - len(shorter) <= 3 and longer.startswith(shorter)


def understood(question: str) -> Asked:
    """A question in anybody's words."""
    words = plain(question)
    pairs = {" ".join(pair) for pair in pairwise(words)}
    cues: dict[Kind, frozenset[str]] = {kind: _bare(text.split()) for kind, text in _CUES}
    kinds = {kind for pair, kind in _PAIRS if pair in pairs}
    if not kinds:
        told: list[Kind] = [kind for kind, _ in _CUES if cues[kind] & set(words)]
        kinds = set(told) if told[:1] in (["money"], ["number"]) else set(told[:1])
    content = [word for word in dict.fromkeys(words) if word not in _bare(LEFT_OUT)]
    things = [word for word in content if not any(word in cue for cue in cues.values())]
    return Asked(tuple(things or content), frozenset(kinds))


def _bare(words: Iterable[str]) -> frozenset[str]:
    return frozenset(bare for word in words for bare in plain(word))
