"""The selection of documents, the limits of the file, and its contents, without a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from pathlib import Path
from typing import Any

from pipeline.records import Evidence
from pipeline.web.export_data import MAX_CHARACTERS, MAX_ROWS, visible_text
from pipeline.web.selection import Selection
from tests.drawing import text_pdf
from tests.web.review.building import PageRead, ReviewFolder, grounded


def data(path: Path) -> dict[str, Any]:
    """The data of a review as its script reads it."""
    match = re.search(r'<script type="application/json" id="data">(.*?)</script>', path.read_text(encoding="utf-8"), re.DOTALL)
    assert match
    return dict(json.loads(match[1]))


def documents_with_image(path: Path) -> set[str]:
    names = [item["name"] for item in data(path)["documents"]]
    return {names[int(n)] for n in re.findall(r'id="image-(\d+)-\d+"', path.read_text(encoding="utf-8"))}


def read_one(**fields: Evidence) -> list[PageRead]:
    return [PageRead(fields)]


def test_images_of_documents_to_review_come_first(folder: ReviewFolder) -> None:
    for n in range(4):
        flags = ("ungrounded",) if n == 1 else ()
        folder.add(f"{n}.pdf", text_pdf([f"page {n}"]), read_one(subtotal=grounded("5", flags=flags)))
    everything = folder.write_summary()
    assert (everything.pictures, everything.to_review, everything.without_picture) == (4, 1, 0)
    one = len(re.findall(r'"text/plain" id="image[^>]*>([^<]*)', (folder.path / "review.html").read_text())[0])
    few = folder.write_summary(round(1.5 * one))
    assert (few.documents, few.pictures, few.without_picture) == (4, 1, 3)
    assert documents_with_image(folder.path / "review.html") == {"1.pdf"}
    assert few.bytes < everything.bytes
    assert folder.write_summary(0).pictures == 0


def test_pages_with_values_have_images_and_blank_ones_have_none(folder: ReviewFolder) -> None:
    pages = [PageRead(status="blank"), *([PageRead()] * 14), PageRead({"total": grounded("5", (60, 60, 90, 80), page=16)})]
    folder.add("a.pdf", text_pdf([f"page {n}" for n in range(16)]), pages)
    folder.write_summary()
    pages = data(folder.path / "review.html")["documents"][0]["page_list"]
    assert [page["page"] for page in pages if "size" in page] == [*range(2, 11), 16]


def test_a_page_that_cannot_be_drawn_has_a_reason(folder: ReviewFolder) -> None:
    folder.add("a.pdf", b"%PDF-1.7 broken", read_one(total=grounded("5")))
    assert folder.write_summary().pictures == 0
    (page,) = data(folder.path / "review.html")["documents"][0]["page_list"]
    assert page["undrawn"]


def test_the_policy_names_the_hashes_of_the_only_script_and_style_and_nothing_else(folder: ReviewFolder) -> None:
    html = folder.write().read_text(encoding="utf-8")
    policy = html.split('Content-Security-Policy" content="')[1].split('"')[0]
    for kind in ("style", "script"):
        (text,) = re.findall(rf"<{kind}>(.*?)</{kind}>", html, re.DOTALL)
        assert f"{kind}-src 'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none'; img-src data:;")
    for loose in ("unsafe", "http:", "https:", "*"):
        assert loose not in policy
    assert not re.search(
        r"url\(|@import|https?://(?!www\.w3\.org)", re.sub(r"<script type=.*?</script>", "", html, flags=re.DOTALL)
    )
    assert "innerHTML" not in html


def test_documents_are_selected_by_file_result_folder_template_time_and_need(folder: ReviewFolder) -> None:
    doubtful = grounded("5", flags=("ungrounded",))
    for name, pages, more in (
        ("march/a.pdf", read_one(subtotal=grounded("5")), {}),
        ("march/b.pdf", read_one(subtotal=doubtful), {}),
        ("march.pdf", read_one(total=grounded("5")), {"template": "receipt"}),
        ("lost.pdf", [], {"reason": "unreadable"}),
    ):
        folder.add(name, None, pages, **more)  # type: ignore[arg-type]
        time.sleep(0.005)  # the ledger's times have milliseconds

    def names(**selection: Any) -> list[str]:
        return [item.file.source.name for item in folder.select(Selection(**selection))]

    inbox, outbox = folder.settings.inbox, folder.settings.outbox
    assert names() == ["lost.pdf", "march.pdf", "march/b.pdf", "march/a.pdf"], "the latest first"
    assert names(paths=[inbox / "march"]) == ["march/b.pdf", "march/a.pdf"]
    assert names(paths=[inbox / "march.pdf", outbox / "march" / "a.pdf.json"]) == ["march.pdf", "march/a.pdf"]
    assert names(template="receipt") == ["march.pdf"]
    assert names(needs_review=True) == ["lost.pdf", "march/b.pdf"]
    assert names(since="2001-01-01T00:00:00.000Z") == names()
    assert names(since="2999-01-01T00:00:00.000Z") == []


def test_long_texts_and_tables_are_cut_and_say_so(folder: ReviewFolder) -> None:
    rows = [{"description": f"Nail {n}", "amount": "1"} for n in range(5 * MAX_ROWS)]
    folder.add("a.pdf", None, read_one(vendor_name=grounded("x" * 100_000), line_items=grounded(rows)))
    folder.write_summary()
    fields = {field["name"]: field for field in data(folder.path / "review.html")["documents"][0]["results"][0]["fields"]}
    assert fields["vendor_name"]["value"] == "x" * MAX_CHARACTERS + "… (100,000 letters in all)"
    assert (len(fields["line_items"]["table"]["rows"]), fields["line_items"]["table"]["row_count"]) == (MAX_ROWS, 5 * MAX_ROWS)
    assert folder.write_summary().bytes < 140_000, "the interface, and no more of the values"


def test_invisible_characters_are_spelled_out() -> None:
    assert visible_text("a\u202eb\x00c\ud800") == "a⟨U+202E⟩b⟨U+0000⟩c⟨U+D800⟩"
    assert visible_text("one\r\ntwo\tthree äöü 中文 \u200d") == "one\ntwo\tthree äöü 中文 \u200d"


def test_folders_of_the_machine_are_not_in_the_review(folder: ReviewFolder) -> None:
    path = folder.settings.inbox / "a.pdf"
    folder.add("a.pdf", b"x", reason="unreadable", detail=f"Failed to open file '{path}'.")
    html = folder.write().read_text(encoding="utf-8")
    assert str(folder.path) not in html
    assert data(folder.path / "review.html")["documents"][0]["detail"] == "Failed to open file 'a.pdf'"
