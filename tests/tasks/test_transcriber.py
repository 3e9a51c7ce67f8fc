"""A `Transcriber` learns tones, hears them whole and in chunks, and keeps itself in one file."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import unrolled
from tests.tasks.transcribing.small import RATE, labelled, spoken, tone
from unrolled import Transcriber
from unrolled.data.recordings import Recording, Recordings
from unrolled.errors import ConfigError, DataError, DataWarning, NotFittedError
from unrolled.tasks.evaluation import NetworkLoses

QUIET: dict[str, Any] = {"progress": False, "diagnose": False}
SMALL: dict[str, Any] = {
    "hidden_size": 24,
    "layers": 1,
    "channels": 4,
    "bands": 16,
    "subsampling": 4,
    "dropout": 0.0,
    "learning_rate": 1e-2,
    "average": 0.9,
    "augment": 0.0,
    "batch_seconds": 4.0,
}


@pytest.fixture(scope="module")
def hears_words() -> Transcriber:
    model = Transcriber(tokenizer="words", **SMALL)
    return model.fit(spoken(160), budget="300 steps", **QUIET)


@pytest.fixture(scope="module")
def hears_labels() -> Transcriber:
    model = Transcriber(**SMALL)
    return model.fit(labelled(90), budget="120 steps", **QUIET)


def test_it_hears_tones_in_a_row_it_never_heard(hears_words: Transcriber) -> None:
    asked = spoken(30, seed=7)
    evaluation = hears_words.evaluate(asked)
    assert evaluation["WER"] < 10
    assert evaluation.verdict == "network wins"
    words = [word for one in hears_words.transcribe(asked) for word in one.words]
    assert all(0 <= word.start < word.end and 0 < word.confidence <= 1 for word in words)


def test_it_tells_single_tones_apart(hears_labels: Transcriber) -> None:
    asked = labelled(30, seed=7)
    assert hears_labels.evaluate(asked)["accuracy"] > 0.9
    first = hears_labels.transcribe(asked, n_best=3)[0]
    shares = [first.confidence, *(one.confidence for one in first.alternatives)]
    assert sum(shares) == pytest.approx(1)
    assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize("beam", [1, 4])
def test_a_stream_in_any_chunks_hears_what_the_whole_is(
    hears_words: Transcriber, beam: int
) -> None:
    sound = tone(["high", "low", "mid", "low"], seed=3)
    whole = hears_words.transcribe([(sound, RATE)], beam=beam)[0]

    @settings(deadline=None, max_examples=15)
    @given(st.lists(st.integers(0, len(sound)), max_size=6))
    def check(cuts: list[int]) -> None:
        state = hears_words.start(beam=beam)
        for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(sound)], strict=True):
            before = {name: one.copy() for name, one in state.items()}
            partial, after = hears_words.step(sound[start:end], state, endpoint=None)
            # The state that was given stays as it is.
            assert all(np.array_equal(one, state[name]) for name, one in before.items())
            state = after
        last = hears_words.finish(state)
        assert last.text == whole.text == partial.text
        assert [(one.start, one.end) for one in last.words] == [
            (one.start, one.end) for one in whole.words
        ]

    check()


def test_an_utterance_ends_with_a_silence(hears_words: Transcriber) -> None:
    silence = 0.003 * np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    sound = np.concatenate([tone(["high", "low"], 1), silence, tone(["mid"], 2), silence])
    state, finished = hears_words.start(), []
    for chunk in np.array_split(sound, 40):
        partial, state = hears_words.step(chunk, state, endpoint=0.5)
        finished += partial.finished
    assert [one.text for one in finished] == ["high low", "mid"]
    assert not partial.text
    assert finished[1].words[0].start > 1.0


def test_a_stream_of_labels_ends_with_the_label_of_the_whole(hears_labels: Transcriber) -> None:
    sound = tone(["mid"], seed=5)
    (whole,) = hears_labels.transcribe([(sound, RATE)])
    state = hears_labels.start()
    for chunk in np.array_split(sound, 7):
        partial, state = hears_labels.step(chunk, state)
    last = hears_labels.finish(state)
    assert last.text == partial.text == whole.text == "mid"
    assert last.confidence == pytest.approx(whole.confidence, abs=1e-5)


def test_a_file_holds_all_of_it(hears_words: Transcriber, tmp_path: Path) -> None:
    hears_words.save(tmp_path / "tones.unrolled")
    again = unrolled.load(tmp_path / "tones.unrolled")
    asked = spoken(5, seed=9)
    assert again.transcribe(asked) == hears_words.transcribe(asked)
    assert str(again.evaluation) == str(hears_words.evaluation)
    found = again.evaluate(asked)
    assert found.contestants().keys() == hears_words.evaluate(asked).contestants().keys()


def test_the_same_seed_learns_the_same_and_a_resumed_run_too(tmp_path: Path) -> None:
    def learnt(**given: Any) -> np.ndarray:
        model = Transcriber(**{**SMALL, "augment": 1.0, "seed": 3})
        model.fit(labelled(40), **{"budget": "8 steps", **QUIET, **given})
        return model.model.readout.weight.detach().numpy()

    once = learnt()
    np.testing.assert_array_equal(once, learnt(run_dir=tmp_path / "run"))
    np.testing.assert_array_equal(once, learnt(run_dir=tmp_path / "run", resume=True))


def test_speakers_of_the_held_out_part_are_not_learnt_from() -> None:
    data = labelled(60)
    for apart, told in (("auto", True), ("none", False)):
        with pytest.warns(NetworkLoses):
            model = Transcriber(**SMALL).fit(
                data, budget="1 steps", holdout=0.2, validation=0, apart=apart, **QUIET
            )
        assert model.evaluation is not None
        assert ("of other speakers" in model.evaluation.held_out) == told


def test_a_model_that_reads_both_ways_does_not_listen() -> None:
    model = Transcriber(directions=2, **SMALL)
    model.fit(labelled(40), budget="1 steps", validation=0, holdout=0, **QUIET)
    with pytest.raises(ConfigError, match="directions: this model has 2"):
        model.start()
    assert model.predict(labelled(2)) != []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"directions": 3}, "directions: got 3"),
        ({"subsampling": 5}, "subsampling: got 5"),
        ({"augment": -1}, "augment: got -1"),
        ({"channels": -1}, "channels: got -1"),
        ({"cell": "tcn"}, "cell: got 'tcn'"),
        ({"smoothing": 1}, "smoothing: got 1"),
        ({"tokenizer": "phones"}, "phones"),
    ],
)
def test_an_argument_that_cannot_work_is_named(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Transcriber(**{**SMALL, **given}).fit(spoken(20), budget="1 steps", **QUIET)


def test_what_cannot_be_heard_is_said_in_one_line(hears_words: Transcriber) -> None:
    with pytest.raises(NotFittedError):
        Transcriber().predict(["a.wav"])
    assert hears_words.predict([(np.zeros(10, np.float32), RATE)]) == [""]
    with pytest.raises(DataError, match=r"a\.wav"):
        hears_words.predict(["a.wav"])
    with pytest.raises(ConfigError, match="n_best: got 9 of a beam of 8"):
        hears_words.transcribe(spoken(1), n_best=9)
    with pytest.raises(ConfigError, match="state"):
        hears_words.step(np.zeros(10, np.float32), {})
    nothing, _ = hears_words.step(np.zeros(0, np.float32), hears_words.start())
    assert nothing.text == ""


def test_a_warm_start_goes_on_with_the_same_labels() -> None:
    other = Transcriber(**SMALL, warm_start=True)
    once: dict[str, Any] = {"budget": "1 steps", "holdout": 0, **QUIET}
    other.fit(labelled(40), **once)
    with pytest.raises(ConfigError, match="learnt labels"):
        other.fit(spoken(40), **once)
    before = other.model.readout.weight.detach().clone()
    other.fit(labelled(40, seed=2), **once)
    assert abs(other.model.readout.weight - before).max() < 0.05


def test_sounds_that_are_shorter_than_a_step_spoil_no_run() -> None:
    def with_short(data: Recordings) -> Recordings:
        items = list(data.items)
        for at in range(0, len(items), 5):
            values = items[at].values
            assert values is not None
            items[at] = replace(items[at], values=values[: 3 + at], seconds=(3 + at) / RATE)
        return replace(data, items=tuple(items))

    for data in (labelled(40), spoken(40)):
        model = Transcriber(**{**SMALL, "augment": 1.0})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the doctor's, and that so short a run loses
            model.fit(with_short(data), budget="6 steps", **QUIET)
        assert model.outcome.best_score is not None
        assert np.isfinite(model.outcome.best_score)


def test_a_label_that_was_never_learnt_chooses_no_weights() -> None:
    rare = replace(labelled(40).items[0], text="rare")
    chosen_by = Recordings((*labelled(6, seed=4).items, rare), labelled=True)
    model = Transcriber(**SMALL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(labelled(40), validation=chosen_by, budget="2 steps", holdout=0, **QUIET)
    assert model.labels == ("high", "low", "mid")


def test_with_few_speakers_a_split_parts_them_and_says_so() -> None:
    items = tuple(replace(one, speaker=f"s{at % 5}") for at, one in enumerate(labelled(40).items))
    model = Transcriber(**SMALL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(Recordings(items, labelled=True), budget="1 steps", **QUIET)
    assert "too few speakers" in str(model.checkup)


def test_a_network_that_says_nothing_yet_is_told_so() -> None:
    model = Transcriber(tokenizer="words", **SMALL)
    model.fit(spoken(40), budget="1 steps", holdout=0, **QUIET)
    with torch.no_grad():
        model.model.readout.bias[0] += 20  # the blank
    assert "train longer" in str(model.evaluate(spoken(5)))


def test_a_word_without_a_symbol_is_told() -> None:
    first, *rest = spoken(40).items
    data = Recordings((replace(first, text="low unheard mid"), *rest))
    once: dict[str, Any] = {"budget": "1 steps", "validation": 0, "holdout": 0, **QUIET}
    with pytest.warns(DataWarning, match="1 of 40 transcripts hold words that have no symbol"):
        Transcriber(tokenizer="words", **SMALL).fit(data, **once)
    said: list[str] = []
    Transcriber(tokenizer="words", **SMALL).fit(data, tell=said.append, **once)
    assert "'low unheard mid'" in said[-1]


def test_features_are_learnt_as_they_are(tmp_path: Path) -> None:
    random = np.random.default_rng(0)

    def made(count: int) -> Recordings:
        items = []
        for at in range(count):
            frames = random.normal(size=(12, 5)).astype(np.float32)
            frames[:, at % 2] += 3
            items.append(Recording("ab"[at % 2], 0.12, 100, values=frames))
        return Recordings(tuple(items), "features", labelled=True)

    model = Transcriber(**{**SMALL, "bands": None, "channels": None})
    model.fit(made(60), budget="60 steps", **QUIET)
    asked = made(10)
    assert model.predict([one.values for one in asked.items]) == list(asked.texts)
    model.save(tmp_path / "features.unrolled")
    assert unrolled.load(tmp_path / "features.unrolled").predict(asked) == list(asked.texts)
    with pytest.raises(DataError, match="NaN or infinity"):
        model.step(np.full((3, 5), np.nan, np.float32), model.start())
