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
from pipeline.remote.object_store import Entry, GoneError, Store, open_store
from pipeline.run.job import open_job
from tests.drawing import encrypted_pdf, text_pdf
from tests.remote.conftest import BUCKET, Server, Shop
from tests.run.processes import wait_for


def test_odd_keys_are_only_names(shop: Shop, tmp_path: Path) -> None:
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
        shop.put(key, text_pdf([f"Text {odd.index(key)}"]))
    for passed in (".hidden.pdf", "half.part", "folder/"):
        shop.put(passed, b"")
    assert shop.run().documents == {"done": len(odd)}
    results = [key for key in shop.keys("out/") if key.endswith(".json")]
    assert len(results) == len(odd)
    found = {shop.json(key.removesuffix(".json"))["document"]["path"]: shop.texts(key.removesuffix(".json")) for key in results}
    assert found == {key: [f"Text {odd.index(key)}"] for key in odd}
    assert {path.name for path in tmp_path.iterdir()} == {"first"}, "nothing was written anywhere else"
    assert shop.run().known == len(odd)


def test_an_object_that_was_replaced_or_deleted_since_it_was_listed_comes_back(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.pdf", "b.pdf", "c.pdf"):
        shop.put(name)
    listed = Store.entries

    def entries(self: Store, url: str) -> Any:
        yield from list(listed(self, url))
        if url == shop.inbox:
            monkeypatch.setattr(Store, "entries", listed)
            shop.put("a.pdf", text_pdf(["A new a"]))
            shop.s3.delete_object(Bucket=BUCKET, Key="in/b.pdf")

    monkeypatch.setattr(Store, "entries", entries)
    first = shop.run()
    assert first.documents == {"done": 1}
    assert sorted(name for name, _ in first.skipped_files) == ["a.pdf", "b.pdf"]
    assert shop.run().documents == {"done": 1}
    assert shop.texts("a.pdf") == ["A new a"]
    assert sorted(row["file"] for row in shop.rows("documents")) == ["a.pdf", "c.pdf"]


def test_an_object_replaced_while_it_is_fetched_is_not_mixed_with_the_new_one(shop: Shop, tmp_path: Path) -> None:
    shop.put("a.pdf", b"x" * 100)
    store = open_store(shop.inbox)
    entry = store.look(f"{shop.inbox}/a.pdf")
    shop.put("a.pdf", b"y" * 100)  # the same size, in the same second
    assert entry
    with pytest.raises(GoneError):
        store.fetch(entry, tmp_path / "a")


def test_too_large_objects_are_not_fetched(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.put("large.pdf", b"x" * 1_000_001)
    shop.put("small.pdf")
    shop.changes["limits"] = {"megabytes": 1}
    fetched: list[str] = []
    fetch = Store.fetch

    def noted(store: Store, entry: Entry, path: Path) -> None:
        fetched.append(entry.url)
        fetch(store, entry, path)

    monkeypatch.setattr(Store, "fetch", noted)
    assert shop.run().documents == {"done": 1, "failed": 1}
    assert shop.json("large.pdf")["reason"] == "too_large"
    assert fetched == ["s3://papers/in/small.pdf"]
    assert shop.run().known == 2


def test_files_are_put_away_within_the_store_and_come_back(shop: Shop) -> None:
    shop.changes["after"] = "move"
    shop.put("letters/good.pdf")
    shop.put("letters/sealed.pdf", encrypted_pdf(password="swordfish"))
    shop.run()
    assert not shop.keys("in/")
    assert [key.partition("/")[2] for key in shop.keys("archive/")] == ["letters/good.pdf"]
    assert shop.keys("failed/") == ["letters/sealed.pdf", "letters/sealed.pdf.reason.txt"]
    assert b"needs_password" in shop.get("failed/letters/sealed.pdf.reason.txt")
    shop.s3.copy_object(Bucket=BUCKET, Key="in/letters/sealed.pdf", CopySource=f"{BUCKET}/failed/letters/sealed.pdf")
    shop.s3.delete_object(Bucket=BUCKET, Key="failed/letters/sealed.pdf")
    shop.changes["limits"] = {"passwords": ["swordfish"]}
    assert shop.run().documents == {"done": 1}
    assert shop.json("letters/sealed.pdf")["status"] == "done"
    assert not shop.keys("failed/")
    shop.put("letters/good.pdf", text_pdf(["Another one"]))
    shop.run()
    assert sorted(row["file"] for row in shop.rows("documents")) == [
        "letters/good.pdf",
        "letters/sealed.pdf",
        "letters_good.pdf~2",
    ]
    assert shop.texts("letters/good.pdf") == ["letters/good.pdf"]


def test_files_that_were_kept_are_put_away_when_that_is_asked_for(shop: Shop) -> None:
    shop.put("a.pdf")
    shop.run()
    shop.changes["after"] = "move"
    shop.put("b.pdf")
    tally = shop.run()
    assert (tally.known, tally.documents) == (1, {"done": 1})
    assert not shop.keys("in/")
    assert len(shop.keys("archive/")) == 2


def test_results_and_archive_below_the_inbox_are_not_read(shop: Shop) -> None:
    shop.inbox, shop.changes["after"] = f"s3://{BUCKET}", "move"
    shop.put("a.pdf")
    assert shop.run().documents == {"done": 1}
    assert [key.partition("/")[2] for key in shop.keys("archive/")] == ["in/a.pdf"]
    assert shop.run().documents == {}


def test_members_of_archives_in_the_store(shop: Shop) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("one.pdf", text_pdf(["One"]))
        archive.writestr("two.pdf", text_pdf(["Two"]))
    shop.put("scans.zip", packed.getvalue())
    command = ["reprocess", "s3://papers/in/scans.zip", *shop.places, "--template", "transcript", "--json"]
    assert json.loads(shop.command(*command).stdout)["documents"] == {"done": 2}
    assert shop.texts("scans.zip/one.pdf") == ["One"]
    shop.machine("second")
    assert json.loads(shop.command(*command).stdout)["known"] == 2


def test_a_local_outbox_may_be_moved(shop: Shop, tmp_path: Path) -> None:
    shop.put("a.pdf")
    shop.outbox = str(tmp_path / "here")
    assert shop.run().documents == {"done": 1}
    (tmp_path / "here").rename(tmp_path / "there")
    shop.outbox = str(tmp_path / "there")
    assert shop.run().known == 1


# ---- what goes wrong ------------------------------------------------------------------------------------


def test_no_such_bucket(shop: Shop) -> None:
    ended = shop.command("run", "--inbox", "s3://nowhere-at-all/in", "--outbox", "outbox")
    assert ended.returncode == 2
    assert "pipeline: s3://nowhere-at-all/in: there is no such bucket" in ended.stderr
    told = shop.command("doctor", "--inbox", "s3://nowhere-at-all/in", "--outbox", shop.outbox)
    assert told.returncode == 2
    assert "WRONG inbox: s3://nowhere-at-all/in: there is no such bucket" in told.stdout
    assert "outbox: s3://papers/out can be reached and written" in told.stdout


def test_access_denied(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("Access Denied, see https://store/x?X-Amz-Signature=a-secret-of-mine")

    monkeypatch.setattr(open_store(shop.inbox)._fs, "call_s3", refuse)
    with pytest.raises(StoreError, match="access denied") as refused:
        next(open_store(shop.inbox).entries(shop.inbox))
    assert not refused.value.passing
    assert "a-secret-of-mine" not in str(refused.value)


def test_no_credentials(shop: Shop) -> None:
    nothing = {
        "AWS_ACCESS_KEY_ID": "",
        "AWS_SECRET_ACCESS_KEY": "",
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(shop.folder),
    }
    ended = shop.command("run", *shop.places, **nothing)
    assert ended.returncode == 2
    assert "set the credentials in the environment" in ended.stderr


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(StoreError, match=r"gs:// needs a package") as missing:
        open_store("gs://bucket/x")
    assert missing.value.cure == install_hint("gs")


def test_urls_with_passwords_are_refused_and_not_repeated(shop: Shop) -> None:
    ended = shop.command("run", "--inbox", "s3://me:open-sesame@papers/in", "--outbox", "outbox")
    assert ended.returncode == 2
    assert "inbox: a store's URL is" in ended.stderr
    assert "open-sesame" not in ended.stderr + ended.stdout


def test_an_object_that_may_not_be_read_costs_nobody_else(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.put("good.pdf")
    shop.put("locked.pdf")
    store = open_store(shop.inbox)
    get_file = store._fs.get_file

    def get(url: str, path: str) -> None:
        if "locked" in url:
            raise PermissionError("Access Denied")
        get_file(url, path)

    monkeypatch.setattr(store._fs, "get_file", get)
    tally = shop.run()
    assert tally.documents == {"done": 1}
    assert [(name, why.rpartition(": ")[2]) for name, why in tally.skipped_files] == [("locked.pdf", "Access Denied")]


@pytest.mark.slow
def test_the_watcher_waits_for_a_server_that_is_gone(shop: Shop, server: Server) -> None:
    shop.put("a.pdf")
    settings = {"PIPELINE_INTAKE__POLL_SECONDS": "0.5", "PIPELINE_INTAKE__WAIT_SECONDS": "1"}
    watching = shop.start("watch", *shop.places, "--template", "transcript", **settings)
    try:
        wait_for(lambda: "a.pdf.json" in shop.keys("out/"), 120)
        with server.away():
            shop.put("b.pdf")
            assert watching.stderr
            line = next(line for line in watching.stderr if "trying again in" in line)
            assert "s3://papers/" in line
        wait_for(lambda: "b.pdf.json" in shop.keys("out/"), 120)
        wait_for(lambda: "documents.csv" in shop.keys("out/") and len(shop.rows("documents")) == 2, 120)
        shop.put("c.pdf")
        wait_for(lambda: "c.pdf.json" in shop.keys("out/"), 120)
        watching.terminate()
        assert watching.wait(60) == 0
    finally:
        watching.kill()
        watching.communicate()
    assert [row["file"] for row in shop.rows("documents")] == ["a.pdf", "b.pdf", "c.pdf"]


def test_a_run_whose_server_goes_away_ends_and_the_next_one_goes_on(shop: Shop, server: Server) -> None:
    for number in range(4):
        shop.put(f"{number}.pdf")
    shop.changes["intake"] = {"wait_seconds": 0.1, "unchanged_seconds": 0}
    with open_job(shop.settings, template="transcript", engine=shop.engine) as job:
        files = list(job.scan(lambda *_: None))
        assert job.objects
        with server.away(), pytest.raises(StoreError) as ended:
            list(job.objects.fetched(files, lambda *_: None))
    assert ended.value.passing
    assert ended.value.exit_code == 2
    assert shop.run().documents == {"done": 4}


def test_what_is_left_to_read_can_be_estimated(shop: Shop, tmp_path: Path) -> None:
    shop.put("old.pdf", text_pdf(["Read already"]))
    shop.command("run", *shop.places, "--template", "transcript")
    for number in range(6):
        shop.put(f"new/{number}.pdf", text_pdf([f"Page {page} of {number}" for page in range(3)]))
    shop.put("new/sealed.pdf", encrypted_pdf(password="swordfish"))
    before = [(key, shop.get(key)) for key in shop.keys("")]
    here = set(tmp_path.rglob("*.pdf"))
    ended = shop.command("estimate", *shop.places, "--template", "transcript", "--json", TMPDIR=str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert (told["files"], told["known"], told["sample"]["opened"]) == (7, 1, 7)
    assert told["pages"]["value"] == 18
    assert told["seconds"]["value"] > 0
    assert [(one["file"], one["reason"]) for one in told["sample"]["failed"]] == [("new/sealed.pdf", "needs_password")]
    assert [(key, shop.get(key)) for key in shop.keys("")] == before
    assert set(tmp_path.rglob("*.pdf")) == here
    named = shop.command("estimate", f"{shop.inbox}/new/1.pdf", *shop.places, "--template", "transcript", "--json")
    assert json.loads(named.stdout)["files"] == 1
