"""Fuzzes one target: ``python -m fuzz.run TARGET [libFuzzer's options]``.

New inputs and findings go to ``.fuzz/TARGET/``, which git ignores; the seeds in ``corpus/TARGET/`` are not changed.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import atheris

HERE = Path(__file__).parent
PACKAGES = {
    "pages": ["pipeline.pages", "PIL"],
    "templates": ["pipeline.templates", "yaml", "jinja2"],
    "settings": ["pipeline.settings", "pipeline.templates", "yaml"],
    "values": ["pipeline.values", "stdnum"],
    "einvoice": ["pipeline.words.einvoice"],
    "archives": ["pipeline.intake", "zipfile", "tarfile"],
}
"""The targets, and the Python packages whose branches guide the fuzzer in each."""
LIMITS = ["-timeout=10", "-rss_limit_mb=2048", "-malloc_limit_mb=2048"]
"""Seconds and memory above which an input is a finding."""


def main() -> None:
    """Run until a finding, or until ``-max_total_time`` or ``-runs`` is reached."""
    if len(sys.argv) < 2 or sys.argv[1] not in PACKAGES:
        raise SystemExit(f"usage: python -m fuzz.run {{{','.join(PACKAGES)}}} [-max_total_time=SECONDS] …")
    name, options = sys.argv[1], sys.argv[2:]
    for variable in [variable for variable in os.environ if variable.startswith("PIPELINE_")]:
        del os.environ[variable]  # the settings of the environment are not part of the input
    with atheris.instrument_imports(include=PACKAGES[name]):
        target = importlib.import_module(f"fuzz.{name}")
    atheris.Setup([sys.argv[0], *_arguments(name), *options], target.once)
    atheris.Fuzz()


def _arguments(name: str) -> list[str]:
    folder = Path(".fuzz") / name
    (folder / "inputs").mkdir(parents=True, exist_ok=True)
    words = HERE / "words" / f"{name}.txt"
    dictionary = [f"-dict={words}"] if words.is_file() else []
    return [str(folder / "inputs"), str(HERE / "corpus" / name), *LIMITS, *dictionary, f"-artifact_prefix={folder}/"]


if __name__ == "__main__":
    main()
