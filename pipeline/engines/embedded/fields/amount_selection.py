"""Chooses the amounts of all fields together: amounts that satisfy the template's checks win over amounts with better labels alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from math import prod

from pipeline.engines.embedded.fields.candidates import Candidate
from pipeline.templates.template import Check

_MOST_OPTIONS = 6  # candidates considered for each field
_COMBINATIONS = 4000  # about how many are tried together
LEAST_STRENGTH = 0.3  # below this strength a field is left empty
_CHECK_HOLDS = 0.7
_CHECK_FAILS = 0.35
_IMPLIED_STRENGTH = 0.12  # strength of an amount without a label that a check asks for


@dataclass(frozen=True)
class AmountOption:
    """A candidate for one field, and how strongly labels and place speak for it."""

    candidate: Candidate
    strength: float

    @property
    def amount(self) -> Decimal:
        """Its value."""
        return Decimal(self.candidate.value)


def choose_amounts(
    options: Mapping[str, list[AmountOption]],
    others: list[Candidate],
    meanings: Mapping[tuple[int, int, int], str],
    checks: list[Check],
    known: Mapping[str, Decimal],
) -> dict[str, AmountOption]:
    """The best option of each field, judged together.

    ``others`` are all amounts of the page, ``meanings`` what their labels plainly say they are, by place. ``known`` gives table sums.
    """
    fields = list(options)
    usable = [check for check in checks if check.sum and _terms(check) <= set(fields) | set(known)]
    involved = {name for check in usable for name in _terms(check) if name in options}
    size = _largest([len(options[name]) for name in involved])
    pools = {name: sorted(options[name], key=lambda o: -o.strength)[:size] for name in fields}
    _add_implied(pools, others, meanings, usable, known)
    selection: dict[str, AmountOption] = {}
    for name in fields:
        if name not in involved and pools[name] and pools[name][0].strength >= LEAST_STRENGTH:
            selection[name] = pools[name][0]
    selection.update(_together([name for name in fields if name in involved], pools, usable, known))
    return selection


def _largest(options: list[int]) -> int:
    """How many options of each field are tried, so that the number of combinations stays small."""
    sizes = range(_MOST_OPTIONS, 0, -1)
    return next((size for size in sizes if prod(1 + min(size, count) for count in options) <= _COMBINATIONS), 1)


def _terms(check: Check) -> set[str]:
    return {term.lstrip("-") for term in [*check.sum, check.equals or ""]}


def _subtracted(check: Check) -> set[str]:
    """Fields that are subtracted. Pages print them with a minus or without."""
    return {name for name in check.subtracted if "." not in name}


def _together(
    fields: list[str], pools: Mapping[str, list[AmountOption]], checks: list[Check], known: Mapping[str, Decimal]
) -> dict[str, AmountOption]:
    best: tuple[float, tuple[AmountOption | None, ...]] = (0.0, (None,) * len(fields))
    for combination in product(*[[*pools[name], None] for name in fields]):
        chosen = {name: option for name, option in zip(fields, combination, strict=True) if option}
        if _serves_twice(chosen, checks):
            continue
        values = {name: option.amount for name, option in chosen.items()}
        score = sum(option.strength - LEAST_STRENGTH for option in combination if option)
        satisfied: set[str] = set()
        for check in checks:
            verdict = holds(check, {**known, **values})
            if verdict is True:
                score += _CHECK_HOLDS * (0.08 if _trivial(check, {**known, **values}) else 1.0)
                satisfied |= _terms(check)
            elif verdict is False:
                score -= _CHECK_FAILS * (0.0 if any(term in known for term in _terms(check)) else 1.0)
        weak = [n for n, o in zip(fields, combination, strict=True) if o and o.strength < LEAST_STRENGTH and n not in satisfied]
        if not weak and score > best[0] + 1e-9:
            best = (score, combination)
    return {name: option for name, option in zip(fields, best[1], strict=True) if option}


def _serves_twice(chosen: Mapping[str, AmountOption], checks: list[Check]) -> bool:
    """Whether one printed amount is both subtracted and something else."""
    subtracted = {name for check in checks for name in _subtracted(check)} & set(chosen)
    places = [option.candidate.place for option in chosen.values()]
    return any(places.count(chosen[name].candidate.place) > 1 for name in subtracted)


def holds(check: Check, values: Mapping[str, Decimal]) -> bool | None:
    """Whether a sum holds; None when a term is missing."""
    if not _terms(check) <= set(values):
        return None
    unsigned = {**values, **{name: abs(values[name]) for name in _subtracted(check)}}
    return any(abs(_sum(check, each) - values[check.equals or ""]) <= Decimal(check.tolerance) for each in (values, unsigned))


def _sum(check: Check, values: Mapping[str, Decimal]) -> Decimal:
    return sum((-values[t[1:]] if t.startswith("-") else values[t] for t in check.sum), Decimal(0))


def _trivial(check: Check, values: Mapping[str, Decimal]) -> bool:
    """A sum with a zero in it, or of one term only, proves less."""
    return len(check.sum) < 2 or any(values[term.lstrip("-")] == 0 for term in check.sum)


def _add_implied(
    pools: dict[str, list[AmountOption]],
    others: list[Candidate],
    meanings: Mapping[tuple[int, int, int], str],
    checks: list[Check],
    known: Mapping[str, Decimal],
) -> None:
    """Amounts printed without a label that the labelled ones ask for.

    A field whose best amount has a plain label gets no other one because a sum happens to hold, unless the labels contradict each
    other: two terms of the sum have one amount.
    """
    labelled = {name for name, pool in pools.items() if pool and meanings.get(pool[0].candidate.place) == name}
    by_value: dict[Decimal, Candidate] = {}
    for candidate in others:
        if candidate.quality >= 0.5:
            by_value[Decimal(candidate.value)] = candidate
    strong = {name: [o.amount for o in pool if o.strength >= LEAST_STRENGTH][:4] for name, pool in pools.items()}
    for name in {name for check in checks for name in _subtracted(check)} & set(strong):
        strong[name] += [-amount for amount in strong[name] if amount < 0]
    strong.update({name: [value] for name, value in known.items()})
    for check in checks:
        # An amount with a good label for one term is not used for another: half may be paid before, and half be due later.
        places = {o.candidate.place for name in _subtracted(check) for o in pools[name] if o.strength >= LEAST_STRENGTH}
        for missing in (_terms(check) - _subtracted(check)) & set(pools):
            best = {name: strong[name][0] for name in _terms(check) & set(pools) if strong[name]}
            if missing in labelled and best.get(missing) not in [value for name, value in best.items() if name != missing]:
                continue
            for value in _solutions(check, missing, strong):
                have = {option.candidate.place for option in pools[missing]}
                new = value in by_value and by_value[value].place not in have | places
                if new and value != 0 and len(have) <= _MOST_OPTIONS:
                    pools[missing].append(AmountOption(by_value[value], _IMPLIED_STRENGTH))


def _solutions(check: Check, missing: str, strong: Mapping[str, list[Decimal]]) -> set[Decimal]:
    """Values of the missing term for which the check holds with some strong values of the others."""
    terms = [(term.lstrip("-"), -1 if term.startswith("-") else 1) for term in check.sum] + [(check.equals or "", -1)]
    rest = [(name, sign) for name, sign in terms if name != missing]
    own = next(sign for name, sign in terms if name == missing)
    solutions: set[Decimal] = set()
    for values in product(*[strong.get(name, []) for name, _ in rest]):
        total = sum((sign * value for (_, sign), value in zip(rest, values, strict=True)), Decimal(0))
        solutions.add(-total * own)
    return solutions
