"""What is measured of a network that listens, and the other tasks' data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from run_folder import TEST, VALIDATION
from run_parts import Parts, Request
from speech_tasks import an4, connected, delays, espeak, live, streams
from text_tasks.runs import NETWORK

from tests.tasks.transcribing.small import RATE, labelled, spoken
from unrolled import Transcriber
from unrolled.data.recordings import Recording, Recordings
from unrolled.tasks.transcribing.transcript import Partial

SMALL: dict[str, Any] = {"hidden_size": 8, "layers": 1, "channels": 2, "bands": 16}


class Told:
    """Hears each word so long after its end; some come too early and go away again."""

    def __init__(self, one: Recording, late: float, flickers: bool = False) -> None:
        self.framing = self
        self.rate = int(one.rate)
        self.late, self.flickers = late, flickers
        self.words, self.ends = one.text.split(), delays.word_ends(one)

    def samples(self, one: Recording) -> Any:
        return one.values

    def start(self) -> dict[str, Any]:
        return {"heard": np.array(0)}

    def step(self, sound: Any, state: Any, endpoint: float | None = 0.8) -> Any:
        assert endpoint is None
        heard = int(state["heard"]) + len(sound)
        now = heard / self.rate
        count = sum(now >= end + self.late for end in self.ends)
        if self.flickers and now < self.ends[0]:
            count = 1 if now > self.ends[0] - 0.35 and now < self.ends[0] - 0.15 else 0
        return Partial(" ".join(self.words[:count])), {"heard": np.array(heard)}


def test_words_end_where_their_recordings_do() -> None:
    tones, rate = labelled(30), RATE
    made = connected.joined(tones, 5, rate=rate, **delays.JOINING)
    for one in made.items:
        assert one.values is not None
        silent = np.abs(one.values) == 0
        for end in delays.word_ends(one):
            at = round(end * rate)
            # Silence begins there: within the 10 ms that a place is told to.
            assert silent[at + rate // 50 : at + rate // 5].all()
            assert not silent[at - rate // 10 : at - rate // 50].all()


@pytest.mark.parametrize("late", [0.1, 0.3])
def test_a_delay_is_from_the_end_of_a_word_to_the_chunk_that_tells_it(late: float) -> None:
    made = connected.joined(labelled(30), 1, rate=RATE, **delays.JOINING)
    (one,) = made.items
    found = delays.delays(Told(one, late), made, 0.05)
    assert len(found.stays) == len(one.text.split())
    assert all(late <= delay <= late + 0.05 + 1e-6 for delay in found.stays)
    assert found.first == found.stays
    row = found.row()
    assert row["delay, ms"] == pytest.approx(1000 * np.median(found.stays))
    assert row["all right, %"] == 100


def test_a_word_that_goes_away_again_is_not_there_yet() -> None:
    made = connected.joined(labelled(30), 1, rate=RATE, **delays.JOINING)
    (one,) = made.items
    found = delays.delays(Told(one, 0.2, flickers=True), made, 0.05)
    assert found.first[0] < 0
    assert 0.2 <= found.stays[0] <= 0.25 + 1e-6


def test_recordings_that_are_heard_wrong_have_no_delays() -> None:
    made = connected.joined(labelled(30), 1, rate=RATE, **delays.JOINING)
    (one,) = made.items
    model = Told(one, 0.1)
    model.words = ["wrong", *model.words[1:]]
    found = delays.delays(model, made, 0.05)
    assert (found.right, found.stays) == (0, ())
    assert np.isnan(found.row()["delay of 95%, ms"])


def test_streams_are_heard_side_by_side_each_with_its_state() -> None:
    one = connected.joined(labelled(30), 1, rate=RATE, **delays.JOINING).items[0]
    order: list[tuple[int, int]] = []

    class Noted(Told):
        def start(self) -> dict[str, Any]:
            self.started = getattr(self, "started", 0) + 1
            return {"heard": np.array(0), "stream": np.array(self.started)}

        def step_all(self, sounds: Any, states: Any, endpoint: float | None = 0.8) -> Any:
            for sound, state in zip(sounds, states, strict=True):
                order.append((int(state["stream"]), len(sound)))
            return [Partial("") for _ in sounds], states

    sounds = [np.zeros(RATE, np.float32), np.zeros(RATE // 2, np.float32)]
    found = streams.cost(Noted(one, 0.0), sounds, 0.2)
    assert order == [(1, 800), (2, 800)] * 2
    assert found.seconds == pytest.approx(0.4)
    assert 0 < found.slowest <= found.clock


@pytest.fixture(scope="module")
def listens() -> Transcriber:
    model = Transcriber(**SMALL, augment=0.0)
    return model.fit(
        spoken(20), budget="2 steps", validation=0, holdout=0, progress=False, diagnose=False
    )


def test_processes_share_out_the_streams(listens: Transcriber, tmp_path: Path) -> None:
    path = tmp_path / "listens.unrolled"
    listens.save(path)
    sounds = [np.zeros(2 * RATE, np.float32)] * 3
    found = streams.together(path, sounds, 0.1, 2)
    assert len(found) == 2
    assert all(one.seconds == pytest.approx(2) for one in found)
    assert all(one.processor > 0 for one in found)


def test_live_is_judged_by_cost_and_delay_of_either_part(
    listens: Transcriber, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in (("SECONDS", 2), ("ROUNDS", 2), ("STREAMS", 3), ("SCORED", 4)):
        monkeypatch.setattr(live, name, value)
    monkeypatch.setattr(live, "together", lambda path, sounds, *_: [costs(sounds)])
    asked: list[str] = []

    def costs(sounds: Any) -> streams.Cost:
        assert [len(one) for one in sounds] == [2 * RATE] * 3
        assert not np.array_equal(sounds[0], sounds[1])
        return streams.Cost(2.0, 1.0, 3.0, 0.07)

    def test() -> Recordings:
        asked.append(TEST)
        return labelled(18, seed=2)

    data = Parts("tones", labelled(30), labelled(18, seed=1), test, "others", "some")
    for which in (VALIDATION, TEST):
        request = Request("live", part=which)
        part = live.part(listens, tmp_path / "none", {}, data, request)
        row = part["scores"][NETWORK]
        assert row[live.KEEPS_UP] == 0.5
        assert row["100 streams, cores"] == 1.5
        assert 0 < row[live.ONE] <= row["median"]
        assert [goal["limit"] for goal in part["goals"]] == [1.5, 1.0, 500.0]
        # What was heard wrong has no delay, and reaches nothing.
        assert part["goals"][2]["reached"] is bool(row[live.DELAY] <= 500.0)
    assert asked == [TEST]


def test_digits_in_a_row_are_by_one_speaker_and_no_two_say_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connected, "SCORED", 4)
    monkeypatch.setattr(connected, "LEARNT", 6)
    tones = labelled(60)
    each = []
    for name in ("s0", "s1"):
        mine = tones.select([at for at, one in enumerate(tones.items) if one.speaker == name])
        # The same texts in the same order: what differs is the speaker alone.
        items = tuple(replace(one, text=str(at)) for at, one in enumerate(mine.items))
        each.append(connected.CONTEST.scored(replace(mine, items=items)))
    assert [len(one) for one in each] == [4, 4]
    assert all(3 <= len(text.split()) <= 7 for one in each for text in one.texts)
    assert each[0].texts != each[1].texts
    learnt = connected.CONTEST.learnt(tones)
    assert len(learnt) == 6
    assert not learnt.labelled


@pytest.mark.data
def test_the_speakers_of_an4_that_choose_do_not_learn() -> None:
    data = an4.an4()
    train, chosen = ({x.speaker for x in one.items} for one in (data.train, data.validation))
    assert (len(train), len(chosen)) == (66, 8)
    assert not train & chosen
    assert len(data.train) + len(data.validation) == 948
    test = data.test()
    assert len(test) == 130
    assert not {one.speaker for one in test.items} & (train | chosen)


def test_real_digits_are_tried_after_those_that_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("espeakng_loader")
    monkeypatch.setattr(espeak, "TRAIN", 30)
    monkeypatch.setattr(espeak, "CHOSEN_BY", 10)
    tried: list[int] = []

    def everything() -> Recordings:
        tones = labelled(12)
        tried.append(len(tones))
        items = tuple(replace(one, text=str(at % 10)) for at, one in enumerate(tones.items))
        return replace(tones, items=items)

    monkeypatch.setattr(espeak, "everything", everything)
    quick: dict[str, Any] = {"budget": "2 steps", "options": {**SMALL, "bands": 20}}
    part = espeak.espeak(Request("espeak", part=VALIDATION, **quick))
    assert (tried, part["goals"]) == ([], [])
    assert part["held out"].startswith("other timbres of eSpeak NG: 10 recordings")
    part = espeak.espeak(Request("espeak", part=TEST, **quick))
    assert tried == [12]
    row = part["scores"][NETWORK]
    assert np.mean([row[f"s{at}"] for at in range(6)]) == pytest.approx(row["accuracy"])
