"""`make demo`: forecasts, dates, spoken digits and a character model, trained now, on one page.

Everything that it reads comes with the installed packages; no network is used.
"""

from __future__ import annotations

import math
import os
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.about import machine
from unrolled.data import catalog
from unrolled.data.written_dates import HELD_OUT_LANGUAGES, LANGUAGES, written_dates
from unrolled.demo_parts import QUICK_BUDGET, curve_of, rows_of, size_of, tell_evaluation
from unrolled.demo_speech import add_speech
from unrolled.errors import ConfigError, MissingExtra, OutputError
from unrolled.lens.page import render_report
from unrolled.lens.records import (
    Fan,
    ForecastPanel,
    ForecastSeries,
    Report,
    TextPanel,
    TranslatedLine,
    TranslationPanel,
)
from unrolled.lens.tracing import trace
from unrolled.tasks.evaluation import Comparison, Evaluation, NetworkLoses
from unrolled.tasks.forecaster import Forecaster
from unrolled.tasks.generator import Generator
from unrolled.tasks.translator import Translator
from unrolled.training.loop import Outcome

if TYPE_CHECKING:
    from unrolled.data.series_set import SeriesSet

QUICK_CHARACTERS = 40_000
QUICK_DATES = 400
# Fans that the page shows for each series: enough to see, not more.
MOST_FANS = 8
SAMPLE_TEMPERATURE = 0.6


@dataclass(frozen=True)
class _Forecast:
    """One data set of the demo."""

    name: str
    title: str
    unit: str
    story: str
    horizon: int
    budget: str
    columns: tuple[str, ...] | None = None

    def series(self) -> SeriesSet:
        options: dict[str, Any] = {"value_columns": list(self.columns)} if self.columns else {}
        loaded = catalog.load(self.name, **options)
        assert not isinstance(loaded, str)
        return loaded


# In steps, not seconds: so little data is learnt soon, and more time only learns it by heart.
FORECASTS = (
    _Forecast(
        "seattle-weather",
        "Weather in Seattle",
        "°C",
        "The highest temperature of the next seven days, from the days before.",
        7,
        "250 steps",
        ("temp_max",),
    ),
    _Forecast(
        "stocks",
        "Stock prices",
        "US dollars",
        "Five monthly prices, three months ahead; the last price is hard to beat.",
        3,
        "100 steps",
    ),
    _Forecast(
        "crimea",
        "Nightingale's army deaths",
        "deaths a month",
        "British deaths in the Crimea by cause, 1854 to 1856: two years are very little to learn.",
        3,
        "100 steps",
    ),
)
TEXT_BUDGET = "80s"
DATES, DATES_BUDGET = 60_000, "600 steps"
# Enough to tell 99% from 98%; in quick mode a tenth.
DATES_ASKED = 1000
# Shown on the page: in many scripts, those of the second row never learnt.
DATES_SHOWN = ("en", "fr", "ru", "el", "ar", "he", "hi", "th", "zh", "ko")
DATES_SHOWN_APART = ("ro", "bg", "ne")
# Of each layer, as many as the page has tiles for.
DATES_UNITS = 24


def run_demo(
    folder: str | os.PathLike[str] = "demo",
    *,
    progress: bool = True,
    quick: bool = False,
    tell: Callable[[str], object] = print,
) -> Path:
    """Train the demo's models and write its page.

    Args:
        folder: gets `report.html`, `picture.png` (with the extra `lens`) and a model file for each
            model; made if missing.
        progress: show bars, where standard error is a terminal.
        quick: a few steps only, to see that everything works.
        tell: gets a line of text whenever there is something to say.

    Returns:
        The path of `report.html`.

    Raises:
        OutputError: the folder can't be made.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()  # better known now than after the training
    except OSError as error:
        raise OutputError(
            f"{folder}: can't make the folder or write into it ({error.strerror}); choose another"
        ) from error
    report = Report(
        title="unrolled: trained here, just now",
        subtitle="Recurrent networks on real data, beside the simple rivals that they must beat.",
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        machine={name: str(value) for name, value in machine().items()},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NetworkLoses)  # told below, and on the page
        parts: list[Callable[..., Outcome | None]] = [
            partial(_add_forecast, one=one) for one in FORECASTS
        ]
        for add in [*parts, _add_dates, add_speech, _add_text]:
            try:
                outcome = add(report, folder=folder, progress=progress, quick=quick, tell=tell)
                stopped = outcome is not None and outcome.ended == "interrupted"
            except KeyboardInterrupt:  # before or after the training
                stopped = True
            if stopped:
                tell("stopped early: the page shows what was learnt so far")
                break
    report.notes = [
        "Every score is measured on data that no network has seen: the end of series and text, days"
        " that no pair of dates was of, voices that spoke nothing of what was learnt.",
        "A network that loses to its simple rival says so; a longer budget may turn it round.",
    ]
    page = render_report(report, folder / "report.html")
    tell(f"page: {page}")
    _draw(report, folder / "picture.png", tell)
    return page


def _add_forecast(
    report: Report,
    one: _Forecast,
    folder: Path,
    *,
    progress: bool,
    quick: bool,
    tell: Callable[[str], object],
) -> Outcome:
    series = one.series()
    tell(f"{one.title}: {series}")
    model = Forecaster(horizon=one.horizon, **size_of(quick))
    model.fit(series, budget=QUICK_BUDGET if quick else one.budget, progress=progress)
    model.save(folder / f"{one.name}.unrolled")
    tell_evaluation(model.evaluation, model.outcome, tell)
    panel = ForecastPanel(one.title, one.unit, one.story, _fans(model, series))
    report.forecasts.append(panel)
    report.scores += rows_of(f"{one.title}, {one.horizon} ahead", model.evaluation)
    report.losses.append(curve_of(one.title, "quantile loss", model.outcome))
    return model.outcome


def _fans(model: Forecaster, series: SeriesSet) -> list[ForecastSeries]:
    """For each series its history and its last forecasts behind the training part."""
    horizon, origins = model.settings.horizon, {}
    for name, times in zip(series.ids, series.times, strict=True):
        first = int((times <= model.trained_until[name]).sum()) - 1
        last = len(times) - 1 - horizon
        # Side by side where there is room for three; of a short series every one.
        stride = horizon if last - first >= 2 * horizon else 1
        origins[name] = list(range(last, first - 1, -stride))[:MOST_FANS][::-1]
    forecasts = model.backtest(series, origins=origins).fans
    shown = []
    for name, times, values in zip(series.ids, series.times, series.values, strict=True):
        days = np.datetime_as_string(times, unit="D").tolist()
        fans = []
        for origin, fan in zip(origins[name], forecasts[name], strict=True):
            ahead = slice(origin + 1, origin + 1 + horizon)
            levels = {f"{q:g}": fan[:, i].tolist() for i, q in enumerate(model.quantiles)}
            fans.append(Fan(days[ahead], levels, values[ahead].tolist(), days[origin]))
        shown.append(ForecastSeries(name, days, values.tolist(), fans))
    return shown


def _add_dates(
    report: Report, folder: Path, *, progress: bool, quick: bool, tell: Callable[[str], object]
) -> Outcome:
    asked = DATES_ASKED // 10 if quick else DATES_ASKED
    pairs = written_dates(QUICK_DATES if quick else DATES)
    tell(f"Written dates in {len(LANGUAGES)} languages: {len(pairs):,} pairs")
    model = Translator(
        tokenizer="characters",
        **(size_of(quick) or {"hidden_size": 128, "embedding_size": 64}),
        layers=1,
        dropout=0.1,
        input_dropout=0.0,  # a single digit that is not read can't be guessed
        learning_rate=4e-3,
        batch_tokens=1200,
    )
    model.fit(
        pairs,
        validation=written_dates(asked // 4, part="validation"),
        test=written_dates(asked, part="test"),
        budget=QUICK_BUDGET if quick else DATES_BUDGET,
        progress=progress,
        # The data doctor wonders at dates that are written as the answers are.
        tell=lambda _: None,
    )
    model.save(folder / "dates.unrolled")
    report.losses.append(
        curve_of("Written dates", "nats per character, smoothed", model.outcome, scored_alike=False)
    )
    report.translation = TranslationPanel(
        "Dates of many languages as ISO 8601",
        "One network read them all, character by character, and was told neither the language nor"
        " the form. All are of days that it never learnt.",
        _lines(model),
    )
    if model.evaluation is None:
        return model.outcome
    apart = written_dates(asked, part="test", languages=HELD_OUT_LANGUAGES)
    days, languages = f"{asked:,} dates, of days", f"in {len(HELD_OUT_LANGUAGES)} languages"
    found = {
        "Dates of other days": _exactly(model.evaluation, f"{days} that were not learnt"),
        "Dates in other languages": _exactly(
            model.evaluate(apart), f"{days} and {languages} that were not learnt"
        ),
    }
    for task, evaluation in found.items():
        report.scores += rows_of(task, evaluation)
        tell_evaluation(evaluation, model.outcome, tell)
    return model.outcome


def _exactly(evaluation: Evaluation, told: str) -> Evaluation:
    """The gate by the share of answers that are right to the last character."""
    rivals = {
        name.removeprefix("exact, "): share
        for name, share in evaluation.details.items()
        if name.startswith("exact, ")
    }
    best = max(rivals, key=lambda name: rivals[name])
    comparison = Comparison(
        "share exactly right", evaluation["exact"], rivals[best], best, higher_is_better=True
    )
    return Evaluation((comparison,), held_out=told)


def _lines(model: Translator) -> list[TranslatedLine]:
    from babel import Locale

    codes = (*DATES_SHOWN, *DATES_SHOWN_APART)
    # The longest of some has its month as a word, and often a weekday.
    drawn = [
        written_dates(12, part="test", seed=seed, languages=(code,))
        for seed, code in enumerate(codes)
    ]
    written = [
        max(zip(one.sources, one.targets, strict=True), key=lambda pair: len(pair[0]))
        for one in drawn
    ]
    said = model.predict([source for source, _ in written])
    return [
        TranslatedLine(
            source,
            answer,
            right,
            code,
            str(Locale.parse(code).english_name),
            "no date of it was learnt" if code in DATES_SHOWN_APART else "",
            trace(model, source, units=DATES_UNITS, reach=0),
        )
        for code, (source, right), answer in zip(codes, written, said, strict=True)
    ]


def _add_text(
    report: Report, folder: Path, *, progress: bool, quick: bool, tell: Callable[[str], object]
) -> Outcome:
    text = catalog.load("python-docs")
    assert isinstance(text, str)
    text = text[:QUICK_CHARACTERS] if quick else text
    tell(f"Python's own documentation: {len(text):,} characters")
    model = Generator(precision="auto", **size_of(quick))
    model.fit(text, budget=QUICK_BUDGET if quick else TEXT_BUDGET, progress=progress)
    model.save(folder / "python-docs.unrolled")
    tell_evaluation(model.evaluation, model.outcome, tell)
    score = model.evaluation.comparisons[0] if model.evaluation else None
    prompt = "The function "
    written = model.generate(prompt, length=500, temperature=SAMPLE_TEMPERATURE, seed=1)
    report.text = TextPanel(
        prompt,
        written,
        SAMPLE_TEMPERATURE,
        score.network if score else math.nan,
        score.baseline_name if score else "simple rival",
        score.baseline if score else math.nan,
        model.outcome.seconds,
    )
    report.scores += rows_of("Python's documentation", model.evaluation)
    report.losses.append(curve_of("Python's documentation", "nats per character", model.outcome))
    read, word = _last_word(text[-len(text) // 10 :])
    report.unfolded = trace(model, read, steps=len(word))
    return model.outcome


def _last_word(text: str) -> tuple[str, str]:
    """Some lines of text up to a long word that they end with, and the word."""
    found = re.search(r"[^.]{120,400}?\b([a-z]{8,10})\b", text)
    return (found[0], found[1]) if found else (text[:200], text[190:200])


def _draw(report: Report, path: Path, tell: Callable[[str], object]) -> None:
    from unrolled.lens.picture import draw_overview

    try:
        draw_overview(report, path)
    except (MissingExtra, ConfigError) as error:  # an interrupted demo may have nothing to draw
        tell(f"no picture: {error}")
    else:
        tell(f"picture: {path}")
