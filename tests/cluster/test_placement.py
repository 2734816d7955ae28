"""Where actors go: which machines have room for how many."""

from __future__ import annotations

from pipeline.cluster.actor import parse_cpu_list
from pipeline.cluster.placement import ActorPlace, Machine, actor_places
from pipeline.settings_sections import RaySettings

GIGABYTE = 10**9


def machine(cpus: int, memory: float = 100 * GIGABYTE) -> Machine:
    return Machine("n", "host", cpus, memory)


def test_an_actor_for_every_numa_node_keeps_to_it_where_the_whole_machine_is_ours() -> None:
    groups = [(0, 1, 2), (3, 4, 5)]
    assert actor_places(machine(6), RaySettings(), groups) == [
        ActorPlace("n", 0, 3, (0, 1, 2)),
        ActorPlace("n", 1, 3, (3, 4, 5)),
    ]
    assert actor_places(machine(4), RaySettings(), groups) == [ActorPlace("n", 0, 2), ActorPlace("n", 1, 2)]
    assert actor_places(machine(1), RaySettings(), groups) == [ActorPlace("n", 0, 1)]
    assert actor_places(machine(3), RaySettings(), [(0, 1, 2)]) == [ActorPlace("n", 0, 3)], (
        "one group is no reason to pin anything"
    )


def test_cores_and_memory_say_how_many_actors_fit() -> None:
    assert len(actor_places(machine(10), RaySettings(cpus=4), [])) == 2
    assert len(actor_places(machine(10, 20 * GIGABYTE), RaySettings(cpus=1, memory_gb=8), [])) == 2
    assert actor_places(machine(2), RaySettings(cpus=4), []) == []


def test_processors_are_listed_as_the_kernel_writes_them() -> None:
    assert parse_cpu_list("0-2,8,10-11\n") == {0, 1, 2, 8, 10, 11}
    assert parse_cpu_list("") == set()
