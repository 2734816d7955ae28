"""Engines turn a page and a template into claims. All of them implement the Protocol in ``base``."""
