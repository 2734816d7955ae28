"""Where uploaded files are stored."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.web.uploads import Upload, safe_folder

_SWAPPER = """
import ctypes, os, sys
os.chdir(sys.argv[1])
here, exchange = -100, 2
while not ctypes.CDLL(None).renameat2(here, b"receipt", here, b".link", exchange):
    pass
"""
"""A folder and a link change places, so that there is always one of them."""


def test_a_file_is_stored_in_its_folder_or_in_a_numbered_name(tmp_path: Path) -> None:
    stored = []
    for content in (b"one", b"two", b"one"):
        with Upload(tmp_path) as upload:
            upload.write(content)
            stored.append(upload.store("a.pdf", "receipt"))
    assert [(item.file, item.already) for item in stored] == [
        ("receipt/a.pdf", False),
        ("receipt/a (2).pdf", False),
        ("receipt/a.pdf", True),
    ]
    with Upload(tmp_path) as upload, pytest.raises(OSError, match="outside"):
        upload.store("a.pdf", "../elsewhere")


def test_an_inbox_that_is_named_by_a_link_takes_uploads(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "inbox").symlink_to("real")
    with Upload(tmp_path / "inbox") as upload:
        upload.write(b"one")
        assert upload.store("a.pdf").file == "a.pdf"
    assert (tmp_path / "real" / "a.pdf").read_bytes() == b"one"


def test_a_folder_that_is_swapped_for_a_link_takes_no_upload_out_of_the_inbox(tmp_path: Path) -> None:
    inbox, outside = tmp_path / "inbox", tmp_path / "outside"
    (inbox / "receipt").mkdir(parents=True)
    outside.mkdir()
    (inbox / ".link").symlink_to(outside)
    stored, until = 0, time.monotonic() + 5
    with subprocess.Popen([sys.executable, "-c", _SWAPPER, str(inbox)], stderr=subprocess.DEVNULL) as swapper:
        try:
            while time.monotonic() < until and swapper.poll() is None:
                with suppress(OSError), Upload(inbox) as upload:
                    upload.write(b"%d" % stored)
                    upload.store(f"{stored}.pdf", "receipt")
                    stored += 1
            swapped = swapper.poll() is None
        finally:
            swapper.kill()
    if not swapped:
        pytest.skip("this file system exchanges no names")
    assert stored
    assert list(outside.iterdir()) == []


def test_folders_of_an_upload_have_safe_names_and_stay_below_the_inbox() -> None:
    assert safe_folder("letters/2026") == "letters/2026"
    assert safe_folder("../../etc//./.ssh") == "etc/ssh"
    assert safe_folder("a\\b/c:d") == "a/b/c_d"
    assert safe_folder("") == ""
    assert safe_folder("/".join("abcdefghijklmnopqrstuvwxyz")) == "/".join("lmnopqrstuvwxyz")
