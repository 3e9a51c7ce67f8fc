"""A traced recogniser: its numbers are the network's, and its answer is what `transcribe` says."""

from __future__ import annotations

import io
import warnings
import wave
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unrolled
from unrolled.data.recordings import Recording, Recordings
from unrolled.errors import ConfigError, DataError
from unrolled.lens import Trace, trace
from unrolled.lens.sound_parts import Sound

from ..tasks.transcribing import small


def fitted(data: Recordings, budget: str = "60 steps", **options: Any) -> unrolled.Transcriber:
    sizes: dict[str, Any] = {"hidden_size": 16, "bands": 16, "channels": 4, "batch_seconds": 6}
    if data.kind == "features":
        sizes = {"hidden_size": 16}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return unrolled.Transcriber(**(sizes | options), augment=0.0, dropout=0.0).fit(
            data, validation=0, holdout=0, budget=budget, progress=False, diagnose=False
        )


@pytest.fixture(scope="module")
def hearing() -> unrolled.Transcriber:
    return fitted(small.spoken(80), "120 steps", layers=2)


@pytest.fixture(scope="module")
def labelling() -> unrolled.Transcriber:
    return fitted(small.labelled(30))


@pytest.fixture(scope="module")
def item() -> Recording:
    return small.spoken(3, 5).items[2]


@pytest.fixture(scope="module")
def heard(hearing: unrolled.Transcriber, item: Recording) -> Trace:
    return trace(hearing, (item.values, small.RATE))


def scores(model: unrolled.Transcriber, item: Recording) -> torch.Tensor:
    frames = torch.from_numpy(model.framing.frames(item)).unsqueeze(1)
    model.model.eval()
    with torch.no_grad():
        found: torch.Tensor = model.model(frames)[0].scores
    return found


def test_what_sounds_alike_is_what_explain_tells(
    hearing: unrolled.Transcriber, heard: Trace, item: Recording
) -> None:
    (told,) = hearing.explain((item.values, small.RATE))
    assert heard.alike is not None
    assert list(heard.alike.words) == told.to_dict()["words"]


def test_words_times_and_confidences_are_those_of_transcribe(
    hearing: unrolled.Transcriber, heard: Trace, item: Recording
) -> None:
    (said,) = hearing.transcribe([(item.values, small.RATE)])
    assert heard.heard is not None
    assert (heard.heard.text, len(said.words) > 0) == (said.text, True)
    assert heard.heard.words == tuple(word.text for word in said.words)
    np.testing.assert_allclose(heard.heard.spans, [(one.start, one.end) for one in said.words])
    np.testing.assert_allclose(
        heard.heard.confidences, [one.confidence for one in said.words], rtol=1e-4
    )


def test_probabilities_and_path_are_the_networks(
    hearing: unrolled.Transcriber, heard: Trace, item: Recording
) -> None:
    chances = scores(hearing, item)[:, 0].softmax(-1).numpy()
    assert hearing.symbols is not None
    pieces = hearing.symbols.pieces
    assert heard.heard is not None
    assert heard.spectrogram is not None
    assert heard.heard.names[0] == ""
    kept = [pieces.index(name) for name in heard.heard.names]
    np.testing.assert_allclose(heard.heard.chances, chances[:, kept], atol=1e-5)
    left = np.setdiff1d(np.arange(len(pieces)), kept)
    assert (chances[:, left].max(axis=0) < 0.05).all()
    assert heard.spectrogram.path == tuple(pieces[at] for at in chances.argmax(-1).tolist())


def test_the_steps_share_the_frames_that_the_network_reads(
    hearing: unrolled.Transcriber, heard: Trace, item: Recording
) -> None:
    frames = hearing.framing.frames(item)
    each = hearing.settings.subsampling
    assert heard.spectrogram is not None
    assert len(heard) == len(frames) // each
    np.testing.assert_array_equal(heard.spectrogram.values, frames[: len(heard) * each])
    assert heard.spectrogram.hop == hearing.framing.seconds == 0.01
    assert heard.inputs[:3] == ("0.00 s", "0.04 s", "0.08 s")


def test_the_gradient_is_that_of_what_the_text_costs(
    hearing: unrolled.Transcriber, item: Recording
) -> None:
    found = trace(hearing, ((item.values, small.RATE), item.text))
    assert [(layer.cell, layer.index) for layer in found.layers] == [("GRU", 0), ("GRU", 1)]
    assert "given" in found.loss
    model = hearing.model.eval()
    frames = torch.from_numpy(hearing.framing.frames(item)).unsqueeze(1)
    kept: list[torch.Tensor] = []

    def keep(_: Any, __: Any, output: Any) -> None:
        output[0].retain_grad()
        kept.append(output[0])

    handle = model.recurrent.register_forward_hook(keep)
    logits = model(frames)[0].scores
    handle.remove()
    assert hearing.symbols is not None
    (target,) = hearing.symbols.encode([item.text])
    torch.nn.functional.ctc_loss(
        logits.log_softmax(-1),
        torch.from_numpy(target)[None],
        torch.tensor([len(logits)]),
        torch.tensor([len(target)]),
        reduction="sum",
    ).backward()
    model.zero_grad()
    last = found.layers[-1]
    np.testing.assert_allclose(last.states["h"], kept[0].detach()[:, 0].numpy(), atol=1e-5)
    # Of the last step no other depends on it.
    assert kept[0].grad is not None
    np.testing.assert_allclose(last.gradients["h"][-1], kept[0].grad[-1, 0].numpy(), atol=1e-6)
    assert np.abs(last.gradients["h"][-1]).max() > 0


def test_a_text_that_is_given_is_aligned_in_order(
    hearing: unrolled.Transcriber, heard: Trace, item: Recording, tmp_path: Path
) -> None:
    assert heard.heard is not None
    assert heard.heard.reference == ()
    found = trace(hearing, ((item.values, small.RATE), "low mid high")).heard
    assert found is not None
    assert found.reference == ("low", "mid", "high")
    assert found.text == heard.heard.text
    spans = found.reference_spans.ravel()
    assert (np.diff(spans) >= 0).all()
    assert 0 <= spans[0] < spans[-1] <= item.seconds
    # The recording's own text is aligned too; a tab brings it to a file.
    own = trace(hearing, item).heard
    assert own is not None
    assert own.reference == tuple(item.text.split())
    path = tmp_path / "a.wav"
    path.write_bytes(Sound.of(item.values, small.RATE).wav())
    tabbed = trace(hearing, f"{path}\tlow mid high").heard
    assert tabbed is not None
    assert tabbed.reference == ("low", "mid", "high")


def test_what_the_model_does_not_know_of_a_text_is_noted(
    hearing: unrolled.Transcriber, item: Recording
) -> None:
    found = trace(hearing, ((item.values, small.RATE), "low québ"))
    assert any("4 symbols that the model does not know" in note for note in found.notes)


def test_a_text_that_the_sound_has_no_room_for_is_one_line(
    hearing: unrolled.Transcriber, item: Recording
) -> None:
    with pytest.raises(ConfigError, match=r"can't be aligned with the sound: it has \d+ symbols"):
        trace(hearing, ((item.values, small.RATE), "low " * 60))


def test_of_a_sound_in_which_nothing_is_heard_the_blanks_count(
    hearing: unrolled.Transcriber, item: Recording
) -> None:
    bias = hearing.model.readout.bias
    before = bias.detach().clone()
    try:
        with torch.no_grad():
            bias[0] += 8
        found = trace(hearing, (item.values, small.RATE))
    finally:
        with torch.no_grad():
            bias.copy_(before)
    assert found.heard is not None
    assert (found.heard.text, found.heard.words) == ("", ())
    assert found.layers[-1].norms["h"][-1] > 0


def test_of_a_long_sound_the_first_steps_are_read_and_played(
    hearing: unrolled.Transcriber, heard: Trace, item: Recording
) -> None:
    found = trace(hearing, (item.values, small.RATE), steps=10)
    assert len(found) == 10
    assert found.notes[0].startswith("Of 0.")
    assert "the first 0.4 s were read, and are played" in found.notes[0]
    assert found.sound is not None
    assert len(found.sound.samples) == 0.4 * small.RATE
    # One direction: what came later is not known here.
    np.testing.assert_allclose(
        found.layers[-1].states["h"], heard.layers[-1].states["h"][:10], atol=1e-5
    )


def test_the_sound_is_a_file_that_plays(heard: Trace, item: Recording) -> None:
    assert heard.sound is not None
    assert item.values is not None
    with wave.open(io.BytesIO(heard.sound.wav())) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 4000)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    np.testing.assert_allclose(samples / 32767, item.values, atol=0.51 / 32767)
    assert Sound.of(np.array([2.0, -2.0], np.float32), 8000).samples.tolist() == [32767, -32767]


def test_a_label_is_answered_after_each_step_as_in_a_stream(
    labelling: unrolled.Transcriber,
) -> None:
    item = small.labelled(3, 5).items[1]
    found = trace(labelling, item)
    (said,) = labelling.transcribe([(item.values, small.RATE)])
    assert found.heard is not None
    assert found.answers is not None
    assert found.heard.text == said.text
    end = found.answers.chances[-1]
    assert end[found.answers.names.index(said.text)] == pytest.approx(said.confidence, abs=1e-4)
    assert item.values is not None
    # A third of it as a stream hears it.
    _, state = labelling.step(item.values[: len(item.values) // 3], labelling.start())
    place = int(state["steps"]) - 1
    np.testing.assert_allclose(found.answers.chances[place], np.exp(state["label"]), atol=1e-4)
    assert place < len(found) - 2
    assert found.influence is not None
    assert f"the label \u201c{item.text}\u201d, which was given" in found.loss


def test_a_label_of_a_network_that_reads_both_ways_has_no_running_answer() -> None:
    model = fitted(small.labelled(12), "3 steps", directions=2)
    found = trace(model, (small.tone(["low"], 3), small.RATE))
    assert found.answers is None
    assert found.heard is not None
    assert found.heard.labelled
    assert any("reads both ways" in note for note in found.notes)
    assert [layer.reverse for layer in found.layers[:2]] == [False, True]


def test_of_ready_made_features_there_is_nothing_to_play() -> None:
    random = np.random.default_rng(0)
    items = tuple(
        Recording("ab"[k % 2] * 2, 0.6, 100, values=random.normal(size=(60, 5)).astype(np.float32))
        for k in range(8)
    )
    model = fitted(Recordings(items, kind="features"), "3 steps")
    found = trace(model, items[0].values)
    assert found.sound is None
    assert found.spectrogram is not None
    assert found.spectrogram.values.shape == (60, 5)
    assert any("no sound to play" in note for note in found.notes)


def test_the_network_and_its_mode_are_as_they_were(
    hearing: unrolled.Transcriber, item: Recording
) -> None:
    before = {name: one.clone() for name, one in hearing.model.state_dict().items()}
    trace(hearing, item)
    for name, one in hearing.model.state_dict().items():
        assert torch.equal(one, before[name])
    assert all(one.grad is None for one in hearing.model.parameters())
    assert not hearing.model.recurrent._forward_hooks


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        ([], ConfigError, "got list, expected one sound"),
        (("a", "b", "c"), ConfigError, "got tuple, expected one sound"),
        ("nowhere.wav", DataError, "nowhere.wav"),
        (((np.zeros(8000, np.float32), 4000), 3), ConfigError, "expected one sound"),
    ],
)
def test_what_is_no_sound_is_one_line(
    given: Any, error: type[Exception], told: str, hearing: unrolled.Transcriber
) -> None:
    with pytest.raises(error, match=told) as caught:
        trace(hearing, given)
    assert "\n" not in str(caught.value)


def test_a_label_that_is_not_known_is_one_line(labelling: unrolled.Transcriber) -> None:
    with pytest.raises(ConfigError, match="got the label 'loud', expected one of high, low, mid"):
        trace(labelling, ((small.tone(["low"], 3), small.RATE), "loud"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"chances": np.full((3, 2), 2, np.float32)}, "from 0 to 1"),
        ({"chances": np.full((3, 2), np.nan, np.float32)}, "from 0 to 1"),
        ({"chances": np.zeros((3, 1), np.float32)}, "chances"),
        ({"spans": np.array([[0.2, 0.1]], np.float32)}, "begin before it ends"),
        ({"spans": np.array([[np.nan, 0.1]], np.float32)}, "begin before it ends"),
        ({"confidences": np.zeros(2, np.float32)}, "confidences"),
    ],
)
def test_what_was_heard_checks_itself(change: dict[str, Any], told: str, heard: Trace) -> None:
    assert heard.heard is not None
    whole = replace(
        heard.heard,
        names=("", "a"),
        chances=np.full((3, 2), 0.5, np.float32),
        words=("a",),
        spans=np.array([[0.0, 0.1]], np.float32),
        confidences=np.ones(1, np.float32),
    )
    with pytest.raises(ConfigError, match=told):
        replace(whole, **change)
    with pytest.raises(ConfigError, match="heard: got 3 steps"):
        replace(heard, heard=whole)
    with pytest.raises(ConfigError, match="expected a sample at least"):
        Sound(np.zeros(0, np.int16), 8000)
