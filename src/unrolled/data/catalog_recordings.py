"""The catalog's recordings: archives unpacked once, their parts, and folders of them."""

from __future__ import annotations

import shutil
import uuid
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unrolled.data.archives import unpack
from unrolled.data.catalog import cache_folder
from unrolled.data.recordings import Recordings
from unrolled.data.recordings_names import NamePattern
from unrolled.data.recordings_reading import read_recordings
from unrolled.errors import DataError, OutputError

if TYPE_CHECKING:
    from unrolled.data.catalog import Entry


def load_recordings(wanted: Entry, path: Path, options: dict[str, Any]) -> Recordings:
    """A set of kind "recordings" from its archive, which is unpacked into the cache once.

    Args:
        wanted: the set.
        path: its archive, as kept or as published: both hold the same files.
        options: of the reader; `within`: the folder of the archive; `list`: the list in it that is
            meant; `part`: "train" or "test" of those whose {take} in the pattern is one of
            `held_out`; `count`: how many there are.

    Raises: as `read_recordings`; OutputError where the cache can't be written; DataError where
    files of it were lost.
    """
    within, place = options.pop("within"), options.pop("list", "")
    part, held_out = options.pop("part", None), set(options.pop("held_out", ()))
    count = options.pop("count")
    assert wanted.local is not None
    assert wanted.local.sha256 is not None
    folder = cache_folder() / wanted.folder / f"{within}-{wanted.local.sha256[:12]}"
    unpack(path, folder, within)
    found = replace(read_recordings(folder / place, **options), name=wanted.name)
    if part is not None:
        pattern = NamePattern(options["pattern"])
        items = tuple(
            one
            for one in found.items
            if one.path is not None
            and (fields := pattern.fields(one.path)) is not None
            and (fields["take"] in held_out) == (part == "test")
        )
        found = replace(found, items=items)
    if len(found) != count:
        raise DataError(
            f"holds {len(found):,} recordings of {wanted.name} where the catalog has {count:,}: "
            "remove the folder, and it is unpacked anew",
            file=folder,
        )
    return found


def write_recordings(recordings: Recordings, path: str | PathLike[str]) -> None:
    """Write a folder that `read_recordings` reads as it is: the files, and manifest.csv.

    Args:
        recordings: of files.
        path: of the folder, which is not there or empty.

    Raises: OutputError where something stands there, or it can't be written.
    """
    import polars as pl

    path = Path(path)
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise OutputError(f"{path}: is there already and not empty; name a new folder")
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    what = "label" if recordings.labelled else "text"
    rows: dict[str, list[str | None]] = {"audio": [], what: [], "speaker": []}
    try:
        (aside / "audio").mkdir(parents=True)
        for one in recordings.items:
            assert one.path is not None
            # names may repeat in the folders that they come from
            name = one.path.name
            if (aside / "audio" / name).exists():
                name = f"{len(rows['audio'])}-{name}"
            shutil.copyfile(one.path, aside / "audio" / name)
            for column, value in zip(rows, (f"audio/{name}", one.text, one.speaker), strict=True):
                rows[column].append(value)
        pl.DataFrame(rows).write_csv(aside / "manifest.csv")
        if path.exists():
            path.rmdir()
        aside.rename(path)
    except OSError as error:
        raise OutputError(
            f"{path}: can't be written ({error.strerror}); name another folder"
        ) from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)
