"""The log of a run, read while it is written: whole lines only, and anew where it was replaced."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, BinaryIO

LOG = "log.jsonl"
# So many bytes before the place that was read to tell whether the file is still the same one.
_REMEMBERED = 256
# Steps beyond this are no numbers that every reader of JSON keeps.
_MOST = 2**53


class LogReader:
    """What stands in a log, line by line, each time that it is looked at.

        reader = LogReader("runs/one/log.jsonl")
        reader.read()                                       # True: there is more than before
        reader.records

    The last line counts once its end is there. A run that is resumed writes its log anew, with the
    lines up to its checkpoint: where what was read is no longer there, all is read again.

    Attributes:
        records: one for each line, in the order of the file.
        broken: numbers (from 1) of lines that are no records; they are passed over.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._begin()

    def _begin(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.broken: list[int] = []
        self._read_to = 0
        self._lines = 0
        self._last = b""

    def read(self) -> bool:
        """Read on; whether there is anything new. A file that is gone for now changes nothing.

        Raises:
            OSError: the file is there and can't be read.
        """
        try:
            with self.path.open("rb") as file:
                anew = not self._continues(file)
                if anew:
                    self._begin()
                file.seek(self._read_to)
                text = file.read()
        except FileNotFoundError:
            return False
        whole = text[: text.rfind(b"\n") + 1]
        for line in whole.splitlines():
            self._lines += 1
            record = _record(line)
            if record is not None:
                self.records.append(record)
            elif line.strip():
                self.broken.append(self._lines)
        self._read_to += len(whole)
        self._last = (self._last + whole)[-_REMEMBERED:]
        return anew or bool(whole)

    def _continues(self, file: BinaryIO) -> bool:
        file.seek(self._read_to - len(self._last))
        return file.read(len(self._last)) == self._last


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    step = found.get("step") if isinstance(found, dict) else None
    known = isinstance(step, int) and not isinstance(step, bool) and 0 <= step <= _MOST
    return found if known else None
