"""Where the parts of an invoice stand: rows of blocks above the table, a side column, margins, fonts, the page's number."""

from __future__ import annotations

import datetime
from html import escape

from training.generator.choices import draw
from training.generator.identifiers import fill
from training.generator.parties import line
from training.generator.sheet import Sheet
from training.generator.slip_text import barcode
from training.generator.vocabulary import other_labels, words

FONTS = {
    "Liberation Sans": 6, "Carlito": 3, "DejaVu Sans": 2, "Open Sans": 2, "Roboto": 2, "Lato": 2, "Noto Sans": 2, "Liberation Serif": 2,
    "EB Garamond": 0.7, "Noto Serif": 1, "Caladea": 0.7, "Liberation Sans Narrow": 1, "Liberation Mono": 0.7, "Courier Prime": 0.5,
    "Cantarell": 1, "Dosis": 0.5, "Quicksand": 0.5, "Comic Neue": 0.2, "DejaVu Serif": 0.6, "DejaVu Sans Condensed": 1, "Nimbus Sans": 1,
    "TeX Gyre Pagella": 0.5, "FreeSans": 1, "Gentium Basic": 0.4, "Hack": 0.2, "Inconsolata": 0.3,
}  # fmt: skip
CJK_FONTS = {
    "ja": "'Noto Sans CJK JP','IPAGothic','Droid Sans Fallback'",
    "zh": "'Noto Sans CJK SC','WenQuanYi Zen Hei','Droid Sans Fallback'",
    "ko": "'Noto Sans CJK KR','NanumGothic','Droid Sans Fallback'",
}
"""Fonts by language. The last one comes with PyMuPDF (``browser.cjk_font``): a font of another script draws no glyphs, of any width."""
PLANS = {
    "vendor|buyer meta|title": 4, "vendor title|buyer meta": 3, "vendor|title|buyer meta": 3, "vendor meta|title|buyer ship summary": 2,
    "title|vendor buyer|meta": 2, "title vendor|buyer ship|meta": 2, "vendor|buyer ship|title|meta": 2, "vendor buyer|title|meta": 2,
    "vendor title|meta buyer": 1.5, "title|vendor meta|buyer ship": 1.5, "buyer vendor|title|meta": 1.5, "vendor|meta buyer|title": 1.5,
    "meta vendor|title|buyer": 1, "vendor title meta|buyer ship": 1, "title meta|vendor buyer": 1.5, "vendor buyer meta|title": 1.2,
    "vendor|title meta|buyer ship": 1, "buyer meta|title|vendor": 0.7, "title|meta|vendor buyer": 0.8, "buyer|meta|title vendor": 0.5,
    "vendor|buyer|title|meta": 1.2, "vendor|title|meta|buyer": 1, "meta|vendor|buyer|title": 0.4, "title|buyer|vendor meta": 0.6,
}  # fmt: skip
"""Rows of blocks from the top down."""


def arrange(sheet: Sheet, parts: dict[str, str], place_line: str, extra: str) -> tuple[str, str]:
    """The blocks in rows, as one of PLANS has them; the second text is the block in the side column, if any."""
    choices, rng = sheet.choices, sheet.style
    plan = choices.pick("plan", PLANS)
    side = choices.pick("side column", {"none": 12, "left": 1, "right": 1})
    placed = set(plan.replace("|", " ").split())
    rest = [name for name in parts if name not in placed and parts[name]]
    rows = [row.split() for row in plan.split("|")]
    for name in rest:
        row = rng.choice([row for row in rows if len(row) < 3] or rows)
        row.append(name)
    if side != "none":
        moved = rng.choice(["vendor", "vendor", "meta"])
        rows = [[name for name in row if name != moved] for row in rows]
    lines = [[name for name in row if parts[name]] for row in rows]
    spacing = choices.pick("spacing", {"close": 3, "wide": 2})
    band = choices.chance("coloured head", 0.07)
    hue = rng.randint(0, 359)
    frame = choices.pick("blocks framed", {"none": 8, "all": 1, "parties": 1})
    html = []
    for row in filter(None, lines):
        cells = []
        for at, name in enumerate(row):
            framed = frame == "all" or (frame == "parties" and name in {"vendor", "buyer", "ship"})
            border = "border:1px solid #777;padding:4px 6px;" if framed else ""
            flex = "1 1 0" if len(row) > 1 else "1 1 auto"
            width = f"flex:{flex};min-width:0;"
            if len(row) == 2 and at == 1 and name == "meta" and choices.log.get("metadata form") not in {"strip", "boxed grid"}:
                width = f"flex:0 0 {rng.randint(32, 48)}%;"
            cells.append(f'<div style="{border}{width}">{parts[name]}</div>')
        gap = rng.randint(3, 26) if spacing == "close" else rng.randint(14, 60)
        if len(row) == 1 and row[0] == "buyer" and rng.random() < 0.2:
            cells = [f'<div style="margin-left:{rng.randint(0, 55)}%">{parts["buyer"]}</div>']
        if len(row) == 1 and row[0] == "title":
            cells = [
                f'<div style="flex:1;text-align:{choices.pick("title align", {"left": 4, "center": 2, "right": 1})}">{parts["title"]}</div>'
            ]
        html.append(
            f'<div style="display:flex;gap:{rng.choice([10, 16, 24, 34])}px;margin-bottom:{gap}px">{"".join(cells)}</div>'
        )
    if band:
        dark = rng.random() < 0.6
        colour = f"background:hsl({hue},45%,{28 if dark else 88}%);color:{'#fff' if dark else '#000'}"
        html[0] = f'<div style="{colour};padding:10px;margin-bottom:12px">{html[0]}</div>'
    if place_line:
        html.insert(rng.randint(1, len(html)), place_line)
    if extra:
        html.append(f'<div style="margin-bottom:8px">{extra}</div>')
    if side != "none":
        return "".join(html), f'<div style="font-size:.9em">{parts[moved]}</div>'
    return "".join(html), ""


def page_html(
    sheet: Sheet,
    head: str,
    side_html: str,
    table: str,
    tail: str,
    company_foot: str,
    repeated_head: str,
    width: int,
    height: int,
) -> str:
    """The document as HTML: its first page, which the browser breaks into as many as it needs."""
    choices, rng = sheet.choices, sheet.style
    family = draw(rng, FONTS)
    fallback = CJK_FONTS.get(sheet.language, "'Noto Sans','DejaVu Sans'")
    size = rng.uniform(10, 14.5)
    pads = [rng.randint(24, 75) for _ in range(4)]
    page_label = rng.choice(_page_words(sheet))
    number_place = choices.pick("page number", {"none": 5, "foot": 3, "head": 1})
    number = (
        f'<div data-page="{escape(page_label)}" style="text-align:{rng.choice(["right", "center", "left"])};font-size:.8em"></div>'
        if number_place != "none"
        else ""
    )
    stamp = _print_stamp(sheet) if choices.chance("print stamp", 0.07) else ""
    code = f'<div style="text-align:right">{barcode(fill("##########", rng))}</div>' if choices.chance("barcode", 0.05) else ""
    side_place = choices.log["side column"]
    sentence_above = ""
    if choices.chance("words above the table", 0.25):
        sentence_above = line(escape(rng.choice(words(sheet.language, "texts"))), "margin:4px 0")
    again = f' data-again="{escape(repeated_head)}"' if repeated_head and choices.chance("head repeated", 0.5) else ""
    if "</thead>" in table and choices.chance("details on the next page", 0.03):
        table, tail = tail, table.replace('class="items fit"', 'class="items fit newpage"', 1)
    flow = f'<div class="flow"{again} style="flex:1;min-height:0;min-width:0;display:flex;flex-direction:column">{head}{sentence_above}{table}{tail}</div>'
    side = (
        f'<div class="side" style="flex:0 0 {rng.randint(19, 28)}%;background:{rng.choice(["none", "#f1f1f1", "#e6ecf5"])};padding:8px">{side_html}</div>'
        if side_html
        else ""
    )
    body = f"{side}{flow}" if side_place == "left" else f"{flow}{side}"
    return (
        f'<div class="doc" lang="{sheet.language}"><div class="page" style="width:{width}px;height:{height}px;padding:{pads[0]}px {pads[1]}px {pads[2]}px {pads[3]}px;'
        f"font-family:'{family}',{fallback},sans-serif;font-size:{size:.2f}px;line-height:{rng.uniform(1.1, 1.5):.2f};color:{rng.choice(['#000', '#000', '#222', '#112'])}\">"
        f"{number if number_place == 'head' else ''}{code}"
        f'<div class="middle" style="flex:1;min-height:0;display:flex;gap:16px">{body}</div>'
        f'<div class="foot">{company_foot}{number if number_place == "foot" else ""}{stamp}</div></div></div>'
    )


def _print_stamp(sheet: Sheet) -> str:
    """When and by whom the page was printed, in small print; no date of the invoice."""
    rng = sheet.style
    day = sheet.issued + datetime.timedelta(days=rng.randint(0, 60))
    time = f"{rng.randint(6, 21):02d}:{rng.randint(0, 59):02d}" + rng.choice(["", f":{rng.randint(0, 59):02d}"])
    before = rng.choice(["", f"{sheet.other('printed')} ", f"{fill('######', rng)} / "])
    return (
        f'<div style="font-size:.65em;text-align:{rng.choice(["left", "right"])}">{before}{sheet.date(None, day)} {time}</div>'
    )


def _page_words(sheet: Sheet) -> list[str]:
    """Ways to print the page's number in the language."""
    return other_labels(sheet.language, "page")
