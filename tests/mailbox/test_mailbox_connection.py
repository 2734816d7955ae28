"""Connections to a mailbox: TLS or nothing, secrets that appear nowhere, lost connections, notices."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ExitCode, PipelineError, SettingsError, StoreError
from pipeline.remote.message_store import MAX_LOSSES, MessageStore
from pipeline.settings import load_settings
from tests.mailbox.conftest import MailRuns, Proxy
from tests.mailbox.dovecot import PASSWORD, TOKEN, USER, mail, make_certificates
from tests.run.processes import wait_for


def listed(runs: MailRuns) -> int:
    """How many messages a new connection lists."""
    settings = runs.settings
    store = MessageStore(str(settings.inbox_url), settings.mailbox, may_change=False)
    try:
        return len(list(store.entries(store.url)))
    finally:
        store.close()


def refusal(runs: MailRuns) -> PipelineError:
    with pytest.raises(PipelineError) as caught:
        listed(runs)
    assert isinstance(caught.value, StoreError | SettingsError)
    return caught.value


# ---- TLS ----------------------------------------------------------------------------------------


def test_both_kinds_of_tls_are_spoken_and_the_certificate_is_checked(runs: MailRuns, tmp_path: Path) -> None:
    runs.server.put(mail(1))
    for inbox in (runs.server.imaps, runs.server.imap):
        runs.inbox = inbox
        assert listed(runs) == 1
    good, stranger = runs.server.ca, tmp_path / "stranger"
    stranger.mkdir()
    for ca_file in (make_certificates(stranger), None):  # another authority's, and the system's
        runs.mailbox = {"ca_file": ca_file}
        for inbox in (runs.server.imaps, runs.server.imap):
            runs.inbox = inbox
            error = refusal(runs)
            assert "certificate is not trusted" in error.message
            assert "mailbox.ca_file" in error.cure
    runs.mailbox = {"ca_file": good}
    runs.inbox = runs.server.imaps.replace("127.0.0.1", "localhost")
    assert "not trusted" in refusal(runs).message, "the certificate is for another name"
    runs.inbox = runs.server.imaps.replace(str(runs.server.ports[1]), str(runs.server.ports[0]))
    assert "imap:// STARTTLS" in refusal(runs).cure


class PlainServer:
    """A server without TLS. It notes what it is sent."""

    def __init__(self, greeting: bytes) -> None:
        self.sent = b""
        self._greeting = greeting
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            client, _ = self._listener.accept()
            client.sendall(self._greeting)
            while line := client.recv(4096):
                self.sent += line
                tag, command = line.split()[:2]
                if command.upper() == b"CAPABILITY":
                    client.sendall(b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n")
                client.sendall(tag + b" OK done\r\n")


@pytest.mark.parametrize(
    "greeting", [b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n", b"* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hello\r\n"]
)
def test_nothing_is_sent_without_tls(runs: MailRuns, greeting: bytes) -> None:
    plain = PlainServer(greeting)
    runs.inbox = f"imap://{USER}@127.0.0.1:{plain.port}"
    error = refusal(runs)
    assert "imaps://" in error.cure or "TLS" in error.message
    assert b"LOGIN" not in plain.sent.upper()
    assert b"AUTHENTICATE" not in plain.sent.upper()


# ---- secrets ------------------------------------------------------------------------------------


def test_the_password_comes_from_a_command_or_a_keyring_and_a_token_from_a_command(
    runs: MailRuns, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.server.put(mail(1))
    monkeypatch.delenv("PIPELINE_MAILBOX_PASSWORD")
    error = refusal(runs)
    assert isinstance(error, SettingsError)
    assert "PIPELINE_MAILBOX_PASSWORD" in error.message
    monkeypatch.setenv("PIPELINE_OF_MINE", PASSWORD)
    runs.mailbox = {"password_variable": "PIPELINE_OF_MINE"}
    assert listed(runs) == 1
    (tmp_path / "secret").write_text(f"{PASSWORD}\nsecond line\n")
    runs.mailbox = {"password_command": f"cat '{tmp_path / 'secret'}'"}
    assert listed(runs) == 1
    runs.mailbox = {"token_command": ["echo", TOKEN]}
    assert listed(runs) == 1
    runs.mailbox = {"token_command": "echo expired"}
    error = refusal(runs)
    assert "refuses the login" in error.message
    assert "mailbox.token_command" in error.cure
    for command, why in (("false", "exit code 1"), ("true", "printed nothing"), ("/no/such/command", "No such file")):
        runs.mailbox = {"password_command": command}
        assert why in refusal(runs).message

    import keyring
    from keyring.backend import KeyringBackend

    class OneEntry(KeyringBackend):  # type: ignore[misc]
        priority = 1

        def get_password(self, service: str, username: str) -> str | None:
            return PASSWORD if (service, username) == ("firm", USER) else None

        def set_password(self, service: str, username: str, password: str) -> None:
            raise NotImplementedError

    before = keyring.get_keyring()
    keyring.set_keyring(OneEntry())
    try:
        runs.mailbox = {"keyring": "firm"}
        assert listed(runs) == 1
        runs.mailbox = {"keyring": "other"}
        assert f"keyring set other {USER}" in refusal(runs).cure
    finally:
        keyring.set_keyring(before)
    with pytest.raises(SettingsError, match="only one of them"):
        load_settings(None, mailbox={"keyring": "a", "token_command": "b"})


def test_the_password_appears_nowhere(runs: MailRuns, tmp_path: Path) -> None:
    runs.server.put(mail(1))
    wrong = "wr0ng-and-secret"
    refused = runs.command("run", "--log-json", PIPELINE_MAILBOX_PASSWORD=wrong, PIPELINE_LOG__LEVEL="debug")
    assert refused.returncode == ExitCode.USAGE
    assert "refuses the login" in refused.stderr
    doctor = runs.command("doctor", "--json", PIPELINE_MAILBOX_PASSWORD=wrong)
    (inbox,) = (finding for finding in json.loads(doctor.stdout) if finding["name"] == "inbox")
    assert (inbox["state"], "refuses the login" in inbox["detail"]) == ("wrong", True)
    ended = runs.command(
        "run", "--template", "transcript", PIPELINE_LOG__LEVEL="debug", PIPELINE_LOG__FILE=str(tmp_path / "log")
    )
    assert ended.returncode == 0, ended.stderr
    well = runs.command("doctor")
    assert "TLS, login and folder are in order; 1 messages" in well.stdout
    said = "".join([refused.stdout, refused.stderr, doctor.stdout, ended.stdout, ended.stderr, well.stdout]).encode()
    written = b"".join(path.read_bytes() for path in (*runs.outbox.rglob("*"), tmp_path / "log") if path.is_file())
    for secret in (wrong, PASSWORD):
        assert secret.encode() not in said + written
    with pytest.raises(SettingsError) as caught:
        load_settings(None, inbox=f"imaps://me:{PASSWORD}@mail.example")
    assert PASSWORD not in str(caught.value)


def test_a_settings_file_that_was_found_names_no_command_for_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pipeline.yaml").write_text(
        "inbox: imaps://me@mail.example\nmailbox: {password_command: touch ran, ca_file: my.pem, password_variable: HOME}\n"
    )
    with pytest.raises(SettingsError) as caught:
        load_settings()
    for key in ("inbox", "mailbox.password_command", "mailbox.ca_file", "mailbox.password_variable"):
        assert f"  {key}: " in caught.value.message
    assert load_settings(tmp_path / "pipeline.yaml").mailbox.password_command == ("touch", "ran")


# ---- lost connections ---------------------------------------------------------------------------


def test_connections_that_are_cut_anywhere_lose_and_double_nothing(runs: MailRuns, proxy: Proxy) -> None:
    runs.changes = {"after": "move"}
    runs.server.put(*(mail(number) for number in range(1, 5)))
    for allowed in (3_000, 6_000, 8_000, 11_000):
        proxy.allow = allowed
        with suppress(StoreError):  # where the list itself was cut
            runs.run()
    proxy.allow = None
    runs.run()
    assert runs.texts() == [f"Page of mail {number}" for number in range(1, 5)]
    assert (runs.server.subjects(), runs.server.subjects("Archive")) == ([], [f"Invoice {number}" for number in range(1, 5)])
    assert len(runs.engine.units) == 4


def test_a_message_that_breaks_the_connection_each_time_does_not_stop_the_others(
    runs: MailRuns, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    from imapclient import IMAPClient

    runs.server.put(mail(1), mail(2), mail(3))
    fetch, tries = IMAPClient.fetch, 0

    def breaking(self: Any, uids: list[int], items: list[str]) -> Any:
        nonlocal tries
        if uids == [first] and items[0].startswith("BODY.PEEK[]"):
            tries += 1
            proxy.cut()
        return fetch(self, uids, items)

    client = runs.server.client()
    client.select_folder("INBOX")
    first = min(client.search("ALL"))
    client.logout()
    monkeypatch.setattr(IMAPClient, "fetch", breaking)
    tally = runs.run()
    assert runs.texts() == ["Page of mail 2", "Page of mail 3"]
    assert [reason for _, reason in tally.skipped_files] == [
        "cannot be fetched: the connection broke each time that this message was fetched"
    ]
    assert MAX_LOSSES <= tries <= 2 * MAX_LOSSES, "a connection that was lost is made anew once"


def test_a_server_that_is_away_is_waited_for_and_then_named(runs: MailRuns, proxy: Proxy) -> None:
    runs.server.put(mail(1))
    proxy.offline = True
    ended = runs.command("run", PIPELINE_INTAKE__WAIT_SECONDS="1")
    assert ended.returncode == ExitCode.USAGE
    assert "the connection was lost" in ended.stderr
    assert proxy.connections > 1


# ---- watch --------------------------------------------------------------------------------------


def test_watch_reads_what_arrives_at_the_servers_notice_also_after_the_connection_was_lost(
    runs: MailRuns, proxy: Proxy
) -> None:
    slow = {"PIPELINE_INTAKE__POLL_SECONDS": "600", "PIPELINE_INTAKE__RESCAN_SECONDS": "600", "PIPELINE_AFTER": "seen"}
    watch = runs.start("watch", "--template", "transcript", **slow)
    try:
        assert watch.stdout
        assert "watching imaps://" in watch.stdout.readline()
        wait_for(lambda: proxy.connections >= 2, 60)
        time.sleep(1)
        runs.server.put(mail(1))
        wait_for(lambda: runs.texts() == ["Page of mail 1"], 120)
        wait_for(lambda: runs.server.flags()["Invoice 1"] == {"\\Seen"}, 60)
        proxy.cut()
        runs.server.put(mail(2))
        wait_for(lambda: len(runs.texts()) == 2, 120)
    finally:
        watch.terminate()
        _, err = watch.communicate(timeout=60)
    assert watch.returncode in (0, ExitCode.INTERRUPTED), err
