"""`Framing`: how recordings become the frames that a network reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from unrolled.data.band_scale import BandScale
from unrolled.data.cepstra import bands_of_cepstra, centres_of_cepstra
from unrolled.data.feature_file import CEPSTRA_FILE
from unrolled.data.log_mel import LogMel
from unrolled.data.recordings import Recording, Recordings
from unrolled.data.sound_file import features_of, samples_of
from unrolled.data.sound_level import is_silent
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.transcribing.level import Level

# Speech has little above 8 kHz that tells words apart.
_HIGHEST_RATE = 16000
# Seconds of sound that are enough to know the bands by.
_ENOUGH = 1800.0
# Bands of a sound, and of cepstra, which hold no more detail.
_BANDS, _OF_CEPSTRA = 40, 24


@dataclass(frozen=True)
class Framing:
    """Sounds are resampled to one rate and become log-mel frames; cepstra become the bands that
    they were made of; other ready-made features stay.

    Attributes:
        size: F, numbers of a frame.
        seconds: from one frame to the next.
        mel: how sounds become frames; None for ready-made features.
        least: frames that a recording has at least, so that it gives one step: a shorter sound is
            followed by silence, shorter features by the last of them.
        cepstra: numbers of a ready-made frame that become `size` bands; 0: they stay as they are.
    """

    size: int
    seconds: float
    mel: LogMel | None
    least: int = 1
    cepstra: int = 0

    @classmethod
    def of(cls, recordings: Recordings, *, rate: int | None, bands: int | None) -> Framing:
        """For recordings to learn from.

        Args:
            recordings: sounds or features.
            rate: samples a second; None: that of most of the sounds, 16,000 at most.
            bands: of log-mel frames; None: 40. Of ready-made features: they are cepstra, and become
                so many; None: files of Sphinx (.mfc) become 24, others stay as they are.

        Raises:
            ConfigError: a rate for ready-made features, or such as can't work.
        """
        rates = Counter(one.rate for one in recordings.items)
        usual = rates.most_common(1)[0][0]
        if recordings.kind == "features":
            if rate is not None:
                raise ConfigError("sample_rate: ready-made features have none; leave it out")
            first = recordings.items[0]
            width, seconds = features_of(first).shape[1], 1 / usual
            if bands is None and (first.path is None or first.path.suffix.lower() != CEPSTRA_FILE):
                return cls(width, seconds, None)
            return cls(bands or _OF_CEPSTRA, seconds, None, cepstra=width)
        mel = LogMel(rate=rate or min(int(usual), _HIGHEST_RATE), bands=bands or _BANDS)
        return cls(mel.bands, mel.hop_size / mel.rate, mel)

    @property
    def rate(self) -> int | None:
        """Samples a second that a stream has; None for ready-made features."""
        return None if self.mel is None else self.mel.rate

    @property
    def centres(self) -> NDArray[np.float64] | None:
        """Where the bands lie; None for features whose neighbours are nothing to each other."""
        if self.mel is not None:
            return self.mel.centres
        return centres_of_cepstra(self.size) if self.cepstra else None

    @property
    def frame_rate(self) -> float:
        """Frames a second."""
        return 1 / self.seconds

    def samples(self, recording: Recording) -> np.ndarray:
        """Samples `(N,)` at the rate; of sounds only."""
        assert self.mel is not None, "features have no samples"
        return samples_of(recording, self.mel.rate)

    def frames(self, recording: Recording) -> np.ndarray:
        """Frames `(T, F)` float32.

        Raises:
            DataError: a file that can't be read, no samples, or features of another size.
        """
        if self.mel is not None:
            return self.of_samples(self.samples(recording), recording.place)
        return self.lasting(self.checked(features_of(recording), recording.place))

    def lasting(self, frames: np.ndarray) -> np.ndarray:
        """The same, followed by the last of them where they are too few for a step."""
        short = max(0, self.least - len(frames))
        return np.pad(frames, ((0, short), (0, 0)), mode="edge") if short else frames

    def heard(self, recording: Recording) -> tuple[np.ndarray, bool]:
        """Its frames, and whether it is silent; of ready-made features that is not known.

        Raises:
            DataError: as `frames`.
        """
        if self.mel is None:
            return self.frames(recording), False
        samples = self.samples(recording)
        frames = self.of_samples(samples, recording.place)
        return frames, is_silent(samples, self.mel.rate)

    def checked(self, frames: np.ndarray, place: str = "") -> np.ndarray:
        """Ready-made features as frames `(T, F)` float32; DataError where they have another shape,
        or a number is not finite."""
        frames = np.asarray(frames)
        width = self.cepstra or self.size
        if frames.ndim != 2 or frames.shape[1] != width:
            raise DataError(
                f"{place or 'features'}: got shape {frames.shape}, expected (T, {width}), the"
                " numbers of a frame as in what was learnt"
            )
        if not np.isfinite(frames).all():
            raise DataError(f"{place or 'features'}: got NaN or infinity, expected finite numbers")
        frames = frames.astype(np.float32, copy=False)
        return bands_of_cepstra(frames, self.size) if self.cepstra else frames

    def of_samples(self, samples: np.ndarray, place: str = "") -> np.ndarray:
        """Frames of samples at the rate."""
        assert self.mel is not None, "features have no samples"
        needed = self.mel.window_size + (self.least - 1) * self.mel.hop_size
        if 0 < len(samples) < needed:
            samples = np.pad(samples, (0, needed - len(samples)))
        try:
            return self.mel.of(samples)
        except DataError as error:
            raise DataError(f"{place}: {error}" if place else str(error)) from None

    def to_assets(self) -> dict[str, Any]:
        """Plain values for a model's card."""
        mel = None if self.mel is None else asdict(self.mel)
        return {
            "size": self.size,
            "seconds": self.seconds,
            "mel": mel,
            "least": self.least,
            "cepstra": self.cepstra,
        }

    @classmethod
    def from_assets(cls, assets: dict[str, Any]) -> Framing:
        """The inverse of `to_assets`."""
        mel = None if assets["mel"] is None else LogMel(**assets["mel"])
        return cls(
            int(assets["size"]),
            float(assets["seconds"]),
            mel,
            int(assets["least"]),
            int(assets["cepstra"]),
        )


def scale_of(framing: Framing, recordings: Recordings, seed: int, after: int) -> BandScale:
    """Of recordings to learn from: half an hour of them, drawn, where there is more.

    Args:
        framing: how they become frames.
        recordings: to learn from.
        seed: of the draw.
        after: of the `Level` that the frames go through: the deviation is that of levelled ones.
    """
    order = np.random.default_rng(seed).permutation(len(recordings)).tolist()
    drawn = recordings.select(order)
    ends = np.cumsum([one.seconds for one in drawn.items])
    items = drawn.items[: int(np.searchsorted(ends, _ENOUGH)) + 1]
    frames = [framing.frames(one) for one in items]
    mean = BandScale.of(frames).mean
    level = Level(BandScale(mean, np.ones_like(mean)), after)
    levelled = (level(torch.from_numpy(one).unsqueeze(1))[0][:, 0].numpy() for one in frames)
    return BandScale(mean, BandScale.of(levelled).deviation)
