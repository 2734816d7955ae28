"""What is chosen, what finds room, and what the file holds, without a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from pathlib import Path
from typing import Any

from pipeline.records import Evidence
from pipeline.web.selection import Choice
from pipeline.web.view import MOST_LETTERS, MOST_ROWS, visible
from tests.drawing import text_pdf
from tests.web.review.building import Desk, PageRead, sure


def data(path: Path) -> dict[str, Any]:
    """The data of a report as its script reads them."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', path.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def pictures(path: Path) -> set[str]:
    """Documents with a picture."""
    names = [item["name"] for item in data(path)["documents"]]
    return {names[int(n)] for n in re.findall(r'id="picture-(\d+)-\d+"', path.read_text(encoding="utf-8"))}


def read_one(**fields: Evidence) -> list[PageRead]:
    return [PageRead(fields)]


def test_pictures_of_what_needs_a_look_find_room_first(desk: Desk) -> None:
    for n in range(4):
        flags = ("ungrounded",) if n == 1 else ()
        desk.add(f"{n}.pdf", text_pdf([f"page {n}"]), read_one(subtotal=sure("5", flags=flags)))
    everything = desk.written()
    assert (everything.pictures, everything.to_review, everything.without_picture) == (4, 1, 0)
    one = len(re.findall(r'"text/plain" id="picture[^>]*>([^<]*)', (desk.folder / "review.html").read_text())[0])
    few = desk.written(round(1.5 * one))
    assert (few.documents, few.pictures, few.without_picture) == (4, 1, 3)
    assert pictures(desk.folder / "review.html") == {"1.pdf"}
    assert few.bytes < everything.bytes
    assert desk.written(0).pictures == 0


def test_pages_with_values_are_pictured_and_blank_ones_are_not(desk: Desk) -> None:
    pages = [PageRead(status="blank"), *([PageRead()] * 14), PageRead({"total": sure("5", (60, 60, 90, 80), page=16)})]
    desk.add("a.pdf", text_pdf([f"page {n}" for n in range(16)]), pages)
    desk.written()
    sheets = data(desk.folder / "review.html")["documents"][0]["sheets"]
    assert [sheet["page"] for sheet in sheets if "size" in sheet] == [*range(2, 11), 16]


def test_a_page_that_cannot_be_drawn_says_why(desk: Desk) -> None:
    desk.add("a.pdf", b"%PDF-1.7 broken", read_one(total=sure("5")))
    assert desk.written().pictures == 0
    (sheet,) = data(desk.folder / "review.html")["documents"][0]["sheets"]
    assert sheet["undrawn"]


def test_the_policy_names_the_hashes_of_the_only_script_and_style_and_nothing_else(desk: Desk) -> None:
    html = desk.write().read_text(encoding="utf-8")
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


def test_documents_are_chosen_by_file_result_folder_template_time_and_need(desk: Desk) -> None:
    doubtful = sure("5", flags=("ungrounded",))
    for name, pages, more in (
        ("march/a.pdf", read_one(subtotal=sure("5")), {}),
        ("march/b.pdf", read_one(subtotal=doubtful), {}),
        ("march.pdf", read_one(total=sure("5")), {"template": "receipt"}),
        ("lost.pdf", [], {"reason": "unreadable"}),
    ):
        desk.add(name, None, pages, **more)  # type: ignore[arg-type]
        time.sleep(0.005)  # the ledger's times have milliseconds

    def names(**choice: Any) -> list[str]:
        return [item.file.source.name for item in desk.chosen(Choice(**choice))]

    inbox, outbox = desk.settings.inbox, desk.settings.outbox
    assert names() == ["lost.pdf", "march.pdf", "march/b.pdf", "march/a.pdf"], "the latest first"
    assert names(paths=[inbox / "march"]) == ["march/b.pdf", "march/a.pdf"]
    assert names(paths=[inbox / "march.pdf", outbox / "march" / "a.pdf.json"]) == ["march.pdf", "march/a.pdf"]
    assert names(template="receipt") == ["march.pdf"]
    assert names(needs_review=True) == ["lost.pdf", "march/b.pdf"]
    assert names(since="2001-01-01T00:00:00.000Z") == names()
    assert names(since="2999-01-01T00:00:00.000Z") == []


def test_long_texts_and_tables_are_cut_and_say_so(desk: Desk) -> None:
    rows = [{"description": f"Nail {n}", "amount": "1"} for n in range(5 * MOST_ROWS)]
    desk.add("a.pdf", None, read_one(vendor_name=sure("x" * 100_000), line_items=sure(rows)))
    desk.written()
    told = {field["name"]: field for field in data(desk.folder / "review.html")["documents"][0]["results"][0]["fields"]}
    assert told["vendor_name"]["value"] == "x" * MOST_LETTERS + "… (100,000 letters in all)"
    assert (len(told["line_items"]["table"]["rows"]), told["line_items"]["table"]["of"]) == (MOST_ROWS, 5 * MOST_ROWS)
    assert desk.written().bytes < 120_000


def test_what_cannot_be_seen_is_spelled_out() -> None:
    assert visible("a\u202eb\x00c\ud800") == "a⟨U+202E⟩b⟨U+0000⟩c⟨U+D800⟩"
    assert visible("one\r\ntwo\tthree äöü 中文 \u200d") == "one\ntwo\tthree äöü 中文 \u200d"


def test_where_files_lie_on_the_machine_is_not_told(desk: Desk) -> None:
    path = desk.settings.inbox / "a.pdf"
    desk.add("a.pdf", b"x", reason="unreadable", detail=f"Failed to open file '{path}'.")
    html = desk.write().read_text(encoding="utf-8")
    assert str(desk.folder) not in html
    assert data(desk.folder / "review.html")["documents"][0]["detail"] == "Failed to open file 'a.pdf'"
