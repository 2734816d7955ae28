"""Calls to reader processes for the documents of a round."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.errors import FILE_CHANGED, DocumentError
from pipeline.intake.settle import restat_file
from pipeline.monitoring.events import Observer
from pipeline.records import AnyImage
from pipeline.run.document_run import DocumentRun
from pipeline.run.job import Job
from pipeline.run.page_requests import HANDLER, PictureRequest, decode_picture, encode_request, page_request
from pipeline.runtime.worker_pool import ReaderPool, Reply, WorkerPool
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.cluster.cluster import Cluster


class ReaderCalls:
    """Sends requests to the pool and brings each reply to its document.

    ``runs`` are the documents of the round by the hash of their contents. A late reply, for a document no longer among them, is dropped.
    ``on_change`` gets a document whose file has changed since it was hashed.
    """

    def __init__(
        self,
        job: Job,
        pool: ReaderPool,
        observer: Observer,
        runs: Mapping[str, DocumentRun],
        on_change: Callable[[DocumentRun], None],
    ) -> None:
        self._job, self._pool, self._observer, self._runs, self._on_change = job, pool, observer, runs, on_change

    def read(self, run: DocumentRun, page: int, on_reply: Callable[[DocumentRun, int, Reply], None]) -> None:
        """Have a reader read a page. Page 0 only opens the file."""

        def deliver(reply: Reply) -> None:
            if self._runs.get(run.sha256) is not run:
                return
            if (reply.error and reply.error.detail == FILE_CHANGED) or restat_file(run.file) != run.file:
                self._on_change(run)
            else:
                on_reply(run, page, reply)

        self._pool.submit(encode_request(page_request(self._job, run, page)), deliver, self._report_loss(run, page))

    def draw(self, run: DocumentRun, page: int, picture: PictureRequest, on_image: Callable[[AnyImage | None], None]) -> None:
        """Have a reader draw a page or a part of it. ``on_image`` gets None when that fails."""

        def deliver(reply: Reply) -> None:
            try:
                on_image(decode_picture(reply, page))
            except DocumentError:
                on_image(None)

        request = replace(page_request(self._job, run, page), picture=picture)
        self._pool.submit(encode_request(request), deliver, self._report_loss(run, page))

    def _report_loss(self, run: DocumentRun, page: int) -> Callable[[str], None]:
        return lambda reason: self._observer.reader_lost(run.file.source.name, page, reason)


def reader_pool(settings: Settings, cluster: Cluster | None = None) -> ReaderPool:
    """The processes that open files and read pages, on this machine or in a cluster."""
    if cluster:
        return cluster.readers()
    limits, attempts = settings.limits, settings.retry.reader_attempts
    size = settings.workers or len(os.sched_getaffinity(0))
    return WorkerPool(HANDLER, size=size, seconds=limits.seconds, memory_mb=limits.memory_mb, attempts=attempts)
