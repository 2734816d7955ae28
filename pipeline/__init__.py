"""A folder of PDFs and images goes in; JSON and CSV come out; a model on the CPU reads the pages in between."""

__version__ = "0.1.0"
