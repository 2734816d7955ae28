"""A Ray cluster on this machine: every machine of it is a raylet with actors of its own, that can be killed like one."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psutil
import pytest

from benchmarks.raycluster import STORE, cluster, patiently


@dataclass
class Machines:
    """The cluster. The head has no processors of its own."""

    cluster: Any
    others: list[Any] = field(default_factory=list)

    @property
    def address(self) -> str:
        return str(self.cluster.address)

    def add(self, cpus: int = 1) -> Any:
        """A machine joins."""
        self.others.append(patiently(lambda: self.cluster.add_node(num_cpus=cpus, object_store_memory=STORE)))
        return self.others[-1]

    def kill(self, machine: Any) -> None:
        """All that runs on it ends at once, as when the power goes."""
        self.others.remove(machine)
        raylet = psutil.Process(machine.all_processes["raylet"][0].process.pid)
        for process in [raylet, *raylet.children(recursive=True)]:
            with suppress(ProcessLookupError):
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
    with cluster() as made:
        yield Machines(made)
