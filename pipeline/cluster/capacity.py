"""How many actors a cluster has room for, without starting any."""

from __future__ import annotations

from pipeline.cluster.actor import numa_cores
from pipeline.cluster.connect import connect
from pipeline.cluster.placement import actor_places, alive_machines
from pipeline.errors import EngineUnavailableError
from pipeline.settings_sections import RaySettings

PROBE_SECONDS = 60.0
"""How long machines may take to list their NUMA nodes."""


def actor_cores(settings: RaySettings) -> list[int]:
    """The number of cores of each actor that would fit on idle machines. Raises EngineUnavailableError, SettingsError."""
    with connect(settings) as ray:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        machines = [machine for machine in alive_machines(ray.nodes()) if machine.cpus]
        probe = ray.remote(numa_cores)
        probes = {
            machine.node: probe.options(
                num_cpus=0, scheduling_strategy=NodeAffinitySchedulingStrategy(machine.node, soft=True)
            ).remote()
            for machine in machines
            if not settings.cpus
        }
        try:
            groups = dict(zip(probes, ray.get(list(probes.values()), timeout=PROBE_SECONDS), strict=True))
        except ray.exceptions.RayError as error:
            raise EngineUnavailableError(
                f"a machine of the cluster does not answer: {type(error).__name__}", "set ray.cpus, or look at `ray status`"
            ) from error
        cores = [place.cpus for machine in machines for place in actor_places(machine, settings, groups.get(machine.node, []))]
    return cores[: settings.actors or None]
