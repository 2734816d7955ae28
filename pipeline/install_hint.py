"""How to install an optional part (an extra) of this program.

The distribution is called ``inbox-pipeline``; on the package index ``pipeline`` is somebody else's. So a hint never names a package to
fetch by name: it points to where this installation came from, or to docs/install.md.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import shlex
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

DISTRIBUTION = "inbox-pipeline"


def install_hint(*extras: str) -> str:
    """What installs ``extras``: the exact command where this was installed from a folder, a wheel or a repository, else the page to read.

    The origin is what the installer wrote to ``direct_url.json`` (PEP 610).
    """
    names = ",".join(extras)
    requirement = _requirement(_direct_url(), names)
    if requirement is None:
        listed = " and ".join(f"`{extra}`" for extra in extras)
        return f"install the extra{'s' if len(extras) > 1 else ''} {listed}: docs/install.md"
    python = shlex.quote(sys.executable)
    if importlib.util.find_spec("pip"):
        return f"{python} -m pip install {requirement}"
    return f"uv pip install --python {python} {requirement}"


def _direct_url() -> dict[str, Any]:
    """The contents of ``direct_url.json``; empty where there is none."""
    try:
        origin = json.loads(importlib.metadata.distribution(DISTRIBUTION).read_text("direct_url.json") or "{}")
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return {}
    return origin if isinstance(origin, dict) else {}


def _requirement(origin: dict[str, Any], extras: str) -> str | None:
    """The argument of ``pip install``, quoted for a shell; None where the origin is unknown or gone."""
    url = str(origin.get("url", ""))
    version_control = origin.get("vcs_info")
    if isinstance(version_control, dict):
        commit = f"@{version_control['commit_id']}" if version_control.get("commit_id") else ""
        return shlex.quote(f"{DISTRIBUTION}[{extras}] @ {version_control.get('vcs', 'git')}+{url}{commit}")
    if urlsplit(url).scheme != "file":
        return None
    path = Path(url2pathname(urlsplit(url).path))
    if not path.exists():
        return None
    folder = origin.get("dir_info")
    editable = "--editable " if isinstance(folder, dict) and folder.get("editable") else ""
    return editable + shlex.quote(f"{path}[{extras}]")
