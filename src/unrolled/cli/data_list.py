"""`unrolled data list`: the catalog, and what of it is at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.errors import DataError

if TYPE_CHECKING:
    from unrolled.data.catalog import Entry

EXAMPLES = (
    "unrolled data list",
    "UNROLLED_DATA=/data unrolled data list",
)


def data_list() -> None:
    """List the public data sets: name, kind, where, licence.

    Where: embedded (inside an installed package), here (in a folder of UNROLLED_DATA or in the
    cache), to download, or local only (no public address).
    """
    from unrolled.data import catalog

    rows = [("NAME", "KIND", "WHERE", "LICENCE")]
    rows += [(one.name, one.kind, where(one), one.licence) for one in catalog.entries()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(cells).rstrip())


def where(entry: Entry) -> str:
    """Where the file of a set is, in two words at most."""
    from unrolled.data import catalog

    try:
        found = catalog.find(entry.name)
    except DataError:
        return "damaged"  # `data get` names the file and says what to do
    if found is not None:
        return "embedded" if entry.embedded else "here"
    if entry.embedded:
        return "not installed"
    return "to download" if entry.address is not None else "local only"
