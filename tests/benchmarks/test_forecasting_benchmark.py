"""Contests of forecasters are held on the same origins, without a look ahead, and are kept."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from forecast_tasks import networks, runs
from forecast_tasks.contest import PARTS, Contest, rolling
from forecast_tasks.measures import pooled_loss, quantile_loss
from forecast_tasks.networks import Recipe
from forecast_tasks.rivals import simple, smoothing, volatility
from forecast_tasks.runs import NETWORK, Goal, Request, hold
from forecast_tasks.table import tables
from run_folder import result_of
from run_tables import results_under

from unrolled.data.series_set import SeriesSet
from unrolled.errors import ConfigError

LEVELS = (0.1, 0.5, 0.9)
SMALL = Recipe(
    {
        "architecture": "segments",
        "lookback": 14,
        "segment": 7,
        "hidden_size": 4,
        "members": 1,
        "validation": 0,
    },
    "3 steps",
)


def made(lengths: tuple[int, ...] = (120, 150)) -> SeriesSet:
    rng = np.random.default_rng(0)
    values = [20 + 5 * np.sin(2 * np.pi * np.arange(n) / 7) + rng.normal(0, 1, n) for n in lengths]
    return SeriesSet.from_arrays(values, ids=["a", "b"][: len(lengths)], frequency="D")


def contest(horizon: int = 3, part: str = "test") -> Contest:
    return rolling(made(), horizon, part, name=f"{horizon} days", levels=LEVELS)


def held(folder: Path | None = None, **request: Any) -> dict[str, Any]:
    own = contest()
    asked = Request("made", folder=folder, **request)
    if folder is not None:
        folder.mkdir(exist_ok=True)
    goals = (Goal("QL"), Goal("MAE", 0.0), Goal("QL", share=1e9, versus="drift"))
    return hold(own, {NETWORK: (own, SMALL)}, simple(7), quantile_loss, goals, asked)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("horizon", [1, 5])
def test_every_window_of_a_part_is_scored_and_none_outside(part: str, horizon: int) -> None:
    own = contest(horizon, part)
    begin, end = PARTS[part]
    for n, cut, at in zip(own.series.lengths, own.cuts, own.origins, strict=True):
        assert cut == int(begin * n)
        answered = {place + step for place in at.tolist() for step in range(1, horizon + 1)}
        assert answered == set(range(cut, int(end * n)))
        assert len(at) == int(end * n) - cut - horizon + 1
    assert [len(one) for one in own.learnt.values] == list(own.cuts)


@pytest.mark.parametrize("name", [*simple(7, log=True), *volatility(), *smoothing()])
def test_no_rival_knows_what_comes_after_an_origin(name: str) -> None:
    own = contest()
    rival = (simple(7, log=True) | volatility() | smoothing())[name]
    middle = own.origins[0][len(own.origins[0]) // 2]
    values = own.series.values[0].copy()
    values[middle + 1 :] = 77.0
    changed = replace(own, series=replace(own.series, values=(values, own.series.values[1])))
    before, after = rival(own).fans[0], rival(changed).fans[0]
    known = own.origins[0] <= middle
    np.testing.assert_array_equal(before[known], after[known])
    assert np.isfinite(before).all()


def test_a_rival_in_logarithms_forecasts_a_series_and_its_double_alike() -> None:
    own = contest()
    doubled = replace(
        own, series=replace(own.series, values=tuple(2 * one for one in own.series.values))
    )
    rival = simple(7, log=True)["ridge in logarithms"]
    for one, two in zip(rival(own).fans, rival(doubled).fans, strict=True):
        np.testing.assert_allclose(2 * one, two, rtol=1e-6)


def test_the_network_learns_nothing_of_the_part_that_is_scored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []
    fit = networks.Forecaster.fit

    def spy(self: Any, data: SeriesSet, **options: Any) -> Any:
        seen.append([len(one) for one in data.values])
        return fit(self, data, **options)

    monkeypatch.setattr(networks.Forecaster, "fit", spy)
    part = held()
    assert seen == [list(contest().cuts)]
    assert part["took"][NETWORK]["steps"] == 3
    assert part["took"][NETWORK]["windows"] == 3 * 128


def test_goals_are_judged_by_the_best_rival_or_the_one_that_is_named() -> None:
    part = held()
    share, figure, named = part["goals"]
    theirs = {name: one["QL"] for name, one in part["scores"].items() if name != NETWORK}
    best = min(theirs, key=theirs.__getitem__)
    assert (share["rival"], share["limit"]) == (best, 0.9 * theirs[best])
    assert share["reached"] == (part["scores"][NETWORK]["QL"] <= 0.9 * theirs[best])
    assert (figure["limit"], figure["reached"]) == (0.0, False)
    assert (named["rival"], named["reached"]) == ("drift", True)


def test_rivals_in_logarithms_can_be_left_out_of_a_goal() -> None:
    scores = {NETWORK: {"QL": 0.5}, "ridge": {"QL": 1.0}, "ridge in logarithms": {"QL": 0.1}}
    rivals = ["ridge", "ridge in logarithms"]
    plain = Goal("QL", plain=True).judged(NETWORK, scores, rivals, 1.0)
    assert (plain["rival"], plain["reached"]) == ("ridge", True)
    every = Goal("QL").judged(NETWORK, scores, rivals, 1.0)
    assert (every["rival"], every["reached"]) == ("ridge in logarithms", False)


def test_a_figure_is_asked_of_the_test_part_only() -> None:
    assert [one["metric"] for one in held(part="validation")["goals"]] == ["QL", "QL"]


@pytest.mark.parametrize(
    ("figure", "minutes", "reached"),
    [(1.0, 5.0, True), (1.1, 5.0, False), (1.0, 16.0, False), (float("nan"), 5.0, False)],
)
def test_a_goal_is_reached_in_time_or_not_at_all(
    figure: float, minutes: float, reached: bool
) -> None:
    scores = {NETWORK: {"OWA": figure}, "drift": {"OWA": 2.0}}
    judged = Goal("OWA", 1.0, within=15).judged(NETWORK, scores, ["drift"], minutes)
    assert judged["reached"] is reached


def test_a_part_that_has_ended_is_given_again_without_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = held(tmp_path)
    monkeypatch.setattr(runs, "train", None)
    assert held(tmp_path) == json.loads(json.dumps(part))


def test_a_network_that_has_ended_is_not_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = held(tmp_path)
    (tmp_path / "3-days.json").unlink()
    monkeypatch.setattr(networks.Forecaster, "fit", None)
    again = held(tmp_path)
    assert again["scores"] == part["scores"]
    assert again["took"] == json.loads(json.dumps(part["took"]))


def test_rivals_are_asked_once_for_all_seeds(tmp_path: Path) -> None:
    one = held(tmp_path / "0", seed=0)
    path = tmp_path / "rivals-made-test-3-days.json"
    kept = json.loads(path.read_text())
    assert kept.keys() == simple(7).keys()
    kept["drift"]["scores"]["QL"] = 123.0
    path.write_text(json.dumps(kept))
    other = held(tmp_path / "1", seed=1)
    assert other["scores"]["drift"]["QL"] == 123.0
    assert other["scores"][NETWORK] != one["scores"][NETWORK]


def test_a_stopped_training_leaves_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = networks.Forecaster.fit

    def stopped(self: Any, *arguments: Any, **options: Any) -> Any:
        fit(self, *arguments, **options)
        self.outcome.ended = "interrupted"
        return self

    with monkeypatch.context() as patch:
        patch.setattr(networks.Forecaster, "fit", stopped)
        with pytest.raises(networks.Stopped):
            held(tmp_path)
    assert not list(tmp_path.rglob(networks.TOOK))
    assert held(tmp_path)["scores"] == held()["scores"]


def test_a_folder_with_another_run_is_refused(tmp_path: Path) -> None:
    def run(request: Request) -> list[dict[str, Any]]:
        return [{"part": "nothing"}]

    one = result_of(Request("made", folder=tmp_path), run)
    assert result_of(Request("made", folder=tmp_path), run) == one
    with pytest.raises(ConfigError, match="otherwise"):
        result_of(Request("made", seed=1, folder=tmp_path), run)


def test_the_table_has_goals_scores_and_what_a_run_took(tmp_path: Path) -> None:
    for seed in (0, 1):
        request = Request("made", seed=seed, folder=tmp_path / str(seed))
        result_of(request, lambda request: [held(request.folder, seed=request.seed)])
    found = results_under(tmp_path)
    assert [one["seed"] for one in found] == [0, 1]
    shown = tables(found)
    assert "mean of 2" in shown
    assert "| made | 3 days | network, recipe | MAE |" in shown
    assert "at most 0 | " in shown
    assert "missed" in shown
    assert "| network, recipe | 0 | 3 | 384 | 0.0 | 0.0 |" in shown
    assert "same as 7 steps ago" in shown
    assert "test part, recipe: 50 forecasts" in shown


def test_an_exact_forecast_loses_nothing() -> None:
    own = contest()
    exact = [np.repeat(one[..., None], len(LEVELS), axis=-1) for one in own.actual]
    assert quantile_loss(own, exact, own.actual) == {"QL": 0.0, "MAE": 0.0}
    assert pooled_loss(own, exact) == 0.0
    off = [one + 1.0 for one in exact]
    points = [one - 2.0 for one in own.actual]
    assert quantile_loss(own, off, points) == pytest.approx({"QL": 1.0, "MAE": 2.0})
