"""Proposes a template from what stands on some sample documents."""

from pipeline.engines.embedded.draft.proposals import CorrectedValue, SampleDocument, draft_template

__all__ = ["CorrectedValue", "SampleDocument", "draft_template"]
