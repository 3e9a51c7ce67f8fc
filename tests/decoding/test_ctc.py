"""Searches in the output of a CTC model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled import kernels
from unrolled.decoding import search_ctc
from unrolled.errors import ConfigError, DTypeError, ShapeError

from .alignments import collapsed, draw, every_alignment, frames_of, totals


@pytest.fixture(params=["native", "Python"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The search in native code, and the one in Python that takes its place without kernels."""
    if request.param == "Python":
        monkeypatch.setenv("UNROLLED_KERNELS", "off")
    elif not kernels.available():
        pytest.skip("the native kernels are not built")
    return str(request.param)


@pytest.mark.parametrize(("steps", "symbols"), [(1, 2), (5, 2), (5, 3), (4, 5)])
def test_a_beam_that_holds_every_prefix_sums_over_all_alignments(
    way: str, steps: int, symbols: int
) -> None:
    y = draw(steps, 2, symbols)
    for row, found in enumerate(search_ctc(y, beam=1000, n_best=1000)):
        want = totals(y[:, row])
        assert {one.tokens for one in found} == set(want)
        for one in found:
            assert abs(one.log_probability - want[one.tokens]) <= 1e-6
            assert one.score == one.log_probability


@pytest.mark.parametrize(("steps", "symbols"), [(5, 3), (4, 5)])
def test_the_frames_are_those_of_the_most_probable_alignment(
    way: str, steps: int, symbols: int
) -> None:
    y = draw(steps, 1, symbols)
    alignments = every_alignment(y[:, 0])
    for one in search_ctc(y, beam=1000, n_best=1000)[0]:
        _, path = max(alignments[one.tokens])
        assert one.frames == frames_of(path)
        peaks = [
            math.exp(max(float(y[time, 0, token]) for time in range(first, last + 1)))
            for token, (first, last) in zip(one.tokens, one.frames, strict=True)
        ]
        assert one.confidences == pytest.approx(peaks, rel=1e-6)


@settings(max_examples=30)
@given(
    lengths=st.lists(st.integers(0, 30), min_size=1, max_size=4),
    symbols=st.integers(2, 8),
    beam=st.integers(2, 9),
    most=st.none() | st.integers(1, 4),
    threshold=st.none() | st.floats(0, 5),
    scored=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_native_code_and_python_find_the_same(
    lengths: list[int],
    symbols: int,
    beam: int,
    most: int | None,
    threshold: float | None,
    scored: bool,
    seed: int,
) -> None:
    if not kernels.available():
        pytest.skip("the native kernels are not built")
    torch.manual_seed(seed)
    y = draw(30, len(lengths), symbols)
    options: dict[str, Any] = {"beam": beam, "n_best": beam, "most_symbols": most}
    options |= {"threshold": threshold}
    options |= {"extension_scores": torch.randn(symbols).tolist() if scored else None}
    native = search_ctc(y, lengths, **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNROLLED_KERNELS", "off")
        plain = search_ctc(y, lengths, **options)
    for one, other in zip(native, plain, strict=True):
        assert [each.tokens for each in one] == [each.tokens for each in other]
        assert [each.frames for each in one] == [each.frames for each in other]
        for each, its in zip(one, other, strict=True):
            assert each.score == pytest.approx(its.score, abs=1e-9)
            assert each.log_probability == pytest.approx(its.log_probability, abs=1e-9)
            assert each.confidences == pytest.approx(its.confidences, rel=1e-6)


def test_a_beam_of_one_takes_the_best_symbol_of_each_frame() -> None:
    for symbols in (2, 3, 7):
        y = draw(50, 3, symbols)
        for row, (one,) in enumerate(search_ctc(y, beam=1)):
            path = tuple(y[:, row].argmax(-1).tolist())
            assert one.tokens == collapsed(path)
            assert one.frames == frames_of(path)
            best = y[:, row].double().amax(-1).sum()
            assert one.log_probability == one.score == pytest.approx(float(best), abs=1e-9)
            peaks = [
                float(y[first : last + 1, row, token].max().exp())
                for token, (first, last) in zip(one.tokens, one.frames, strict=True)
            ]
            assert one.confidences == pytest.approx(peaks, rel=1e-6)


@pytest.mark.parametrize("beam", [1, 5])
def test_a_row_is_searched_alike_alone_and_in_a_batch(beam: int) -> None:
    y, lengths = draw(25, 4, 6), [25, 0, 13, 1]
    y[13:, 2] = torch.nan  # beyond its length
    found = search_ctc(y, lengths, beam=beam, n_best=beam)
    for row, count in enumerate(lengths):
        alone = search_ctc(y[:count, row : row + 1], beam=beam, n_best=beam)
        assert alone == [found[row]]


def test_hypotheses_are_distinct_and_the_best_comes_first(way: str) -> None:
    y = draw(60, 2, 5, size=0.5)
    for found in search_ctc(y, beam=12, n_best=12):
        scores = [one.score for one in found]
        assert scores == sorted(scores, reverse=True)
        assert len({one.tokens for one in found}) == 12
    (few,) = search_ctc(y[:, :1], beam=12, n_best=3)
    assert few == search_ctc(y[:, :1], beam=12, n_best=12)[0][:3]


def test_the_sum_over_alignments_can_beat_the_best_path(way: str) -> None:
    # Graves et al. 2006, figure 3: two frames, blank 0.6: best path empty, "1" has 0.64.
    y = torch.tensor([[0.6, 0.4], [0.6, 0.4]]).log()[:, None]
    assert search_ctc(y, beam=1)[0][0].tokens == ()
    (one,) = search_ctc(y, beam=2)[0]
    assert one.tokens == (1,)
    assert math.exp(one.log_probability) == pytest.approx(0.64)


def test_without_frames_or_with_blanks_alone_nothing_is_heard(way: str) -> None:
    for beam in (1, 4):
        assert [one.tokens for one in search_ctc(draw(0, 1, 3), beam=beam)[0]] == [()]
        blank = torch.full((20, 1, 3), -50.0)
        blank[:, :, 0] = 0.0
        (one,) = search_ctc(blank, beam=beam)[0]
        assert (one.tokens, one.frames, one.confidences) == ((), (), ())


def test_few_symbols_and_a_threshold_cut_what_extends_a_prefix(way: str) -> None:
    y = torch.tensor([[0.4, 0.3, 0.2, 0.1]]).log()[:, None]
    said = {one.tokens for one in search_ctc(y, beam=9, n_best=9, most_symbols=2)[0]}
    assert said == {(), (1,), (2,)}
    threshold = math.log(0.4 / 0.2) + 1e-6
    said = {one.tokens for one in search_ctc(y, beam=9, n_best=9, threshold=threshold)[0]}
    assert said == {(), (1,), (2,)}
    said = {one.tokens for one in search_ctc(y, beam=9, n_best=9, threshold=0.0)[0]}
    assert said == {()}


def test_limits_that_cut_nothing_change_nothing(way: str) -> None:
    y = draw(20, 1, 6)
    want = search_ctc(y, beam=7, n_best=7)
    assert search_ctc(y, beam=7, n_best=7, most_symbols=5, threshold=1e9) == want


def test_scores_of_extensions_are_added_for_each_symbol(way: str) -> None:
    y = draw(5, 1, 3)
    scores = [9.0, 0.7, -1.3]  # the blank's counts for nothing
    want = {
        said: value + sum(scores[token] for token in said)
        for said, value in totals(y[:, 0]).items()
    }
    found = search_ctc(y, beam=1000, n_best=1000, extension_scores=scores)[0]
    assert [one.tokens for one in found] == sorted(want, key=lambda said: -want[said])
    for one in found:
        assert abs(one.score - want[one.tokens]) <= 1e-6
        assert abs(one.log_probability - totals(y[:, 0])[one.tokens]) <= 1e-6


def test_arrays_and_other_floats_are_taken_too() -> None:
    y = draw(9, 2, 4)
    want = search_ctc(y, torch.tensor([9, 5]))
    assert search_ctc(y.numpy(), np.array([9, 5])) == want
    assert search_ctc(y.double(), [9, 5]) == want
    assert search_ctc(y.transpose(0, 2).contiguous().transpose(0, 2), [9, 5]) == want


def test_certain_frames_give_certain_tokens(way: str) -> None:
    y = torch.full((4, 1, 3), -math.inf)
    for time, token in enumerate([1, 1, 0, 1]):
        y[time, 0, token] = 0.0
    for beam in (1, 3):
        (one,) = search_ctc(y, beam=beam)[0]
        assert (one.tokens, one.frames) == ((1, 1), ((0, 1), (3, 3)))
        assert (one.log_probability, one.confidences) == (0.0, (1.0, 1.0))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (math.nan, "row 1, frame 2 holds NaN"),
        (0.5, "row 1, frame 2 holds 0.5, expected numbers up to 0: take log_softmax"),
        (math.inf, "row 1, frame 2 holds inf"),
        (-math.inf, "row 1, frame 2 holds minus infinity alone"),
    ],
)
@pytest.mark.parametrize("beam", [1, 3])
def test_frames_that_are_no_log_probabilities_are_refused_by_place(
    value: float, words: str, beam: int
) -> None:
    y = draw(5, 3, 4)
    y[2, 1, slice(None) if value == -math.inf else 2] = value
    y[4, 2] = math.nan
    with pytest.raises(ConfigError, match=words):
        search_ctc(y, [5, 5, 5], beam=beam)
    search_ctc(y, [5, 2, 4], beam=beam)  # what is beyond the lengths counts for nothing


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"beam": 0}, ConfigError, "beam: got 0"),
        ({"beam": 2.0}, ConfigError, "beam: got 2.0"),
        ({"beam": 2, "n_best": 3}, ConfigError, "n_best: got 3, expected at most the beam, 2"),
        ({"most_symbols": 0}, ConfigError, "most_symbols: got 0"),
        ({"threshold": -1.0}, ConfigError, "threshold: got -1.0"),
        ({"threshold": math.nan}, ConfigError, "threshold: got nan"),
        ({"extension_scores": [0.0]}, ShapeError, r"got 1 numbers, expected 1 \+ V = 3"),
        ({"extension_scores": [0.0, math.nan, 0.0]}, ConfigError, "finite"),
        ({"extension_scores": [0.0] * 3, "beam": 1}, ConfigError, "takes none"),
        ({"lengths": [3]}, ShapeError, "lengths: got shape"),
        ({"lengths": [3, 6]}, ShapeError, "lengths: got 6 for row 1, expected 0 to T = 5"),
        ({"lengths": [3.0, 5.0]}, DTypeError, "lengths: got dtype float64"),
        ({"log_probs": torch.zeros(5, 2)}, ShapeError, "log_probs: got shape"),
        ({"log_probs": torch.zeros(5, 2, 1)}, ShapeError, "log_probs: got shape"),
        ({"log_probs": torch.zeros(5, 2, 3, dtype=torch.int64)}, DTypeError, "got dtype int64"),
        ({"log_probs": [[[0.0, 0.0]]]}, DTypeError, "log_probs: got list"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(
    given: dict[str, Any], error: type[Exception], words: str
) -> None:
    arguments = {"log_probs": draw(5, 2, 3), "lengths": None, **given}
    with pytest.raises(error, match=words):
        search_ctc(**arguments)
