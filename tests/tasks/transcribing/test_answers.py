"""What an answer can be relied on for: silence, texts of another kind, parts of many recordings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.tasks.transcribing.small import RATE, labelled, spoken, tone
from unrolled import Transcriber
from unrolled.data.sound_level import is_silent
from unrolled.errors import DataError
from unrolled.tasks.transcribing import lessons, some_at_a_time
from unrolled.tasks.transcribing.written import record


def test_a_label_of_silence_says_that_it_is_silence(labels: Transcriber) -> None:
    noise = np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    sounds = [noise * 0, noise * 3e-4, noise * 0.01, tone(["low"], 1)]
    found = labels.transcribe([(one, RATE) for one in sounds])
    assert [one.silent for one in found] == [True, True, False, False]
    assert [record(one).get("silent") for one in found] == [True, True, None, None]


def test_one_loud_moment_of_a_long_sound_is_no_silence() -> None:
    sound = np.zeros(3 * 60 * RATE, np.float32)
    sound[-30:-10] = 0.1
    assert not is_silent(sound, RATE)
    assert is_silent(sound[:-30] + 0.2, RATE)  # a mean away from 0 is no sound
    assert is_silent(sound[:0], RATE)


def test_silence_is_not_listened_to(labels: Transcriber) -> None:
    hum = 3e-4 * np.sin(np.arange(5 * RATE)).astype(np.float32)
    found = list(labels.listen(np.split(hum, 50), rate=RATE))
    assert not [one for partial in found for one in partial.finished]


def test_labels_are_not_measured_on_transcripts(labels: Transcriber) -> None:
    with pytest.raises(DataError, match=r"2 of 2 texts are no label .* 'high', 'low', 'mid'; got"):
        labels.evaluate([((tone(["low", "mid"], at), RATE), "low mid") for at in range(2)])
    pairs = [((tone(["low"], 0), RATE), "low"), ((tone(["mid"], 1), RATE), "other")]
    measured = labels.evaluate(pairs)
    assert measured.notes[-1].startswith("1 of 2 texts are no label of this model and count as")
    assert not [one for one in labels.evaluate(pairs[:1]).notes if "no label" in one]


def test_labels_are_taken_for_transcripts_and_that_is_told(words: Transcriber) -> None:
    measured = words.evaluate(labelled(6))
    assert "taken for transcripts" in " ".join(measured.notes)
    assert "WER %" in str(measured)
    assert "taken for transcripts" not in " ".join(words.evaluate(spoken(6)).notes)


def test_parts_are_whole_in_order_and_no_longer_than_asked() -> None:
    items = [
        replace(one, seconds=s) for one, s in zip(spoken(6).items, (3, 4, 9, 1, 1, 5), strict=True)
    ]
    parts = list(some_at_a_time.some_at_a_time(items, 7))
    assert parts == [[0, 1], [2], [3, 4, 5]]


def test_answers_do_not_depend_on_the_parts(
    words: Transcriber, labels: Transcriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    for model, data in ((words, spoken(12)), (labels, labelled(12))):
        whole, measured = model.transcribe(data), model.evaluate(data)
        made: list[int] = []
        with monkeypatch.context() as patch:
            patch.setattr(some_at_a_time.some_at_a_time, "__defaults__", (1.0,))
            samples = type(model.framing).samples
            patch.setattr(
                type(model.framing),
                "samples",
                lambda self, one, samples=samples, made=made: made.append(1) or samples(self, one),
            )
            again = model.evaluate(data)
            assert len(made) == 12  # each is read once, for the network and the rivals
            parts = model.transcribe(data)
        assert [one.text for one in parts] == [one.text for one in whole]
        for one, other in zip(parts, whole, strict=True):
            assert one.log_probability == pytest.approx(other.log_probability, abs=1e-3)
        assert again.contestants() == measured.contestants()


def test_a_score_does_not_depend_on_what_is_kept(
    words: Transcriber, labels: Transcriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    for model, data in ((words, spoken(12)), (labels, labelled(12))):
        targets = model._targets(data.texts)
        kept = lessons.Validator(model.model, model.framing, data.items, targets)
        whole = kept()
        with monkeypatch.context() as patch:
            patch.setattr(lessons, "_KEPT", 0)
            patch.setattr(some_at_a_time.some_at_a_time, "__defaults__", (1.0,))
            made = lessons.Validator(model.model, model.framing, data.items, targets)
            assert made() == pytest.approx(whole, rel=1e-5)
        # What is kept is not made again.
        monkeypatch.setattr(type(model.framing), "frames", None)
        assert kept() == whole
        monkeypatch.undo()
