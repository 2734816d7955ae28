"""Connects to a Ray cluster and disconnects, without output: the only module that starts Ray, which is imported when it is needed."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import ModuleType
from typing import Any

from pipeline.errors import EngineUnavailableError, SettingsError
from pipeline.install_hint import install_hint
from pipeline.runtime.child_process import child_environment
from pipeline.runtime.safe_path import IS_INSTALLED, PACKAGE_PARENT
from pipeline.settings_sections import RaySettings

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Ray ends a driver that has lost the cluster's head for this long; the driver notices earlier, and says how to go on.
    "RAY_gcs_rpc_server_reconnect_timeout_s": "600",
}
"""Environment of this process and of its children."""
LOCAL_VARIABLE = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""With "0" Ray's processes use the loopback address for themselves, on Linux too."""
CONNECT_SECONDS = 10.0
LOGGER = logging.getLogger("pipeline.cluster")


def import_ray() -> ModuleType:
    """The library. Raises EngineUnavailableError when it is not installed."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise EngineUnavailableError("Ray is not installed", install_hint("ray")) from error
    return ray


@contextmanager
def connect(settings: RaySettings, needed: tuple[str, ...] = ()) -> Iterator[ModuleType]:
    """Ray, connected to the cluster until the context ends. Raises EngineUnavailableError, SettingsError.

    ``needed`` names variables that engines need beyond those of all children; a cluster that is started here gets no others.
    """
    if "://" in settings.address:
        raise SettingsError(
            f"ray.address: {settings.address}: Ray's client is not supported", "run the command on a machine of the cluster"
        )
    ray = import_ray()
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL, "namespace": "pipeline"}
    if settings.address == "local":
        options["include_dashboard"] = False
    _redirect_messages(ray)
    try:
        _check_port(settings.address)
        with _local_only(ray, needed) if settings.address == "local" else nullcontext(), _stderr_to_null():
            ray.init(address=settings.address, job_config=_job_config(), **options)
    except Exception as error:  # ConnectionError, RuntimeError, ValueError
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise EngineUnavailableError(
            f"no Ray cluster at {settings.address}: {lines[0][:300]}",
            "start one with `ray start --head`, name one with --address, or take --address local",
        ) from error
    try:
        yield ray
    finally:
        with contextlib.suppress(Exception):
            ray.shutdown()


def _job_config() -> Any:
    """A job whose workers do not look for modules in the driver's current folder, which Ray puts first on their path."""
    from ray.job_config import JobConfig

    class SafeJobConfig(JobConfig):  # type: ignore[misc, unused-ignore]
        def _serialize(self) -> Any:
            self._py_driver_sys_path = [] if IS_INSTALLED else [PACKAGE_PARENT]
            return super()._serialize()

    return SafeJobConfig()


@contextmanager
def _local_only(ray: ModuleType, needed: tuple[str, ...]) -> Iterator[None]:
    """While it lasts, Ray starts processes that listen on 127.0.0.1 alone and have no secrets but those named.

    Everybody who reaches a port of Ray can run code. Without this, Ray listens on all addresses of the machine, except on macOS.
    """
    constants: Any = ray._private.ray_constants
    before, present = dict(os.environ), constants.ENABLE_RAY_CLUSTER
    own = {name: value for name, value in before.items() if name.startswith("RAY_")}
    constants.ENABLE_RAY_CLUSTER = False
    try:
        _set_environment({**child_environment(*needed), **own, **ENVIRONMENT, LOCAL_VARIABLE: "0"})
        yield
    finally:
        _set_environment(before)
        constants.ENABLE_RAY_CLUSTER = present


def _set_environment(variables: dict[str, str]) -> None:
    for name in os.environ.keys() - variables.keys():
        del os.environ[name]
    os.environ.update(variables)


def _check_port(address: str) -> None:
    """Raises OSError when the port is closed. Ray would wait for many minutes."""
    if address == "auto":
        address = os.environ.get("RAY_ADDRESS", "")
        with contextlib.suppress(Exception):  # a private function of Ray may change; then Ray finds the address itself
            from ray._private.services import canonicalize_bootstrap_address

            address = canonicalize_bootstrap_address(address or "auto") or ""
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()


@contextmanager
def _stderr_to_null() -> Iterator[None]:
    """Discard standard error: Ray's native part prints there before it reads its settings."""
    stderr, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(null)


def _redirect_messages(ray: ModuleType) -> None:
    """Write to the log what Ray would print about machines that leave."""

    def note(data: dict[str, Any], **_: Any) -> None:
        lines = " ".join(str(line) for line in data.get("lines", ()))
        LOGGER.info("cluster_message", extra={"fields": {"detail": " ".join(lines.split())[:500]}})

    with contextlib.suppress(AttributeError):
        worker: Any = ray._private.worker
        if hasattr(worker, "print_to_stdstream"):
            worker.print_to_stdstream = note
