"""Parts of containers after their files are deleted: questions about them, reading one again, and what is said when that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import DocumentError
from pipeline.ledger.ledger import Ledger
from pipeline.ledger.orders import Order, find_order, place_order
from pipeline.monitoring.events import RunCounts
from pipeline.run import part_cache
from pipeline.run.job import open_job
from pipeline.run.part_cache import PartCache
from pipeline.run.part_file import PartPlace, find_part
from pipeline.run.reread_orders import RereadOrders
from pipeline.settings import STATE_FOLDER, Settings
from tests.drawing import text_pdf
from tests.drawn_containers import mail, pdf_with, zip_of
from tests.run.conftest import RunFolders


def page(text: str) -> bytes:
    return text_pdf([text])


def nested() -> bytes:
    """A mail with a document, and with an archive that holds a document with an attachment."""
    return mail([("a.pdf", page("Alpha")), ("in.zip", zip_of([("b.pdf", pdf_with([("c.pdf", page("Gamma"))]))]))])


def ask(folders: RunFolders, name: str) -> Order:
    with Ledger(folders.outbox / STATE_FOLDER) as ledger:
        file = ledger.file_by_name(name)
        assert file
        assert not file.source.path.exists()
        return place_order(ledger, "question", file.sha256, {"page": 1, "question": "What is it?", "follows": None}, "Anna")


def outcome(folders: RunFolders, order: Order) -> dict[str, object]:
    with Ledger(folders.outbox / STATE_FOLDER) as ledger:
        order_now = find_order(ledger, order.id)
    assert order_now is not None
    assert order_now.outcome is not None
    return dict(order_now.outcome)


def read_again(folders: RunFolders, name: str, template: str) -> dict[str, object]:
    settings = Settings(inbox=folders.inbox, outbox=folders.outbox, workers=1)
    with open_job(settings, engine=folders.engine) as job:
        file = job.ledger.file_by_name(name)
        assert file
        details = {"name": name, "template": template, "engine": None}
        order = place_order(job.ledger, "reading", file.sha256, details, "Anna")
        RereadOrders(job, RunCounts()).carry_out()
    return outcome(folders, order)


@pytest.mark.parametrize(
    ("name", "answer"),
    [("m.eml/a.pdf", "Alpha"), ("m.eml/in.zip/b.pdf/c.pdf", "Gamma"), ("z.zip/d.pdf", "Delta"), ("h.pdf/e.pdf", "Epsilon")],
)
def test_a_question_about_a_part_is_answered_although_its_file_is_deleted(folders: RunFolders, name: str, answer: str) -> None:
    folders.put("m.eml", nested())
    folders.put("z.zip", zip_of([("first.pdf", page("First")), ("d.pdf", page("Delta"))]))
    folders.put("h.pdf", pdf_with([("e.pdf", page("Epsilon"))]))
    folders.run()
    order = ask(folders, name)
    folders.run()
    assert outcome(folders, order)["answer"] == answer
    assert list((folders.outbox / STATE_FOLDER / "parts").iterdir()) == [], "what was unpacked goes with the run"


def test_a_container_that_was_moved_to_the_archive_is_found_there(folders: RunFolders) -> None:
    folders.changes["after"] = "move"
    path = folders.put("z.zip", zip_of([("d.pdf", page("Delta"))]))
    folders.run()
    assert not path.exists()
    order = ask(folders, "z.zip/d.pdf")
    folders.run()
    assert outcome(folders, order)["answer"] == "Delta"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "its container sub/z.zip is no longer where it was read: put it back"),
        (zip_of([("d.pdf", page("Another"))]), "its container sub/z.zip has changed and no longer holds it as it was read"),
        (b"no container", "its container sub/z.zip has changed"),
    ],
)
def test_a_container_that_is_gone_or_changed_is_named(folders: RunFolders, content: bytes | None, message: str) -> None:
    path = folders.put("sub/z.zip", zip_of([("d.pdf", page("Delta"))]))
    folders.run()
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    assert message in str(read_again(folders, "sub/z.zip/d.pdf", "transcript")["error"])
    place = place_of(folders, "sub/z.zip/d.pdf")
    cache = PartCache(Settings(inbox=folders.inbox, outbox=folders.outbox))
    with pytest.raises(DocumentError, match=message), cache.open(place):
        pass
    folders.put("sub/z.zip", zip_of([("d.pdf", page("Delta"))]))
    with cache.open(place) as file:
        assert file.source.path.read_bytes()[:5] == b"%PDF-", "a later request finds what was put back"
    cache.close()
    assert not file.source.path.exists()


def test_a_question_about_a_part_whose_container_is_gone_says_so(folders: RunFolders) -> None:
    path = folders.put("z.zip", zip_of([("d.pdf", page("Delta"))]))
    folders.run()
    order = ask(folders, "z.zip/d.pdf")
    path.unlink()
    folders.run()
    assert "its container z.zip is no longer where it was read" in str(outcome(folders, order)["error"])


@pytest.mark.parametrize("name", ["m.eml/a.pdf", "m.eml/in.zip/b.pdf", "m.eml/in.zip/b.pdf/c.pdf"])
def test_one_part_is_read_again_and_no_other(folders: RunFolders, name: str) -> None:
    folders.put("m.eml", nested())
    folders.run(template=None)
    before = {path: path.read_bytes() for path in (folders.outbox / "m.eml").rglob("*.json")}
    folders.engine.units.clear()
    assert read_again(folders, name, "receipt")["status"] == "done"
    assert {template for template, _ in folders.engine.units} == {"receipt"}
    assert list(folders.json(name)["results"]) == ["receipt"]
    assert folders.json(name)["document"]["parent"] == name.rpartition("/")[0]
    after = {path: path.read_bytes() for path in (folders.outbox / "m.eml").rglob("*.json")}
    changed = {path.relative_to(folders.outbox).as_posix() for path in after if before.get(path) != after[path]}
    assert changed == {f"{name}.json"}
    folders.engine.units.clear()
    folders.run(template=None)
    assert folders.engine.units == [], "the next run leaves it"
    assert not [path for path in (folders.outbox / STATE_FOLDER / "unpacked").rglob("*") if path.is_file()]


def place_of(folders: RunFolders, name: str) -> PartPlace:
    settings = Settings(inbox=folders.inbox, outbox=folders.outbox)
    with Ledger(folders.outbox / STATE_FOLDER) as ledger:
        record = ledger.file_by_name(name)
        assert record
        place = find_part(ledger, record, settings)
    assert place
    return place


def test_the_latest_parts_are_kept_and_those_in_use(folders: RunFolders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part_cache, "KEPT_FILES", 1)
    folders.put("z.zip", zip_of([(f"{n}.pdf", page(f"Page {n}")) for n in range(3)]))
    folders.run()
    places = [place_of(folders, f"z.zip/{n}.pdf") for n in range(3)]
    cache = PartCache(Settings(inbox=folders.inbox, outbox=folders.outbox))

    def kept() -> list[Path]:
        return [path for path in (folders.outbox / STATE_FOLDER / "parts").rglob("*") if path.is_file()]

    with cache.open(places[0]) as first:
        for place in places[1:]:
            with cache.open(place) as file:
                assert first.source.path.is_file()
                assert len({first.source.path, file.source.path, *kept()}) == len(kept()) == 2
    assert len(kept()) == 1
    kept()[0].unlink()  # a run that starts deletes it
    with cache.open(places[2]) as file:
        assert (file.size, file.mtime_ns) == (places[2].part.size, places[2].part.mtime_ns)
    with cache.open(places[2]) as again:
        assert again == file, "it is not unpacked again"
    cache.close()
    assert kept() == []
