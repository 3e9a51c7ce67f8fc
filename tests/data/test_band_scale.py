"""Means and deviations of bands: learnt in one pass, as if from all frames at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.band_scale import BandScale
from unrolled.data.log_mel import Frames
from unrolled.errors import DataError


def some(lengths: list[int], centre: float = 0.0) -> list[Frames]:
    rng = np.random.default_rng(0)
    spread, apart = np.array([1, 2, 3, 4, 0]), np.array([1, 1, 1, 1, 0])
    # Recordings of different levels: what lies between them counts too.
    return [
        (centre + rng.normal() * apart + rng.normal(size=(n, 5)) * spread).astype(np.float32)
        for n in lengths
    ]


@given(st.lists(st.integers(0, 30), max_size=6), st.sampled_from([0.0, -8.0, 1e4]))
def test_one_pass_learns_what_all_frames_at_once_have(lengths: list[int], centre: float) -> None:
    recordings = some([2, *lengths], centre)
    scale = BandScale.of(iter(recordings))
    frames = np.concatenate(recordings).astype(float)
    np.testing.assert_allclose(scale.mean, frames.mean(0), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(scale.deviation[:4], frames.std(0)[:4], rtol=1e-5)
    assert scale.deviation[4] == 1


def test_scaled_frames_have_mean_zero_and_deviation_one_in_each_band() -> None:
    recordings = some([50, 80], -8.0)
    scaled = BandScale.of(recordings)(np.concatenate(recordings))
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(scaled.std(0), [1, 1, 1, 1, 0], atol=1e-4)


def test_the_frames_of_a_stream_are_scaled_as_those_of_the_whole() -> None:
    frames = some([40])[0]
    scale = BandScale.of([frames])
    parts = np.concatenate([scale(frames[:7]), scale(frames[7:7]), scale(frames[7:])])
    np.testing.assert_array_equal(parts, scale(frames))


@pytest.mark.parametrize(
    ("recordings", "told"),
    [
        ([], "no recording has a frame"),
        ([np.zeros((0, 3), np.float32)], "no recording has a frame"),
        (
            [np.zeros((2, 3), np.float32), np.zeros((2, 4), np.float32)],
            "recording 2 has frames of 4 bands, those before it have 3",
        ),
        ([np.full((2, 3), np.nan, np.float32)], "recording 1 has a frame with a value that is not"),
        ([np.zeros(3, np.float32)], r"recording 1 has shape \(3,\); expected \(T, F\)"),
    ],
)
def test_what_can_not_be_learnt_from_is_named(recordings: list[Frames], told: str) -> None:
    with pytest.raises(DataError, match=told):
        BandScale.of(recordings)
