"""Which columns of a table are what: said once in `fit`, and kept for every later table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

from unrolled.data.roles import as_tuple
from unrolled.data.series import read_series
from unrolled.data.series_set import SeriesSet
from unrolled.errors import ConfigError

Names = str | list[str] | tuple[str, ...] | None


@dataclass(frozen=True)
class Columns:
    """How a table is read; the arguments of `read_series`, None where they were not given.

    Attributes:
        id_column, time_column, value_columns, past_columns, future_columns, static_columns,
            category_columns: names of columns.
        missing: "mask" trains around missing values and gaps, "error" refuses them.
    """

    id_column: str | None = None
    time_column: str | None = None
    value_columns: Names = None
    past_columns: Names = None
    future_columns: Names = None
    static_columns: Names = None
    category_columns: Names = None
    missing: Literal["mask", "error"] = "mask"

    def read(self, data: SeriesSet | Any) -> SeriesSet:
        """The series of a table; a set is taken as it is.

        Raises:
            ConfigError: columns are named for a set, which has been read already.
            DataError: the table can't be read.
        """
        if not isinstance(data, SeriesSet):
            return read_series(data, **asdict(self))
        return data

    def refuse_for(self, data: Any) -> None:
        """Columns that are named for a set would change nothing: ConfigError."""
        named = [name for name, value in asdict(self).items() if value and name != "missing"]
        if isinstance(data, SeriesSet) and named:
            raise ConfigError(
                f"{named[0]}: got columns for a SeriesSet, which has been read already; give them"
                " to read_series"
            )

    def with_(self, given: Mapping[str, Any]) -> Self:
        """The same but for what is given."""
        return replace(self, **given)

    def reading_categories(self, names: Iterable[str]) -> Self:
        """The same, and these covariates are categories whatever stands there now.

        A short history may hold none of them, or only those that read as numbers.
        """
        roles = (self.past_columns, self.future_columns, self.static_columns)
        there = {name for role in roles for name in as_tuple(role)}
        given = as_tuple(self.category_columns)
        more = [name for name in names if name in there and name not in given]
        return replace(self, category_columns=(*given, *more)) if more else self

    @property
    def identity(self) -> str:
        """What the column with the names of the series is called in a forecast."""
        return self.id_column or "unique_id"

    @property
    def time(self) -> str:
        """What the column with the times is called in a forecast."""
        return self.time_column or "ds"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a model's card."""
        return asdict(self)
