"""Log-probabilities of given texts: sums over all ways to align them, counted one by one."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from unrolled.training import ctc_text_sums as module
from unrolled.training.ctc_text_sums import ctc_text_sums

STEPS, SYMBOLS = 4, 3


@pytest.fixture
def log_probs():
    drawn = np.random.default_rng(0).normal(size=(STEPS, SYMBOLS))
    return (drawn - np.log(np.exp(drawn).sum(1, keepdims=True))).astype(np.float32)


def by_hand(log_probs):
    """The sum over all paths of each text."""
    found = {}
    for path in itertools.product(range(SYMBOLS), repeat=STEPS):
        text = tuple(one for one, _ in itertools.groupby(path) if one)
        p = math.exp(sum(float(log_probs[at, one]) for at, one in enumerate(path)))
        found[text] = found.get(text, 0.0) + p
    return found


def test_sums_are_those_over_all_paths_and_come_to_one(log_probs):
    expected = by_hand(log_probs)
    found = ctc_text_sums(log_probs, list(expected))
    assert np.allclose(np.exp(found), list(expected.values()), rtol=1e-6)
    assert abs(np.exp(found).sum() - 1) < 1e-6


def test_a_text_that_does_not_fit_is_impossible(log_probs):
    assert ctc_text_sums(log_probs, [(1, 1, 1), (1,)])[0] == -math.inf
    assert ctc_text_sums(log_probs[:0], [(), (1,)]).tolist() == [0.0, -math.inf]
    assert ctc_text_sums(log_probs, []).shape == (0,)


def test_texts_in_parts_are_those_at_once(log_probs, monkeypatch):
    texts = list(by_hand(log_probs))
    whole = ctc_text_sums(log_probs, texts)
    monkeypatch.setattr(module, "_AT_ONCE", 1)
    assert np.array_equal(ctc_text_sums(log_probs, texts), whole)


def test_symbols_that_no_text_has_change_nothing(log_probs):
    wide = np.concatenate([log_probs, log_probs[:, :2]], axis=1)
    assert np.array_equal(ctc_text_sums(wide, [(2,), ()]), ctc_text_sums(log_probs, [(2,), ()]))
