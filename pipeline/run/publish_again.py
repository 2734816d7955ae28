"""Publishes documents again that people have corrected, or split in another way. Nothing is read again."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.errors import BlockedResultError
from pipeline.intake.scan import InboxFile
from pipeline.ledger.orders import Order, delete_orders
from pipeline.ledger.person_splits import DECIDE
from pipeline.run.job import Job
from pipeline.run.publisher import Publisher


def publish_again(job: Job, publisher: Publisher, orders: Sequence[Order]) -> None:
    """Carry out publishing orders: all files with the contents of each, under their names. The orders are deleted then."""
    ledger = job.ledger
    for sha256 in {order.sha256 for order in orders}:
        decide = any(order.details.get(DECIDE) for order in orders if order.sha256 == sha256)
        document = ledger.document(sha256, stale=True)
        for file in ledger.files_with_contents(sha256) if document else ():
            # A stale file is published when it has been read.
            if document and file.published_sha256 == sha256 and not file.stale:
                try:
                    inbox_file = InboxFile(file.source, file.size, file.mtime_ns)
                    publisher.publish(inbox_file, document, file.recipes, decide_split=decide)
                except BlockedResultError:  # the next scan finds the file, and its reading reports the obstacle
                    ledger.mark_stale(file.source.name)
    if orders:
        publisher.flush()
    delete_orders(ledger, orders)
