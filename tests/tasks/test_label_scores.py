"""Figures label by label in an evaluation."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from unrolled.errors import ConfigError, ShapeError
from unrolled.tasks.evaluation import Comparison, Evaluation
from unrolled.tasks.label_scores import LabelScores

ACTUAL = np.array([0, 0, 0, 1, 1, 2])
SAID = np.array([0, 0, 1, 1, 1, 1])
SURE = np.array([0.9, 0.8, 0.6, 0.9, 0.7, 0.4])


def _scores() -> LabelScores:
    return LabelScores.of(["cat", "dog", "fox"], ACTUAL, SAID, SURE)


def test_each_label_has_its_figures_and_its_row() -> None:
    scores = _scores()
    assert scores.confusion == ((2, 1, 0), (0, 2, 0), (0, 1, 0))
    assert scores.precision == (1.0, 0.5, 0.0)
    assert scores.recall == (pytest.approx(2 / 3), 1.0, 0.0)
    assert scores.f1 == (pytest.approx(0.8), pytest.approx(2 / 3), 0.0)
    assert scores.support == (3, 2, 1)
    assert scores.most_confused() == [("cat", "dog", 1), ("fox", "dog", 1)]
    assert scores.most_confused(1) == [("cat", "dog", 1)]
    assert sum(one.count for one in scores.bins) == 6


def test_the_confidence_is_measured_against_what_is_right() -> None:
    sure = LabelScores.of(["a", "b"], np.array([0, 1]), np.array([0, 0]), np.array([1.0, 1.0]))
    assert sure.calibration_error == pytest.approx(0.5)
    assert math.isnan(LabelScores.of(["a"], np.array([0]), np.array([0])).calibration_error)


def test_several_labels_have_no_confusion_but_a_bin_for_each_decision() -> None:
    actual = np.array([[True, False], [True, True]])
    p = np.array([[0.9, 0.2], [0.4, 0.8]])
    scores = LabelScores.of(["a", "b"], actual, p >= 0.5, p)
    assert scores.confusion is None
    assert scores.most_confused() == []
    assert scores.recall == (0.5, 1.0)
    assert sum(one.count for one in scores.bins) == 4
    assert scores.calibration_error == pytest.approx((0.1 + 0.2 + 0.6 + 0.2) / 4)


def test_an_evaluation_with_labels_survives_json() -> None:
    compared = (Comparison("accuracy", 0.7, 0.6, "TF-IDF", higher_is_better=True),)
    evaluation = Evaluation(compared, {"macro F1": 0.5}, "the end", _scores())
    text = json.dumps(evaluation.to_dict(), allow_nan=False)
    back = Evaluation.from_dict(json.loads(text))
    assert back.labels is not None
    assert json.dumps(back.to_dict()) == text
    assert back.labels.confusion == _scores().confusion
    assert math.isnan(back.labels.bins[0].accuracy)
    assert str(back) == str(evaluation)


def test_an_evaluation_of_another_task_has_no_labels() -> None:
    plain = Evaluation((Comparison("MASE", 0.7, 0.6, "drift"),))
    assert "labels" not in plain.to_dict()
    assert Evaluation.from_dict(plain.to_dict()).labels is None


def test_labels_without_a_name_are_told() -> None:
    with pytest.raises(ConfigError, match="from 0 to 2, expected 0 to 1"):
        LabelScores.of(["a", "b"], np.array([0, 2]), np.array([0, 0]))
    with pytest.raises(ShapeError, match="3 columns for 2 labels"):
        LabelScores.of(["a", "b"], np.zeros((1, 3), bool), np.zeros((1, 3), bool))
