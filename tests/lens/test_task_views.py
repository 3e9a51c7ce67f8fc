"""The views of what a whole model did: what stands in them is what the trace holds."""

from __future__ import annotations

import warnings
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import unrolled
from unrolled.data.series_set import SeriesSet
from unrolled.lens import Trace, trace
from unrolled.lens.trace_parts import Forecast, Influence, Links, Series, Spectrogram
from unrolled.lens.traces import Answers, Expected, TracedLayer

TITLES = {
    "The forecast",
    "What it heard",
    "Where it looked",
    "The answer, word by word",
    "A tag for each word",
    "What it expects next",
}


def plain(inputs: tuple[str, ...], **parts: Any) -> Trace:
    steps = len(inputs)
    values = np.random.default_rng(0).normal(size=(steps, 4)).astype(np.float32)
    layer = TracedLayer(
        "a",
        0,
        False,
        "RNN_TANH",
        np.arange(4),
        {"h": values},
        {"h": values[0]},
        np.zeros(steps, bool),
    )
    return Trace("A model", inputs, (layer,), **parts)


def shares(steps: int, choices: int) -> np.ndarray:
    drawn = np.random.default_rng(1).dirichlet(np.ones(choices) / 2, size=steps)
    return drawn.astype(np.float32)


@pytest.fixture
def drawn(open_file: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    def draw(found: Trace, **options: Any) -> Any:
        return open_file(found.to_html(tmp_path / "t.html"), **options)

    return draw


def percent(share: float) -> str:
    if share >= 0.995:
        return "100" if share >= 0.9995 else ">99"
    return "<1" if share < 0.005 else str(int(100 * float(share) + 0.5))


def titles(page: Any) -> set[str]:
    return set(page.locator(".trace-card h3").all_text_contents()) & TITLES


def test_a_view_is_left_out_where_the_trace_has_not_its_part(drawn: Callable[..., Any]) -> None:
    assert titles(drawn(plain(("a", "b")))) == set()


PIECES = ("the", " fi", "lm", " is", "", " <b>not</b>", " g", "ood", ".", " ")
WORDS = ["the", "film", "is", "<b>not</b>", "good."]
LAST = [0, 2, 4, 5, 9]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_running_answer_stands_under_the_users_words(
    scheme: str, drawn: Callable[..., Any]
) -> None:
    answers = Answers(("bad", "good"), shares(len(PIECES), 2))
    page = drawn(plain(PIECES, answers=answers, joined=True), color_scheme=scheme)
    assert titles(page) == {"The answer, word by word"}
    assert page.locator(".answered b").all_text_contents() == WORDS
    ends = answers.chances[-1]
    label = int(ends.argmax())
    for chosen in (label, 1 - label):
        page.locator(".task .choice").get_by_text(answers.names[chosen]).click()
        bars = page.locator(".level i").evaluate_all(
            "e => e.map(i => [parseFloat(i.style.bottom), parseFloat(i.style.height)])"
        )
        before = None
        changes = page.locator(".answered small").all_text_contents()
        names = page.locator(".answered").evaluate_all("e => e.map(one => one.ariaLabel)")
        for (bottom, height), place, change, name in zip(bars, LAST, changes, names, strict=True):
            p = float(answers.chances[place, chosen])
            assert f": {answers.names[chosen]} {percent(p)}%" in name
            assert bottom == pytest.approx(100 * min(p, 0.5), abs=0.1)
            assert height == pytest.approx(100 * abs(p - 0.5), abs=0.1)
            whole = int(100 * p + 0.5)
            moved = 0 if before is None else whole - before
            sign = "+" if moved > 0 else "\N{MINUS SIGN}"
            assert change == (f"{sign}{abs(moved)}" if moved else "\u00b7")
            before = whole
        told = page.locator(".task .saying").inner_text()
        assert f"ends at {answers.names[chosen]} {percent(ends[chosen])}%" in told


def test_the_cursor_is_on_the_word_of_its_step(drawn: Callable[..., Any]) -> None:
    answers = Answers(("a", "b", "c"), shares(len(PIECES), 3))
    page = drawn(plain(PIECES, answers=answers, joined=True))
    page.locator(".answered").nth(1).click()
    assert "Step 3 of 10" in page.locator(".reading").inner_text()
    page.keyboard.press("ArrowRight")
    assert page.locator(".answered.here b").all_text_contents() == ["is"]
    page.keyboard.press("End")
    here = page.locator(".task .quiet").last.inner_text()
    best = int(answers.chances[-1].argmax())
    assert (
        f"After \u201cgood.\u201d: {answers.names[best]} {percent(answers.chances[-1, best])}%"
        in here
    )
    page.keyboard.press("Home")
    assert page.locator(".answered.here b").all_text_contents() == ["the"]


def test_tags_stand_under_words_and_wrong_ones_are_marked(drawn: Callable[..., Any]) -> None:
    chances = np.array([[0.7, 0.2, 0.1], [0.1, 0.5, 0.4], [0.05, 0.05, 0.9]], dtype=np.float32)
    answers = Answers(("D", "N", "V"), chances, False, ("D", "V", "V"), ("D", "N", "V"))
    page = drawn(plain(("the", "<i>dog</i>", "barks"), answers=answers))
    assert titles(page) == {"A tag for each word"}
    assert page.locator(".tagged b").all_text_contents() == ["the", "<i>dog</i>", "barks"]
    assert page.locator(".tagged .tag").all_text_contents() == ["D", "V", "V"]
    assert page.locator(".tagged.wrong small").all_text_contents() == ["\u2717 N"]
    told = page.locator(".task .saying").inner_text()
    assert "2 of 3 tags are right. Least sure: \u201c<i>dog</i>\u201d (V 40%)" in told
    page.locator(".tagged").nth(1).click()
    assert page.locator(".runner").all_inner_texts() == ["N\n50%", "V\n40%", "D\n10%"]
    assert page.locator(".runner.first").inner_text() == "V\n40%"
    page.keyboard.press("ArrowRight")
    assert page.locator(".runner.first").inner_text() == "V\n90%"


def test_expectations_are_those_of_each_step_with_what_came(drawn: Callable[..., Any]) -> None:
    inputs = ("a", "b", "c", "d", "a")
    choices = tuple(("a", "b", "<b>", "d") for _ in inputs)
    chances = -np.sort(-shares(5, 4), axis=1)
    losses = np.array([*-np.log([chances[0, 1], 0.001, chances[2, 3], chances[3, 0]]), np.nan])
    found = plain(
        inputs, expected=Expected(choices, chances), losses=losses.astype(np.float32), joined=True
    )
    page = drawn(found)
    columns = page.locator(".guesses")
    assert columns.count() == 5
    for step, row in enumerate(chances):
        column = columns.nth(step)
        told = column.locator(".guess small").all_text_contents()
        assert [one.removesuffix(" \u2713") for one in told] == [percent(p) for p in row]
        assert [one.endswith("\u2713") for one in told].count(True) == int(step not in (1, 4))
    assert columns.nth(0).locator(".came span").all_text_contents() == ["b"]
    assert columns.nth(1).locator(".came").inner_text() == "\u2717 c"
    finding = page.locator(".task .saying").inner_text()
    assert "first choice at 1 of 4 steps, and among the first 4 at 3" in finding
    columns.nth(2).click()
    here = page.locator(".task .quiet").last.inner_text()
    assert f"\u201cd\u201d came, at {percent(chances[2, 3])}%" in here
    assert page.locator(".guesses.here b").inner_text() == "c"


def test_a_narrow_page_shows_fewer_steps_around_the_cursor(drawn: Callable[..., Any]) -> None:
    inputs = tuple("abcdefghij" * 10)
    expected = Expected(tuple(("a", "b") for _ in inputs), shares(100, 2))
    page = drawn(plain(inputs, expected=expected))
    wide = page.locator(".guesses").count()
    page.set_viewport_size({"width": 390, "height": 800})
    page.locator(".guesses").nth(wide - 1).wait_for(state="detached")
    page.locator(".strip span").nth(49).click()
    shown = "".join(page.locator(".guesses b").all_text_contents())
    assert shown in "".join(inputs)
    assert page.locator(".guesses.here b").inner_text() == inputs[49]
    assert page.evaluate("document.documentElement.scrollWidth") == 390


WEIGHTS = np.array([[0.75, 0.25, 0], [0, 0.5, 0.5], [0, 0, 1]], dtype=np.float32)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_attention_is_drawn_as_links_and_as_a_map(scheme: str, drawn: Callable[..., Any]) -> None:
    links = Links(("the", "<b>", "cat"), ("die", "Katze", "."), WEIGHTS)
    page = drawn(plain(("<s>", "die", "Katze"), links=links), color_scheme=scheme)
    assert titles(page) == {"Where it looked"}
    page.locator(".strip").focus()
    page.keyboard.press("Home")
    assert page.locator(".links .token").all_text_contents() == [*links.sources, *links.targets]
    assert (
        "at \u201cthe\u201d (75%), \u201c<b>\u201d (25%)"
        in page.locator(".task .saying").inner_text()
    )
    for step, row in enumerate(WEIGHTS):
        widths = page.locator(".link.now").evaluate_all(
            "e => e.map(one => parseFloat(getComputedStyle(one).strokeWidth))"
        )
        assert widths == pytest.approx([1 + 4 * w for w in row if w > 0])
        assert page.locator(".links .here").all_text_contents() == [links.targets[step]]
        page.keyboard.press("ArrowRight")
    box = page.locator(".attention canvas").bounding_box()
    page.locator(".attention canvas").click(position={"x": 5, "y": box["height"] / 2})
    assert "Step 2 of 3" in page.locator(".reading").inner_text()
    cells = page.locator(".attention canvas").evaluate(
        """e => {
            const all = e.getContext('2d').getImageData(0, 0, e.width, e.height).data;
            const at = k => Math.round((k + 0.5) * e.width / 3);
            const row = k => Math.round((k + 0.5) * e.height / 3);
            return [0, 1, 2].map(y => [0, 1, 2].map(x => all.slice(
                4 * (row(y) * e.width + at(x)), 4 * (row(y) * e.width + at(x)) + 3
            ).reduce((a, b) => a + b, 0)));
        }"""
    )
    # In the light what was looked at more is darker, in the dark brighter.
    order = np.argsort(np.array(cells).ravel() * (-1 if scheme == "light" else 1), kind="stable")
    assert (np.diff(WEIGHTS.ravel()[order]) >= 0).all()


def test_speech_shows_the_symbols_along_the_sound(drawn: Callable[..., Any]) -> None:
    path = ("", "h", "h", "", "i", "", "i", "<b>")
    sound = Spectrogram(np.random.default_rng(0).random((16, 5)).astype(np.float32), 0.01, path)
    page = drawn(plain(tuple("12345678"), spectrogram=sound))
    assert titles(page) == {"What it heard"}
    assert page.locator(".speech .token").all_text_contents() == ["h", "i", "i", "<b>"]
    assert f"It hears \u201c{sound.text}\u201d" in page.locator(".task .saying").inner_text()
    frame = page.locator(".speech").bounding_box()
    bar = page.locator(".heard").first.bounding_box()
    assert bar["x"] - frame["x"] == pytest.approx(frame["width"] / 8, abs=2)
    assert bar["width"] == pytest.approx(2 * frame["width"] / 8, abs=2)
    page.locator(".speech").click(position={"x": 4.5 * frame["width"] / 8, "y": 20})
    told = page.locator(".task .quiet").last.inner_text()
    assert told == "At 0.08 s: \u201ci\u201d; so far \u201chi\u201d."
    assert "Step 5 of 8" in page.locator(".reading").inner_text()


@pytest.fixture(scope="module")
def forecast() -> Trace:
    t = np.arange(150)
    values = 20 + 5 * np.sin(2 * np.pi * t / 7) + np.random.default_rng(0).normal(size=150)
    series = SeriesSet.from_arrays({"<b>sales</b>": values}, times=np.datetime64("2024-01-01") + t)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = unrolled.Forecaster("segments", horizon=5, hidden_size=6, members=1).fit(
            series, budget=15, progress=False
        )
    return trace(model, series, origin="2024-05-19")


def test_the_fan_stands_behind_the_past_with_its_coverage(
    forecast: Trace, drawn: Callable[..., Any]
) -> None:
    page = drawn(forecast)
    assert titles(page) == {"The forecast"}
    rows = page.locator(".coverage tbody tr").all_inner_texts()
    want = [
        f"{round(100 * band)}%\t{round(5 * share)} of 5\t{round(100 * share)}%"
        for band, share in forecast.fan.coverage.items()
    ]
    assert rows == want
    assert page.locator(".task .truth-dot").count() == 5
    page.locator(".task summary").click()
    cells = page.locator(".task .numbers").last.locator("tbody tr").first.locator("td")
    shown = [float(one.replace("\N{MINUS SIGN}", "-")) for one in cells.all_text_contents()]
    np.testing.assert_allclose(
        shown, [*forecast.fan.quantiles[0], forecast.fan.truth[0]], rtol=6e-3
    )
    assert "<b>sales</b>" in page.locator(".task .quiet").first.inner_text()
    assert page.locator(".task .chart .unit").text_content() == "<b>sales</b>"


def test_the_step_under_the_cursor_lies_on_what_it_read(
    forecast: Trace, drawn: Callable[..., Any]
) -> None:
    page = drawn(forecast)
    page.locator(".strip").focus()
    page.keyboard.press("End")
    cut = page.locator(".task .origin").bounding_box()["x"]
    last = page.locator(".step-mark").bounding_box()
    assert last["x"] + last["width"] == pytest.approx(cut, abs=4)
    page.keyboard.press("ArrowLeft")
    before = page.locator(".step-mark").bounding_box()
    assert before["x"] + before["width"] < last["x"] + last["width"]
    told = page.locator(".reading").inner_text()
    first, _ = forecast.series.reads[-2]
    assert f"{forecast.series.values[first]:.4g}" in told
    assert forecast.inputs[-2] in told
    chart = page.locator(".task .chart").bounding_box()
    page.locator(".task .chart").click(
        position={"x": last["x"] + last["width"] / 2 - chart["x"], "y": 100}
    )
    assert f"Step {len(forecast)} of {len(forecast)}" in page.locator(".reading").inner_text()


def test_where_nothing_came_there_is_no_coverage(
    forecast: Trace, drawn: Callable[..., Any]
) -> None:
    assert forecast.fan is not None
    unknown = replace(forecast.fan, truth=np.full(5, np.nan))
    page = drawn(replace(forecast, fan=unknown))
    assert page.locator(".coverage").count() == 0
    assert "not known yet" in page.locator(".task .saying").inner_text()


@pytest.mark.filterwarnings("ignore::unrolled.tasks.evaluation.NetworkLoses")
def test_real_traces_are_drawn(drawn: Callable[..., Any]) -> None:
    texts = [f"{n} is {'quite small' if n < 30 else 'rather large'}" for n in range(60)]
    labels = ["a" if n < 30 else "b" for n in range(60)]
    options: Any = {"hidden_size": 8, "embedding_size": 6}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        judge = unrolled.Classifier("subwords", directions=1, **options).fit(
            (texts, labels), budget=10, progress=False
        )
        writer = unrolled.Generator("words", rows=2, steps=8, **options).fit(
            "\n".join(texts), budget=4, progress=False
        )
    page = drawn(trace(judge, "7 is  na\u00efvely small"))
    running = list(judge.running("7 is  na\u00efvely small"))
    assert page.locator(".answered b").all_text_contents() == [word for word, _ in running]
    for k, (word, chances) in enumerate(running):
        page.locator(".answered").nth(k).click()
        told = page.locator(".task .quiet").last.inner_text()
        assert any(
            told.startswith(f"After \u201c{word}\u201d: {name} {percent(p)}%")
            for name, p in chances.items()
        )
    found = trace(writer, "7 is quite small")
    page = drawn(found)
    assert page.locator(".guesses b").all_text_contents() == list(found.inputs)
    assert page.locator(".guesses").first.locator(".guess small").first.inner_text().split()[
        0
    ] == percent(found.expected.chances[0, 0])


def test_a_thousand_steps_are_drawn(drawn: Callable[..., Any]) -> None:
    inputs = tuple("ab c" * 250)
    answers = Answers(("x", "y"), shares(1000, 2))
    expected = Expected(tuple(("a", "b", "c") for _ in inputs), shares(1000, 3))
    page = drawn(plain(inputs, answers=answers, expected=expected, joined=True))
    assert page.locator(".answered").count() == 251
    page.locator(".running").focus()
    page.keyboard.press("End")
    assert "Step 1000 of 1000" in page.locator(".reading").inner_text()
    box, here = (
        page.locator(".running").bounding_box(),
        page.locator(".answered.here").bounding_box(),
    )
    assert box["y"] <= here["y"]
    assert here["y"] + here["height"] <= box["y"] + box["height"] + 1


# The option that a list points at, as assistive technology finds it: the element of that id.
POINTED = """list => {
    const id = list.getAttribute('aria-activedescendant');
    const all = list.getRootNode().querySelectorAll(`[id="${id}"]`);
    const here = list.querySelectorAll('[role=option].here');
    return all.length === 1 && here.length === 1 && all[0] === here[0]
        && all[0].getAttribute('aria-selected') === 'true' && [...list.children].indexOf(all[0]);
}"""


@pytest.mark.parametrize("running", [True, False])
def test_lists_point_at_the_option_of_the_cursor(running: bool, drawn: Callable[..., Any]) -> None:
    answers = Answers(("D", "N", "V"), shares(len(PIECES), 3), running)
    page = drawn(plain(PIECES, answers=answers, joined=True))
    steps = range(len(PIECES))
    words = [sum(last < step for last in LAST) for step in steps] if running else list(steps)
    lists = page.locator("[role=listbox]")
    assert lists.count() == 2
    for focused in range(2):
        lists.nth(focused).focus()
        page.keyboard.press("Home")
        for step in steps:
            where = {lists.nth(k).get_attribute("class"): k for k in range(2)}
            assert lists.nth(where["strip"]).evaluate(POINTED) == step
            assert lists.nth(where["running"]).evaluate(POINTED) == words[step]
            page.keyboard.press("ArrowRight")


LIVE = "[aria-live], [role=status], [role=alert], [role=log]"


def test_a_step_is_read_aloud_once_in_one_sentence(
    make_trace: Callable[..., Trace], drawn: Callable[..., Any]
) -> None:
    found = make_trace()
    size = np.ones((len(found), 3), np.float32)
    page = drawn(replace(found, influence=Influence("the output", size, size)))
    assert page.locator(".influence").count() == 1
    live = page.locator(".trace-card .reading [role=status]")
    page.locator(".strip").focus()
    page.keyboard.press("Home")
    said = live.text_content()
    assert said.startswith("Step 1 of ")
    assert "; expects " in said
    assert ". " not in said
    page.evaluate(
        """live => {
            window.told = 0;
            const every = new MutationObserver(all => window.told += all.length);
            for (const one of document.querySelectorAll(live)) {
                every.observe(one, { childList: true, characterData: true, subtree: true });
            }
        }""",
        LIVE,
    )
    page.keyboard.press("ArrowRight")
    assert live.text_content().startswith("Step 2 of ")
    assert page.evaluate("window.told") == 1
    page.keyboard.press("Shift+ArrowRight")
    assert "Steps 2 to 3 are marked: " in live.text_content()
    page.keyboard.press("Escape")
    assert "marked" not in live.text_content()


# The colour of a point of a picture of the page.
PIXEL = """async ([png, x, y]) => {
    const image = new Image();
    image.src = `data:image/png;base64,${png}`;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const to = canvas.getContext('2d');
    to.drawImage(image, 0, 0);
    return [...to.getImageData(x, y, 1, 1).data].slice(0, 3);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_band_has_a_tone_and_its_swatch_the_same(
    scheme: str, drawn: Callable[..., Any]
) -> None:
    times = tuple(f"2024-01-0{k}" for k in range(1, 9))
    series = Series("sales", times, np.full(8, 50.0), np.stack([np.arange(8), np.arange(1, 9)], 1))
    levels = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
    heights = np.array([0, 20, 40, 50, 60, 80, 100.0])
    fan = Forecast(
        ("2024-01-09", "2024-01-10"), levels, np.tile(heights, (2, 1)), np.full(2, np.nan)
    )
    found = plain(times, series=series, fan=fan)
    page = drawn(found, color_scheme=scheme)

    def colour_at(box: dict[str, float], x: float, y: float) -> list[int]:
        shot = b64encode(page.screenshot(full_page=True)).decode()
        found: list[int] = page.evaluate(
            PIXEL, [shot, round(box["x"] + x * box["width"]), round(box["y"] + y * box["height"])]
        )
        return found

    swatches = page.locator(".task .sw-band")
    names = page.locator(".task .legend li:has(.sw-band)").all_inner_texts()
    assert names == ["50% of outcomes", "80% of outcomes", "90% of outcomes"]
    widest = page.locator(".task path.band-0").bounding_box()
    tones = []
    for number, height in enumerate((45, 30, 10)):
        swatch = colour_at(swatches.nth(number).bounding_box(), 0.5, 0.5)
        drawn_there = colour_at(widest, 0.98, 1 - height / 100)
        assert np.abs(np.subtract(swatch, drawn_there)).max() <= 3
        tones.append(swatch)
    for one, other in pairwise(tones):
        assert np.abs(np.subtract(one, other)).max() > 20
