"""A Ray cluster on this machine: each of its machines is a raylet with actors of its own, and can be killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psutil
import pytest

from benchmarks.raycluster import STORE, cluster, start_with_retries


@dataclass
class ClusterMachines:
    """The cluster. The head has no processors of its own."""

    cluster: Any
    workers: list[Any] = field(default_factory=list)

    @property
    def address(self) -> str:
        return str(self.cluster.address)

    def add(self, cpus: int = 1) -> Any:
        """Start a machine."""
        self.workers.append(start_with_retries(lambda: self.cluster.add_node(num_cpus=cpus, object_store_memory=STORE)))
        return self.workers[-1]

    def kill(self, machine: Any) -> None:
        """End all processes of a machine at once, as when its power fails."""
        self.workers.remove(machine)
        raylet = psutil.Process(machine.all_processes["raylet"][0].process.pid)
        for process in [raylet, *raylet.children(recursive=True)]:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        self.cluster.remove_node(machine, allow_graceful=False)

    def set_count(self, count: int, cpus: int = 1) -> None:
        """Add or kill machines until there are so many."""
        while len(self.workers) > count:
            self.kill(self.workers[-1])
        while len(self.workers) < count:
            self.add(cpus)


@pytest.fixture(scope="package")
def machines() -> Iterator[ClusterMachines]:
    """One cluster for all tests here."""
    pytest.importorskip("ray")
    with cluster() as made:
        yield ClusterMachines(made)
