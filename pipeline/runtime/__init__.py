"""Processes and their limits: the worker pool, the watchdog, the lock, an engine in a process of its own."""
