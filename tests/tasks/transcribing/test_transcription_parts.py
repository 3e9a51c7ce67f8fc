"""Which recordings are learnt from and which are tested on, and what is told of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from unrolled.data.recordings import Recording, Recordings
from unrolled.errors import DataError
from unrolled.tasks.transcribing.parts import Split, read_split
from unrolled.tasks.transcribing.symbols import Symbols

RATE = 8000


def spoken(count: int = 60, speakers: int = 0, seconds: float = 1.0) -> list[Recording]:
    draw = np.random.default_rng(0)
    found = []
    for at in range(count):
        values = draw.normal(size=round(seconds * RATE) + at % 7).astype(np.float32) / 10
        speaker = f"s{at % speakers}" if speakers else None
        found.append(
            Recording(f"word {at}", len(values) / RATE, RATE, values=values, speaker=speaker)
        )
    return found


def split(items: list[Recording], apart: str = "auto", kind: str = "characters", **more) -> Split:
    def symbols_of(learnt: Recordings) -> Symbols:
        return Symbols.learn(learnt.texts, kind=kind, size=None)

    given = {"validation": 0.2, "holdout": 0.2, "test": None, "reading": {}, "subsampling": 4}
    data = Recordings(tuple(items))
    return read_split(data, apart=apart, symbols_of=symbols_of, **(given | more))


@pytest.mark.parametrize("apart", ["none", "text", "speaker"])
def test_a_sound_is_on_one_side_of_a_split_alone(apart):
    items = spoken(30)
    twice = [replace(one, text=f"again {at}", place=f"copy {at}") for at, one in enumerate(items)]
    found = split([*items, *twice], apart)
    parts = [
        {one.values.tobytes() for one in part.items}
        for part in (found.learnt, found.chosen_by, found.test)
    ]
    assert sum(map(len, parts)) == 30
    assert len(set().union(*parts)) == 30


def test_doubles_that_are_kept_together_are_a_note():
    items = spoken(30)
    found = split([*items, *items]).checkup
    (double,) = (one for one in found if one.kind == "duplicate")
    assert (double.severity, double.done) == ("note", "kept on one side of the split")


@pytest.mark.parametrize("apart", ["auto", "speaker", "both"])
def test_other_speakers_are_told_where_that_is_true(apart):
    assert split(spoken(60, speakers=12), apart).told.endswith("recordings, of other speakers")


@pytest.mark.parametrize("apart", ["auto", "speaker", "both", "none"])
def test_other_speakers_are_not_told_of_those_that_are_not_known(apart):
    assert "speakers" not in split(spoken(60), apart).told
    few = [replace(one, speaker=f"s{at}" if at < 8 else None) for at, one in enumerate(spoken(60))]
    assert "speakers" not in split(few, apart).told


def test_other_speakers_are_not_told_of_the_same_ones():
    assert "speakers" not in split(spoken(60, speakers=12), "none").told


def test_recordings_without_a_transcript_are_told_or_left_out():
    items = [replace(one, text="" if at in (3, 5) else one.text) for at, one in enumerate(spoken())]
    with pytest.raises(DataError, match=r"2 of 60 recordings have no transcript, the first is rec"):
        split(items)
    found = split(items, reading={"skip": True})
    assert all(one.text for part in (found.learnt, found.test) for one in part.items)
    assert [one.severity for one in found.checkup if "left out, 2 of 60" in one.text] == ["warning"]


def test_too_long_to_say_is_judged_by_what_is_learnt():
    items = [replace(one, text=f"{one.text} and so on and so on") for one in spoken()]
    kinds = [
        {one.kind for one in split(items, kind=kind).checkup} for kind in ("characters", "words")
    ]
    assert ["too long to say" in one for one in kinds] == [True, False]


@pytest.mark.parametrize(("rate", "told"), [(100, True), (200, False)])
def test_too_long_to_say_is_judged_by_the_rate_of_the_features(rate, told):
    draw = np.random.default_rng(0)
    items = [
        Recording(f"so many characters {at:02}", 0.6, rate, values=values)
        for at, values in enumerate(draw.normal(size=(60, round(0.6 * rate), 5)))
    ]
    data = Recordings(tuple(items), "features")
    found = read_split(
        data, 0.2, 0.2, None, "none", {}, 4,
        lambda learnt: Symbols.learn(learnt.texts, kind="characters", size=None),
    )  # fmt: skip
    assert ("too long to say" in {one.kind for one in found.checkup}) == told
