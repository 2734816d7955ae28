"""Fuzzing of everything that reads what strangers write. See README.md; ``run.py`` starts it, ``corpus/`` keeps the seeds."""
