"""Makes docs/pictures/review.png: the review of the example documents in a browser.

    python -m benchmarks.review_picture [FILE]

It reads the examples first. Needs the packages of the group `dev` and a Chromium (its path in CHROMIUM, else `chromium`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
SIZE = (1280, 800)


def main(target: Path) -> None:
    """Read the examples, write their review, and take a screenshot with a selected value."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PIPELINE_REVIEW__ACCEPTED_ERROR": "0.02"}
        outbox = Path(folder) / "outbox"
        for command in (["run", "--engine", "embedded", "--inbox", str(ROOT / "inbox")], ["review"]):
            pipeline = [sys.executable, "-m", "pipeline", *command, "--outbox", str(outbox), "--quiet"]
            subprocess.run(pipeline, cwd=folder, env=environment, check=True)
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]}, color_scheme="light")
        page.goto((outbox / "review.html").as_uri())
        page.locator(".item", has_text="two-page-invoice.pdf").click()
        page.locator(".field .label", has_text="invoice number").click()
        page.mouse.move(0, 0)
        page.wait_for_timeout(300)
        page.screenshot(path=target)
        browser.close()
    Image.open(target).convert("P", palette=Image.Palette.ADAPTIVE, colors=128).save(target, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "pictures" / "review.png")
