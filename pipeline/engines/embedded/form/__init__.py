"""Reads forms and tables of any kind by their labels and headings."""

from pipeline.engines.embedded.form.form_reader import read_form

__all__ = ["read_form"]
