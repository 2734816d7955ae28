"""A mailbox as an inbox, against a real server: what is read, once, and what becomes of the messages."""

from __future__ import annotations

import csv
import datetime

import pytest

from pipeline.errors import LockedError
from pipeline.run.job import open_job
from tests.drawing import encrypted_pdf
from tests.mailbox.conftest import MailRuns
from tests.mailbox.dovecot import mail


def pages(*numbers: int) -> list[str]:
    return [f"Page of mail {number}" for number in numbers]


def test_messages_are_read_once_and_nothing_is_changed_by_default(runs: MailRuns) -> None:
    runs.server.put(mail(1), mail(2))
    assert runs.run().skipped_files == []
    assert runs.texts() == pages(1, 2)
    assert runs.server.flags() == {"Invoice 1": set(), "Invoice 2": set()}, "nothing is marked"
    again = runs.run()
    assert (again.to_read, again.known) == (0, 2), "an unchanged message is neither fetched nor read again"
    runs.server.put(mail(3))
    assert runs.run().known == 2
    assert runs.texts() == pages(1, 2, 3)
    assert len(runs.engine.units) == 3


def test_a_message_is_a_document_with_its_header_and_parts(runs: MailRuns) -> None:
    runs.server.put(mail(4711))
    runs.run()
    day = f"{next(iter(runs.results()))[:10]}"
    name = f"{day} Invoice 4711.eml"
    assert runs.results() == [name, f"{name}/invoice-4711.pdf"]
    part = runs.json(f"{name}/invoice-4711.pdf")["document"]
    assert part["path"] == f"{name}/invoice-4711.pdf"
    assert part["mail"]["subject"] == "Invoice 4711"
    assert part["mail"]["message_id"] == "<4711@supplier.example>"
    with (runs.outbox / "documents.csv").open(newline="") as file:
        assert sorted(row["file"] for row in csv.DictReader(file)) == runs.results()


def test_messages_are_marked_once_and_a_person_may_take_the_mark_away(runs: MailRuns) -> None:
    runs.changes = {"after": "seen"}
    runs.server.put(mail(1), mail(2, attachment=encrypted_pdf()))
    assert runs.run().documents["failed"] == 1
    assert runs.server.flags() == {"Invoice 1": {"\\Seen"}, "Invoice 2": set()}, "a message that failed stays as it is"
    client = runs.server.client()
    client.select_folder("INBOX")
    client.set_flags(client.search("ALL"), [])
    client.logout()
    again = runs.run()
    assert (again.to_read, again.known, len(runs.engine.units)) == (0, 2, 1)
    assert runs.server.flags() == {"Invoice 1": set(), "Invoice 2": set()}
    assert runs.json(runs.results()[-1])["reason"] == "needs_password", "the reason stands in the result"


def test_messages_are_moved_and_those_that_failed_stay_or_have_a_folder(runs: MailRuns) -> None:
    runs.changes, runs.mailbox = {"after": "move"}, {"archive": "Bücher/Erledigt"}
    runs.server.put(mail(1), mail(2, attachment=encrypted_pdf()), mail(3))
    runs.run()
    assert (runs.server.subjects(), runs.server.subjects("Bücher/Erledigt")) == (["Invoice 2"], ["Invoice 1", "Invoice 3"])
    again = runs.run()
    assert (again.to_read, again.known) == (0, 1)
    runs.mailbox["failed"] = "Unreadable"
    runs.run()
    assert (runs.server.subjects(), runs.server.subjects("Unreadable")) == ([], ["Invoice 2"])
    client = runs.server.client()
    client.select_folder("Unreadable")
    client.move(client.search("ALL"), "INBOX")
    client.logout()
    units = len(runs.engine.units)
    runs.changes["limits"] = {"passwords": ["open sesame"]}
    runs.run()
    assert len(runs.engine.units) > units, "a failed message that a person moves back is read again"
    assert runs.server.subjects("Bücher/Erledigt") == ["Invoice 1", "Invoice 2", "Invoice 3"]
    assert len([name for name in runs.results() if name.endswith(".eml")]) == 3


def test_messages_are_deleted_only_where_the_settings_say_so(runs: MailRuns) -> None:
    runs.changes = {"after": "delete"}
    runs.server.put(mail(1), mail(2, attachment=encrypted_pdf()))
    runs.run()
    assert runs.server.subjects() == ["Invoice 2"]


def test_a_server_that_cannot_move_copies_and_deletes(runs: MailRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    from imapclient import IMAPClient

    has = IMAPClient.has_capability
    monkeypatch.setattr(IMAPClient, "has_capability", lambda self, name: name != "MOVE" and has(self, name))
    runs.changes = {"after": "move"}
    runs.server.put(mail(1), mail(2))
    runs.run()
    assert (runs.server.subjects(), runs.server.subjects("Archive")) == ([], ["Invoice 1", "Invoice 2"])
    assert runs.texts() == pages(1, 2)


@pytest.mark.parametrize("can_move", [True, False])
def test_two_messages_that_look_the_same_are_both_moved(
    runs: MailRuns, monkeypatch: pytest.MonkeyPatch, can_move: bool
) -> None:
    """As a scanner sends them: the same subject, no Message-ID, the same size, within one second."""
    from imapclient import IMAPClient

    has = IMAPClient.has_capability
    monkeypatch.setattr(IMAPClient, "has_capability", lambda self, name: (can_move or name != "MOVE") and has(self, name))
    arrival = datetime.datetime(2026, 11, 2, 10, 0, tzinfo=datetime.UTC)
    client = runs.server.client()
    for number in (1, 2):
        client.append("INBOX", mail(number, "Scan").replace(b"Message-ID", b"X-Number"), msg_time=arrival)
    client.logout()
    runs.changes = {"after": "move"}
    runs.run()
    runs.run()
    assert runs.texts() == pages(1, 2)
    assert (runs.server.subjects(), runs.server.subjects("Archive")) == ([], ["Scan", "Scan"])
    client = runs.server.client()
    client.select_folder("Archive", readonly=True)
    contents = [bytes(answer[b"BODY[]"]) for answer in client.fetch(client.search("ALL"), ["BODY.PEEK[]"]).values()]
    client.logout()
    assert sorted(number for number in (1, 2) for content in contents if f"<{number}@".encode() in content) == [1, 2]


def test_a_copy_whose_confirmation_is_lost_is_not_made_twice(runs: MailRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    from imapclient import IMAPClient

    has, copy = IMAPClient.has_capability, IMAPClient.copy
    lost: list[object] = []

    def copy_and_lose(self: IMAPClient, *arguments: object) -> object:
        answer = copy(self, *arguments)
        if not lost:
            lost.append(answer)
            self.shutdown()
            raise ConnectionError("cut")
        return answer

    monkeypatch.setattr(IMAPClient, "has_capability", lambda self, name: name != "MOVE" and has(self, name))
    monkeypatch.setattr(IMAPClient, "copy", copy_and_lose)
    runs.changes = {"after": "move"}
    runs.server.put(mail(1))
    runs.run()
    assert lost
    assert (runs.server.subjects(), runs.server.subjects("Archive")) == ([], ["Invoice 1"])


@pytest.mark.parametrize("after", ["keep", "seen"])
def test_a_server_that_numbers_its_messages_anew_has_no_new_messages(runs: MailRuns, after: str) -> None:
    runs.changes = {"after": after}
    runs.server.put(mail(1), mail(2))
    runs.run()
    names, flags = runs.results(), runs.server.flags()
    runs.server.renumber()
    again = runs.run()
    assert runs.results() == names
    assert again.skipped_files == []
    assert len(runs.engine.units) == 2
    assert runs.server.flags() == flags
    last = runs.run()
    assert last.to_read == 0, "they are known under their new numbers"


@pytest.mark.parametrize("after", ["keep", "delete"])
def test_a_message_that_comes_back_or_is_copied_counts_once(runs: MailRuns, after: str) -> None:
    runs.changes = {"after": after}
    runs.server.put(mail(1))
    runs.run()
    runs.server.put(mail(1), mail(1))
    runs.run()
    assert runs.texts() == pages(1)
    with (runs.outbox / "documents.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 2


def test_a_person_moves_a_message_elsewhere_while_it_is_to_be_read(runs: MailRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.remote.message_store import MessageStore

    runs.changes = {"after": "move"}
    runs.server.put(mail(1), mail(2), mail(3))
    listed = MessageStore.entries

    def entries(self: MessageStore, url: str) -> object:
        yield from list(listed(self, url))
        client = runs.server.client()
        client.select_folder("INBOX")
        client.create_folder("Elsewhere")
        client.move(client.search("SUBJECT 2"), "Elsewhere")
        client.logout()

    monkeypatch.setattr(MessageStore, "entries", entries)
    first = runs.run()
    assert len(first.skipped_files) == 1
    assert runs.texts() == pages(1, 3)
    assert (runs.server.subjects("Elsewhere"), runs.server.subjects("Archive")) == (["Invoice 2"], ["Invoice 1", "Invoice 3"])


def test_a_search_chooses_the_messages(runs: MailRuns) -> None:
    runs.server.put(mail(1, "Rechnung für März"), mail(2, "Newsletter"), mail(3, "Rechnung April"))
    runs.mailbox = {"search": 'SUBJECT "Rechnung"', "days": 7}
    runs.run()
    assert runs.texts() == pages(1, 3)
    runs.mailbox = {"search": 'SUBJECT "für März"'}
    assert runs.run().known == 1


def test_a_folder_is_named_with_slashes_and_other_letters(runs: MailRuns) -> None:
    runs.server.put(mail(1), folder="Büro & Co/100 % für uns")
    runs.inbox = f"{runs.server.imaps}/Büro & Co/100 %25 für uns"
    runs.run()
    assert runs.texts() == pages(1)


def test_one_run_at_a_time_works_for_an_outbox(runs: MailRuns) -> None:
    with open_job(runs.settings, engine=runs.engine), pytest.raises(LockedError):
        runs.run()


def test_two_programs_with_outboxes_of_their_own_share_a_mailbox(runs: MailRuns) -> None:
    other = MailRuns(runs.server, runs.folder / "other", {"after": "move"})
    other.folder.mkdir()
    runs.changes = {"after": "flagged"}
    runs.server.put(mail(1), mail(2))
    runs.run()
    other.run()
    assert (runs.texts(), other.texts()) == (pages(1, 2), pages(1, 2))
    assert runs.run().to_read == other.run().to_read == 0
    assert runs.server.flags("Archive") == {"Invoice 1": {"\\Flagged"}, "Invoice 2": {"\\Flagged"}}
