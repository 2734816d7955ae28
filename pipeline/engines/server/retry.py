"""How long to wait before a request is sent again."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pipeline.backoff import Backoff

FIRST_SECONDS = 1.0
"""The wait after the first failure."""
LONGEST_SECONDS = 60.0
LONGEST_RETRY_AFTER_SECONDS = 120.0
"""The longest wait that a server can request."""


def is_temporary(status: int) -> bool:
    """Whether a server with this status (RFC 9110, RFC 6585) may answer the same request later; with 501 it never does."""
    return status in (408, 409, 425, 429) or (500 <= status < 600 and status != 501)


def retry_seconds(failures: int, retry_after: str = "") -> float:
    """Seconds to wait after so many ``failures`` (from 1).

    ``retry_after`` is the response's header Retry-After (RFC 9110, 10.2.3). Without it the wait doubles each time, ± 25 % at random.
    """
    requested = _retry_after_seconds(retry_after)
    if requested is not None:
        return min(requested, LONGEST_RETRY_AFTER_SECONDS)
    return Backoff(FIRST_SECONDS, LONGEST_SECONDS, jitter=0.25).seconds_after(failures)


def _retry_after_seconds(retry_after: str) -> float | None:
    """Seconds from now; None where the header is absent or unreadable."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())
