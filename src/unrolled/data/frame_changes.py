"""What is done to frames of log energies: another pace, microphone, room or mouth."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from unrolled.data.log_mel import Frames

# The part of the bands' range that is warped evenly; the rest closes the gap to the top.
# Jaitly and Hinton have 4.8 of 8 kHz.
_KNEE = 0.6
# Waves over the bands that a microphone's curve is made of.
_WAVES = 4


def at_pace(frames: Frames, factor: float) -> Frames:
    """`x(factor t)`: about `T / factor` frames, on straight lines between those that are there."""
    count = max(1, round(len(frames) / factor))
    places = np.minimum(np.arange(count) * factor, len(frames) - 1)
    below = np.minimum(places.astype(int), max(0, len(frames) - 2))
    above = (places - below).astype(frames.dtype)[:, None]
    return frames[below] * (1 - above) + frames[np.minimum(below + 1, len(frames) - 1)] * above


def curve(bands: int, most: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """`(F,)` in nats: what another microphone might add to log energies.

        y_b = a_0 u_b + sum over k of a_k / sqrt(k) cos(pi k u_b / 2 + p_k),   u_b in [-1, 1]

    Args:
        bands: F.
        most: `a` is in [-most, most], in dB; p is any.
        rng: what the numbers are drawn from.
    """
    places, turns, sizes = _waves_over(bands)
    line, *parts = rng.uniform(-most, most, 1 + _WAVES)
    waves = np.cos(turns + rng.uniform(0, 2 * np.pi, _WAVES))
    decibels = line * places + waves @ (sizes * parts)
    return (decibels * (np.log(10) / 10)).astype(np.float32)


@lru_cache(maxsize=8)
def _waves_over(bands: int) -> tuple[NDArray[np.float64], ...]:
    """Of a curve what no number is drawn for: `u`, `pi k u / 2` and `1 / sqrt(k)`."""
    places, waves = np.linspace(-1, 1, bands), np.arange(1, _WAVES + 1)
    return places, np.pi / 2 * np.outer(places, waves), 1 / np.sqrt(waves)


def with_echo(frames: Frames, decay: float, strength: float) -> Frames:
    """Log energies in a room: `log(E_t + strength sum over k >= 1 of decay^k E_(t-k))`.

    Args:
        frames: `(T, F)` log energies in nats.
        decay: of the echo's energy from one frame to the next.
        strength: of the echo beside what is heard directly.
    """
    from scipy.signal import lfilter

    top = frames.max(axis=0)
    energies = np.exp(frames - top)
    echo = lfilter([0.0, strength * decay], [1.0, -decay], energies, axis=0)
    return (np.log(np.maximum(energies + echo, np.finfo(np.float32).tiny)) + top).astype(
        frames.dtype
    )


def warped(frames: Frames, centres: NDArray[np.float64], alpha: float) -> Frames:
    """Bands of another vocal tract: the band at `f` takes the value at `w(f)`.

        w(f) = alpha f                       up to k = .6 S min(alpha, 1) / alpha
        w(f) = S - (S - alpha k) (S - f) / (S - k)     from there to the top band's S

    A tone at `w(f)` is then seen at `f`: lower for `alpha > 1`. Values between bands lie on the
    straight line between theirs; below the first there is its own.

    Args:
        frames: `(T, F)`, log energies.
        centres: `(F,)`, rising, in Hz.
        alpha: the factor; 1 changes nothing.

    Source: Jaitly and Hinton 2013.
    """
    top = centres[-1]
    knee = _KNEE * top * min(alpha, 1.0) / alpha
    sources = np.interp(centres, [0, knee, top], [0, alpha * knee, top])
    places = np.interp(sources, centres, np.arange(len(centres)))
    below = np.minimum(places.astype(int), len(centres) - 2)
    above = (places - below).astype(frames.dtype)
    return frames[:, below] * (1 - above) + frames[:, below + 1] * above
