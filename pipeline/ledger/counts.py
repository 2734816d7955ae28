"""Counts over all runs of an outbox: documents, units and templates, and the documents that failed."""

from __future__ import annotations

from typing import Any

from pipeline.ledger.document_states import STATE
from pipeline.ledger.ledger import Ledger


def document_counts(ledger: Ledger) -> dict[str, int]:
    """Number of documents by status; ``waiting`` before a result is published."""
    rows = ledger.rows("SELECT coalesce(status, 'waiting') AS status, count(*) AS n FROM results WHERE NOT is_split GROUP BY 1")
    return {row["status"]: row["n"] for row in rows}


def unit_counts(ledger: Ledger) -> dict[str, int]:
    """Number of units by status."""
    return {row["status"]: row["n"] for row in ledger.rows("SELECT status, count(*) AS n FROM units GROUP BY 1")}


def page_count(ledger: Ledger) -> int:
    """Number of pages that were read, each once however many templates and engines have read it."""
    return int(next(ledger.rows("SELECT count(*) AS n FROM (SELECT DISTINCT sha256, page FROM units)"))["n"])


def template_counts(ledger: Ledger) -> list[dict[str, Any]]:
    """For each template, by name: ``template``, ``documents``, ``pages`` and the mean ``seconds_a_page``.

    A page that was read again, by a changed template or another engine, is counted once.
    """
    return list(
        ledger.rows(
            """SELECT template, count(DISTINCT sha256) documents, count(*) pages, round(avg(seconds), 3) seconds_a_page
               FROM (SELECT template, sha256, avg(seconds) AS seconds FROM units GROUP BY template, sha256, page)
               GROUP BY template ORDER BY template"""
        )
    )


def review_count(ledger: Ledger) -> int:
    """Number of documents with a value that a person should look at, and about which nobody has decided."""
    query = f"""SELECT count(*) AS n FROM results
                WHERE NOT is_split AND json_array_length(coalesce(review, '[]')) > 0 AND {STATE} = 'to_check'"""  # noqa: S608 - inserted is a constant
    return int(next(ledger.rows(query))["n"])


def latest_failures(ledger: Ledger, limit: int | None) -> list[dict[str, Any]]:
    """Failed and partial documents, latest first: ``file``, ``status``, ``reason``, ``detail`` and ``at``."""
    return list(
        ledger.rows(
            """SELECT results.name file, results.status, results.reason, coalesce(nullif(documents.detail, ''), (
                      SELECT detail FROM units WHERE units.sha256 = results.sha256 AND units.reason IS NOT NULL LIMIT 1)) detail,
                      published_at at
               FROM results LEFT JOIN documents USING (sha256) WHERE results.status IN ('failed', 'partial') AND NOT is_split
               ORDER BY published_at DESC, results.name LIMIT ?""",
            [-1 if limit is None else limit],
        )
    )


def recorded_templates(ledger: Ledger) -> list[str]:
    """Templates that documents were read by, by name."""
    return [row["template"] for row in ledger.rows("SELECT DISTINCT template FROM recipes ORDER BY template")]
