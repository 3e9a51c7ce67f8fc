"""Recordings know what they hold, and which of them must not be parted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from unrolled.data.recordings import Recording, Recordings, told_time


def recording(text: str, speaker: str | None, seed: int = 0) -> Recording:
    values = np.random.default_rng(seed).normal(size=80).astype(np.float32)
    return Recording(text, 0.01, 8000, values=values, speaker=speaker)


SOME = Recordings(
    (
        recording("one", "ann"),
        recording("two", "ann", 1),
        recording("One", "bob", 2),
        recording("six", None, 3),
        recording("six", None, 4),
    )
)


def test_what_they_are_in_words_counts_time_and_speakers() -> None:
    assert str(SOME) == "5 recordings, 0 s, 2 speakers"
    assert str(SOME.select([3])) == "1 recording, 0 s"
    assert (told_time(48), told_time(1860), told_time(9000)) == ("48 s", "31 min", "2.5 h")


@pytest.mark.parametrize(
    ("apart", "groups"),
    [
        ("speaker", [[0, 1], [2], [3], [4]]),
        ("text", [[0, 2], [1], [3, 4]]),
        ("both", [[0, 1, 2], [3, 4]]),
        ("none", [[0], [1], [2], [3], [4]]),
    ],
)
def test_those_that_stay_together_share_a_speaker_or_a_text(
    apart: str, groups: list[list[int]]
) -> None:
    assert SOME.groups(apart) == groups


def test_the_digest_changes_with_every_text_speaker_and_sample() -> None:
    first, *rest = SOME.items
    assert first.values is not None
    louder = replace(first, values=first.values * np.float32(1.001))
    others = [replace(first, text="won"), replace(first, speaker="eve"), louder]
    seen = {replace(SOME, items=(other, *rest)).digest() for other in [first, *others]}
    seen.add(replace(SOME, labelled=True).digest())
    assert len(seen) == 5
    assert SOME.select(range(5)).digest() == SOME.digest()
