"""What is written: checked before the work, written aside, renamed when complete."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from unrolled.errors import ConfigError

if TYPE_CHECKING:
    import polars

MODEL = (".unrolled",)
TABLE = (".csv", ".parquet")
# Of a number in a table: what a network of float32 knows.
_DIGITS = 8
PICTURE = (".png", ".svg", ".pdf")
PAGE = (".html",)


def check_out(
    path: Path, suffixes: tuple[str, ...], option: str = "--out", inputs: Iterable[str] = ()
) -> None:
    """Fail now as the write at the end would fail, so that no work is lost.

    Args:
        path: what will be written.
        suffixes: one of which its name must end in.
        option: that named it.
        inputs: files that are read, which no result may replace.

    Raises:
        ConfigError: another ending than those (a slip like `--out data.csv` must not cost the
            data), or one of the inputs.
        MissingExtra: a picture, and matplotlib is not installed.
        OutputError: the folder does not exist or can't be written, or the path is a folder.
    """
    from unrolled.writing import replacing

    class Untouched(Exception):
        pass

    if path.suffix.lower() not in suffixes and not path.is_dir():
        raise ConfigError(f"{option} {path}: expected a name that ends in {' or '.join(suffixes)}")
    for source in inputs:
        if path.exists() and Path(source).exists() and path.samefile(source):
            raise ConfigError(f"{option} {path} is an input itself; name another file")
    with suppress(Untouched), replacing(path):
        raise Untouched
    if suffixes == PICTURE:
        from unrolled.lens.picture import check_picture

        check_picture(path)


@contextmanager
def plain_warnings(*silent: type[Warning]) -> Iterator[None]:
    """Warnings as one line each: whoever reads them has not written the code they are from.

    Args:
        silent: kinds that are not shown, for what comes says the same.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        for kind in silent:
            warnings.simplefilter("ignore", kind)
        warnings.showwarning = _told
        yield


def _told(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
    from unrolled.cli.options import in_our_words
    from unrolled.training.progress import Lasting

    # A terminal that was closed meanwhile must not cost what was learnt.
    stream = cast(TextIO, Lasting(sys.stderr))
    print(f"warning: {in_our_words(str(message))}", file=stream)


def print_json(value: Any) -> None:
    """Plain values as strict JSON on standard output: what is no number is null."""
    import json

    print(json.dumps(_finite(value), indent=2, allow_nan=False))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_table(frame: polars.DataFrame, out: Path | None) -> None:
    """A frame as CSV to standard output, or to a .csv or .parquet file."""
    if out is None:
        print(_as_written(frame).write_csv(), end="")
        return
    from unrolled.writing import replacing

    with replacing(out) as aside:
        if out.suffix.lower() == ".parquet":
            frame.write_parquet(aside)
        else:
            _as_written(frame).write_csv(aside)


def _as_written(frame: polars.DataFrame) -> polars.DataFrame:
    """Times without a time of day are written as dates, numbers as precisely as they are known."""
    import polars as pl

    whole = [
        name
        for name, kind in frame.schema.items()
        if isinstance(kind, pl.Datetime)
        and bool((frame[name].dt.truncate("1d") == frame[name]).all())
    ]
    rounded = pl.col(pl.Float64).round_sig_figs(_DIGITS)
    return frame.with_columns(pl.col(whole).cast(pl.Date), rounded)
