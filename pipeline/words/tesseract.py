"""Reads pictures of lines with Tesseract, the program: one process for all lines of a page, with limits of time.

The program is used, not a wheel with its library: the models come from the same package manager as the program, a crash costs one page,
and a reader process that never meets another script loads nothing.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.words.line_cleaning import cleaned
from pipeline.words.recogniser import LineText, LineWord, Pixels
from pipeline.words.right_to_left import plain_letters

Grey = NDArray[np.uint8]
PROGRAM = "tesseract"
SECONDS = 60.0
"""Time for the lines of a page; after it the page is left without them."""
MOST_LINES = 400
"""Lines of a page that are read."""
LETTER_HEIGHT = 44
"""Height in pixels to which a line is brought: the models were trained on lines of about this height."""
JOINED_GAP = 0.15
"""Gap, in line heights, below which neighbours are one word where a model cuts words at every letter."""
MARGIN = 10
"""Pixels of paper around a line."""
STROKE = 15
"""Pixels of an enlarged line that are wider than any stroke."""
DARK = 90
"""Median brightness (0 to 255) below which a line is white on dark."""
MIN_CONTRAST = 0.15
"""Least difference of ink and paper, as a share of the paper's brightness: what is fainter is noise."""
_SARA_AM = re.compile("\u0e4d([\u0e48-\u0e4b]?)\u0e32")
"""The two parts of a Thai vowel, perhaps with the mark of a tone between them."""
_DEPENDENT = re.compile("[\u0e30-\u0e3a\u0e47-\u0e4e]")
"""Thai vowels and marks that no word begins with."""
_NUMBER_OF_COLUMNS = 12
_WORD_LEVEL = "5"


@cache
def installed_models() -> frozenset[str]:
    """Names of the models of the Tesseract on this machine; empty without the program."""
    if not shutil.which(PROGRAM):
        return frozenset()
    try:
        listed = subprocess.run(
            [PROGRAM, "--list-langs"], capture_output=True, text=True, timeout=SECONDS, check=True, env=_environment()
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return frozenset()
    return frozenset(line.strip().rpartition("/")[2] for line in listed.splitlines()[1:]) - {"osd", ""}


class TesseractRecogniser:
    """Lines in one script. ``model`` is a name of ``installed_models``, or several joined by ``+``."""

    def __init__(self, model: str, *, joined: bool = False) -> None:
        """``joined``: the model cuts words at every letter; those that stand close are one."""
        self._model, self._joined = model, joined

    def read(self, lines: Sequence[Pixels]) -> list[LineText]:
        """The text of each BGR picture of a line, in the given order; empty where there is none, and for all when time is up."""
        texts = [LineText("", (), 0.0)] * len(lines)
        with tempfile.TemporaryDirectory(prefix="pipeline-lines-") as folder:
            names = [Path(folder, f"{n}.pgm") for n in range(min(len(lines), MOST_LINES))]
            scales = [_write(name, line) for name, line in zip(names, lines, strict=False)]
            table = self._run(names, Path(folder, "lines.txt"))
        for n, words in _words_by_line(table).items():
            if 0 <= n < len(scales):
                texts[n] = self._line(words, scales[n], lines[n].shape[1])
        return texts

    def _run(self, names: Sequence[Path], listing: Path) -> str:
        listing.write_text("".join(f"{name}\n" for name in names))
        command = [PROGRAM, str(listing), "stdout", "--psm", "7", "-l", self._model, "tsv"]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=SECONDS,
                check=True,
                env=_environment(),
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
        except (OSError, subprocess.SubprocessError):
            return ""
        return done.stdout.decode("utf-8", "replace")

    def _line(self, found: Sequence[Sequence[str]], scale: float, width: int) -> LineText:
        words: list[LineWord] = []
        weight, total = 0, 0.0
        for row in found:
            left, across, confidence, text = float(row[6]), float(row[8]), float(row[10]), _plain(row[11])
            if text and confidence >= 0:
                start, end = ((x - MARGIN) / scale / max(width, 1) for x in (left, left + across))
                word = LineWord(text, min(max(start, 0.0), 1.0), min(max(end, 0.0), 1.0), confidence / 100)
                near = bool(words) and (
                    (word.start - words[-1].end) * width * scale < JOINED_GAP * LETTER_HEIGHT
                    or _DEPENDENT.match(text) is not None
                )
                words = [*words[:-1], _join(words[-1], word)] if self._joined and near else [*words, word]
                weight, total = weight + len(text), total + len(text) * confidence / 100
        return line_of(words, total / weight if weight else 0.0)


def _plain(text: str) -> str:
    """The text in its usual form: Tesseract writes the micro sign for the Greek letter and takes Thai's sara am apart."""
    return plain_letters(_SARA_AM.sub("\\1\u0e33", unicodedata.normalize("NFC", text.strip()).replace("\u00b5", "\u03bc")))


def _join(a: LineWord, b: LineWord) -> LineWord:
    return LineWord(_plain(a.text + b.text), a.start, b.end, min(a.confidence, b.confidence))


def line_of(words: Sequence[LineWord], confidence: float) -> LineText:
    """A line of words in reading order."""
    columns = tuple(
        word.start + (word.end - word.start) * (n + 0.5) / len(word.text) for word in words for n in range(len(word.text))
    )
    return LineText(" ".join(word.text for word in words), columns, round(confidence, 5), tuple(words))


def _write(name: Path, line: Pixels) -> float:
    """Write a line in grey with a margin. The factor by which it was enlarged."""
    grey = cv2.cvtColor(cleaned(line), cv2.COLOR_BGR2GRAY)
    scale = LETTER_HEIGHT / float(grey.shape[0])
    small = even_light(
        cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    )
    paper = int(np.percentile(small, 90))
    framed = cv2.copyMakeBorder(small, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_CONSTANT, value=(paper,))
    cv2.imwrite(str(name), framed)
    return scale


def even_light(grey: Grey) -> Grey:
    """A picture of a line with white paper and black ink: shadows of photographs divided out, faint print stretched."""
    if float(np.median(grey)) < DARK:  # white letters on a dark bar
        grey = cv2.bitwise_not(grey)
    paper = cv2.GaussianBlur(cv2.dilate(grey, np.ones((STROKE, STROKE), np.uint8)), (0, 0), STROKE)
    share = grey.astype(np.float32) / np.maximum(paper, 1)
    ink, white = (float(value) for value in np.percentile(share, (2, 90)))
    return np.asarray(np.clip((share - ink) * 255 / max(white - ink, MIN_CONTRAST), 0, 255), np.uint8)


def _words_by_line(table: str) -> dict[int, list[list[str]]]:
    """The rows of Tesseract's table that are words, by the number of their picture."""
    lines: dict[int, list[list[str]]] = {}
    for row in table.splitlines()[1:]:
        cells = row.split("\t")
        if len(cells) == _NUMBER_OF_COLUMNS and cells[0] == _WORD_LEVEL:
            lines.setdefault(int(cells[1]) - 1, []).append(cells)
    return lines


def _environment() -> dict[str, str]:
    """One thread, since each core runs a reader; nothing of this process's settings but where programs and models lie."""
    kept = {name: os.environ[name] for name in ("PATH", "TESSDATA_PREFIX", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    return {**kept, "OMP_THREAD_LIMIT": "1", "LC_ALL": "C.UTF-8"}


def _end_with_parent() -> None:
    """The program ends with the reader process, also when that is killed."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
