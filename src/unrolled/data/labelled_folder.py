"""Labelled texts that lie in folders: a folder for each label, or a file of lines for each label.

A tar archive is read as the folder that it holds; nothing of it is written to the disk.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from unrolled.data.archives import files_in
from unrolled.data.encodings import decode_text
from unrolled.data.files import read_bytes
from unrolled.errors import DataError

UNLABELLED = frozenset({"unsup", "unlabeled", "unlabelled"})
_ABOUT = ("readme", "license", "licence", "source", "copying", "notice")
ARCHIVES = (".tar.gz", ".tgz", ".tar")


@dataclass(frozen=True)
class Member:
    """A text file in a folder or archive: its path there, and how its bytes are had."""

    path: PurePosixPath
    read: Callable[[], bytes]


def read_folder(
    path: Path, encoding: str = "utf-8", within: str = ""
) -> tuple[list[str], list[str | None], str]:
    """The texts, the label of each (None: unlabelled), and how they lay.

    Args:
        path: a folder or tar archive (gzipped too).
        encoding: of the files.
        within: the folder inside it that is meant.

    A folder with folders of .txt files: each file is a text, its folder the label. A folder with
    .txt files: each line is a text, its file's name the label (README and LICENSE are left out).
    Lines end at line ends only, not at what else Unicode calls a line break.

    Raises: DataError where it is neither, or a file is not of the encoding (with its line).
    """
    members = list(_members(path))
    if within:
        members = [one for one in members if one.path.is_relative_to(within)]
        members = [Member(one.path.relative_to(within), one.read) for one in members]
    members = _unwrapped(members, archive=not path.is_dir())
    depths = {len(one.path.parts) for one in members}
    if not members:
        raise DataError(
            "there is no .txt file in it: put a folder or file for each label", file=path
        )
    if depths == {1}:
        return _by_line(members, path, encoding)
    if depths == {2}:
        return _by_file(members, path, encoding)
    raise DataError(
        "is neither a folder with a folder of .txt files for each label, nor one with a .txt file "
        f"for each label (found {members[0].path} and {members[-1].path}): name such a folder",
        file=path,
    )


def _members(path: Path) -> Iterator[Member]:
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            inside = PurePosixPath(file.relative_to(path).as_posix())
            if file.is_file() and _is_text(inside):
                yield Member(inside, partial(read_bytes, file))
        return
    if not path.exists():
        read_bytes(path)  # says that it is not there
    found = [(inside, content) for inside, content in files_in(path) if _is_text(inside)]
    for inside, content in sorted(found):
        if inside.name.endswith(".gz"):
            try:
                content = gzip.decompress(content)
            except (OSError, EOFError, zlib.error):
                raise DataError(
                    f"holds {inside}, which is not a whole gzip file: fetch it again", file=path
                ) from None
        yield Member(inside, partial(bytes, content))


def _is_text(path: PurePosixPath) -> bool:
    name = path.name.lower()
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return name.endswith((".txt", ".txt.gz")) and not hidden and not name.startswith(_ABOUT)


def _unwrapped(members: list[Member], archive: bool) -> list[Member]:
    """Without the one folder that all of them lie in, as archives have it."""
    # in a plain folder, one folder of texts is one label
    least = 2 if archive else 3
    while (
        members
        and min(len(one.path.parts) for one in members) >= least
        and len({one.path.parts[0] for one in members}) == 1
    ):
        members = [Member(PurePosixPath(*one.path.parts[1:]), one.read) for one in members]
    return members


def _by_line(
    members: list[Member], path: Path, encoding: str
) -> tuple[list[str], list[str | None], str]:
    texts: list[str] = []
    labels: list[str | None] = []
    for one in members:
        label = one.path.name.removesuffix(".gz")[: -len(".txt")]
        text = decode_text(one.read(), path / one.path, encoding)
        lines = text.removesuffix("\n").split("\n")
        texts += lines
        labels += [None if label.lower() in UNLABELLED else label] * len(lines)
    return texts, labels, f"{len(members)} files, a label each, a text a line"


def _by_file(
    members: list[Member], path: Path, encoding: str
) -> tuple[list[str], list[str | None], str]:
    texts: list[str] = []
    labels: list[str | None] = []
    for one in members:
        label = one.path.parts[0]
        texts.append(decode_text(one.read(), path / one.path, encoding))
        labels.append(None if label.lower() in UNLABELLED else label)
    folders = len({one.path.parts[0] for one in members})
    return texts, labels, f"{folders} folders, a label each, a text a file"
