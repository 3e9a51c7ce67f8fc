"""The progress bar: loss, speed and time left. Silent where nobody watches."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, TextIO, cast

UNKNOWN = "-"


class Lasting:
    """A stream whose terminal may be closed during a run: what can't be shown is dropped."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def watched(
    parts: Sequence[Sequence[Any]], title: str, unit: str, *, shown: bool
) -> Iterator[Sequence[Any]]:
    """Each part, with a bar that counts what they hold, where there are several.

    Args:
        parts: of the work.
        title: what is done with them.
        unit: what a part holds.
        shown: whether there is a bar, where standard error is a terminal.
    """
    if not shown or len(parts) < 2 or not sys.stderr.isatty():
        yield from parts
        return
    from rich import progress
    from rich.console import Console

    bar = progress.Progress(
        progress.TextColumn("[bold]{task.description}"),
        progress.BarColumn(),
        progress.TextColumn("{task.completed:,.0f} of {task.total:,.0f} " + unit),
        progress.TimeRemainingColumn(),
        console=Console(file=cast(TextIO, Lasting(sys.stderr))),
    )
    with bar:
        task = bar.add_task(title, total=sum(map(len, parts)))
        for part in parts:
            yield part
            bar.advance(task, len(part))


class Progress:
    """A bar on standard error; does nothing when `shown` is false or the output is no terminal."""

    def __init__(self, title: str, *, shown: bool, unit: str) -> None:
        self._bar: Any = None
        if not shown or not sys.stderr.isatty():
            return
        from rich import progress
        from rich.console import Console

        self._bar = progress.Progress(
            progress.TextColumn("[bold]{task.description}"),
            progress.BarColumn(),
            progress.TaskProgressColumn(),
            progress.TextColumn("loss {task.fields[loss]}"),
            progress.TextColumn("held out {task.fields[held_out]}"),
            progress.TextColumn("{task.fields[speed]} " + f"{unit}/s"),
            progress.TextColumn("{task.fields[left]} left"),
            console=Console(file=cast(TextIO, Lasting(sys.stderr))),
            refresh_per_second=4,
        )
        fields = dict.fromkeys(("loss", "held_out", "speed", "left"), UNKNOWN)
        self._task = self._bar.add_task(title, total=None, **fields)

    def __enter__(self) -> Progress:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(
        self,
        *,
        step: int,
        total: int | None,
        loss: float,
        held_out: float | None,
        tokens_per_second: float,
        seconds_left: float | None,
    ) -> None:
        """Show the state after a step."""
        if self._bar is None:
            return
        left = UNKNOWN
        if seconds_left is not None:
            left = f"{int(seconds_left) // 60}:{int(seconds_left) % 60:02d}"
        self._bar.update(
            self._task,
            completed=step,
            total=total,
            loss=f"{loss:.3f}",
            held_out=UNKNOWN if held_out is None else f"{held_out:.3f}",
            speed=f"{tokens_per_second:,.0f}",
            left=left,
        )
