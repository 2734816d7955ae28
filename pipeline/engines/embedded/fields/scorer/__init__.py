"""The learned scorer of the embedded engine: how likely each candidate is the value of a field, and how likely the page has none.

``groups`` gives the candidates of each field with features of their neighbourhood, ``score`` their probabilities.
"""

from pipeline.engines.embedded.fields.scorer.candidate_groups import Group, PageFields, groups, owed_amounts
from pipeline.engines.embedded.fields.scorer.network import Scores, score

__all__ = ["Group", "PageFields", "Scores", "groups", "owed_amounts", "score"]
