"""Which files and folders are no documents by their names: those of file servers, desktops, browsers, editors and sync programs.

A pattern is one of `.gitignore`, without regard to upper and lower case. Without a slash it fits a name in every folder; with one it fits a
path from the top. ``*`` and ``?`` stand for letters other than a slash, ``**`` for any folders, ``[…]`` for one of several letters; a slash
at the end means folders only, with all that is in them; ``!`` in front takes back what an earlier pattern says. The last that fits decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

BUILT_IN = (
    # Hidden files and folders of Unix and macOS. Among them: .DS_Store, ._name (AppleDouble), .Trashes, .Spotlight-V100, .fseventsd;
    # .Trash-1000 (freedesktop.org trash specification); .~lock.name# (LibreOffice); .nfs0000… and .smbdelete… (deleted, still open);
    # .sync_….db, ._sync_….db, .~… (Nextcloud, ownCloud); .stfolder, .stversions, .syncthing.name.tmp (Syncthing); .dropbox.cache
    # (Dropbox); .tmp.drivedownload (Google Drive); .sync (Resilio); .name.XXXXXX, .~tmp~ (rsync); .name.icloud (iCloud); .name.swp (vim).
    ".*",
    # Synology DSM: index and thumbnails, recycle bin, snapshots, extended attributes, temporary files.
    "@eaDir/", "#recycle/", "#snapshot/", "@tmp/", "*@SynoEAStream", "*@SynoResource",
    # QNAP QTS: recycle bin, snapshots.
    "@Recycle/", "@Recently-Snapshot/",
    # Windows: recycle bin, restore points, pieces that chkdsk found, thumbnails, view of a folder.
    "$RECYCLE.BIN/", "System Volume Information/", "found.[0-9][0-9][0-9]/", "Thumbs.db", "Thumbs.db:*", "ehthumbs.db",
    "ehthumbs_vista.db", "desktop.ini",
    # macOS: attributes in zip files, folders on file servers, icon of a folder.
    "__MACOSX/", "Network Trash Folder/", "Temporary Items/", "Icon\r",
    # ext2, ext3, ext4: what fsck found.
    "lost+found/",
    # Microsoft Office: who has a file open (~$name), and files that it is writing.
    "~$*", "*.tmp",
    # Editors: copies (name~), swap files of vim, automatic copies of Emacs.
    "*~", "*.swp", "*.swo", "*.swx", "#*#",
    # Unfinished downloads: Firefox, wget, yt-dlp; Chromium; Safari; Opera; its File System Access; WinSCP; aria2; DownThemAll.
    "*.part", "*.partial", "*.crdownload", "*.download", "*.opdownload", "*.crswap", "*.filepart", "*.aria2", "*.dtapart",
    # Unfinished downloads: uTorrent, qBittorrent, BitComet, Resilio Sync.
    "*.!ut", "*.!qB", "*.bc!", "*.!sync",
)  # fmt: skip
"""The names that every command passes over."""
OWN = ("*.reason.txt", ".uploads/")
"""Files of this program in an inbox: why a file failed, and uploads that are not whole. No pattern takes them back."""


@dataclass(frozen=True)
class IgnoredNames:
    """The names that are no documents: BUILT_IN and the user's ``patterns`` after them. Raises ValueError for a pattern that is none."""

    patterns: tuple[str, ...] = ()
    _rules: tuple[_Rule, ...] = field(init=False, repr=False, compare=False)
    _built_in: tuple[re.Pattern[str], re.Pattern[str]] = field(init=False, repr=False, compare=False)
    """For files, and for folders."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rules", tuple(_rule(pattern) for pattern in self.patterns))
        object.__setattr__(self, "_built_in", _BUILT_IN)

    def ignores(self, path: str, *, is_folder: bool = False) -> bool:
        """Whether the file or folder at this path from the top is no document. The folders around it are not looked at."""
        name = path.rpartition("/")[2]
        if _OWN[is_folder].fullmatch(name):
            return True
        for rule in reversed(self._rules):
            if (is_folder or not rule.folders_only) and rule.expression.fullmatch(path):
                return not rule.takes_back
        return bool(self._built_in[is_folder].fullmatch(name))

    def ignores_path(self, path: str) -> bool:
        """Whether the file at this path from the top is no document, or lies in a folder that is passed over."""
        at = path.find("/")
        while at >= 0:
            if self.ignores(path[:at], is_folder=True):
                return True
            at = path.find("/", at + 1)
        return self.ignores(path)


@dataclass(frozen=True, slots=True)
class _Rule:
    expression: re.Pattern[str]
    takes_back: bool
    folders_only: bool


def _rule(pattern: str) -> _Rule:
    takes_back, body = pattern.startswith("!"), pattern.removeprefix("!")
    folders_only, body = body.endswith("/"), body.rstrip("/")
    if not body:
        raise ValueError(f"`{pattern}` names nothing; a pattern is like `*.bak` or `drafts/`")
    top = "" if "/" in body else "(?:.*/)?"
    try:
        return _Rule(re.compile(top + _translated(body.lstrip("/")), re.IGNORECASE | re.DOTALL), takes_back, folders_only)
    except re.error as error:
        raise ValueError(f"`{pattern}` is no pattern: {error}") from None


def _translated(pattern: str) -> str:
    """The pattern as a regular expression."""
    parts = re.findall(r"\*\*/|/\*\*$|\*+|\?|\[[!^]?\]?[^\]]*\]|\\.|[^\\]|\\$", pattern, re.DOTALL)
    return "".join(_translated_part(part) for part in parts)


def _translated_part(part: str) -> str:
    fixed = {"**/": "(?:.*/)?", "/**": "/.*", "?": "[^/]"}
    if part in fixed:
        return fixed[part]
    if part.startswith("*"):
        return "[^/]*"
    if part.startswith("[") and len(part) > 2:
        inner = part[1:-1].replace("\\", "\\\\").replace("[", r"\[")
        return f"(?!/)[{'^' + inner[1:] if inner[0] in '!^' else inner}]"
    return re.escape(part[1:] if part.startswith("\\") and len(part) > 1 else part)


def _of_names(patterns: Iterable[str]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Expressions for the names of files, and of folders, that one of these patterns without slashes fits."""
    names = [(pattern.rstrip("/"), pattern.endswith("/")) for pattern in patterns]
    both = [_translated(name) for name, _ in names]
    files = [_translated(name) for name, folders_only in names if not folders_only]
    return tuple(re.compile("|".join(group), re.IGNORECASE | re.DOTALL) for group in (files, both))  # type: ignore[return-value]


_BUILT_IN, _OWN = _of_names(BUILT_IN), _of_names(OWN)
BUILT_IN_NAMES = IgnoredNames()
"""Without patterns of a user."""
