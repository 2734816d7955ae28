"""Kills at any step, and messages that are many, large or hostile: each once, and none stops the others."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.remote.message_store import MessageStore
from pipeline.remote.object_store import StoreEntry
from tests.mailbox.conftest import MailRuns
from tests.mailbox.dovecot import mail
from tests.mailbox.killed_run import POINTS

KILLS = int(os.environ.get("KILLS", "3"))
# ---- kills --------------------------------------------------------------------------------------

STEPS = [
    ("fetch", 2, "after"),
    ("flush", 1, "before"),
    ("plan", 1, "after"),
    ("ACT", 1, "before"),
    ("ACT", 2, "after"),
    ("end", 1, "before"),
]


def killed_run(runs: MailRuns, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    own = {
        "PIPELINE_INBOX": runs.server.imaps,
        "PIPELINE_OUTBOX": str(runs.outbox),
        "PIPELINE_WORKERS": "1",
        "PIPELINE_MAILBOX__CA_FILE": str(runs.server.ca),
    }
    return subprocess.run(
        [sys.executable, "-m", "tests.mailbox.killed_run", *arguments],
        env={**os.environ, **own, **environment, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=280,
    )


def check_killed(runs: MailRuns, after: str, steps: list[tuple[str, int, str]], count: int) -> None:
    """Kill a run at each step; then one runs to its end, and each message was read once and put away once."""
    runs.server.put(*(mail(number) for number in range(1, count + 1)))
    act = {"move": "move", "seen": "mark", "delete": "delete"}[after]
    for point, number, when in steps:
        ended = killed_run(runs, act if point == "ACT" else point, str(number), when, PIPELINE_AFTER=after)
        assert ended.returncode in (-9, 0), ended.stderr
    last = killed_run(runs, PIPELINE_AFTER=after)
    assert last.returncode == 0, last.stderr
    subjects = sorted(f"Invoice {number}" for number in range(1, count + 1))
    assert runs.texts() == sorted(f"Page of mail {number}" for number in range(1, count + 1))
    if after == "seen":
        assert runs.server.flags() == {subject: {"\\Seen"} for subject in subjects}
    else:
        assert runs.server.subjects() == []
        assert runs.server.subjects("Archive") == (subjects if after == "move" else [])


@pytest.mark.kills
def test_a_kill_at_any_step_loses_and_doubles_no_message(runs: MailRuns) -> None:
    check_killed(runs, "move", STEPS[-min(KILLS, len(STEPS)) :], 3)


@pytest.mark.proof
@pytest.mark.parametrize("after", ["move", "seen", "delete"])
def test_kills_at_every_point_of_every_way(runs: MailRuns, after: str) -> None:
    act = {"move": "move", "seen": "mark", "delete": "delete"}[after]
    points = [point for point in POINTS if point not in {"move", "mark", "delete"} - {act}]
    steps = [(point, number, when) for number in (1, 3) for point in points for when in ("before", "after")]
    check_killed(runs, after, steps, 40)


# ---- many and hostile ---------------------------------------------------------------------------


HOSTILE_SUBJECTS = [
    "../../../etc/passwd",
    "=?utf-8?q?a=00b=0Ac?=",
    "=?utf-8?b?4oCu?=gnp.exe",
    "x" * 20_000,
    "",
    "NUL",
    "=?broken?q?=FF?=",
    "{9999}",
]


def test_hostile_headers_are_only_names(runs: MailRuns) -> None:
    bodies = [
        f"Subject: {subject}\r\nMessage-ID: <{'y' * 50_000}>\r\nFrom: a@b.example\r\n\r\nText {number}".encode()
        for number, subject in enumerate(HOSTILE_SUBJECTS)
    ]
    runs.server.put(*bodies, b"no header at all", b"\xff\xfe\r\n\r\n")
    tally = runs.run()
    assert not [reason for _, reason in tally.skipped_files]
    names = runs.results()
    assert all(name.isprintable() and not name.startswith((".", "/")) and ".." not in name.split("/") for name in names)
    assert len([name for name in names if name.count("/") == 0]) == len(bodies) + 2
    assert {path.name for path in runs.folder.iterdir()} == {"outbox"}
    assert runs.run().to_read == 0


def test_a_message_above_the_limit_ends_with_its_reason_and_is_not_fetched(
    runs: MailRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.changes = {"limits": {"megabytes": 1}}
    runs.server.put(mail(1), mail(2, attachment=b"%PDF-" + b"x" * 2_000_000))
    fetched: list[int] = []
    fetch = MessageStore.fetch

    def counted(self: MessageStore, entry: StoreEntry, path: Path) -> None:
        fetched.append(entry.size)
        fetch(self, entry, path)

    monkeypatch.setattr(MessageStore, "fetch", counted)
    runs.run()
    assert runs.texts() == ["Page of mail 1"]
    assert [runs.json(name).get("reason") for name in runs.results() if "Invoice 2" in name] == ["too_large"]
    assert max(fetched) < 1_000_000
    assert runs.run().to_read == 0


def test_a_message_that_is_taken_while_it_is_fetched_is_not_read_in_part(
    runs: MailRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that gives NIL for contents which another program has deleted (RFC 2180, 4.1.3)."""
    from imapclient import IMAPClient

    monkeypatch.setattr("pipeline.remote.message_store.PIECE_BYTES", 2_000)
    runs.server.put(b"Subject: Long\r\n\r\n" + b"A line of a long text.\r\n" * 500)
    fetch, pieces = IMAPClient.fetch, []

    def taken_after_one_piece(self: IMAPClient, uids: list[int], data: list[str], *rest: object) -> object:
        answer = fetch(self, uids, data, *rest)
        if data[0].startswith("BODY.PEEK[]"):
            pieces.append(data[0])
            if len(pieces) > 1:
                return {uid: {b"SEQ": 1, b"BODY[]<2000>": None} for uid in uids}
        return {} if data == ["FLAGS"] and pieces else answer

    monkeypatch.setattr(IMAPClient, "fetch", taken_after_one_piece)
    tally = runs.run()
    assert len(pieces) > 1
    assert runs.results() == []
    assert len(tally.skipped_files) == 1


def test_a_large_message_is_fetched_in_pieces(runs: MailRuns, tmp_path: Path) -> None:
    content = mail(1, attachment=os.urandom(6_000_000))
    runs.server.put(content)
    settings = runs.settings
    store = MessageStore(str(settings.inbox_url), settings.mailbox, may_change=False)
    (entry,) = store.entries(store.url)
    store.fetch(entry, tmp_path / "message")
    assert (tmp_path / "message").read_bytes().replace(b"\r\n", b"\n") == content
    store.close()


@pytest.fixture
def many(runs: MailRuns) -> Iterator[MailRuns]:
    runs.server.deliver(2_000)
    yield runs
    runs.server.clear()


@pytest.mark.proof
@pytest.mark.timeout(3_600)
def test_two_thousand_messages_with_flat_memory(many: MailRuns) -> None:
    """The peak of the program's own memory is that of a hundred messages and a tenth more at most."""
    peaks = []
    for count in ("100", "2000"):
        ended = subprocess.run(
            [sys.executable, "-m", "tests.mailbox.measured_run", count, str(many.folder / count)],
            env={**os.environ, "PIPELINE_INBOX": many.server.imaps, "PIPELINE_MAILBOX__CA_FILE": str(many.server.ca),
                 "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        read, peak = map(int, ended.stdout.split()[-2:])
        assert read == int(count)
        peaks.append(peak)
    assert peaks[1] < 1.1 * peaks[0] + 20_000, peaks
