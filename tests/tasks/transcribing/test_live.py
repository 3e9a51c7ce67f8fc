"""Listening: chunks of any rate, labels and both directions by utterances, late and lost sound."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.tasks.transcribing.small import RATE, labelled, spoken, tone
from unrolled import Transcriber
from unrolled.data.sound_chunks import GivenChunks
from unrolled.data.sound_file import resample
from unrolled.errors import ConfigError, DataError, NotFittedError, UnrolledWarning
from unrolled.tasks.transcribing.transcript import Partial

SMALL: dict[str, Any] = {
    "hidden_size": 24, "layers": 1, "channels": 4, "bands": 16, "subsampling": 4, "dropout": 0.0,
    "learning_rate": 1e-2, "average": 0.9, "augment": 0.0, "batch_seconds": 4.0,
}  # fmt: skip
QUIET: dict[str, Any] = {"progress": False, "diagnose": False}
SAID = ["low high mid", "mid low", "high"]


@pytest.fixture(scope="module")
def hears() -> Transcriber:
    return Transcriber("words", **SMALL).fit(spoken(120), budget="250 steps", **QUIET)


@pytest.fixture(scope="module")
def both_ways() -> Transcriber:
    model = Transcriber("words", directions=2, **SMALL)
    return model.fit(spoken(120), budget="250 steps", **QUIET)


@pytest.fixture(scope="module")
def labels() -> Transcriber:
    return Transcriber(**SMALL).fit(labelled(60), budget="120 steps", **QUIET)


def talk(said: list[str], pause: float = 1.2) -> np.ndarray:
    noise = np.random.default_rng(1)
    parts = []
    for one in said:
        silence = 0.003 * noise.standard_normal(round(pause * RATE))
        parts += [tone(one.split(), len(parts)), silence.astype(np.float32)]
    return np.concatenate(parts)


def chunks(sound: np.ndarray, size: int = 400) -> list[np.ndarray]:
    return np.split(sound, range(size, len(sound), size))


def over(found: list[Partial]) -> list[str]:
    return [one.text for partial in found for one in partial.finished]


def test_utterances_are_finished_one_by_one_and_the_last_at_the_end(hears):
    sound = talk(SAID)[: -RATE // 2]  # the last silence is too short to end it
    found = list(hears.listen(chunks(sound), rate=RATE))
    assert over(found) == SAID
    assert over(found[-1:]) == ["high"]
    assert found[-1].text == ""
    ends = [one.seconds for one in found]
    assert ends == sorted(ends)
    shown = [one.text for one in found]
    for part in ("low", "low high", "low high mid", "mid low"):
        assert part in shown
    words = [word for partial in found for one in partial.finished for word in one.words]
    starts = [word.start for word in words]
    assert starts == sorted(starts)
    assert starts[-1] > 3  # seconds of the stream, not of the utterance


def test_without_an_endpoint_it_is_one_utterance_of_the_words_of_the_whole(hears):
    sound = talk(SAID, pause=0.4)
    (found,) = over(list(hears.listen(chunks(sound, 333), rate=RATE, endpoint=None)))
    assert found == hears.predict([(sound, RATE)])[0]


@pytest.mark.parametrize("rate", [8000, 11025, 44100])
def test_any_rate_is_heard_alike(hears, rate):
    sound = resample(talk(SAID), RATE, rate)
    assert over(list(hears.listen(chunks(sound, rate // 10), rate=rate))) == SAID


def test_chunks_may_be_empty_and_sound_may_end_at_once(hears):
    sound = talk(SAID)
    parts = [part for one in chunks(sound) for part in (one[:0], one)]
    assert over(list(hears.listen(parts, rate=RATE))) == SAID
    (last,) = hears.listen([], rate=RATE)
    assert last == Partial("")


@pytest.mark.parametrize("rate", [RATE, 11025])
def test_both_ways_and_labels_hear_each_utterance_as_a_whole(both_ways, labels, rate):
    sound = resample(talk(SAID), RATE, rate)
    found = list(both_ways.listen(chunks(sound, rate // 10), rate=rate))
    assert over(found) == SAID
    starts = [word.start for partial in found for one in partial.finished for word in one.words]
    assert starts == sorted(starts)
    assert starts[-1] > 3
    sound = resample(talk(["mid", "low", "high"]), RATE, rate)
    found = list(labels.listen(chunks(sound, rate // 10), rate=rate))
    assert over(found) == ["mid", "low", "high"]
    assert len(over(found[-1:])) <= 1


def test_asked_to_stop_it_gives_what_was_said_last(hears, labels):
    sound = talk(["low high", "mid"])
    for model in (hears, labels):
        heard: list[Partial] = []

        def enough(heard: list[Partial] = heard) -> bool:
            return len(heard) >= 7

        for one in model.listen(chunks(sound), rate=RATE, until=enough):
            heard.append(one)
        assert len(heard) == 8
        assert len(over(heard)) == 1
        assert heard[-1].seconds <= 0.8


class Slow:
    """Chunks of which ever more wait."""

    rate, lost = float(RATE), 0

    def __init__(self, sound: np.ndarray, loses: int = 10**9) -> None:
        self._parts, self._loses, self.waiting = chunks(sound), loses, 0.0

    def __iter__(self):
        for place, part in enumerate(self._parts):
            self.waiting += 0.5
            self.lost += place >= self._loses
            yield part


def test_sound_that_waits_is_told_once_and_nothing_is_dropped(hears):
    told: list[str] = []
    found = list(hears.listen(Slow(talk(SAID)), tell=told.append))
    assert over(found) == SAID
    (line,) = told
    assert line.startswith("the machine is too slow by 2.0 s: ")
    with pytest.warns(UnrolledWarning, match="too slow") as warned:
        list(hears.listen(Slow(talk(SAID))))
    assert len(warned) == 1


def test_sound_that_waits_when_it_is_stopped_is_told(hears):
    told: list[str] = []
    until = iter([False] * 8 + [True]).__next__
    list(hears.listen(Slow(talk(SAID)), tell=told.append, until=until))
    assert told[1:] == ["stopped: the last 4.5 s of sound were not heard"]


def test_sound_that_was_lost_is_told_once(hears):
    told: list[str] = []
    source = Slow(talk(["low"]), loses=2)
    list(hears.listen(source, tell=told.append))
    assert source.lost > 2
    assert [line.split(" before")[0] for line in told if "lost" in line] == [
        "the system lost some sound"
    ]


def test_who_is_quick_enough_is_told_nothing(hears):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert over(list(hears.listen(GivenChunks(chunks(talk(SAID)), RATE)))) == SAID


def test_a_file_is_heard(hears, tmp_path: Path):
    path = tmp_path / "talk.wav"
    soundfile.write(path, np.stack([talk(SAID)] * 3, 1), RATE)  # three channels
    for given in (path, str(path)):
        assert over(list(hears.listen(given, fast=True))) == SAID


def test_what_can_not_work_is_told_before_any_sound(hears, labels, tmp_path: Path):
    class Never:
        rate, waiting, lost = float(RATE), 0.0, 0

        def __iter__(self):
            raise AssertionError("asked for sound")

    for model, options, part in (
        (hears, {"beam": 0}, "beam: got 0"),
        (labels, {"beam": 0}, "beam: got 0"),
        (hears, {"endpoint": 0.0}, "endpoint, after: got 0.0"),
        (labels, {"endpoint": -1.0}, "endpoint, after: got -1.0"),
        (hears, {"fast": True}, "fast: of a file only"),
        (hears, {"device": "USB"}, "device: got 'USB' beside a sound"),
    ):
        with pytest.raises(ConfigError, match=part):
            model.listen(Never(), **options)
    with pytest.raises(ConfigError, match="rate: chunks of samples need theirs"):
        hears.listen([np.zeros(3, np.float32)])
    with pytest.raises(DataError, match="no such file"):
        hears.listen(tmp_path / "no.wav")
    with pytest.raises(NotFittedError):
        Transcriber().listen([], rate=RATE)


def test_chunks_that_are_no_samples_are_told(hears, both_ways):
    for model in (hears, both_ways):
        for bad, part in (
            (np.zeros(100, np.int16), "int16"),
            (np.zeros((100, 2), np.float32), "one channel"),
            (np.full(100, np.nan, np.float32), "nan"),
        ):
            with pytest.raises(DataError, match=part):
                list(model.listen([bad], rate=RATE))


def test_sound_that_breaks_off_does_not_take_along_what_was_said_before(hears, both_ways):
    sound = talk(["low high"])

    def breaks():
        yield from chunks(sound)[:5]
        raise DataError("gone")

    for model in (hears, both_ways):
        heard = []
        with pytest.raises(DataError, match="gone"):
            heard.extend(model.listen(breaks(), rate=RATE))
        assert len(over(heard)) == 1


def test_a_model_of_features_can_not_listen(hears):
    features = [(np.random.default_rng(at).normal(size=(30, 5)), "a b") for at in range(12)]
    model = Transcriber(hidden_size=4, layers=1, augment=0.0)
    model.fit(features, budget="1 step", holdout=0, validation=0, **QUIET)
    with pytest.raises(ConfigError, match="ready-made features, and can't listen"):
        model.listen([], rate=RATE)
