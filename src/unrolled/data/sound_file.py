"""Files of sound: their length without decoding them, and their samples at any rate.

libsndfile reads them (by `soundfile`) and the SoX resampler changes the rate (by `soxr`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from os import fsencode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.data.feature_file import FEATURES, finite, read_features
from unrolled.errors import DataError, MissingExtra

if TYPE_CHECKING:
    import soundfile

    from unrolled.data.recordings import Recording

SOUNDS = frozenset(
    {
        *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3"),
        *(".aif", ".aiff", ".au", ".caf", ".sph", ".w64"),
    }
)
# What holds sound or films and is not read here.
FOREIGN = frozenset(
    {".m4a", ".aac", ".mp4", ".m4b", ".wma", ".webm", ".amr", ".ape", ".mkv", ".mov", ".avi"}
)
# Only these can hold what is no number.
_FLOATING = frozenset({"FLOAT", "DOUBLE"})
# Samples as floating point go a little beyond 1 where they were made louder, never so far.
LOUDEST = 8.0
# By which the bytes of files begin that no text has, and what such a file holds at byte 8.
_STARTS = (b"fLaC", b"OggS\0", b".snd\0", b"caff\0")
_CHUNKED = {
    b"RIFF": (b"WAVE",), b"RIFX": (b"WAVE",), b"RF64": (b"WAVE",), b"FORM": (b"AIFF", b"AIFC")
}  # fmt: skip
# Frames that libsndfile tells where a file does not say how many there are.
_UNTOLD = 1 << 62
_BLOCK = 1 << 18


@dataclass(frozen=True)
class Header:
    """What a file of sound says of itself.

    Attributes:
        frames: samples of each channel.
        rate: samples a second.
        channels: how many there are.
        subtype: how samples are written, as libsndfile names it ("PCM_16", "FLOAT", "VORBIS").
        format: of the file, likewise ("WAV", "FLAC", "OGG").
    """

    frames: int
    rate: int
    channels: int
    subtype: str
    format: str

    @property
    def seconds(self) -> float:
        """How long the sound is."""
        return self.frames / self.rate


def read_header(path: Path) -> Header:
    """The length and form of a file of sound; nothing is decoded.

    Raises: DataError where there is no such file, it is no sound that can be read, or holds no
    samples; MissingExtra where `soundfile` is not installed.
    """
    with _opened(path) as file:
        found = Header(file.frames, file.samplerate, file.channels, file.subtype, file.format)
    if found.frames < 1:
        raise DataError("holds no sound (0 samples): record it again", file=path)
    _check_told(found.frames, path)
    return found


def check_samples(path: Path, header: Header) -> None:
    """DataError for what would stop whoever reads the samples.

    Files of floating point are read for samples that are NaN, infinite or far beyond 1; flac, which
    libsndfile does not read past a fault, is decoded to its end, an hour in one to two seconds.
    Other files can't be found faulty, or are read as far as they go.
    """
    if header.format == "FLAC" or header.subtype in _FLOATING:
        for _ in chunks(path, _BLOCK):
            pass


def chunks(path: Path, size: int) -> Iterator[np.ndarray]:
    """The samples of a file in order, `(size,)` float32 and at the end fewer, as `decode` gives
    them; no more of them than a chunk is in memory.

    Raises: as `decode`.
    """
    header, start = read_header(path), 0
    for block in _blocks(path, size):
        _check_block(block, path, header.rate, start)
        start += len(block)
        yield block
    if not start:
        raise DataError("breaks off before its first sample: fetch or record it again", file=path)


def decode(path: Path, rate: float | None = None) -> np.ndarray:
    """The samples of a file.

    Args:
        path: a .wav, .flac, .ogg, .mp3 or other file that libsndfile reads, of any bit depth.
        rate: samples a second that are wanted; None: those of the file.

    Returns:
        `(N,)` float32, whole numbers scaled to [-1, 1], the mean of the channels. A file of
        floating point keeps what goes beyond.

    Raises: as `read_header`; DataError for a sample that is NaN, infinite or far beyond 1, and for
    a file that can't be read to its end.
    """
    header = read_header(path)
    samples = np.concatenate(list(chunks(path, _BLOCK)))
    return samples if rate is None else resample(samples, header.rate, rate)


def looks_like_sound(start: bytes) -> bool:
    """Whether the first 12 bytes are those of a file of sound and of no text: wav, flac, ogg, mp3,
    aiff, au or caf."""
    frame = start[:1] == b"\xff" and start[1:2] >= b"\xe0"  # of MPEG
    tagged = start[:3] == b"ID3" and start[3:4] < b"\x10"  # before MPEG; the version
    chunked = start[8:12] in _CHUNKED.get(start[:4], ())
    return (
        start.startswith(_STARTS)
        or chunked
        or tagged
        or (frame and not start.startswith(b"\xff\xfe"))
    )


def decode_bytes(raw: bytes, name: str) -> tuple[np.ndarray, int]:
    """The samples of a file that is in memory, as of a pipe: as `decode` gives them, and the rate.

    Args:
        raw: all of it.
        name: what it is called in an error.

    Raises: as `decode`.
    """
    reader = library()
    try:
        with reader.SoundFile(BytesIO(raw)) as file:
            _check_told(file.frames, name)
            block, rate = file.read(dtype="float32", always_2d=True), file.samplerate
    except reader.SoundFileError as error:
        raise _no_sound(Path(name), str(error)) from None
    if not len(block):
        raise DataError("holds no sound (0 samples): record it again", file=name)
    samples = mean_of_channels(block)
    _check_block(samples, Path(name), rate, 0)
    return np.ascontiguousarray(samples), rate


def blocks_of(path: Path, size: int = _BLOCK) -> Iterator[np.ndarray]:
    """The samples of a file as they are kept, a block `(n, channels)` float32 of at most `size`
    frames after the other.

    Raises: as `read_header`, but for a file without samples; DataError where it can't be read on.
    """
    done = 0
    with _opened(path) as file:
        while True:
            try:
                block = file.read(size, dtype="float32", always_2d=True)
            except library().SoundFileError as error:
                at = done / file.samplerate
                reason = str(error).split(": ")[-1].strip(" .:\n") or "it is damaged"
                raise DataError(
                    f"can't be read on somewhere after {at:.2f} s ({reason}): fetch or record it"
                    " again, or leave it out",
                    file=path,
                ) from None
            if not len(block):
                return
            done += len(block)
            yield block


def middle_of(path: Path, size: int) -> np.ndarray:
    """The `size` samples in the middle of a file, or all where there are fewer, `(n,)` float32.

    Raises: as `read_header`.
    """
    with _opened(path) as file:
        file.seek(max(0, (file.frames - size) // 2))
        return mean_of_channels(file.read(size, dtype="float32", always_2d=True))


def mean_of_channels(block: np.ndarray) -> np.ndarray:
    """`(n,)` of a block `(n, channels)`."""
    return block[:, 0] if block.shape[1] == 1 else block.mean(axis=1, dtype=np.float32)


def resample(samples: np.ndarray, rate: float, wanted: float) -> np.ndarray:
    """`(N,)` float32 at `wanted` samples a second, from `rate`; as it is where they are equal.

    Raises: MissingExtra where `soxr` is not installed.
    """
    if rate == wanted:
        return samples
    try:
        import soxr
    except ImportError as error:
        raise MissingExtra("speech", "changing the rate of a sound") from error
    return np.asarray(soxr.resample(samples, rate, wanted), np.float32)


def samples_of(recording: Recording, rate: float) -> np.ndarray:
    """The samples of a recording `(N,)` float32 at `rate` a second; read from its file now.

    Raises: DataError for features, and as `decode`.
    """
    if _holds_features(recording):
        raise DataError(f"{recording.place or 'a recording'} holds features, expected sound")
    if recording.path is not None:
        return decode(recording.path, rate)
    assert recording.values is not None
    return resample(recording.values, recording.rate, rate)


def features_of(recording: Recording) -> np.ndarray:
    """The ready-made features of a recording `(T, F)` float32; read from its file now.

    Raises: DataError for a sound, and as `read_features`.
    """
    if not _holds_features(recording):
        raise DataError(f"{recording.place or 'a recording'} holds sound, expected features (T, F)")
    if recording.path is not None:
        return read_features(recording.path)
    assert recording.values is not None
    return recording.values


def _holds_features(recording: Recording) -> bool:
    if recording.path is not None:
        return recording.path.suffix.lower() in FEATURES
    return recording.values is not None and recording.values.ndim == 2


def library() -> Any:
    """`soundfile`; MissingExtra where it is not installed."""
    try:
        import soundfile
    except (ImportError, OSError) as error:  # OSError: without the system's libsndfile
        raise MissingExtra("speech", "reading sound") from error
    return soundfile


@contextmanager
def _opened(path: Path) -> Iterator[soundfile.SoundFile]:
    reader = library()
    try:
        with open(path, "rb") as file:
            start = file.read(1 << 12)
    except FileNotFoundError:
        raise DataError("there is no such file: check the name and the folder", file=path) from None
    except IsADirectoryError:
        raise DataError("is a folder, expected a file of sound", file=path) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise DataError(f"can't be read ({reason}): check its permissions", file=path) from None
    _check_start(start, path)
    try:
        # As bytes: a name need not be UTF-8.
        with reader.SoundFile(fsencode(path)) as file:
            yield file
    except reader.SoundFileError as error:
        reason = str(error).replace(f"{path!s}", "").replace(f"{str(path)!r}", "")
        raise _no_sound(path, reason) from None


def _check_start(start: bytes, path: Path) -> None:
    """DataError for what is plainly no sound, before libsndfile warns of it on the terminal."""
    if not start:
        raise DataError("is empty (0 bytes): record or fetch it again", file=path)
    if start.startswith(b"version https://git-lfs"):
        raise DataError("is a pointer of Git LFS and not the sound: run `git lfs pull`", file=path)
    if path.suffix.lower() == ".mp3" and not start.startswith((b"ID3", b"RIFF")):
        marks = np.frombuffer(start, np.uint8)
        if not ((marks[:-1] == 0xFF) & (marks[1:] >= 0xE0)).any():
            raise _no_sound(path, "no frame of MPEG in its first bytes")


def _check_told(frames: int, name: Path | str) -> None:
    """DataError where a file does not say how long it is: libsndfile can't read such flac."""
    if frames >= _UNTOLD:
        raise DataError(
            "does not say how long it is, as flac that was written to a pipe: write it to a file,"
            " or take wav",
            file=name,
        )


def _no_sound(path: Path, reason: str) -> DataError:
    said = reason.split(": ")[-1].strip(" .:\n") or "it can't be opened"
    remedy = "expected wav, flac, ogg or mp3"
    if path.suffix.lower() in FOREIGN:
        remedy += f", convert it with ffmpeg -i {path.name} {path.stem}.wav"
    return DataError(f"is not sound that can be read ({said}): {remedy}", file=path)


def _blocks(path: Path, size: int) -> Iterator[np.ndarray]:
    """The mean of the channels, a block `(N,)` after the other, so that many channels need little
    memory."""
    return map(mean_of_channels, blocks_of(path, size))


def _check_block(samples: np.ndarray, path: Path, rate: float, start: int) -> None:
    bad = finite(samples)
    if bad is not None:
        at = start + bad
        raise DataError(
            f"sample {at} (at {at / rate:.3f} s) is {samples[bad]}, expected a finite number:"
            " repair it or leave it out",
            file=path,
        )
    peak = float(np.abs(samples).max(initial=0.0))
    if peak > LOUDEST:
        raise DataError(too_loud(peak), file=path)


def too_loud(peak: float) -> str:
    """What is wrong with samples of floating point that reach so far."""
    return (
        f"samples reach {peak:,.0f}, expected floating point in [-1, 1]: divide them by their full"
        " scale, such as 32768"
    )
