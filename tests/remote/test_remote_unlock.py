"""Passwords of objects in a store: tried on the object, which is fetched for that, and read with the one that is right."""

from __future__ import annotations

from click.testing import CliRunner

from pipeline.cli.unlock import command
from pipeline.ledger.document_passwords import DocumentPasswords
from pipeline.run.job import open_job
from tests.drawing import encrypted_pdf, text_pdf
from tests.drawn_containers import locked_zip_of, mail
from tests.remote.conftest import BUCKET, BucketRuns
from tests.web.serve.conftest import Served, wait_for

WORD = "open sesame"


def unlock(runs: BucketRuns, *names: str, word: str = WORD) -> tuple[int, str]:
    """The command with the settings of these runs. Exit code, and what it says."""
    given = CliRunner().invoke(command, [*names, *runs.places, "--engine", "embedded"], input=f"{word}\n")
    return given.exit_code, f"{given.output}{given.exception or ''}"


def test_objects_and_their_parts_are_unlocked_and_a_wrong_password_changes_nothing(runs: BucketRuns) -> None:
    runs.changes = {"after": "move"}
    runs.monkeypatch.setenv("PIPELINE_AFTER", "move")
    runs.put("bank/a.pdf", encrypted_pdf("Sealed", WORD))
    archive = locked_zip_of([("x.pdf", text_pdf(["Inside"]))], WORD)
    runs.put("m.eml", mail([("s.zip", archive), ("p.pdf", encrypted_pdf("Part", WORD))]))
    runs.run()
    locked = ["bank/a.pdf", "m.eml/p.pdf", "m.eml/s.zip"]
    passwords = DocumentPasswords(runs.settings.outbox / ".pipeline")

    code, said = unlock(runs, *locked, word="a wrong one")
    assert (code, said.count("this password does not open it; nothing was changed")) == (1, 3), said
    assert passwords.documents() == []

    code, said = unlock(runs, "bank/a.pdf", "m.eml")
    assert code == 0, said
    names = ("bank/a.pdf", "m.eml/s.zip/x.pdf", "m.eml/p.pdf")
    assert [runs.texts(name) for name in names] == [["Sealed"], ["Inside"], ["Part"]]
    assert len(passwords.documents()) == 3
    assert not runs.keys("failed/"), "with its password it goes to the archive"
    stored = {item["Key"] for item in runs.s3.list_objects_v2(Bucket=BUCKET)["Contents"]}
    assert not [key for key in stored if "passwords" in key]
    assert not [key for key in stored if not key.startswith("archive/") and WORD.encode() in runs.get(key)]


def test_an_object_that_was_replaced_is_not_tried(runs: BucketRuns) -> None:
    runs.put("a.pdf", encrypted_pdf("Sealed", WORD))
    runs.run()
    runs.put("a.pdf", encrypted_pdf("Another", WORD))
    code, said = unlock(runs, f"s3://{BUCKET}/in/a.pdf")
    assert code == 1
    assert "its file has changed since it was read" in said


def test_another_machine_unlocks_what_the_first_one_has_read_and_not_while_that_is_at_work(runs: BucketRuns) -> None:
    runs.put("a.pdf", encrypted_pdf("Sealed", WORD))
    runs.run()
    with open_job(runs.settings, engine=runs.engine):
        runs.machine("second")
        code, said = unlock(runs, "a.pdf")
        assert code != 0
        assert "unlock there, or when it has ended" in said
    runs.machine("second")
    code, said = unlock(runs, "a.pdf")
    assert code == 0, said
    assert runs.json("a.pdf")["status"] == "done"


def test_an_object_is_unlocked_in_the_browser_and_its_page_is_drawn(runs: BucketRuns) -> None:
    runs.outbox = str(runs.folder / "outbox")
    runs.put("a.pdf", encrypted_pdf("Sealed", WORD))
    served = Served(runs.folder, tuple(runs.places), {"PIPELINE_INTAKE__WAIT_SECONDS": "5"}).start()

    def status() -> str:
        documents = client.get("/api/documents").json()["documents"]
        return documents[0]["status"] if documents else ""

    with served.client() as client:
        wait_for(lambda: status() == "failed")
        url = f"/api/documents/{client.get('/api/documents').json()['documents'][0]['id']}"
        assert client.post(f"{url}/password", json={"password": "a wrong one"}).status_code == 409
        assert client.post(f"{url}/password", json={"password": WORD}).status_code == 202
        wait_for(lambda: status() == "done")
        assert client.get(f"{url}/pages/1.webp").status_code == 200
    served.stop()
