"""Recordings in a table: a column of sounds, one of texts, and maybe one of speakers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Any

from unrolled.data.feature_file import FEATURES
from unrolled.data.labelled_cells import Cells, Expected, read_cells
from unrolled.data.labelled_columns import listed_columns, require_column
from unrolled.data.recordings_lists import PLACES, sound_at, the_training
from unrolled.data.recordings_rows import Bad, Found, Row
from unrolled.data.sound_file import SOUNDS
from unrolled.errors import DataError

TABLES = frozenset({".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet"})
AUDIO_NAMES = (
    *("audio", "audio_filepath", "audio_file", "audio_path", "path", "file", "file_name"),
    *("filename", "filepath", "file_path", "wav", "wav_path", "wav_file", "wav_filename", "clip"),
    *("sound", "recording", "features"),
)
TEXT_NAMES = (
    *("text", "transcript", "transcription", "sentence", "normalized_text", "utterance"),
    *("normalized_transcription", "normalized_transcript", "phrase"),
)
LABEL_NAMES = ("label", "command", "keyword", "class", "digit", "word", "intent", "category")
SPEAKER_NAMES = ("speaker", "speaker_id", "client_id", "speaker_name", "spk", "spk_id", "spkid")
_NAMES = {"audio": AUDIO_NAMES, "text": TEXT_NAMES + LABEL_NAMES, "speaker": SPEAKER_NAMES}

_EXPECTED = Expected(
    '{"audio": "a.wav", "text": "..."}',
    "recordings are a folder, a sound, or a table (.csv, .tsv, .jsonl, .parquet) that names sounds",
    "or a list of (path, text)",
)
_HEAD = 1 << 16
_LOOKED = 100


def find_manifest(
    folder: Path, columns: dict[str, str | None], encoding: str
) -> tuple[Path, list[str]] | None:
    """The table in a folder that names sounds and texts, and what was chosen of several.

    Args:
        folder: where it lies.
        columns: as a person named them; any table will do then.
        encoding: of the tables.

    Raises: DataError where there are several and none is called "train".
    """
    tables = sorted(path for path in folder.iterdir() if _kind(path) in TABLES and path.is_file())
    tables = [path for path in tables if not path.name.startswith(".")]
    if not any(columns.values()):
        tables = [path for path in tables if _names_sounds(path, encoding)]
    return the_training(tables, folder) if tables else None


def read_manifest(
    data: Any, columns: dict[str, str | None], encoding: str, notes: Sequence[str] = ()
) -> Found:
    """The rows of a table.

    Args:
        data: a .csv, .tsv, .jsonl, .json or .parquet file (.gz too), or a frame.
        columns: names of the columns "audio", "text" and "speaker"; None: found by their usual
            names, a column of sounds also by its endings. "text" is missing where none is asked
            for.
        encoding: of the file.
        notes: what was told before.

    A path holds from the table's folder, or from `clips`, `wavs`, `wav`, `audio` or `feat` in it.

    Raises: DataError with the columns where one can't be found, and with line and column for a
    cell that is no path or no text, and for a part of a file (NeMo's `offset`).
    """
    cells = read_cells(data, encoding, _EXPECTED)
    _check_header(cells)
    chosen = {what: _column(cells, what, columns[what]) for what in columns}
    for what, held in (("audio", "sounds"), ("text", "what is said")):
        if what in chosen and chosen[what] is None:
            raise cells.error(
                f"no column looks like {held} (the columns are "
                f"{listed_columns(list(cells.columns))}): name it with {what}= (--{what})"
            )
    _check_whole(cells)
    folder = Path(data).parent if isinstance(data, (str, PathLike)) else Path()
    values = {what: _texts(cells, chosen.get(what), what) for what in _NAMES}
    sounds = _paths(values["audio"], folder)
    lines = None if cells.lines is None else cells.lines()
    found = Found([], notes=list(notes))
    for at, (sound, text, speaker) in enumerate(
        zip(sounds, values["text"], values["speaker"], strict=True)
    ):
        line = None if lines is None else lines[at]
        place = f"row {at}" if lines is None else f"line {line}"
        if sound is None:
            told = f"names no sound in column {chosen['audio']!r}: name one or take out the row"
            if line is None:
                told = f"{place} (counted from 0) {told}"
            found.bad.append(Bad("transcripts without a sound", place, told, cells.file, line))
            continue
        found.rows.append(Row(sound, text, speaker, place, cells.file, line))
    guessed = [what for what in chosen if columns[what] is None and chosen[what] is not None]
    if guessed:
        told = ", ".join(f"{what}: column {chosen[what]!r}" for what in guessed)
        named = ", ".join(f"{what}=" for what in guessed)
        found.notes.append(f"{told} (guessed; {named} name{'s' * (len(guessed) == 1)} others)")
    found.labelled = (
        chosen.get("text") is not None and plain_name(str(chosen["text"])) in LABEL_NAMES
    )
    return found


def _kind(path: Path) -> str:
    return Path(path.name.lower().removesuffix(".gz")).suffix


def _names_sounds(path: Path, encoding: str) -> bool:
    """Whether the head of a table has columns of sounds and texts by their usual names."""
    if _kind(path) == ".parquet" or path.suffix.lower() == ".gz":
        try:
            names = list(read_cells(path, encoding, _EXPECTED).columns)
        except DataError:
            return False
    else:
        with open(path, "rb") as file:
            head = file.read(_HEAD).decode(encoding, "replace")
        first = head.lstrip("\ufeff \n\r\t[").split("\n")[0]
        names = re.findall(r'"([^"]*)"\s*:', first)
        if _kind(path) in {".csv", ".tsv"}:
            names = [one.strip('" \r') for one in re.split(r"[,;\t]", first)]
    found = {plain_name(name) for name in names}
    return all(found & set(_NAMES[what]) for what in ("audio", "text"))


def plain_name(name: str) -> str:
    """A name in lower case with `_` between its words."""
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


def _column(cells: Cells, what: str, named: str | None) -> str | None:
    if named is not None:
        require_column(cells, named)
        return named
    plain: dict[str, str] = {}
    for column in cells.columns:
        plain.setdefault(plain_name(column), column)
    for name in _NAMES[what]:
        if name in plain:
            return plain[name]
    if what == "audio":
        ended = [name for name, column in cells.columns.items() if _mostly_sounds(column)]
        return ended[0] if len(ended) == 1 else None
    return None


def _mostly_sounds(column: list[Any]) -> bool:
    known = [one for one in islice(column, _LOOKED) if one]
    return sum(isinstance(one, str) and names_sound(one) for one in known) * 2 > len(known)


def names_sound(name: str) -> bool:
    """Whether a name ends as a file of sound or features does."""
    return Path(name).suffix.lower() in SOUNDS | FEATURES


def _check_header(cells: Cells) -> None:
    """DataError where the first line of a file is a row and not the names of the columns."""
    for name in cells.columns:
        if names_sound(name):
            raise DataError(
                f"{name!r} looks like a part of a row and not like the name of a column: put a line"
                " with names before it, such as audio,text",
                file=cells.file,
                line=1,
            )


def _check_whole(cells: Cells) -> None:
    """DataError where a row is a part of its file only, which would be learnt as the whole."""
    for row, value in enumerate(cells.columns.get("offset", ())):
        if value not in (None, "", "0") and value != 0 and str(value).strip("0."):
            raise cells.error(
                f"a part of a file from {value} s on is meant: cut the sound into files",
                row=row,
                column="offset",
            )


def _paths(names: list[str | None], folder: Path) -> list[Path | None]:
    """Of each row the path of its sound; None where the cell is empty."""
    # the first few tell where all of them are, without asking the disk for thousands
    first = [name for name in names[:_LOOKED] if name]
    for base in (folder / place for place in PLACES):
        if any((base / name).is_file() for name in first):
            return [None if name is None else base / name for name in names]
    return [None if name is None else sound_at(folder, name) for name in names]


def _texts(cells: Cells, column: str | None, what: str) -> list[str | None]:
    """Of each row the text in a column; None where it is empty, or there is no such column."""
    if column is None:
        return [None] * len(cells)
    texts: list[str | None] = []
    for row, value in enumerate(cells.columns[column]):
        if value is None or value != value:
            texts.append(None)
        elif isinstance(value, (list, dict)):
            raise cells.error(
                f"holds {type(value).__name__} where text is expected: name another column with "
                f"{what}=",
                row=row,
                column=column,
            )
        else:
            texts.append(str(value).strip() or None)
    return texts
