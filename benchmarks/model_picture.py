"""Draws what `benchmarks.model_speed --json` measured, other systems beside it, as an SVG for the documentation.

python -m benchmarks.model_picture SPEED.json PICTURE.svg [--peer "NAME=SECONDS" …]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.publish.chart_plot import plot_chart

SHORTER = {", one by one": "", " in flight": "", "static batch of": "batch of", "three templates": "x 3", "bfloat16": "bf16"}
"""There is room for some two dozen letters beside a bar."""


def picture(measured: Mapping[str, Any], peers: Mapping[str, float]) -> str:
    """Lying bars, the slowest first."""
    ways = {shortened(str(row["way"])): float(row["s/document"]) for row in measured["rows"]} | dict(peers)
    data = [{"category": name, "value": str(ways[name])} for name in sorted(ways, key=ways.__getitem__, reverse=True)]
    fields = {
        "chart_type": "bar_horizontal",
        "title": f"Seconds a document, {measured['machine']['cores']} cores",
        "data": data,
    }
    svg = plot_chart(fields)
    if svg is None:
        raise ValueError("nothing was measured")
    return svg


def shortened(name: str) -> str:
    """A way's name, to stand beside a bar."""
    for long, short in SHORTER.items():
        name = name.replace(long, short)
    return name


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("measured", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=SECONDS")
    arguments = parser.parse_args()
    peers = {name: float(seconds) for name, _, seconds in (peer.rpartition("=") for peer in arguments.peer)}
    arguments.picture.write_text(picture(json.loads(arguments.measured.read_text(encoding="utf-8")), peers), encoding="utf-8")


if __name__ == "__main__":
    main()
