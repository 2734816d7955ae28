"""Who may read what: results and archives are no more readable than the documents in the inbox; the program's own state is private.

Results follow the umask, or the default ACL of the outbox, as the files of every program do. From this the right to read is taken away for
the group and for others where the document withholds it: by its own mode, or because they cannot pass a folder between the inbox and it.

An outbox that its owner has made a folder of a group (``chmod g+ws``, or an ACL) is shared with that group on purpose: the group keeps its
rights, also in the program's own folder.
"""

from __future__ import annotations

import os
import stat
import struct
from contextlib import suppress
from pathlib import Path

GROUP, OTHERS = stat.S_IRGRP, stat.S_IROTH
_ACL = "system.posix_acl_access"
_ACL_GROUP = 0x04
"""Tag of the entry of a file's own group in an ACL. The mode of such a file has the rights of the mask in its place."""


def withheld_rights(path: Path, inbox: Path) -> int:
    """The rights to read that a document withholds: ``GROUP``, ``OTHERS``, both or 0. Raises OSError."""
    status = path.stat()
    withheld = (GROUP if not _group_may(path, status, 4) else 0) | (OTHERS if not status.st_mode & stat.S_IROTH else 0)
    folder = path.parent
    while folder != inbox and folder.is_relative_to(inbox):
        passing = folder.stat()
        withheld |= GROUP if not _group_may(folder, passing, 1) else 0
        withheld |= OTHERS if not passing.st_mode & stat.S_IXOTH else 0
        folder = folder.parent
    return withheld


def rights_to_withhold(withheld: int, outbox: Path, group: int | None) -> int:
    """The rights that the result of a document must not give. ``group`` is the number of the document's group.

    Where results belong to another group than the document, that group counts as others. Raises OSError.
    """
    status = outbox.stat()
    if is_shared(outbox):
        return withheld & ~GROUP
    own = status.st_gid if status.st_mode & stat.S_ISGID else os.getegid()
    return withheld | GROUP if withheld & OTHERS and group not in (None, own) else withheld


def is_shared(folder: Path) -> bool:
    """Whether its owner has made a folder one of a group: the group may write and owns what is made in it, or an ACL says who may."""
    try:
        mode = folder.stat().st_mode
        return (mode & stat.S_ISGID and mode & stat.S_IWGRP) > 0 or _acl_group(folder) is not None
    except OSError:
        return False


def make_private_folder(folder: Path) -> None:
    """Create the program's own folder in an outbox, or take rights of others away from it. Raises OSError."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    allowed = 0o7770 if is_shared(folder.parent) else 0o7700
    with suppress(FileExistsError):
        folder.mkdir(mode=allowed & 0o777)
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & ~allowed:
        with suppress(PermissionError):  # another user's: it is theirs to decide
            folder.chmod(mode & allowed)


def make_folder_like(folder: Path, model: Path) -> None:
    """Create a folder for files of the folder ``model`` that gives nobody more rights than that one. Raises OSError.

    A folder that exists stays as its owner has made it. In a folder of a group, the group keeps its rights.
    """
    status, above = model.stat(), folder.parent.stat()
    others = status.st_mode & 7
    own = above.st_gid if above.st_mode & stat.S_ISGID else os.getegid()
    group = sum(right for right in (4, 2, 1) if _group_may(model, status, right))
    if is_shared(folder.parent):
        group = 7
    elif own != status.st_gid:  # the members of another group are others
        group &= others
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700 | group << 3 | others)
        if os.geteuid() == 0 and status.st_uid != 0:  # else the owner of a private folder could not reach the files
            os.chown(folder, status.st_uid, -1)


def withhold(file: Path | int, withheld: int) -> None:
    """Take rights to read away from a file, given by path or open descriptor. Raises OSError."""
    mode = stat.S_IMODE(os.stat(file).st_mode)  # noqa: PTH116 - also for descriptors
    if mode & withheld:
        os.chmod(file, mode & ~withheld)  # noqa: PTH101 - also for descriptors


def _group_may(path: Path, status: os.stat_result, right: int) -> bool:
    """Whether the file's own group has a right (4: read, 2: write, 1: pass)."""
    rights = status.st_mode >> 3 & 7
    own = _acl_group(path)
    return bool((rights if own is None else rights & own) & right)


def _acl_group(path: Path) -> int | None:
    """The rights of a file's own group in its ACL; None without an ACL."""
    try:
        acl = os.getxattr(path, _ACL)
    except (OSError, AttributeError):  # none, or a system without ACLs
        return None
    entries = struct.iter_unpack("<HHI", acl[4 : 4 + len(acl[4:]) // 8 * 8])
    return next((rights for tag, rights, _ in entries if tag == _ACL_GROUP), None)
