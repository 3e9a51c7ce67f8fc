"""Recordings in a folder: which of the usual layouts it has, and the rows that it holds."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from unrolled.data.feature_file import FEATURES
from unrolled.data.recordings import LEFT_OUT
from unrolled.data.recordings_lists import find_lists, lines_of, read_list, read_piped
from unrolled.data.recordings_manifest import find_manifest, read_manifest
from unrolled.data.recordings_names import NamePattern
from unrolled.data.recordings_rows import Bad, Found, Row, the_first, without_sound
from unrolled.data.sound_file import FOREIGN, SOUNDS
from unrolled.errors import DataError

TRANSCRIPTS = ".trans.txt"
_EXPECTED = (
    "expected a folder for each label, a .txt of the same name beside each sound, *.trans.txt "
    "(LibriSpeech), metadata.csv (LJSpeech), a manifest with columns of sounds and texts, or "
    "pattern= (--pattern) for names such as '{label}_{speaker}_{take}.wav'"
)
# Folders of noise, such as `_background_noise_` of Speech Commands, are no label.
_ASIDE = ("_", ".")
# Folders of these names, also "train-clean-100", are parts of one set.
_PARTS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("test", "testing", "eval"), "test"),
    **dict.fromkeys(("dev", "val", "valid", "validation"), "dev"),
}


def read_folder(
    folder: Path,
    columns: dict[str, str | None],
    pattern: NamePattern | None,
    encoding: str,
) -> Found:
    """The rows of a folder, by the first layout that fits.

    In this order: the names of the files, where `pattern` finds texts in them; lists of Sphinx
    (`etc/*.fileids`); metadata.csv with `|`; a table that names sounds and texts; *.trans.txt; a
    .txt beside a sound; a folder for each label.

    Raises: DataError where none fits, with what was found; for a folder that holds the parts of a
    set, such as "train" and "test".
    """
    if pattern is not None and pattern.names & {"label", "text"}:
        sounds = sounds_in(folder)
        _check_one_part(folder, sounds)
        return _by_name(folder, sounds, pattern)
    if not any(columns.values()):
        lists = find_lists(folder)
        if lists is not None:
            return read_list(lists[0], encoding, lists[1])
        piped = folder / "metadata.csv"
        if piped.is_file() and (found := read_piped(piped, encoding)) is not None:
            return found
    manifest = find_manifest(folder, columns, encoding)
    if manifest is not None:
        return read_manifest(manifest[0], columns, encoding, manifest[1])
    if any(columns.values()):
        raise DataError(
            "holds no table (.csv, .tsv, .jsonl) whose columns could be named: name the table",
            file=folder,
        )
    sounds = sounds_in(folder)
    _check_one_part(folder, sounds)
    texts = _files(folder, lambda name: name.endswith(".txt"))
    transcripts = [path for path in texts if path.name.endswith(TRANSCRIPTS)]
    if transcripts:
        return read_librispeech(transcripts, sounds, encoding)
    beside = {path.with_suffix("") for path in texts}
    if any(path.with_suffix("") in beside for path in sounds):
        return _beside(folder, sounds, texts, encoding)
    return _by_label(folder, sounds)


def sounds_in(folder: Path) -> list[Path]:
    """Every file of sound or features in a folder and those inside it, in order; not hidden ones.

    Raises: DataError where there is none.
    """
    found = _files(folder, lambda name: os.path.splitext(name)[1] in SOUNDS | FEATURES)
    if found:
        return found
    foreign = _files(folder, lambda name: os.path.splitext(name)[1] in FOREIGN)
    if foreign:
        one = foreign[0]
        raise DataError(
            f"holds {len(foreign):,} files such as {one.name}, which can't be read: convert each to"
            f" wav, with ffmpeg -i {one.name} {one.stem}.wav",
            file=folder,
        )
    raise DataError(
        "holds no sound (.wav, .flac, .ogg, .mp3) and no features (.npy, .mfc): name another",
        file=folder,
    )


def read_librispeech(
    transcripts: Iterable[Path], sounds: Iterable[Path] | None, encoding: str
) -> Found:
    """Lines `84-121123-0000 GO DO YOU HEAR`, each beside a sound of that name.

    Args:
        transcripts: the files *.trans.txt.
        sounds: all files; those without a line are told. None looks beside the transcripts, for
            the files of the same speaker and chapter.
        encoding: of the transcripts.
    """
    transcripts = list(transcripts)
    if sounds is None:
        sounds = [
            path
            for one in transcripts
            for path in sorted(one.parent.iterdir())
            if path.suffix.lower() in SOUNDS | FEATURES
            and path.name.startswith(one.name.removesuffix(TRANSCRIPTS))
        ]
    free = {path.with_suffix(""): path for path in sounds}
    found = Found([], notes=["transcripts: *.trans.txt; speaker: the first part of each name"])
    for file in transcripts:
        for number, line in enumerate(lines_of(file, encoding), 1):
            name, _, text = line.strip().partition(" ")
            if not name:
                continue
            sound = free.pop(file.parent / name, None)
            if sound is None:
                told = f"there is no sound {name} beside it: put it there or take out the line"
                found.bad.append(without_sound(name, told, file, number))
                continue
            found.rows.append(Row(sound, text, name.split("-")[0], name, file, number))
    found.bad += [_untold(path) for path in free.values()]
    return found


def _by_name(folder: Path, sounds: list[Path], pattern: NamePattern) -> Found:
    found = Found([], labelled=pattern.labelled)
    for path in sounds:
        fields = pattern.fields(path)
        place = _inside(folder, path)
        if fields is None:
            told = f"its name does not fit pattern {pattern.pattern!r}: name it so"
            found.bad.append(Bad("names that do not fit the pattern", place, told, path))
            continue
        found.rows.append(Row(path, pattern.text(fields), fields.get("speaker"), place))
    return found


def _beside(folder: Path, sounds: list[Path], texts: list[Path], encoding: str) -> Found:
    found = Found([], notes=["texts: a .txt file of the same name beside each sound"])
    free = {path.with_suffix(""): path for path in texts}
    for path in sounds:
        text = free.pop(path.with_suffix(""), None)
        said = None if text is None else " ".join(lines_of(text, encoding))
        found.rows.append(Row(path, said, None, _inside(folder, path)))
    # a README is no transcript: only what lies among the sounds is
    homes = {path.parent for path in sounds}
    for path in free.values():
        if path.parent in homes and not path.name.lower().startswith(("readme", "licen")):
            told = "there is no sound of this name beside it: put it there or remove the text"
            found.bad.append(without_sound(_inside(folder, path), told, path))
    return found


def _by_label(folder: Path, sounds: list[Path]) -> Found:
    """A folder for each label: the last one above the sound that not all of them share."""
    sounds, strays = _without_strays(folder, sounds)
    parts, shared = _paths_inside(folder, sounds)
    depths = Counter(len(one) - shared for one in parts)
    if set(depths) == {3}:
        inside = ", ".join(sorted({one[shared] for one in parts})[:5])
        raise DataError(
            f"holds folders in folders: name one of those in it ({inside}), or give a pattern "
            "(--pattern) such as '{label}/{speaker}/{take}.wav'",
            file=folder,
        )
    if set(depths) != {2}:
        flat = [path for path, one in zip(sounds, parts, strict=True) if len(one) - shared < 2]
        told = "nothing tells what is said in the sounds that it holds"
        if 0 < len(flat) < len(sounds):
            names = the_first([_inside(folder, path) for path in flat])
            told = (
                f"holds {len(flat):,} sound{'s' * (len(flat) != 1)} in no folder of a label"
                f" ({names}): move them into one, or out of it; else"
            )
            raise DataError(f"{told} {_EXPECTED}", file=folder)
        raise DataError(f"{told}: {_EXPECTED}", file=folder)
    kept = [
        (path, one)
        for path, one in zip(sounds, parts, strict=True)
        if not one[shared].startswith(_ASIDE)
    ]
    labels = {one[shared] for _, one in kept}
    if len(labels) < 2:
        raise DataError(
            f"holds sounds of {len(labels)} label{'s' * (len(labels) != 1)} only: {_EXPECTED}",
            file=folder,
        )
    rows = [Row(path, one[shared], None, "/".join(one)) for path, one in kept]
    notes = [f"labels: the {len(labels)} folders"]
    if strays:
        names = the_first([_inside(folder, path) for path in strays])
        notes.append(
            f"{LEFT_OUT}sounds in no folder of a label: {len(strays):,} ({names}); move each"
            " into the folder of its label"
        )
    aside = sorted({one[shared] for one in parts} - labels)
    if aside:
        notes.append(f"left aside, since no label begins so: {', '.join(aside)}")
    return Found(rows, labelled=True, notes=notes)


def _without_strays(folder: Path, sounds: list[Path]) -> tuple[list[Path], list[Path]]:
    """Those that lie as deep as most, and those above them, where they are so few (a tenth, or one
    beside four) that the layout is clear without them; else all, and none."""
    depths = [len(path.relative_to(folder).parts) for path in sounds]
    usual = Counter(depths).most_common(1)[0][0]
    strays = [path for path, depth in zip(sounds, depths, strict=True) if depth < usual]
    if len(strays) > max(len(sounds) // 10, len(sounds) >= 5):
        return sounds, []
    return [path for path, depth in zip(sounds, depths, strict=True) if depth >= usual], strays


def _paths_inside(folder: Path, sounds: list[Path]) -> tuple[list[tuple[str, ...]], int]:
    """The parts of each path, and how many folders all of them share, above two last ones."""
    parts = [path.relative_to(folder).parts for path in sounds]
    shared = 0
    while all(len(one) > shared + 2 for one in parts) and len({one[shared] for one in parts}) == 1:
        shared += 1
    return parts, shared


def _check_one_part(folder: Path, sounds: list[Path]) -> None:
    """DataError where the folders are the parts of a set, so that no test is trained on."""
    parts, shared = _paths_inside(folder, sounds)
    names = {one[shared] for one in parts if len(one) > shared + 1}
    kinds = {_PARTS.get(re.split(r"[^a-z]", name.lower())[0]) for name in names}
    if len(kinds) > 1 and None not in kinds:
        raise DataError(
            f"holds parts of a set, {', '.join(sorted(names)[:5])}: name the folder of one",
            file=folder,
        )


def _untold(path: Path) -> Bad:
    told = "has no transcript: write what is said in it"
    return Bad("sounds without a transcript", path.name, told, path)


def _inside(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def _files(folder: Path, fits: Callable[[str], bool]) -> list[Path]:
    """Files whose name in lower case fits, in order; hidden files and folders are left out."""
    found: list[Path] = []
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            Path(where, name)
            for name in sorted(names)
            if not name.startswith(".") and fits(name.lower())
        ]
    return found
