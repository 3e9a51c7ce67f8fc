"""`show`: a model that reads something, a trace, or runs, as a page in the browser."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from unrolled.errors import ConfigError, DataError, ModelFileError
from unrolled.lens.page import write_page
from unrolled.lens.records import Report
from unrolled.lens.runs import look_at, names_of, record_of, run_folders
from unrolled.lens.server import PageServer, open_browser
from unrolled.lens.tracing import STEPS, UNITS
from unrolled.training.log import LOG, LogReader

if TYPE_CHECKING:
    from unrolled.data.series_set import SeriesSet
    from unrolled.lens.run_records import RunRecord
    from unrolled.lens.traces import Trace
    from unrolled.tasks.base import Task
    from unrolled.tasks.forecaster import Forecaster

# Seconds from one look at a log to the next.
EVERY = 1.0
# A look takes at most one part in so many of the time.
_SHARE = 5
# A safetensors file begins with the size of its header, in so many bytes.
_SIZE = 8
_EXPECTED = "expected a model (.unrolled), a trace (Trace.save) or the folder of a run"


def show(
    *what: str | os.PathLike[str] | Trace | Task,
    given: Any = None,
    series: str | None = None,
    origin: Any = None,
    beam: int | None = None,
    out: str | os.PathLike[str] | None = None,
    port: int = 0,
    browser: bool = True,
    steps: int = STEPS,
    units: int = UNITS,
) -> Path | None:
    """Make a page of `what`, open it in the browser, and serve it on 127.0.0.1 until Ctrl-C.

        unrolled.lens.show("reviews.unrolled", given="not a bad film at all")
        unrolled.lens.show("night.trace")
        unrolled.lens.show("runs/one", "runs/two")            # live, while they are written

    Args:
        what: one model (its file, or a fitted task), one trace (its file, or a `Trace`), or one or
            several run folders; of a folder of run folders, those; an empty one is followed until
            a run begins there.
        given: what the model reads, as of `unrolled.trace`; a `Path`: the text in that file, the
            table of a `Forecaster`, or the sound of a `Transcriber`. Of a `Translator` a sentence,
            or with a tab behind it the translation that is to be taken for the answer; of a
            `Transcriber` a file of sound, or with a tab behind it the text to align with it.
        series: of a table with several, the one that is read.
        origin: of a `Forecaster`, as of `unrolled.trace`.
        beam: of a `Translator` or a `Transcriber`, as of `unrolled.trace`.
        out: write the page to this file, which works from disk, and serve nothing.
        port: of the address; 0: any that is free.
        browser: open it there; otherwise the address is only printed.
        steps, units: as of `unrolled.trace`.

    Returns:
        The path of the page that was written, or None.

    Raises:
        ConfigError: nothing to read for the model, or something for what reads nothing; several
            things that are no run folders; more than a page can show.
        DataError: no such file or folder, neither model, trace nor run, a folder without a log.
        ModelFileError: a model or a trace that is truncated or of another format.
        OutputError: the port is taken, or `out` can't be written.
    """
    options: dict[str, Any] = {"series": series, "origin": origin, "beam": beam}
    if out is not None:
        page = shown(*what, given=given, **options, steps=steps, units=units)
        return write_page(out, page.title, page.data)
    with serve(*what, given=given, **options, port=port, steps=steps, units=units) as lens:
        opened = browser and open_browser(lens.url)
        where = "open in the browser" if opened else "here, for a browser on this machine"
        print(f"{lens.url}\n{lens.title}: {where}; Ctrl-C ends it", flush=True)
        for folder in lens.waiting:
            print(f"{folder}: no {LOG} yet; the page shows the run as it begins", flush=True)
        try:
            lens.wait()
        except KeyboardInterrupt:
            print("\nended; a page that is still open keeps what it shows", flush=True)
    return None


def serve(
    *what: str | os.PathLike[str] | Trace | Task,
    given: Any = None,
    series: str | None = None,
    origin: Any = None,
    beam: int | None = None,
    port: int = 0,
    steps: int = STEPS,
    units: int = UNITS,
) -> Lens:
    """As `show`, without waiting: a page at `.url` until `.close()`, in a `with` statement or not.

    Arguments and errors as of `show`.
    """
    page = shown(
        *what,
        given=given,
        series=series,
        origin=origin,
        beam=beam,
        steps=steps,
        units=units,
        waiting=True,
    )
    return Lens(page, port=port)


@dataclass(frozen=True)
class _Asked:
    """What a model shall read; see `show`."""

    given: Any
    series: str | None
    origin: Any
    beam: int | None
    steps: int
    units: int


@dataclass
class Shown:
    """What a page shows: its data as of a `Report`, and the logs that it follows."""

    title: str
    data: Mapping[str, Any]
    logs: Logs | None = None


class Logs:
    """The logs of runs, read on whenever they are looked at.

    Attributes:
        names: of the runs.
        waiting: the folders that had no log yet when they were first looked at.

    Raises:
        DataError: one can't be read, or is none.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self.names = names_of(folders)
        self.waiting = [folder for folder in folders if not (folder / LOG).is_file()]
        self._readers = [LogReader(folder / LOG) for folder in folders]
        for reader in self._readers:
            look_at(reader)

    def records(self) -> list[RunRecord]:
        """Of all runs, as they were read last."""
        return [
            record_of(name, reader) for name, reader in zip(self.names, self._readers, strict=True)
        ]

    def changed(self) -> list[tuple[int, RunRecord]]:
        """Look again: the place and the record of each run with something new in its log."""
        found = []
        for place, reader in enumerate(self._readers):
            try:
                new = look_at(reader)
            except DataError:
                continue  # as a log that is gone for now: the page keeps what it has
            if new:
                found.append((place, record_of(self.names[place], reader)))
        return found


class Lens(PageServer):
    """A page that is served, and kept up to date with the logs that it shows.

    Args:
        page: what it shows.
        port: as of `PageServer`.
        every: seconds from one look at the logs to the next; None: only when `look` is called.
    """

    def __init__(self, page: Shown, *, port: int = 0, every: float | None = EVERY) -> None:
        super().__init__(page.title, page.data, port=port)
        self._logs = page.logs
        self._looking: threading.Thread | None = None
        if page.logs is not None and every is not None:
            self._looking = threading.Thread(target=self._look_on, args=(every,), daemon=True)
            self._looking.start()

    @property
    def waiting(self) -> list[Path]:
        """The run folders that had no log yet."""
        return [] if self._logs is None else self._logs.waiting

    def look(self) -> None:
        """Send the page what is new in the logs."""
        if self._logs is not None:
            for place, record in self._logs.changed():
                self.send(f"run {place}", record.to_json())

    def _look_on(self, every: float) -> None:
        pause = every
        while not self.wait(pause):
            began = time.monotonic()
            try:
                self.look()
            except Exception as error:  # a page that is no longer followed must not look as if
                told = f"the runs are no longer followed ({type(error).__name__}: {error})"
                print(f"unrolled: {told}", file=sys.stderr, flush=True)
                return
            # A long log takes a while to read anew: the machine is the run's.
            pause = max(every, _SHARE * (time.monotonic() - began))

    def close(self) -> None:
        """Stop following and serving."""
        super().close()
        if self._looking is not None:
            self._looking.join()


def shown(
    *what: str | os.PathLike[str] | Trace | Task,
    given: Any = None,
    series: str | None = None,
    origin: Any = None,
    beam: int | None = None,
    steps: int = STEPS,
    units: int = UNITS,
    waiting: bool = False,
) -> Shown:
    """The page of `what`; arguments and errors as of `show`, `waiting` as of `run_folders`."""
    if not what:
        raise ConfigError("lens: got nothing, expected a model, a trace or run folders")
    if all(isinstance(one, str | os.PathLike) and is_folder(one) for one in what):
        if given is not None:
            raise ConfigError(f"given: a run reads nothing, got {given!r}; leave it out")
        _check_alone("a run", series, origin, beam)
        folders = [Path(one) for one in what]  # type: ignore[arg-type]
        return _of_runs(run_folders(folders, waiting=waiting))
    if len(what) > 1:
        first = what[0]
        if isinstance(first, str | os.PathLike) and not (is_folder(first) or is_file(first)):
            raise DataError(f"nothing is there, {_EXPECTED}; check the path", file=Path(first))
        several = ", ".join(str(one) for one in what)
        raise ConfigError(
            f"lens: got {several}; expected one model, one trace, or run folders that are there"
        )
    asked = _Asked(given, series, origin, beam, steps, units)
    return _of_trace(_traced(what[0], asked))


def _of_runs(folders: Sequence[Path]) -> Shown:
    logs = Logs(folders)
    names = logs.names
    several = f"{len(names)} runs compared"
    report = Report(
        title=f"Training of {names[0]}" if len(names) == 1 else several,
        subtitle="",
        made="",
        runs=logs.records(),
    )
    return Shown(report.title, report.to_json(), logs)


def _of_trace(trace: Trace) -> Shown:
    from unrolled.lens.trace_page import data_of, title_of

    return Shown(title_of(trace), data_of(trace))


def _traced(one: Any, asked: _Asked) -> Trace:
    from unrolled.lens.traces import Trace

    name = str(one) if isinstance(one, str | os.PathLike) else type(one).__name__
    kind = "a trace" if isinstance(one, Trace) else "a model"
    if isinstance(one, str | os.PathLike):
        kind = file_kind(Path(one))
    if kind == "a trace":
        if asked.given is not None:
            raise ConfigError(
                f"given: {name} is a trace, which has read its input; leave {asked.given!r} out,"
                " or give the model"
            )
        _check_alone("a trace", asked.series, asked.origin, asked.beam)
        return one if isinstance(one, Trace) else Trace.load(one)
    return _read_by(one, name, asked)


def _read_by(one: Any, name: str, asked: _Asked) -> Trace:
    from unrolled.lens.tracing import trace
    from unrolled.tasks.loading import kind_of, load, with_article

    task = load(one) if isinstance(one, str | os.PathLike) else one
    given = asked.given
    kind = kind_of(task)
    forecasts, hears = kind == "Forecaster", kind == "Transcriber"
    if given is None:
        holds = name if one is task else f"{name} holds {with_article(kind)}"
        what = "a table" if forecasts else "a file of sound" if hears else "a text"
        raise ConfigError(f"{holds}: given (INPUT) is missing, what it shall read; give {what}")
    if forecasts:
        given = _series_of(cast("Forecaster", task), given, asked.series)
    elif asked.series is not None or asked.origin is not None:
        raise ConfigError("series, origin: are those of a Forecaster; leave them out")
    elif isinstance(given, Path) and not hears:
        from unrolled.data.text import read_text

        given = read_text(given)
    return trace(
        task,
        given,
        origin=asked.origin,
        beam=asked.beam,
        steps=asked.steps,
        units=asked.units,
    )


def _series_of(task: Forecaster, given: Any, name: str | None) -> SeriesSet:
    """One series of a table."""
    known = task._history_of(
        os.fspath(given) if isinstance(given, Path) else given, {}, ahead=False
    )
    if name is not None:
        return known.select([name])
    if len(known) > 1:
        some = ", ".join(map(str, known.ids[:5])) + (", ..." if len(known) > 5 else "")
        raise ConfigError(
            f"given: got {len(known)} series ({some}), expected one; name it with series (--series)"
        )
    return known


def _check_alone(kind: str, series: str | None, origin: Any, beam: int | None) -> None:
    if beam is not None:
        raise ConfigError(
            f"beam: is for a Translator or a Transcriber, not for {kind}; leave it out"
        )
    if series is not None or origin is not None:
        raise ConfigError(f"series, origin: are for a Forecaster, not for {kind}; leave them out")


def is_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file is there; a text can be too long for the name of one, or hold a NUL."""
    try:
        return Path(path).is_file()
    except (OSError, ValueError):
        return False


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a folder is there; as `is_file`."""
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):
        return False


def file_kind(path: Path) -> str:
    """ "a trace" or "a model", by what the header of the file says."""
    if not is_file(path):
        raise DataError(f"nothing is there, {_EXPECTED}; check the path", file=path)
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(_SIZE), "little")
            # What no header can be is not read into memory.
            text = file.read(size) if size < path.stat().st_size else b""
        header = json.loads(text)
        entries = header.get("__metadata__") or {}
    except OSError as error:
        raise DataError(f"can't be read ({error.strerror})", file=path) from error
    except (ValueError, AttributeError, RecursionError) as error:
        raise ModelFileError(f"{path}: of another kind or truncated, {_EXPECTED}") from error
    kind = next((kind for key, kind in _KINDS.items() if key in entries), None)
    if kind is None:
        raise ModelFileError(f"{path}: a safetensors file without a card or a trace, {_EXPECTED}")
    return kind


_KINDS = {"card": "a model", "trace": "a trace"}
