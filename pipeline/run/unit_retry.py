"""Asking again: what is done about an answer that fails its checks.

First a second question about the fields in doubt, on the enlarged part of the page where they stand; then the whole page again, at
rising temperature, at last at a higher resolution too. What holds is not asked again. The best answer wins, and an earlier one when
none is better.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pipeline.checks.arithmetic import CHECKSUM, check_document
from pipeline.checks.compare import is_absent
from pipeline.checks.grounding import UNGROUNDED, ground
from pipeline.checks.region import field_region
from pipeline.engines.base import Request
from pipeline.records import Answer, Box, Evidence
from pipeline.templates.model import Template
from pipeline.templates.narrow import narrowed

VERSION = 1
"""Part of every recipe of an engine that is asked again: raise it when it is asked differently."""
TEMPERATURES = (0.3, 0.6, 0.8, 1.0)
"""Of the first, second, … asking again; the last one for all that follow."""
FINER = 1.5
"""By how much the last asking's image is larger, in visual tokens."""


@dataclass(frozen=True, slots=True)
class Tried:
    """An answer with its evidence, looked up on the page and checked as far as one page tells."""

    answer: Answer
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    flagged: Mapping[str, Evidence] = field(default_factory=dict)
    """The evidence with the flags of sums and check digits."""

    @property
    def doubtful(self) -> list[str]:
        """Fields whose value is not printed or does not hold, tables left out."""
        return [name for name, item in self.flagged.items() if _in_doubt(item) and not isinstance(item.value, list)]

    @property
    def wrong(self) -> bool:
        """Whether something is certainly amiss: no whole answer, a sum that does not add up, wrong check digits."""
        flags = {flag for item in self.flagged.values() for flag in item.flags}
        return self.answer.status != "done" or any(flag.startswith("sum:") or flag == CHECKSUM for flag in flags)

    @property
    def quality(self) -> tuple[bool, int]:
        """Whole before broken; then values that hold against those that do not."""
        values = [item for item in self.flagged.values() if not is_absent(item.value)]
        return self.answer.status == "done", sum(-1 if _in_doubt(item) else 1 for item in values)


def _in_doubt(item: Evidence) -> bool:
    return any(flag in (UNGROUNDED, CHECKSUM) or flag.startswith("sum:") for flag in item.flags)


def tried(answer: Answer, request: Request) -> Tried:
    """An answer looked up on its page."""
    evidence = ground(answer.claims, request.page, request.template)
    return Tried(answer, evidence, check_document(evidence, _scalar_checks(request.template)))


def _scalar_checks(template: Template) -> Template:
    """Without sums over a table's column: one row that was missed is no reason to doubt a total."""
    checks = [check for check in template.checks if not any("." in member for member in check.sum)]
    return template.model_copy(update={"checks": checks})


@dataclass(frozen=True, slots=True)
class Again:
    """The next thing to ask. ``tokens`` is the size of the image to draw for it (0: the one there is), ``part`` what it shows."""

    request: Request
    tokens: int = 0
    part: Box | None = None


@dataclass(slots=True)
class Unit:
    """One page and template while an engine works on it."""

    request: Request
    retries: int
    best: Tried | None = None
    looked: bool = False
    """Whether it is settled that the second question was put, or need not be."""
    partly: bool = False
    """Whether the next answer is about the fields in doubt only."""
    asked: int = 0
    """How often the whole page was asked again."""
    seconds: float = 0.0
    """Time that engines took for all answers."""

    def take(self, answer: Answer) -> Again | None:
        """Take an answer; what to ask next, or None when the best one stands."""
        self.seconds += answer.seconds
        if self.partly:
            self.partly = False
            self._take_part(answer)
        else:
            new = tried(answer, self.request)
            if self.best is None or new.quality > self.best.quality:
                self.best = new
        return self._next()

    def skip(self) -> Again | None:
        """What was to be asked cannot be, for want of its picture: what to ask instead."""
        self.partly = False
        return self._next()

    def _take_part(self, answer: Answer) -> None:
        """Take over what was answered about the fields in doubt where it makes the whole better."""
        assert self.best is not None  # noqa: S101 - a second question follows a first answer
        if answer.status != "done":
            return
        kept = {name: claim for name, claim in answer.claims.items() if claim.value is not None}
        merged = tried(replace(self.best.answer, claims={**self.best.answer.claims, **kept}), self.request)
        if merged.quality > self.best.quality:
            self.best = merged

    def _next(self) -> Again | None:
        if not self.retries or self.best is None or self.request.page.facts:
            return None
        best = self.best
        if not self.looked and best.answer.status == "done":
            self.looked = True
            if again := self._closer_look(best):
                self.partly = True
                return again
        if best.wrong and self.asked < self.retries:
            self.asked += 1
            temperature = TEMPERATURES[min(self.asked, len(TEMPERATURES)) - 1]
            last = self.asked == self.retries and self.request.image is not None
            finer = round(self.request.template.image.tokens * FINER) if last else 0
            return Again(replace(self._whole_page(best), temperature=temperature), finer)
        return None

    def _whole_page(self, best: Tried) -> Request:
        """The page once more: for everything where there is no whole answer, else for what is in doubt."""
        question = narrowed(self.request.template, best.doubtful)
        if best.answer.status != "done" or not question.fields:
            return self.request
        self.partly = True
        return replace(self.request, template=question.model_copy(update={"image": self.request.template.image}))

    def _closer_look(self, best: Tried) -> Again | None:
        """The second question, about a part of the page."""
        request, template = self.request, self.request.template
        fields = {name: template.fields[name] for name in best.doubtful}
        question = narrowed(template, fields)
        part = field_region(request.page, fields, best.flagged)
        if part is None or not question.fields:
            return None
        words = tuple(word for word in request.page.words if part[1] <= (word.box[1] + word.box[3]) / 2 <= part[3])
        page = replace(request.page, words=words)
        tokens = question.image.tokens if request.image else 0
        return Again(replace(request, template=question, page=page, image=None), tokens, part)
