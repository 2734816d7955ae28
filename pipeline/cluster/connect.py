"""Joining a Ray cluster and leaving it, quietly: the only place that starts Ray, which is imported when somebody asks for it."""

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

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Ray ends a driver that has lost the cluster's head for this long; ours says so itself before, and how to go on.
    "RAY_gcs_rpc_server_reconnect_timeout_s": "600",
}
"""Environment of this process and of those that it starts."""
KNOCK_SECONDS = 10.0
LOGGER = logging.getLogger("pipeline.cluster")


def import_ray() -> ModuleType:
    """The library. Raises EngineUnavailableError when it is not installed."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise EngineUnavailableError("Ray is not installed", install_hint("ray")) from error
    return ray


@contextmanager
def joined(settings: RaySettings) -> Iterator[ModuleType]:
    """Ray, connected to the cluster until the context ends. Raises EngineUnavailableError, SettingsError."""
    if "://" in settings.address:
        raise SettingsError(
            f"ray.address: {settings.address}: Ray's client is not supported", "run the command on a machine of the cluster"
        )
    ray = import_ray()
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL, "namespace": "pipeline"}
    if settings.address == "local":
        quiet["include_dashboard"] = False
    _hush(ray)
    try:
        _knock(settings.address)
        with _silent():
            ray.init(address=settings.address, **quiet)
    except Exception as error:  # ConnectionError, RuntimeError, ValueError, as it comes
        told = str(error).strip().splitlines() or [type(error).__name__]
        raise EngineUnavailableError(
            f"no Ray cluster at {settings.address}: {told[0][:300]}",
            "start one with `ray start --head`, name one with --address, or take --address local",
        ) from error
    try:
        yield ray
    finally:
        with contextlib.suppress(Exception):
            ray.shutdown()


def _knock(address: str) -> None:
    """Whether somebody listens there: Ray would wait for many minutes. Raises OSError."""
    if address == "auto":
        address = os.environ.get("RAY_ADDRESS", "")
        with contextlib.suppress(Exception):  # what belongs to Ray alone may change; then it has to find out itself
            from ray._private.services import canonicalize_bootstrap_address

            address = canonicalize_bootstrap_address(address or "auto") or ""
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK_SECONDS).close()


@contextmanager
def _silent() -> Iterator[None]:
    """Standard error goes nowhere: Ray's native part greets there before it knows that it shall not."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _hush(ray: ModuleType) -> None:
    """What Ray would print about machines that go becomes a line of the log."""

    def note(data: dict[str, Any], **_: Any) -> None:
        lines = " ".join(str(line) for line in data.get("lines", ()))
        LOGGER.info("cluster_message", extra={"fields": {"detail": " ".join(lines.split())[:500]}})

    with contextlib.suppress(AttributeError):
        worker: Any = ray._private.worker
        if hasattr(worker, "print_to_stdstream"):
            worker.print_to_stdstream = note
