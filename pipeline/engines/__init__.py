"""Engines turn a page and a template into claims; all of them stand behind the Protocol in ``base``."""
