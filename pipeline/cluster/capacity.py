"""How many actors a cluster has room for, without starting any."""

from __future__ import annotations

from pipeline.cluster.actor import numa_cores
from pipeline.cluster.connect import joined
from pipeline.cluster.placement import machines, places
from pipeline.errors import EngineUnavailableError
from pipeline.settings import RaySettings

PROBE_SECONDS = 60.0
"""How long machines may take to tell their NUMA nodes."""


def survey(settings: RaySettings) -> list[int]:
    """The cores of each actor that the machines have room for, were they free. Raises EngineUnavailableError, SettingsError."""
    with joined(settings) as ray:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        there = [machine for machine in machines(ray.nodes()) if machine.cpus]
        probe = ray.remote(numa_cores)
        asked = {
            machine.node: probe.options(
                num_cpus=0, scheduling_strategy=NodeAffinitySchedulingStrategy(machine.node, soft=True)
            ).remote()
            for machine in there
            if not settings.cpus
        }
        try:
            groups = dict(zip(asked, ray.get(list(asked.values()), timeout=PROBE_SECONDS), strict=True))
        except ray.exceptions.RayError as error:
            raise EngineUnavailableError(
                f"a machine of the cluster does not answer: {type(error).__name__}", "set ray.cpus, or look at `ray status`"
            ) from error
        found = [place.cpus for machine in there for place in places(machine, settings, groups.get(machine.node, []))]
    return found[: settings.actors or None]
