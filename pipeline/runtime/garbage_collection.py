"""How often Python looks for cycles of objects that are not in use any more.

Imports, language files and words in flight are a million objects that stay. Python's own thresholds examine them again and again,
which took a fifth of the processor time of reading one document, and a fourth of a cluster's driver (docs/scale.md).

The command line calls this before it imports anything else, so this module imports only what Python itself has built in.
"""

import gc

THRESHOLDS = (50_000, 20, 100)
"""For ``gc.set_threshold``."""


def collect_rarely() -> tuple[int, int, int]:
    """Set ``THRESHOLDS``. Returns those that were in force."""
    before = gc.get_threshold()
    gc.set_threshold(*THRESHOLDS)
    return before


def collect_later_objects(thresholds: tuple[int, int, int]) -> None:
    """Examine no object again that exists now, and later ones by these thresholds: for a process that has imported what it needs."""
    gc.freeze()
    gc.set_threshold(*thresholds)
