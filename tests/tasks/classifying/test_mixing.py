"""The factors of the parts: what the texts to choose by say of each."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, log_softmax, softmax

from unrolled.tasks.classifying.mixing import Mix, calibrated_loss, fit_mix, log_loss


def drawn(count: int = 4000, sure: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and targets that come as often as their softmax (times `1 / sure`) says."""
    random = np.random.default_rng(0)
    logits = random.normal(size=(count, 3)) * 2
    p = softmax(logits, axis=1)
    targets = (random.random((count, 1)) < p.cumsum(1)).argmax(1)
    return sure * logits, targets


@pytest.mark.parametrize("sure", [0.2, 1.0, 5.0])
def test_the_temperature_undoes_too_much_and_too_little_trust(sure: float) -> None:
    logits, targets = drawn(sure=sure)
    (factor,) = fit_mix([logits], targets)
    assert factor * sure == pytest.approx(1.0, abs=0.08)


def test_a_part_that_knows_nothing_is_hardly_trusted() -> None:
    logits, targets = drawn()
    noise = np.random.default_rng(1).normal(size=logits.shape)
    knows, knows_not = fit_mix([logits, noise], targets)
    assert knows == pytest.approx(1.0, abs=0.08)
    assert knows_not < 0.1


def test_few_texts_move_the_factors_little() -> None:
    logits = np.array([[9.0, -9.0], [-9.0, 9.0]])
    (factor,) = fit_mix([logits / 9], np.array([0, 1]))
    assert 0.5 < factor < 4


def test_the_best_temperature_makes_the_loss_independent_of_the_scale() -> None:
    logits, targets = drawn()
    assert calibrated_loss(50 * logits, targets) == pytest.approx(
        calibrated_loss(logits, targets), abs=1e-3
    )


def test_the_log_loss_is_the_mean_of_minus_log_p() -> None:
    logits, targets = drawn(10)
    wanted = -log_softmax(logits, axis=1)[np.arange(10), targets].mean()
    assert log_loss(logits, targets) == pytest.approx(wanted)
    several = (logits > 0).astype(float)
    p = expit(logits)
    wanted = -np.log(np.where(several > 0, p, 1 - p)).mean()
    assert log_loss(logits, several) == pytest.approx(wanted)


def test_a_part_that_is_not_there_counts_nothing() -> None:
    logits = np.ones((2, 3))
    assert (Mix(2.0, 5.0)(logits, None) == 2).all()
    assert (Mix(2.0, 5.0)(logits, logits) == 7).all()
