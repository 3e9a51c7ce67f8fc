"""The gate of a transcriber: rivals, what is compared and told, and the worst recordings."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from unrolled.baselines.owners import together
from unrolled.data.recordings import Kind, Recording, Recordings
from unrolled.errors import DataError
from unrolled.tasks.evaluation import Evaluation
from unrolled.tasks.poor import Misheard, worst_table
from unrolled.tasks.transcribing import gate
from unrolled.training.speech_scores import speech_scores

REFERENCES = ["five nine", "two", "the cat sat on the mat", "six", "six"]
SAID = ["five five", "two oh", "the hat sat on mat", "six", ""]
RIVALS = {"first": ["six"] * 5, "second": ["five nine", "two", "a", "six", "a"]}
LABELS = ["yes", "no", "yes", "stop", "yes"]
HEARD = ["yes", "yes", "yes", "stop", "no"]


class _Values:
    """Frames are the recording's own values."""

    def __init__(self) -> None:
        self.asked: list[Recording] = []

    def frames(self, recording: Recording) -> np.ndarray:
        self.asked.append(recording)
        assert recording.values is not None
        return recording.values


def _recordings(
    count: int = 40, seconds: float = 1.0, rate: float = 100.0, kind: Kind = "features"
) -> Recordings:
    draws = np.random.default_rng(4)
    items = []
    for place in range(count):
        text = ("rise", "fall", "rise", "rest")[place % 4]
        shape = {"rise": [0, 1, 2, 3], "fall": [3, 2, 1, 0], "rest": [1, 1, 1, 1]}[text]
        values = np.repeat(np.array(shape, dtype=np.float32), draws.integers(2, 5))[:, None]
        values = values + draws.normal(0, 0.05, values.shape).astype(np.float32)
        items.append(Recording(text=text, seconds=seconds, rate=rate, values=values))
    return Recordings(tuple(items), kind=kind, labelled=True)


def _transcripts(said: list[str] = SAID) -> Evaluation:
    return gate.evaluation_of(REFERENCES, said, RIVALS, "5 recordings", False)


def _labels(said: list[str] = HEARD, **more: list[float] | list[str]) -> Evaluation:
    rivals = {"most frequent answer": ["yes"] * 5, "nearest": ["no"] * 5}
    return gate.evaluation_of(LABELS, said, rivals, "5 sounds", True, **more)  # type: ignore[arg-type]


def test_transcripts_are_compared_by_wer_and_cer_with_the_better_rival() -> None:
    found, own = _transcripts(), speech_scores(SAID, REFERENCES)
    wer, cer = found.comparisons
    assert (wer.metric, wer.network) == ("WER %", own.wer)
    assert (cer.metric, cer.network) == ("CER %", own.cer)
    assert wer.baseline == speech_scores(RIVALS["second"], REFERENCES).wer
    assert wer.baseline_name == cer.baseline_name == "second"
    assert not wer.higher_is_better
    assert not cer.higher_is_better
    assert found["WER"] == own.wer == pytest.approx(100 * 5 / 11)
    assert found.verdict == "network wins"
    assert _transcripts(REFERENCES).verdict == "network wins"
    assert _transcripts(RIVALS["second"]).verdict == "tie"
    assert _transcripts(["a b c"] * 5).verdict == "network loses"


def test_what_wer_is_made_up_of_is_told_of_all() -> None:
    found = _transcripts()
    assert found["exact"] == pytest.approx(1 / 5)
    kinds = [found[f"{name} %"] for name in ("substituted", "deleted", "inserted")]
    assert kinds == pytest.approx([100 * 2 / 11, 100 * 2 / 11, 100 / 11])
    assert sum(kinds) == pytest.approx(found["WER"])
    who = found.contestants()
    assert list(who) == ["network", "second", "first"]
    for name, texts in RIVALS.items():
        assert who[name]["WER %"] == speech_scores(texts, REFERENCES).wer
        assert list(who[name]) == list(who["network"])


def test_how_it_was_counted_and_what_is_mistaken_are_notes() -> None:
    found, own = _transcripts(), speech_scores(SAID, REFERENCES)
    assert found.notes == (own.signature, *own.confusions.lines())
    assert str(found).splitlines()[-len(found.notes) :] == list(found.notes)
    loud = [text.upper() for text in REFERENCES]
    plain = gate.evaluation_of(REFERENCES, loud, RIVALS, "5", False, normalise="plain")
    assert plain["WER"] == 0
    assert plain.worst == ()
    assert "lower case" in plain.notes[0]
    assert gate.evaluation_of(REFERENCES, loud, RIVALS, "5", False)["WER"] == 100


def test_labels_are_compared_by_accuracy_first() -> None:
    found = _labels()
    first, second = found.comparisons
    assert (first.metric, first.network, first.baseline) == ("accuracy", 0.6, 0.6)
    assert first.baseline_name == "most frequent answer"
    assert first.higher_is_better
    assert second.metric == "macro F1"
    # yes: 2 right of 3 said and 3 there; no: none; stop: its one.
    assert second.network == pytest.approx((2 / 3 + 0 + 1) / 3)
    assert found.verdict == "tie"
    assert _labels(LABELS).verdict == "network wins"
    assert _labels(["no"] * 5).verdict == "network loses"
    assert found.contestants()["nearest"]["accuracy"] == pytest.approx(0.2)
    assert found.notes == ("heard for said: yes for no (1), no for yes (1)",)


def test_each_label_has_its_figures_unless_there_are_very_many() -> None:
    found = _labels()
    assert found.labels is not None
    assert found.labels.labels == ("no", "stop", "yes")
    assert found.labels.confusion == ((0, 0, 1), (0, 1, 0), (1, 0, 2))
    assert found.labels.bins == ()
    sure = _labels(confidences=[0.9, 0.6, 0.8, 1.0, 0.7])
    assert sure.labels is not None
    assert sum(one.count for one in sure.labels.bins) == 5
    many = [str(place) for place in range(101)]
    assert gate.evaluation_of(many, many, {"a": ["0"] * 101}, "101", True).labels is None


def test_the_recordings_with_most_words_wrong_come_first_and_none_that_is_right() -> None:
    found = _transcripts().worst
    assert [(one.place, one.wrong) for one in found] == [(2, 2), (1, 1), (4, 1), (0, 1)]
    assert [one.words for one in found] == [6, 1, 1, 2]
    assert (found[0].reference, found[0].heard) == (REFERENCES[2], SAID[2])
    few = gate.evaluation_of(REFERENCES, SAID, RIVALS, "5", False, most=1).worst
    assert few == found[:1]
    assert _transcripts(REFERENCES).worst == ()


def test_of_labels_the_surest_mistake_comes_first() -> None:
    found = _labels(confidences=[0.9, 0.6, 0.8, 1.0, 0.7], names=list("abcde")).worst
    assert [(one.place, one.recording, one.confidence) for one in found] == [
        (4, "e", 0.7),
        (1, "b", 0.6),
    ]
    assert [one.place for one in _labels().worst] == [1, 4]


def test_the_worst_are_told_word_below_word() -> None:
    found = gate.evaluation_of(
        REFERENCES, SAID, RIVALS, "5", False, names=[f"{place}.wav" for place in range(5)], most=2
    )
    assert worst_table(found.worst).splitlines() == [
        "3: 2.wav, 2 wrong of 6 words",
        "  reference  the cat sat on the mat",
        "  heard      the hat sat on *** mat",
        "                 S          D",
        "2: 1.wav, 1 wrong of 1 word",
        "  reference  two **",
        "  heard      two oh",
        "                 I",
    ]
    assert worst_table(_labels(confidences=[0.5] * 5).worst[:1]).splitlines() == [
        "2: confidence 0.50",
        "  reference  no",
        "  heard      yes",
    ]
    assert str(_labels().worst[0]).splitlines()[0] == "2"


def test_an_evaluation_comes_back_from_plain_values() -> None:
    for found in (_transcripts(), _labels(confidences=[0.5] * 5)):
        kept = json.loads(json.dumps(found.to_dict()))
        for one in kept["worst"]:
            # JSON has no NaN.
            one["confidence"] = None if math.isnan(one["confidence"]) else one["confidence"]
        again = Evaluation.from_dict(kept)
        assert all(isinstance(one, Misheard) for one in again.worst)
        assert str(again) == str(found)
        assert worst_table(again.worst) == worst_table(found.worst)
        assert json.dumps(again.to_dict()) == json.dumps(found.to_dict())


def test_short_recordings_have_both_rivals_and_only_drawn_ones_are_read() -> None:
    recordings, values = _recordings(4 * 120), _Values()
    rivals = gate.fit_rivals(values, recordings, 0)
    assert list(rivals) == ["frequent", "templates"]
    assert len(values.asked) == 150
    answers = {
        kind: rival.predict(one.values for one in recordings.items if one.values is not None)
        for kind, rival in rivals.items()
    }
    assert answers["frequent"] == ["rise"] * 480
    assert answers["templates"] == list(recordings.texts)
    names = [rival.name for rival in rivals.values()]
    assert names == ["most frequent answer", "nearest of 150 templates"]


def test_the_rivals_of_a_file_say_the_same() -> None:
    recordings = _recordings()
    frames = [one.values for one in recordings.items if one.values is not None]
    for some in (recordings, _recordings(seconds=6)):
        rivals = gate.fit_rivals(_Values(), some, 0)
        kept = gate.rivals_from(together({kind: one.to_arrays() for kind, one in rivals.items()}))
        assert list(kept) == list(rivals)
        for kind, one in rivals.items():
            assert kept[kind].predict(frames) == one.predict(frames)
            assert kept[kind].name == one.name


def test_long_recordings_are_no_templates() -> None:
    for long in (_recordings(seconds=5.1), _recordings(seconds=4, rate=126)):
        values = _Values()
        assert list(gate.fit_rivals(values, long, 0)) == ["frequent"]
        assert not values.asked
    # The rate of a sound is that of its samples, and says nothing of its frames.
    sound = _recordings(seconds=4, rate=8000, kind="sound")
    assert list(gate.fit_rivals(_Values(), sound, 0)) == ["frequent", "templates"]
    mixed = Recordings(_recordings(10, seconds=6).items + _recordings(30).items, kind="features")
    values = _Values()
    gate.fit_rivals(values, mixed, 0)
    assert {one.seconds for one in values.asked} == {1.0}


def test_texts_that_do_not_belong_together_are_told() -> None:
    with pytest.raises(DataError, match="4 answers and 5 references"):
        gate.evaluation_of(REFERENCES, SAID[:4], RIVALS, "", False)
    with pytest.raises(DataError, match="1 answers and 5 references"):
        gate.evaluation_of(LABELS, HEARD, {"a": ["yes"]}, "", True)
    with pytest.raises(DataError, match="2 names and 5 references"):
        gate.evaluation_of(REFERENCES, SAID, RIVALS, "", False, names=["a", "b"])
    with pytest.raises(DataError, match="no reference has a word"):
        gate.evaluation_of(["", " "], ["a", "b"], {"a": ["", ""]}, "", False)
