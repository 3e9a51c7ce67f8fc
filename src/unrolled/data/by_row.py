"""Tables in which each row is a series, as the M4 competition and the COVID-19 counts are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import polars as pl

from unrolled.data.dates import holds_dates, parse_dates
from unrolled.data.frequency import Frequency, infer_frequency
from unrolled.data.numbers import parse_numbers
from unrolled.data.series_set import SeriesSet
from unrolled.data.tables import Table, read_table


def read_series_by_row(
    source: Any,
    *,
    id_columns: Sequence[str],
    drop_columns: Sequence[str] = (),
    frequency: Frequency | str | None = None,
    missing: Literal["error", "mask"] = "error",
) -> SeriesSet:
    """Reads a table whose rows are series and whose header holds the times.

    Args:
        source: as for `read_series`.
        id_columns: name a series, joined by "/" where not empty.
        drop_columns: are not part of the series.
        frequency: of the series where the header holds no dates but V1, V2, ... The dates are then
            made up, from 2001-01-01 on; without a frequency the points are counted.
        missing: "error" names the first empty cell inside a series; "mask" makes it NaN.

    Rows may end early: empty cells at their end are cut off.

    Raises: DataError for text or an empty cell inside a series.
    """
    table = read_table(source)
    for name in (*id_columns, *drop_columns):
        table.require(name)
    points = [name for name in table.frame.columns if name not in {*id_columns, *drop_columns}]
    names = table.frame.select(
        pl.concat_str(
            [pl.when(pl.col(one).cast(pl.String) != "").then(pl.col(one)) for one in id_columns],
            separator="/",
            ignore_nulls=True,
        )
    ).to_series()
    # one Python loop over columns, none over rows
    values = np.stack([parse_numbers(table, one, picked=True) for one in points], axis=1)
    known = ~np.isnan(values)
    ends = len(points) - np.argmax(known[:, ::-1], axis=1)
    holes = ~known & (np.arange(len(points)) < ends[:, None]) & (missing == "error")
    broken = holes | np.isinf(values) | ~known.any(axis=1)[:, None]
    if broken.any():
        row, place = (int(one) for one in np.argwhere(broken)[0])
        raise table.error(
            f"series {names[row]!r} has no number here: fill it in, or use missing='mask'",
            row=row,
            column=points[place],
        )
    header = Table(pl.DataFrame({"header": points}), table.file)
    told = None if frequency is None else Frequency.parse(frequency)
    made_up = told is not None
    if told is None and holds_dates(header.frame["header"]):
        times, _ = parse_dates(header, "header")
        told = infer_frequency(times)
    else:
        times = SeriesSet.from_arrays(np.zeros(len(points)), frequency=told).times[0]
    return SeriesSet(
        tuple(names.to_list()),
        tuple(times[:end] for end in ends),
        tuple(row[:end] for row, end in zip(values, ends, strict=True)),
        told or Frequency("step"),
        table.file,
        made_up=made_up,
    )
