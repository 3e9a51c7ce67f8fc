"""`LogMel`: sounds become frames of log-mel energies, the same offline and as they come."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache
from threading import get_ident
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from unrolled.errors import ConfigError, DataError, MissingExtra

if TYPE_CHECKING:
    from kaldi_native_fbank import FbankOptions, OnlineFbank

Samples = NDArray[np.float32]
Frames = NDArray[np.float32]

# The energy below which a band counts as silent. Samples lie in [-1, 1], so it is near the noise of
# rounding to 16 bits: digital silence and the quietest recording look alike.
FLOOR = float(np.finfo(np.float32).eps)
# Samples are no larger than 1, a little more after a resampling; far beyond, they are integers.
_LOUDEST = 16.0
# Frames made in one go, so that an hour's samples are never one list.
_AT_ONCE = 1000


@dataclass(frozen=True)
class LogMel:
    """Log-mel filter-bank energies, one frame for each hop.

        x_t  = samples[t * hop : t * hop + window]
        y_t  = povey * emphasis(x_t - mean(x_t)),   emphasis(x)[n] = x[n] - 0.97 x[n - 1]
        P_t  = |FFT(y_t, padded with zeros to a power of two)|^2
        frame[t, b] = log(max(sum_k w[b, k] P_t[k], 2^-23))

    `w[b]` is a triangle over the mel scale `1127 log(1 + f / 700)`, with its top at `centres[b]`
    and its ends at the tops of its neighbours. The window is Povey's, a Hann window to the power
    of .85. The first sample of a window is its own neighbour. A frame depends on nothing but its
    own samples: there is no dither and no normalisation over the utterance, so that a stream gives
    the frames of the whole sound, bit for bit. Samples enter in [-1, 1]; Kaldi's own features have
    them in [-32768, 32767], which adds `2 log 32768 = 20.8` to each value above the floor.

    Frozen, and what a call needs belongs to its thread, so threads may share one.

    Args:
        rate: samples a second, in Hz.
        bands: `F`, how many.
        window: length of a frame in ms, rounded down to whole samples.
        hop: from one frame to the next in ms, rounded down to whole samples.
        low: where the first band begins, in Hz.
        high: where the last band ends, in Hz; 0 is half of the rate.

    Raises:
        ConfigError: a value that can't work, also bands so many or so low that some would hold no
            frequency of the window's spectrum.

    Source: Davis and Mermelstein 1980; Kaldi's `fbank`, by kaldi-native-fbank.
    """

    rate: int = 16000
    bands: int = 40
    window: float = 25.0
    hop: float = 10.0
    low: float = 20.0
    high: float = 0.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not np.isfinite(value):
                raise ConfigError(f"LogMel got {name}={value}; expected a finite number")
        if self.rate < 100:
            raise ConfigError(f"LogMel got rate={self.rate}; expected at least 100 Hz")
        sample, top = 1000 / self.rate, self.rate / 2
        for name, good, wanted in (
            ("bands", self.bands >= 3, "3 or more"),
            ("hop", self.hop_size >= 1, f"at least one sample, {sample:.3g} ms"),
            ("window", self.window >= self.hop, f"no shorter than hop={self.hop:g}"),
            ("low", 0 <= self.low < (self.high or top), "from 0 to below the highest, in Hz"),
            ("high", 0 <= self.high <= top, f"0, or up to half of the rate, {top:g} Hz"),
        ):
            if not good:
                value = getattr(self, name)
                raise ConfigError(f"LogMel got {name}={value}; expected {wanted}")
        if not self._filled(self.bands):
            most = next((n for n in range(self.bands - 1, 2, -1) if self._filled(n)), 0)
            remedy = f"at most bands={most}, or " if most else ""
            raise ConfigError(
                f"LogMel got bands={self.bands}, of which some would hold no frequency of a window "
                f"of {self.window:g} ms at {self.rate} Hz; take {remedy}a longer window"
            )

    @property
    def window_size(self) -> int:
        """Samples in a frame."""
        return int(self.rate * self.window / 1000 + 1e-6)

    @property
    def hop_size(self) -> int:
        """Samples from one frame to the next; frame `t` begins at second `t * hop_size / rate`."""
        return int(self.rate * self.hop / 1000 + 1e-6)

    @property
    def centres(self) -> NDArray[np.float64]:
        """`(F,)`: where each band has its top, in Hz."""
        return 700 * np.expm1(self._edges(self.bands)[1:-1] / 1127)

    def frames(self, count: int) -> int:
        """How many frames `count` samples give: whole windows only."""
        return max(0, 1 + (count - self.window_size) // self.hop_size)

    def of(self, samples: Samples) -> Frames:
        """The frames `(T, F)` of a whole sound.

        Args:
            samples: `(N,)` float32 in [-1, 1], at `rate`.

        Raises:
            DataError: samples of another shape or kind, not finite, or fewer than one window.
            MissingExtra: kaldi-native-fbank is not installed.
        """
        samples = checked_samples(samples)
        if len(samples) < self.window_size:
            raise DataError(
                f"a sound of {len(samples)} samples ({1000 * len(samples) / self.rate:.3g} ms) has "
                f"no frame; one needs {self.window_size} samples ({self.window:g} ms at "
                f"{self.rate} Hz): leave it out, or pad it with silence"
            )
        return self._computed(samples)

    def stream(self, samples: Samples, left: Samples | None = None) -> tuple[Frames, Samples]:
        """The frames that are whole with the next samples, and the samples of those that are not.

        However a sound is cut into chunks, the frames are those of `of`, bit for bit.

        Args:
            samples: `(N,)` as for `of`; may be empty.
            left: what the call before gave back; None at the start.

        Returns: frames `(T, F)`, of which there may be none, and fewer samples than a window.

        Raises: as `of`, but for a sound that is short.
        """
        samples = checked_samples(samples)
        if left is not None:
            samples = np.concatenate((left, samples))
        count = self.frames(len(samples))
        frames = self._computed(samples) if count else np.empty((0, self.bands), np.float32)
        return frames, samples[count * self.hop_size :].copy()

    def _computed(self, samples: Samples) -> Frames:
        bank = _bank(self, get_ident())
        count, hop = self.frames(len(samples)), self.hop_size
        frames = np.empty((count, self.bands), np.float32)
        for first in range(0, count, _AT_ONCE):
            last = min(first + _AT_ONCE, count)
            block = samples[first * hop : (last - 1) * hop + self.window_size]
            bank.fill(frames[first:last], block)
        return frames

    def _edges(self, bands: int) -> NDArray[np.float64]:
        """`(bands + 2,)`: where bands begin, have their top and end, in mel."""
        ends = np.array([self.low, self.high or self.rate / 2])
        low, high = 1127 * np.log1p(ends / 700)
        return np.linspace(low, high, bands + 2)

    def _filled(self, bands: int) -> bool:
        """Whether each band holds at least one frequency of the spectrum."""
        size = 1 << (self.window_size - 1).bit_length()
        spectrum = 1127 * np.log1p(np.arange(size // 2) * self.rate / size / 700)
        edges = self._edges(bands)
        first = np.searchsorted(spectrum, edges[:-2], side="right")
        return bool((first < np.searchsorted(spectrum, edges[2:], side="left")).all())


class _Bank:
    """Kaldi's filter bank, kept from sound to sound: making one costs as much as ten frames."""

    def __init__(self, mel: LogMel) -> None:
        self._mel, self._options = mel, _options(mel)
        self._bank: OnlineFbank | None = None
        self._done = 0  # frames that this one has made
        self._left = 0  # samples of the sound before that it holds

    def fill(self, frames: Frames, samples: Samples) -> None:
        """Write to `frames` `(T, F)` those of `samples`, which fill whole windows."""
        hop = self._mel.hop_size
        # An interrupt on the way leaves no bank behind of which the place is not known.
        bank, self._bank = self._bank, None
        # Kaldi counts samples in 32 bits, so none is kept for ever.
        if bank is None or self._done * hop > 1 << 30:
            from kaldi_native_fbank import OnlineFbank

            bank, self._done, self._left = OnlineFbank(self._options), 0, 0
        # Silence fills what is left to whole hops; frames that begin there are thrown away.
        old = -(-self._left // hop)
        silence = [0.0] * (old * hop - self._left)
        # A list is read twice as fast as an array.
        bank.accept_waveform(self._mel.rate, silence + samples.tolist())
        first, end = self._done + old, self._done + old + len(frames)
        np.stack([bank.get_frame(t) for t in range(first, end)], out=frames)
        bank.pop(end - self._done)
        self._done, self._left = end, len(samples) - len(frames) * hop
        self._bank = bank


# A thread that has ended leaves its number, and what is kept under it, to a later one.
@lru_cache(maxsize=32)
def _bank(mel: LogMel, thread: int) -> _Bank:
    return _Bank(mel)


def _options(mel: LogMel) -> FbankOptions:
    try:
        from kaldi_native_fbank import FbankOptions
    except ImportError:
        raise MissingExtra("speech", "making log-mel frames") from None

    options = FbankOptions()
    frame, bank = options.frame_opts, options.mel_opts
    frame.samp_freq, frame.dither, frame.snip_edges = mel.rate, 0.0, True
    frame.window_type = "povey"
    # A quarter of a sample more: Kaldi rounds down in float32, which may fall below a whole number.
    frame.frame_length_ms = 1000 * (mel.window_size + 0.25) / mel.rate
    frame.frame_shift_ms = 1000 * (mel.hop_size + 0.25) / mel.rate
    bank.num_bins, bank.low_freq, bank.high_freq = mel.bands, mel.low, mel.high
    options.energy_floor, options.eps = 0.0, FLOOR
    return options


def checked_samples(samples: Samples) -> Samples:
    """Samples as float32, or a `DataError` that says what they are instead."""
    samples = np.asarray(samples)
    if samples.ndim != 1:
        raise DataError(
            f"got samples of shape {samples.shape}; expected (N,): one channel, as a plain array"
        )
    if not np.issubdtype(samples.dtype, np.floating):
        raise DataError(
            f"got samples of dtype {samples.dtype}; expected float32 in [-1, 1]: divide integers "
            "by the largest that they may hold, 32768 for 16 bits"
        )
    samples = samples.astype(np.float32, copy=False)
    peak = float(np.abs(samples).max(initial=0.0))
    if not np.isfinite(peak):
        at = int(np.argmin(np.isfinite(samples)))
        raise DataError(
            f"sample {at} of {len(samples)} is {samples[at]}; expected finite numbers in [-1, 1]"
        )
    if peak > _LOUDEST:
        raise DataError(
            f"the largest sample is {peak:g}; expected float32 in [-1, 1]: divide by the largest "
            "that the samples may hold, 32768 for 16 bits"
        )
    return samples
