"""The run folder: `log.jsonl`, a line a step, and `checkpoint.unrolled`, the state of a run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, TextIO

from torch import Tensor

from unrolled.errors import ConfigError, OutputError
from unrolled.training.log import LOG
from unrolled.training.modelfile import Card, read_model, write_model
from unrolled.writing import replacing

CHECKPOINT = "checkpoint.unrolled"


class Run:
    """Where a run writes. Without a folder it keeps its records in memory and writes nothing.

    Args:
        folder: made if missing; None for a run that leaves nothing behind.
        resume: go on from the checkpoint in `folder`, if there is one.

    Raises:
        ConfigError: the folder already holds a run and `resume` is false.
        OutputError: the folder can't be made or written.
    """

    def __init__(self, folder: str | os.PathLike[str] | None, *, resume: bool = False) -> None:
        if folder is None and resume:
            raise ConfigError(
                "resume=True (--resume) needs run_dir (--run-dir): the folder of the run"
            )
        if folder is not None and not os.fspath(folder):
            raise ConfigError("run_dir: got an empty name, expected a folder")
        self.folder = None if folder is None else Path(folder)
        self.records: list[dict[str, Any]] = []
        self._log: TextIO | None = None
        self._resume = resume
        if self.folder is None:
            return
        if not resume and any((self.folder / name).exists() for name in (CHECKPOINT, LOG)):
            raise ConfigError(
                f"{self.folder}: already holds a run; pass resume=True (--resume) to go on with it,"
                " or choose another folder"
            )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"{self.folder}: can't make the run folder ({error.strerror}); choose another"
            ) from error

    def within(self, name: str) -> Run:
        """A run in a folder inside of this one's; without a folder where this one has none."""
        return Run(None if self.folder is None else self.folder / name, resume=self._resume)

    def checkpoint(self) -> tuple[Card, dict[str, Tensor]] | None:
        """The checkpoint to go on from, or None for a fresh start."""
        if self.folder is None or not self._resume or not (self.folder / CHECKPOINT).exists():
            return None
        return read_model(self.folder / CHECKPOINT)

    def open_log(self, after_step: int) -> None:
        """Begin or go on with the log; lines after `after_step` belong to work that was lost."""
        if self.folder is None:
            return
        for left in self.folder.glob(f".{CHECKPOINT}.*.part"):
            left.unlink()  # a kill in the middle of a write leaves what was written aside
        path = self.folder / LOG
        kept = _complete_records(path, after_step) if path.exists() else []
        self.records = kept
        with replacing(path) as aside:
            aside.write_text("".join(json.dumps(record) + "\n" for record in kept))
        self._log = path.open("a", encoding="utf-8", buffering=1)  # a line at a time

    def write(self, record: dict[str, Any]) -> None:
        """Add one record to the log."""
        self.records.append(record)
        if self._log is not None:
            self._log.write(json.dumps(record) + "\n")

    def save(self, card: Card, tensors: dict[str, Tensor]) -> None:
        """Write the checkpoint, after the log lines that lead up to it."""
        if self.folder is None:
            return
        if self._log is not None:
            self._log.flush()
        write_model(self.folder / CHECKPOINT, card, tensors)

    def close(self) -> None:
        """Close the log."""
        if self._log is not None:
            self._log.close()
            self._log = None


def _complete_records(path: Path, last_step: int) -> list[dict[str, Any]]:
    """The log's records up to `last_step`; a line cut off by a kill is dropped."""
    records = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            break
        if not isinstance(record, dict) or "step" not in record:
            raise ConfigError(f"{path}: is not the log of a run; choose another run folder")
        if record["step"] <= last_step:
            records.append(record)
    return records
