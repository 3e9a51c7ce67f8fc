"""`Roles`: which column of a table is what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from unrolled.data.dates import holds_dates
from unrolled.data.tables import Table, listed
from unrolled.errors import ConfigError, DataError

Names = str | Sequence[str] | None


@dataclass(frozen=True)
class Roles:
    """Names of the columns; `id` is None in wide form.

    `picked`: whether a person named the `values`. `as_text`: the covariates that are categories
    whatever they hold.
    """

    id: str | None
    time: str
    values: tuple[str, ...]
    past: tuple[str, ...]
    future: tuple[str, ...]
    static: tuple[str, ...]
    as_text: tuple[str, ...]
    picked: bool

    @property
    def covariates(self) -> tuple[str, ...]:
        """Past, future and static ones."""
        return (*self.past, *self.future, *self.static)


def find_roles(
    table: Table,
    *,
    id_column: str | None,
    time_column: str | None,
    value_columns: Names,
    past_columns: Names,
    future_columns: Names,
    static_columns: Names,
    category_columns: Names,
) -> Roles:
    """What the arguments of `read_series` name, and the defaults where they name nothing.

    Raises: DataError for a column that isn't there, ConfigError for one with two roles.
    """
    columns = table.frame.columns
    identity = (
        table.require(id_column) if id_column else "unique_id" if "unique_id" in columns else None
    )
    named = [
        tuple(table.require(name) for name in as_tuple(one))
        for one in (value_columns, past_columns, future_columns, static_columns)
    ]
    picked, past, future, static = named
    if static and identity is None:
        raise ConfigError(
            f"static column {static[0]!r} needs a table in long form, where rows say which series "
            "they belong to: name that column with id_column (--id)"
        )
    taken = {identity, *past, *future, *static, *picked}
    time = find_time(table, time_column, taken)
    seen = {identity, time}
    for name in (*picked, *past, *future, *static):
        if name in seen:
            raise ConfigError(f"column {name!r} is named twice: it can have one role only")
        seen.add(name)
    as_text = as_tuple(category_columns)
    for name in as_text:
        if table.require(name) not in (*past, *future, *static):
            raise ConfigError(
                f"column {name!r} is named in category_columns and is no covariate: name it in "
                "past_columns, future_columns or static_columns too"
            )
    values = picked or _rest(table, identity, {*taken, time})
    return Roles(identity, time, values, past, future, static, as_text, bool(picked))


def as_tuple(given: Names) -> tuple[str, ...]:
    """One name, several or None as a tuple."""
    return () if given is None else (given,) if isinstance(given, str) else tuple(given)


def find_time(table: Table, told: str | None, taken: set[str | None]) -> str:
    """The time column: the told one, `ds`, or the first outside `taken` that reads as dates."""
    if told:
        return table.require(told)
    if "ds" in table.frame.columns:
        return "ds"
    for column in table.frame.iter_columns():
        if column.name not in taken and holds_dates(column):
            if holds_dates(pl.Series([column.name])):
                raise DataError(
                    f"the first line holds data ({column.name!r}) where names are needed: "
                    "add a header",
                    file=table.file,
                    line=1 if table.text else None,
                )
            return column.name
    raise table.error(
        f"no column reads as dates (they are {listed(table.frame.columns)}): name the one with the "
        "times with time_column (--time), or write dates such as 2024-12-31"
    )


def _rest(table: Table, identity: str | None, taken: set[str | None]) -> tuple[str, ...]:
    rest = [name for name in table.frame.columns if name not in taken]
    if identity is not None and "y" in rest:
        rest = ["y"]
    if not rest:
        raise table.error("no column is left to forecast: add one with numbers")
    if identity is not None and len(rest) > 1:
        raise table.error(
            "which column holds the values is not said: name it with value_columns "
            f"(--target), one of {listed(rest)}"
        )
    return tuple(rest)
