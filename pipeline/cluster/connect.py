"""Connects to a Ray cluster and disconnects, without output: the only module that starts Ray, which is imported when it is needed."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from pipeline.errors import EngineUnavailableError, SettingsError
from pipeline.install_hint import install_hint
from pipeline.settings import RaySettings

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Ray ends a driver that has lost the cluster's head for this long; the driver notices earlier, and says how to go on.
    "RAY_gcs_rpc_server_reconnect_timeout_s": "600",
}
"""Environment of this process and of its children."""
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
def connect(settings: RaySettings) -> Iterator[ModuleType]:
    """Ray, connected to the cluster until the context ends. Raises EngineUnavailableError, SettingsError."""
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
        with _stderr_to_null():
            ray.init(address=settings.address, **options)
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
