"""Metrics of a run for Prometheus, served over HTTP while it works. This is imported only when the settings ask for metrics."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, get_args

import prometheus_client as prometheus
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from pipeline import __version__
from pipeline.errors import SettingsError
from pipeline.monitoring.events import Observer
from pipeline.monitoring.metrics_server import MetricsServer
from pipeline.publish.publication import Publication
from pipeline.records import Answer, DocumentStatus, Page, Reason, Result
from pipeline.settings_sections import MetricsSettings

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
"""Upper bounds of the histogram in seconds: a page with a text layer is in the first, an answer of a slow model in the last."""


class RunMetrics(Observer):
    """Counts the events of a run for Prometheus, in its own registry. docs/monitoring.md lists the names."""

    def __init__(self) -> None:
        prometheus.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry = prometheus.CollectorRegistry()
        prometheus.ProcessCollector(registry=registry)
        self._info = prometheus.Info("pipeline", "Version, command and engine.", registry=registry)
        self._documents = prometheus.Counter("pipeline_documents", "Documents published.", ["status"], registry=registry)
        self._failures = prometheus.Counter(
            "pipeline_failures", "Documents that failed, wholly or in part.", ["reason"], registry=registry
        )
        self._units = prometheus.Counter(
            "pipeline_units",
            "Units finished: one page with one template.",
            ["status", "template", "reason"],
            registry=registry,
        )
        self._pages = prometheus.Counter(
            "pipeline_pages", "Pages read, by where their words come from.", ["source"], registry=registry
        )
        self._seconds = prometheus.Histogram(
            "pipeline_seconds", "Seconds per page, by stage.", ["stage"], buckets=BUCKETS, registry=registry
        )
        self._lost = prometheus.Counter(
            "pipeline_readers_lost", "Reader processes that died or were killed.", registry=registry
        )
        self._depth = prometheus.Gauge(
            "pipeline_queue_depth", "Number of files, pages and units that wait.", ["queue"], registry=registry
        )
        self._last = prometheus.Gauge(
            "pipeline_last_progress_timestamp_seconds", "Time when the last unit or document finished.", registry=registry
        )
        self._start_at_zero()

    def _start_at_zero(self) -> None:
        """Create the series of known labels, so that their rate is 0 instead of absent."""
        for status in get_args(DocumentStatus):
            self._documents.labels(status)
        for reason in get_args(Reason):
            self._failures.labels(reason)
        for stage in ("read", "answer"):
            self._seconds.labels(stage)
        self._last.set_to_current_time()

    def begin(self, command: str, engine: str, depths: dict[str, Callable[[], float]]) -> None:
        """Set command and engine. ``depths`` holds a function for each queue that returns its length; the server's thread calls it."""
        self._info.info({"version": __version__, "command": command, "engine": engine})
        for queue, depth in depths.items():
            self._depth.labels(queue).set_function(depth)

    def add_cluster(self, state: Callable[[], Mapping[str, Any]]) -> None:
        """Add the metrics of a cluster. ``state`` returns what the driver last knew of its machines."""
        self.registry.register(_ClusterMetrics(state))

    def page_read(self, sha256: str, page: Page) -> None:
        """See Observer."""
        del sha256
        self._pages.labels("blank" if page.blank else page.source or "none").inc()
        self._seconds.labels("read").observe(page.seconds)

    def answer_received(self, answer: Answer) -> None:
        """See Observer."""
        self._seconds.labels("answer").observe(answer.seconds)

    def unit_finished(self, result: Result) -> None:
        """See Observer."""
        self._units.labels(result.status, result.key.template, result.reason or "").inc()
        self._last.set(time.time())

    def document_published(self, publication: Publication) -> None:
        """See Observer."""
        self._documents.labels(publication.status).inc()
        if publication.reason:
            self._failures.labels(publication.reason).inc()
        self._last.set(time.time())

    def reader_lost(self, name: str, page: int, reason: str) -> None:
        """See Observer."""
        del name, page, reason
        self._lost.inc()


class _ClusterMetrics(Collector):
    """The work of a cluster's actors, as the driver last knew it."""

    def __init__(self, state: Callable[[], Mapping[str, Any]]) -> None:
        self._state = state

    def collect(self) -> Iterator[prometheus.Metric]:
        """The present values. The server's thread calls this."""
        state = self._state()
        if not state:
            return
        actors = state["actors"]
        gauge, counter = GaugeMetricFamily, CounterMetricFamily
        yield gauge("pipeline_cluster_machines", "Machines of the cluster that are alive.", state["machines"])
        yield gauge("pipeline_cluster_actors", "Actors that are ready.", len(actors))
        yield gauge("pipeline_cluster_actors_starting", "Actors that are starting or waiting for room.", state["starting"])
        yield gauge("pipeline_cluster_units_waiting", "Units that wait for an actor.", state["waiting_units"])
        yield counter("pipeline_cluster_actors_lost", "Actors that were lost.", value=state["lost_actors"])
        yield counter("pipeline_cluster_units_retried", "Units whose actor or engine was lost.", value=state["retried_units"])
        for name, what in (("units", "Units that an actor is working on."), ("pages", "Pages that an actor is reading.")):
            family = gauge(f"pipeline_actor_{name}", what, labels=["actor", "host"])
            for actor in actors:
                family.add_metric([str(actor["actor"]), actor["host"]], actor[name])
            yield family
        answered = counter("pipeline_actor_answered", "Units that an actor has answered.", labels=["actor", "host"])
        for actor in actors:
            answered.add_metric([str(actor["actor"]), actor["host"]], actor["answered"])
        yield answered


@contextmanager
def serve_metrics(address: MetricsSettings) -> Iterator[RunMetrics]:
    """Metrics that are served at ``address`` until the context ends. Raises SettingsError when the address cannot be used."""
    metrics = RunMetrics()
    try:
        server = MetricsServer(
            address.host,
            address.port,
            lambda: prometheus.generate_latest(metrics.registry),
            prometheus.CONTENT_TYPE_LATEST,
        )
    except OSError as error:
        raise SettingsError(
            f"metrics cannot be served at {address.host}:{address.port}: {error.strerror or error}",
            "another program uses the port, or the address is not one of this machine: choose another --metrics-port or `metrics.host`",
        ) from error
    try:
        yield metrics
    finally:
        server.close()
