"""Imports matplotlib without the file ``matplotlibrc`` of the current folder, which it reads before any other."""

from __future__ import annotations

import ctypes
import os
import sys
import threading

_CLONE_FS = 0x200
"""Linux's name for what threads share: the current folder, among others."""


def import_matplotlib() -> None:
    """After this, ``import matplotlib`` gives the library. Raises what its import raises.

    A file of a stranger beside the documents could say how charts are drawn, or, where it is no text, prevent it. matplotlib has no way to
    leave it out. So a thread imports the library that has a current folder of its own; other systems than Linux have no such threads.
    """
    if "matplotlib" in sys.modules or sys.platform != "linux":
        return
    errors: list[BaseException] = []

    def load() -> None:
        try:
            if ctypes.CDLL(None).unshare(_CLONE_FS) == 0:
                os.chdir("/")
            import matplotlib.figure  # noqa: F401
        except BaseException as error:  # raised again by the caller
            errors.append(error)

    thread = threading.Thread(target=load)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
