"""Where actors go: which machines have room for how many, and which processors each of them gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.settings import RaySettings

GIGABYTE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """Room for one actor. ``node`` is Ray's name of the machine, empty where Ray is to choose one."""

    node: str
    index: int
    cpus: int
    cores: tuple[int, ...] = ()
    """Processors to keep to; none are all."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine of the cluster that is alive, and what Ray may use of it."""

    node: str
    host: str
    cpus: int
    memory: float
    """Bytes."""


def machines(nodes: Sequence[Mapping[str, Any]]) -> list[Machine]:
    """Those of ``ray.nodes()`` that are alive."""
    return [
        Machine(
            node["NodeID"],
            node.get("NodeManagerHostname") or node.get("NodeManagerAddress", ""),
            int(node["Resources"].get("CPU", 0)),
            float(node["Resources"].get("memory", 0)),
        )
        for node in nodes
        if node["Alive"]
    ]


def places(machine: Machine, settings: RaySettings, groups: Sequence[tuple[int, ...]]) -> list[Place]:
    """Places on one machine; ``groups`` are its processors by NUMA node, which matter where nobody said how many an actor has.

    An actor keeps to its NUMA node where Ray may use all of the machine; where it may use a part, there is no telling which.
    """
    if settings.cpus:
        count = machine.cpus // settings.cpus
        found = [Place(machine.node, index, settings.cpus) for index in range(count)]
    elif machine.cpus >= sum(map(len, groups)):
        found = [Place(machine.node, index, len(cores), cores if len(groups) > 1 else ()) for index, cores in enumerate(groups)]
    else:
        count = min(len(groups), machine.cpus)
        found = [Place(machine.node, index, machine.cpus // count) for index in range(count)]
    if settings.memory_gb:
        found = found[: int(machine.memory // (settings.memory_gb * GIGABYTE))]
    return found
