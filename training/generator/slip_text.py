"""Lines of a till slip: left, in the middle, at both ends, in columns."""

from __future__ import annotations

import random
from dataclasses import dataclass

from training.generator.sheet import Sheet


@dataclass
class Slip:
    """The paper of one slip: how many letters are in a line."""

    sheet: Sheet
    rng: random.Random
    columns: int
    tax_codes: bool = False

    def left(self, html: str, style: str = "") -> str:
        """A line from the left; nothing for an empty one."""
        return f'<div style="overflow-wrap:anywhere;{style}">{html}</div>' if html else ""

    def centre(self, html: str, style: str = "") -> str:
        """A line in the middle."""
        return f'<div style="text-align:center;overflow-wrap:anywhere;{style}">{html}</div>' if html else ""

    def between(self, left: str, right: str, style: str = "") -> str:
        """A line with text at both ends."""
        return f'<div class="between" style="{style}"><div>{left}</div><div>{right}</div></div>'

    def pair(self, label: str, value: str) -> str:
        """A label and its value: at both ends, or one behind the other, as the slip has it."""
        spread = self.sheet.choices.log.setdefault("pairs", self.rng.choice(["spread", "joined"]))
        return self.between(label, value) if spread == "spread" else self.left(f"{label} {value}")

    def columns_line(self, cells: list[str], *, two: bool) -> str:
        """Description, quantity, price and amount in columns of fixed width; the description stands above where ``two``."""
        widths = "1fr auto minmax(4.5em,auto) minmax(4.5em,auto)" if not two else "1fr 2fr 2fr 2fr"
        boxes = "".join(
            f'<div style="text-align:{"left" if at == 0 else "right"};{"overflow-wrap:anywhere" if at == 0 and not two else "white-space:nowrap"}">{cell}</div>'
            for at, cell in enumerate(cells)
        )
        return f'<div style="display:grid;grid-template-columns:{widths};gap:.5em;align-items:end">{boxes}</div>'

    def rule(self, kind: str) -> str:
        """What divides two parts."""
        if kind == "line":
            return '<div style="border-top:1px solid #000;margin:3px 0"></div>'
        sign = {"dashes": "-", "equals": "=", "stars": "*"}.get(kind)
        return f'<div style="overflow:hidden;white-space:nowrap">{sign * self.columns}</div>' if sign else "<div>&nbsp;</div>"


def barcode(digits: str) -> str:
    """Bars with digits below them."""
    at, bars = 0, []
    rng = random.Random(int(digits))
    while at < 150:
        width = rng.choice([1, 1, 2, 3])
        bars.append(f"M{at} 0h{width}v34h-{width}z")
        at += width + rng.choice([1, 1, 2])
    below = f"<div>{digits}</div>" if rng.random() < 0.8 else ""
    return f'<div style="text-align:center;margin-top:6px"><svg width="150" height="34"><path d="{"".join(bars)}"/></svg>{below}</div>'
