"""What a person names as input: files, or `data:NAME` for a set of the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.data.series_set import SeriesSet
    from unrolled.tasks.forecaster import Forecaster

CATALOG = "data:"


def table_of(source: str, reading: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """What `Forecaster.fit` takes: a file and how it is read, or series that have been read.

    Args:
        source: a file, or a set of the catalog.
        reading: options of `unrolled.read_series`, before the set's own.
    """
    if not source.startswith(CATALOG):
        return source, reading
    from unrolled.data import catalog

    found = _entry(source, "series")
    if found.reader == "series":
        return str(catalog.get(found.name)), {**found.options, **reading}
    if found.reader == "by-row" and set(reading) - {"missing"}:
        raise ConfigError(
            f"{source} has no columns to name: its rows are the series; write it as a table with"
            f" `unrolled data get {found.name} --out FILE`"
        )
    return catalog.load(found.name, **{"missing": "mask", **reading}), {}


def series_of(source: str, reading: dict[str, Any]) -> SeriesSet:
    """The series of a table or of a catalog set; options as for `unrolled.read_series`."""
    from unrolled.data.series import read_series

    data, columns = table_of(source, reading)
    return read_series(data, **columns)


def history_of(task: Forecaster, source: str, reading: dict[str, Any]) -> SeriesSet:
    """The series of a later table: read as the one of the training, but for what is given."""
    data, columns = table_of(source, reading)
    trained = {name: value for name, value in task.columns.to_dict().items() if value is not None}
    return task.columns.with_({**columns, **trained, **reading}).read(data)


def text_of(sources: Sequence[str]) -> str | Path:
    """The text of files, folders and catalog sets; a single file stays a path, with its name."""
    if len(sources) == 1 and not sources[0].startswith(CATALOG):
        return Path(sources[0])
    from unrolled.data import catalog
    from unrolled.data.text import read_text

    parts = [
        str(catalog.load(_entry(one, "text").name)) if one.startswith(CATALOG) else read_text(one)
        for one in sources
    ]
    return "".join(part if part.endswith("\n") else part + "\n" for part in parts)


def _entry(source: str, kind: str) -> Any:
    from unrolled.data import catalog

    found = catalog.entry(source.removeprefix(CATALOG))
    if found.kind != kind:
        raise ConfigError(
            f"{source} holds {found.kind}, and {kind} is needed here; `unrolled data list` shows"
            " the kind of each set"
        )
    return found
