"""Converts office files with LibreOffice, where it is installed: old Word, Excel and PowerPoint files, and pages as it draws them.

It runs without a window, with a profile of its own in a folder that is deleted, and ends with the process that started it. Macros do not
run, links are not followed: the profile forbids both, and a proxy that does not exist takes what would still go to the network.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from pipeline.errors import DocumentError

_PROGRAMS = ("soffice", "libreoffice")
_FOLDERS = ("/usr/lib/libreoffice/program", "/usr/lib64/libreoffice/program", "/opt/libreoffice/program")
_MAC = "/Applications/LibreOffice.app/Contents/MacOS/soffice"
INSTALL = "on Debian and Ubuntu: apt-get install libreoffice-writer-nogui libreoffice-calc-nogui libreoffice-impress-nogui"
"""What installs the parts of it that are needed."""
MAX_RESULT = 1_000_000_000
"""Bytes of a converted file."""
MAX_STARTS = 3
_RESTART = (79, 81)
"""Exit codes with which it asks to be started again, as after the first start of a profile (desktop/source/app/exithelper.h)."""
TIME_SHARE = 0.9
"""Of the time that a page may take, how much LibreOffice gets."""
_SETTINGS = {
    "/org.openoffice.Office.Common/Security/Scripting": {
        "MacroSecurityLevel": ("int", "3"),
        "DisableMacrosExecution": ("boolean", "true"),
        "DisablePythonRuntime": ("boolean", "true"),
        "DisableActiveContent": ("boolean", "true"),
        "DisableOLEAutomation": ("boolean", "true"),
        "BlockUntrustedRefererLinks": ("boolean", "true"),
    },
    "/org.openoffice.Office.Calc/Content/Update": {"Link": ("short", "1")},
    "/org.openoffice.Office.Calc/Formula/Load": {"OOXMLRecalcMode": ("int", "1"), "ODFRecalcMode": ("int", "1")},
    "/org.openoffice.Office.Writer/Content/Update": {"Link": ("int", "0"), "Field": ("boolean", "false")},
    "/org.openoffice.Inet/Settings": {
        "ooInetProxyType": ("int", "2"),
        "ooInetHTTPProxyName": ("string", "127.0.0.1"),
        "ooInetHTTPProxyPort": ("int", "9"),
        "ooInetHTTPSProxyName": ("string", "127.0.0.1"),
        "ooInetHTTPSProxyPort": ("int", "9"),
        "ooInetNoProxy": ("string", ""),
    },
    "/org.openoffice.Office.Jobs/Jobs/org.openoffice.Office.Jobs:Job['UpdateCheck']/Arguments": {
        "AutoCheckEnabled": ("boolean", "false")
    },
}
"""Values of its profile (org.openoffice.* schemas): macros off, links never updated, formulas not computed again, no network."""


def find_program() -> str | None:
    """The program itself; None where LibreOffice is not installed. ``soffice`` is only a script that starts it."""
    for folder in _folders():
        if os.access(binary := Path(folder, "soffice.bin"), os.X_OK):
            return str(binary)
    return _MAC if os.access(_MAC, os.X_OK) else None


def _folders() -> list[str]:
    found = [str(Path(os.path.realpath(path)).parent) for name in _PROGRAMS if (path := shutil.which(name))]
    return [*found, *_FOLDERS]


@cache
def version() -> str:
    """The installed version, as ``LibreOffice 7.4``; empty without one."""
    program = find_program()
    if not program:
        return ""
    for name in ("versionrc", "bootstraprc"):
        try:
            lines = (Path(program).parent / name).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            key, _, value = line.partition("=")
            if key in ("AboutBoxVersion", "ProductKey") and value:
                return value if value.startswith("LibreOffice") else f"LibreOffice {value}"
    return "LibreOffice"


def convert(file: BinaryIO, suffix: str, target: str, seconds: float, what: str) -> bytes:
    """The file in another format (``docx``, ``xlsx``, ``pptx``, ``pdf``). ``suffix`` is that of its own, ``what`` names it to people.

    Raises DocumentError: ``unsupported`` without LibreOffice, ``timeout``, ``unreadable`` where it cannot be converted.
    """
    program = find_program()
    if not program:
        raise DocumentError(
            "unsupported",
            f"{what}: LibreOffice, which converts it, is not installed here; install it, or save the file as .{target} or PDF",
        )
    with TemporaryDirectory(prefix="pipeline-office-") as name:
        folder = Path(name)
        source = folder / f"document{suffix}"
        file.seek(0)
        with source.open("wb") as copy:
            shutil.copyfileobj(file, copy)
        (folder / "out").mkdir()
        _write_profile(folder / "profile")
        _run(program, folder, source, target, seconds * TIME_SHARE, what)
        result = folder / "out" / f"document.{target}"
        if not result.is_file() or not 0 < result.stat().st_size <= MAX_RESULT:
            raise DocumentError(
                "unreadable", f"{what}: LibreOffice cannot open it; open it in its own program and save it as PDF"
            )
        return result.read_bytes()


def _run(program: str, folder: Path, source: Path, target: str, seconds: float, what: str) -> None:
    command = [
        program, "--headless", "--invisible", "--norestore", "--nologo", "--nodefault", "--nolockcheck", "--nofirststartwizard",
        f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--convert-to", target, "--outdir", str(folder / "out"), str(source),
    ]  # fmt: skip
    environment = {
        "PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "TMPDIR": str(folder), "LANG": os.environ.get("LANG", "C.UTF-8"),
        "SAL_USE_VCLPLUGIN": "svp", "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9",
    }  # fmt: skip
    memory, parent = resource.getrlimit(resource.RLIMIT_AS), os.getpid()
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    end = time.monotonic() + seconds
    for _ in range(MAX_STARTS):
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, preexec_fn=lambda: _bind(parent, memory, library),
        )  # fmt: skip
        try:
            code = process.wait(max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise DocumentError("timeout", f"{what}: LibreOffice needed more than {seconds:.0f} s (limits.seconds)") from None
        finally:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if code not in _RESTART:
            return


def _bind(parent: int, memory: tuple[int, int], library: ctypes.CDLL | None) -> None:
    """In the new process: end with the reader, and keep its memory limit."""
    if library is not None:
        pr_set_pdeathsig = 1
        library.prctl(pr_set_pdeathsig, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
    resource.setrlimit(resource.RLIMIT_AS, memory)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _write_profile(folder: Path) -> None:
    items = "".join(
        f'<item oor:path="{path.replace(chr(39), "&apos;")}"><prop oor:name="{name}" oor:op="fuse"><value>{value}</value></prop></item>'
        for path, values in _SETTINGS.items()
        for name, (_, value) in values.items()
    )
    (folder / "user").mkdir(parents=True)
    (folder / "user" / "registrymodifications.xcu").write_text(
        '<?xml version="1.0" encoding="UTF-8"?><oor:items xmlns:oor="http://openoffice.org/2001/registry" '
        f'xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{items}</oor:items>',
        encoding="utf-8",
    )
