"""Object stores and a Ray cluster together: the driver fetches and sends, the machines read what it fetched."""

from __future__ import annotations

import pytest

from benchmarks.raycluster import cluster
from tests.remote.conftest import BucketRuns

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def test_objects_are_read_in_a_cluster_and_known_to_a_machine_without_one(runs: BucketRuns) -> None:
    pytest.importorskip("ray")
    names = ["a.pdf", "b/c.pdf"]
    for name in names:
        runs.put(name)
    with cluster(cpus=1) as made:
        done = runs.command("run", *runs.places, "--template", "transcript", "--address", made.address)
    assert done.returncode == 0, done.stderr
    assert {name: runs.texts(name) for name in names} == {name: [name] for name in names}
    assert sorted(row["file"] for row in runs.rows("documents")) == names, "rows stand in the order in which machines were done"
    runs.machine("second")
    again = runs.command("run", *runs.places, "--template", "transcript")
    assert "nothing to do: 2 files up to date" in again.stdout
