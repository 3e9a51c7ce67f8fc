"""`same_sounds`: which recordings hold the same sound, found without reading all of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b

import numpy as np

from unrolled.data.feature_file import FEATURES
from unrolled.data.linked import alike
from unrolled.data.recordings import Recording
from unrolled.data.sound_file import decode, features_of, middle_of
from unrolled.errors import DataError

# Samples from the middle, where a sound is seldom silent, that tell most sounds apart.
_MIDDLE = 4096
# Opening a file is mostly waiting for the disk or the network.
_THREADS = 4


def same_sounds(items: Sequence[Recording]) -> list[Hashable]:
    """A key of each recording; keys are equal where the samples (of features the values) and the
    rate are.

    Only those of the same length are looked at, first a piece of their middle, and only what is
    equal there is read whole. One that can't be read, and one of silence, which is the same
    everywhere, is alone.
    """
    keys: list[Hashable] = [(at,) for at in range(len(items))]
    lengths = [(one.rate, round(one.seconds * one.rate)) for one in items]
    linked = [some for some in alike(lengths) if len(some) > 1]
    with ThreadPoolExecutor(_THREADS) as pool:
        for part in (_middle, _whole):
            places = [at for some in linked for at in some]
            told = dict(zip(places, pool.map(_digest(items, part), places), strict=True))
            finer = [(some, alike(told[at] for at in some)) for some in linked]
            linked = [
                [some[at] for at in equal]
                for some, groups in finer
                for equal in groups
                if len(equal) > 1
            ]
    for some in linked:
        for at in some:
            keys[at] = some[0]
    return keys


def _digest(
    items: Sequence[Recording], part: Callable[[Recording], np.ndarray]
) -> Callable[[int], Hashable]:
    """Of a place what tells a part of its values; what is like no other where there are none."""

    def told(at: int) -> Hashable:
        try:
            values = part(items[at])
        except DataError:
            return at
        if part is _whole and not values.any():
            return at
        return blake2b(np.ascontiguousarray(values).data, digest_size=16).digest()

    return told


def _middle(recording: Recording) -> np.ndarray:
    if recording.path is not None and recording.path.suffix.lower() not in FEATURES:
        return middle_of(recording.path, _MIDDLE)
    values = _whole(recording)
    begin = max(0, (len(values) - _MIDDLE) // 2)
    return values[begin : begin + _MIDDLE]


def _whole(recording: Recording) -> np.ndarray:
    if recording.values is not None:
        return recording.values
    assert recording.path is not None
    if recording.path.suffix.lower() in FEATURES:
        return features_of(recording)
    return decode(recording.path)
