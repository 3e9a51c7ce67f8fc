"""Cepstra as the log energies of bands that they were made of, smoothed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unrolled.data.log_mel import Frames


def bands_of_cepstra(cepstra: Frames, bands: int) -> Frames:
    """The spectrum that cepstra describe, as so many bands over its whole range.

        c_k = 1/N sum over j of e_j cos(pi k (j + 1/2) / N)          what cepstra are
        y_b = c_0 + 2 sum over k >= 1 of c_k cos(pi k f_b),   f_b = (b + 1/2) / bands

    The cepstra that are missing were the finest detail: what comes back is the smoothed spectrum.
    In bands neighbours belong together: a voice that lies higher moves along them, a microphone
    adds a curve to them, so that convolutions and the changes of `Augment` work as on a sound.

    Args:
        cepstra: `(T, K)`, the zeroth first, as Sphinx writes them.
        bands: F, at least K for nothing to be lost.

    Returns: `(T, F)` float32; in nats where the cepstra were made of natural logarithms.

    Source: Davis and Mermelstein 1980, the inverse of their transform.
    """
    matrix = _matrix(cepstra.shape[1], bands)
    return np.asarray(cepstra, np.float32) @ matrix


def centres_of_cepstra(bands: int) -> NDArray[np.float64]:
    """`(F,)`: where the bands lie, as parts of the range that the cepstra were made over."""
    return (np.arange(bands) + 0.5) / bands


def _matrix(cepstra: int, bands: int) -> NDArray[np.float32]:
    waves = np.cos(np.pi * np.arange(cepstra)[:, None] * centres_of_cepstra(bands))
    waves[1:] *= 2
    return waves.astype(np.float32)
