"""A `Transcriber` with a transducer's head: all that one with CTC can do, or a plain line."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import linear

import unrolled
from tests.tasks.transcribing.small import ONCE, RATE, labelled, spoken, tone
from unrolled import Transcriber
from unrolled.data.batching.checks import IGNORED_TARGET
from unrolled.data.recordings import Recordings
from unrolled.errors import ConfigError
from unrolled.tasks.transcribing.network import Heard
from unrolled.tasks.transcribing.transducer_network import TransducerNetwork
from unrolled.training.run import Run
from unrolled.training.transducer_loss import transducer_loss

TINY: dict[str, Any] = {
    "hidden_size": 8, "layers": 1, "channels": 2, "bands": 16, "augment": 0.0, "seed": 2,
    "head": "transducer",
}  # fmt: skip
LEARNS: dict[str, Any] = {
    **TINY, "hidden_size": 48, "channels": 4, "subsampling": 4, "dropout": 0.0,
    "learning_rate": 6e-3, "average": 0.9, "batch_seconds": 4.0,
}  # fmt: skip
QUIET: dict[str, Any] = {"progress": False, "diagnose": False}


@pytest.fixture(scope="module")
def hears() -> Transcriber:
    return Transcriber("words", **LEARNS).fit(spoken(200), budget="350 steps", **QUIET)


@pytest.fixture(scope="module", params=["gru", "lstm", "rnn"])
def begun(request: pytest.FixtureRequest) -> Transcriber:
    """One that has learnt nothing, with weights so large that it says something."""
    model = Transcriber("words", cell=request.param, **TINY).fit(spoken(30), **ONCE)
    assert isinstance(model.model, TransducerNetwork)
    with torch.no_grad():
        model.model.joiner.weight *= 6
        model.model.joiner.bias *= 0
        # Draws of its own, so that what it says does not depend on the tests before.
        random = torch.Generator().manual_seed(2)
        torch.nn.init.normal_(model.model.prediction.readout.weight, generator=random)
    return model


def test_it_learns_to_hear_and_beats_its_rivals(hears: Transcriber) -> None:
    assert hears.evaluation is not None
    wer, _ = hears.evaluation.comparisons
    assert wer.network <= 5.0
    assert wer.who == "network"
    new = spoken(20, 9)
    right = sum(a == b for a, b in zip(hears.predict(new), new.texts, strict=True))
    assert right >= 18
    assert hears.evaluate(new).comparisons[0].network <= 5.0


def test_words_have_times_within_the_tones(hears: Transcriber) -> None:
    (heard,) = hears.transcribe([(tone(["low", "high"], 3), RATE)], n_best=3)
    assert heard.text == "low high"
    first, second = heard.words
    assert 0.05 <= first.start < first.end <= second.start < second.end <= heard.seconds
    assert 0 < heard.confidence <= 1
    assert len({one.text for one in (heard, *heard.alternatives)}) == 3


@pytest.mark.parametrize("beam", [1, 4])
def test_however_the_sound_is_cut_the_words_are_those_of_the_whole(
    begun: Transcriber, beam: int
) -> None:
    random = np.random.default_rng(beam)
    for seed in range(3):
        sound = tone(["low", "mid", "high"], seed)
        (whole,) = begun.transcribe([(sound, RATE)], beam=beam)
        state = begun.start(beam=beam)
        for part in np.split(sound, np.sort(random.integers(0, len(sound), 5))):
            _, state = begun.step(part, state, endpoint=None)
        found = begun.finish(state)
        assert found.text == whole.text
        assert found.words
        assert [(one.start, one.end) for one in found.words] == [
            (one.start, one.end) for one in whole.words
        ]
        assert abs(found.log_probability - whole.log_probability) <= 1e-3


def test_many_streams_are_heard_as_each_alone(begun: Transcriber) -> None:
    sounds = [tone(["low"], 1), tone(["high", "mid"], 2)[:1500], np.zeros(0, np.float32)]
    states = [begun.start(beam=3), begun.start(beam=1), begun.start(beam=3)]
    together, after = begun.step_all(sounds, states)
    for at, (sound, state) in enumerate(zip(sounds, states, strict=True)):
        alone, other = begun.step(sound, state)
        assert alone.text == together[at].text
        assert other.keys() == after[at].keys()


def test_utterances_are_over_after_a_silence_and_none_is_lost(hears: Transcriber) -> None:
    sound = np.concatenate([tone(["low", "high"], 1), tone(["mid"], 2), tone(["low"], 3)])
    parts = np.split(sound, range(400, len(sound), 400))
    state, said = hears.start(), []
    for part in parts:
        partial, state = hears.step(part, state, endpoint=0.08)
        said += partial.finished
    said.append(hears.finish(state))
    assert len(said) > 1
    heard = [one for each in hears.listen(parts, rate=RATE, endpoint=0.08) for one in each.finished]
    assert [one.text for one in heard] == [one.text for one in said if one.text]
    starts = [word.start for one in said for word in one.words]
    assert starts == sorted(starts)


def test_a_state_that_was_kept_in_a_file_goes_on(begun: Transcriber, tmp_path: Path) -> None:
    _, state = begun.step(tone(["low", "mid"], 1), begun.start(beam=3))
    np.savez(tmp_path / "state.npz", **state)
    with np.load(tmp_path / "state.npz") as kept:
        again = dict(kept)
    one, other = (begun.step(tone(["high"], 2), each)[1] for each in (state, again))
    assert all(np.array_equal(one[name], other[name]) for name in one)
    with pytest.raises(ConfigError, match=r"^state: got 'search.state' of shape"):
        begun.step(tone(["high"], 2), {**state, "search.state": np.zeros((3, 99))})


def test_what_was_saved_hears_the_same_and_goes_on_learning(
    hears: Transcriber, tmp_path: Path
) -> None:
    hears.save(tmp_path / "model.unrolled")
    again: Any = unrolled.load(tmp_path / "model.unrolled")
    assert again.head == "transducer"
    sounds = spoken(5, 4)
    assert again.transcribe(sounds) == hears.transcribe(sounds)
    again.warm_start = True
    again.set_params(head="ctc")
    with pytest.raises(ConfigError, match="head: got 'ctc', but"):
        again.fit(spoken(30), **ONCE)
    again.set_params(head="transducer")
    assert again.fit(spoken(30), **ONCE).predict(sounds)


def test_a_run_that_was_stopped_goes_on_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fit(folder: str, **options: Any) -> Transcriber:
        run: dict[str, Any] = {"budget": "10 steps", "run_dir": tmp_path / folder, "holdout": 0}
        return Transcriber(**TINY, batch_seconds=4.0).fit(spoken(30), **run, **options, **QUIET)

    whole, write = fit("whole"), Run.write

    def interrupted(self: Run, record: dict[str, Any]) -> None:
        write(self, record)
        if record["step"] == 6 and "loss" in record:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "write", interrupted)
        assert fit("part").outcome.ended == "interrupted"
    again = fit("part", resume=True)
    others = again.model.state_dict()
    assert all(torch.equal(one, others[name]) for name, one in whole.model.state_dict().items())


def test_the_loss_is_that_of_all_logits_after_the_blank_and_what_was_said(
    begun: Transcriber,
) -> None:
    model: Any = begun.model
    size = model.readout.out_features
    heard = Heard(torch.randn(6, 3, size), torch.tensor([6, 4, 5]))
    targets = torch.tensor([[1, 2, IGNORED_TARGET], [3, IGNORED_TARGET, IGNORED_TARGET]])
    counts = torch.tensor([2, 1, 0])
    with torch.no_grad():
        steps, state = [], None
        for token in (torch.zeros(3, dtype=torch.int64), *targets.clamp(min=0)):
            said, state = model.prediction.step(token.numpy(), state)
            steps.append(torch.from_numpy(said))
        g = torch.stack(steps, 1)  # (B, U + 1, J)
        hidden = (heard.scores.transpose(0, 1)[:, :, None] + g[:, None]).tanh()
        logits = linear(hidden, model.joiner.weight, model.joiner.bias)
        known = targets.clamp(min=0).t()
        want = transducer_loss(logits, heard.lengths, known, counts, per="symbol").loss
        torch.testing.assert_close(model.loss(heard, targets), want, rtol=1e-5, atol=1e-5)


def test_a_network_that_reads_both_ways_hears_whole_recordings() -> None:
    model = Transcriber(directions=2, **TINY).fit(spoken(30), **ONCE)
    assert len(model.transcribe(spoken(3, 1))) == 3
    with pytest.raises(ConfigError, match="directions: this model has 2"):
        model.start()


def test_a_look_into_it_while_it_trains_finds_its_layers() -> None:
    run = {**ONCE, "budget": "3 steps", "diagnose": True}
    assert Transcriber(**TINY).fit(spoken(30), **run).predict(spoken(2, 1)) is not None


def test_no_transcript_is_too_long_for_it() -> None:
    short = spoken(30)
    items = tuple(replace(one, text=" ".join([one.text] * 5)) for one in short.items)
    kinds = {}
    for head in ("ctc", "transducer"):
        model = Transcriber(**{**TINY, "head": head}, subsampling=4)
        model.fit(Recordings(items), **ONCE, tell=lambda _: None)
        kinds[head] = {one.kind for one in model.checkup.findings}
    assert "too long to say" in kinds["ctc"]
    assert "too long to say" not in kinds["transducer"]


def test_what_can_not_work_is_told_in_one_line() -> None:
    with pytest.raises(ConfigError, match="head: got 'rnnt', expected 'ctc' or 'transducer'"):
        Transcriber(head="rnnt").fit(spoken(30), **ONCE)
    with pytest.raises(ConfigError, match="head: got 'transducer', but tones has one label each"):
        Transcriber(**TINY).fit(labelled(30), **ONCE)
