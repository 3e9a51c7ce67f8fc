"""How quickly a trace's page opens and follows the cursor: `python benchmarks/lens.py`.

A trace of 1,000 steps and 512 units of an LSTM, with gradients, is written as a page and opened
from disk in the system's Chromium. Printed: the page's size, the time to write it, from the start
of loading until all views are drawn, and the frames per second while an arrow key is held down.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import torch

import unrolled

FRAMES = """presses => new Promise(done => {
    const strip = document.querySelector('.strip');
    const began = performance.now();
    let left = presses;
    const press = () => {
        if (left === 0) { done(presses / ((performance.now() - began) / 1000)); return; }
        left -= 1;
        strip.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight', bubbles: true}));
        requestAnimationFrame(press);
    };
    requestAnimationFrame(press);
})"""
DRAWN = "performance.getEntriesByName('drawn')[0].startTime"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--units", type=int, default=512)
    parser.add_argument("--presses", type=int, default=200)
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    torch.manual_seed(0)
    layer = unrolled.LSTM(16, options.units)
    x = torch.randn(options.steps, 1, 16)
    began = time.perf_counter()
    trace = unrolled.trace(layer, x, loss=lambda y: y[0][-1].square().sum())
    traced = time.perf_counter() - began
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        began = time.perf_counter()
        page_file = trace.to_html(Path(folder) / "trace.html")
        written = time.perf_counter() - began
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(page_file.as_uri())
        page.wait_for_selector(".map canvas")
        drawn = page.evaluate(DRAWN) / 1000
        frames = page.evaluate(FRAMES, options.presses)
        browser.close()
        size = page_file.stat().st_size / 1e6
    print(f"{options.steps} steps, {options.units} units of an LSTM")
    print(f"traced in {traced:.2f} s, written in {written:.2f} s, {size:.1f} MB")
    print(f"drawn {drawn:.2f} s after loading began, {frames:.0f} frames a second while scrubbed")


if __name__ == "__main__":
    main()
