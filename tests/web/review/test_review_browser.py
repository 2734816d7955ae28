"""The review in a real browser: boxes around the values, filters, keys, a phone, dark colours, and hostile documents."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from examples.pictures import draw_bar_chart, png
from pipeline.records import Evidence
from tests.drawing import page_image, scan_pdf, text_pdf
from tests.web.review.building import PageRead, ReviewFolder, add_invoices, grounded, word_box
from tests.web.review.conftest import PHONE, OpenReview

LINES = "Harrow\n\n\n\nInvoice\n\n\n\n119.00"
EVIL = (
    '"><script>hacked=1</script><img src=x onerror="hacked=1"><a href="javascript:hacked=1">http://evil.example</a>'
    "{{ 7 * 7 }}</script>\u202e"
)
FORMULA = '=HYPERLINK("http://evil.example","pay")'
LONG = "Donaudampfschiff" * 60


def fill(folder: ReviewFolder) -> None:
    """Add a document that cannot be opened, one with two values to review, and one with nothing to review."""
    folder.add("sub/sealed.pdf", None, reason="needs_password", detail="the file is encrypted")
    pdf = text_pdf([LINES])
    doubtful = {
        "vendor_name": grounded("Harrow", word_box(pdf, "Harrow"), confidence=0.61),
        "invoice_number": grounded("Invoice", word_box(pdf, "Invoice"), confidence=0.99),
        "subtotal": grounded("119.00", word_box(pdf, "119.00"), flags=("sum:total_is_subtotal_plus_tax",), confidence=0.99),
        "due_date": Evidence(None),
    }
    folder.add("doubtful.pdf", pdf, [PageRead(doubtful)])
    folder.add(
        "clear.pdf", text_pdf(["Castle"]), [PageRead({"vendor_name": grounded("Castle Street Paper")})], template="receipt"
    )


def item(page: Page, name: str) -> Locator:
    return page.locator(".item", has_text=name)


def field(page: Page, name: str) -> Locator:
    return page.locator(".field", has=page.locator(".label", has_text=re.compile(f"^{name.replace('_', ' ')}$")))


def heading(page: Page) -> Locator:
    return page.locator("main h2")


# ---- boxes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("turned", [0, 90])
def test_every_box_encloses_its_value_and_nothing_else(folder: ReviewFolder, open_review: OpenReview, turned: int) -> None:
    pdf = text_pdf([LINES], size=16)
    words = {"vendor_name": "Harrow", "invoice_number": "Invoice", "total": "119.00"}
    fields = {name: grounded(word, word_box(pdf, word)) for name, word in words.items()}
    rotated = scan_pdf([page_image(pdf).rotate(turned, expand=True)]) if turned else pdf
    folder.add("a.pdf", rotated, [PageRead(fields, turned=turned)])
    page = open_review(folder.write())
    boxes = page.locator(".box")
    assert boxes.count() == 3
    for box in boxes.all():
        source, *sides = box.evaluate(
            """box => {
              const image = box.parentElement.querySelector('img');
              const outer = image.getBoundingClientRect(), inner = box.getBoundingClientRect();
              return [image.src, (inner.left - outer.left) / outer.width, (inner.top - outer.top) / outer.height,
                      (inner.right - outer.left) / outer.width, (inner.bottom - outer.top) / outer.height];
            }"""
        )
        picture = Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))).convert("L")
        pixels = np.asarray(picture)
        left, right = (round(sides[n] * picture.width) for n in (0, 2))
        top, bottom = (round(sides[n] * picture.height) for n in (1, 3))
        assert pixels[top:bottom, left:right].min() < 100, "there is ink in the box"
        around = pixels[top - 12 : bottom + 12, left - 12 : right + 12].copy()
        around[12:-12, 12:-12] = 255
        assert around.min() > 140, "and none around it"


def test_selecting_a_value_marks_its_box_and_selecting_a_box_marks_its_value(
    folder: ReviewFolder, open_review: OpenReview
) -> None:
    fill(folder)
    page = open_review(folder.write())
    item(page, "doubtful.pdf").click()
    amount, box = field(page, "subtotal"), page.get_by_role("button", name="subtotal: 119.00, to review")
    amount.hover()
    expect(box).to_have_class(re.compile(r"\bhover\b"))
    amount.get_by_role("button").focus()
    expect(box).to_have_class(re.compile(r"\bhover\b"))
    amount.locator(".value").click()
    expect(box).to_have_class(re.compile(r"\bon\b"))
    expect(page.get_by_role("img", name="subtotal as printed")).to_be_visible()
    page.get_by_role("button", name="vendor name: Harrow, to review").click()
    expect(field(page, "vendor_name")).to_have_class(re.compile(r"\bon\b"))
    expect(field(page, "vendor_name").get_by_role("button")).to_have_attribute("aria-pressed", "true")
    expect(amount).not_to_have_class(re.compile(r"\bon\b"))
    page.get_by_role("button", name="invoice number: Invoice", exact=True).focus()
    expect(field(page, "invoice_number")).to_have_class(re.compile(r"\bhover\b"))


def test_values_with_the_same_box_are_selected_in_turn(folder: ReviewFolder, open_review: OpenReview) -> None:
    pdf = text_pdf(["119.00"])
    box = word_box(pdf, "119.00")
    folder.add(
        "a.pdf", pdf, [PageRead({"total": grounded("119.00", box), "amount_due": grounded("119.00", box, flags=("as:total",))})]
    )
    page = open_review(folder.write())
    shared = page.get_by_role("button", name="total: 119.00, amount due: 119.00")
    for name in ("total", "amount due", "total"):
        shared.click()
        expect(page.locator(".field.on .label")).to_have_text(name)
    assert "not printed by itself, taken from total" in field(page, "amount_due").inner_text()


# ---- values and their evidence ------------------------------------------------------------------


def test_fields_show_value_printed_text_grounding_confidence_and_reasons(folder: ReviewFolder, open_review: OpenReview) -> None:
    rows = [{"description": "Oak board", "amount": "12.00"}, {"description": "Door hinge", "amount": "9.00"}]
    amount = grounded(
        "119.00", printed="119,00 €", grounding="value", flags=("sum:total_is_subtotal_plus_tax",), confidence=0.61
    )
    fields = {
        "subtotal": amount,
        "line_items": grounded(rows, printed=None, flags=("ungrounded:2.amount",)),
        "due_date": Evidence(None),
    }
    folder.add("a.pdf", text_pdf(["x"]), [PageRead(fields)], engine="vlm/4 Some/Model@0a1b2c bfloat16")
    page = open_review(folder.write())
    text = field(page, "subtotal").inner_text()
    for part in (
        "119.00",
        "119,00 €",
        "same value",
        "61 %",
        "does not add up: subtotal + tax_total = total",
        "wrong with a probability of 39\u00a0%",
    ):
        assert part in text
    assert page.locator("td.review").all_inner_texts() == ["9.00"]
    assert "row 2, amount: not found on the page" in field(page, "line_items").inner_text()
    assert page.get_by_role("columnheader").all_inner_texts() == ["description", "amount"]
    assert "due date" in page.get_by_text("Not on the document").inner_text()
    page.get_by_text("How it was read").click()
    facts = page.locator(".facts").inner_text().split("\n")
    for name, value in (
        ("model", "Some/Model"),
        ("revision", "0a1b2c bfloat16"),
        ("engine", "vlm/4"),
        ("versions", "pipeline 9.9"),
    ):
        assert facts[facts.index(name) + 1] == value
    assert len(facts[facts.index("sha256") + 1]) == 64


def test_missing_pages_are_listed_with_the_reason_and_what_to_do(folder: ReviewFolder, open_review: OpenReview) -> None:
    failure = PageRead(status="failed", reason="timeout", detail="not read within 120 s (limits.seconds)")
    folder.add("partial.pdf", text_pdf(["x", "y", "z"]), [PageRead({"total": grounded("1")}), failure, failure])
    fill(folder)
    page = open_review(folder.write())
    item(page, "partial.pdf").click()
    text = page.locator(".notice").inner_text()
    assert "Pages 2, 3 failed: out of time: not read within 120 s (limits.seconds)" in text
    assert "raise `limits.seconds`" in text
    assert page.get_by_role("region", name="Pages and their status").locator("tbody tr").count() == 3
    item(page, "sealed.pdf").click()
    text = page.locator(".notice.bad").inner_text()
    assert "Not read: needs a password: the file is encrypted" in text
    assert "pipeline unlock sub/sealed.pdf" in text


def test_without_its_original_a_document_keeps_its_values(folder: ReviewFolder, open_review: OpenReview) -> None:
    pdf = text_pdf(["119.00"])
    fields = {"total": grounded("119.00", word_box(pdf, "119.00"))}
    folder.add("gone.pdf", text_pdf(["gone"]), [PageRead(fields)]).unlink()
    folder.add("changed.pdf", text_pdf(["before"]), [PageRead(fields)]).write_bytes(text_pdf(["after"]))
    moved = folder.add("touched.pdf", pdf, [PageRead(fields)])
    moved.write_bytes(pdf)  # the same bytes at another time
    page = open_review(folder.write())
    for name, notice in (("gone.pdf", "no longer where it was"), ("changed.pdf", "was changed since it was read")):
        item(page, name).click()
        assert notice in page.locator(".notice").inner_text()
        assert "119.00" in field(page, "total").inner_text()
        assert page.locator("main img").count() == 0
    item(page, "touched.pdf").click()
    assert page.locator("main img").count() == 1


def test_the_chart_of_the_values_is_beside_the_original(folder: ReviewFolder, open_review: OpenReview) -> None:
    chart = png(draw_bar_chart("Trams", "City", "Trams", [("Oslo", 12), ("Turin", 30)]))
    rows = [{"category": "Oslo", "series": None, "value": "12"}, {"category": "Turin", "series": None, "value": "30"}]
    fields = {"chart_type": grounded("bar", grounding="none"), "title": grounded("Trams"), "data": grounded(rows)}
    folder.add("chart.png", chart, [PageRead(fields)], template="chart")
    page = open_review(folder.write())
    original, redrawn = (
        page.get_by_role("img", name=name) for name in ("Page 1 of chart.png", "The chart drawn from 2 rows of data")
    )
    first, second = original.bounding_box(), redrawn.bounding_box()
    assert first
    assert second
    assert first["x"] + first["width"] <= second["x"]
    assert abs(first["y"] - second["y"]) < 4
    assert redrawn.evaluate("image => image.naturalWidth") > 0, "the drawing is valid"


# ---- filters ------------------------------------------------------------------------------------


def test_filters_select_by_text_state_template_and_day(folder: ReviewFolder, open_review: OpenReview) -> None:
    fill(folder)
    page = open_review(folder.write())
    names = page.locator(".item .name")

    def expect_listed(*expected: str) -> None:
        assert sorted(names.all_text_contents()) == sorted(expected)

    expect_listed("sealed.pdf", "doubtful.pdf", "clear.pdf")
    assert names.all_text_contents()[-1] == "clear.pdf", "documents to review come first"
    for state, expected in (("To review", ["doubtful.pdf"]), ("Failed", ["sealed.pdf"]), ("Clear", ["clear.pdf"])):
        page.get_by_role("radio", name=state).check(force=True)
        expect_listed(*expected)
    page.get_by_role("radio", name="All").check(force=True)
    for text, expected in (
        ("castle PAPER", ["clear.pdf"]),
        ("119.00", ["doubtful.pdf"]),
        ("needs_password", ["sealed.pdf"]),
        ("nowhere", []),
    ):
        page.get_by_role("searchbox").fill(text)
        expect_listed(*expected)
    expect(page.locator("#count")).to_have_text("0 of 3 documents")
    page.get_by_role("searchbox").fill("")
    page.get_by_text("More filters").click()
    page.get_by_label("Template").select_option("receipt")
    expect_listed("clear.pdf")
    page.get_by_label("Template").select_option("")
    page.get_by_label("until").fill("2001-01-01")
    expect_listed()
    page.get_by_label("until").fill("")
    page.get_by_label("Read from").fill("2001-01-01")
    expect_listed("sealed.pdf", "doubtful.pdf", "clear.pdf")
    page.get_by_label("Order").select_option("name")
    assert names.all_text_contents() == ["clear.pdf", "doubtful.pdf", "sealed.pdf"]


# ---- keys ---------------------------------------------------------------------------------------


def test_everything_can_be_done_with_the_keyboard_alone(folder: ReviewFolder, open_review: OpenReview) -> None:
    fill(folder)
    page = open_review(folder.write())
    press = page.keyboard.press
    first = heading(page).inner_text()
    press("j")
    second = heading(page).inner_text()
    press("ArrowDown")
    third = heading(page).inner_text()
    assert len({first, second, third}) == 3
    press("j")
    expect(page.locator("#message")).to_have_text("This is the last document.")
    press("ArrowUp")
    press("k")
    assert heading(page).inner_text() == first
    press("n")
    assert (heading(page).inner_text(), page.locator(".field.on .label").inner_text()) == ("doubtful.pdf", "vendor name")
    expect(page.locator(":focus")).to_have_text("vendor name")
    press("n")
    assert page.locator(".field.on .label").inner_text() == "subtotal"
    press("n")
    assert page.locator(".field.on .label").inner_text() == "vendor name"
    expect(page.locator("#message")).to_have_text("Starting over.")
    press("Shift+N")
    assert page.locator(".field.on .label").inner_text() == "subtotal"
    press("Escape")
    assert page.locator(".field.on").count() == 0
    press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("sealed")
    press("Enter")
    assert heading(page).inner_text() == "sealed.pdf"
    press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    press("Tab")
    press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_single_keys_can_be_switched_off(folder: ReviewFolder, open_review: OpenReview) -> None:
    fill(folder)
    page = open_review(folder.write())
    before = heading(page).inner_text()
    page.keyboard.press("?")
    page.get_by_label("single keys are on").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert heading(page).inner_text() == before


def test_tab_reaches_the_filters_the_list_the_values_and_the_boxes_in_this_order(
    folder: ReviewFolder, open_review: OpenReview
) -> None:
    fill(folder)
    page = open_review(folder.write())
    item(page, "doubtful.pdf").click()
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    page.locator("#theme").focus()
    focused = []
    for _ in range(30):
        focused.append(
            page.evaluate(
                "document.activeElement.closest('.box, .label, .item, #filters, .steps, .top, main')?.className ?? ''"
            )
        )
        page.keyboard.press("Tab")
    order = [focused.index(name) for name in ("top", "", "item", "steps", "label") if name in focused]
    boxes = [n for n, name in enumerate(focused) if name.startswith("box")]
    assert order == sorted(order)
    assert len(boxes) == 3
    assert min(boxes) > focused.index("label")


# ---- layout and colours -------------------------------------------------------------------------


def test_a_phone_needs_no_horizontal_scrolling_and_has_a_way_back_to_the_list(
    folder: ReviewFolder, open_review: OpenReview
) -> None:
    fill(folder)
    rows = [{"description": LONG, "quantity": "2", "unit_price": "5.00", "amount": "10.00"}]
    fields = {
        "vendor_name": grounded(LONG, printed=LONG + "!"),
        "line_items": grounded(rows, flags=(LONG,)),
        "total": grounded("x", flags=("ungrounded",)),
    }
    folder.add(f"{LONG}/{LONG}.pdf", None, [PageRead(fields), PageRead(status="failed", reason="unreadable", detail=LONG)])
    page = open_review(folder.write(selection=LONG), PHONE)

    def fits() -> bool:
        return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))

    assert page.locator("main").is_hidden()
    assert fits()
    page.get_by_text("More filters").click()
    assert fits()
    for name in (LONG[:40], "doubtful.pdf"):
        item(page, name).click()
        assert page.locator(".side").is_hidden()
        page.locator("main summary").click()
        page.keyboard.press("n")
        assert page.locator(".field.on").count() == 1
        assert fits()
        page.get_by_role("button", name="Back to the list of documents").click()
        expect(item(page, name)).to_be_focused()
    item(page, "sealed.pdf").click()
    page.go_back()
    assert page.locator(".side").is_visible()


def brightness(page: Page) -> float:
    """Mean brightness of the page, 0 to 255."""
    return float(np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("L")).mean())


def test_dark_colours_follow_the_system_and_the_switch(folder: ReviewFolder, open_review: OpenReview) -> None:
    folder.add("a.pdf", None, [PageRead({"total": grounded("1")})])
    review = folder.write()
    dark = open_review(review, colours="dark")
    assert brightness(dark) < 60
    switch = dark.get_by_role("button", name="Colours")
    switch.click()
    expect(switch).to_have_text("Colours: light")
    assert brightness(dark) > 200
    light = open_review(review)
    assert brightness(light) > 200
    switch = light.get_by_role("button", name="Colours")
    switch.click()
    switch.click()
    expect(switch).to_have_text("Colours: dark")
    assert brightness(light) < 60


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("size", [(1440, 900), (900, 900), PHONE])
def test_axe_finds_nothing_serious(folder: ReviewFolder, open_review: OpenReview, size: tuple[int, int], colours: str) -> None:
    fill(folder)
    pdf = text_pdf([LINES, "second"])
    rows = [{"description": "Oak board", "amount": "12.00"}, {"description": "Door hinge", "amount": "9.00"}]
    fields = {
        "vendor_name": grounded("Harrow", word_box(pdf, "Harrow"), printed="HARROW"),
        "line_items": grounded(rows, (60, 60, 500, 300), flags=("ungrounded:2.amount",)),
        "total": grounded("word " * 200, flags=("xml", "ungrounded")),
    }
    folder.add("long.pdf", pdf, [PageRead(fields), PageRead(status="failed", reason="engine", detail="it broke")])
    page = open_review(folder.write(), size, colours)
    assert serious(page) == []
    page.get_by_text("More filters").click()
    item(page, "long.pdf").click()
    page.locator("main summary").click()
    page.keyboard.press("n")
    assert serious(page) == []
    page.keyboard.press("?")
    assert serious(page) == []


def serious(page: Page) -> list[str]:
    """The serious violations that axe finds, with their elements."""
    page.wait_for_timeout(200)  # colours change gradually
    violations = Axe().run(page).response["violations"]
    return [
        f"{item['id']}: {[node['html'][:90] for node in item['nodes'][:3]]}"
        for item in violations
        if item["impact"] in ("serious", "critical")
    ]


# ---- hostile documents and size -----------------------------------------------------------------


def test_text_of_a_document_is_never_markup_script_or_a_link(folder: ReviewFolder, open_review: OpenReview) -> None:
    rows = [{EVIL: EVIL, "amount": FORMULA}]
    fields = {
        EVIL: grounded(EVIL, printed=EVIL + "!", flags=(EVIL, f"sum:{EVIL}")),
        "many": grounded([EVIL, FORMULA]),
        "rows": grounded(rows, flags=(f"ungrounded:1.{EVIL}",)),
        "long": grounded(EVIL * 40),
    }
    pages = [PageRead(fields), PageRead(status="failed", reason="engine", detail=EVIL)]
    folder.add(f"{EVIL}.pdf", None, pages, engine=EVIL, template="other")
    chart = {"title": grounded(EVIL), "chart_type": grounded(EVIL), "data": grounded([{"category": EVIL, "value": "5"}])}
    folder.add("chart.png", None, [PageRead(chart)], template="chart")
    folder.add("question.pdf", None, [PageRead({"answer": grounded(EVIL)})], template="ask_f00d")
    path = folder.write(selection=EVIL)
    page = open_review(path)
    scripts = page.locator("script").count()
    for entry in page.locator(".item").all():
        entry.click()
        for label in page.locator(".label").all():
            label.click()
        page.keyboard.press("n")
        assert page.evaluate("typeof hacked") == "undefined"
        links = page.evaluate("[...document.querySelectorAll('a')].map((link) => link.getAttribute('href'))")
        assert all(re.fullmatch(r"#(d\d+)?", link) for link in links)
        images = page.evaluate("[...document.images].map((image) => image.src.slice(0, 15))")
        assert all(image == "data:image/svg+" for image in images)
        assert page.evaluate("[...document.querySelectorAll('[onerror], [onclick], [style*=url]')].length") == 0
    assert page.locator("script").count() == scripts
    item(page, "{{ 7 * 7 }}").click()
    text = page.locator("main").inner_text()
    assert "<script>hacked=1</script>" in text
    assert FORMULA in text
    assert "⟨U+202E⟩" in text, "a character that changes the direction of text is spelled out"
    assert "\u202e" not in text
    assert "<script>hacked" not in path.read_text(encoding="utf-8")


def cpu_seconds(page: Page) -> float:
    """CPU time of the page until the review is open and its documents are listed."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.reload()
    metrics = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"])


def test_a_thousand_documents_are_listed_in_less_than_a_second(folder: ReviewFolder, open_review: OpenReview) -> None:
    add_invoices(folder, 1_000)
    page = open_review(folder.write())
    assert page.locator(".item").count() == 1_000
    assert 0 < cpu_seconds(page) < 1
    page.get_by_role("searchbox").fill("HL-00421")
    expect(page.locator(".item")).to_have_count(1)
    page.get_by_role("searchbox").fill("")
    page.keyboard.press("Escape")
    for _ in range(5):
        page.keyboard.press("n")
    assert page.locator(".field.on .label").inner_text() == "total"


def test_a_review_without_documents_says_so(folder: ReviewFolder, open_review: OpenReview) -> None:
    page = open_review(folder.write())
    assert "No document needs a review" in page.locator("main").inner_text()
    page.keyboard.press("n")
    page.keyboard.press("j")


def test_the_choice_of_colours_is_stored(folder: ReviewFolder, open_review: OpenReview, tmp_path: Path) -> None:
    fill(folder)
    page = open_review(folder.write())
    page.get_by_role("button", name="Colours").click()
    page.reload()
    expect(page.get_by_role("button", name="Colours")).to_have_text("Colours: light")
