"""The postal address below a name."""

from __future__ import annotations

from pipeline.engines.embedded.fields.name_candidates import has_house_number, is_address
from pipeline.engines.embedded.fields.page_rows import Layout, Run
from pipeline.engines.embedded.fields.vocabulary import POSTCODE, vocabulary

_LINES = 7
_TOWN = 30


def address_below(layout: Layout, name: Run, stop: set[int]) -> tuple[Run, ...]:
    """Runs of the address that begins below ``name``; ``stop`` are runs that hold labels or other values."""
    block = _block(layout, name, stop)
    marks = [at for at, run in enumerate(block) if is_address(run.text) or vocabulary().street.search(run.text)]
    if not marks:
        return ()
    first = marks[0]
    while first > 0 and _leads(block[first - 1].text):
        first -= 1
    last = marks[-1]
    while last + 1 < len(block) and _goes_on(block[last], block[last + 1], last == marks[-1]):
        last += 1
    return tuple(block[first : last + 1])


def _leads(text: str) -> bool:
    """Whether a line above the first sure line of an address belongs to it: it has a comma or ends in a house number."""
    return has_house_number(text) or ("," in text and not vocabulary().organisation.search(text))


def _goes_on(run: Run, following: Run, first: bool) -> bool:
    """Whether the next line belongs to the address, too: it follows a comma, or is one short line (town, country) without digits."""
    if any(c.isdigit() for c in following.text):
        return False
    return run.text.rstrip().endswith(",") or (first and len(following.text) < _TOWN)


def _block(layout: Layout, name: Run, stop: set[int]) -> list[Run]:
    block: list[Run] = []
    above = name
    for run in layout.runs:
        if run.row <= name.row or not _in_column(layout, above, run):
            continue
        gap = (run.box[1] - above.box[3]) / max(layout.height, 4.0)
        if gap > 2.5 or len(block) >= _LINES:
            break
        if run.number in stop or vocabulary().contact.search(run.text):
            if any(POSTCODE.search(r.text) for r in block):
                break
            if vocabulary().contact.search(run.text) and block:
                break
            above = run
            continue
        block.append(run)
        above = run
    return block


def _in_column(layout: Layout, above: Run, run: Run) -> bool:
    height = layout.height
    if abs(run.box[0] - above.box[0]) < 2.5 * height:
        return True
    return abs(run.box[0] + run.box[2] - above.box[0] - above.box[2]) < 6 * height
