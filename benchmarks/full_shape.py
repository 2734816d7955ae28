"""A checkpoint of full size over a few pages with every template: memory at its peak, and whether every answer is valid.

    python -m benchmarks.full_shape CHECKPOINT [--pages 4] [--tokens 96]

The pages are drawn invoices. Answers are cut to ``--tokens``: a checkpoint with random weights never ends one by itself. An answer counts
as valid when its unit is done, or was cut off and kept its fields. Prints a table, and the process's peak of resident memory (weights
that stay mapped from their file included).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
import yaml

from benchmarks.documents import OLD, invoice_page
from benchmarks.measure import PIPELINE
from pipeline.settings import configs_folder

TEMPLATES = ("invoice", "receipt", "chart", "caption", "transcript")


def cut_templates(folder: Path, tokens: int) -> None:
    """The built-in templates with shorter answers."""
    folder.mkdir()
    for name in TEMPLATES:
        template = yaml.safe_load((configs_folder() / "templates" / f"{name}.yaml").read_text(encoding="utf-8"))
        template["answer"] = {**template.get("answer", {}), "tokens": tokens}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(template, allow_unicode=True, sort_keys=False), encoding="utf-8")


def peak_of(command: list[str], folder: Path) -> tuple[float, float]:
    """Gigabytes at the peak of the main process, and seconds."""
    started, peak = time.monotonic(), 0
    with subprocess.Popen(command, cwd=folder) as process:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            try:
                peak = max(peak, watched.memory_info().rss)
            except psutil.Error:
                break
            time.sleep(0.05)
    return peak / 1e9, time.monotonic() - started


def main() -> None:
    """Draw, run, count."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--pages", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=96)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        (work / "inbox").mkdir()
        for number in range(arguments.pages):
            path = work / "inbox" / f"{number}.pdf"
            path.write_bytes(invoice_page(number))
            os.utime(path, (OLD, OLD))
        cut_templates(work / "templates", arguments.tokens)
        (work / "pipeline.yaml").write_text("engine: vlm\nretries: 0\n", encoding="utf-8")
        model = str(arguments.checkpoint.resolve())
        command = [
            *PIPELINE,
            "run",
            "--config",
            str(work / "pipeline.yaml"),
            "--model",
            model,
            "--template",
            ",".join(TEMPLATES),
        ]
        peak, seconds = peak_of([*command, "--quiet"], work)
        results = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((work / "outbox").glob("*.json"))]
        for result in results:
            print(result["document"]["path"], result["status"], {k: sum(f["value"] is not None for f in v["fields"].values())
                                                                 for k, v in result["results"].items()})  # fmt: skip
            for page in result["pages"]:
                print("  page", page["page"], page["status"], page.get("reason", ""), page.get("detail", "")[:100])
        print(f"{len(results)} documents, {len(TEMPLATES)} templates: {seconds:.0f} s, peak {peak:.2f} GB resident")


if __name__ == "__main__":
    main()
