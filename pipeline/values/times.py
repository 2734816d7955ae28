"""Times and durations as this program writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def format_timestamp(moment: datetime) -> str:
    """ISO 8601 with milliseconds and ``Z``: ``2026-03-24T08:15:00.000Z``. ``moment`` is in UTC."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def utc_timestamp(after: timedelta = timedelta(0)) -> str:
    """The present time in UTC, or the time ``after`` it, as ``format_timestamp`` writes it."""
    return format_timestamp(datetime.now(UTC) + after)


def format_duration(seconds: float) -> str:
    """A duration in two units at most: ``40 s``, ``12 min``, ``3 h 20 min``, ``2 days 4 h``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} days {hours} h" if hours else f"{days} days"
