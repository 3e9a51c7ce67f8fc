"""Forced alignment of symbols with the output of a CTC model."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from unrolled.data.ctc_frames import frames_needed
from unrolled.decoding import align_ctc, search_ctc
from unrolled.errors import ConfigError, DTypeError, ShapeError

from .alignments import draw, every_alignment, frames_of


@pytest.mark.parametrize(("steps", "symbols"), [(1, 2), (5, 3), (4, 4)])
def test_it_is_the_best_of_all_alignments(steps: int, symbols: int) -> None:
    y = draw(steps, 1, symbols)
    for said, alignments in every_alignment(y[:, 0]).items():
        (found,) = align_ctc(y, [said])
        value, path = max(alignments)
        assert found.tokens == said
        assert abs(found.log_probability - value) <= 1e-5
        assert found.score == found.log_probability
        assert found.frames == frames_of(path)


def test_rows_are_aligned_alike_alone_and_in_a_batch() -> None:
    y, lengths = draw(30, 4, 5), [30, 8, 0, 21]
    y[8:, 1] = torch.nan
    tokens: list[list[int]] = [[1, 1, 2, 4, 4, 4, 3], [3, 2], [], []]
    found = align_ctc(y, tokens, lengths)
    for row, count in enumerate(lengths):
        assert align_ctc(y[:count, row : row + 1], tokens[row : row + 1]) == [found[row]]
    assert found[2].log_probability == 0.0
    assert found[3].log_probability == pytest.approx(float(y[:21, 3, 0].double().sum()))


def test_what_a_search_finds_is_aligned_on_the_frames_that_it_gives() -> None:
    y = draw(40, 3, 5)
    for row, found in enumerate(search_ctc(y, beam=200, n_best=5)):
        for one in found:
            (aligned,) = align_ctc(y[:, row : row + 1], [one.tokens])
            assert aligned.frames == one.frames
            assert aligned.confidences == pytest.approx(one.confidences, rel=1e-6)


def test_the_best_path_is_the_alignment_of_what_it_says() -> None:
    y = draw(60, 1, 6)
    (best,) = search_ctc(y, beam=1)[0]
    (found,) = align_ctc(y, [best.tokens])
    assert found.frames == best.frames
    assert found.log_probability == pytest.approx(best.log_probability, abs=1e-9)


def test_of_equal_alignments_it_is_the_one_that_comes_first_to_its_end() -> None:
    y = torch.full((6, 1, 3), math.log(0.25))
    for said, frames in (([1], ((0, 0),)), ([1, 2, 2], ((0, 0), (1, 1), (3, 3)))):
        assert align_ctc(y, [said])[0].frames == frames
        found = search_ctc(y, beam=500, n_best=500)[0]
        assert next(one.frames for one in found if one.tokens == tuple(said)) == frames


def test_as_many_frames_as_symbols_and_repeats_need_are_enough() -> None:
    tokens = [1, 1, 2, 2, 2]
    needed = frames_needed(tokens)
    y = draw(needed, 2, 3)
    (found, _) = align_ctc(y, [tokens, []])
    assert found.frames == ((0, 0), (2, 2), (3, 3), (5, 5), (7, 7))
    words = f"row 0 has 5 symbols that need {needed} frames, and {needed - 1} frames"
    with pytest.raises(ConfigError, match=words):
        align_ctc(y, [tokens, []], [needed - 1, 1])


def test_a_symbol_without_any_probability_is_refused_by_row() -> None:
    y = draw(6, 2, 4)
    y[:, 1, 3] = -math.inf
    with pytest.raises(ConfigError, match="row 1 has a symbol to which the model gives no"):
        align_ctc(y, [[1], [2, 3]])


@pytest.mark.parametrize(
    ("tokens", "error", "words"),
    [
        ([[1]], ShapeError, "tokens: got 1 sequences, expected B = 2"),
        ([[1], [0]], ConfigError, "row 1 holds 0, expected symbols from 1 to 2"),
        ([[3], []], ConfigError, "row 0 holds 3, expected symbols from 1 to 2"),
        ([[1.5], []], DTypeError, "row 0 is no sequence of whole numbers"),
    ],
)
def test_tokens_that_do_not_fit_are_refused(
    tokens: list[list[Any]], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        align_ctc(draw(4, 2, 3), tokens)
