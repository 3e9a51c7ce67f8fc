"""`Augment`: sounds and their frames, changed at random while a network learns from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unrolled.data.frame_changes import at_pace, curve, warped, with_echo
from unrolled.data.log_mel import Frames, Samples, checked_samples
from unrolled.errors import ConfigError, DataError, MissingExtra

# A shift loses no more than this part of a sound, so that no word of a short one is cut away.
_LOST = 0.1
# Of echoes: the energy that is left after a frame, and the part of it beside the direct sound.
_DECAYS, _ECHOES = (0.3, 0.75), (0.1, 0.6)


@dataclass(frozen=True)
class Augment:
    """How strongly sounds and frames are changed at random. For training alone; 0 is off.

    Each change draws its own numbers, uniform over its range, anew for each sound:

        speed   x(f t), f in [1 - speed, 1 + speed] in hundredths: shorter and higher for f > 1
        shift   x(t - d), d in [-shift, shift] ms, at most a tenth of the sound; silence comes in
        gain    10^(g / 20) x, g in [-gain, gain] dB
        noise   x + a n, with probability `noise`, a such that 10 log10(mean x^2 / mean (a n)^2)
                is in [least_snr, most_snr] dB; power of n ~ f^-s, s in [0, slope]
        stretch x(f t) of frames, log f in [-stretch, stretch]: another pace, as high as before
        contrast  m + g (x - m), log g in [-contrast, contrast], m the mean of a band over the
                sound: quiet and loud nearer together or farther apart
        equalise  x + a curve over the bands, a line and four waves, each up to so many dB: another
                microphone
        echo    E_t + q sum over k of r^k E_(t-k), with probability `echo`, E the energies, r in
                [.3, .75], q in [.1, .6]: a room that goes on sounding for a tenth to half a second
                (at 100 frames a second)
        warp    band of f takes the value at w(f): w(f) = a f below the knee, then straight to the
                top, a in [1 - warp, 1 + warp]
        masks   `time_masks` stretches of w frames, w in 0..time_width, and `band_masks` of w
                bands, w in 0..band_width, get the mean of their band over the sound

    The first four are of samples, in this order; the others are of frames, in this order. All draw
    from the generator that is given: the same seed makes the same sound.

    Args:
        speed, gain, shift: the largest change: as a factor beside 1, in dB, in ms.
        stretch, contrast: the largest change of the pace, and of the range, as a logarithm.
        equalise: the largest part of a curve, in dB.
        noise, echo: how often there is one, from 0 to 1.
        least_snr, most_snr: signal to noise, in dB, both powers taken over the whole sound.
        slope: the steepest spectrum of a made noise: 0 is white, 1 pink, 2 brown.
        warp: the largest change of the scale of frequencies, as a factor beside 1.
        time_masks, time_width, time_share: how many masks over time, the longest in frames, and
            as a part of the sound; whichever is shorter.
        band_masks, band_width, band_share: how many masks over bands, the widest in bands, and as a
            part of them; whichever is narrower.

    Raises:
        ConfigError: a value that can't work.

    Source: speed, Ko et al. 2015 (audio augmentation); warp, Jaitly and Hinton 2013 (vocal tract
    length perturbation), on bands already made and so by straight lines between them; masks, Park
    et al. 2019 (SpecAugment), without its time warping; echoes that die away exponentially, Lebart
    et al. 2001 (Polack's model of rooms).
    """

    speed: float = 0.1
    gain: float = 15.0
    shift: float = 20.0
    noise: float = 0.5
    least_snr: float = 10.0
    most_snr: float = 30.0
    slope: float = 2.0
    stretch: float = 0.15
    contrast: float = 0.3
    equalise: float = 6.0
    echo: float = 0.5
    warp: float = 0.1
    time_masks: int = 2
    time_width: int = 15
    time_share: float = 0.2
    band_masks: int = 2
    band_width: int = 8
    band_share: float = 0.2

    def __post_init__(self) -> None:
        for names, most in (
            (("speed", "stretch", "contrast", "warp"), 0.5),
            (("noise", "echo", "time_share", "band_share"), 1.0),
            (("gain", "equalise"), 20.0),
            (("slope",), 4.0),
            (("shift",), 1e6),
        ):
            for name in names:
                value = getattr(self, name)
                if not 0 <= value <= most:
                    raise ConfigError(f"Augment got {name}={value}; expected from 0 to {most:g}")
        for name in ("time_masks", "time_width", "band_masks", "band_width"):
            value = getattr(self, name)
            if not (value >= 0 and value % 1 == 0):
                raise ConfigError(f"Augment got {name}={value}; expected a whole number, 0 or more")
        if not -np.inf < self.least_snr <= self.most_snr < np.inf:
            raise ConfigError(
                f"Augment got least_snr={self.least_snr} and most_snr={self.most_snr}; expected "
                "finite values in dB, the least no larger"
            )

    def of_samples(
        self,
        samples: Samples,
        rate: float,
        rng: np.random.Generator,
        noises: Sequence[Samples] = (),
    ) -> Samples:
        """A sound with speed, shift, gain and noise changed at random.

        Args:
            samples: `(N,)` float32 in [-1, 1]; not written to.
            rate: samples a second.
            rng: what the numbers are drawn from.
            noises: recorded noises at the same rate, of any length; half of the noises are then
                stretches of these, from a random place on and over again where one is too short.

        Returns: `(N',)` float32, `N' = N / f`; beyond [-1, 1] where gain or noise lead there.

        Raises:
            DataError: samples of another shape or kind, or not finite.
            MissingExtra: soxr is not installed, and `speed` is not 0.
        """
        samples = checked_samples(samples)
        if not len(samples):
            return samples
        if self.speed:
            steps = round(100 * self.speed)
            samples = at_speed(samples, 1 + int(rng.integers(-steps, steps + 1)) / 100)
        if self.shift:
            most = min(self.shift * rate / 1000, _LOST * len(samples))
            samples = shifted(samples, round(rng.uniform(-most, most)))
        if self.gain:
            samples = samples * np.float32(10 ** (rng.uniform(-self.gain, self.gain) / 20))
        if self.noise and rng.random() < self.noise:
            noise = self._noise(len(samples), rng, noises)
            samples = with_noise(samples, noise, rng.uniform(self.least_snr, self.most_snr))
        return samples

    def of_frames(
        self,
        frames: Frames,
        rng: np.random.Generator,
        centres: NDArray[np.float64] | None = None,
    ) -> Frames:
        """Frames with their pace, microphone, room, bands and stretches changed at random.

        Args:
            frames: `(T, F)`, log energies of bands or other features; not written to.
            rng: what the numbers are drawn from.
            centres: `(F,)`, rising, where each band lies, such as `LogMel.centres` in Hz. None
                where the features are no bands; pace and masks alone are then changed.

        Returns: `(T', F)`, `T' = T / f`, at least 1.

        Raises:
            DataError: frames or centres of another shape.
        """
        if frames.ndim != 2 or (centres is not None and len(centres) != frames.shape[1]):
            beside = "" if centres is None else f" and {len(centres)} centres"
            raise DataError(
                f"got frames of shape {frames.shape}{beside}; expected (T, F), and F centres, "
                "or none"
            )
        if not frames.size:
            return frames
        if self.stretch:
            frames = at_pace(frames, float(np.exp(rng.uniform(-self.stretch, self.stretch))))
        if centres is not None:
            frames = self._heard_elsewhere(frames, rng, centres)
        length, bands = frames.shape
        longest = min(self.time_width, int(self.time_share * length))
        times = _stretches(length, self.time_masks, longest, rng)
        widest = min(self.band_width, int(self.band_share * bands))
        widths = _stretches(bands, self.band_masks, widest, rng)
        if times or widths:
            mean, frames = frames.mean(axis=0), frames.copy()
            for stretch in widths:
                frames[:, stretch] = mean[stretch]
            for stretch in times:
                frames[stretch] = mean
        return frames

    def _heard_elsewhere(
        self, frames: Frames, rng: np.random.Generator, centres: NDArray[np.float64]
    ) -> Frames:
        """By another microphone, in another room, from another mouth."""
        if self.contrast:
            mean = frames.mean(axis=0)
            apart = np.float32(np.exp(rng.uniform(-self.contrast, self.contrast)))
            frames = mean + apart * (frames - mean)
        if self.equalise:
            frames = frames + curve(frames.shape[1], self.equalise, rng)
        if self.echo and rng.random() < self.echo:
            frames = with_echo(frames, rng.uniform(*_DECAYS), rng.uniform(*_ECHOES))
        if self.warp:
            frames = warped(frames, centres, 1 + rng.uniform(-self.warp, self.warp))
        return frames

    def _noise(self, count: int, rng: np.random.Generator, noises: Sequence[Samples]) -> Samples:
        if noises and rng.random() < 0.5:
            one = noises[int(rng.integers(len(noises)))]
            if len(one):
                first = int(rng.integers(max(1, len(one) - count + 1)))
                return np.resize(checked_samples(one[first : first + count]), count)
        return coloured_noise(count, rng.uniform(0, self.slope), rng)


def at_speed(samples: Samples, factor: float) -> Samples:
    """`x(factor t)`: `N / factor` samples, each frequency `factor` times as high."""
    if factor == 1:
        return samples
    try:
        from soxr import resample
    except ImportError:
        raise MissingExtra("speech", "changing the speed of a sound") from None
    faster: Samples = resample(samples, factor, 1.0)
    return faster


def shifted(samples: Samples, by: int) -> Samples:
    """`x[n - by]`: later for `by > 0`; what leaves at one end is lost, silence comes in."""
    moved = np.zeros_like(samples)
    count = len(samples)
    moved[max(by, 0) : count + min(by, 0)] = samples[max(-by, 0) : count - max(by, 0)]
    return moved


def with_noise(samples: Samples, noise: Samples, snr: float) -> Samples:
    """`x + a n`, `a = sqrt(mean x^2 / mean n^2 / 10^(snr / 10))`; 0 where either is silent.

    Args:
        samples, noise: `(N,)`.
        snr: signal to noise in dB.
    """
    signal, other = (float(np.square(one, dtype=float).mean()) for one in (samples, noise))
    if other == 0:
        return samples
    return samples + np.float32(np.sqrt(signal / other / 10 ** (snr / 10))) * noise


def coloured_noise(count: int, slope: float, rng: np.random.Generator) -> Samples:
    """`(count,)` of Gaussian noise with a power spectrum `~ f^-slope`, without a mean.

    Made from its spectrum: independent complex normal numbers, each times `f^(-slope / 2)`.

    Source: Timmer and Koenig 1995.
    """
    from scipy.fft import irfft, next_fast_len

    size = next_fast_len(max(count, 2), real=True)
    half = size // 2 + 1
    spectrum = rng.standard_normal(2 * half, dtype=np.float32).view(np.complex64)
    spectrum[0] = 0
    spectrum[1:] *= np.arange(1, half, dtype=np.float32) ** np.float32(-slope / 2)
    noise: Samples = irfft(spectrum, size)[:count]
    return noise


def _stretches(length: int, count: int, longest: int, rng: np.random.Generator) -> list[slice]:
    """`count` stretches of 0 to `longest` of `length` places, together never all of them."""
    longest = min(longest, (length - 1) // count) if count else 0
    if not longest:
        return []
    widths = rng.integers(0, longest + 1, size=count)
    firsts = rng.integers(0, length - widths + 1)
    return [slice(a, a + w) for a, w in zip(firsts, widths, strict=True) if w]
