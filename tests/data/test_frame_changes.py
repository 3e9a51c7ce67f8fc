"""What is done to frames: as the equations say, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from unrolled.data.frame_changes import at_pace, curve, warped, with_echo
from unrolled.data.log_mel import LogMel

RATE = 8000
CENTRES = LogMel(RATE).centres


def drawn(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_warp_of_one_is_the_identity() -> None:
    frames = drawn().normal(size=(30, 40)).astype(np.float32)
    np.testing.assert_array_equal(warped(frames, CENTRES, 1.0), frames)


@pytest.mark.parametrize("alpha", [0.9, 0.95, 1.05, 1.1])
@pytest.mark.parametrize("band", [8, 15, 25, 32, 37])
def test_a_warp_moves_the_band_of_a_tone_as_the_equation_says(alpha: float, band: int) -> None:
    # A ramp in Hz shows where each band was taken from: linear interpolation keeps it but for
    # its bend between centres.
    top = CENTRES[-1]
    knee = 0.6 * top * min(alpha, 1) / alpha
    at = CENTRES[band]
    source = alpha * at if at <= knee else top - (top - alpha * knee) * (top - at) / (top - knee)
    ramp = np.tile(CENTRES.astype(np.float32), (2, 1))
    assert abs(warped(ramp, CENTRES, alpha)[0, band] - source) <= 1
    mel = LogMel(RATE)
    seen = warped(mel.of(tone(source)), CENTRES, alpha).mean(0)
    assert abs(int(seen.argmax()) - band) <= 1


def tone(hertz: float) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE).astype(np.float32)


@pytest.mark.parametrize("factor", [0.8, 0.97, 1.0, 1.25])
@pytest.mark.parametrize("length", [1, 2, 50])
def test_a_pace_reads_the_frames_at_the_factor_times_their_number(
    factor: float, length: int
) -> None:
    ramp = np.stack([np.arange(length), -2.0 * np.arange(length)], 1).astype(np.float32)
    made = at_pace(ramp, factor)
    assert len(made) == max(1, round(length / factor))
    wanted = np.minimum(np.arange(len(made)) * factor, length - 1)
    np.testing.assert_allclose(made, np.stack([wanted, -2 * wanted], 1), rtol=1e-6, atol=1e-6)
    assert made.dtype == np.float32


def test_a_curve_is_smooth_of_no_lasting_sign_and_within_its_bounds() -> None:
    nats = np.log(10) / 10
    curves = np.stack([curve(40, 3.0, drawn(k)) for k in range(500)])
    assert curves.dtype == np.float32
    most = 3 * nats * (1 + sum(1 / np.sqrt(k) for k in (1, 2, 3, 4)))
    assert 0.6 * most <= np.abs(curves).max() <= most
    assert np.abs(curves.mean(0)).max() <= 0.15
    # The quickest of the waves turns by 2 pi over the bands, once.
    assert np.abs(np.diff(curves, axis=1)).max() <= most * 2 * np.pi / 39


def test_an_echo_is_the_sum_over_the_past_as_the_equation_says() -> None:
    frames = drawn().normal(size=(30, 4)).astype(np.float32)
    energies, wanted = np.exp(frames.astype(float)), np.zeros((30, 4))
    for t in range(30):
        past = sum((0.6**k * energies[t - k] for k in range(1, t + 1)), np.zeros(4))
        wanted[t] = np.log(energies[t] + 0.5 * past)
    np.testing.assert_allclose(with_echo(frames, 0.6, 0.5), wanted, rtol=1e-5, atol=1e-5)


def test_an_echo_of_silence_stays_a_number() -> None:
    frames = np.full((20, 3), -1e4, np.float32)
    frames[5] = 3.0
    made = with_echo(frames, 0.5, 0.5)
    assert np.isfinite(made).all()
    assert made.dtype == np.float32
