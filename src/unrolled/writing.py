"""Files that are complete or not there: written aside, then renamed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from unrolled.errors import OutputError


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A path to write aside; on success it takes the place of `path`, on failure it is removed.

    Raises:
        OutputError: the folder does not exist or can't be written; what stood at `path` still does.
    """
    path = Path(path)
    if path.is_dir():
        raise OutputError(f"{path}: is a folder, expected a file to write; name a file in it")
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise OutputError(
            f"{path}: can't write into {path.parent} ({error.strerror}); choose another folder"
        ) from error
    os.close(handle)
    aside = Path(name)
    try:
        yield aside
        _settle(aside, path)
    except OSError as error:
        raise OutputError(
            f"{path}: can't be written ({error.strerror}); nothing changed, choose another place"
        ) from error
    finally:
        aside.unlink(missing_ok=True)


def _settle(aside: Path, path: Path) -> None:
    """Bring `aside` to the disk, with the mode of an ordinary new file, and rename it to `path`."""
    mask = os.umask(0)
    os.umask(mask)
    aside.chmod(0o666 & ~mask)
    with aside.open("rb") as written:
        os.fsync(written.fileno())
    aside.replace(path)
