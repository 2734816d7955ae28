"""Where parts of containers are unpacked to, and the names that they have in the ledger and in the outbox."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

from pipeline.intake.container_worker import UnpackOrder
from pipeline.intake.scan import InboxFile
from pipeline.ledger.contained_records import container_passwords
from pipeline.object_urls import url_of
from pipeline.records import Source
from pipeline.run.container_tree import ContainerTree
from pipeline.run.job import Job
from pipeline.run.rebuilt_records import with_rebuilt_record


def unpacked_folder(job: Job, name: str) -> Path:
    """The folder for the parts of the container with this result. Their paths in the ledger begin with it."""
    return job.unpacked_root / hashlib.sha256(name.encode()).hexdigest()[:16]


def unpack_order(job: Job, tree: ContainerTree) -> UnpackOrder:
    """How a container is taken apart."""
    settings = job.settings
    return UnpackOrder(
        tree.run.file.location,
        unpacked_folder(job, tree.name),
        settings.limits.megabytes * 1_000_000,
        Path(tree.run.file.source.relative).name,
        tree.host,
        ignore=tuple(settings.intake.ignore),
        passwords=tuple(settings.limits.passwords),
        own_passwords=container_passwords(job.ledger, tree.name, tree.run.sha256),
    )


def adopt_older(job: Job, tree: ContainerTree) -> None:
    """Take over the parts that an older version has recorded for an archive, by its path."""
    path, folder = tree.run.file.source.path, unpacked_folder(job, tree.name)
    location = url_of(job.settings.objects_folder, path) or path
    older = job.unpacked_root / hashlib.sha256(os.fsencode(location)).hexdigest()[:16]
    if job.ledger.first_name_below(older) and not job.ledger.first_name_below(folder):
        job.ledger.record_folder_move(older, folder)


def known_source(job: Job, tree: ContainerTree, key: str, original_name: str, path: Path, sha256: str) -> Source:
    """Path and names of a part: those that the ledger knows, also one that was made anew from the results, else new ones."""
    preferred = f"{tree.name}/{key}"
    source = Source(path, preferred, f"{tree.run.file.source.relative}/{original_name}")
    if record := job.ledger.file_at(path):
        return replace(source, name=record.source.name)
    restored = with_rebuilt_record(job, InboxFile(source, 0, 0), sha256).source
    if job.ledger.file_at(path):
        return restored
    return replace(source, name=job.outbox_names.within(path, preferred))
