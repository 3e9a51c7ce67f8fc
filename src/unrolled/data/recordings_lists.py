"""Lists of recordings with a form of their own: those of Sphinx (AN4) and of LJSpeech."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from unrolled.data.encodings import decode_text
from unrolled.data.feature_file import FEATURES
from unrolled.data.files import read_bytes
from unrolled.data.recordings_rows import Found, Row, the_first, without_sound
from unrolled.data.sound_file import SOUNDS
from unrolled.errors import DataError

# Where a list's sounds usually lie, beside it or beside its folder.
PLACES = ("", "clips", "wavs", "wav", "audio", "feat")
# The endings of which one is missing where a list has none.
_USUAL = (".wav", ".flac", ".mp3", ".ogg", ".npy")
# "YES (an251-fash-b)", "<s> YES </s> (an251-fash-b)"
_UTTERANCE = re.compile(r"(.*?)\s*\(([^()]+)\)\s*")
_MARKS = re.compile(r"<s>|</s>|<sil>")


def find_lists(folder: Path) -> tuple[Path, list[str]] | None:
    """The *.fileids in a folder or its `etc`, and what was chosen; None where there is none.

    Raises: DataError where there are several and none is called "train".
    """
    for place in (folder / "etc", folder):
        lists = sorted(place.glob("*.fileids")) if place.is_dir() else []
        if lists:
            return the_training(lists, folder)
    return None


def the_training(lists: list[Path], folder: Path) -> tuple[Path, list[str]]:
    """The one list, or of several the one for training, so that no test is trained on.

    Raises: DataError where several remain.
    """
    if len(lists) == 1:
        return lists[0], []
    training = [one for one in lists if "train" in re.split(r"[^a-z]+", one.name.lower())]
    names = ", ".join(one.name for one in lists)
    if len(training) != 1:
        raise DataError(f"holds the lists {names}: name the file of one", file=folder)
    return training[0], [f"read: {training[0].name} of {names} (name another file to read that)"]


def lines_of(path: Path, encoding: str) -> list[str]:
    """The lines of a file of transcripts.

    Raises: as `read_bytes` and `decode_text`.
    """
    return decode_text(read_bytes(path), path, encoding).split("\n")


def read_list(fileids: Path, encoding: str, notes: list[str]) -> Found:
    """A list of Sphinx: a path without ending a line, its texts in the .transcription beside it.

    A transcript ends with the name of its recording, "YES (an251-fash-b)", and may stand between
    <s> and </s>. Sounds lie in `wav`, features in `feat`; the folder of each is its speaker.

    Raises: DataError where the texts are missing, or a line of them has no name.
    """
    texts_file = fileids.with_suffix(".transcription")
    if not texts_file.is_file():
        raise DataError("has no .transcription of the same name beside it", file=fileids)
    texts = _utterances(texts_file, encoding)
    wanted = {
        line.strip(): number
        for number, line in enumerate(lines_of(fileids, encoding), 1)
        if line.strip()
    }
    if not wanted:
        raise DataError("is empty: expected a path without ending a line", file=fileids)
    sounds = _sounds_of(fileids, wanted)
    result = Found([], notes=[*notes, "speaker: the folder of each recording"])
    for name, number in wanted.items():
        if name not in sounds:
            told = f"there is no file {name} in wav or feat: put it there or take out the line"
            result.bad.append(without_sound(name, told, fileids, number))
            continue
        speaker = name.split("/")[-2] if "/" in name else None
        said = texts.get(name) or texts.get(_last(name))
        if said is None:
            result.rows.append(Row(sounds[name], None, speaker, name, fileids, number))
        else:
            result.rows.append(Row(sounds[name], said[0], speaker, name, texts_file, said[1]))
    names = {*wanted, *map(_last, wanted)}
    for name, (_, number) in texts.items():
        if name not in names:
            told = f"{fileids.name} has no recording {name}: add it or take out the line"
            result.bad.append(without_sound(name, told, texts_file, number))
    return result


def read_piped(path: Path, encoding: str) -> Found | None:
    """LJSpeech's metadata.csv: `LJ001-0001|Printing, in 1867|Printing, in eighteen sixty-seven`.

    The sound is wavs/LJ001-0001.wav; the last column is the text, in words where there are three.

    Returns: None where the first line has no `|`: it is a table then.

    Raises: DataError with the line that has another number of columns.
    """
    lines = lines_of(path, encoding)
    first = next((line for line in lines if line.strip()), "")
    width = first.count("|") + 1
    if width < 2:
        return None
    if width > 3:
        raise DataError(f"has {width} columns, expected name|text or name|text|words", file=path)
    rows = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        name, *texts = line.split("|")
        if len(texts) != width - 1:
            raise DataError(
                f"has {line.count('|')} marks | where the first line has {width - 1}: correct it",
                file=path,
                line=number,
            )
        text = next((one for one in reversed(texts) if one.strip()), None)
        sound = sound_at(path.parent, name.strip(), usual="wavs")
        rows.append(Row(sound, text, None, f"line {number}", path, number))
    told = "third column, or the second where that is empty" if width == 3 else "second column"
    found = Found(rows, notes=[f"texts: {told}"])
    found.notes += unlisted(path.parent / "wavs", rows)
    return found


def sound_at(folder: Path, name: str, usual: str | None = None) -> Path:
    """The file that a list calls `name`: in its folder or one of the usual ones inside, its ending
    added where it has none; where there is no such file the plainest path, or the .wav in the
    folder that is `usual` for such a list."""
    plain = folder / name
    ended = plain.suffix.lower() in SOUNDS | FEATURES
    suffixes = ("",) if ended else ("", *_USUAL)
    for place in PLACES:
        for suffix in suffixes:
            path = folder / place / f"{name}{suffix}"
            if path.is_file():
                return path
    return plain if usual is None else folder / usual / (name if ended else f"{name}.wav")


def unlisted(folder: Path, rows: list[Row]) -> list[str]:
    """A note of sounds in a folder that no row has."""
    if not folder.is_dir():
        return []
    known = {row.sound.name for row in rows if isinstance(row.sound, Path)}
    free = sorted(
        one.name
        for one in os.scandir(folder)
        if os.path.splitext(one.name)[1].lower() in SOUNDS and one.name not in known
    )
    if not free:
        return []
    return [f"{len(free):,} sounds in {folder.name} stand in no line ({the_first(free)})"]


def _utterances(path: Path, encoding: str) -> dict[str, tuple[str, int]]:
    """Of each recording its text and line."""
    texts = {}
    for number, line in enumerate(lines_of(path, encoding), 1):
        found = _UTTERANCE.fullmatch(line)
        if found is not None:
            texts[found[2].strip()] = _MARKS.sub(" ", found[1]), number
        elif line.strip():
            raise DataError(
                "does not end with the name of a recording: expected a line such as "
                "YES (an251-fash-b)",
                file=path,
                line=number,
            )
    return texts


def _last(name: str) -> str:
    return name.split("/")[-1]


def _sounds_of(fileids: Path, wanted: dict[str, int]) -> dict[str, Path]:
    """Of each name its file, from the first usual folder that holds any."""
    above = fileids.parent.parent if fileids.parent.name == "etc" else fileids.parent
    for place in ("wav", "feat", ""):
        found = {name: path for name, path in _stems(above / place) if name in wanted}
        if found:
            return found
    return {}


def _stems(folder: Path) -> Iterator[tuple[str, Path]]:
    for where, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if os.path.splitext(name)[1].lower() in SOUNDS | FEATURES:
                path = Path(where, name)
                yield path.relative_to(folder).with_suffix("").as_posix(), path
