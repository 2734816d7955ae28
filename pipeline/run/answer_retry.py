"""Retries of a unit whose answer fails its checks.

The first retry is about the doubtful fields only, with an enlarged image of the part of the page where they are. Later retries are about
the whole page at rising temperature, the last one at a higher resolution. Fields that pass their checks are left out. The best answer
wins; of equally good answers the earlier one wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pipeline.checks.arithmetic import CHECKSUM, check_document
from pipeline.checks.field_region import field_region
from pipeline.checks.grounding import UNGROUNDED, ground
from pipeline.checks.joint_features import may_change
from pipeline.checks.value_comparison import is_absent
from pipeline.engines.base import Request
from pipeline.learning.applying import with_lesson
from pipeline.records import Answer, Box, Evidence, Lesson
from pipeline.run.embedded_reading import EmbeddedReading, without_details
from pipeline.templates.partial_template import narrow_template
from pipeline.templates.template import Template

UNREAD_SCRIPT = "unread-script"
"""Flag of every field of a page that has lines in a script which no recogniser on this machine reads."""
VERSION = 2
"""Part of the recipe of every engine with retries. Raise it when retries change."""
TEMPERATURES = (0.3, 0.6, 0.8, 1.0)
"""Temperature of the first, second, … retry of the whole page; further retries use the last one."""
LAST_RETRY_SCALE = 1.5
"""Factor by which the image of the last retry has more pixels."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An answer with its evidence: grounded on its page and checked with the checks that one page allows."""

    answer: Answer
    raw: Answer
    """The answer as the engine gave it, before it was joined with another reading."""
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    flagged: Mapping[str, Evidence] = field(default_factory=dict)
    """The evidence with the flags of sums and check digits."""

    @property
    def doubtful(self) -> list[str]:
        """Fields whose value is not on the page or fails a check, without tables."""
        return [name for name, item in self._changeable.items() if _is_doubtful(item) and not isinstance(item.value, list)]

    @property
    def _changeable(self) -> dict[str, Evidence]:
        """The fields of which another answer of the engine could change the value."""
        return {name: item for name, item in self.flagged.items() if name in self.raw.claims and may_change(item)}

    @property
    def wrong(self) -> bool:
        """Whether something is certainly wrong: an incomplete answer, a sum that does not add up, wrong check digits."""
        flags = {flag for item in self._changeable.values() for flag in item.flags}
        return self.answer.status != "done" or any(flag.startswith("sum:") or flag == CHECKSUM for flag in flags)

    @property
    def quality(self) -> tuple[bool, int]:
        """For comparison: whether the answer is complete, then the number of values that pass their checks minus those that fail."""
        values = [item for item in self.flagged.values() if not is_absent(item.value)]
        return self.answer.status == "done", sum(-1 if _is_doubtful(item) else 1 for item in values)


def _is_doubtful(item: Evidence) -> bool:
    return any(flag in (UNGROUNDED, CHECKSUM) or flag.startswith("sum:") for flag in item.flags)


def check_answer(answer: Answer, request: Request, reading: EmbeddedReading | None = None) -> Attempt:
    """Ground an answer on its page and check it. ``reading``: what the embedded engine read, with which a model's answer is joined."""
    raw = answer
    if reading and answer.status == "done":
        answer = replace(answer, claims=reading.joined(answer.claims, request.page, request.template))
    evidence = ground(answer.claims, request.page, request.template)
    if request.page.unread_script:
        evidence = {name: replace(item, flags=(*item.flags, UNREAD_SCRIPT)) for name, item in evidence.items()}
    return Attempt(answer, raw, evidence, check_document(evidence, _scalar_checks(request.template)))


def _scalar_checks(template: Template) -> Template:
    """The template without sums over a table column, since one missed row is no reason to doubt a total."""
    checks = [check for check in template.checks if not template.sums_rows(check)]
    return template.model_copy(update={"checks": checks})


@dataclass(frozen=True, slots=True)
class NextRequest:
    """The next request of a unit. ``pixels``: size of a new image to draw for it, 0 for none. ``part``: the box that the image shows."""

    request: Request
    pixels: int = 0
    part: Box | None = None


@dataclass(slots=True)
class UnitRetry:
    """The attempts for one page and template."""

    request: Request
    retries: int
    reading: EmbeddedReading | None = None
    """What the embedded engine read, with which a model's answers are joined."""
    has_model: bool = False
    """Whether a language model answers."""
    best: Attempt | None = None
    part_checked: bool = False
    """Whether the retry about a part of the page was made or is not needed."""
    partial: bool = False
    """Whether the next answer covers the doubtful fields only."""
    page_retries: int = 0
    """Retries of the whole page so far."""
    seconds: float = 0.0
    """Time that engines took for all answers."""
    lesson: Lesson | None = None
    """What corrections of the sender have taught; the page is read once more with it."""
    learning: bool = False
    """Whether the next answer is that of the page read with the lesson."""

    @property
    def question(self) -> Request:
        """The request that the engine gets first: about all fields, or those that the embedded engine did not read for sure."""
        if self.reading:
            return self.reading.question(self.request)
        return without_details(self.request) if self.has_model else self.request

    def take(self, answer: Answer) -> NextRequest | None:
        """Take an answer. Returns the next request; None when the best answer is final."""
        self.seconds += answer.seconds
        if self.learning:
            self.learning = False
            self._take_lesson(answer)
            return None
        if self.partial:
            self.partial = False
            self._take_part(answer)
        else:
            attempt = check_answer(answer, self.request, self.reading)
            if self.best is None or attempt.quality > self.best.quality:
                self.best = attempt
        return None if answer.final else self._next()

    def skip(self) -> NextRequest | None:
        """The image for the next request cannot be drawn. Returns the request after it, as ``take`` does."""
        self.partial = False
        return self._next()

    def _take_lesson(self, answer: Answer) -> None:
        """Take the values that the lesson changes, where no check speaks against them."""
        assert self.best is not None  # noqa: S101 - see _next
        assert self.lesson is not None  # noqa: S101 - see _next
        if answer.status != "done":
            return
        first, request = self.best.answer, self.request
        claims = with_lesson(first.claims, answer.claims, self.lesson, request.page, request.template)
        if claims is not first.claims:
            self.best = check_answer(replace(first, claims=claims), request)

    def _take_part(self, answer: Answer) -> None:
        """Merge an answer about doubtful fields if the whole answer becomes better."""
        assert self.best is not None  # noqa: S101 - a retry follows a first answer
        if answer.status != "done":
            return
        claims = {name: claim for name, claim in answer.claims.items() if claim.value is not None}
        raw = self.best.raw
        merged = check_answer(replace(raw, claims={**raw.claims, **claims}), self.request, self.reading)
        if merged.quality > self.best.quality:
            self.best = merged

    def _next(self) -> NextRequest | None:
        if self.lesson and self.best and self.best.answer.status == "done":
            self.learning = True
            return NextRequest(replace(self.request, lesson=self.lesson))
        if not self.retries or self.best is None or self.request.page.facts:
            return None
        best = self.best
        if not self.part_checked and best.answer.status == "done":
            self.part_checked = True
            if following := self._part_request(best):
                self.partial = True
                return following
        if best.wrong and self.page_retries < self.retries:
            self.page_retries += 1
            temperature = TEMPERATURES[min(self.page_retries, len(TEMPERATURES)) - 1]
            last = self.page_retries == self.retries and self.request.image is not None
            pixels = round(self.request.template.image.pixels * LAST_RETRY_SCALE) if last else 0
            return NextRequest(replace(self._page_request(best), temperature=temperature), pixels)
        return None

    def _page_request(self, best: Attempt) -> Request:
        """A request about the whole page: for all fields where the answer is incomplete, else for the doubtful ones."""
        question = narrow_template(self.request.template, best.doubtful)
        if best.answer.status != "done" or not question.fields:
            return self.question
        self.partial = True
        return replace(self.request, template=question.model_copy(update={"image": self.request.template.image}))

    def _part_request(self, best: Attempt) -> NextRequest | None:
        """The retry about the doubtful fields on a part of the page; None where they have no common part."""
        request, template = self.request, self.request.template
        fields = {name: template.fields[name] for name in best.doubtful}
        question = narrow_template(template, fields)
        part = field_region(request.page, fields, best.flagged)
        if part is None or not question.fields:
            return None
        words = tuple(word for word in request.page.words if part[1] <= (word.box[1] + word.box[3]) / 2 <= part[3])
        page = replace(request.page, words=words)
        pixels = question.image.pixels if request.image else 0
        return NextRequest(replace(request, template=question, page=page, image=None), pixels, part)
