"""Runs of text tasks: goals, folders, turns with a rival, and the parts that are scored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import run_folder
import run_tables
import torch
from run_folder import VALIDATION, Recipe, Stopped, result_of
from text_tasks import runs, turns
from text_tasks.runs import ALONE, NETWORK, Goal, Request, learn, mean_scores, rivals_in, scores_of
from text_tasks.streams import halves, until
from text_tasks.table import tables
from text_tasks.turns import TorchLSTM, in_turns

from unrolled import Generator
from unrolled.data.corpus import Corpus
from unrolled.errors import ConfigError
from unrolled.tasks.evaluation import Comparison, Evaluation
from unrolled.tasks.generating.parts import split
from unrolled.training import budget, loop

TEXT = "the cat sat on the mat and the dog sat on the cat. " * 40
SMALL: dict[str, Any] = {"hidden_size": 8, "layers": 1, "rows": 2, "steps": 8}
SCORES = {
    NETWORK: {"accuracy": 0.9},
    ALONE: {"accuracy": 0.8},
    "linear path alone": {"accuracy": 0.95},
    "tf-idf": {"accuracy": 0.85},
    "bayes": {"accuracy": 0.87},
}


def small(name: str, request: Request, **options: Any) -> tuple[Generator, dict[str, Any]]:
    return learn(name, Generator(**SMALL), TEXT, request, budget="2 steps", **options)


def test_a_goal_without_a_figure_is_to_beat_the_best_rival_and_no_part_of_the_network() -> None:
    assert rivals_in(SCORES) == ["tf-idf", "bayes"]
    found = Goal("accuracy").judged(SCORES, rivals_in(SCORES), 1.0)
    assert (found["rival"], found["limit"], found["reached"]) == ("bayes", 0.87, True)
    alike = SCORES | {"bayes": {"accuracy": 0.9}}
    assert not Goal("accuracy").judged(alike, rivals_in(alike), 1.0)["reached"]


@pytest.mark.parametrize(
    ("goal", "minutes", "reached"),
    [
        (Goal("accuracy", 0.9), 1.0, True),
        (Goal("accuracy", 0.91), 1.0, False),
        (Goal("accuracy", 0.9, higher=False), 1.0, True),
        (Goal("accuracy", 0.89, higher=False), 1.0, False),
        (Goal("accuracy", 0.8, ALONE), 1.0, True),
        (Goal("accuracy", 0.9, within=10), 10.4, True),
        (Goal("accuracy", 0.9, within=10), 10.6, False),
    ],
)
def test_a_figure_is_reached_from_its_side_and_in_time(
    goal: Goal, minutes: float, reached: bool
) -> None:
    assert goal.judged(SCORES, rivals_in(SCORES), minutes)["reached"] is reached


def test_a_score_that_is_no_number_reaches_nothing() -> None:
    scores = {NETWORK: {"accuracy": float("nan")}, "bayes": {"accuracy": 0.1}}
    for goal in (Goal("accuracy"), Goal("accuracy", 0.1), Goal("accuracy", 0.1, higher=False)):
        assert not goal.judged(scores, ["bayes"], 1.0)["reached"]


def test_a_figure_is_asked_of_the_test_part_only() -> None:
    goals = (Goal("accuracy", 0.9), Goal("accuracy"))
    assert len(runs.judged(goals, SCORES, 1.0, Request("made"))) == 2
    (one,) = runs.judged(goals, SCORES, 1.0, Request("made", part=VALIDATION))
    assert one["rival"] == "bayes"


def test_an_evaluation_is_taken_apart_into_rows_of_network_parts_and_rivals() -> None:
    evaluation = Evaluation(
        (Comparison("accuracy", 0.9, 0.8, "bayes, on 9 texts", True),),
        {"AUC": 0.95, "accuracy, network alone": 0.7, "accuracy, tf-idf": 0.6},
        "made",
    )
    assert scores_of(evaluation) == {
        NETWORK: {"accuracy": 0.9, "AUC": 0.95},
        ALONE: {"accuracy": 0.7},
        "tf-idf": {"accuracy": 0.6},
        "bayes, on 9 texts": {"accuracy": 0.8},
    }


def test_the_mean_is_of_those_who_took_part_in_all() -> None:
    one = {"a": {"x": 1.0, "y": 2.0}, "b": {"x": 1.0}}
    other = {"a": {"x": 3.0}}
    assert mean_scores([one, other]) == {"a": {"x": 2.0}}


def test_a_network_that_has_ended_is_not_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = Request("made", folder=tmp_path)
    first, took = small("one", request)
    monkeypatch.setattr(Generator, "fit", None)
    again, same = small("one", request)
    assert same == json.loads(json.dumps(took))
    assert scores_of(again.evaluation) == scores_of(first.evaluation)
    assert took["steps"] == 2


def test_a_stopped_training_goes_on_and_leaves_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = Generator.fit

    def stopped(self: Any, *arguments: Any, **options: Any) -> Any:
        fit(self, *arguments, **options)
        self.outcome.ended = "interrupted"
        return self

    request = Request("made", folder=tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Generator, "fit", stopped)
        with pytest.raises(Stopped):
            small("one", request)
    assert not list(tmp_path.rglob(runs.TOOK))
    model, _ = small("one", request)
    assert model.outcome.steps == 2


def test_what_is_to_begin_anew_forgets_what_is_there(tmp_path: Path) -> None:
    request = Request("made", folder=tmp_path)
    small("one", request)
    again, _ = learn(
        "one", Generator(**SMALL), TEXT, request, budget="3 steps", resume=False, keep=False
    )
    assert again.outcome.steps == 3
    assert not (tmp_path / "one" / runs.MODEL).exists()


def test_a_folder_with_another_run_is_refused(tmp_path: Path) -> None:
    def run(request: Request) -> list[dict[str, Any]]:
        return [{"part": "nothing"}]

    one = result_of(Request("made", folder=tmp_path), run)
    assert result_of(Request("made", folder=tmp_path), run) == one
    with pytest.raises(ConfigError, match="otherwise"):
        result_of(Request("made", folder=tmp_path, pretrained="x.unrolled"), run)


def test_what_was_kept_is_not_made_again(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.json"
    assert run_folder.kept(path, lambda: {"x": 1}) == {"x": 1}
    assert run_folder.kept(path, lambda: {"x": 2}) == {"x": 1}


@pytest.mark.parametrize("part", ["test", VALIDATION])
def test_the_halves_of_a_text_are_cut_where_the_generator_cuts(part: str) -> None:
    text = "".join(np.random.default_rng(0).choice(list("abc \n"), 1237))
    given, holdout = until(text, part)
    learnt, tested = halves(text, part)
    parts = split(Corpus.of(given), holdout, 0, "characters")
    assert parts.choose is None
    assert "".join(parts.learn.pieces()) == learnt
    assert "".join(parts.test.pieces()) == tested
    assert learnt + tested == text[: len(given)]
    assert (part == "test") == (given == text)


def test_turns_stop_the_clock_and_give_the_other_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    class Ticking:
        @staticmethod
        def perf_counter() -> float:
            return now[0]

    monkeypatch.setattr(turns, "time", Ticking)
    monkeypatch.setattr(loop, "time", Ticking)
    monkeypatch.setattr(budget, "time", Ticking)
    given: list[float] = []

    def other(seconds: float) -> None:
        given.append(seconds)
        now[0] += seconds

    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    seen = []
    with in_turns(other, seconds=10.0):
        for _ in range(8):
            optimizer.step()
            now[0] += 4.0
            seen.append(loop.time.perf_counter())
    assert seen == [4.0 * nth for nth in range(1, 9)]
    assert given == [12.0, 12.0]
    optimizer.step()
    assert given == [12.0, 12.0]


def test_turns_change_nothing_of_what_the_network_learns() -> None:
    def weights() -> dict[str, torch.Tensor]:
        return small("one", Request("made"))[0].model.state_dict()

    alone = weights()
    before = torch.get_rng_state()
    rival = TorchLSTM(TEXT, hidden_size=4, layers=1, embedding_size=4)
    assert torch.equal(torch.get_rng_state(), before)

    def one_step(seconds: float) -> None:
        rival._step()

    with in_turns(one_step, seconds=0.0):
        beside = weights()
    assert rival.steps == 2
    assert all(torch.equal(alone[name], beside[name]) for name in alone)


def test_the_rival_learns_and_is_scored_as_one_stream() -> None:
    rival = TorchLSTM(TEXT, hidden_size=16, layers=1, embedding_size=8)
    before = rival.nats(TEXT[:300])
    for _ in range(30):
        rival._step()
    assert rival.nats(TEXT[:300]) < before < 1.2 * np.log(len(rival.characters))
    with torch.no_grad():
        ids = rival._ids("\n" + TEXT)[:, None]
        logits, _ = rival(ids[:-1])
        picked = logits.log_softmax(-1).gather(-1, ids[1:, :, None])
    assert rival.nats(TEXT) == pytest.approx(-float(picked.mean()), rel=1e-5)


def test_the_table_has_goals_scores_and_what_a_run_took(tmp_path: Path) -> None:
    def run(request: Request) -> list[dict[str, Any]]:
        goals = (Goal("accuracy", 0.9), Goal("accuracy"), Goal("accuracy", 0.99, ALONE))
        _, took = small(NETWORK, request)
        return [
            {
                "part": "words",
                "held out": "9 texts",
                "scores": SCORES,
                "goals": runs.judged(goals, SCORES, 1.0, request),
                "took": {NETWORK: took},
                "shown": {"head": ["a", "b"], "rows": [["1", "2"]]},
            }
        ]

    for seed in (0, 1):
        result_of(Request("made", seed=seed, folder=tmp_path / str(seed)), run)
    shown = tables(run_tables.results_under(tmp_path))
    assert "| made | words | network, recipe | accuracy | 0.9 (mean of 2, 0.9 to 0.9) |" in shown
    assert "| at least 0.9 | bayes 0.87 | reached |" in shown
    assert "| more than 0.87 (the best rival) | bayes 0.87 | reached |" in shown
    assert "| at least 0.99 | bayes 0.87 | missed |" in shown
    assert "made, words, test part, recipe (9 texts)" in shown
    assert "| made | words | network, recipe | 1 | 2 steps | 2 |" in shown
    assert "| 1 | 2 |" in shown


def test_options_and_budget_of_a_command_come_before_the_recipes() -> None:
    request = Request("made", budget="9 steps", options={"a": 2})
    assert request.recipe(Recipe({"a": 1, "b": 1}, "1m")) == Recipe({"a": 2, "b": 1}, "9 steps")
