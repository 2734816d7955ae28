"""A Ray cluster on this machine: every machine of it is a raylet with actors of its own, that can be killed like one."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import psutil
import pytest

ROOT = Path(__file__).parents[2]
STORE = 100_000_000
ENVIRONMENT = {
    "PYTHONPATH": str(ROOT),
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
    "RAY_enable_metrics_collection": "0",
}
UNWANTED = ("start_api_server", "start_monitor", "start_log_monitor")
"""Parts of a head that serve people and clouds; they take as long to start as all the rest."""


@dataclass
class Machines:
    """The cluster. The head has no processors of its own."""

    cluster: Any
    address: str
    others: list[Any] = field(default_factory=list)

    def add(self, cpus: int = 1) -> Any:
        """A machine joins."""
        self.others.append(self.cluster.add_node(num_cpus=cpus, object_store_memory=STORE))
        return self.others[-1]

    def kill(self, machine: Any) -> None:
        """All that runs on it ends at once, as when the power goes."""
        self.others.remove(machine)
        raylet = psutil.Process(machine.all_processes["raylet"][0].process.pid)
        for process in [raylet, *raylet.children(recursive=True)]:
            os.kill(process.pid, signal.SIGKILL)
        self.cluster.remove_node(machine, allow_graceful=False)

    def only(self, count: int, cpus: int = 1) -> None:
        """So many machines, whatever there was."""
        while len(self.others) > count:
            self.kill(self.others[-1])
        while len(self.others) < count:
            self.add(cpus)


@pytest.fixture(scope="package")
def machines() -> Iterator[Machines]:
    """One cluster for all tests here."""
    pytest.importorskip("ray")
    from ray._private.node import Node
    from ray.cluster_utils import Cluster

    with mock.patch.dict(os.environ, ENVIRONMENT):
        with mock.patch.multiple(Node, **{name: lambda *_, **__: None for name in UNWANTED}):
            head = {"num_cpus": 0, "object_store_memory": STORE, "include_dashboard": False}
            cluster = Cluster(initialize_head=True, head_node_args=head)
        made = Machines(cluster, cluster.address)
        try:
            yield made
        finally:
            cluster.shutdown()
