"""URLs of mailboxes: one form, no passwords, and messages that stand for paths."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import SettingsError
from pipeline.mailbox_urls import (
    MailboxAddress,
    canonical_url,
    message_url,
    moved_message_url,
    other_folder_url,
    parse_mailbox_url,
    parse_message_url,
)
from pipeline.object_urls import local_path, url_of
from pipeline.settings import load_settings

names = st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable() and text.strip() == text)
folders = st.lists(names.filter(lambda name: "/" not in name and name not in (".", "..")), min_size=1, max_size=4).map("/".join)


@given(names, folders, st.sampled_from(["imap", "imaps"]), st.integers(1, 65535))
def test_a_url_says_all_and_comes_back(user: str, folder: str, scheme: str, port: int) -> None:
    address = MailboxAddress(scheme, user, "mail.example.org", port, "INBOX" if folder.upper() == "INBOX" else folder)
    assert parse_mailbox_url(address.url) == address
    assert canonical_url(address.url) == address.url
    message = message_url(address.url, 17, 4)
    numbered = parse_message_url(message)
    assert numbered
    moved = moved_message_url(address.server, "Büro/Read", numbered, 123, 456)
    for url in (address.url + "/x", message, moved):
        assert url_of(Path("/objects"), local_path(Path("/objects"), url)) == url
    assert parse_message_url(canonical_url(message)) == numbered
    found = parse_message_url(moved)
    assert found
    assert (found.folder, found.uid, found.size) == ("Büro/Read", 4, 123)
    assert moved.startswith(other_folder_url(address.server, "Büro/Read") + "/")


def test_what_may_be_left_out_is_known() -> None:
    address = parse_mailbox_url("IMAPS://me@example.org@Mail.Example.org/inbox/")
    assert (address.user, address.host, address.port, address.folder) == ("me@example.org", "mail.example.org", 993, "INBOX")
    assert parse_mailbox_url("imap://me@[::1]/A%20b/c").folder == "A b/c"
    assert parse_mailbox_url("imap://me@host").port == 143


def test_a_folder_in_the_inbox_to_which_messages_are_moved_is_not_the_inbox() -> None:
    address = parse_mailbox_url("imaps://me@host/INBOX")
    assert not other_folder_url(address.server, "INBOX/Read").startswith(f"{address.url}/")


@pytest.mark.parametrize(
    "url", ["imaps://host/INBOX", "imaps://me:pa55@host/INBOX", "imaps://me@host/pa55?x=1", "imaps://me@host/a/../pa55", "imaps://me@host:99999/pa55",
            "imaps://me@host/pa55%0d%0aA1 LOGOUT"],
)  # fmt: skip
def test_other_urls_are_refused_without_repeating_them(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(None, inbox=url, search=False)
    assert "pa55" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"outbox": "imaps://me@host/Out"}, "can be an inbox only"),
        ({"inbox": "imaps://me@host", "archive": Path("a")}, "`mailbox.archive` names a folder"),
        ({"after": "seen"}, "for messages of a mailbox"),
        ({"inbox": "imaps://me@host", "mailbox": {"search": "ALL\r\nA1 DELETE x"}}, "one line"),
    ],
)
def test_settings_that_do_not_fit_a_mailbox_are_named(values: dict[str, object], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        load_settings(None, search=False, **values)
