"""Example documents of invented companies, drawn by code: ``python examples/draw.py``."""
