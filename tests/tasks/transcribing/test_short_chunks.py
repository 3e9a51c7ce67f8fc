"""A few frames go over the network without torch, to the same numbers; streams side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.tasks.transcribing.small import ONCE, RATE, SMALL, spoken, tone
from unrolled import Transcriber, kernels, load
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.transcribing import short_chunks as module
from unrolled.tasks.transcribing.level import MEMORY
from unrolled.tasks.transcribing.short_chunks import (
    ShortChunks,
    are_float16,
    can_be_short,
    round_to_float16,
    short_chunks,
)
from unrolled.tasks.transcribing.streaming import read_sounds

needs_kernels = pytest.mark.skipif(not kernels.available(), reason=str(kernels.why_not()))


def fitted(**options: Any) -> Transcriber:
    """A small network whose weights are all of some size, biases and level too."""
    model = Transcriber("words", **{**SMALL, **options}).fit(spoken(30), **ONCE)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.model.parameters():
            weight.copy_(0.4 * torch.randn(weight.shape, generator=generator))
    return model


@needs_kernels
@pytest.mark.parametrize("subsampling", [1, 2, 3, 4])
@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
@pytest.mark.parametrize("rounded", [False, True])
def test_short_chunks_give_the_numbers_of_the_network(
    cell: str, subsampling: int, rounded: bool
) -> None:
    model = fitted(cell=cell, layers=2, subsampling=subsampling)
    if rounded:
        round_to_float16(model.model)
    random = np.random.default_rng(0)
    for frames in (1, 2, 3, 7, 40):
        chunk = random.standard_normal((frames, 3, model.framing.size)).astype(np.float32) * 3 - 5
        state = model.model.begin(3)
        state = state._replace(
            level=state.level + torch.rand(3, state.level.shape[1]),
            front=[torch.rand(one.shape) for one in state.front],
            recurrent=tuple(torch.randn(2, 3, 6) for _ in range(2 if cell == "lstm" else 1)),
        )
        if cell != "lstm":
            state = state._replace(recurrent=state.recurrent[0])
        quick = ShortChunks(model.model)
        arrays = arrays_of(state)
        before = {name: one.copy() for name, one in arrays.items()}
        got, after = quick.stream(chunk, arrays)
        with torch.no_grad():
            scores, reached = model.model.stream(torch.from_numpy(chunk), state)
        if reached.steps:
            assert got is not None
            np.testing.assert_allclose(got, scores.log_softmax(-1).numpy(), rtol=2e-5, atol=2e-5)
        else:
            assert got is None
        for name, one in arrays_of(reached).items():
            np.testing.assert_allclose(after[name], one, rtol=2e-5, atol=2e-5)
        for name, one in before.items():
            np.testing.assert_array_equal(arrays[name], one)


def arrays_of(state: Any) -> dict[str, np.ndarray]:
    recurrent = state.recurrent if isinstance(state.recurrent, tuple) else (state.recurrent,)
    return {
        "level": state.level.numpy(),
        **{f"front{at}": one.numpy() for at, one in enumerate(state.front)},
        **{name: one.numpy() for name, one in zip("hc", recurrent, strict=False)},
        "steps": np.array(state.steps),
    }


@needs_kernels
def test_a_level_that_forgets_is_that_of_the_network() -> None:
    model = fitted()
    quick, level = ShortChunks(model.model), model.model.level
    known = torch.rand(2, 1 + model.framing.size)
    known[:, 0] = torch.tensor([MEMORY - 3.0, MEMORY])
    frames = torch.randn(40, 2, model.framing.size) * 3 - 5
    levelled, after = quick._levelled(frames.numpy(), known.numpy())
    expected, then = level(frames, known)
    np.testing.assert_allclose(levelled, expected.numpy(), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(after, then.numpy(), rtol=1e-5, atol=1e-5)


def test_however_a_sound_is_cut_the_chances_are_the_same() -> None:
    model = fitted(cell="lstm", layers=2)
    sound = tone(["low", "high", "mid", "low", "mid", "low"], 1)
    found = {}
    for size in (10, 333, 1600, len(sound)):  # the last in one piece, which torch reads
        state, said = model.start(), []
        for at in range(0, len(sound), size):
            chunk = sound[at : at + size]
            ((one, after),) = read_sounds(model.model, model.framing, [chunk], [state])
            state = {**state, **after}
            said += [] if one is None else [one]
        found[size] = np.concatenate(said)
    assert short_chunks(model.model, len(model.framing.of_samples(sound))) is None
    for one in found.values():
        np.testing.assert_allclose(one, found[len(sound)], rtol=2e-5, atol=2e-5)


@needs_kernels
@pytest.mark.parametrize("way", ["written to", "moved", "replaced", "loaded"])
def test_weights_that_change_are_read_anew(way: str) -> None:
    model = fitted()
    network: Any = model.model
    first = short_chunks(network, 5)
    assert first is not None
    assert short_chunks(network, 5) is first
    other = torch.nn.Linear(network.readout.in_features, network.readout.out_features)
    if way == "written to":
        with torch.no_grad():
            network.readout.bias += 1
    elif way == "moved":
        torch.nn.utils.vector_to_parameters(torch.rand(other.weight.numel()), [other.weight])
        network.readout.weight.data = other.weight.data
    elif way == "replaced":
        network.readout = other
    else:
        network.readout.load_state_dict(other.state_dict())
    again = short_chunks(network, 5)
    assert again is not None
    frames = np.ones((8, 1, model.framing.size), np.float32)
    got, _ = again.stream(frames, arrays_of(network.begin()._replace(recurrent=zeros())))
    with torch.no_grad():
        scores, _ = network.stream(torch.from_numpy(frames), network.begin())
    assert got is not None
    np.testing.assert_allclose(got, scores.log_softmax(-1).numpy(), rtol=2e-5, atol=2e-5)


def zeros() -> torch.Tensor:
    return torch.zeros(1, 1, SMALL["hidden_size"])


def test_what_numpy_does_not_do_goes_by_torch(
    labels: Transcriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert short_chunks(fitted(channels=0).model, 5) is None
    assert short_chunks(labels.model, 5) is None
    assert not can_be_short(fitted(directions=2).model)
    model, sound = fitted(), tone(["low", "high"], 1)
    expected = heard(model, sound)
    monkeypatch.setattr(module, "_made", lambda *_: None)
    assert heard(fitted(), sound) == expected


def test_a_network_that_has_become_double_keeps_its_digits() -> None:
    model, sound = fitted(), tone(["low", "high"], 1)
    expected = heard(model, sound)
    model.model.double()
    assert short_chunks(model.model, 5) is None
    _, state = model.step(sound[:700], model.start())
    assert state["h"].dtype == np.float64
    assert heard(model, sound) == expected


def test_a_model_that_is_loaded_in_inference_mode_listens(
    words: Transcriber, tmp_path: Path
) -> None:
    words.save(tmp_path / "m.unrolled")
    sound = tone(["low", "high"], 1)
    with torch.inference_mode():
        model: Any = load(tmp_path / "m.unrolled")
        assert heard(model, sound) == heard(words, sound)


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_no_two_arrays_of_a_state_share_memory(cell: str) -> None:
    model = fitted(cell=cell)
    begun, sound = model.start(), tone(["low"], 1)
    both = model.step_all([sound[:900]] * 2, [begun, begun])[1]
    arrays = [one for state in (begun, *both) for one in state.values()]
    for at, one in enumerate(arrays):
        assert not any(np.shares_memory(one, other) for other in arrays[:at])


@needs_kernels
def test_what_is_learnt_has_weights_of_float16_and_a_session_reads_half(
    words: Transcriber,
) -> None:
    network = words.model
    assert are_float16(network.recurrent)
    assert are_float16(network.readout)
    quick = short_chunks(network, 5)
    assert quick is not None
    whole = fitted().model
    assert not are_float16(whole.recurrent)
    wide = ShortChunks(whole)._session.weight_bytes
    round_to_float16(whole.recurrent)
    assert ShortChunks(whole)._session.weight_bytes == wide
    round_to_float16(whole.readout)
    half = wide if kernels.isa() == "generic" else wide // 2
    assert ShortChunks(whole)._session.weight_bytes == half


def test_weights_beyond_float16_stay_as_they_are() -> None:
    layer = torch.nn.Linear(3, 2)
    with torch.no_grad():
        layer.weight[0, 0] = 1e5
    before = layer.weight.clone()
    round_to_float16(layer)
    assert torch.equal(layer.weight, before)


def heard(model: Transcriber, sound: np.ndarray, **options: Any) -> str:
    state = model.start(**options)
    for at in range(0, len(sound), 500):
        _, state = model.step(sound[at : at + 500], state)
    return model.finish(state).text


@pytest.mark.parametrize("beam", [1, 8])
def test_streams_side_by_side_hear_what_each_hears_alone(beam: int) -> None:
    words = fitted(layers=2)
    sounds = [tone(["low", "mid", "high"][: 1 + at % 3], at) for at in range(5)]
    sounds[3] = np.concatenate([sounds[3], np.zeros(2 * RATE, np.float32), sounds[0]])
    alone = [words.start(beam=beam) for _ in sounds]
    together = [words.start(beam=beam) for _ in sounds]
    # Chunks of unlike sizes, none too, and streams that begin later.
    sizes = [400, 400, 130, 1700, 0]
    for turn in range(0, 40):
        chunks = [
            sound[turn * size : (turn + 1) * size] if turn >= at else sound[:0]
            for at, (sound, size) in enumerate(zip(sounds, sizes, strict=True))
        ]
        partials, together = words.step_all(chunks, together)
        for at, chunk in enumerate(chunks):
            partial, alone[at] = words.step(chunk, alone[at])
            assert partial.text == partials[at].text
            assert [one.text for one in partial.finished] == [
                one.text for one in partials[at].finished
            ]
            assert partial.stable == partials[at].stable
            assert partial.seconds == partials[at].seconds
            for mine, other in zip(partial.words, partials[at].words, strict=True):
                assert (mine.text, mine.start, mine.end) == (other.text, other.start, other.end)
                assert mine.confidence == pytest.approx(other.confidence, abs=1e-4)
            assert alone[at].keys() == together[at].keys()
            for name, one in alone[at].items():
                other = together[at][name]
                assert other.shape == one.shape
                if name in ("h", "level", "samples", "steps"):
                    np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-4)
    ends = [words.finish(state).text for state in together]
    assert ends == [words.finish(state).text for state in alone]
    assert any(ends)


def test_streams_of_unlike_beams_and_of_labels_go_together(
    words: Transcriber, labels: Transcriber
) -> None:
    sound = tone(["low", "high"], 3)
    states = [words.start(beam=beam) for beam in (1, 4, 1)]
    _, states = words.step_all([sound] * 3, states)
    assert [int(one["beam"]) for one in states] == [1, 4, 1]
    assert words.finish(states[0]).text == words.finish(states[2]).text
    one, two = tone(["low"], 4), tone(["high"], 5)
    said, _ = labels.step_all([one, two], [labels.start(), labels.start()])
    assert [x.text for x in said] == [labels.step(x, labels.start())[0].text for x in (one, two)]


def test_of_many_streams_the_bad_one_is_named_and_all_stay(words: Transcriber) -> None:
    sound = tone(["low"], 1)
    states = [words.step(sound, words.start())[1] for _ in range(2)]
    before = [{name: one.copy() for name, one in state.items()} for state in states]
    with pytest.raises(DataError, match=r"^sounds\[1\]: sample 5 of 9 is nan"):
        words.step_all([sound, np.array([0.0] * 5 + [np.nan] + [0.0] * 3)], states)
    with pytest.raises(ConfigError, match=r"^states\[1\]: got 'level' of shape"):
        words.step_all([sound, sound], [states[0], {**states[1], "level": np.zeros(2)}])
    with pytest.raises(ConfigError, match=r"^states\[0\]: got dict without 'beam'"):
        words.step_all([sound, sound], [{}, states[1]])
    with pytest.raises(DataError, match=r"^sample 0 of 1 is inf"):
        words.step(np.array([np.inf]), states[0])
    with pytest.raises(ConfigError, match=r"^states: got 1, expected one for each of 2 sounds"):
        words.step_all([sound, sound], states[:1])
    for state, kept in zip(states, before, strict=True):
        for name, one in kept.items():
            np.testing.assert_array_equal(state[name], one)
    assert words.step_all([], []) == ([], [])
