"""Chooses the values of a page's fields from the probabilities of their candidates, and from what must hold between them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product
from math import log

from pipeline.engines.embedded.fields.amount_selection import LEAST_STRENGTH, AmountOption
from pipeline.engines.embedded.fields.candidates import Candidate
from pipeline.engines.embedded.fields.label_index import OTHER
from pipeline.engines.embedded.fields.name_candidates import NameCandidate
from pipeline.engines.embedded.fields.parties import same_name
from pipeline.engines.embedded.fields.scorer import Group, Scores

_LEAST = 0.02
"""Probabilities below it count as this much: no single doubt outweighs everything else."""
_SCALE = 0.12
"""Strength of an amount whose odds against its absence are e."""
_LEAST_OPTION = 0.002
"""Probability below which an amount is tried only where a sum asks for it."""
_PROOF = 0.1
"""Strength that a payment less change adds to the amount that was owed."""
_LABELLED = 0.1
"""Strength of an amount at least, where a plain label names its field."""
_UNLABELLED = LEAST_STRENGTH + _LABELLED / 2
"""Strength at most of an amount without a plain label, where another one has it."""
_TOGETHER = 3
"""Parties whose names are chosen together; each has up to nine options."""
Choice = tuple[Candidate, float]
Place = tuple[int, int, int]


def odds(probability: float, absent: float) -> float:
    """The logarithm of how much likelier a value is than that the page prints none."""
    return log(max(_LEAST, probability)) - log(max(_LEAST, absent))


def pooled(
    group: Group, scores: Scores, barred: frozenset[Place] = frozenset(), meanings: Mapping[Place, str] | None = None
) -> dict[str, Choice]:
    """One candidate of each value, with the probability of all that print this value. ``barred`` are left out.

    A copy whose plain label names the field goes first, and one whose label names something else last; then the likeliest.
    """
    best: dict[str, tuple[tuple[int, float], Candidate]] = {}
    total: dict[str, float] = defaultdict(float)
    known = meanings or {}
    for candidate, probability in zip(group.candidates, scores.candidates.tolist(), strict=True):
        if not isinstance(candidate, Candidate) or candidate.place in barred:
            continue
        meaning = known.get(candidate.place, "")
        rank = (1 if meaning == group.field else -1 if meaning.startswith(OTHER) else 0, probability)
        total[candidate.value] += probability
        if candidate.value not in best or rank > best[candidate.value][0]:
            best[candidate.value] = (rank, candidate)
    return {value: (candidate, total[value]) for value, (_, candidate) in best.items()}


@dataclass(frozen=True)
class AmountFacts:
    """What labels and payments prove of the amounts of a page, whatever is likely."""

    barred: frozenset[Place]
    """Amounts that belong to no field."""
    unconfirmed: frozenset[Place]
    """Amounts that OCR did not read for certain: they count only where a sum or a payment needs them."""
    meanings: Mapping[Place, str]
    """What their labels plainly say they are: a field, or another value (``?paid``)."""
    owed: frozenset[Decimal]
    """Payments less change."""
    deductions: frozenset[str]
    """Fields that are subtracted: no sum makes an amount one of them."""
    sums: frozenset[str]
    """Fields that a payment less change proves."""


def amount_options(
    groups: Sequence[Group], scores: Mapping[str, Scores], facts: AmountFacts
) -> tuple[dict[str, list[AmountOption]], dict[str, dict[str, float]]]:
    """The amounts that each field may have, and the probability of each value."""
    options: dict[str, list[AmountOption]] = {}
    likely: dict[str, dict[str, float]] = {}
    for group in groups:
        found = pooled(group, scores[group.field], facts.barred, facts.meanings)
        absent = scores[group.field].absent
        likely[group.field] = {value: probability for value, (_, probability) in found.items()}
        labelled = group.labelled(facts.meanings)
        powers = [(c, _power(group.field, c, odds(p, absent), p, c.value in labelled, facts)) for c, p in found.values()]
        tried = [AmountOption(candidate, power) for candidate, power in powers if power is not None]
        options[group.field] = _plain_first(group.field, tried, facts)
    return options, likely


def _plain_first(field: str, options: list[AmountOption], facts: AmountFacts) -> list[AmountOption]:
    """The options; where a plain label names an amount, others are weaker than it, and are taken only because sums hold."""
    plain = {option.amount for option in options if facts.meanings.get(option.candidate.place) == field}
    return [
        option if not plain or option.amount in plain else replace(option, strength=min(option.strength, _UNLABELLED))
        for option in options
    ]


def _power(
    field: str, candidate: Candidate, against_absence: float, probability: float, labelled: bool, facts: AmountFacts
) -> float | None:
    """The strength of an amount for a field; None where it is not even tried. ``labelled``: some label of the field is near."""
    meaning = facts.meanings.get(candidate.place)
    if field in facts.sums and Decimal(candidate.value) in facts.owed:
        return LEAST_STRENGTH + _PROOF + _SCALE * max(0.0, against_absence)
    if meaning is not None and meaning.startswith(OTHER):
        return None
    if field in facts.sums and facts.owed and Decimal(candidate.value) == 0:
        return None
    if field in facts.deductions and meaning != field and (meaning is not None or against_absence < 0):
        return None
    power = LEAST_STRENGTH + _SCALE * against_absence
    if meaning == field:
        power = max(power, LEAST_STRENGTH + _LABELLED)
    of_another = meaning is not None and meaning != field and not labelled
    if candidate.place in facts.unconfirmed or of_another:
        power = min(power, LEAST_STRENGTH - 0.01)
    return power if probability >= _LEAST_OPTION or meaning == field else None


def scalars(
    groups: Sequence[Group], scores: Mapping[str, Scores], barred: frozenset[Place], meanings: Mapping[Place, str] | None = None
) -> dict[str, Choice]:
    """One value for each field, the surest first; no place on the page serves two fields.

    ``meanings`` are what labels plainly say; such a value is taken however unlikely it is, where the field has no likelier one.
    """
    pairs = [
        (
            _against_absence(group.field, candidate, odds(p, scores[group.field].absent), meanings or {}),
            p,
            group.field,
            candidate,
        )
        for group in groups
        for candidate, p in pooled(group, scores[group.field], barred, meanings).values()
    ]
    chosen: dict[str, Choice] = {}
    used: set[Place] = set()
    for against_absence, probability, field, candidate in sorted(pairs, key=lambda pair: (-pair[0], -pair[1])):
        if against_absence > 0 and field not in chosen and candidate.place not in used:
            chosen[field] = (candidate, probability)
            used.add(candidate.place)
    return chosen


def _against_absence(field: str, candidate: Candidate, against_absence: float, meanings: Mapping[Place, str]) -> float:
    return max(against_absence, _LABELLED) if meanings.get(candidate.place) == field else against_absence


def parties(groups: Sequence[Group], scores: Mapping[str, Scores]) -> dict[str, tuple[NameCandidate, float]]:
    """A name for each party, never the same for two. The first three are chosen together, others after them."""
    chosen = _together(groups[:_TOGETHER], scores)
    for group in groups[_TOGETHER:]:
        others = [name for name, _ in chosen.values()]
        for name, probability, gain in _names(group, scores[group.field]):
            if name is not None and gain > 0 and not any(same_name(name.text, other.text) for other in others):
                chosen[group.field] = (name, probability)
                break
    return chosen


def _together(groups: Sequence[Group], scores: Mapping[str, Scores]) -> dict[str, tuple[NameCandidate, float]]:
    options = [_names(group, scores[group.field]) for group in groups]
    best: tuple[float, dict[str, tuple[NameCandidate, float]]] = (0.0, {})
    for combination in product(*options):
        names = [name for name, _, _ in combination if name is not None]
        if any(same_name(a.text, b.text) for at, a in enumerate(names) for b in names[at + 1 :]):
            continue
        total = sum(gain for _, _, gain in combination)
        if total > best[0]:
            pairs = zip(groups, combination, strict=True)
            best = (total, {group.field: (name, p) for group, (name, p, _) in pairs if name is not None})
    return best[1]


_Option = tuple[NameCandidate | None, float, float]


def _names(group: Group, scores: Scores) -> list[_Option]:
    """The likeliest names of a party with their probabilities and odds, and none."""
    found: list[_Option] = [
        (candidate, float(probability), odds(float(probability), scores.absent))
        for candidate, probability in zip(group.candidates, scores.candidates, strict=True)
        if isinstance(candidate, NameCandidate)
    ]
    return [*sorted(found, key=lambda option: -option[2])[:8], (None, scores.absent, 0.0)]
