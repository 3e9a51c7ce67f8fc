"""Searching with a transducer: against the sum over all alignments, and in chunks."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.decoding.ctc_endpoint import Endpoint
from unrolled.decoding.ngrams.model import NGramModel
from unrolled.decoding.prefix_scores import PrefixScores
from unrolled.decoding.transducer import TransducerOptions
from unrolled.decoding.transducer_stream import TransducerDecoder, search_transducer
from unrolled.errors import ConfigError, ShapeError

SIZE = 4


class Toy:
    """What it predicts depends on all that was said; two symbols beside the blank."""

    def __init__(self, seed: int, sure: float = 2.0, symbols: int = 3) -> None:
        random = np.random.default_rng(seed)
        self.embedding = random.standard_normal((symbols, SIZE)).astype(np.float32)
        self.turn = random.standard_normal((SIZE, SIZE)).astype(np.float32)
        self.readout = sure * random.standard_normal((SIZE, symbols)).astype(np.float32)

    def begin(self) -> tuple[np.ndarray, np.ndarray]:
        return self.say(np.array([0]), np.zeros((1, SIZE), np.float32))

    def say(self, tokens: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # Row by row, so that a row's bits do not depend on the others.
        after = np.stack(
            [np.tanh(self.embedding[t] + self.turn @ s) for t, s in zip(tokens, state, strict=True)]
        )
        return 2 * after, after

    def join(self, frame: np.ndarray, said: np.ndarray) -> np.ndarray:
        logits = np.stack([np.tanh(frame + one) @ self.readout for one in said])
        return logits - np.log(np.exp(logits).sum(1, keepdims=True))


def frames(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, SIZE)).astype(np.float32)


def all_alignments(model: Toy, heard: np.ndarray, most: int) -> dict[tuple[int, ...], float]:
    """The log-probability of everything that can be said with so many symbols a frame."""
    found: dict[tuple[int, ...], float] = defaultdict(lambda: -math.inf)

    def follow(at: int, spoken: int, said: tuple[int, ...], g: Any, s: Any, value: float) -> None:
        if at == len(heard):
            found[said] = np.logaddexp(found[said], value)
            return
        scores = model.join(heard[at], g)[0].astype(float)
        follow(at + 1, 0, said, g, s, value + scores[0])
        for token in range(1, len(scores) if spoken < most else 0):
            follow(at, spoken + 1, (*said, token), *model.say(np.array([token]), s),
                   value + scores[token])  # fmt: skip

    follow(0, 0, (), *model.begin(), 0.0)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_a_beam_that_holds_everything_finds_the_sums_over_all_alignments(seed: int) -> None:
    model, heard = Toy(seed), frames(seed, 3)
    want = all_alignments(model, heard, 2)
    options = TransducerOptions(beam=200, most_symbols=2)
    (found,) = search_transducer(model, [heard], options=options, n_best=200)
    assert {one.tokens for one in found} == set(want)
    assert all(abs(one.log_probability - want[one.tokens]) <= 1e-5 for one in found)
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    assert abs(sum(math.exp(one) for one in want.values()) - 1) > 1e-6  # the limit cuts some off


def test_a_narrow_beam_finds_what_is_the_likeliest() -> None:
    right = 0
    for seed in range(20):
        model, heard = Toy(seed, sure=3.0), frames(seed, 4)
        want = all_alignments(model, heard, 2)
        options = TransducerOptions(beam=8, most_symbols=2)
        (found,) = search_transducer(model, [heard], options=options)
        right += found[0].tokens == max(want, key=lambda one: want[one])
    assert right >= 19


def test_the_greedy_search_says_the_best_symbol_until_it_is_the_blank() -> None:
    for seed in range(10):
        model, heard = Toy(seed), frames(seed, 6)
        (found,) = search_transducer(model, [heard], options=TransducerOptions(beam=1))
        g, s = model.begin()
        said, places, total = [], [], 0.0
        for at, frame in enumerate(heard):
            for turn in range(6):
                scores = model.join(frame, g)[0]
                token = int(scores.argmax()) if turn < 5 else 0
                total += float(scores[token])
                if not token:
                    break
                said.append(token)
                places.append((at, at))
                g, s = model.say(np.array([token]), s)
        assert found[0].tokens == tuple(said)
        assert found[0].frames == tuple(places)
        assert abs(found[0].log_probability - total) <= 1e-5


def test_no_more_symbols_are_said_on_a_frame_than_may_be() -> None:
    model = Toy(1)
    model.readout[:, 0] -= 5 * np.sign(model.readout.sum())  # the blank is unlikely
    for beam in (1, 4):
        options = TransducerOptions(beam=beam, most_symbols=2)
        (found,) = search_transducer(model, [frames(1, 5)], options=options)
        places = [first for first, _ in found[0].frames]
        assert max(map(places.count, places)) <= 2


@settings(max_examples=30)
@given(
    seed=st.integers(0, 1000),
    beam=st.sampled_from([1, 2, 5]),
    cuts=st.lists(st.integers(0, 30), max_size=6),
    ends=st.booleans(),
)
def test_however_the_frames_are_cut_the_results_are_the_same_to_the_bit(
    seed: int, beam: int, cuts: list[int], ends: bool
) -> None:
    model, heard = Toy(seed), frames(seed, 30)
    endpoint = Endpoint(after=0.2) if ends else None
    decoder = TransducerDecoder(model, 0.1, TransducerOptions(beam), beam, endpoint)
    whole, last = decoder.step(heard, decoder.start())
    whole.append(decoder.finish(last))
    stream, found = decoder.start(), []
    for part in np.split(heard, sorted(cuts)):
        before = decoder.partial(stream)
        finals, after = decoder.step(part, stream)
        assert decoder.partial(stream) == before
        found += finals
        stream = after
    assert [*found, decoder.finish(stream)] == whole
    if not ends:
        (same,) = search_transducer(model, [heard], options=TransducerOptions(beam), n_best=beam)
        assert whole[0].hypotheses == tuple(same)
    assert [one.begin for one in whole[1:]] == [one.end for one in whole[:-1]]


@settings(max_examples=20)
@given(seed=st.integers(0, 1000))
def test_what_is_stable_stays(seed: int) -> None:
    model, heard = Toy(seed, sure=4.0), frames(seed, 15)
    decoder = TransducerDecoder(model, 0.1, TransducerOptions(4))
    stream, stable = decoder.start(), ()
    for frame in heard:
        _, stream = decoder.step(frame[None], stream)
        now = decoder.partial(stream)
        assert now.hypotheses[0].tokens[: len(stable)] == stable
        stable = now.hypotheses[0].tokens[: now.stable]
    assert decoder.finish(stream).hypotheses[0].tokens[: len(stable)] == stable


def test_what_a_language_adds_counts_symbol_by_symbol_and_at_the_end() -> None:
    model, heard = Toy(3), frames(3, 3)
    want = all_alignments(model, heard, 2)
    ngrams = NGramModel(2).fit(["a a", "a"] * 3, holdout=0.0)
    pieces = ("", "a", " ")
    scores = PrefixScores(pieces, model=ngrams, weight=0.7, word_bonus=0.3, hot_words={"aa": 2.0})
    options = TransducerOptions(200, 2, scores)
    (found,) = search_transducer(model, [heard], options=options, n_best=200)
    for one in found:
        words = "".join(pieces[token] for token in one.tokens).split()
        added = 0.7 * ngrams.score(" ".join(words)).log_probability
        added += 0.3 * len(words) + 2.0 * words.count("aa")
        assert abs(one.score - want[one.tokens] - added) <= 1e-5
        assert abs(one.log_probability - want[one.tokens]) <= 1e-5
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_what_can_not_work_is_told_in_one_line() -> None:
    model = Toy(0)
    with pytest.raises(ConfigError, match="beam: got 0, expected a whole number from 1 on"):
        TransducerOptions(0)
    with pytest.raises(ConfigError, match=r"the greedy search \(beam=1\) hears no language"):
        TransducerOptions(1, scores=PrefixScores(("", "a"), hot_words={"a": 1.0}))
    with pytest.raises(ConfigError, match="n_best: got 3, expected at most the beam, 2"):
        TransducerDecoder(model, 0.1, TransducerOptions(2), 3)
    decoder = TransducerDecoder(model, 0.1)
    with pytest.raises(ShapeError, match=r"frames: got shape \(2, 3\), expected \(T, J\) with J"):
        decoder.step(np.zeros((2, 3), np.float32), decoder.start())
    wrong = frames(0, 3)
    wrong[1, 2] = np.nan
    with pytest.raises(ConfigError, match="frames: frame 1 holds NaN or infinity"):
        decoder.step(wrong, decoder.start())
