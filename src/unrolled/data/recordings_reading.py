"""`read_recordings`: from a folder, a list or values in memory to `Recordings`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from unrolled.data.feature_file import FEATURES
from unrolled.data.labelled_folder import ARCHIVES
from unrolled.data.recordings import Recordings
from unrolled.data.recordings_folder import (
    TRANSCRIPTS,
    read_folder,
    read_librispeech,
    sounds_in,
)
from unrolled.data.recordings_given import is_sound, read_given, without_rate
from unrolled.data.recordings_lists import lines_of, read_list, read_piped
from unrolled.data.recordings_manifest import TABLES, read_manifest
from unrolled.data.recordings_names import NamePattern
from unrolled.data.recordings_rows import Found, Row, recordings_of
from unrolled.data.sound_file import SOUNDS
from unrolled.errors import DataError

# The two files of a list of Sphinx; either names both.
_LISTS = (".fileids", ".transcription")


def read_recordings(
    data: Any,
    *,
    audio: str | None = None,
    text: str | None = None,
    speaker: str | None = None,
    pattern: str | None = None,
    skip: bool = False,
    texts: bool = True,
    frame_rate: float = 100.0,
    encoding: str = "utf-8",
) -> Recordings:
    """Sounds and what is said in them, from a folder, a list, a frame, or values in memory.

    Only the headers of files are read now (files of floating point and features wholly, since they
    can hold NaN); `samples_of` and `features_of` of `unrolled.data.sound_file` read the rest.

    Args:
        data: one of

            - a folder, of which the first layout that fits is taken: `etc/*.fileids` with
              `*.transcription` (AN4 and others of Sphinx; sounds in `wav`, features in `feat`);
              `metadata.csv` with `|` and `wavs/` (LJSpeech); a table with usual names of columns
              (Common Voice's *.tsv with `clips/`, `metadata.csv` with `file_name`); `*.trans.txt`
              (LibriSpeech); a .txt of the same name beside each sound; a folder for each label.
              Of several lists or tables the one called "train" is read, and told;
            - one such list or table: .csv, .tsv, .jsonl, .json, .parquet (.gz too), .fileids,
              .trans.txt; paths in it hold from its folder;
            - a pandas, polars or pyarrow frame of paths and texts;
            - a list of `(sound, text)` or `(sound, text, speaker)`, or a tuple `(sounds, texts)`:
              each sound a path, `(samples, rate)` with samples `(N,)` or `(N, channels)`, or
              features `(T, F)`;
            - `Recordings`, which are given back.

            Sounds are .wav, .flac, .ogg, .mp3 and what else libsndfile reads, features .npy
            `(T, F)` and .mfc of Sphinx.
        audio, text, speaker: names of the columns of a table; found by their usual names and told
            in `notes` where they are None. A column called "label", "command" or "digit" holds
            labels of the whole.
        pattern: what the names of the files tell, such as "{label}_{speaker}_{take}.wav": a
            `{label}` or a `{text}`, a `{speaker}`, and anything else. With `{speaker}` alone the
            texts come from the layout.
        skip: leave out what can't be used and tell it in `notes`; False: an error.
        texts: False asks for no texts: any sound, folder, list of sounds, `(samples, rate)` or
            table of sounds, to be transcribed. Texts are "" then.
        frame_rate: frames a second of features.
        encoding: of lists and transcripts.

    Returns:
        the recordings; white space in a text is one space.

    Raises:
        DataError: with file and line, for what is missing or can't be read: a file that is no
            sound, is not there or holds no samples, samples that are NaN or infinite, a sound
            without a text, a text without a sound; for a folder without a known layout. One line
            tells the first and counts the others.
        ConfigError: for a pattern that can't be understood.
        MissingExtra: `soundfile` is not installed.
    """
    if isinstance(data, Recordings):
        return data
    names = None if pattern is None else NamePattern(pattern)
    columns = {"audio": audio, "text": text, "speaker": speaker}
    if not texts:
        del columns["text"]
    name = "recordings"
    if isinstance(data, (str, PathLike)):
        path = Path(data)
        name = path.resolve().name
        found = _of_path(path, columns, names, texts, encoding)
    elif hasattr(data, "columns") or hasattr(data, "column_names"):
        name = "frame"
        found = read_manifest(data, columns, encoding)
    else:
        found = read_given(_items(data, texts), texts=texts, frame_rate=frame_rate)
    if not texts:
        found.rows = [replace(row, text=None) for row in found.rows]
    if names is not None and "speaker" in names.names:
        found.rows = [_spoken(row, names) for row in found.rows]
    return recordings_of(found, name, skip=skip, texts=texts, frame_rate=frame_rate)


def _of_path(
    path: Path,
    columns: dict[str, str | None],
    names: NamePattern | None,
    texts: bool,
    encoding: str,
) -> Found:
    if path.is_dir():
        if texts or any(columns.values()):
            return read_folder(path, columns, names, encoding)
        sounds = sounds_in(path)
        return Found([Row(one, None, None, one.relative_to(path).as_posix()) for one in sounds])
    lower = path.name.lower()
    if lower.endswith((*ARCHIVES, ".zip", ".tar.bz2", ".tar.xz")) and path.exists():
        raise DataError("is an archive: unpack it and name the folder", file=path)
    kind = Path(lower.removesuffix(".gz")).suffix
    if kind in SOUNDS | FEATURES:
        beside = path.with_suffix(".txt")
        said = " ".join(lines_of(beside, encoding)) if texts and beside.is_file() else None
        return Found([Row(path, said, None, path.name)])
    if kind in _LISTS:
        return read_list(path.with_suffix(".fileids"), encoding, [])
    if lower.endswith(TRANSCRIPTS):
        return read_librispeech([path], None, encoding)
    if kind in TABLES:
        piped = read_piped(path, encoding) if kind == ".csv" and path.exists() else None
        return piped or read_manifest(path, columns, encoding)
    if not path.exists():
        raise DataError("there is no such file or folder: check the name", file=path)
    raise DataError(
        f"ends in {path.suffix or 'nothing'!r}: expected a folder, a sound (.wav, .flac, .ogg, "
        ".mp3), features (.npy, .mfc), or a list of sounds and texts (.csv, .tsv, .jsonl)",
        file=path,
    )


def _items(data: Any, texts: bool) -> Iterable[Any]:
    if not texts and is_sound(data):
        return [data]
    if isinstance(data, (list, tuple)) or hasattr(data, "__next__"):
        return data if isinstance(data, tuple) else list(data)
    if getattr(data, "ndim", None) == 1:
        beside = "; and with its text: [((samples, rate), text), ...]" if texts else ""
        raise DataError(f"{without_rate(data)}{beside}")
    raise DataError(
        f"got {type(data).__name__}, expected a folder, a file, a frame, or a list of (sound, text)"
    )


def _spoken(row: Row, names: NamePattern) -> Row:
    fields = names.fields(row.sound) if isinstance(row.sound, Path) else None
    return row if fields is None else replace(row, speaker=fields["speaker"])
