"""A Ray cluster on this machine, for tests and benchmarks: each of its machines is a raylet with a given number of processors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).parents[1]
STORE = 250_000_000
"""Bytes of each machine's object store."""
ENVIRONMENT = {
    "PYTHONPATH": str(ROOT),
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
    "RAY_enable_metrics_collection": "0",
}
_SKIPPED_PARTS = ("start_api_server", "start_monitor", "start_log_monitor")
"""Parts of a head that serve people and clouds; they take as long to start as the other parts together."""


@contextmanager
def cluster(cpus: int = 0) -> Iterator[Any]:
    """A ``ray.cluster_utils.Cluster`` whose head has so many processors."""
    from ray._private.node import Node
    from ray.cluster_utils import Cluster

    head = {"num_cpus": cpus, "object_store_memory": STORE, "include_dashboard": False}
    with mock.patch.dict(os.environ, ENVIRONMENT):
        with ExitStack() as stack:
            for name in _SKIPPED_PARTS:
                stack.enter_context(mock.patch.object(Node, name))
            started = start_with_retries(lambda: Cluster(initialize_head=True, head_node_args=head))
        try:
            yield started
        finally:
            started.shutdown()


def start_with_retries(start: Callable[[], Any]) -> Any:
    """The result of ``start``, tried several times: Ray allows it 30 seconds, which may be too few on a busy machine."""
    for _ in range(4):
        with suppress(Exception):
            return start()
    return start()
