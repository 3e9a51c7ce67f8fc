"""`listen`: what the samples of recordings tell: how loud, how far cut off, which sound it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

import numpy as np

from unrolled.data.feature_file import FEATURES
from unrolled.data.recordings import Recording
from unrolled.data.recordings_doctor_part import Part
from unrolled.data.sound_ends import lacks_last_page, missing_share
from unrolled.data.sound_file import (
    Header,
    blocks_of,
    features_of,
    mean_of_channels,
    read_header,
)
from unrolled.data.sound_level import decibels, powers_of, window_size
from unrolled.data.text_doctor_findings import share
from unrolled.errors import DataError

# How many recordings, and how much of them, are listened to: some seconds of a processor.
MOST = 4_000
MOST_SECONDS = 7_200.0
# Opening a file is mostly waiting for the disk or the network.
_THREADS = 4
_WINDOWS = 200
# So far below its loudest window a recording is called silent, in dB.
_BELOW = 35.0
# Of full scale; with 8 bits the largest sample is 127 / 128.
_FULL = 0.99
_LOSSY = ("VORBIS", "OPUS", "MPEG")
# Of mp3 the length is an estimate to some frames, and what is missing beyond is not.
_FEWER = 0.01


@dataclass(frozen=True)
class Heard:
    """What the samples of one recording tell; of features only which they are.

    Attributes:
        digest: the same for the same samples at the same rate, in whatever file.
        channels: how many there are.
        loudest: level of the loudest 20 ms in dB of full scale, without their mean, of the mean of
            the channels; NaN of features.
        clipped: share of the samples that stand at full scale in runs of three and more; where the
            kind of file keeps samples exactly, only runs of equal ones count, since a wave that
            reaches full scale without being cut off has none.
        offset: the mean of the samples, in units of full scale.
        spread: their standard deviation.
        before, after: seconds before the first and after the last window that is not 35 dB below
            the loudest.
        missing: share of what the file promises that is not there; NaN where it breaks off and it
            is not known how much is missing.
    """

    digest: bytes
    channels: int = 1
    loudest: float = np.nan
    clipped: float = 0.0
    offset: float = 0.0
    spread: float = 0.0
    before: float = 0.0
    after: float = 0.0
    missing: float = 0.0


@dataclass(frozen=True)
class Listened:
    """The recordings of a part that were listened to.

    Attributes:
        part: of which they are.
        heard: of the place of each what was heard, or the error where it could not be read.
    """

    part: Part
    heard: dict[int, Heard | DataError]

    @property
    def good(self) -> dict[int, Heard]:
        """Those that could be read."""
        return {at: one for at, one in self.heard.items() if isinstance(one, Heard)}

    def among(self, count: int) -> str:
        """ "3 of 900 (0.33%) recordings", or "of the 4,000 recordings that were listened to"."""
        heard, all_ = len(self.heard), len(self.part)
        told = f"{share(count, heard)} recordings{self.part.whose}"
        return told if heard == all_ else f"{told} that were listened to (of {all_:,})"


def listen(parts: Sequence[Part]) -> list[Listened]:
    """Listens to all recordings, or to some where there are more than 4,000 or two hours.

    Which they are follows from how long they are, to the sample, so that of two equal sounds in
    different places both are heard or neither, as long as few others have the same length.
    """
    chosen = _chosen(parts)
    with ThreadPoolExecutor(_THREADS) as pool:
        found = pool.map(lambda one: _hear(parts[one[0]].recordings.items[one[1]]), chosen)
        heard = dict(zip(chosen, found, strict=True))
    return [
        Listened(part, {at: heard[one, at] for which, at in sorted(chosen) if which == one})
        for one, part in enumerate(parts)
    ]


def _chosen(parts: Sequence[Part]) -> list[tuple[int, int]]:
    """Number of the part and place of each recording that is listened to."""
    places = [(which, at) for which, part in enumerate(parts) for at in range(len(part))]
    seconds = {one: parts[one[0]].recordings.items[one[1]].seconds for one in places}
    if len(places) > MOST or sum(seconds.values()) > MOST_SECONDS:

        def drawn(one: tuple[int, int]) -> tuple[bytes, bytes]:
            recording = parts[one[0]].recordings.items[one[1]]
            length = f"{round(recording.seconds * recording.rate)} {recording.rate}"
            return blake2b(length.encode()).digest(), blake2b(f"{one}".encode()).digest()

        places.sort(key=drawn)
    chosen: list[tuple[int, int]] = []
    total = 0.0
    for one in places:
        if len(chosen) < MOST and (total + seconds[one] <= MOST_SECONDS or not chosen):
            chosen.append(one)
            total += seconds[one]
    return chosen


def _hear(recording: Recording) -> Heard | DataError:
    try:
        if recording.values is not None and recording.values.ndim == 2:
            return _of_features(recording.values)
        if recording.path is None or recording.values is not None:
            return _of_sound(recording, _slices(recording), lossy=False)[0]
        if recording.path.suffix.lower() in FEATURES:
            return _of_features(features_of(recording))
        header = read_header(recording.path)
        size = _WINDOWS * window_size(recording.rate)
        lossy = header.subtype.startswith(_LOSSY)
        heard, count = _of_sound(recording, blocks_of(recording.path, size), lossy=lossy)
        return replace(heard, missing=_missing(recording.path, header, count))
    except DataError as error:
        return error


def _missing(path: Path, header: Header, count: int) -> float:
    """Of a file of which `count` frames could be read."""
    fewer = 1 - count / header.frames
    if fewer > _FEWER:
        return fewer
    return np.nan if lacks_last_page(path) else missing_share(path)


def _slices(recording: Recording) -> Iterator[np.ndarray]:
    assert recording.values is not None
    size = _WINDOWS * window_size(recording.rate)
    for start in range(0, len(recording.values), size):
        yield recording.values[start : start + size, None]


def _of_features(values: np.ndarray) -> Heard:
    digest = blake2b(f"{values.shape}".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(values).data)
    return Heard(digest.digest())


def _of_sound(
    recording: Recording, blocks: Iterator[np.ndarray], *, lossy: bool
) -> tuple[Heard, int]:
    """What is heard, and how many frames there were."""
    window = window_size(recording.rate)
    digest = blake2b(f"{recording.rate}".encode(), digest_size=16)
    powers: list[np.ndarray] = []
    count = channels = clipped = 0
    total = squares = np.float64(0.0)
    for block in blocks:
        digest.update(np.ascontiguousarray(block).data)
        count += len(block)
        channels = block.shape[1]
        clipped += _clipped(block, flat=not lossy)
        mono = mean_of_channels(block)
        total += mono.sum(dtype=np.float64)
        squares += np.square(mono, dtype=np.float64).sum()
        powers.append(powers_of(mono, window))
    if not count:
        raise DataError("breaks off before its first sample: fetch or record it again")
    if not np.isfinite(squares):
        raise DataError("holds samples that are no number: repair it or leave it out")
    mean = total / count
    levels = decibels(np.concatenate(powers))
    loud = np.flatnonzero(levels > levels.max() - _BELOW)
    seconds = window / recording.rate
    heard = Heard(
        digest.digest(),
        channels,
        float(levels.max()),
        clipped / (count * channels),
        float(mean),
        float(np.sqrt(max(squares / count - mean**2, 0.0))),
        float(loud[0] * seconds),
        float((len(levels) - 1 - loud[-1]) * seconds),
    )
    return heard, count


def _clipped(block: np.ndarray, *, flat: bool) -> int:
    """How many samples of a block `(n, channels)` stand at full scale in runs."""
    full = np.abs(block) >= _FULL
    if len(block) < 3 or not full.any():
        return 0
    goes_on = full[1:] & full[:-1] & (np.signbit(block[1:]) == np.signbit(block[:-1]))
    if flat:
        goes_on &= block[1:] == block[:-1]
    middle = goes_on[1:] & goes_on[:-1]
    runs = np.zeros_like(full)
    for start in range(3):
        runs[start : start + len(middle)] |= middle
    return int(runs.sum())
