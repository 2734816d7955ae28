"""Where actors go: how many fit on each machine, and which processors each of them gets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.settings_sections import RaySettings

GIGABYTE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class ActorPlace:
    """Room for one actor. ``node`` is Ray's name of the machine, empty where Ray is to choose one."""

    node: str
    index: int
    cpus: int
    cores: tuple[int, ...] = ()
    """Processors to keep to; none means all."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine of the cluster that is alive, and what Ray may use of it."""

    node: str
    host: str
    cpus: int
    memory: float
    """Bytes."""


def alive_machines(nodes: Sequence[Mapping[str, Any]]) -> list[Machine]:
    """The machines of ``ray.nodes()`` that are alive."""
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


def actor_places(machine: Machine, settings: RaySettings, groups: Sequence[tuple[int, ...]]) -> list[ActorPlace]:
    """Places on one machine. ``groups`` are its processors by NUMA node; they matter where no setting says how many an actor has.

    An actor keeps to its NUMA node where Ray may use all of the machine. Where it may use a part, that part is not known.
    """
    if settings.cpus:
        count = machine.cpus // settings.cpus
        places = [ActorPlace(machine.node, index, settings.cpus) for index in range(count)]
    elif machine.cpus >= sum(map(len, groups)):
        places = [
            ActorPlace(machine.node, index, len(cores), cores if len(groups) > 1 else ()) for index, cores in enumerate(groups)
        ]
    else:
        count = min(len(groups), machine.cpus)
        places = [ActorPlace(machine.node, index, machine.cpus // count) for index in range(count)]
    if settings.memory_gb:
        places = places[: int(machine.memory // (settings.memory_gb * GIGABYTE))]
    return places
