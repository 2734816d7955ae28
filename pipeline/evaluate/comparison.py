"""Two sides on the same documents, field by field: what was fixed, what was broken, and whether that could be chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from pipeline.evaluate.evaluation import Evaluation
from pipeline.evaluate.intervals import Share, mcnemar
from pipeline.evaluate.scoring import Cell

SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class Pair:
    """One field of one document on both sides."""

    before: Cell
    after: Cell

    @property
    def change(self) -> str:
        """``fixed``, ``broken``, ``right`` (both) or ``wrong`` (both)."""
        if self.before.right == self.after.right:
            return "right" if self.after.right else "wrong"
        return "fixed" if self.after.right else "broken"


@dataclass(frozen=True)
class Comparison:
    """``after`` (what is evaluated) held against ``before`` (what it is compared with)."""

    before: Evaluation
    """Of the documents that the other side knows."""
    after: Evaluation
    pairs: Sequence[Pair]
    unpaired: int
    """Documents that the other side does not know."""

    @cached_property
    def counts(self) -> Counter[str]:
        """Pairs by change."""
        return Counter(pair.change for pair in self.pairs)

    @property
    def shares(self) -> tuple[Share, Share]:
        """Right ones among the pairs, before and after."""
        both, of = self.counts["right"], len(self.pairs)
        return Share(both + self.counts["broken"], of), Share(both + self.counts["fixed"], of)

    @property
    def fields(self) -> dict[str, Counter[str]]:
        """Pairs by field and change."""
        outcomes: dict[str, Counter[str]] = {name: Counter() for name in self.after.fields} if self.pairs else {}
        for pair in self.pairs:
            outcomes.setdefault(pair.after.field, Counter())[pair.change] += 1
        return outcomes

    @property
    def p(self) -> float:
        """McNemar's exact p over fields of documents."""
        return mcnemar(self.counts["fixed"], self.counts["broken"])

    @cached_property
    def documents(self) -> Counter[str]:
        """Documents that became better, or worse, on the whole."""
        balance: Counter[str] = Counter()
        for pair in self.pairs:
            balance[pair.after.file] += {"fixed": 1, "broken": -1}.get(pair.change, 0)
        return Counter("better" if change > 0 else "worse" for change in balance.values() if change)

    @property
    def documents_p(self) -> float:
        """The same test over documents: fields of one document change together, so that this one is the more careful."""
        return mcnemar(self.documents["better"], self.documents["worse"])

    @property
    def verdict(self) -> str:
        """One sentence for people."""
        fixed, broken = self.counts["fixed"], self.counts["broken"]
        if not self.pairs:
            return "nothing to compare: the other variant has none of these documents"
        if not fixed and not broken:
            return f"no difference: all {len(self.pairs):,} values are as right or wrong as before"
        figures = f"{fixed:,} fixed, {broken:,} broken, p = {self.p:.2g}"
        if self.p >= SIGNIFICANT:
            return f"no difference that this many documents could show: {figures}"
        return f"{'better' if fixed > broken else 'worse'}: {figures}"


def compare(before: Evaluation, after: Evaluation) -> Comparison:
    """Pair the cells of documents that both variants have; a document that failed in one variant stays, one it never had does not."""
    earlier = {document.truth.file: document for document in before.documents if document.result or not document.sha256}
    both = [(earlier[d.truth.file], d) for d in after.documents if d.truth.file in earlier]
    pairs = [Pair(*cells) for old, new in both for cells in zip(old.cells, new.cells, strict=True)]
    paired = Evaluation(before.label, [old for old, _ in both], before.order)
    return Comparison(paired, after, pairs, len(after.documents) - len(both))
