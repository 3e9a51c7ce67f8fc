"""What is written: checked before the work, written aside, renamed when it is complete."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from unrolled.errors import ConfigError

if TYPE_CHECKING:
    import polars

MODEL = (".unrolled",)
TABLE = (".csv", ".parquet")


def check_out(path: Path, suffixes: tuple[str, ...]) -> None:
    """Fail now as the write at the end would fail, so that no work is lost.

    Raises:
        ConfigError: another ending than those; a slip like `--out data.csv` must not cost the data.
        OutputError: the folder does not exist or can't be written, or the path is a folder.
    """
    from unrolled.writing import replacing

    class Untouched(Exception):
        pass

    if path.suffix.lower() not in suffixes and not path.is_dir():
        raise ConfigError(f"--out {path}: expected a name that ends in {' or '.join(suffixes)}")
    with suppress(Untouched), replacing(path):
        raise Untouched


def write_table(frame: polars.DataFrame, out: Path | None) -> None:
    """A frame as CSV to standard output, or to a .csv or .parquet file."""
    if out is None:
        print(_plain_dates(frame).write_csv(), end="")
        return
    from unrolled.writing import replacing

    with replacing(out) as aside:
        if out.suffix.lower() == ".parquet":
            frame.write_parquet(aside)
        else:
            _plain_dates(frame).write_csv(aside)


def _plain_dates(frame: polars.DataFrame) -> polars.DataFrame:
    """Times without a time of day are written as dates."""
    import polars as pl

    whole = [
        name
        for name, kind in frame.schema.items()
        if isinstance(kind, pl.Datetime)
        and bool((frame[name].dt.truncate("1d") == frame[name]).all())
    ]
    return frame.with_columns(pl.col(whole).cast(pl.Date)) if whole else frame
