"""How long to wait before a request is sent again."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST_SECONDS = 1.0
"""The pause after the first failure; each following one is twice as long."""
LONGEST_SECONDS = 60.0
LONGEST_ASKED_SECONDS = 120.0
"""The longest pause that a server may ask for."""


def may_pass(status: int) -> bool:
    """Whether a server with this status (RFC 9110, RFC 6585) may answer the same request later; 501 says that it never will."""
    return status in (408, 409, 425, 429) or (500 <= status < 600 and status != 501)


def pause(failures: int, retry_after: str = "") -> float:
    """Seconds to wait after so many ``failures`` (from 1): as the server asks (RFC 9110, 10.2.3), else growing, spread by a quarter."""
    asked = _asked(retry_after)
    if asked is not None:
        return min(asked, LONGEST_ASKED_SECONDS)
    growing = min(FIRST_SECONDS * 2.0 ** (failures - 1), LONGEST_SECONDS)
    return growing * random.uniform(0.75, 1.25)  # noqa: S311 - keeps requests apart, guards nothing


def _asked(retry_after: str) -> float | None:
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())
