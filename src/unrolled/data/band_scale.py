"""`BandScale`: frames in units of the training set's mean and deviation, band by band."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unrolled.data.log_mel import Frames
from unrolled.errors import DataError


@dataclass(frozen=True)
class BandScale:
    """The mean and standard deviation of each band, over all frames of many recordings.

        y[t, b] = (x[t, b] - mean[b]) / deviation[b]

    Learnt once from the training set and then fixed, so that a stream needs no later frames.

    Attributes:
        mean: `(F,)` float32.
        deviation: `(F,)` float32; 1 for a band that never changes.
    """

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    @classmethod
    def of(cls, recordings: Iterable[Frames]) -> BandScale:
        """Learnt in one pass, holding the frames of one recording at a time.

        Means and sums of squares about them are merged recording by recording in double
        precision, so that large means beside small deviations lose no digits.

        Args:
            recordings: frames `(T, F)` of each; may come from a generator.

        Raises:
            DataError: no frame at all, another shape, recordings that differ in `F`, or a value
                that is not finite.

        Source: Chan, Golub and LeVeque 1979.
        """
        count, mean, squares = 0, np.zeros(0), np.zeros(0)
        for number, frames in enumerate(recordings, 1):
            if not len(frames):
                continue
            here = frames.mean(axis=0, dtype=float)
            if frames.ndim != 2:
                raise DataError(f"recording {number} has shape {frames.shape}; expected (T, F)")
            if not np.isfinite(here).all():
                raise DataError(f"recording {number} has a frame with a value that is not finite")
            if not count:
                mean, squares = np.zeros_like(here), np.zeros_like(here)
            if here.shape != mean.shape:
                raise DataError(
                    f"recording {number} has frames of {len(here)} bands, those before it have "
                    f"{len(mean)}; all need the same features"
                )
            apart, total = here - mean, count + len(frames)
            squares += np.square(frames - here).sum(axis=0)
            squares += apart**2 * (count * len(frames) / total)
            mean += apart * (len(frames) / total)
            count = total
        if not count:
            raise DataError("no recording has a frame to learn means and deviations from")
        deviation = np.sqrt(squares / count).astype(np.float32)
        # What rounding leaves of a constant is no deviation.
        still = deviation <= 1e-6 * np.abs(mean)
        return cls(mean.astype(np.float32), np.where(still, np.float32(1), deviation))

    def __call__(self, frames: Frames) -> Frames:
        """`(T, F)`, or any shape that ends in `F`: each band with mean 0 and deviation 1."""
        return (frames - self.mean) / self.deviation
