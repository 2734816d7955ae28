"""A small web application on this machine: files in, progress, results, corrections, questions. It never holds the outbox's lock itself."""
