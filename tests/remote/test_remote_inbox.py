"""An inbox in a store: what is taken, what is left and comes back, and what goes wrong with stores."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import StoreError
from pipeline.install_hint import install_hint
from pipeline.ledger.orders import find_order
from pipeline.remote.object_store import ObjectGoneError, ObjectStore, StoreEntry, open_store
from pipeline.run.job import open_job, open_ledger
from pipeline.run.unlocking import unlock
from tests.drawing import encrypted_pdf, text_pdf
from tests.remote.conftest import BUCKET, BucketRuns, S3Server
from tests.run.processes import wait_for


def test_odd_keys_are_only_names(runs: BucketRuns, tmp_path: Path) -> None:
    odd = [
        "../../up.pdf",
        "a//b.pdf",
        "./c.pdf",
        "back\\slash.pdf",
        "100 %.pdf",
        "%2E%2E/d.pdf",
        "a",
        "a/b",
        "ü/雨.pdf",
        "x" * 900 + ".pdf",
    ]
    odd += ["star*[1].pdf", "q?x#y.pdf", "/lead.pdf"]
    for key in odd:
        runs.put(key, text_pdf([f"Text {odd.index(key)}"]))
    for passed in (".hidden.pdf", "half.part", "folder/", "x/@eaDir/a.pdf/t.jpg", "#RECYCLE/a.pdf", "~$a.docx"):
        runs.put(passed, b"")
    assert runs.run().documents == {"done": len(odd)}
    results = [key for key in runs.keys("out/") if key.endswith(".json")]
    assert len(results) == len(odd)
    found = {runs.json(key.removesuffix(".json"))["document"]["path"]: runs.texts(key.removesuffix(".json")) for key in results}
    assert found == {key: [f"Text {odd.index(key)}"] for key in odd}
    assert {path.name for path in tmp_path.iterdir()} == {"first"}, "nothing was written anywhere else"
    assert runs.run().known == len(odd)


def test_an_object_that_was_replaced_or_deleted_since_it_was_listed_comes_back(
    runs: BucketRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.pdf", "b.pdf", "c.pdf"):
        runs.put(name)
    listed = ObjectStore.entries

    def entries(self: ObjectStore, url: str) -> Any:
        yield from list(listed(self, url))
        if url == runs.inbox:
            monkeypatch.setattr(ObjectStore, "entries", listed)
            runs.put("a.pdf", text_pdf(["A new a"]))
            runs.s3.delete_object(Bucket=BUCKET, Key="in/b.pdf")

    monkeypatch.setattr(ObjectStore, "entries", entries)
    first = runs.run()
    assert first.documents == {"done": 1}
    assert sorted(name for name, _ in first.skipped_files) == ["a.pdf", "b.pdf"]
    assert runs.run().documents == {"done": 1}
    assert runs.texts("a.pdf") == ["A new a"]
    assert sorted(row["file"] for row in runs.rows("documents")) == ["a.pdf", "c.pdf"]


def test_an_object_replaced_while_it_is_fetched_is_not_mixed_with_the_new_one(runs: BucketRuns, tmp_path: Path) -> None:
    runs.put("a.pdf", b"x" * 100)
    store = open_store(runs.inbox)
    entry = store.entry(f"{runs.inbox}/a.pdf")
    runs.put("a.pdf", b"y" * 100)  # the same size, in the same second
    assert entry
    with pytest.raises(ObjectGoneError):
        store.fetch(entry, tmp_path / "a")


def test_an_object_replaced_since_it_was_read_is_not_deleted(runs: BucketRuns) -> None:
    runs.put("a.pdf", b"x" * 100)
    store = open_store(runs.inbox)
    entry = store.entry(f"{runs.inbox}/a.pdf")
    runs.put("a.pdf", b"y" * 100)  # the same size, in the same second
    assert entry
    with pytest.raises(ObjectGoneError):
        store.remove_unchanged(entry)
    assert runs.get("in/a.pdf") == b"y" * 100
    present = store.entry(f"{runs.inbox}/a.pdf")
    assert present
    store.remove_unchanged(present)
    assert not runs.keys("in/")


def test_too_large_objects_are_not_fetched(runs: BucketRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    runs.put("large.pdf", b"x" * 1_000_001)
    runs.put("small.pdf")
    runs.changes["limits"] = {"megabytes": 1}
    fetched: list[str] = []
    fetch = ObjectStore.fetch

    def noted(store: ObjectStore, entry: StoreEntry, path: Path) -> None:
        fetched.append(entry.url)
        fetch(store, entry, path)

    monkeypatch.setattr(ObjectStore, "fetch", noted)
    assert runs.run().documents == {"done": 1, "failed": 1}
    assert runs.json("large.pdf")["reason"] == "too_large"
    assert fetched == ["s3://documents/in/small.pdf"]
    assert runs.run().known == 2


def test_an_object_that_goes_while_it_is_unlocked_ends_its_order_and_not_the_run(
    runs: BucketRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.put("sealed.pdf", encrypted_pdf(password="swordfish"))
    runs.run()
    runs.put("other.pdf")
    fetch = ObjectStore.fetch

    def fetch_late(self: ObjectStore, entry: StoreEntry, path: Path) -> None:
        if entry.url.endswith("sealed.pdf"):
            runs.s3.delete_object(Bucket=BUCKET, Key="in/sealed.pdf")
        fetch(self, entry, path)

    with open_ledger(runs.settings) as ledger:
        record = ledger.file_by_name("sealed.pdf")
        assert record
        order = unlock(ledger, runs.settings, record, "swordfish", "Ada")
    monkeypatch.setattr(ObjectStore, "fetch", fetch_late)
    assert runs.run().documents == {"done": 1}
    with open_ledger(runs.settings) as ledger:
        found = find_order(ledger, order.id)
    assert found
    assert found.outcome
    assert "put it into the inbox again" in found.outcome["error"]


def test_files_are_put_away_within_the_store_and_come_back(runs: BucketRuns) -> None:
    runs.changes["after"] = "move"
    runs.put("letters/good.pdf")
    runs.put("letters/sealed.pdf", encrypted_pdf(password="swordfish"))
    runs.run()
    assert not runs.keys("in/")
    assert [key.partition("/")[2] for key in runs.keys("archive/")] == ["letters/good.pdf"]
    assert runs.keys("failed/") == ["letters/sealed.pdf", "letters/sealed.pdf.reason.txt"]
    assert b"needs_password" in runs.get("failed/letters/sealed.pdf.reason.txt")
    runs.s3.copy_object(Bucket=BUCKET, Key="in/letters/sealed.pdf", CopySource=f"{BUCKET}/failed/letters/sealed.pdf")
    runs.s3.delete_object(Bucket=BUCKET, Key="failed/letters/sealed.pdf")
    runs.changes["limits"] = {"passwords": ["swordfish"]}
    assert runs.run().documents == {"done": 1}
    assert runs.json("letters/sealed.pdf")["status"] == "done"
    assert not runs.keys("failed/")
    runs.put("letters/good.pdf", text_pdf(["Another one"]))
    runs.run()
    assert sorted(row["file"] for row in runs.rows("documents")) == [
        "letters/good.pdf",
        "letters/sealed.pdf",
        "letters_good.pdf~2",
    ]
    assert runs.texts("letters/good.pdf") == ["letters/good.pdf"]


def test_files_that_were_kept_are_moved_once_the_settings_say_so(runs: BucketRuns) -> None:
    runs.put("a.pdf")
    runs.run()
    runs.changes["after"] = "move"
    runs.put("b.pdf")
    tally = runs.run()
    assert (tally.known, tally.documents) == (1, {"done": 1})
    assert not runs.keys("in/")
    assert len(runs.keys("archive/")) == 2


def test_results_and_archive_below_the_inbox_are_not_read(runs: BucketRuns) -> None:
    runs.inbox, runs.changes["after"] = f"s3://{BUCKET}", "move"
    runs.put("a.pdf")
    assert runs.run().documents == {"done": 1}
    assert [key.partition("/")[2] for key in runs.keys("archive/")] == ["in/a.pdf"]
    assert runs.run().documents == {}


def test_members_of_archives_in_the_store(runs: BucketRuns) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("one.pdf", text_pdf(["One"]))
        archive.writestr("two.pdf", text_pdf(["Two"]))
    runs.put("scans.zip", packed.getvalue())
    command = ["reprocess", "s3://documents/in/scans.zip", *runs.places, "--template", "transcript", "--json"]
    assert json.loads(runs.command(*command).stdout)["documents"] == {"done": 2}
    assert runs.texts("scans.zip/one.pdf") == ["One"]
    runs.machine("second")
    again = json.loads(runs.command(*command).stdout)
    assert (again["known"], again["documents"]) == (1, {}), "the archive is known, with its members"


def test_a_local_outbox_may_be_moved(runs: BucketRuns, tmp_path: Path) -> None:
    runs.put("a.pdf")
    runs.outbox = str(tmp_path / "here")
    assert runs.run().documents == {"done": 1}
    (tmp_path / "here").rename(tmp_path / "there")
    runs.outbox = str(tmp_path / "there")
    assert runs.run().known == 1


# ---- what goes wrong ------------------------------------------------------------------------------------


def test_no_such_bucket(runs: BucketRuns) -> None:
    ended = runs.command("run", "--inbox", "s3://nowhere-at-all/in", "--outbox", "outbox")
    assert ended.returncode == 2
    assert "pipeline: s3://nowhere-at-all/in: there is no such bucket" in ended.stderr
    report = runs.command("doctor", "--inbox", "s3://nowhere-at-all/in", "--outbox", runs.outbox)
    assert report.returncode == 2
    assert "WRONG inbox: s3://nowhere-at-all/in: there is no such bucket" in report.stdout
    assert "outbox: s3://documents/out can be reached and written" in report.stdout


def test_access_denied(runs: BucketRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("Access Denied, see https://store/x?X-Amz-Signature=a-secret-of-mine")

    monkeypatch.setattr(open_store(runs.inbox).filesystem, "call_s3", refuse)
    with pytest.raises(StoreError, match="access denied") as refused:
        next(open_store(runs.inbox).entries(runs.inbox))
    assert not refused.value.passing
    assert "a-secret-of-mine" not in str(refused.value)


def test_no_credentials(runs: BucketRuns) -> None:
    nothing = {
        "AWS_ACCESS_KEY_ID": "",
        "AWS_SECRET_ACCESS_KEY": "",
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(runs.folder),
    }
    ended = runs.command("run", *runs.places, **nothing)
    assert ended.returncode == 2
    assert "set the credentials in the environment" in ended.stderr


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(StoreError, match=r"gs:// needs a package") as missing:
        open_store("gs://bucket/x")
    assert missing.value.cure == install_hint("gs")


def test_urls_with_passwords_are_refused_and_not_repeated(runs: BucketRuns) -> None:
    ended = runs.command("run", "--inbox", "s3://me:open-sesame@documents/in", "--outbox", "outbox")
    assert ended.returncode == 2
    assert "inbox: a store's URL is" in ended.stderr
    assert "open-sesame" not in ended.stderr + ended.stdout


def test_an_object_that_may_not_be_read_costs_no_other_object(runs: BucketRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    runs.put("good.pdf")
    runs.put("locked.pdf")
    store = open_store(runs.inbox)
    get_file = store.filesystem.get_file

    def get(url: str, path: str) -> None:
        if "locked" in url:
            raise PermissionError("Access Denied")
        get_file(url, path)

    monkeypatch.setattr(store.filesystem, "get_file", get)
    tally = runs.run()
    assert tally.documents == {"done": 1}
    assert [(name, why.rpartition(": ")[2]) for name, why in tally.skipped_files] == [("locked.pdf", "Access Denied")]


@pytest.mark.slow
def test_the_watcher_waits_for_a_server_that_is_gone(runs: BucketRuns, server: S3Server) -> None:
    runs.put("a.pdf")
    settings = {"PIPELINE_INTAKE__POLL_SECONDS": "0.5", "PIPELINE_INTAKE__WAIT_SECONDS": "1"}
    watching = runs.start("watch", *runs.places, "--template", "transcript", **settings)
    try:
        wait_for(lambda: "a.pdf.json" in runs.keys("out/"), 120)
        with server.offline():
            runs.put("b.pdf")
            assert watching.stderr
            line = next(line for line in watching.stderr if "trying again in" in line)
            assert "s3://documents/" in line
        wait_for(lambda: "b.pdf.json" in runs.keys("out/"), 120)
        wait_for(lambda: "documents.csv" in runs.keys("out/") and len(runs.rows("documents")) == 2, 120)
        runs.put("c.pdf")
        wait_for(lambda: "c.pdf.json" in runs.keys("out/"), 120)
        watching.terminate()
        assert watching.wait(60) == 0
    finally:
        watching.kill()
        watching.communicate()
    assert [row["file"] for row in runs.rows("documents")] == ["a.pdf", "b.pdf", "c.pdf"]


def test_a_run_whose_server_goes_away_ends_and_the_next_one_goes_on(runs: BucketRuns, server: S3Server) -> None:
    for number in range(4):
        runs.put(f"{number}.pdf")
    runs.changes["intake"] = {"wait_seconds": 0.1, "unchanged_seconds": 0}
    with open_job(runs.settings, template="transcript", engine=runs.engine) as job:
        files = list(job.scan(lambda *_: None))
        assert job.objects
        with server.offline(), pytest.raises(StoreError) as ended:
            list(job.objects.fetch_ahead(files, lambda *_: None))
    assert ended.value.passing
    assert ended.value.exit_code == 2
    assert runs.run().documents == {"done": 4}


def test_objects_whose_names_differ_in_case_do_not_share_a_file(runs: BucketRuns) -> None:
    """As on a file system that ignores case. A link stands for that: the folder has its name in the other case, too."""
    for key in ("A.pdf", "a.pdf", "b.pdf"):
        runs.put(key)
    runs.changes["intake"] = {"wait_seconds": 0.5, "unchanged_seconds": 0}
    skipped: list[str] = []
    with open_job(runs.settings, template="transcript", engine=runs.engine) as job:
        assert job.objects
        root = job.objects.root
        root.mkdir(parents=True, exist_ok=True)
        root.with_name(root.name.swapcase()).symlink_to(root)
        files = list(job.scan(lambda *_: None))
        assert [file.source.relative for file in files] == ["A.pdf", "a.pdf", "b.pdf"]
        fetched = job.objects.fetch_ahead(files, lambda file, _: skipped.append(file.source.relative))
        found = [file for file in fetched if file]
        assert [file.source.relative for file in found] == ["A.pdf", "b.pdf"], "the file of A.pdf is still needed"
        assert skipped == ["a.pdf"]

        fetched = job.objects.fetch_ahead(files, lambda file, _: skipped.append(file.source.relative))
        names = []
        for file in fetched:
            if file:
                names.append(file.source.relative)
                assert file.source.path.read_bytes() == text_pdf([file.source.relative])
                job.objects.file_finished(file)
        assert sorted(names) == ["A.pdf", "a.pdf", "b.pdf"]
        assert skipped == ["a.pdf"]
    first = runs.run().documents  # the second of two names may wait for the next run
    assert first["done"] + (runs.run().documents["done"] if first["done"] < 3 else 0) == 3


def test_what_is_left_to_read_can_be_estimated(runs: BucketRuns, tmp_path: Path) -> None:
    runs.put("old.pdf", text_pdf(["Read already"]))
    runs.command("run", *runs.places, "--template", "transcript")
    for number in range(6):
        runs.put(f"new/{number}.pdf", text_pdf([f"Page {page} of {number}" for page in range(3)]))
    runs.put("new/sealed.pdf", encrypted_pdf(password="swordfish"))
    before = [(key, runs.get(key)) for key in runs.keys("")]
    here = set(tmp_path.rglob("*.pdf"))
    ended = runs.command("estimate", *runs.places, "--template", "transcript", "--json", TMPDIR=str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout)
    assert (report["files"], report["known"], report["sample"]["opened"]) == (7, 1, 7)
    assert report["pages"]["value"] == 18
    assert report["seconds"]["value"] > 0
    assert [(one["file"], one["reason"]) for one in report["sample"]["failed"]] == [("new/sealed.pdf", "needs_password")]
    assert [(key, runs.get(key)) for key in runs.keys("")] == before
    assert set(tmp_path.rglob("*.pdf")) == here
    named = runs.command("estimate", f"{runs.inbox}/new/1.pdf", *runs.places, "--template", "transcript", "--json")
    assert json.loads(named.stdout)["files"] == 1
