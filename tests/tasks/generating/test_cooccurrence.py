"""Vectors from neighbours: words that stand at the same places lie close together."""

from __future__ import annotations

import numpy as np
import pytest

from unrolled.tasks.generating import cooccurrence
from unrolled.tasks.generating.cooccurrence import cooccurrence_vectors


def text(count: int = 4000) -> np.ndarray:
    """Sentences "article noun verb ." of two kinds: nouns 10 to 14 with verbs 20 to 22, nouns 15 to
    19 with verbs 23 to 25."""
    draws = np.random.default_rng(0)
    sentences = []
    for _ in range(count):
        kind = draws.integers(2)
        noun, verb = 10 + 5 * kind + draws.integers(5), 20 + 3 * kind + draws.integers(3)
        sentences.append([1, 2 + draws.integers(2), noun, verb, 4])
    return np.concatenate(sentences).astype(np.uint16)


def close(vectors: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.maximum(length, 1e-9)
    return unit @ unit.T


def test_words_with_the_same_neighbours_lie_closer_than_others():
    near = close(cooccurrence_vectors(text(), 30, 8, seed=0))
    same = [near[a, b] for a in range(10, 15) for b in range(10, 15) if a != b]
    other = [near[a, b] for a in range(10, 15) for b in range(15, 20)]
    assert min(same) >= max(other) + 0.2


def test_the_unknown_token_line_breaks_and_words_that_never_occur_have_none():
    vectors = cooccurrence_vectors(text(), 30, 8, seed=0)
    assert not vectors[[0, 1, 5, 29]].any()
    assert abs(float(vectors[np.abs(vectors).max(1) > 0].std()) - 1) <= 1e-5


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch):
    ids = text(200)
    whole = cooccurrence._counted(ids, 30).toarray()
    monkeypatch.setattr(cooccurrence, "_BLOCK", 37)
    parts = cooccurrence._counted(ids, 30).toarray()
    np.testing.assert_allclose(parts, whole, rtol=1e-5)
    assert whole[2, 4] == pytest.approx(whole[4, 2])


@pytest.mark.parametrize("ids", [[], [1], [0, 0, 1], [2, 3]])
def test_too_little_text_gives_vectors_of_nothing_or_few_numbers(ids: list[int]):
    vectors = cooccurrence_vectors(np.array(ids, dtype=np.uint16), 6, 4, seed=1)
    assert vectors.shape == (6, 4)
    assert bool(np.isfinite(vectors).all())
