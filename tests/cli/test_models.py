"""`pipeline models` as a user meets it: real commands, a hub on loopback, and what goes wrong between the two."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from pipeline.engines.vlm.model_store import DEFAULT_MODEL, find_model, model_is_here
from pipeline.errors import EngineUnavailableError
from pipeline.install_hint import install_hint
from tests.cli.conftest import Outcome, Pipeline
from tests.hub import Hub, commit_of, write_checkpoint

NAME = "org/reader"
MEGABYTES = 6
MODEL_BYTES = MEGABYTES * 1_000_000


class Machine:
    """A machine with an empty cache whose commands know the hub."""

    def __init__(self, home: Path, hub: Hub, pipeline: Pipeline) -> None:
        self.home, self.hub, self.pipeline = home, hub, pipeline
        self.repository = home / "hub" / "models--org--reader"
        self.environment = {**os.environ, **hub.environment, "HF_HOME": str(home), "COLUMNS": "200"}
        for name in ("HF_TOKEN", "HF_HUB_CACHE", "HF_HUB_OFFLINE"):
            self.environment.pop(name, None)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "pipeline", "models", *arguments]
        return subprocess.Popen(
            command,
            text=True,
            env={**self.environment, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *arguments: str, answer: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, **environment)
        out, err = process.communicate(answer, timeout=60)
        assert "Traceback" not in err, err
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def offline(self, *arguments: str) -> Outcome:
        """In this process: quicker, for commands that need no hub."""
        return self.pipeline("models", *arguments)

    def listed(self) -> list[dict[str, Any]]:
        return list(self.offline("list", "--json").json)

    def partial_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.repository.glob("blobs/*.incomplete"))

    def blob(self, file: str) -> Path:
        return next(self.repository.glob(f"snapshots/*/{file}")).resolve()


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return write_checkpoint(tmp_path / "served", megabytes=MEGABYTES)


@pytest.fixture
def hub(checkpoint: Path) -> Iterator[Hub]:
    with Hub({NAME: checkpoint}) as hub:
        yield hub


@pytest.fixture
def machine(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pipeline: Pipeline) -> Machine:
    machine = Machine(tmp_path / "home", hub, pipeline)
    monkeypatch.setenv("HF_HOME", str(machine.home))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    return machine


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.02)


def test_a_model_is_pulled_once_and_then_used_without_network(machine: Machine, hub: Hub, checkpoint: Path) -> None:
    (checkpoint / "pytorch_model.bin").write_bytes(bytes(1000))
    (checkpoint / "modeling_own.py").write_text("raise SystemExit")
    (checkpoint / "consolidated.safetensors").write_bytes(bytes(1000))
    (checkpoint / "onnx").mkdir()
    (checkpoint / "onnx" / "config.json").write_text("{}")
    pulled = machine.run("pull", NAME)
    assert pulled.returncode == 0, pulled.stderr
    assert f"{NAME} at {commit_of(checkpoint)[:8]} is here, complete and verified" in pulled.stdout
    assert "6.0 MB in 7 files" in pulled.stderr
    assert sum(requests.path.startswith("/api/") for requests in hub.log) == 1
    model = find_model(NAME)
    assert {path.name for path in model.folder.iterdir()} == {
        "config.json", "tokenizer.json", "tokenizer_config.json", "preprocessor_config.json", "generation_config.json",
        "chat_template.jinja", "model.safetensors"
    }  # fmt: skip
    assert (model.folder / "model.safetensors").read_bytes() == (checkpoint / "model.safetensors").read_bytes()

    sent = hub.sent()
    again = machine.run("pull", NAME, "--json")
    assert (again.returncode, json.loads(again.stdout)["downloaded"]) == (0, 0)
    assert "is here already" in machine.run("pull", NAME).stdout
    assert hub.sent() == sent

    requests = len(hub.log)
    assert machine.run("pull", NAME, "--revision", commit_of(checkpoint)).returncode == 0
    (row,) = machine.listed()
    assert (row["name"], row["revision"], row["kind"], row["complete"], row["default"]) == (
        NAME, commit_of(checkpoint), "vision", True, False
    )  # fmt: skip
    output = machine.run("list").stdout
    assert f"{NAME}  {commit_of(checkpoint)[:8]}  6.0 MB  vision  complete" in output
    assert f"the default model {DEFAULT_MODEL} is not here; download it with: pipeline models pull\n" in output
    verified = machine.run("verify", NAME)
    assert (verified.returncode, verified.stdout) == (0, f"{NAME}: 7 files match the hub's hashes\n")
    assert model_is_here(NAME)
    assert model_is_here(NAME, "main")
    assert len(hub.log) == requests

    hub.stop()
    offline = machine.run("pull", NAME)
    assert offline.returncode == 0
    assert "cannot be reached" in offline.stderr
    assert "is here already" in offline.stdout


def test_the_libraries_find_what_was_pulled(machine: Machine, hub: Hub) -> None:
    assert machine.run("pull", NAME).returncode == 0
    hub.stop()
    program = f"from huggingface_hub import snapshot_download; print(snapshot_download({NAME!r}, local_files_only=True))"
    outcome = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=machine.environment)
    assert outcome.stdout.strip() == str(find_model(NAME).folder), outcome.stderr


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_download_that_was_broken_off_goes_on_where_it_stopped(machine: Machine, hub: Hub, how: signal.Signals) -> None:
    hub.bytes_a_second = 500_000  # slow enough for a busy machine to be stopped in time
    process = machine.start("pull", NAME)
    wait_for(lambda: machine.partial_bytes() >= 1_000_000)
    process.send_signal(how)
    _, err = process.communicate(timeout=20)
    here = machine.partial_bytes()
    assert 1_000_000 <= here < MODEL_BYTES
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert "of 6.0 MB are here; the next `pull` continues\n" in err
        assert "pipeline: interrupted; the same command continues" in err
    assert not model_is_here(NAME)
    (row,) = machine.listed()
    assert (row["complete"], row["lacks"]) == (False, ["model.safetensors"])
    assert row["bytes"] > here

    hub.bytes_a_second, earlier = None, len(hub.log)
    again = machine.run("pull", NAME)
    assert again.returncode == 0, again.stderr
    second = hub.log[earlier:]
    assert [a.range for a in second if "model.safetensors" in a.path] == [f"bytes={here}-"]
    assert sum(a.sent for a in second if "model.safetensors" in a.path) == find_model(NAME).bytes - here
    assert machine.offline("verify", NAME).code == 0


def test_a_connection_that_breaks_is_made_again(machine: Machine, hub: Hub) -> None:
    hub.drop_after, hub.drops = 2_500_000, 2
    pulled = machine.run("pull", NAME)
    assert pulled.returncode == 0, pulled.stderr
    requests = [a for a in hub.log if "model.safetensors" in a.path]
    assert len(requests) == 3
    assert all(a.range for a in requests[1:])
    assert sum(a.sent for a in requests) < 2 * MODEL_BYTES


@pytest.mark.slow
def test_a_hub_that_knows_no_ranges_begins_anew(machine: Machine, hub: Hub) -> None:
    hub.drop_after, hub.drops, hub.ranges = 2_500_000, 1, False
    assert machine.run("pull", NAME).returncode == 0
    assert machine.offline("verify", NAME).code == 0


@pytest.mark.slow
def test_a_hub_that_goes_away_is_reported_and_what_came_stays(machine: Machine, hub: Hub) -> None:
    hub.drop_after, hub.drops = 2_500_000, 1
    hub.bytes_a_second = 10_000_000
    process = machine.start("pull", NAME)
    wait_for(lambda: hub.drops == 0)
    hub.stop()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "the hub cannot be reached, or broke off" in err
    assert f"run `pipeline models pull {NAME}` again: it goes on where it stopped" in err
    assert machine.partial_bytes() > 2_000_000


@pytest.mark.parametrize("file", ["model.safetensors", "chat_template.jinja"])
def test_a_file_that_comes_damaged_is_refused_and_deleted(machine: Machine, hub: Hub, file: str) -> None:
    hub.flipped.add(file)
    pulled = machine.run("pull", NAME)
    assert pulled.returncode == 1
    assert f"{file} of {NAME} arrived damaged" in pulled.stderr
    assert not model_is_here(NAME)
    assert not machine.partial_bytes()
    for blob in machine.repository.glob("blobs/*"):
        assert blob.stat().st_size < MODEL_BYTES
    hub.flipped.clear()
    assert machine.run("pull", NAME).returncode == 0
    assert machine.offline("verify", NAME).code == 0


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True).returncode:
        pytest.skip("this test needs the right to mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(file: Path) -> None:
    """Write until the disk is full."""
    with suppress(OSError), file.open("wb", buffering=0) as big:
        while True:
            big.write(bytes(1 << 20))


def test_a_disk_without_room_is_reported_before_the_download(machine: Machine, hub: Hub, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 50_000_000) as disk:
        pulled = machine.run("pull", NAME, HF_HOME=str(disk))
        assert pulled.returncode == 1
        assert "not enough disk" in pulled.stderr
        assert "6.0 MB to download and 100.0 MB to spare, but only 50.0 MB free" in pulled.stderr
        assert not list(disk.iterdir())
    assert not [request for request in hub.log if "safetensors" in request.path]


@pytest.mark.slow
def test_a_disk_that_becomes_full_is_reported_and_nothing_half_is_taken(
    machine: Machine, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "disk", 110_000_000) as disk:
        other = Machine(disk, hub, machine.pipeline)
        monkeypatch.setenv("HF_HOME", str(disk))
        hub.bytes_a_second = 4_000_000
        process = other.start("pull", NAME)
        wait_for(lambda: other.partial_bytes() >= 1_000_000)
        fill(disk / "big")
        _, err = process.communicate(timeout=30)
        assert process.returncode == 1
        assert f"the disk with {disk / 'hub'} is full" in err
        assert "Traceback" not in err
        with pytest.raises(EngineUnavailableError, match=r"missing: model\.safetensors"):
            find_model(NAME)
        (disk / "big").unlink()
        hub.bytes_a_second = None
        assert other.run("pull", NAME).returncode == 0
        assert other.offline("verify", NAME).code == 0


@pytest.mark.slow
def test_two_pulls_at_once_download_once(machine: Machine, hub: Hub) -> None:
    hub.bytes_a_second = 6_000_000
    with ThreadPoolExecutor() as both:
        outcomes = list(both.map(lambda _: machine.run("pull", NAME), range(2)))
    assert [process.returncode for process in outcomes] == [0, 0], outcomes
    assert sum(request.sent for request in hub.log if "safetensors" in request.path) == find_model(NAME).bytes


def test_what_cannot_be_used_is_refused_before_its_weights_come(machine: Machine, hub: Hub, tmp_path: Path) -> None:
    pickled = write_checkpoint(tmp_path / "pickled", megabytes=0.1)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    remote = write_checkpoint(tmp_path / "remote", megabytes=0.1, auto_map={"AutoModel": "modeling.Own"})
    silent = write_checkpoint(tmp_path / "silent", megabytes=0.1)
    (silent / "tokenizer.json").unlink()
    hub.models.update({"org/pickled": pickled, "org/remote": remote, "org/silent": silent})
    for name, reason in {
        "org/pickled": "it holds no model.safetensors, only .bin files",
        "org/remote": "(auto_map), which is never run",
        "org/silent": "it holds no tokenizer",
    }.items():
        refused = machine.run("pull", name)
        assert (refused.returncode, reason in refused.stderr) == (2, True), refused.stderr
    assert not [request for request in hub.log if "model" in request.path.rpartition("/")[2]]
    assert machine.listed() == []


@pytest.mark.slow
def test_what_the_hub_refuses_is_reported_with_a_cure(machine: Machine, hub: Hub) -> None:
    unknown = machine.run("pull", "org/unknown")
    assert unknown.returncode == 2
    assert "the hub knows no model org/unknown, or it is private\n  check the spelling" in unknown.stderr
    assert "has no revision v9" in machine.run("pull", NAME, "--revision", "v9").stderr
    hub.status = 404
    assert "knows no model" in machine.run("pull", NAME).stderr
    hub.status = 403
    gated = machine.run("pull", NAME)
    assert gated.returncode == 2
    assert "is gated" in gated.stderr
    assert "HF_TOKEN" in gated.stderr
    hub.status = 500
    assert "the hub answered 500" in machine.run("pull", NAME).stderr
    hub.stop()
    alone = machine.run("pull", NAME)
    assert alone.returncode == 1
    assert "cannot be reached" in alone.stderr
    assert "HF_ENDPOINT for a mirror" in alone.stderr
    assert "HF_HUB_OFFLINE is set" in machine.run("pull", NAME, HF_HUB_OFFLINE="1").stderr


def test_a_token_goes_to_the_hub_and_not_to_the_storage_it_names(machine: Machine, hub: Hub, checkpoint: Path) -> None:
    with Hub({NAME: checkpoint}) as storage:
        hub.storage = storage
        assert machine.run("pull", NAME, HF_TOKEN="hf_secret").returncode == 0
        assert hub.log
        assert all(request.authorized for request in hub.log)
        assert storage.log
        assert not any(request.authorized for request in storage.log)
    assert machine.offline("verify", NAME).code == 0


@pytest.mark.parametrize("file", ["model.safetensors", "generation_config.json"])
def test_verify_finds_what_went_bad_and_pull_brings_only_that(machine: Machine, hub: Hub, file: str) -> None:
    assert machine.run("pull", NAME).returncode == 0
    blob = machine.blob(file)
    content = bytearray(blob.read_bytes())
    content[-5] ^= 1
    blob.write_bytes(content)
    verified = machine.offline("verify", NAME)
    assert verified.code == 1
    assert f"{file} is damaged and was deleted" in verified.out
    assert f"`pipeline models pull {NAME}` downloads the damaged files again" in verified.out
    assert not model_is_here(NAME)
    again = machine.offline("verify", NAME, "--json")
    assert again.code == 1
    assert {row["file"] for row in again.json if row["state"] == "missing"} == {file}
    earlier = len(hub.log)
    assert machine.run("pull", NAME).returncode == 0
    files = {a.path.rpartition("/")[2] for a in hub.log[earlier:] if "/resolve/" in a.path}
    assert files == {file, "config.json"}
    assert machine.offline("verify", NAME).code == 0


@pytest.mark.slow
def test_an_update_that_was_broken_off_leaves_the_old_revision_in_use(machine: Machine, hub: Hub, tmp_path: Path) -> None:
    assert machine.run("pull", NAME).returncode == 0
    old = find_model(NAME)
    hub.models[NAME] = write_checkpoint(tmp_path / "newer", megabytes=MEGABYTES, seed=1)
    hub.flipped.add("model.safetensors")
    assert machine.run("pull", NAME).returncode == 1
    assert find_model(NAME) == old
    hub.flipped.clear()
    assert machine.run("pull", NAME).returncode == 0
    assert find_model(NAME).revision == commit_of(hub.models[NAME])
    assert find_model(NAME, old.revision) == old


def test_a_damaged_revision_that_is_not_the_newest_is_requested_by_its_commit(
    machine: Machine, hub: Hub, tmp_path: Path
) -> None:
    assert machine.run("pull", NAME).returncode == 0
    old, blob = find_model(NAME).revision, machine.blob("model.safetensors")
    hub.models[NAME] = write_checkpoint(tmp_path / "newer", megabytes=MEGABYTES, seed=1)
    assert machine.run("pull", NAME).returncode == 0
    os.truncate(blob, 1000)
    assert (
        f"`pipeline models pull {NAME} --revision {old}` downloads the damaged files again"
        in machine.offline("verify", NAME).out
    )
    assert model_is_here(NAME)


def test_a_disk_without_links_holds_the_files_themselves(machine: Machine, hub: Hub) -> None:
    program = "import os, sys; os.symlink = lambda *_, **__: os.stat('/nowhere'); from pipeline.cli.main import main; main()"
    command = [sys.executable, "-c", program, "models", "pull", NAME]
    for output in ("complete and verified", "is here already"):
        outcome = subprocess.run(command, capture_output=True, text=True, env=machine.environment)
        assert (outcome.returncode, output in outcome.stdout) == (0, True), outcome.stderr
    assert not any(path.is_symlink() for path in find_model(NAME).folder.iterdir())
    verified = machine.offline("verify", NAME)
    assert (verified.code, "model.safetensors has no known hash: not checked" in verified.out) == (0, True)


def test_remove_asks_with_the_size_and_deletes_everything(machine: Machine, hub: Hub) -> None:
    assert machine.run("pull", NAME).returncode == 0
    requests = len(hub.log)
    refusal = machine.run("remove", NAME, answer="n\n")
    assert "delete org/reader (6.0 MB) from" in refusal.stdout
    assert "nothing was deleted" in refusal.stdout
    assert model_is_here(NAME)
    assert machine.run("remove", NAME, answer="y\n").returncode == 0
    assert not machine.repository.exists()
    assert machine.listed() == []
    assert machine.offline("remove", NAME, "--yes").code == 2
    assert machine.offline("verify", NAME).code == 4
    assert len(hub.log) == requests


def test_remove_also_deletes_a_broken_download(machine: Machine, hub: Hub) -> None:
    hub.bytes_a_second = 4_000_000
    process = machine.start("pull", NAME)
    wait_for(lambda: machine.partial_bytes() >= 1_000_000)
    process.kill()
    process.communicate(timeout=20)
    assert machine.run("remove", NAME, "--yes").returncode == 0
    assert not machine.repository.exists()


def test_paths_of_your_own_are_never_downloaded_or_deleted(machine: Machine, hub: Hub, checkpoint: Path) -> None:
    pulled = machine.offline("pull", str(checkpoint))
    assert (pulled.code, "is here already" in pulled.out) == (0, True)
    assert "no hashes to compare with" in machine.offline("verify", str(checkpoint)).out
    removed = machine.offline("remove", str(checkpoint), "--yes")
    assert (removed.code, checkpoint.is_dir()) == (2, True)
    assert not hub.log


def test_without_the_extra_the_command_that_installs_it_is_named(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "huggingface_hub" else find_spec(name))
    pulled = machine.offline("pull", NAME)
    assert pulled.code == 4
    assert f"not installed: huggingface_hub\n  {install_hint('vlm')}" in pulled.err
