"""`pipeline review` as a user meets it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from examples.pictures import png
from tests.cli.conftest import Pipeline
from tests.drawing import encrypted_pdf, invoice, scanned_invoice, text_pdf
from tests.drawn_containers import mail, zip_of
from tests.evaluate.building import put


def test_a_review_is_written_beside_the_results_and_changes_nothing_else(pipeline: Pipeline, folder: Path) -> None:
    pipeline("init")
    put(folder, "inbox/a.pdf", text_pdf(["Alpha"]))
    put(folder, "inbox/sealed.pdf", encrypted_pdf())
    assert pipeline("run", "--template", "transcript").code == 1
    before = {path: path.stat().st_mtime_ns for ending in ("json", "csv") for path in (folder / "outbox").rglob(f"*.{ending}")}
    outcome = pipeline("review")
    assert outcome.code == 0
    assert re.search(r"outbox/review.html: 2 documents, 1 to check; 1 image, \d+ kB$", outcome.out.strip())
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert 'id="image-' in (folder / "outbox" / "review.html").read_text(encoding="utf-8")
    report = pipeline("review", "--needs-review", "--output", "look/at.html", "--json").json
    assert (report["report"], report["documents"], report["to_review"], report["pictures"]) == ("look/at.html", 1, 1, 0)
    assert (folder / "look" / "at.html").stat().st_size == report["bytes"]
    assert pipeline("review", "inbox/a.pdf", "--json").json["documents"] == 1
    limited = pipeline("review", "--limit", "1")
    assert "1 older document left out" in limited.out
    assert pipeline("review", "--quiet").out == ""
    assert "1 page without an image" in pipeline("review", "--megabytes", "0").out
    assert pipeline("run", "--template", "transcript").out.startswith("nothing to do"), "a review is no document"


def test_parts_of_containers_have_pictures_as_long_as_their_container_is_there(pipeline: Pipeline, folder: Path) -> None:
    pipeline("init")
    attached = zip_of([("b.pdf", text_pdf(["Beta"])), ("c.pdf", text_pdf(["Gamma"]))])
    put(folder, "inbox/mail.eml", mail([("a.pdf", text_pdf(["Alpha"])), ("in.zip", attached)], text=None))
    put(folder, "inbox/other.zip", zip_of([("d.pdf", text_pdf(["Delta"]))]))
    assert pipeline("run", "--template", "transcript").code == 0
    assert pipeline("review", "--json").json["pictures"] == 4
    (folder / "inbox" / "other.zip").unlink()
    assert pipeline("review", "--json").json["pictures"] == 3
    assert "no longer where it was read" in (folder / "outbox" / "review.html").read_text(encoding="utf-8")
    assert not [path for path in (folder / "outbox" / ".pipeline").rglob("*.pdf") if path.is_file()]


def test_a_review_of_nothing_says_what_is_missing(pipeline: Pipeline, folder: Path) -> None:
    assert "nothing was read into" in pipeline("review").err
    pipeline("init")
    put(folder, "inbox/a.pdf", text_pdf(["Alpha"]))
    pipeline("run", "--template", "transcript")
    for arguments, report in (
        (["inbox/b.pdf"], "no known document matches these paths"),
        (["--template", "invoce"], "did you mean `invoice`"),
        (["--since", "yesterday"], "not an age"),
        (["--since", "999999w"], "not an age"),
    ):
        outcome = pipeline("review", *arguments)
        assert outcome.code == 2
        assert report in outcome.err
    nothing = pipeline("review", "--since", "2999-01-01")
    assert (nothing.code, "review.html: 0 documents" in nothing.out) == (0, True)


@pytest.mark.slow
def test_a_scan_that_lies_on_its_side_is_shown_upright_also_from_a_ledger_made_anew(pipeline: Pipeline, folder: Path) -> None:
    pipeline("init")
    put(folder, "inbox/scan.png", png(scanned_invoice(invoice(), turned=90)))
    assert pipeline("run", "--template", "invoice", "--engine", "embedded").code == 0
    page = json.loads((folder / "outbox" / "scan.png.json").read_text(encoding="utf-8"))["pages"][0]
    assert page["turned"] == 270
    for damage in (b"", b"nonsense" * 1000):
        if damage:
            (folder / "outbox" / ".pipeline" / "ledger.sqlite").write_bytes(damage)
            assert pipeline("run", "--template", "invoice", "--engine", "embedded").code == 0
        pipeline("review")
        html = (folder / "outbox" / "review.html").read_text(encoding="utf-8")
        size = re.search(r'"size":\[([\d.]+),([\d.]+)\]', html)
        assert size
        assert float(size[1]) < float(size[2]), "upright"
