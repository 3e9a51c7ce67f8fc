"""The alignment of given symbols with a transducer: the best of all there are."""

from __future__ import annotations

import math
from itertools import combinations_with_replacement

import numpy as np
import pytest

from unrolled.decoding.transducer_alignment import align_transducer
from unrolled.errors import ConfigError, DTypeError

from .test_transducer_search import Toy, frames


def value_of(model: Toy, heard: np.ndarray, tokens: tuple[int, ...], on: tuple[int, ...]) -> float:
    """The log-probability of one alignment, said symbol by symbol."""
    total, (said, state) = 0.0, model.begin()
    for at, frame in enumerate(heard):
        for token in (one for one, place in zip(tokens, on, strict=True) if place == at):
            total += float(model.join(frame, said)[0, token])
            said, state = model.say(np.array([token]), state)
        total += float(model.join(frame, said)[0, 0])
    return total


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("tokens", [(), (1,), (2, 2), (1, 2, 1, 1), (2, 1, 1, 2, 2)])
def test_no_other_alignment_is_more_probable(seed: int, tokens: tuple[int, ...]) -> None:
    model, heard = Toy(seed), frames(seed, 4)
    found = align_transducer(model, heard, tokens)
    on = tuple(first for first, _ in found.frames)
    every = list(combinations_with_replacement(range(4), len(tokens)))
    best = max(value_of(model, heard, tokens, one) for one in every)
    assert found.tokens == tokens
    assert found.log_probability == pytest.approx(best, abs=1e-4)
    assert on in every
    assert value_of(model, heard, tokens, on) == pytest.approx(best, abs=1e-4)
    assert all(first == last for first, last in found.frames)


def test_a_symbol_is_as_sure_as_it_is_where_it_is_said() -> None:
    model, heard = Toy(1), frames(1, 5)
    found = align_transducer(model, heard, (1, 2))
    first, second = (frame for frame, _ in found.frames)
    said, state = model.begin()
    after, _ = model.say(np.array([1]), state)
    want = (model.join(heard[first], said)[0, 1], model.join(heard[second], after)[0, 2])
    assert found.confidences == pytest.approx([math.exp(one) for one in want], rel=1e-5)


def test_what_can_not_be_aligned_is_one_line() -> None:
    model = Toy(0)
    with pytest.raises(ConfigError, match="frames: got none, expected one at least"):
        align_transducer(model, frames(0, 0), (1,))
    with pytest.raises(ConfigError, match="holds 3, expected symbols from 1 to 2"):
        align_transducer(model, frames(0, 2), (1, 3))
    with pytest.raises(DTypeError, match="no sequence of whole numbers"):
        align_transducer(model, frames(0, 2), (1.5,))  # type: ignore[arg-type]
