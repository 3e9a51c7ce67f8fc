"""Pictures of every view, to be looked at: light and dark, wide and narrow.

python tools/screenshots.py [name ...]     all pages, or those that are named; into screenshots/
"""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unrolled.lab import Laboratory

ROOT = Path(__file__).parents[1]
OUT = ROOT / "screenshots"
WIDTHS = {"wide": 1280, "narrow": 390}
SCHEMES = ("light", "dark")


def generator(page: Path) -> None:
    import unrolled
    from unrolled.data import catalog

    text = str(catalog.load("python-docs"))[:60_000]
    model = unrolled.Generator(hidden_size=48, layers=2, embedding_size=16, rows=8, steps=32)
    model.fit(text, budget=100, progress=False)
    given = 'If the argument (see "Calls") is omitted, a TypeError is raised (in\nmost cases).'
    trace = unrolled.trace(model, given)
    trace.to_html(page)
    for view in ("map", "text", "gradient"):
        trace.draw(OUT / f"drawn-generator-{view}.png", view=view)


def classifier(page: Path) -> None:
    import unrolled

    good, bad = (
        ("good", "fine", "great", "funny", "moving"),
        ("bad", "dull", "poor", "slow", "flat"),
    )
    texts, labels = [], []
    for k in range(240):
        word, praise = (good if k % 2 else bad)[k % 5], k % 2 == 1
        turned = k % 3 == 0
        texts.append(
            f"the {('film', 'plot', 'cast')[k % 3 - 1]} is {'not ' if turned else ''}{word}"
        )
        labels.append("positive" if praise != turned else "negative")
    model = unrolled.Classifier("words", hidden_size=24, embedding_size=16)
    model.fit((texts, labels), budget=120, progress=False)
    trace = unrolled.trace(model, "the film is not good and the cast is not dull")
    trace.to_html(page)
    trace.draw(OUT / "drawn-classifier-answers.png", view="answers")
    trace.draw(OUT / "drawn-classifier-map.png", unit=int(trace.layers[-1].units[3]))


def tagger(page: Path) -> None:
    import unrolled

    kinds = {
        "DET": ("the", "a"),
        "NOUN": ("cat", "dog", "bird", "tree"),
        "VERB": ("sees", "hears", "finds"),
    }
    order = ("DET", "NOUN", "VERB", "DET", "NOUN")
    draw = random.Random(0)
    words = [[draw.choice(kinds[tag]) for tag in order] for _ in range(80)]
    model = unrolled.Tagger(hidden_size=16, embedding_size=16)
    model.fit((words, [list(order)] * len(words)), budget=200, progress=False)
    unrolled.trace(model, ["the", "dog", "hears", "a", "bird"]).to_html(page)


def forecaster(page: Path) -> None:
    import numpy as np

    import unrolled
    from unrolled.data import SeriesSet

    days = np.arange(200)
    noise = np.random.default_rng(0).normal(size=len(days))
    values = (20 + 5 * np.sin(2 * np.pi * days / 7) + 0.02 * days + noise).round(1)
    sales = SeriesSet.from_arrays({"sales": values}, times=np.datetime64("2024-01-01") + days)
    model = unrolled.Forecaster("steps", horizon=14, hidden_size=16, members=1)
    model.fit(sales, budget=150, progress=False)
    trace = unrolled.trace(model, sales, origin="2024-06-20")
    trace.to_html(page)
    for view in ("map", "gradient"):
        trace.draw(OUT / f"drawn-forecaster-{view}.png", view=view)


def translator(page: Path) -> None:
    import unrolled

    nouns = (("Mann", "man"), ("Hund", "dog"), ("Junge", "boy"), ("Ball", "ball"))
    deeds = (("sieht", "sees"), ("hört", "hears"), ("findet", "finds"))
    when = (("heute", "today"), ("jetzt", "now"), ("oft", "often"))
    draw = random.Random(0)
    pairs = []
    for _ in range(400):
        (a, b), (c, d) = draw.sample(nouns, 2)
        (deed, does), (then, time) = draw.choice(deeds), draw.choice(when)
        # German puts the time first, and the subject behind the verb.
        pairs.append((f"{then} {deed} der {a} den {c} .", f"the {b} {does} the {d} {time} ."))
    small = {"hidden_size": 48, "embedding_size": 32, "layers": 2, "batch_tokens": 400}
    model = unrolled.Translator("words", **small)
    model.fit(pairs, budget="150 steps", validation=0, progress=False)
    trace = unrolled.trace(model, "heute findet der Hund den Ball .")
    trace.to_html(page)
    trace.draw(OUT / "drawn-translator-links.png", view="links")


def transcriber(page: Path) -> None:
    import unrolled
    from unrolled.data.spoken import spoken_digits

    small = {"hidden_size": 64, "layers": 2, "channels": 8, "augment": 0.0, "dropout": 0.1}
    model = unrolled.Transcriber(**small, batch_seconds=30)
    said = spoken_digits(400, words=(2, 4))
    model.fit(said, budget="500 steps", validation=0, holdout=0, progress=False)
    trace = unrolled.trace(model, spoken_digits(2, words=(3, 3), part="test").items[1])
    trace.to_html(page)
    trace.draw(OUT / "drawn-transcriber-sound.png", view="sound")


def vanishing(page: Path) -> None:
    import torch

    import unrolled

    torch.manual_seed(0)
    layer = unrolled.RNN(2, 24)
    x = torch.rand(80, 1, 2)
    trace = unrolled.trace(layer, x, loss=lambda y: y[0][-1].square().sum())
    trace.to_html(page)


def large(page: Path) -> None:
    import torch

    import unrolled

    torch.manual_seed(0)
    unrolled.trace(unrolled.GRU(8, 512), torch.randn(1000, 1, 8)).to_html(page)


def report(page: Path) -> None:
    from unrolled.lens.page import render_report

    # The tests' report looks like the demo's, and needs no minutes of training.
    spec = importlib.util.spec_from_file_location("fakes", ROOT / "tests/lens/conftest.py")
    assert spec is not None
    assert spec.loader is not None
    fakes = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fakes)
    render_report(fakes.fake_report(), page)


def runs(page: Path) -> None:
    import unrolled
    from unrolled.data import catalog
    from unrolled.lens import show

    text = str(catalog.load("python-docs"))[:40_000]
    folders = [page.parent / name for name in ("32 units", "8 units, quick")]
    for folder, units, rate in zip(folders, (32, 8), (0.005, 0.05), strict=True):
        model = unrolled.Generator(hidden_size=units, learning_rate=rate, rows=8, steps=32)
        model.fit(text, budget=120, run_dir=folder, progress=False)
    show(*folders, out=page)


def lab(page: Path) -> Laboratory:
    from unrolled.lab import Laboratory

    return Laboratory()


def notebook(page: Path) -> None:
    import torch

    import unrolled

    torch.manual_seed(0)
    trace = unrolled.trace(unrolled.LSTM(3, 16), torch.randn(24, 1, 3), loss=lambda y: y[0].sum())
    # What a notebook puts around the output of a cell.
    page.write_text(
        "<!doctype html><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
        f"<body style='margin: 16px 16px 16px 80px'>{trace._repr_html_()}",
        encoding="utf-8",
    )


# What each writes to the path is looked at; or what it serves, as long as that is open.
PAGES: dict[str, Callable[[Path], Laboratory | None]] = {
    page.__name__: page
    for page in (
        generator,
        classifier,
        tagger,
        translator,
        transcriber,
        forecaster,
        vanishing,
        large,
        report,
        runs,
        lab,
        notebook,
    )
}
# What a page that is served shows once all of its first part has come.
READY = {"lab": ".lab-column:nth-of-type(2) svg"}


def main(names: list[str]) -> None:
    unknown = set(names) - set(PAGES)
    if unknown:
        sys.exit(f"screenshots: no page {', '.join(sorted(unknown))}: expected {', '.join(PAGES)}")
    chromium = os.environ.get("UNROLLED_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        sys.exit("screenshots: no chromium here: install it, or name one with UNROLLED_CHROMIUM")
    from playwright.sync_api import sync_playwright

    warnings.simplefilter("ignore")  # that networks this small lose is no news here
    OUT.mkdir(exist_ok=True)
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name in names or PAGES:
            page = Path(folder) / f"{name}.html"
            with PAGES[name](page) or nullcontext() as served:
                for scheme in SCHEMES:
                    for size, width in WIDTHS.items():
                        view = browser.new_page(
                            viewport={"width": width, "height": 900},
                            color_scheme=scheme,
                            reduced_motion="reduce",
                        )
                        if served is None:
                            view.goto(page.as_uri())
                            view.wait_for_load_state("networkidle")
                        else:  # its network is never idle: it pushes what is new
                            view.goto(served.url)
                            view.locator(READY[name]).first.wait_for()
                        view.screenshot(path=OUT / f"{name}-{scheme}-{size}.png", full_page=True)
                        view.close()
            print(f"screenshots: {OUT.name}/{name}-*.png")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
