"""What lies between a mouth and a file: timbre, mumbling, a room, a band, noise, a level, clipping.

A synthesiser speaks as in no room, into no microphone, and always in the same way. What a
recogniser learns from it carries over to real recordings as far as what differs between those is
varied here, more widely than it differs there. Everything is drawn from the generator given, so
that the same seed gives the same samples, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_TELEPHONE = (300.0, 3400.0)
# The tail of a room is cut where it has fallen by 60 dB; a longer one would only be slow.
_LONGEST_TAIL = 0.6
_KNOTS = np.log2(125.0 * 2.0 ** np.arange(7))
_MU = 255.0


def through_channel(
    samples: np.ndarray,
    rate: int,
    draws: np.random.Generator,
    *,
    around: Sequence[np.ndarray] = (),
) -> np.ndarray:
    """One recording of a voice, as a drawn room, microphone, line and recorder would give it.

    Args:
        samples: the voice alone, `(N,)`, silence at both ends included.
        rate: samples a second.
        draws: of everything.
        around: other voices, of which some may be heard far away.

    Returns: samples `(N,)` float32 in [-1, 1], in steps of 16 bits; never all zero but where
        `samples` is.
    """
    voice = samples.astype(np.float64)
    if not voice.any():
        return np.zeros(len(voice), np.float32)
    voice = _tilt(voice, draws)
    voice = _mumble(voice, rate, draws)
    loud = active_level(voice, rate)
    heard = voice + loud * _babble(len(voice), around, rate, draws)
    if draws.random() < 0.5:
        heard = in_room(heard, rate, draws)
    heard = heard + active_level(heard, rate) * _noise(len(heard), rate, draws)
    heard = _band(heard, rate, draws)
    return _recorded(heard, draws)


def active_level(samples: np.ndarray, rate: int) -> float:
    """The root mean square of the louder parts: of frames of 20 ms within 30 dB of the loudest."""
    size = max(1, rate // 50)
    whole = len(samples) // size * size
    frames = samples[:whole].reshape(-1, size) if whole else samples[None]
    powers = np.square(frames, dtype=np.float64).mean(1)
    return float(np.sqrt(powers[powers >= 1e-3 * powers.max()].mean()))


def in_room(samples: np.ndarray, rate: int, draws: np.random.Generator) -> np.ndarray:
    """The samples in a small room: the sound itself, then a tail of noise that fades exponentially.

        h[0] = 1,   h[n] = g w[n] 10^(-3 n / (rate R)),   w normal

    `R`, the time in which the tail falls by 60 dB, is 0.08 to 0.6 s; the tail's energy is 0 to
    20 dB below that of the sound itself. The end of the tail is cut at the end of the samples.
    """
    from scipy.signal import oaconvolve

    fall = draws.uniform(0.08, _LONGEST_TAIL)
    count = max(2, int(fall * rate))
    tail = draws.standard_normal(count) * 10.0 ** (-3.0 * np.arange(count) / (rate * fall))
    tail[0] = 0.0
    tail *= 10.0 ** (draws.uniform(-20.0, 0.0) / 20.0) / np.sqrt(np.square(tail).sum())
    tail[0] = 1.0
    return oaconvolve(samples, tail)[: len(samples)]


def coloured_noise(count: int, slope: float, draws: np.random.Generator) -> np.ndarray:
    """Noise of unit power whose power falls with the frequency `f` as `f ** -slope`: white, pink
    or brown with 0, 1 or 2."""
    from scipy.fft import next_fast_len

    size = next_fast_len(max(2, count), real=True)
    spectrum = np.fft.rfft(draws.standard_normal(size))
    bins = np.arange(len(spectrum), dtype=np.float64)
    # Below a two-hundredth of the band the power stays, or brown noise would be a drift alone.
    spectrum *= np.maximum(bins, max(1.0, len(spectrum) / 200.0)) ** (-slope / 2.0)
    spectrum[0] = 0.0
    noise = np.fft.irfft(spectrum, size)[:count]
    return noise / max(np.sqrt(np.square(noise).mean()), 1e-12)


def _tilt(voice: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """More treble or more bass, as mouths and microphones have: `y[n] = x[n] - a x[n-1]`, or
    its inverse."""
    from scipy.signal import lfilter

    # eSpeak's treble is strong beside that of most people.
    amount = draws.uniform(-0.9, 0.5)
    if amount >= 0:
        return lfilter([1.0, -amount], [1.0], voice)
    return lfilter([1.0], [1.0, amount], voice)


def _mumble(voice: np.ndarray, rate: int, draws: np.random.Generator) -> np.ndarray:
    """A loudness that wanders by some decibels, and often fades towards the end."""
    knots = 2 + int(len(voice) / rate / 0.25)
    decibels = draws.normal(0.0, 2.5, knots)
    decibels -= draws.choice([0.0, draws.uniform(0.0, 10.0)]) * np.linspace(0.0, 1.0, knots)
    places = np.linspace(0.0, knots - 1.0, len(voice))
    return voice * 10.0 ** (np.interp(places, np.arange(knots), decibels) / 20.0)


def _babble(
    count: int, around: Sequence[np.ndarray], rate: int, draws: np.random.Generator
) -> np.ndarray:
    """Voices far away, 10 to 30 dB below the one that counts, one time in seven."""
    total = np.zeros(count)
    if not around or draws.random() >= 1 / 7:
        return total
    for other in around:
        if not other.any():
            continue
        level = 10.0 ** (-draws.uniform(10.0, 30.0) / 20.0) / active_level(other, rate)
        begin = int(draws.integers(count))
        part = other[: count - begin]
        total[begin : begin + len(part)] += level * part
    return total


def _noise(count: int, rate: int, draws: np.random.Generator) -> np.ndarray:
    """Noise of some colour, and one time in four the hum of the mains with its harmonics, relative
    to the level of the voice."""
    total = coloured_noise(count, draws.uniform(0.0, 2.0), draws)
    # Most recordings are rather clean, some are not.
    total *= 10.0 ** (-draws.triangular(5.0, 35.0, 60.0) / 20.0)
    if draws.random() < 0.25:
        mains = draws.choice([50.0, 60.0]) * np.arange(1, 8)
        heights = 10.0 ** (-draws.uniform(15.0, 50.0) / 20.0) * draws.random(7) / np.arange(1, 8)
        phases = draws.uniform(0.0, 2.0 * np.pi, 7)
        times = np.arange(count)[:, None] / rate
        total += (heights * np.sin(2.0 * np.pi * mains * times + phases)).sum(1)
    return total


def _band(heard: np.ndarray, rate: int, draws: np.random.Generator) -> np.ndarray:
    """What the microphone and the line let through: a telephone's band or bounds of their own, and
    between them no straight line."""
    half = 0.5 * rate
    if draws.random() < 0.25:
        low, high = _TELEPHONE
    else:
        low = draws.uniform(20.0, 250.0)
        high = np.inf if draws.random() < 0.4 else draws.uniform(2200.0, half)
    decibels = draws.normal(0.0, draws.uniform(0.0, 5.0), len(_KNOTS))
    return within_band(heard, rate, low, high, decibels)


def within_band(
    samples: np.ndarray, rate: int, low: float, high: float, decibels: np.ndarray
) -> np.ndarray:
    """Butterworth's slopes without their delay, 12 dB an octave below `low`, 24 above `high`, times
    a smooth curve.

        |H(f)| = 10^(d(f) / 20) / sqrt((1 + (low / f)^4) (1 + (f / high)^8))

    Args:
        samples: `(N,)`.
        rate: samples a second.
        low, high: in Hz, where half of the power is let through; infinity for no upper bound.
        decibels: `d` at 125, 250, 500, ... 8000 Hz; between them it is straight over log f.
    """
    from scipy.fft import next_fast_len

    # The zeros after the end keep it from ringing into the beginning.
    size = next_fast_len(len(samples) + rate // 20, real=True)
    spectrum = np.fft.rfft(samples, size)
    hertz = np.maximum(np.fft.rfftfreq(size, 1.0 / rate), 1e-3)
    spectrum /= np.sqrt((1.0 + (low / hertz) ** 4) * (1.0 + (hertz / high) ** 8))
    spectrum *= 10.0 ** (np.interp(np.log2(hertz), _KNOTS, decibels) / 20.0)
    return np.fft.irfft(spectrum, size)[: len(samples)]


def _recorded(heard: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """A level between loud and faint, one time in ten so loud that it is clipped, now and then in
    the 8 bits of the telephone; 16 bits always."""
    largest = max(float(np.abs(heard).max()), 1e-12)
    decibels = draws.uniform(1.0, 12.0) if draws.random() < 0.1 else draws.uniform(-30.0, -0.5)
    level = heard / largest * 10.0 ** (decibels / 20.0)
    level = np.clip(level, -1.0, 32767 / 32768)
    if draws.random() < 0.15:
        bent = np.log1p(_MU * np.abs(level)) / np.log1p(_MU)
        steps = np.round(bent * 127.0) / 127.0
        level = np.sign(level) * np.expm1(steps * np.log1p(_MU)) / _MU
    return (np.round(level * 32768.0) / 32768.0).astype(np.float32)
