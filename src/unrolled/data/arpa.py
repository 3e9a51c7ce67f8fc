"""Which files are n-gram models as other toolkits write them: ARPA files."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

ARPA = (".arpa", ".gz")
# The first line of one, but for what nobody reads before it.
HEAD = "\\data\\"


def names_arpa(path: str | PathLike[str]) -> bool:
    """Whether a model's file is an ARPA file by its name: it ends in `.arpa`, `.arpa.gz` or `.gz`,
    in small or capital letters. No other model is gzipped."""
    return Path(path).suffix.lower() in ARPA


def conversion(path: str | PathLike[str]) -> str:
    """The command that makes a `.unrolled` file of an ARPA file, for an error."""
    return f"`unrolled train ngram --from {path} --out lm.unrolled`"
