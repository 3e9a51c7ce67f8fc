"""The pictures of docs/lab.md, taken of the page itself: python tools/lab_pictures.py

Needs Playwright and a Chromium on the PATH (or named by UNROLLED_CHROMIUM).
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from unrolled.lab import Laboratory

FOLDER = Path(__file__).parents[1] / "docs" / "lab"
LEARNT = """(steps) => {
  return Number(document.querySelector('.where b').textContent.replace(',', '')) >= steps;
}"""
PATIENCE = 300_000  # milliseconds


def main() -> None:
    """Run two chapters and take their pictures."""
    FOLDER.mkdir(exist_ok=True)
    chromium = os.environ.get("UNROLLED_CHROMIUM") or shutil.which("chromium")
    with Laboratory() as lab, sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        size = {"width": 1000, "height": 1000}
        page = browser.new_page(viewport=size, reduced_motion="reduce")
        page.goto(lab.url)
        learn(page, "Unfolding", 200)
        page.get_by_role("button", name="Open the loop").click()
        page.wait_for_function("() => document.querySelectorAll('.cell').length > 8")
        page.locator(".chain").screenshot(path=FOLDER / "unfolding.png")
        learn(page, "Vanishing", 900)
        # What stays in view while one scrolls would lie over the picture.
        page.add_style_tag(content=".lab .lab-run { position: static; }")
        page.evaluate("() => window.scrollTo({ top: 0, behavior: 'instant' })")
        top = page.locator(".lab-charts").bounding_box()["y"] - 18
        bottom = page.locator("footer").bounding_box()["y"] - 30
        clip = {"x": 0, "y": top, "width": 1000, "height": bottom - top}
        page.screenshot(path=FOLDER / "vanishing.png", full_page=True, clip=clip)
        browser.close()


def learn(page: Any, chapter: str, steps: int) -> None:
    """Run a chapter for so many steps."""
    page.locator(".chapter", has_text=chapter).click()
    page.locator(".chapter[aria-current]", has_text=chapter).wait_for()
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_function(LEARNT, arg=steps, timeout=PATIENCE)
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_role("button", name="Start", exact=True).wait_for()


if __name__ == "__main__":
    main()
