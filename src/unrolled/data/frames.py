"""The same kind of frame back: what a person gave decides what a person gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars


def same_kind(frame: polars.DataFrame, like: Any, identity: str | None = None) -> Any:
    """`frame` as the kind of frame that `like` is.

    Args:
        frame: the answer, `(rows, columns)`.
        like: what was asked with: a pandas frame or series, a pyarrow table or a polars frame. For
            a path, a `SeriesSet` or anything else the answer stays polars.
        identity: the column with the names of the series: whole numbers where they are in `like`,
            so that both frames can be joined.

    Returns:
        the same columns and rows. In pandas times are datetime64, text is pandas' own, and what
        is missing is NaN.
    """
    import polars as pl

    if identity is not None and _holds_whole_numbers(like, identity):
        numbers = frame[identity].cast(pl.Int64, strict=False)
        if not numbers.null_count():  # "7/sales" names a value of series 7
            frame = frame.with_columns(numbers)
    kind = type(like).__module__.split(".")[0]
    if kind == "pandas":
        return _to_pandas(frame)
    if kind == "pyarrow":
        return frame.to_arrow()
    return frame


def _holds_whole_numbers(like: Any, column: str) -> bool:
    import narwhals as nw

    frame = nw.from_native(like, eager_only=True, pass_through=True)
    there = isinstance(frame, nw.DataFrame) and column in frame.columns
    return there and frame[column].dtype.is_integer()


def _to_pandas(frame: polars.DataFrame) -> Any:
    # polars' own way there needs pyarrow, which who has pandas need not have
    import pandas as pd
    import polars as pl

    return pd.DataFrame(
        {
            column.name: column.to_list() if column.dtype == pl.String else column.to_numpy()
            for column in frame.iter_columns()
        }
    )
