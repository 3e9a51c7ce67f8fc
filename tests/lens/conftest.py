"""A report that looks like the demo's, made in a moment and the same every time."""

from __future__ import annotations

import copy
import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cache
from math import log
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import numpy as np
import pytest

from unrolled.lens.records import (
    Fan,
    ForecastPanel,
    ForecastSeries,
    LossCurve,
    Report,
    ScoreRow,
    TextPanel,
)
from unrolled.lens.traces import Expected, Trace, TracedLayer

CHROMIUM = (
    os.environ.get("UNROLLED_CHROMIUM")
    or shutil.which("chromium")
    or shutil.which("chromium-browser")
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

LEVELS = {"0.1": -1.2816, "0.25": -0.6745, "0.5": 0.0, "0.75": 0.6745, "0.9": 1.2816}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def open_url(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page; at the end, no complaint may have been seen. What it asks for is noted in
    `asked`, where a list is given."""
    complaints: list[str] = []
    contexts: list[Any] = []

    def open_it(url: str, *, asked: list[str] | None = None, **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        # Waits end when what they wait for is there; beside other work that may take minutes.
        context.set_default_timeout(120_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if asked is not None:
            page.on("request", lambda request: asked.append(request.url))
        page.goto(url)
        page.wait_for_selector("footer", state="attached")
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def open_file(open_url: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Opens a page from disk; at the end, no complaint and no request to a network may have been
    seen."""
    asked: list[str] = []

    def open_it(path: Path, **options: Any) -> Any:
        return open_url(path.as_uri(), asked=asked, **options)

    yield open_it
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


@pytest.fixture
def make_report() -> Callable[[], Report]:
    return fake_report


@pytest.fixture
def make_trace() -> Callable[..., Trace]:
    return fake_trace


def fake_report() -> Report:
    # Made once; each test may then change its own copy.
    return copy.deepcopy(_report())


@cache
def _report() -> Report:
    return Report(
        title="unrolled: the demo",
        subtitle="Recurrent networks trained a moment ago on this machine, beside simple rivals.",
        made="2026-05-04T10:32:00+00:00",
        machine={
            "processor": "x86-64, 2 cores",
            "torch": "2.13.0",
            "path": "native",
            "time": "2 min 41 s",
        },
        forecasts=[_weather(), _stocks(), _deaths()],
        scores=[
            ScoreRow(
                "Seattle daily maxima, 7 days ahead",
                "MASE",
                True,
                0.774,
                "seasonal naive",
                1.07,
                "network wins",
                "last 20% held out, 42 rolling origins",
            ),
            ScoreRow(
                "Monthly stock prices, 6 months ahead",
                "MASE",
                True,
                2.31,
                "naive (last value)",
                2.04,
                "network loses",
                "5 series, 24 rolling origins",
            ),
            ScoreRow(
                "Deaths in the Crimea, 3 months ahead",
                "MASE",
                True,
                1.42,
                "naive (last value)",
                1.40,
                "tie",
                "24 months are little to learn from",
            ),
            ScoreRow(
                "Python's documentation",
                "bits per character",
                True,
                1.918,
                "Kneser-Ney, order 8",
                1.686,
                "network loses",
                "after 90 s; wins after about 4 minutes",
            ),
        ],
        text=TextPanel(
            prompt="The class statement ",
            sample=(
                "is a function that returns the corresponding object.  If the\n"
                "   expression is evaluated in the class body, the attribute is not\n"
                '   defined.\n\n   Changed in version 3.5: The "__call__()" method of the '
                "instance is\n   called with the same argument list, and <the value> is bound "
                "to the\n"
                "   name in the enclosing scope.\n"
            ),
            temperature=0.7,
            bits_per_character=1.918,
            baseline_name="Kneser-Ney, order 8",
            baseline_bits=1.686,
            seconds=90.2,
        ),
        losses=[
            _loss("Seattle weather", "pinball loss", 0.42, 0.19, 400, 31),
            _loss("Python's documentation", "bits per character", 4.9, 1.86, 900, 90),
        ],
        unfolded=fake_trace(),
        notes=[
            "The network drawn above is the one that wrote the sample.",
            "Every figure was measured in this run; `unrolled demo` makes the page again.",
        ],
    )


def fake_trace(
    text: str = "raises a TypeError exception", keep: int = 18, units: int = 256
) -> Trace:
    """States of an untrained two-layer LSTM; probabilities from n-gram counts."""
    corpus = _corpus()
    rng = np.random.default_rng(7)
    alphabet = sorted(set(corpus + text))
    code = {symbol: rng.normal(size=units) for symbol in alphabet}
    weights = [
        (rng.normal(size=(4 * units, 2 * units)) * 2.1 / np.sqrt(2 * units)) for _ in range(2)
    ]
    states = [(np.zeros(units), np.zeros(units)) for _ in range(2)]
    hidden: list[list[np.ndarray]] = [[], []]
    memory: list[list[np.ndarray]] = [[], []]
    choices: list[tuple[str, ...]] = []
    chances: list[list[float]] = []
    losses: list[float] = []
    counts = [_counts(order) for order in range(6)]
    for position, symbol in enumerate(text):
        x = code[symbol]
        for layer in range(2):
            h, c = states[layer]
            i, f, g, o = np.split(weights[layer] @ np.concatenate([x, h]), 4)
            c = _sigmoid(f + 1) * c + _sigmoid(i) * np.tanh(g)
            h = _sigmoid(o) * np.tanh(c)
            states[layer] = (h, c)
            hidden[layer].append(h)
            memory[layer].append(c)
            x = h * 3
        then = _predict(counts, text[: position + 1], alphabet)
        best = sorted(then.items(), key=lambda pair: -pair[1])[:8]
        choices.append(tuple(symbol for symbol, _ in best))
        chances.append([p for _, p in best])
        last = position + 1 == len(text)
        losses.append(np.nan if last else -log(then[text[position + 1]]))
    cut = slice(len(text) - min(keep, len(text)), None)
    layers = [
        TracedLayer(
            "encoder.recurrent",
            k,
            False,
            "LSTM",
            np.arange(units),
            {"h": np.float32(hidden[k]), "c": np.float32(memory[k])},
            {"h": np.zeros(units, np.float32), "c": np.zeros(units, np.float32)},
            np.zeros(len(text), dtype=bool),
        ).part(steps=cut)
        for k in range(2)
    ]
    return Trace(
        "Generator",
        tuple(text[cut]),
        tuple(layers),
        np.float32(losses[cut]),
        Expected(tuple(choices[cut]), np.float32(chances[cut])),
        joined=True,
    )


@cache
def _corpus() -> str:
    return "\n".join(topics[name] for name in sorted(topics))[:150_000]


@cache
def _counts(order: int) -> dict[str, Counter[str]]:
    corpus = _corpus()
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for start in range(len(corpus) - order):
        table[corpus[start : start + order]][corpus[start + order]] += 1
    return table


def _predict(
    counts: list[dict[str, Counter[str]]], past: str, alphabet: list[str]
) -> dict[str, float]:
    mixed = {symbol: 1 / len(alphabet) for symbol in alphabet}
    for order in range(min(len(past), 5) + 1):
        seen = counts[order].get(past[len(past) - order :])
        if seen:
            total = seen.total() + 4
            mixed = {s: (seen[s] + 4 * p) / total for s, p in mixed.items()}
    return mixed


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _fan(
    ds: list[str], y: np.ndarray, origin: int, horizon: int, center: np.ndarray, width: np.ndarray
) -> Fan:
    ahead = slice(origin + 1, origin + 1 + horizon)
    return Fan(
        ds=ds[ahead],
        quantiles={
            level: [round(float(v), 3) for v in center + z * width] for level, z in LEVELS.items()
        },
        actual=[round(float(v), 3) for v in y[ahead]],
        origin=ds[origin],
    )


def _weather() -> ForecastPanel:
    rng = np.random.default_rng(1)
    days = 730
    ds = [str(date(2014, 1, 1) + timedelta(days=k)) for k in range(days)]
    season = 16.5 - 9.5 * np.cos(2 * np.pi * (np.arange(days) - 18) / 365.25)
    noise = np.zeros(days)
    for k in range(1, days):
        noise[k] = 0.72 * noise[k - 1] + rng.normal() * 2.3
    y = np.round(season + noise, 1)
    fans = []
    for origin in range(days - 148, days - 8, 7):
        ahead = np.arange(1, 8)
        center = season[origin + 1 : origin + 8] + noise[origin] * 0.72**ahead
        fans.append(_fan(ds, y, origin, 7, center, 2.3 * np.sqrt(1.6 - 0.9**ahead)))
    values: list[float | None] = [float(v) for v in y]
    for gap in (401, 402, 403):
        values[gap] = None
    return ForecastPanel(
        "Seattle, warmest hour of each day",
        "°C",
        "The band is narrow one day ahead and opens to the season's usual spread after about four.",
        [ForecastSeries("Seattle", ds, values, fans)],
    )


def _stocks() -> ForecastPanel:
    rng = np.random.default_rng(5)
    ds = [str(date(2000 + k // 12, 1 + k % 12, 1)) for k in range(123)]
    series = []
    for name, start in (
        ("AAPL", 26.0),
        ("AMZN", 64.0),
        ("GOOG", 102.0),
        ("IBM", 100.0),
        ("MSFT", 39.0),
    ):
        y = np.round(start * np.exp(np.cumsum(rng.normal(0.009, 0.085, len(ds)))), 2)
        fans = []
        for origin in range(99, len(ds) - 6, 3):
            ahead = np.arange(1, 7)
            fans.append(
                _fan(ds, y, origin, 6, y[origin] * 1.005**ahead, y[origin] * 0.075 * np.sqrt(ahead))
            )
        series.append(ForecastSeries(name, ds, [float(v) for v in y], fans))
    return ForecastPanel(
        "Stock prices, monthly",
        "US$",
        "A price walks: the best guess is the last price, and the fan says how little is known.",
        series,
    )


def _deaths() -> ForecastPanel:
    ds = [str(date(1854 + (3 + k) // 12, 1 + (3 + k) % 12, 1)) for k in range(24)]
    y = np.array(
        [
            1,
            12,
            11,
            359,
            828,
            788,
            503,
            844,
            1725,
            2761,
            2120,
            1205,
            477,
            508,
            802,
            382,
            483,
            189,
            128,
            178,
            91,
            42,
            24,
            15,
        ],
        dtype=float,
    )
    fans = []
    for origin in range(15, 21):
        ahead = np.arange(1, 4)
        center = y[origin] * 0.8**ahead
        fans.append(_fan(ds, y, origin, 3, center, center * 0.35 * np.sqrt(ahead)))
    return ForecastPanel(
        "Deaths in the British army in the Crimea, 1854 to 1856",
        "deaths a month",
        "Most died of disease; the curve falls after the sanitary commission came in March 1855.",
        [ForecastSeries("disease", ds, [float(v) for v in y], fans)],
    )


def _loss(name: str, unit: str, start: float, end: float, steps: int, seconds: float) -> LossCurve:
    rng = np.random.default_rng(3)
    k = np.arange(1, steps + 1)
    level = end + (start - end) * np.exp(-5 * (k / steps) ** 0.55)
    noisy = level * (1 + 0.04 * rng.normal(size=steps))
    points = [
        (int(s), round(float(s / steps * seconds), 2), round(float(v), 4))
        for s, v in zip(k, noisy, strict=True)
    ]
    every = steps // 10
    held_out = [
        (int(s), round(float(s / steps * seconds), 2), round(float(level[s - 1] * 1.03), 4))
        for s in range(every, steps + 1, every)
    ]
    return LossCurve(name, unit, points, held_out)
