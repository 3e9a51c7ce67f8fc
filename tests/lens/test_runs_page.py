"""The training of runs as a page: what is drawn is what the log holds, and a live page follows."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unrolled.lens import read_run
from unrolled.lens.showing import Lens, show, shown

COUNT = 300


def line(step: int, loss: float, **more: Any) -> str:
    told = {
        "step": step,
        "loss": loss,
        "rate": 1e-5,
        "gradient_norm": 2.0 if step % 4 == 0 else 0.5,
    }
    return json.dumps({**told, "clip": 1.0, "tokens": 8, "seconds": step / 10, **more}) + "\n"


def look(step: int, carried: float) -> str:
    back = [carried ** (k / 32) for k in range(33)]
    layers = [
        {
            "name": "rnn", "layer": index, "direction": "forward", "cell": "GRU", "steps": 65,
            "gradient": back[::-1], "gradient_steps": 64, "gradient_back": back,
            "gradient_carried": carried, "gradient_peak": 1.0, "gradient_reach": 20.0,
        }
        for index in range(2)
    ]  # fmt: skip
    text = "rnn, layer 0, forward: <b>fades</b>; use </script> chrono"
    found = {"kind": "VanishingGradient", "where": "rnn, layer 0, forward", "text": text}
    found["remedy"] = "use </script> chrono"
    findings = [found] if carried < 1e-7 else []
    diagnostics = {"layers": layers, "findings": findings, "falling": False}
    return json.dumps({"step": step, "diagnostics": diagnostics, "seconds": step / 10}) + "\n"


def held(step: int, score: float) -> str:
    return json.dumps({"step": step, "held_out": score, "seconds": step / 10}) + "\n"


UNITS = {"loss": "nats per word", "held_out": "nats per word"}


def run_text(count: int = COUNT, level: float = 1.0, units: dict[str, str] = UNITS) -> str:
    lines = [json.dumps({"step": 0, "units": units, "seconds": 0.0}) + "\n"] if units else []
    for step in range(1, count + 1):
        if step in (1, 100, 200):
            lines.append(look(step, {1: 1e-9, 100: 1e-9, 200: 0.01}[step]))
        lines.append(line(step, level + 1 / step))
        if step % 100 == 0:
            lines.append(held(step, level + abs(step - 200) / 100))
    return "".join(lines)


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    made = [tmp_path / "one", tmp_path / "<i>two"]
    for folder, level in zip(made, (1.0, 3.0), strict=True):
        folder.mkdir()
        (folder / "log.jsonl").write_text(run_text(level=level))
    return made


@pytest.fixture
def open_runs(
    open_file: Callable[..., Any], tmp_path: Path, folders: list[Path]
) -> Callable[..., Any]:
    def open_it(count: int = 2, **options: Any) -> Any:
        path = show(*folders[:count], out=tmp_path / "page.html")
        assert path is not None
        page = open_file(path, **options)
        page.locator(".losses-chart").wait_for()
        return page

    return open_it


def numbers(text: str) -> list[float]:
    return [float(one) for one in re.findall(r"\d+(?:\.\d+)?", text.replace(",", ""))]


def path_points(page: Any, selector: str) -> list[list[float]]:
    path = page.locator(selector).first.get_attribute("d")
    return [list(map(float, one.split(","))) for one in re.findall(r"[-\d.]+,[-\d.]+", path)]


def test_each_run_has_its_curves_its_best_and_its_line_in_words(
    open_runs: Callable[..., Any],
) -> None:
    page = open_runs()
    told = page.locator(".runs-legend li").all_inner_texts()
    assert len(told) == 2
    assert "300 steps in 30 s; loss 1.003; best held out 1 at step 200" in told[0]
    assert "clipped to 1 in 25% of the steps" in told[0]
    assert "<i>two" in told[1]
    assert page.locator(".runs-legend i").count() == 0
    assert len(path_points(page, ".losses-chart .run-0 .raw")) == COUNT
    assert page.locator(".losses-chart .run-1 .held-point").count() == 3
    assert page.locator(".losses-chart .best").count() == 2
    ring, dots = page.locator(".best.run-0 circle"), page.locator(".run-0 circle.held-point")
    assert ring.get_attribute("cx") == dots.nth(1).get_attribute("cx")
    assert page.locator(".strip-chart").count() == 3


def test_the_smooth_curve_is_the_mean_of_what_is_around(open_runs: Callable[..., Any]) -> None:
    page = open_runs(1)
    raw = [y for _, y in path_points(page, ".losses-chart .raw")]
    smooth = [y for _, y in path_points(page, ".losses-chart .smooth")]
    assert len(smooth) == COUNT
    # The axis is linear, so the mean of losses stands at the mean of their places.
    for place, around in ((0, raw[:1]), (4, raw[:9]), (20, raw[14:27]), (COUNT - 1, raw[-3:])):
        assert smooth[place] == pytest.approx(sum(around) / len(around), abs=0.01)


def test_a_hidden_run_is_gone_from_every_view_and_comes_back(open_runs: Callable[..., Any]) -> None:
    page = open_runs()
    page.get_by_role("checkbox", name="one").uncheck()
    for place in (".losses-chart", ".strip-chart", ".profile-chart", ".carried-chart", ".found"):
        assert page.locator(f"{place} .run-0").count() == 0, place
        assert page.locator(f"{place} .run-1").count() > 0, place
    assert "one" not in page.locator(".run-numbers tbody").inner_text()
    page.get_by_role("checkbox", name="one").check()
    assert page.locator(".losses-chart .run-0").count() > 0


def test_the_numbers_under_the_cursor_are_those_of_the_log(open_runs: Callable[..., Any]) -> None:
    page = open_runs(1)
    chart = page.locator(".losses-chart").bounding_box()
    points = path_points(page, ".losses-chart .raw")
    page.mouse.move(chart["x"] + points[119][0], chart["y"] + 100)
    tip = page.locator(".runs-tip")
    text = tip.inner_text()
    assert "step 120" in text
    assert "loss 1.008" in text.replace("\n", " ")
    assert "held out (step 100) 2" in text.replace("\n", " ")
    assert "10\u207b\u2075" in text
    assert "2, clipped" in text
    page.locator(".runs-frame").press("ArrowRight")
    assert "step 121" in tip.inner_text()
    assert "clipped" not in tip.inner_text()
    page.mouse.move(chart["x"] + points[2][0], chart["y"] + 100)
    assert "step 3 loss 1.333 " in tip.inner_text().replace("\n", " ")
    page.mouse.move(0, 0)
    assert not tip.is_visible()


def test_the_axis_can_be_seconds_or_tokens_and_the_cursor_stays_at_its_step(
    open_runs: Callable[..., Any],
) -> None:
    page = open_runs(1)
    frame = page.locator(".runs-frame")
    frame.press("Home")
    for _ in range(5):
        frame.press("Shift+ArrowRight")
    assert "step 51" in page.locator(".runs-tip").inner_text()
    steps = path_points(page, ".losses-chart .raw")
    for name, unit in (("seconds", "5.1 s"), ("tokens", "408 tokens")):
        page.get_by_text(name, exact=True).first.click()
        frame.press("Home")
        for _ in range(5):
            frame.press("Shift+ArrowRight")
        text = page.locator(".runs-tip").inner_text()
        assert "step 51" in text
        assert unit in text
        # Evenly paced: the curve stands where it stood over steps.
        assert path_points(page, ".losses-chart .raw")[-1][0] == pytest.approx(steps[-1][0], abs=1)


def test_a_logarithmic_axis_draws_equal_ratios_equally(open_runs: Callable[..., Any]) -> None:
    page = open_runs()
    page.get_by_text("logarithmic", exact=True).click()
    scale = page.locator(".losses-chart .axis")
    assert "logarithmic" in scale.text_content()
    one, two = (path_points(page, f".losses-chart .run-{k} .raw") for k in (0, 1))
    top, bottom = one[0][1], one[-1][1]  # losses 2 and 1.00333
    expected = math.log(4 / 3.00333) / math.log(2 / 1.00333)
    assert (two[0][1] - two[-1][1]) / (top - bottom) == pytest.approx(expected, abs=0.02)


def test_a_drag_looks_closer_and_a_button_shows_all_again(open_runs: Callable[..., Any]) -> None:
    page = open_runs(1)
    points = path_points(page, ".losses-chart .raw")
    chart = page.locator(".losses-chart").bounding_box()
    page.mouse.move(chart["x"] + points[99][0], chart["y"] + 60)
    page.mouse.down()
    page.mouse.move(chart["x"] + points[199][0], chart["y"] + 80, steps=4)
    assert page.locator(".brush").is_visible()
    page.mouse.up()
    closer = path_points(page, ".losses-chart .raw")
    assert closer[99][0] == pytest.approx(points[0][0], abs=4)
    assert closer[199][0] == pytest.approx(points[-1][0], abs=4)
    page.get_by_role("button", name="Show all").click()
    assert path_points(page, ".losses-chart .raw") == points
    assert not page.get_by_role("button", name="Show all").is_visible()


def test_findings_stand_on_the_curve_and_below_it_in_words(open_runs: Callable[..., Any]) -> None:
    page = open_runs()
    assert page.locator(".badge text").all_text_contents() == ["1", "2"]
    items = page.locator(".found li")
    assert items.count() == 2
    text = items.first.inner_text()
    for part in ("Vanishing gradient", "rnn, layer 0", "steps 1 to 100, in 2 looks"):
        assert part in text
    assert "<b>fades</b>" in text
    assert "Remedy: use </script> chrono" in text
    items.nth(1).get_by_role("button").click()
    assert "step 1" in page.locator(".runs-tip").inner_text()


def test_the_slider_moves_through_the_looks_in_both_charts(
    open_runs: Callable[..., Any], folders: list[Path]
) -> None:
    page = open_runs(1)
    slider = page.get_by_role("slider")
    card = page.locator(".gradient-card")
    assert "Training step 200" in card.locator(".where").inner_text()
    assert "the first of 65 steps gets 0.01" in card.locator(".saying").inner_text()
    slope = numbers(card.locator(".saying").inner_text())[0]
    assert slope == pytest.approx(0.01 ** (1 / 64), abs=1e-3)
    first = path_points(page, ".profile-chart .profile")
    assert len(first) == 33
    slider.press("Home")
    assert "Training step 1" in card.locator(".where").inner_text()
    saying = card.locator(".saying")
    # Of both layers little is left, and the look found only that of the first to vanish.
    assert "vanishes" not in saying.inner_text()
    page.get_by_label("Layer").select_option("rnn, layer 0, forward")
    assert "gets 10\u207b\u2079. It vanishes." in saying.inner_text()
    page.get_by_text("of the whole loss").click()
    assert "At the first of 65 steps it is 10\u207b\u2079 of its largest" in saying.inner_text()
    assert "It vanishes." in saying.inner_text()
    page.get_by_text("from the last step").click()
    lower = path_points(page, ".profile-chart .profile")
    assert lower[-1][1] > first[-1][1] + 20
    assert lower[0][1] == pytest.approx(first[0][1], abs=1)
    limit = page.locator(".profile-chart .limit").first.get_attribute("y1")
    end = page.locator(".profile-chart .profile-point").last.get_attribute("cy")
    assert float(end) > float(limit)
    page.get_by_text("of the whole loss").click()
    assert "∂L/∂h" in page.locator(".profile-chart").text_content()
    looks = read_run(folders[0]).looks
    assert page.locator(".carried-chart .held-point").count() == len(looks)
    place = page.locator(".carried-chart .held-point").nth(1).get_attribute("cx")
    page.locator(".carried-chart").click(position={"x": float(place) + 3, "y": 60})
    assert "Training step 100" in card.locator(".where").inner_text()


def opened(open_file: Callable[..., Any], tmp_path: Path, **texts: str) -> Any:
    for name, text in texts.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "log.jsonl").write_text(text)
    path = show(*(tmp_path / name for name in texts), out=tmp_path / "page.html")
    page = open_file(path)
    page.locator(".losses-chart").wait_for()
    return page


def test_scores_in_the_unit_of_the_loss_share_its_axis(open_runs: Callable[..., Any]) -> None:
    page = open_runs()
    assert "loss and held-out score, nats per word" in page.locator(".losses-chart").text_content()
    assert page.locator(".held-chart").count() == 0
    assert "held out" in page.locator(".runs-keys").inner_text()


@pytest.mark.parametrize(
    ("units", "names"),
    [
        ({"loss": "nats per word", "held_out": "share of words that are wrong"},
         ("loss, nats per word", "held-out score, share of words that are wrong")),
        ({}, ("loss", "held-out score")),  # as in the logs of earlier versions
    ],
)  # fmt: skip
def test_scores_in_another_unit_or_in_one_that_is_not_known_have_a_chart_of_their_own(
    open_file: Callable[..., Any],
    tmp_path: Path,
    units: dict[str, str],
    names: tuple[str, str],
) -> None:
    page = opened(open_file, tmp_path, one=run_text(units=units))
    losses, held = page.locator(".losses-chart"), page.locator(".held-chart")
    for chart, name in zip((losses, held), names, strict=True):
        assert name in chart.locator(".axis text").all_text_contents()
    assert (losses.locator(".held-point").count(), losses.locator(".best").count()) == (0, 0)
    assert (held.locator(".held-point").count(), held.locator(".best").count()) == (3, 1)
    # Over the same axis.
    steps = [x for x, _ in path_points(page, ".losses-chart .raw")]
    scored = [x for x, _ in path_points(page, ".held-chart .held-line")]
    assert scored == pytest.approx([steps[99], steps[199], steps[299]], abs=0.01)


def test_runs_that_count_in_different_units_share_no_axis_until_one_is_hidden(
    open_file: Callable[..., Any], tmp_path: Path
) -> None:
    other = {"loss": "nats per text", "held_out": "nats per text"}
    page = opened(open_file, tmp_path, one=run_text(), two=run_text(units=other))
    assert "loss, nats per word or nats per text" in page.locator(".losses-chart").text_content()
    assert page.locator(".held-chart .held-point").count() == 6
    page.get_by_role("checkbox", name="two").uncheck()
    assert page.locator(".held-chart").count() == 0
    assert page.locator(".losses-chart .held-point").count() == 3


def test_a_run_that_gets_worse_held_out_for_long_is_said_to_overfit(
    open_file: Callable[..., Any], tmp_path: Path
) -> None:
    trained = [one for one in run_text().splitlines(keepends=True) if 'held_out": ' not in one]
    scores = [held(step, 2 + step / 300) for step in range(50, 301, 50)]
    page = opened(
        open_file,
        tmp_path,
        one="".join([json.dumps({"step": 0, "units": UNITS}), "\n", *trained, *scores]),
    )
    assert page.locator(".best text").text_content() == "best 2.17, overfitting since"
    assert "overfitting since step 50" in page.locator(".runs-legend").inner_text()


def test_the_name_of_a_run_stands_where_its_curve_ends(
    open_file: Callable[..., Any], tmp_path: Path
) -> None:
    page = opened(open_file, tmp_path, long=run_text(), short=run_text(count=100, level=3.0))
    for run in (0, 1):
        end = path_points(page, f".losses-chart .run-{run} .smooth")[-1]
        name = page.locator(f".losses-chart text.run-{run}.curve-name")
        assert 0 < float(name.get_attribute("x")) - end[0] < 20
        assert abs(float(name.get_attribute("y")) - end[1]) < 20


def test_one_look_has_no_slider_and_steps_are_whole(
    open_file: Callable[..., Any], tmp_path: Path
) -> None:
    page = opened(open_file, tmp_path, one=look(1, 1e-9) + line(1, 1.0) + line(2, 1.0))
    assert page.locator(".profile-chart").count() == 1
    assert page.get_by_role("slider").count() == 0
    ticks = page.locator(".carried-chart .axis").last.locator("text").all_text_contents()
    assert ticks == ["0", "1", "2", "steps of the training"]
    assert "0.5" not in page.locator(".losses-chart .axis text").all_text_contents()
    limit = page.locator(".carried-chart .limit").first.get_attribute("y1")
    name = page.locator(".carried-chart .limit-name").first.get_attribute("y")
    bottom = page.locator(".carried-chart .here-line").get_attribute("y2")
    assert float(limit) < float(name) <= float(bottom) - 5


def test_a_layer_that_learns_from_nearer_losses_is_told_so_and_is_no_finding(
    open_file: Callable[..., Any], tmp_path: Path
) -> None:
    record = json.loads(look(1, 1e-9))
    record["diagnostics"]["findings"] = []
    for layer in record["diagnostics"]["layers"]:
        layer["gradient"] = [0.5] * 33
    page = opened(open_file, tmp_path, one=json.dumps(record) + "\n" + line(1, 1.0))
    saying = page.locator(".saying")
    assert "learns nothing from the last, but from losses nearer" in saying.inner_text()
    page.get_by_text("of the whole loss").click()
    assert saying.inner_text() == "At the first of 65 steps it is the largest."
    assert "Nothing that keeps the network from learning" in page.locator("body").inner_text()


def test_the_table_has_a_row_for_each_validation(open_runs: Callable[..., Any]) -> None:
    page = open_runs(1)
    page.get_by_text("As a table").click()
    rows = page.locator(".run-numbers tbody tr")
    assert rows.count() == 3
    assert "200 best" in rows.nth(1).inner_text()
    assert numbers(rows.nth(0).inner_text())[0] == 100


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_the_screen_in_light_and_dark(
    open_runs: Callable[..., Any], width: int, scheme: str
) -> None:
    page = open_runs(viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 700, "height": 800})
    page.wait_for_function(
        "document.querySelector('.losses-chart').getBoundingClientRect().width < 700"
    )


@pytest.fixture
def live_page(open_url: Callable[..., Any]) -> Callable[[str], Any]:
    def open_it(url: str) -> Any:
        page = open_url(url)
        page.locator(".losses-chart").wait_for()
        return page

    return open_it


def test_a_live_page_gets_new_points_and_keeps_what_was_chosen(
    live_page: Callable[[str], Any], folders: list[Path]
) -> None:
    log = folders[0] / "log.jsonl"
    with Lens(shown(*folders), every=None) as lens:
        page = live_page(lens.url)
        page.get_by_role("checkbox", name="two").uncheck()
        page.get_by_text("logarithmic", exact=True).click()
        page.get_by_text("of the whole loss").click()
        page.get_by_role("slider").press("Home")
        page.locator(".runs-frame").press("Home")
        page.locator(".runs-frame").press("+")
        window = path_points(page, ".losses-chart .run-0 .raw")
        with log.open("a") as file:
            file.write("".join(line(step, 1.0) for step in range(COUNT + 1, COUNT + 51)))
            file.write('{"step": 351, "lo')
        lens.look()
        page.get_by_text("350 steps in 35 s").wait_for()
        now = path_points(page, ".losses-chart .run-0 .raw")
        assert len(now) == COUNT + 50
        assert now[10][0] == pytest.approx(window[10][0], abs=0.01)
        assert not page.get_by_role("checkbox", name="two").is_checked()
        assert page.locator(".losses-chart .run-1").count() == 0
        assert "logarithmic" in page.locator(".losses-chart .axis").text_content()
        assert "Training step 1" in page.locator(".gradient-card .where").inner_text()
        assert "∂L/∂h" in page.locator(".profile-chart").text_content()
        # As by a run that is resumed from an earlier checkpoint.
        aside = log.with_name("aside")
        aside.write_text(run_text(count=150))
        os.replace(aside, log)
        lens.look()
        page.get_by_text("150 steps in 15 s").wait_for()
        page.get_by_text("Follows the log").wait_for()
        assert len(path_points(page, ".losses-chart .run-0 .raw")) == 150


def test_a_page_that_opens_later_shows_what_is_in_the_log_by_then(
    live_page: Callable[[str], Any], folders: list[Path]
) -> None:
    with Lens(shown(folders[0]), every=None) as lens:
        with (folders[0] / "log.jsonl").open("a") as file:
            file.write(line(COUNT + 1, 1.0))
        lens.look()
        live_page(lens.url).get_by_text("301 steps in 30.1 s").wait_for()
