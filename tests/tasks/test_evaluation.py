"""The baseline gate: verdicts, and the warning when the network loses."""

from __future__ import annotations

import json
import math
import warnings

import pytest

from unrolled.errors import ConfigError
from unrolled.tasks.evaluation import Comparison, Evaluation, NetworkLoses, warn_if_lost
from unrolled.tasks.poor import Poor


def _comparison(network: float, baseline: float, metric: str = "MASE of the median") -> Comparison:
    return Comparison(metric, network, baseline, "last value")


@pytest.mark.parametrize(
    ("network", "baseline", "verdict"),
    [
        (0.9, 1.0, "network wins"),
        (1.1, 1.0, "network loses"),
        (0.996, 1.0, "tie"),
        (1.004, 1.0, "tie"),
        (0.994, 1.0, "network wins"),
        (1.006, 1.0, "network loses"),
        (0.0, 0.0, "tie"),
        (0.1, 0.0, "network loses"),
    ],
)
def test_lower_is_better_and_half_a_percent_is_a_tie(
    network: float, baseline: float, verdict: str
) -> None:
    assert _comparison(network, baseline).verdict == verdict


def test_a_score_that_is_no_number_never_wins() -> None:
    assert _comparison(float("nan"), 1.0).verdict == "network loses"


def test_a_loss_is_said_plainly() -> None:
    text = str(Evaluation((_comparison(1.2, 1.0),), held_out="the last 20%"))
    assert "network 1.200" in text
    assert "last value 1.000" in text
    assert "the network LOSES" in text
    assert text.endswith("measured on the last 20%")


def test_a_network_that_a_simple_model_answers_with_is_told_alone_too() -> None:
    first = _comparison(0.9, 1.0)
    alone = Evaluation((first,), {f"{first.metric}, network alone": 1.2}, "the last 20%")
    *_, whole, own, _ = str(alone).splitlines()
    assert whole == f"{first.metric}: network 0.900, last value 1.000: the network wins"
    assert own == f"{first.metric}: network alone 1.200, last value 1.000: the network alone LOSES"
    assert alone.verdict == "network wins"
    assert Evaluation((first,)).alone is None
    with pytest.warns(NetworkLoses, match="network alone LOSES"):
        warn_if_lost(alone, alone=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_if_lost(alone)
        warn_if_lost(Evaluation((first,)), alone=True)


def test_with_details_there_is_a_line_for_each_forecaster_the_best_rival_first() -> None:
    covered = "coverage of the 80% interval"
    details = {
        covered: 0.5,
        "MASE of the median, drift": 2.0,
        "MASE of the median, last value": 1.0,
    }
    details |= {f"{covered}, drift": 0.8125}
    lines = str(Evaluation((_comparison(1.2, 1.0),), details, "the last 20%")).splitlines()
    assert [line.split() for line in lines[:4]] == [
        ["MASE", "80%", "holds"],
        ["network", "1.200", "50.0%"],
        ["last", "value", "1.000"],
        ["drift", "2.000", "81.2%"],
    ]
    assert len({len(line) for line in lines[:2]}) == 1


def test_the_first_comparison_gives_the_verdict() -> None:
    both = (_comparison(1.2, 1.0), _comparison(0.5, 1.0, "CRPS, scaled"))
    assert Evaluation(both).verdict == "network loses"
    assert Evaluation(both[::-1]).verdict == "network wins"


def test_a_score_is_found_by_its_name_or_the_first_word_of_it() -> None:
    evaluation = Evaluation((_comparison(0.7, 1.0),), {"coverage of the 90% interval": 0.88})
    assert evaluation["MASE"] == 0.7
    with pytest.raises(ConfigError, match="got the metric 'RMSE', expected one of MASE"):
        _ = evaluation["RMSE"]
    assert evaluation["MASE of the median"] == 0.7
    assert evaluation["coverage of the 90% interval"] == 0.88


def test_an_evaluation_survives_json() -> None:
    both = (_comparison(1.2, 1.0), _comparison(0.5, 1.0, "CRPS, scaled"))
    evaluation = Evaluation(both, {"coverage": 0.88}, "the end")
    assert Evaluation.from_dict(json.loads(json.dumps(evaluation.to_dict()))) == evaluation


def test_a_network_that_loses_warns_with_the_scores() -> None:
    lost = Evaluation((_comparison(0.9, 1.0), _comparison(1.2, 1.0, "CRPS, scaled")))
    with pytest.warns(NetworkLoses, match=r"CRPS, scaled: network 1\.200, last value 1\.000"):
        warn_if_lost(lost)


@pytest.mark.parametrize("network", [0.5, 1.0])
def test_winning_and_a_tie_say_nothing(network: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_if_lost(Evaluation((_comparison(network, 1.0),)))


def test_what_could_not_be_measured_is_nan_after_json_as_before() -> None:
    one = Comparison("micro F1", float("nan"), 0.5, "rival", True)
    evaluation = Evaluation((one,), {"AUC": float("nan"), "accuracy": 1.0}, "2 texts")
    raw = json.loads(json.dumps(evaluation.to_dict()).replace("NaN", "null"))
    again = Evaluation.from_dict(raw)
    assert str(again) == str(evaluation)
    assert math.isnan(again["AUC"])
    assert again.verdict == "network loses"


def test_notes_are_printed_last_and_kept() -> None:
    told = Evaluation((_comparison(0.5, 1.0),), held_out="the last 20%", notes=("tok:13a", "nc:6"))
    assert str(told).splitlines()[-3:] == ["measured on the last 20%", "tok:13a", "nc:6"]
    assert Evaluation.from_dict(json.loads(json.dumps(told.to_dict()))) == told
    assert "notes" not in Evaluation((_comparison(0.5, 1.0),)).to_dict()


def test_the_worst_translations_are_kept_and_come_back() -> None:
    worst = (Poor(3, "Ja.", "Yes.", "No.", 12.5), Poor(0, "Nein.", "No.", "", 0.0))
    kept = Evaluation((_comparison(0.9, 1.0),), worst=worst)
    assert Evaluation.from_dict(json.loads(json.dumps(kept.to_dict()))) == kept
    assert "worst" not in Evaluation((_comparison(0.9, 1.0),)).to_dict()
