"""The page of a sound: what stands in it is what the trace holds, with one cursor in all of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unrolled.lens import Trace
from unrolled.lens.sound_parts import Heard, Sound, SoundsAlike
from unrolled.lens.trace_parts import Spectrogram
from unrolled.lens.traces import Answers, TracedLayer
from unrolled.tasks.transcribing.sounds_alike import ExplainedWord, OtherContext, Rival
from unrolled.tasks.transcribing.transcript import HeardWord

STEPS, EACH, RATE = 40, 0.03, 8000
PATH = [""] * STEPS
PATH[4:6], PATH[6], PATH[9], PATH[20:22], PATH[22] = "tt", "w", "o", "  ", "o"
PATH[23], PATH[24] = "n", "e"


def layer(name: str, seed: int, gates: bool = True) -> TracedLayer:
    random = np.random.default_rng(seed)
    states = np.tanh(random.normal(size=(STEPS, 6))).astype(np.float32)
    return TracedLayer(
        name,
        seed,
        False,
        "GRU" if gates else "RNN_TANH",
        np.arange(6),
        {"h": states},
        {"h": states[0]},
        np.zeros(STEPS, bool),
        {"z": np.abs(states), "n": states} if gates else {},
    )


def spoken(**changes: Any) -> Trace:
    """ "two one", with one of its words given otherwise."""
    names = ("", "t", "w", "o", " ", "n", "e")
    chances = np.full((STEPS, len(names)), 0.02, np.float32)
    for step, symbol in enumerate(PATH):
        chances[step, names.index(symbol)] = 0.88
    time = np.arange(round(STEPS * EACH * RATE)) / RATE
    values = np.random.default_rng(0).normal(size=(3 * STEPS, 12)).astype(np.float32)
    whole = Trace(
        "Transcriber",
        tuple(f"{step * EACH:.2f} s" for step in range(STEPS)),
        (layer("recurrent", 0), layer("recurrent", 1)),
        spectrogram=Spectrogram(values, 0.01, tuple(PATH)),
        heard=Heard(
            "two one",
            names,
            chances,
            ("two", "one"),
            np.array([[0.12, 0.3], [0.66, 0.81]], np.float32),
            np.array([0.97, 0.41], np.float32),
            ("two", "nine"),
            np.array([[0.12, 0.3], [0.6, 0.81]], np.float32),
            np.array([0.97, 0.03], np.float32),
        ),
        sound=Sound.of((0.01 * np.sin(2 * np.pi * 300 * time)).astype(np.float32), RATE),
    )
    return replace(whole, **changes)


@pytest.fixture
def drawn(open_file: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    def draw(found: Trace, **options: Any) -> Any:
        options = {"reduced_motion": "reduce"} | options
        page = open_file(found.to_html(tmp_path / "t.html"), **options)
        page.locator(".speech .units").first.wait_for()
        return page

    return draw


def here(page: Any) -> str:
    found: str = page.locator(".task:has(.speech) > .quiet").last.inner_text()
    return found


def test_words_stand_where_they_were_said_and_the_surer_the_stronger(
    drawn: Callable[..., Any],
) -> None:
    page = drawn(spoken())
    assert page.locator(".spoken.heard b").all_text_contents() == ["two", "one"]
    assert page.locator(".spoken.given b").all_text_contents() == ["two", "nine"]
    plot = page.locator(".speech").bounding_box()
    box = page.locator(".spoken.heard i").nth(1).bounding_box()
    whole = STEPS * EACH
    assert box["x"] - plot["x"] == pytest.approx(plot["width"] * 0.66 / whole, abs=2)
    assert box["width"] == pytest.approx(plot["width"] * 0.15 / whole, abs=2)
    sure = page.locator(".spoken.heard i").evaluate_all(
        "them => them.map((one) => getComputedStyle(one).getPropertyValue('--sure'))"
    )
    assert sure == ["97%", "41%"]
    page.locator(".task summary").click()
    cells = page.locator(".task table").first.locator("tbody tr").nth(1).locator("th, td")
    assert cells.all_inner_texts() == ["one", "0.66", "0.81", "41%"]


def test_each_symbol_has_a_row_with_the_blank_first(drawn: Callable[..., Any]) -> None:
    page = drawn(spoken())
    names = page.locator(".sound-gutter .blank, .sound-gutter .symbol").all_text_contents()
    assert names == ["blank", "t", "w", "o", "␣", "n", "e"]
    told = page.locator(".speech .token").all_text_contents()
    assert told == ["t", "w", "o", "␣", "o", "n", "e"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_probable_symbol_stands_out_and_a_probable_blank_less(
    drawn: Callable[..., Any], scheme: str
) -> None:
    page = drawn(spoken(), color_scheme=scheme)
    # The ground, a blank and a symbol of 88%: how far each is from the ground.
    ground, blank, symbol = page.evaluate(
        """steps => {
          const [blank, symbols] = document.querySelectorAll('canvas.chances');
          const at = (canvas, step, row, rows) => {
            const [x, y] = [(step + 0.5) / steps, (row + 0.5) / rows];
            const one = new OffscreenCanvas(1, 1).getContext('2d');
            one.drawImage(canvas, -Math.floor(x * canvas.width), -Math.floor(y * canvas.height));
            return [...one.getImageData(0, 0, 1, 1).data];
          };
          return [at(symbols, 0, 0, 6), at(blank, 0, 0, 1), at(symbols, 4, 0, 6)];
        }""",
        STEPS,
    )
    far = [np.abs(np.subtract(one, ground)).sum() for one in (blank, symbol)]
    assert 40 < far[0] < far[1] - 40
    # A quiet colour: grey.
    assert np.ptp(blank[:3]) < 30 < np.ptp(symbol[:3])


def test_every_layer_has_its_states_and_gates_along_the_same_time(
    drawn: Callable[..., Any],
) -> None:
    page = drawn(spoken())
    assert page.locator(".sound-gutter .quantity").all_text_contents() == ["h", "z", "n"] * 2
    names = page.locator(".speech .layer-name").all_inner_texts()
    assert names == ["recurrent, layer 1 (GRU)", "recurrent, layer 2 (GRU)"]
    plot = page.locator(".speech").bounding_box()
    for place in range(6):
        box = page.locator(".speech .units canvas").nth(place).bounding_box()
        assert box["x"] == pytest.approx(plot["x"], abs=1)
        assert box["width"] == pytest.approx(plot["width"], abs=1)
    # A click takes the layer, the quantity and the step.
    first = page.locator(".speech .units canvas").nth(1)
    first.click(position={"x": 8.5 * plot["width"] / STEPS, "y": 4})
    assert page.get_by_label("Layer", exact=True).input_value() == "0"
    assert page.locator(".controls input[value=z]").is_checked()
    assert "Step 9 of 40" in page.locator(".reading").inner_text()
    assert page.locator(".speech .units").nth(1).get_attribute("class") == "units chosen"


def test_one_cursor_goes_through_all_of_it_by_click_and_by_keys(
    drawn: Callable[..., Any],
) -> None:
    page = drawn(spoken())
    plot = page.locator(".speech").bounding_box()
    page.locator(".speech").click(position={"x": 6.5 * plot["width"] / STEPS, "y": 60})
    assert here(page) == (
        "At 0.18 s: \u201cw\u201d 88%, no symbol 2%, \u201ct\u201d 2%; so far \u201ctw\u201d."
    )
    page.keyboard.press("ArrowRight")
    assert here(page).startswith("At 0.21 s: no symbol 88%")
    mark = page.locator(".time-mark").first.bounding_box()
    assert mark["x"] - plot["x"] == pytest.approx(7.5 * plot["width"] / STEPS, abs=2)
    assert mark["height"] == pytest.approx(plot["height"], abs=2)
    # The sound is where the cursor is.
    assert page.evaluate("document.querySelector('audio').currentTime") == pytest.approx(0.21)
    assert page.locator(".clock").inner_text() == "0.21 of 1.20 s"


def test_space_plays_the_sound_and_the_cursor_goes_with_it(drawn: Callable[..., Any]) -> None:
    page = drawn(spoken())
    page.locator(".trace-card").focus()
    page.keyboard.press("Space")
    # From its beginning to its end, with every view.
    page.wait_for_function(
        "() => /^Step 40 of 40/m.test(document.querySelector('.reading').innerText)"
    )
    page.wait_for_function("() => document.querySelector('.play').textContent.includes('Play')")
    assert here(page).startswith("At 1.17 s")
    assert page.locator(".clock").inner_text() == "1.17 of 1.20 s"
    page.keyboard.press("Home")
    page.locator(".player input[value='0.25']").check(force=True)
    page.locator(".play").click()
    page.wait_for_function("() => document.querySelector('audio').currentTime > 0.05")
    assert page.evaluate("document.querySelector('audio').playbackRate") == 0.25
    assert "Pause" in page.locator(".play").inner_text()
    page.locator(".play").click()
    page.wait_for_function("() => document.querySelector('.play').textContent.includes('Play')")
    assert page.evaluate("document.querySelector('audio').paused")


def test_a_sound_that_a_browser_cannot_play_is_told(drawn: Callable[..., Any]) -> None:
    page = drawn(spoken())
    page.evaluate("document.querySelector('audio').src = 'data:audio/wav;base64,AAAA'")
    page.wait_for_function("() => document.querySelector('.play').disabled")
    assert page.locator(".clock").inner_text() == "This browser does not play the sound here."


def test_without_a_sound_nothing_plays(drawn: Callable[..., Any]) -> None:
    page = drawn(spoken(sound=None))
    assert page.locator(".player, audio").count() == 0
    assert "space" not in page.locator(".keys-told").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_page_scrolls_the_sound_and_not_itself(
    drawn: Callable[..., Any], scheme: str
) -> None:
    page = drawn(spoken(), viewport={"width": 390, "height": 900}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    # Letters that would lie on each other stand on lines of their own.
    boxes = page.locator(".speech .token").evaluate_all(
        "them => them.map((one) => { const b = one.getBoundingClientRect();"
        " return [b.left, b.right, b.top, b.bottom]; })"
    )
    for k, (left, right, top, bottom) in enumerate(boxes):
        for other in boxes[k + 1 :]:
            apart = other[0] >= right - 1 or other[1] <= left + 1
            assert apart or other[2] >= bottom - 6 or other[3] <= top + 6


def test_the_path_alone_is_told_where_the_search_found_another_text(
    drawn: Callable[..., Any],
) -> None:
    heard = spoken().heard
    assert heard is not None
    page = drawn(spoken())
    assert "of the path each run" in page.locator(".task .saying").inner_text()
    page = drawn(spoken(heard=replace(heard, text="two won")))
    assert "The path alone" in page.locator(".task .saying").inner_text()
    assert "says \u201ctwo one\u201d" in page.locator(".task .saying").inner_text()


def test_labels_have_a_row_each_and_no_path(drawn: Callable[..., Any]) -> None:
    chances = np.linspace([0.5, 0.5], [0.9, 0.1], STEPS).astype(np.float32)
    nothing = np.zeros(0, np.float32)
    spans = nothing.reshape(0, 2)
    heard = Heard("yes", ("yes", "no"), chances, (), spans, nothing, (), spans, nothing)
    sound = spoken().spectrogram
    assert sound is not None
    page = drawn(
        spoken(
            heard=heard,
            spectrogram=replace(sound, path=("",) * STEPS),
            answers=Answers(("yes", "no"), chances),
        )
    )
    saying = page.locator(".task .saying").inner_text()
    assert saying == "It hears \u201cyes\u201d, 90% sure at the end."
    assert page.locator(".sound-gutter .symbol").all_text_contents() == ["yes", "no"]
    assert page.locator(".speech .token").count() == 0
    page.locator(".trace-card").focus()
    page.keyboard.press("End")
    assert here(page) == "At 1.17 s: \u201cyes\u201d 90%, \u201cno\u201d 10%."
    # Under the words of a text only.
    assert "word by word" not in page.locator(".trace-card").inner_text()


def alike() -> SoundsAlike:
    """ "two" has a close rival, and one that hot words speak for; "one" has none that is close."""
    near = Rival("to", "same sound", 0.4, -3.0, contexts=(OtherContext("going", True, 12.0),))
    two = ExplainedWord(
        HeardWord("two", 0.12, 0.3, 0.97),
        (near, Rival("too", "same sound", 0.1, -6.0, 2.0)),
        "both sound the same (0.4 nats apart); before 'one', 'two' is 400 times as likely as 'to'",
    )
    one = ExplainedWord(
        HeardWord("one", 0.66, 0.81, 0.41), (Rival("won", "same sound", -12.0),), "heard"
    )
    return SoundsAlike(tuple(word.to_dict() for word in (two, one)))


def test_the_closest_word_stands_with_its_rivals_and_another_can_be_chosen(
    drawn: Callable[..., Any],
) -> None:
    page = drawn(spoken(alike=alike()))
    words = page.locator(".alike-words button")
    assert words.all_text_contents() == ["two", "one"]
    assert [words.nth(at).get_attribute("aria-pressed") for at in (0, 1)] == ["true", "false"]
    lines = [
        words.nth(at).evaluate("(one) => getComputedStyle(one).textDecorationLine") for at in (0, 1)
    ]
    assert lines == ["underline", "none"]
    assert (
        "before 'one', 'two' is 400 times as likely as 'to'."
        in page.locator(".alike p").inner_text()
    )
    heads = page.locator(".alike thead th").all_inner_texts()
    assert heads == [
        "rival",
        "sound (nats)",
        "language (nats)",
        "hot words (nats)",
        "all (nats)",
        "it would have won",
    ]
    first = page.locator(".alike tbody tr").first.locator("td").all_inner_texts()
    assert [one.strip() for one in first] == [
        "0.4",
        "\u22123.0",
        "0.0",
        "\u22122.6",
        "after \u201cgoing\u201d 12 : 1",
    ]
    words.nth(1).click()
    assert page.locator(".alike tbody th").all_inner_texts() == ["won\nsame sound"]
    assert here(page).startswith("At 0.66 s")


def test_bars_go_to_the_side_that_they_speak_for_as_far_as_they_say(
    drawn: Callable[..., Any],
) -> None:
    page = drawn(spoken(alike=alike()))
    found = (
        page.locator(".alike tbody tr")
        .nth(1)
        .locator("svg")
        .evaluate_all(
            """them => them.map((one) => {
          const [bar, middle] = ['rect', 'line'].map((tag) => one.querySelector(tag));
          const [x, wide] = ['x', 'width'].map((name) => +bar.getAttribute(name));
          return x + wide / 2 < +middle.getAttribute('x1') ? -wide : wide;
        })"""
        )
    )
    assert np.allclose(np.array(found) / found[1], np.array([0.1, -6.0, 2.0, -3.9]) / -6.0)


def test_a_trace_without_words_has_no_panel_of_what_sounds_alike(drawn: Callable[..., Any]) -> None:
    assert drawn(spoken()).locator(".alike").count() == 0
