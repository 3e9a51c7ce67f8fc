"""What a `Transcriber` is asked to hear: files, folders, samples, recordings."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.recordings import Recording, Recordings
from unrolled.data.sound_file import SOUNDS, read_header
from unrolled.errors import ConfigError, DataError


def to_hear(sounds: Any) -> Recordings:
    """Recordings whose texts are not known.

    Args:
        sounds: a file, a folder (all sounds in it, by name), `(samples, rate)`, ready-made features
            `(T, F)`, a list of such, or `Recordings`.

    Raises:
        ConfigError: something else.
        DataError: no such file, no sound, or none in the folder.
    """
    if isinstance(sounds, Recordings):
        return sounds
    listed = [sounds] if _is_one(sounds) else sounds
    if not isinstance(listed, Iterable):
        raise ConfigError(
            f"sounds: got {type(sounds).__name__}, expected files, (samples, rate) or recordings"
        )
    items: list[Recording] = []
    for place, one in enumerate(listed):
        items += _read(one, place)
    features = any(one.values is not None and one.values.ndim == 2 for one in items)
    return Recordings(tuple(items), "features" if features else "sound")


def _is_one(sounds: Any) -> bool:
    if isinstance(sounds, str | PathLike | np.ndarray):
        return True
    return isinstance(sounds, tuple) and len(sounds) == 2 and isinstance(sounds[0], np.ndarray)


def _read(one: Any, place: int) -> list[Recording]:
    if isinstance(one, str | PathLike):
        path = Path(fspath(one))
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.suffix.lower() in SOUNDS)
            if not files:
                raise DataError("holds no sounds; give files, or another folder", file=path)
            return [_of_file(file) for file in files]
        return [_of_file(path)]
    if isinstance(one, np.ndarray) and one.ndim == 2:
        # how many frames a second there are is known to the model alone
        return [Recording("", 0.0, 0.0, values=one.astype(np.float32), place=f"features {place}")]
    if isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], np.ndarray):
        samples, rate = one
        values = np.asarray(samples, np.float32)
        return [Recording("", len(values) / rate, rate, values=values, place=f"sound {place}")]
    raise ConfigError(
        f"sound {place}: got {type(one).__name__}, expected a file, (samples, rate) or features"
        " (T, F)"
    )


def _of_file(path: Path) -> Recording:
    header = read_header(path)
    return Recording("", header.seconds, header.rate, path=path, place=path.name)
