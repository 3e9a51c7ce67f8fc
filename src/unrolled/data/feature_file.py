"""Files of ready-made features: arrays of NumPy, and cepstra as Sphinx writes them."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from unrolled.data.files import read_bytes
from unrolled.errors import DataError

# How the name of a file of cepstra ends.
CEPSTRA_FILE = ".mfc"
FEATURES = frozenset({".npy", CEPSTRA_FILE})
# Cepstra a frame in a file of Sphinx, which does not say it itself.
CEPSTRA = 13


def read_features(path: Path) -> np.ndarray:
    """The features of a file, `(T, F)` float32.

    Args:
        path: .npy with an array `(T, F)` of numbers; or .mfc as Sphinx writes it: the count of
            values as int32, then the values as float32, 13 a frame, big-endian (or all of it
            little-endian, as some machines wrote it).

    Raises: DataError where there is no such file, for another shape, an array of objects, a file
    that breaks off, no frame at all, and values that are NaN or infinite.
    """
    raw = read_bytes(path)
    read = _sphinx if path.suffix.lower() == CEPSTRA_FILE else _numpy
    values = read(raw, path)
    if not values.size:
        raise DataError("holds no frame of features: make it again", file=path)
    return check_features(values, path)


def check_features(values: np.ndarray, path: Path | None = None) -> np.ndarray:
    """The same `(T, F)` as float32; DataError for a value that is NaN or infinite."""
    with np.errstate(over="ignore"):
        values = np.ascontiguousarray(values, np.float32)
    bad = finite(values.ravel())
    if bad is not None:
        frame, band = divmod(bad, values.shape[1])
        raise DataError(
            f"value {band} of frame {frame} is {values[frame, band]}, expected a finite number:"
            " repair it or leave it out",
            file=path,
        )
    return values


def finite(values: np.ndarray) -> int | None:
    """The first place in `(N,)` of what is NaN or infinite; None where all are numbers."""
    # a sum tells in one quick pass; it may overflow by itself, so only then each is looked at
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(values.sum(dtype=np.float64)):
            return None
    bad = np.flatnonzero(~np.isfinite(values))
    return int(bad[0]) if len(bad) else None


def _numpy(raw: bytes, path: Path) -> np.ndarray:
    try:
        # np.load would take what is no array for a pickle
        values = np.lib.format.read_array(io.BytesIO(raw), allow_pickle=False)
    except (ValueError, EOFError, MemoryError) as error:
        said = "it holds objects" if "allow_pickle" in str(error) else "damaged or of another kind"
        raise DataError(
            f"is not an array of numbers that NumPy wrote ({said}): expected (T, F)", file=path
        ) from None
    if values.ndim != 2 or values.dtype.kind not in "fiu":
        raise DataError(
            f"holds {values.shape} of {values.dtype}: expected features (T, F), a row of numbers a"
            " frame",
            file=path,
        )
    return values


def _sphinx(raw: bytes, path: Path) -> np.ndarray:
    held = len(raw) // 4 - 1
    whole = len(raw) >= 4 and len(raw) % 4 == 0
    orders = [one for one in "><" if whole and np.frombuffer(raw, f"{one}i4", 1)[0] == held]
    if not orders:
        raise DataError(
            f"is no file of cepstra: its {len(raw):,} bytes are not a count and as many values;"
            " it is cut short or of another kind",
            file=path,
        )
    if held % CEPSTRA:
        raise DataError(
            f"holds {held:,} values, which is no multiple of {CEPSTRA}: expected {CEPSTRA} cepstra"
            " a frame",
            file=path,
        )
    return np.frombuffer(raw, f"{orders[0]}f4", offset=4).reshape(-1, CEPSTRA)
