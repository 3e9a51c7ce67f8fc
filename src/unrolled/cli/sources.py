"""What a person names as input: files, or `data:NAME` for a set of the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.data.series_set import SeriesSet

CATALOG = "data:"


def series_of(source: str, options: dict[str, Any]) -> SeriesSet:
    """The series of a table or of a catalog set; options as for `unrolled.read_series`."""
    if source.startswith(CATALOG):
        return _from_catalog(source, "series", options)
    from unrolled.data.series import read_series

    return read_series(source, **options)


def text_of(sources: Sequence[str]) -> str | Path:
    """The text of files, folders and catalog sets; a single file stays a path, with its name."""
    if len(sources) == 1 and not sources[0].startswith(CATALOG):
        return Path(sources[0])
    from unrolled.data.text import read_text

    parts = [
        _from_catalog(one, "text", {}) if one.startswith(CATALOG) else read_text(one)
        for one in sources
    ]
    return "".join(part if part.endswith("\n") else part + "\n" for part in parts)


def _from_catalog(source: str, kind: str, options: dict[str, Any]) -> Any:
    from unrolled.data import catalog

    found = catalog.entry(source.removeprefix(CATALOG))
    if found.kind != kind:
        raise ConfigError(
            f"{source} holds {found.kind}, and {kind} is needed here; `unrolled data list` shows"
            " the kind of each set"
        )
    return catalog.load(found.name, **options)
