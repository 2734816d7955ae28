"""Opens the address of a server in a browser, where a person has started it at a terminal with a display."""

from __future__ import annotations

import os
import sys
import threading
import webbrowser
from collections.abc import Mapping


def has_person(environment: Mapping[str, str], platform: str, *, is_terminal: bool) -> bool:
    """Whether a person has started the program who can see a browser: at a terminal of this machine, with a display. Never under cron."""
    if not is_terminal or environment.get("SSH_CONNECTION") or environment.get("CI"):
        return False
    return platform in ("darwin", "win32") or bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def open_address(address: str) -> None:
    """Open an address in a browser, without waiting for it; where there is none, nothing happens."""
    is_terminal = sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()
    if has_person(os.environ, sys.platform, is_terminal=is_terminal):
        threading.Thread(target=webbrowser.open, args=[address], daemon=True).start()
