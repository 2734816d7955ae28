"""Starts Python processes that open files of strangers: they get none of this process's secrets, folders and open files.

- The environment holds the variables of a list and no others. A document that takes a child over finds no token, key or password.
- No module or library is looked up in the folder where the program was started; the child's current folder is ``/``.
- A child ends with this process, also when this process is killed. Linux sends that signal when the *thread* that started the child
  ends. So one thread starts all children, and lives as long as the process.
"""

from __future__ import annotations

import ctypes
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable
from concurrent.futures import Future
from multiprocessing import spawn
from typing import Any

from pipeline.runtime.safe_path import module_path, safe_environment

_BY_PURPOSE = {
    "programs": "PATH LD_LIBRARY_PATH LD_PRELOAD DYLD_LIBRARY_PATH DYLD_FALLBACK_LIBRARY_PATH DYLD_FRAMEWORK_PATH SYSTEMROOT",
    "folders": "HOME TMPDIR TEMP TMP XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME FONTCONFIG_PATH FONTCONFIG_FILE TESSDATA_PREFIX",
    "person": "USER LOGNAME LANG LANGUAGE TZ TZDIR",
    "python": "PYTHONPATH PYTHONHOME PYTHONUSERBASE PYTHONNOUSERSITE PYTHONUTF8 PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX",
    "debugging": "PYTHONHASHSEED PYTHONMALLOC PYTHONFAULTHANDLER PYTHONDEVMODE PYTHONWARNINGS PYTHONOPTIMIZE VIRTUAL_ENV",
    "models": "HF_HOME HF_HUB_CACHE HUGGINGFACE_HUB_CACHE HF_HUB_OFFLINE CUDA_VISIBLE_DEVICES SSL_CERT_FILE SSL_CERT_DIR",
    "this program": "PIPELINE_LANGUAGE_FOLDER PIPELINE_OCR_THREADS",
    "coverage": "COVERAGE_PROCESS_START COVERAGE_PROCESS_CONFIG",
}
PASSED_VARIABLES = frozenset(name for names in _BY_PURPOSE.values() for name in names.split())
"""Variables that children get, by name. Secrets have no place here."""
PASSED_PREFIXES = (
    "LC_",
    "OMP_",
    "GOMP_",
    "KMP_",
    "MKL_",
    "OPENBLAS_",
    "ONEDNN_",
    "DNNL_",
    "TBB_",
    "ORT_",
    "OV_",
    "MALLOC_",
    "GLIBC_",
)
"""And by the beginning of the name: language, and the number of threads and the memory of numeric libraries."""
_CHILD_MAIN = """
import json, sys
path, main, arguments = json.loads(sys.argv[1])
sys.path[:] = path
module, function = main.split(":")
getattr(__import__(module, fromlist=[function]), function)(*arguments)
"""
"""What a child runs. ``multiprocessing`` would first import the script that started this process, and so run it a second time."""


ADDED_VARIABLES = {"ORT_DISABLE_TELEMETRY": "1"}
"""onnxruntime would record in the user's home how it is used, and send that to its makers."""


def child_environment(*also: str) -> dict[str, str]:
    """The environment of children; ``also`` names further variables that they need."""
    return safe_environment(
        ADDED_VARIABLES
        | {
            name: value
            for name, value in os.environ.items()
            if name in PASSED_VARIABLES or name in also or name.startswith(PASSED_PREFIXES)
        }
    )


def start_child(
    main: str, arguments: list[Any], descriptors: Iterable[int], *, also: Iterable[str] = (), folder: str | None = os.sep
) -> subprocess.Popen[bytes]:
    """Start a process that calls ``main``, a ``module:function``, with arguments that JSON can hold.

    It inherits the ``descriptors``, standard error, and nothing else. ``also`` names further variables that it needs; ``folder`` is its
    current one, None that of this process. The first thing that ``main`` must do is ``bind_to_parent``. Raises OSError.
    """
    text = json.dumps([module_path(), main, arguments])
    return _starter.start(
        [spawn.get_executable(), "-P", "-c", _CHILD_MAIN, text],
        pass_fds=tuple(descriptors),
        env=child_environment(*also),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


class _Starter:
    """The thread that starts processes. A forked process makes one of its own."""

    def __init__(self) -> None:
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._orders: queue.SimpleQueue[tuple[Future[subprocess.Popen[bytes]], list[Any], dict[str, Any]]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self, command: list[Any], **options: Any) -> subprocess.Popen[bytes]:
        """As ``subprocess.Popen``. Raises OSError."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, args=(self._orders,), name="children", daemon=True)
                self._thread.start()
        future: Future[subprocess.Popen[bytes]] = Future()
        self._orders.put((future, command, options))
        return future.result()

    @staticmethod
    def _run(orders: queue.SimpleQueue[tuple[Future[subprocess.Popen[bytes]], list[Any], dict[str, Any]]]) -> None:
        while True:
            future, command, options = orders.get()
            try:
                future.set_result(subprocess.Popen(command, **options))
            except BaseException as error:  # raised again in the thread that waits
                future.set_exception(error)
            del future, command, options


_starter = _Starter()


def bind_to_parent(parent: int) -> None:
    """End this process with the one that started it, and ignore signals: they go to the whole group, and the parent acts on them."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(0)
