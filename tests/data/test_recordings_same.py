"""The same sound is found under other names and in other files, and nothing else is."""

from __future__ import annotations

import numpy as np
import soundfile

from unrolled.data.recordings import Recording
from unrolled.data.recordings_reading import read_recordings
from unrolled.data.recordings_same import same_sounds

RATE = 8000


def sound(seed: int, count: int = 12_000) -> np.ndarray:
    whole = np.random.default_rng(seed).integers(-9000, 9000, count) / 32768
    return whole.astype(np.float32)


def test_the_same_samples_have_one_key_and_others_their_own(tmp_path):
    first = sound(0)
    late = first.copy()
    late[-1] += 0.1  # alike in the middle
    kinds = {
        "a.wav": first, "b.flac": first, "c.wav": late, "d.wav": sound(1),
        "e.wav": first[:-1], "f.wav": 0 * first, "g.wav": 0 * first,
    }  # fmt: skip
    for name, samples in kinds.items():
        soundfile.write(tmp_path / name, samples, RATE, subtype="PCM_16")
    files = read_recordings([tmp_path / name for name in kinds], texts=False).items
    given = Recording("", len(first) / RATE, RATE, values=first)
    slow = Recording("", len(first) / RATE / 2, 2 * RATE, values=first)
    keys = same_sounds([*files, given, slow])
    assert keys[0] == keys[1] == keys[7]
    assert len(set(keys)) == len(keys) - 2


def test_equal_features_have_one_key():
    one = np.random.default_rng(0).normal(size=(50, 13)).astype(np.float32)
    items = [Recording("", 0.5, 100, values=values) for values in (one, one + 1, one.copy())]
    keys = same_sounds(items)
    assert keys[0] == keys[2] != keys[1]


def test_what_can_not_be_read_is_like_nothing(tmp_path):
    items = [Recording("", 1.5, RATE, path=tmp_path / f"{at}.wav") for at in range(2)]
    assert len(set(same_sounds(items))) == 2
