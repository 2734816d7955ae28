"""Details of a document: values that have a label and a grammar, read once the main fields are known, from words that these leave over."""

from pipeline.engines.embedded.fields.details.detail_reader import MainReading, read_details
from pipeline.engines.embedded.fields.details.main_template import main_template

__all__ = ["MainReading", "main_template", "read_details"]
