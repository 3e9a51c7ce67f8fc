"""Tar archives: what lies in one, the sum of it, and a folder that holds it."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import uuid
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from unrolled.errors import DataError, OutputError


def files_in(archive: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """The plain files of a tar archive (gzipped too) and their contents, in its order.

    Links, devices and folders are left out.

    Raises: DataError where it is damaged or no archive, and for a path that leads out of it.
    """
    try:
        with tarfile.open(archive) as opened:
            for one in opened:
                inside = PurePosixPath(one.name.removeprefix("./"))
                if inside.is_absolute() or ".." in inside.parts or "\\" in one.name:
                    raise DataError(
                        f"holds {one.name!r}, a path that leads out of it: fetch another",
                        file=archive,
                    )
                content = opened.extractfile(one) if one.isfile() else None
                if content is not None:
                    yield inside, content.read()
    except (tarfile.TarError, OSError, EOFError, zlib.error):
        raise DataError(
            "is not a whole tar archive (damaged, cut short, or only named so): fetch it again",
            file=archive,
        ) from None


def contents_sha256(archive: Path, within: str) -> str:
    """A sum of the files in a folder of an archive that is the same however it was packed.

    That is the sha256 of a line `path sha256` for each, in the order of the paths, which are those
    inside of the folder.

    Args:
        archive: the archive.
        within: the name of the folder, at whatever depth.

    Raises: as `files_in`.
    """
    lines = []
    for path, content in files_in(archive):
        inside = _below(path, within)
        if inside is not None:
            sha256 = hashlib.sha256(content).hexdigest()
            lines.append(f"{inside.as_posix()} {sha256}\n")
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def unpack(archive: Path, folder: Path, within: str) -> Path:
    """The folder with the files of one that lies in an archive; it is complete or not there.

    Args:
        archive: the archive.
        folder: where to; what is there already is taken for it.
        within: the name of the folder inside, at whatever depth.

    Raises: as `files_in`; OutputError where the folder can't be written.
    """
    if folder.is_dir():
        return folder
    aside = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.part")
    try:
        aside.mkdir(parents=True)
        for path, content in files_in(archive):
            inside = _below(path, within)
            if inside is not None:
                (aside / inside).parent.mkdir(parents=True, exist_ok=True)
                (aside / inside).write_bytes(content)
        aside.rename(folder)
    except OSError as error:
        if not folder.is_dir():  # where it is, another process was quicker
            raise OutputError(
                f"{folder} can't be written ({error.strerror}): name another folder in "
                "UNROLLED_CACHE"
            ) from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


def _below(path: PurePosixPath, within: str) -> PurePosixPath | None:
    """The path inside of the first folder of that name above it."""
    if within not in path.parts[:-1]:
        return None
    return PurePosixPath(*path.parts[path.parts.index(within) + 1 :])
