"""Keeps the current folder out of every path on which code is found by name.

The current folder is often the one with the documents. A file ``struct.py`` or ``libz.so.1`` in it comes from a stranger, and Python or
the dynamic linker would execute it. The command line calls this before it imports anything else, so this module imports only what
Python itself has loaded by then, and no ``__future__``.
"""

import os
import sys

PACKAGE_PARENT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
"""Folder that holds the package ``pipeline``."""
LIBRARY_PATHS = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "DYLD_FRAMEWORK_PATH")
"""Variables with folders in which the dynamic linker looks; an empty entry means the current folder."""
LISTS = ("PATH", "PYTHONPATH", *LIBRARY_PATHS)
"""Variables with lists of folders in which code is found by name."""
_MAIN = "import sys; sys.path.append(sys.argv.pop(1)); from pipeline.cli.main import main; main()"
"""The command line of a package that is not installed: its folder comes after all others."""


def _entries(paths: str) -> list[str]:
    return [entry for entry in paths.split(os.pathsep) if entry]


def module_path() -> list[str]:
    """``sys.path`` without the current folder, with the package's own folder at the end where it would be missing.

    A folder that the user's PYTHONPATH names stays, also when it is the current one.
    """
    path = _path_without_current_folder()
    return path if PACKAGE_PARENT in path else [*path, PACKAGE_PARENT]


def _path_without_current_folder() -> list[str]:
    named = {os.path.realpath(entry) for entry in _entries(os.environ.get("PYTHONPATH", ""))}
    try:
        current = os.path.realpath(os.getcwd())  # noqa: PTH109
    except OSError:  # it was removed
        current = ""
    return [
        entry
        for entry in map(os.fspath, sys.path)
        if os.path.isabs(entry) and (current in named or os.path.realpath(entry) != current)  # noqa: PTH117
    ]


IS_INSTALLED = PACKAGE_PARENT in _path_without_current_folder()
"""Whether Python finds the package without the help of the current folder."""


def safe_environment(environment: dict[str, str]) -> dict[str, str]:
    """A copy for a child process, in which no empty entry of a list of folders means the current folder.

    Relative entries become absolute, because the child may run in another folder.
    """
    safe = {**environment}
    if IS_INSTALLED:  # otherwise the current folder is the only way to find the package with ``-m``
        safe["PYTHONSAFEPATH"] = "1"
    for name in LISTS:
        if name in safe:
            safe[name] = os.pathsep.join(os.path.abspath(entry) for entry in _entries(safe[name]))  # noqa: PTH100
            if not safe[name]:
                del safe[name]
    return safe


def use_safe_path() -> None:
    """Take the current folder out of ``sys.path``."""
    sys.path[:] = module_path()


def use_safe_environment() -> None:
    """Take the current folder out of the environment, for all processes that this one starts."""
    safe = safe_environment(dict(os.environ))
    for name in LISTS:
        if name not in safe:
            os.environ.pop(name, None)
    os.environ.update(safe)


def finds_libraries_in_current_folder() -> bool:
    """Whether the dynamic linker of this process looks in the current folder: it has read its variables at the start.

    False where the system does not say which variables these were.
    """
    try:
        with open("/proc/self/environ", "rb") as file:  # noqa: PTH123 - `os.environ` changes: OpenCV, for one, adds an empty entry
            variables = dict(line.partition(b"=")[::2] for line in file.read().split(b"\0"))
    except OSError:
        return False
    paths = [variables.get(name.encode(), b"") for name in LIBRARY_PATHS]
    return any(path and b"" in path.split(b":") for path in paths)


def pipeline_command() -> list[str]:
    """The beginning of a command that runs ``pipeline`` in a new process; its arguments follow."""
    if IS_INSTALLED:
        return [sys.executable, "-P", "-m", "pipeline"]
    return [sys.executable, "-P", "-c", _MAIN, PACKAGE_PARENT]


def same_command() -> list[str]:
    """The command with which this process was started, for the same process once more."""
    arguments = sys.orig_argv[1:]
    place = arguments.index("-m") if "-m" in arguments else -1
    if not IS_INSTALLED and arguments[place : place + 2] == ["-m", "pipeline"]:
        arguments[place : place + 2] = ["-c", _MAIN, PACKAGE_PARENT]
    return [sys.executable, *([] if "-P" in arguments else ["-P"]), *arguments]
