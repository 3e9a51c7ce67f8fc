"""Scores of labels, against scikit-learn's."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics

from unrolled.errors import ShapeError
from unrolled.training.classification import (
    accuracy,
    auc,
    calibration_error,
    confusion,
    label_figures,
    log_loss,
    macro_f1,
    micro_f1,
    reliability,
)

CLASSES = 4
PAIRS = st.integers(1, 30).flatmap(
    lambda n: st.tuples(
        *[arrays(np.int64, n, elements=st.integers(0, CLASSES - 1)) for _ in range(2)]
    )
)
SEVERAL = st.integers(1, 20).flatmap(
    lambda n: st.tuples(*[arrays(np.bool_, (n, CLASSES)) for _ in range(2)])
)


@settings(max_examples=40)  # scikit-learn takes 20 ms each
@given(st.one_of(PAIRS, SEVERAL))
def test_accuracy_and_f1_are_those_of_scikit_learn(pair: tuple[np.ndarray, np.ndarray]) -> None:
    actual, said = pair
    assert accuracy(actual, said) == pytest.approx(metrics.accuracy_score(actual, said))
    names = {} if actual.ndim == 2 else {"labels": range(CLASSES)}
    figures = label_figures(actual, said, CLASSES)
    expected = metrics.precision_recall_fscore_support(actual, said, zero_division=0, **names)
    for one, other in zip(
        (figures.precision, figures.recall, figures.f1, figures.support), expected, strict=True
    ):
        np.testing.assert_allclose(one, other)
    for score, average in ((macro_f1, "macro"), (micro_f1, "micro")):
        found = score(actual, said, CLASSES)
        if not (actual.any() or said.any() or actual.ndim == 1):
            assert average == "macro" or math.isnan(found)
            continue
        assert found == pytest.approx(
            metrics.f1_score(actual, said, average=average, zero_division=0)
        )


@given(PAIRS)
def test_a_confusion_matrix_has_a_row_for_what_is(pair: tuple[np.ndarray, np.ndarray]) -> None:
    np.testing.assert_array_equal(
        confusion(*pair, CLASSES), metrics.confusion_matrix(*pair, labels=range(CLASSES))
    )


@given(
    arrays(np.bool_, 25),
    arrays(np.float64, 25, elements=st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0])),
)
def test_auc_is_that_of_scikit_learn_with_ties(actual: np.ndarray, scores: np.ndarray) -> None:
    if actual.all() or not actual.any():
        assert math.isnan(auc(actual, scores))
        return
    assert auc(actual, scores) == pytest.approx(metrics.roc_auc_score(actual, scores))


def test_log_loss_is_that_of_scikit_learn() -> None:
    draws = np.random.default_rng(0)
    p = draws.dirichlet(np.ones(CLASSES), 50)
    actual = draws.integers(0, CLASSES, 50)
    expected = metrics.log_loss(actual, p, labels=range(CLASSES))
    assert log_loss(actual, p) == pytest.approx(expected)
    several = draws.random((50, CLASSES)) < 0.4
    each = [metrics.log_loss(several[:, k], p[:, k], labels=[0, 1]) for k in range(CLASSES)]
    assert log_loss(several, p) == pytest.approx(np.mean(each))
    # A certainty that is wrong costs much, but not everything.
    assert log_loss(np.array([1]), np.array([[1.0, 0.0]])) == pytest.approx(-math.log(1e-7))


def test_bins_hold_what_lies_above_their_lower_edge() -> None:
    bins = reliability([0.0, 0.25, 0.2500001, 1.0, 1.0], [False, True, True, True, False], bins=4)
    assert [one.count for one in bins] == [2, 1, 0, 2]
    assert [one.accuracy for one in bins[:2]] == [0.5, 1.0]
    assert math.isnan(bins[2].accuracy)
    assert (bins[3].lower, bins[3].upper, bins[3].confidence) == (0.75, 1.0, 1.0)


def test_the_calibration_error_is_the_mean_gap() -> None:
    bins = reliability([0.9, 0.9, 0.9, 0.6], [True, True, False, False], bins=10)
    assert calibration_error(bins) == pytest.approx(3 / 4 * (0.9 - 2 / 3) + 1 / 4 * 0.6)
    assert math.isnan(calibration_error(reliability([], [])))
    sure = np.random.default_rng(0).random(20_000)
    fair = np.random.default_rng(1).random(20_000) < sure
    assert calibration_error(reliability(sure, fair)) < 0.02


def test_nothing_measured_is_no_number() -> None:
    none = np.empty(0, dtype=np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for value in (accuracy(none, none), macro_f1(none, none, 2), micro_f1(none, none, 2)):
            assert math.isnan(value)
        assert math.isnan(log_loss(none, np.empty((0, 2))))


def test_other_shapes_are_told() -> None:
    with pytest.raises(ShapeError, match=r"\(2,\) and what was predicted \(3,\)"):
        accuracy(np.zeros(2), np.zeros(3))
    with pytest.raises(ShapeError, match="one label an item"):
        confusion(np.zeros((2, 2)), np.zeros((2, 2)), 2)
    with pytest.raises(ShapeError, match="log_loss got"):
        log_loss(np.zeros(3, dtype=int), np.zeros((2, 2)))
