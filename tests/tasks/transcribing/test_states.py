"""A stream's state belongs to its model, and what does not fit is one plain line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.tasks.transcribing.small import ONCE, RATE, SMALL, labelled, spoken, tone
from unrolled import Transcriber
from unrolled.errors import ConfigError


def after(model: Transcriber, **options: Any) -> dict[str, np.ndarray]:
    """A state in the middle of a sound."""
    return model.step(tone(["low", "mid"], 1)[:1700], model.start(**options))[1]


def test_a_state_of_another_model_is_refused_in_a_line(
    words: Transcriber, labels: Transcriber
) -> None:
    wider = Transcriber("words", **{**SMALL, "hidden_size": 7}).fit(spoken(30), **ONCE)
    lstm = Transcriber("words", cell="lstm", **SMALL).fit(spoken(30), **ONCE)
    for model, state, told in (
        (words, after(wider), r"got 'h' of shape \(1, 1, 7\), expected \(1, 1, 6\)"),
        (words, after(lstm), "got 'c', which a state of this model does not hold"),
        (lstm, after(words), "without 'c'"),
        (words, after(labels), "without 'beam'"),
        (labels, after(words), "without 'total'"),
        (words, {**after(words), "level": np.zeros(3)}, r"'level' of shape \(3,\)"),
        (words, {**after(words), "beam": np.array([8, 8])}, r"'beam' of shape \(2,\)"),
        (words, {**after(words), "beam": np.array(1)}, "without 'search.symbols'"),
        (words, [], "got list without 'beam'"),
    ):
        with pytest.raises(ConfigError, match=f"^state: .*{told}"):
            model.step(np.zeros(10, np.float32), state)
        with pytest.raises(ConfigError, match=f"^state: .*{told}"):
            model.finish(state)


@pytest.mark.parametrize("beam", [1, 8])
def test_a_state_that_was_kept_in_a_file_goes_on(
    words: Transcriber, beam: int, tmp_path: Any
) -> None:
    state = after(words, beam=beam)
    np.savez(tmp_path / "state.npz", **state)
    with np.load(tmp_path / "state.npz") as kept:
        again = dict(kept)
    sound = tone(["high"], 2)
    one, other = words.step(sound, state)[1], words.step(sound, again)[1]
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("beam", [1, 8])
def test_a_state_that_came_back_in_double_precision_goes_on(words: Transcriber, beam: int) -> None:
    state = after(words, beam=beam)
    again: Any = {
        name: one.astype(float) if one.dtype.kind == "f" else one for name, one in state.items()
    }
    sound = tone(["high"], 2)
    one, other = words.step(sound, state)[1], words.step(sound, {**again, "beam": beam})[1]
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_an_endpoint_is_a_number_of_seconds(words: Transcriber, labels: Transcriber) -> None:
    for model in (words, labels):
        for wrong in ("a", 0, -1.0, float("nan"), [1]):
            with pytest.raises(ConfigError, match=r"^endpoint, after: got"):
                model.step(np.zeros(10, np.float32), model.start(), endpoint=wrong)
            with pytest.raises(ConfigError, match=r"^endpoint, after: got"):
                model.listen([], rate=RATE, endpoint=wrong)


def test_no_more_answers_are_asked_of_a_stream_than_its_beam_has(words: Transcriber) -> None:
    state = after(words, beam=3)
    with pytest.raises(ConfigError, match="n_best: got 4 of a beam of 3; give a wider beam"):
        words.finish(state, n_best=4)
    assert len(words.finish(state, n_best=3).alternatives) <= 2


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
@pytest.mark.parametrize("labelled_too", [True, False])
def test_samples_that_complete_no_frame_change_the_unused_samples_alone(
    cell: str, labelled_too: bool
) -> None:
    data = labelled(30) if labelled_too else spoken(30)
    model = Transcriber(cell=cell, **SMALL).fit(data, **ONCE)
    state = after(model)
    heard, later = model.step(np.full(1, 0.1, np.float32), state)
    assert len(later["samples"]) == len(state["samples"]) + 1
    assert all(np.array_equal(later[name], state[name]) for name in state if name != "samples")
    assert all(later[name] is not state[name] for name in state)
    assert heard.text == model.step(np.zeros(0, np.float32), state)[0].text
