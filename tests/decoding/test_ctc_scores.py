"""Prefix beam search with a language model and hot words in it."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import kernels
from unrolled.decoding import CtcDecoder, CtcOptions, Endpoint, search_ctc
from unrolled.decoding.ctc_checks import check_log_probs
from unrolled.decoding.ctc_prefix import advance_prefixes
from unrolled.decoding.ctc_prefix_loops import advance_in_python
from unrolled.decoding.ctc_state import MEMBER, PrefixState, start_prefixes
from unrolled.decoding.ngrams.model import NGramModel
from unrolled.decoding.prefix_scores import PrefixScores
from unrolled.errors import ConfigError, ShapeError

PIECES = ("", " ", "a", "b")
TEXT = ["a ab b", "b ba a b", "ab a", "a ab ab", "b a", "a a ba"] * 3


def scores_of(unit: Any = "words", **options: Any) -> PrefixScores:
    model = None if unit is None else NGramModel(3, unit=unit).fit(TEXT, holdout=0.0)
    usual = {"weight": 0.8, "word_bonus": 0.4, "unknown": -1.0, "hot_words": {"ba": 1.5}}
    return PrefixScores(PIECES, model=model, **{**usual, **options})


def draw(steps: int, seed: int, size: float = 2.0, batch: int = 1) -> np.ndarray:
    logits = size * np.random.default_rng(seed).standard_normal((steps, batch, len(PIECES)))
    return (logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)).astype(np.float32)


def of_sentence(scores: PrefixScores, symbols: tuple[int, ...]) -> float:
    total, place = 0.0, scores.start()
    for symbol in symbols:
        added, place = scores.extended(place, symbol)
        total += added
    return total + scores.ended(place)


@pytest.mark.parametrize("unit", ["words", "characters", None])
@settings(max_examples=15)
@given(steps=st.integers(1, 6), seed=st.integers(0, 2**31))
def test_a_wide_beam_finds_what_all_sums_and_scores_together_say(
    unit: Any, steps: int, seed: int
) -> None:
    y, scores = draw(steps, seed), scores_of(unit)
    sums: dict[tuple[int, ...], list[float]] = {}
    for path in itertools.product(range(len(PIECES)), repeat=steps):
        said = tuple(symbol for symbol, _ in itertools.groupby(path) if symbol)
        sums.setdefault(said, []).append(float(sum(y[t, 0, s] for t, s in enumerate(path))))
    want = {said: float(np.logaddexp.reduce(some)) for said, some in sums.items()}
    ranked = sorted(want, key=lambda said: -(want[said] + of_sentence(scores, said)))
    (found,) = search_ctc(y, beam=5000, n_best=5, scores=scores)
    for one, said in zip(found, ranked, strict=False):
        total = want[said] + of_sentence(scores, said)
        assert one.score == pytest.approx(total, abs=1e-5)
        assert one.log_probability == pytest.approx(want[one.tokens], abs=1e-5)


@pytest.mark.skipif(not kernels.available(), reason="needs the kernels")
@pytest.mark.parametrize("unit", ["words", "characters", None])
@settings(max_examples=25)
@given(
    steps=st.integers(1, 30),
    beam=st.integers(2, 9),
    size=st.sampled_from([0.5, 2.0, 8.0]),
    bonus=st.sampled_from([0.0, 3.0, -2.0]),
    seed=st.integers(0, 2**31),
)
def test_the_kernel_finds_what_python_does(
    unit: Any, steps: int, beam: int, size: float, bonus: float, seed: int
) -> None:
    y, scores = draw(steps, seed, size), scores_of(unit, word_bonus=bonus)
    extension = np.random.default_rng(seed).normal(size=len(PIECES))
    options = CtcOptions(beam, extension_scores=extension, scores=scores)
    begin = start_prefixes(0, scores.start())
    values, lengths = check_log_probs(y, None)
    (got,) = advance_prefixes([begin], values, lengths, options)
    want = advance_in_python(begin, values[:, 0], options)
    for one, other in zip(read(got), read(want), strict=True):
        assert one[0] == other[0]
        np.testing.assert_allclose(one[1], other[1], rtol=1e-9, atol=1e-9)


def read(state: PrefixState) -> list[tuple[tuple[tuple[int, ...], ...], list[float]]]:
    """Of each prefix its nodes with their places, and its numbers."""
    found = []
    numbers = [name for name in MEMBER.names or () if MEMBER[name].kind == "f"]
    for one in state.members:
        nodes, node = [], int(one["node"])
        while node:
            nodes.append(tuple(state.nodes[node].tolist()[1:]))
            node = int(state.nodes[node]["parent"])
        values = [float(one[name]) for name in numbers]
        found.append((tuple(nodes), [value for value in values if np.isfinite(value)]))
    return found


@settings(max_examples=20)
@given(cuts=st.lists(st.integers(0, 9), min_size=1, max_size=6), seed=st.integers(0, 2**31))
def test_in_chunks_the_same_is_found_as_at_once(cuts: list[int], seed: int) -> None:
    y, scores = draw(sum(cuts), seed, 4.0), scores_of()
    (want,) = search_ctc(y, beam=6, n_best=6, scores=scores)
    decoder = CtcDecoder(0.04, CtcOptions(6, scores=scores), n_best=6)
    stream, at = decoder.start(), 0
    for count in cuts:
        finals, stream = decoder.step(y[at : at + count, 0], stream)
        assert not finals
        at += count
    assert list(decoder.finish(stream).hypotheses) == want


def test_after_an_endpoint_a_sentence_begins_anew() -> None:
    scores = scores_of(hot_words={}, word_bonus=0.0)
    y = np.full((50, len(PIECES)), np.log(0.02), np.float32)
    y[:, 0] = np.log(0.94)
    for at in (5, 45):
        y[at] = np.log([0.02, 0.02, 0.94, 0.02])
    decoder = CtcDecoder(0.04, CtcOptions(4, scores=scores), endpoint=Endpoint(0.4))
    (first,), stream = decoder.step(y, decoder.start())
    last = decoder.finish(stream)
    assert [PIECES[one] for one in last.hypotheses[0].tokens] == ["a"]
    a = of_sentence(scores, (2,))
    for one in (first, last):
        best = one.hypotheses[0]
        assert best.score - best.log_probability == pytest.approx(a, abs=1e-9)


def test_a_model_turns_what_sounds_alike_into_what_is_written() -> None:
    # "a" and "b" are as likely as each other on the frame in the middle.
    y = np.full((5, 1, 4), np.log(0.01), np.float32)
    y[:, 0, 0] = np.log(0.97)
    for at, row in ((0, [0.01, 0.01, 0.97, 0.01]), (2, [0.01, 0.97, 0.01, 0.01])):
        y[at, 0] = np.log(row)
    y[4, 0] = np.log([0.02, 0.02, 0.48, 0.48])
    model = NGramModel(2).fit(["a b", "b a"] * 9 + ["a b"], holdout=0.0)
    for hot, want in (({}, "a b"), ({"a a": 9.0}, "a a")):
        scores = PrefixScores(PIECES, model=model, hot_words=hot)
        ((best,),) = search_ctc(y, beam=8, scores=scores)
        assert "".join(PIECES[one] for one in best.tokens) == want


def test_what_can_not_work_is_told() -> None:
    with pytest.raises(ConfigError, match=r"the best path \(beam=1\) hears no language model"):
        CtcOptions(1, scores=scores_of(None))
    with pytest.raises(ShapeError, match=r"scores: got those of 4 symbols, expected 1 \+ V = 5"):
        search_ctc(np.full((3, 1, 5), np.log(0.2), np.float32), scores=scores_of(None))
