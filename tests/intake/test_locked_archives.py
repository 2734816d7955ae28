"""Archives with a password: which password opens what, and what a wrong one, damage and other encryption end in."""

from __future__ import annotations

import io
import resource
import zipfile
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import py7zr
import pytest

from pipeline.intake.container_items import SkippedMember, UnpackedMember
from pipeline.intake.containers import unpack
from tests.drawn_containers import locked_zip_of, mail, seven_zip_of, zip_of

WORD = "Schlüssel 7"
MEMBERS = [("a.txt", b"first " * 500), ("b/c.txt", b"second")]


def hidden_seven_zip() -> bytes:
    """A 7-Zip archive whose list of members is encrypted, too."""
    buffer = io.BytesIO()
    with py7zr.SevenZipFile(buffer, "w", password=WORD, header_encryption=True) as pack:
        for name, content in MEMBERS:
            pack.writestr(content, name)
    return buffer.getvalue()


LOCKED: dict[str, Callable[[], bytes]] = {
    **{
        f"AES, method {method}": lambda method=method: locked_zip_of(MEMBERS, WORD, method=method)  # type: ignore[misc]
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    },
    "old cipher": lambda: locked_zip_of(MEMBERS, WORD, aes=False),
    "7z": lambda: seven_zip_of(MEMBERS, WORD),
    "7z with hidden names": hidden_seven_zip,
}


def taken(
    tmp_path: Path, content: bytes, passwords: Sequence[str] = (), own: dict[str, list[str]] | None = None
) -> tuple[dict[str, bytes], list[SkippedMember]]:
    path = tmp_path / "archive"
    path.write_bytes(content)
    parts, skipped = {}, []
    for item in unpack(path, tmp_path / "unpacked", max_bytes=1_000_000, passwords=passwords, own_passwords=own):
        if isinstance(item, UnpackedMember):
            parts[item.name] = item.path.read_bytes()
            assert item.decrypted
        elif isinstance(item, SkippedMember):
            skipped.append(item)
    assert not [item for item in (tmp_path / "unpacked").iterdir() if item.suffix in (".again", ".scratch", ".host")]
    return parts, skipped


@pytest.mark.parametrize("draw", LOCKED.values(), ids=LOCKED)
def test_the_password_opens_an_archive_and_no_other_does(tmp_path: Path, draw: Callable[[], bytes]) -> None:
    content = draw()
    assert taken(tmp_path, content, (), {"": ["wrong", WORD]}) == (dict(MEMBERS), [])
    for passwords in ((), ("schlüssel 7",)):
        parts, skipped = taken(tmp_path, content, passwords)
        assert parts == {}
        assert {item.code for item in skipped} == {"needs_password"}
        assert all("pipeline unlock" in item.reason for item in skipped)


def test_the_old_cipher_takes_one_wrong_password_in_256_for_right_and_its_members_stay_locked(tmp_path: Path) -> None:
    content = locked_zip_of([("a.txt", b"text " * 200)], "right", aes=False)
    parts, skipped = taken(tmp_path, content, [f"wrong {number}" for number in range(600)])
    assert (parts, [item.code for item in skipped]) == ({}, ["needs_password"])
    parts, skipped = taken(tmp_path, content, [*(f"wrong {number}" for number in range(600)), "right"])
    assert (list(parts), skipped) == (["a.txt"], [])


def test_a_password_of_one_archive_opens_no_other_in_the_same_container(tmp_path: Path) -> None:
    first, second = locked_zip_of(MEMBERS, "one"), locked_zip_of([("d.txt", b"third")], "two")
    plain, _ = taken(tmp_path, first, ["one"])
    assert plain == dict(MEMBERS)
    content = mail([("1.zip", first), ("2.zip", second)], text=None)
    own = {sha256(first).hexdigest(): ["one", "two"]}
    parts, skipped = taken(tmp_path, content, (), own)
    assert sorted(parts) == ["1.zip/a.txt", "1.zip/b/c.txt"]
    assert [(item.name, item.code) for item in skipped] == [("2.zip/d.txt", "needs_password")]


def test_strong_encryption_of_pkware_says_what_to_do(tmp_path: Path) -> None:
    content = bytearray(zip_of([("a.txt", b"x")]))
    content[content.index(b"PK\1\2") + 8] |= 0x41
    parts, skipped = taken(tmp_path, bytes(content), ["any"])
    assert (parts, [item.code for item in skipped]) == ({}, ["unsupported"])
    assert "unpack it with its password" in skipped[0].reason


@pytest.mark.parametrize("kind", ["AES, method 8", "old cipher", "7z"])
def test_damage_of_a_locked_archive_is_reported_and_never_raised(tmp_path: Path, kind: str) -> None:
    content = LOCKED[kind]()
    steps = 4 if kind == "7z" else 12  # its key costs half a second at each opening
    for step in range(steps):
        at = len(content) * step // steps
        damaged = content[:at] + bytes(byte ^ 0x55 for byte in content[at : at + 20]) + content[at + 20 :]
        taken(tmp_path, damaged, [WORD])
        taken(tmp_path, content[:at] or b"PK\5\6", [WORD])


def test_a_trial_of_a_password_writes_no_more_than_a_member_may_have(tmp_path: Path) -> None:
    content = seven_zip_of([("bomb.bin", bytes(20_000_000)), ("small.txt", b"small")], WORD)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, hard))  # a longer file than that cannot be written
    try:
        parts, skipped = taken(tmp_path, content, ["wrong", WORD])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert parts == {"small.txt": b"small"}
    assert [item.name for item in skipped] == ["bomb.bin"]
