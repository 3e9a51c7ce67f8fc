"""Recordings that come as values of Python: pairs of a sound and a text, arrays."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.recordings_rows import Found, Row, Sound
from unrolled.data.sound_file import LOUDEST, too_loud
from unrolled.errors import DataError

# Nothing that can be understood is sampled more slowly, and features are never made as often.
_LEAST_RATE = 1000.0


def read_given(data: Iterable[Any], *, texts: bool, frame_rate: float) -> Found:
    """Rows of a list.

    Args:
        data: `N` of `(sound, text)` or `(sound, text, speaker)`; without `texts` of sounds alone;
            or a tuple `(sounds, texts)` of two lists.
        texts: whether texts are there.
        frame_rate: of features that come without a rate.

    A sound is a path; `(samples, rate)` with samples `(N,)` or `(N, channels)`, floating point in
    [-1, 1] or whole numbers of 8, 16 or 32 bits; features `(T, F)`, or `(features, rate)` with a
    rate of less than 1,000 frames a second.

    Raises: DataError with the number of the recording, counted from 0, for anything else.
    """
    if texts and isinstance(data, tuple) and len(data) == 2 and _are_texts(data[1]):
        sounds, said = list(data[0]), list(data[1])
        if len(sounds) != len(said):
            raise DataError(
                f"got {len(sounds):,} sounds and {len(said):,} texts: give one for each"
            )
        data = list(zip(sounds, said, strict=True))
    rows = []
    for number, one in enumerate(data):
        place = f"recording {number}"
        sound, text, speaker = (one, None, None) if not texts else _parts(one, place)
        sound = _sound(sound, place, frame_rate)
        # A file is found by its name; a number is for what has none.
        rows.append(Row(sound, text, speaker, str(sound) if isinstance(sound, Path) else place))
    return Found(rows)


def is_sound(data: Any) -> bool:
    """Whether it is one sound: `(samples, rate)`, or an array of features."""
    if isinstance(data, tuple):
        return len(data) == 2 and hasattr(data[0], "ndim") and _is_number(data[1])
    return getattr(data, "ndim", None) == 2 and isinstance(data, np.ndarray)


def without_rate(samples: np.ndarray) -> str:
    """What is wrong with samples that come alone."""
    return (
        f"got samples of shape {samples.shape} without their rate: give (samples, rate), such as"
        " (samples, 16000)"
    )


def _are_texts(data: Any) -> bool:
    """Whether it is a sequence of texts, or of None, and not one text."""
    if isinstance(data, (str, bytes)) or not hasattr(data, "__iter__"):
        return False
    return all(one is None or isinstance(one, str) for one in data)


def _parts(one: Any, place: str) -> tuple[Any, str | None, str | None]:
    if isinstance(one, (str, PathLike)) or not hasattr(one, "__len__") or len(one) not in (2, 3):
        raise _unexpected(one, place)
    sound, text, *rest = one
    speaker = rest[0] if rest else None
    if _is_number(text) and hasattr(sound, "ndim"):
        raise DataError(f"{place} is (samples, rate) without a text: give ((samples, rate), text)")
    for what, value in (("text", text), ("speaker", speaker)):
        if value is not None and not isinstance(value, str):
            raise DataError(f"{place}: its {what} is {type(value).__name__}, expected text")
    return sound, text, speaker


def _unexpected(one: Any, place: str) -> DataError:
    told = f"{type(one).__name__} {one!r:.60}" if isinstance(one, str) else type(one).__name__
    return DataError(
        f"{place} is {told}, expected (sound, text): the sound a path, (samples, rate) or features"
    )


def _sound(sound: Any, place: str, frame_rate: float) -> Path | Sound:
    if isinstance(sound, (str, PathLike)):
        return Path(sound)
    values, rate = sound if isinstance(sound, (tuple, list)) and len(sound) == 2 else (sound, None)
    if rate is not None and not _is_number(rate):
        values, rate = sound, None
    values = _array(values, place)
    if rate is not None and not (isfinite(rate) and rate > 0):
        raise DataError(f"{place}: its rate is {rate}, expected samples a second, such as 16000")
    if values.ndim == 1 and rate is None:
        raise DataError(f"{place}: {without_rate(values)}")
    if values.ndim == 2 and (rate is None or rate < _LEAST_RATE):
        return Sound(_float32(values), float(rate or frame_rate))
    assert rate is not None
    return Sound(_samples(values, place), float(rate))


def _array(values: Any, place: str) -> np.ndarray:
    try:
        values = np.asarray(values)
    except Exception:  # whatever an array of another library, or a ragged list, raises
        values = np.empty(0, object)
    if values.dtype.kind not in "fiu" or values.ndim not in (1, 2):
        raise DataError(
            f"{place}: got {values.dtype} of shape {values.shape}, expected a path, samples (N,) "
            "with their rate, or features (T, F)"
        )
    return values


def _samples(values: np.ndarray, place: str) -> np.ndarray:
    """`(N,)` float32 in [-1, 1]: the mean of the channels, whole numbers scaled by their bits."""
    if values.ndim == 2 and values.shape[1] > values.shape[0] > 0:
        raise DataError(
            f"{place}: samples of shape {values.shape}, expected (N, channels): transpose them"
        )
    kind = values.dtype
    if kind.kind != "f":
        if kind not in (np.uint8, np.int8, np.int16, np.int32):
            raise DataError(f"{place}: samples are {kind}, expected float32, int16, int32 or uint8")
        middle = 128 if kind == np.uint8 else 0
        values = (values - np.float64(middle)) / 2.0 ** (8 * kind.itemsize - 1)
    values = _float32(values if values.ndim == 1 else values.mean(axis=1, dtype=np.float64))
    peak = float(np.abs(values).max(initial=0.0))
    if LOUDEST < peak < np.inf:
        raise DataError(f"{place}: {too_loud(peak)}")
    return values


def _float32(values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(values, np.float32)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
