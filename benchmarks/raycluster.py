"""A Ray cluster on this machine, for tests and benchmarks: each of its machines is a raylet with as many processors as it is told."""

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
_UNWANTED = ("start_api_server", "start_monitor", "start_log_monitor")
"""Parts of a head that serve people and clouds; they take as long to start as all the rest."""


@contextmanager
def cluster(cpus: int = 0) -> Iterator[Any]:
    """``ray.cluster_utils.Cluster``, whose head has so many processors."""
    from ray._private.node import Node
    from ray.cluster_utils import Cluster

    head = {"num_cpus": cpus, "object_store_memory": STORE, "include_dashboard": False}
    with mock.patch.dict(os.environ, ENVIRONMENT):
        with ExitStack() as stack:
            for name in _UNWANTED:
                stack.enter_context(mock.patch.object(Node, name))
            made = patiently(lambda: Cluster(initialize_head=True, head_node_args=head))
        try:
            yield made
        finally:
            made.shutdown()


def patiently(start: Callable[[], Any]) -> Any:
    """What starts; Ray gives it 30 seconds, which may be too few where much else goes on."""
    for _ in range(4):
        with suppress(Exception):
            return start()
    return start()
