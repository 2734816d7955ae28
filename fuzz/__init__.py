"""Fuzzes the parts of the program that read untrusted input. See README.md; ``run.py`` starts it, ``corpus/`` has the seeds."""
