"""An outbox in a store: what a run leaves there, and how another machine goes on with it."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline.engines.base import Request
from pipeline.errors import LockedError, StoreError
from pipeline.records import Answer
from pipeline.remote.lease import Lease
from pipeline.remote.object_store import ObjectStore, open_store
from pipeline.run.job import open_job
from tests.drawing import blank_pdf, invoice, invoice_pdf, png, receipt_image, text_pdf
from tests.remote.conftest import BUCKET, BucketRuns, S3Server
from tests.run.conftest import EchoEngine

KILLS = max(4, int(os.environ.get("KILLS", "36")) // 12)
"""KILLS=300 is 25 of them."""


def plain(result: Any) -> Any:
    """A result without what differs from run to run."""
    result["provenance"] = {key: value for key, value in result["provenance"].items() if key in ("engine", "versions")}
    for page in result["pages"]:
        page.pop("seconds", None)
    return result


@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_what_is_no_file_in_the_place_of_a_result_holds_no_sending(runs: BucketRuns, kind: str) -> None:
    runs.put("a.pdf")
    warnings: list[str] = []
    with open_job(runs.settings, template="transcript", engine=runs.engine) as job:
        assert job.mirror
        job.mirror.on_warning = warnings.append
        path = runs.settings.outbox / "b.pdf.json"
        os.mkfifo(path) if kind == "pipe" else path.symlink_to("/etc/hostname")
        writer = (
            os.open(path, os.O_RDWR) if kind == "pipe" else None
        )  # so that an opening of the pipe succeeds, and its reading waits
        job.mirror.add_files([path])
        job.mirror.checkpoint(now=True)
        if writer is not None:
            os.close(writer)
    assert "b.pdf.json" not in runs.keys("out/")
    assert len([line for line in warnings if "b.pdf.json: cannot be sent" in line]) == 1


@pytest.mark.slow
def test_results_are_those_of_a_local_run(runs: BucketRuns, tmp_path: Path) -> None:
    documents = {
        "bills/2025/invoice.pdf": invoice_pdf(invoice()),
        "receipt.png": png(receipt_image()),
        "letter.pdf": text_pdf(["Dear all", "and a second page"]),
        "nothing.pdf": blank_pdf(),
        "broken.pdf": b"%PDF-1.7 broken off",
    }
    for name, content in documents.items():
        runs.put(name, content)
        path = tmp_path / "inbox" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    there = runs.command("run", *runs.places, "--engine", "embedded")
    here = runs.command(
        "run", "--inbox", "inbox", "--outbox", "outbox", "--engine", "embedded", PIPELINE_INTAKE__UNCHANGED_SECONDS="0"
    )
    assert (there.returncode, here.returncode) == (1, 1), there.stderr + here.stderr
    local = sorted(str(path.relative_to("outbox")) for path in Path("outbox").rglob("*") if path.is_file())
    local = [name for name in local if not name.startswith(".pipeline")]
    assert runs.keys("out/") == local
    for name in local:
        mine, theirs = runs.get(f"out/{name}").decode(), (tmp_path / "outbox" / name).read_text(encoding="utf-8")
        if name.endswith(".json"):
            mine = re.sub(r"/[^ '\"]*/objects/s3/documents%/in%/", f"{tmp_path}/inbox/", mine)  # where the reader had the file
            assert plain(json.loads(mine)) == plain(json.loads(theirs))
        else:
            assert sorted(mine.splitlines()) == sorted(theirs.splitlines())
    assert runs.keys("in/") == sorted(documents), "nothing was taken out of the inbox"
    left = [path for path in (tmp_path / "first").rglob("objects/**/*") if path.is_file()]
    assert not left, "what was fetched is deleted when it has been read"


@pytest.mark.slow
def test_kills_lose_nothing_and_double_nothing(runs: BucketRuns) -> None:
    names = [f"{number:02}.pdf" for number in range(24)]
    for name in names:
        runs.put(name)
    chance = random.Random(8)
    for kill in range(KILLS):
        process = runs.start("run", *runs.places, "--template", "transcript", PIPELINE_AFTER="move" if kill % 2 else "keep")
        before, until = len(runs.keys("out/")), time.monotonic() + 60
        goal = before + chance.randint(1, 4)
        while process.poll() is None and len(runs.keys("out/")) < goal and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(chance.random() / 2)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    ended = runs.command("run", *runs.places, "--template", "transcript", PIPELINE_AFTER="move")
    assert ended.returncode == 0, ended.stderr
    assert runs.keys("out/") == sorted([f"{name}.json" for name in names] + ["documents.csv", "transcript.csv"])
    for name in names:
        assert runs.texts(name) == [name]
    for sheet in ("documents", "transcript"):
        assert sorted(row["file"] for row in runs.rows(sheet)) == names
    assert not runs.keys("in/"), ended.stdout + ended.stderr
    assert sorted({key.rpartition("/")[2] for key in runs.keys("archive/")}) == names
    assert len(runs.keys("archive/")) == len(names), "a move that was cut off is not made twice"


def test_another_machine_goes_on(runs: BucketRuns) -> None:
    for name in ("a.pdf", "b.pdf"):
        runs.put(name)
    assert runs.run().documents == {"done": 2}
    runs.machine("second")
    assert runs.run().known == 2
    runs.put("c.pdf")
    runs.put("b.pdf", text_pdf(["Another b"]))
    runs.engine.units.clear()
    assert runs.run().documents == {"done": 2}
    assert len(runs.engine.units) == 2, "what the first machine read is not read again"
    runs.machine("first")
    runs.put("d.pdf")
    assert runs.run().documents == {"done": 1}, "the first machine knows what the second one did"
    assert sorted(row["file"] for row in runs.rows("documents")) == ["a.pdf", "b.pdf", "c.pdf", "d.pdf"]
    assert runs.texts("b.pdf") == ["Another b"]
    ours = runs.s3.list_objects_v2(Bucket=BUCKET, Prefix="out/.pipeline/")["Contents"]
    assert len([item for item in ours if item["Key"].endswith(".sqlite")]) == 1, "one copy of the ledger is kept"


def test_a_machine_that_is_lost_takes_only_what_was_in_flight(runs: BucketRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    """It died after it had sent results, before it had sent its ledger: they are read once more, and there once."""
    runs.changes["after"] = "move"
    for name in ("a.pdf", "b.pdf"):
        runs.put(name)

    def dies(*_: object) -> None:
        raise OSError("the machine is gone")

    with monkeypatch.context() as broken:
        broken.setattr("pipeline.remote.mirror.snapshot.put_snapshot", dies)
        with pytest.raises(OSError, match="the machine is gone"):
            runs.run()
    assert runs.keys("in/") == ["a.pdf", "b.pdf"], "nothing is put away before the ledger is safe"
    runs.machine("second")
    monkeypatch.setattr("pipeline.remote.lease.time.time", lambda at=time.time: at() + 300)
    assert runs.run().documents == {"done": 2}
    assert sorted(row["file"] for row in runs.rows("documents")) == ["a.pdf", "b.pdf"]
    assert not runs.keys("in/")
    assert len(runs.keys("archive/")) == 2


def test_a_run_with_nothing_to_do_sends_nothing(runs: BucketRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    runs.put("a.pdf")
    runs.run()
    sent: list[str] = []
    monkeypatch.setattr(ObjectStore, "put", lambda _, url, __: sent.append(url))
    runs.run()
    assert not sent


def test_an_outbox_that_was_emptied_is_filled_again(runs: BucketRuns) -> None:
    runs.put("a.pdf")
    runs.run()
    for item in runs.s3.list_objects_v2(Bucket=BUCKET, Prefix="out/")["Contents"]:
        runs.s3.delete_object(Bucket=BUCKET, Key=item["Key"])
    runs.engine.units.clear()
    runs.run()
    assert runs.texts("a.pdf") == ["a.pdf"]
    assert [row["file"] for row in runs.rows("documents")] == ["a.pdf"]
    assert not runs.engine.units


def test_two_machines_do_not_run_at_once(runs: BucketRuns) -> None:
    runs.put("a.pdf")
    with Lease(open_store(runs.outbox), runs.outbox, "of another machine"):
        refused = runs.command("run", *runs.places)
        assert refused.returncode == 3
        assert "another run works on s3://documents/out" in refused.stderr
        assert json.loads(runs.command("status", "--json", "--outbox", runs.outbox).stdout)["running"]
    assert runs.run().documents == {"done": 1}


def test_a_run_that_was_taken_over_writes_no_more(runs: BucketRuns) -> None:
    runs.put("a.pdf")
    runs.run()
    before = runs.get("out/documents.csv")
    runs.put("b.pdf")
    theirs = {"number": 99, "holder": "x", "machine": "elsewhere", "until": time.time() + 100}

    def acquire_and_sleep(lease: Lease) -> None:
        """The lease ends while the machine sleeps, and another machine takes it over."""
        acquire(lease)
        runs.s3.put_object(Bucket=BUCKET, Key="out/.pipeline/lease/000000099.json", Body=json.dumps(theirs))
        runs.monkeypatch.setattr("pipeline.remote.lease.time.time", lambda now=time.time: now() + 300)

    acquire = Lease.acquire
    runs.monkeypatch.setattr(Lease, "acquire", acquire_and_sleep)
    with pytest.raises(LockedError, match="elsewhere has taken over"):
        runs.run()
    assert runs.get("out/documents.csv") == before
    assert "b.pdf.json" not in runs.keys("out/")


def test_results_wait_while_the_store_is_away(runs: BucketRuns, server: S3Server) -> None:
    runs.put("a.pdf")
    runs.changes["intake"] = {"wait_seconds": 0.1, "unchanged_seconds": 0}
    with server_that_goes_offline(runs, server), pytest.raises(StoreError):
        runs.run()
    assert "a.pdf.json" not in runs.keys("out/")
    runs.engine.units.clear()
    runs.run()
    assert runs.texts("a.pdf") == ["a.pdf"]
    assert [row["file"] for row in runs.rows("documents")] == ["a.pdf"]
    assert not runs.engine.units, "it was read, and only had to be sent"


@contextmanager
def server_that_goes_offline(runs: BucketRuns, server: S3Server) -> Iterator[None]:
    """The server goes away as soon as the engine is asked."""
    with ExitStack() as away:

        class Engine(EchoEngine):
            def respond(self, request: Request) -> Answer:
                answer = super().respond(request)
                away.enter_context(server.offline())
                return answer

        before, runs.engine = runs.engine, Engine()
        yield
        runs.engine = before


def test_status_export_review_and_reprocess(runs: BucketRuns) -> None:
    runs.put("a.pdf", invoice_pdf(invoice()))
    assert runs.command("run", *runs.places, "--template", "invoice").returncode == 0
    runs.machine("second")
    report = json.loads(runs.command("status", "--json", "--outbox", runs.outbox).stdout)
    assert (report["outbox"], report["documents"], report["running"]) == (runs.outbox, {"done": 1}, False)
    assert runs.command("export", "--outbox", runs.outbox, "--format", "jsonl").returncode == 0
    assert len(runs.get("out/documents.jsonl").splitlines()) == 1
    review = runs.command("review", "--outbox", runs.outbox)
    assert "s3://documents/out/review.html: 1 document" in review.stdout
    assert "1 image" in review.stdout, "the page was fetched and drawn"
    assert b"a.pdf" in runs.get("out/review.html")
    again = runs.command("reprocess", "s3://documents/in/a.pdf", *runs.places, "--json")
    assert json.loads(again.stdout)["documents"] == {"done": 1}
    assert [row["file"] for row in runs.rows("documents")] == ["a.pdf"]
