"""What the tests of all readers share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from unrolled.errors import DataError


@pytest.fixture
def refused(tmp_path: Path) -> Callable[..., None]:
    """`refused(read, name, content, told)`: `read` names the file, says `told`, in one line.

    `content` is bytes, None for no file at all, or "folder" for a folder in its place.
    """

    def check(read: Callable[[Path], object], name: str, content: object, told: str) -> None:
        path = tmp_path / name
        if content == "folder":
            path.mkdir()
        elif isinstance(content, bytes):
            path.write_bytes(content)
        with pytest.raises(DataError) as caught:
            read(path)
        assert caught.value.file == str(path)
        assert told in str(caught.value)
        assert "\n" not in str(caught.value)

    return check
