"""Plots a chart from the data that was read of it: an SVG to compare with the original, in which misread values stand out.

matplotlib draws it. It is imported only when a chart is plotted. Texts come from documents of strangers and are never interpreted.
"""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Mapping
from typing import Any

from pipeline.publish.chart_drawing import draw_chart
from pipeline.publish.chart_values import MAX_LETTERS, chart_values
from pipeline.publish.inert_svg import clean_text, inert_svg, limit_letters
from pipeline.runtime.matplotlib_import import import_matplotlib

MAX_MARKS = 300
"""Most values that are drawn."""
_SETTINGS: Any = {
    "svg.fonttype": "none",  # texts stay texts, which a browser can search
    "svg.hashsalt": "chart",  # equal data gives equal bytes
    "text.parse_math": False,
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "grid.color": "#dddddd",
}
_LOCK = threading.Lock()
"""matplotlib's settings are global."""


def plot_chart(fields: Mapping[str, Any]) -> str | None:
    """Return a chart as SVG, by the values of the template ``chart``; None when there is nothing to draw.

    The kinds are those of ``chart_type``. Other kinds are drawn as horizontal bars.
    """
    if not (values := chart_values(fields.get("data"))):
        return None
    import_matplotlib()
    import matplotlib
    from matplotlib.figure import Figure
    from pandas import DataFrame

    kind, title, x_title, y_title = (
        clean_text(fields.get(name), MAX_LETTERS) for name in ("chart_type", "title", "x_title", "y_title")
    )
    with _LOCK, matplotlib.rc_context():
        matplotlib.rcdefaults()  # a user's matplotlibrc may have texts interpreted
        matplotlib.rcParams.update(_SETTINGS)
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # browsers have other fonts
        figure = Figure(figsize=(6.4, 3.6), layout="constrained")
        figure.suptitle(title, fontsize=10, fontweight="bold")
        figure.add_subplot(xlabel=x_title, ylabel=limit_letters(y_title, 45))
        draw_chart(figure, kind, DataFrame(values[:MAX_MARKS]))
        svg = io.StringIO()
        figure.savefig(svg, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    about = f"{title or 'Chart without a title'}: {kind.replace('_', ' ') or 'other'} with {len(values)} values that were read."
    if len(values) > MAX_MARKS:
        about += f" The first {MAX_MARKS} of {len(values)} values are drawn."
    return inert_svg(svg.getvalue(), about, [value.text for value in values])
