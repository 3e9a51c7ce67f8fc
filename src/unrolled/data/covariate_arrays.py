"""Covariates given as plain arrays: checked, and their categories numbered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import DataError

if TYPE_CHECKING:
    from unrolled.data.series_set import SeriesSet


def check_shapes(series: SeriesSet) -> None:
    """DataError for covariates whose shapes or names don't fit the series and each other."""
    names = (*series.past_names, *series.future_names, *series.static_names)
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    if twice:
        raise DataError(f"two covariates are called {twice[0]!r}: name each once")
    foreign = [name for name in series.categories if name not in names]
    if foreign:
        raise DataError(f"categories were given for {foreign[0]!r}, which is no covariate")
    for role, arrays, width in (
        ("past", series.past, len(series.past_names)),
        ("future", series.future, len(series.future_names)),
    ):
        if arrays is None and not width:
            continue
        if arrays is None or len(arrays) != len(series):
            raise DataError(
                f"{0 if arrays is None else len(arrays)} arrays of {role} covariates were given "
                f"for {len(series)} series: give one for each",
                file=series.source,
            )
        for name, values, array in zip(series.ids, series.values, arrays, strict=True):
            longer = role == "future" and array.ndim == 2 and len(array) > len(values)
            expected = (len(array) if longer else len(values), width)
            if array.shape != expected:
                raise DataError(
                    f"series {name!r} has {role} covariates of shape {array.shape}: expected "
                    f"{expected}{', or more rows for steps ahead' if role == 'future' else ''}",
                    file=series.source,
                )
    expected = (len(series), len(series.static_names))
    found = (len(series), 0) if series.static is None else series.static.shape
    if found != expected:
        raise DataError(
            f"static covariates have shape {found}: expected {expected}, a row for each series",
            file=series.source,
        )


@dataclass(frozen=True)
class Encoded:
    """Covariates of one role as a `SeriesSet` keeps them.

    Attributes:
        columns: float64 `(n, C)` for each series, `(N, S)` for static ones, or None.
        names: of the columns.
        categories: of those that have them.
    """

    columns: Any
    names: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]

    @classmethod
    def of(
        cls,
        role: str,
        given: Mapping[str, Any] | None,
        ids: Sequence[str],
        lengths: Sequence[int],
    ) -> Encoded:
        """What `SeriesSet.from_arrays` was given as `role` ("past", "future" or "static").

        Raises: DataError for another number of arrays than series, another length than the series',
        an infinite value, or a future one that is not known ahead.
        """
        if not given:
            return cls(None, (), {})
        categories = {}
        columns = []
        for name, one in given.items():
            arrays, known = _numbered(_for_each(role, name, one, ids))
            if known is not None:
                categories[name] = known
            _check(role, name, arrays, ids, lengths)
            columns.append(arrays)
        if role == "static":
            return cls(np.stack([np.stack(one) for one in columns], axis=1), (*given,), categories)
        rows = []
        for series, parts in enumerate(zip(*columns, strict=True)):
            if len({len(one) for one in parts}) > 1:
                raise DataError(
                    f"the {role} covariates of series {ids[series]!r} have "
                    f"{' and '.join(str(len(one)) for one in parts)} values: give as many of each"
                )
            rows.append(np.stack(parts, axis=1))
        return cls(tuple(rows), (*given,), categories)


def _for_each(role: str, name: str, given: Any, ids: Sequence[str]) -> list[np.ndarray]:
    """The array (static: the scalar) of each series."""
    if isinstance(given, Mapping):
        lacking = [one for one in ids if one not in given]
        if lacking:
            raise DataError(f"{role} covariate {name!r} has nothing for series {lacking[0]!r}")
        parts = [given[one] for one in ids]
    elif role == "static":
        parts = [given] * len(ids) if np.ndim(given) == 0 else list(given)
    else:
        shared = len(given) > 0 and np.ndim(given[0]) == 0
        parts = [given] * len(ids) if shared else list(given)
    if len(parts) != len(ids):
        raise DataError(
            f"{role} covariate {name!r} was given for {len(parts)} of {len(ids)} series: give it "
            "for each, or once for all"
        )
    return [np.asarray(one) for one in parts]


def _numbered(parts: list[np.ndarray]) -> tuple[list[np.ndarray], tuple[str, ...] | None]:
    """float64 arrays; text and booleans become the index of their sorted categories."""
    if not any(one.dtype.kind in "USOb" for one in parts):
        return [one.astype(np.float64) for one in parts], None
    told = [[_text(cell) for cell in one.ravel().tolist()] for one in parts]
    categories = sorted({cell for one in told for cell in one if cell is not None})
    codes: dict[str | None, float] = {name: float(code) for code, name in enumerate(categories)}
    codes[None] = np.nan
    return [
        np.array([codes[cell] for cell in cells]).reshape(one.shape)
        for cells, one in zip(told, parts, strict=True)
    ], tuple(categories)


def category_of(cell: Any) -> str:
    """The category that a cell names, as a column of them tells it: True is "true", 1.0 is "1"."""
    if isinstance(cell, bool | np.bool_):
        return str(cell).lower()
    whole = isinstance(cell, float | np.floating) and float(cell).is_integer()
    return str(int(cell)) if whole else str(cell)


def _text(cell: Any) -> str | None:
    return None if cell is None or cell != cell or cell == "" else category_of(cell)


def _check(
    role: str,
    name: str,
    arrays: list[np.ndarray],
    ids: Sequence[str],
    lengths: Sequence[int],
) -> None:
    for series, array, length in zip(ids, arrays, lengths, strict=True):
        where = f"{role} covariate {name!r} of series {series!r}"
        if array.ndim != (role != "static"):
            wanted = "one value" if role == "static" else "a list of values"
            raise DataError(f"{where} has shape {array.shape}: give {wanted}")
        if np.isinf(array).any():
            raise DataError(f"{where} has an infinite value: correct it or make it NaN")
        if role == "static":
            continue
        if len(array) < length or (role == "past" and len(array) > length):
            more = " or more" if role == "future" else ""
            raise DataError(f"{where} has {len(array)} values: expected {length}{more}")
        unknown = np.flatnonzero(np.isnan(array[length:]))
        if len(unknown):
            raise DataError(
                f"{where} is NaN {unknown[0] + 1} steps ahead: what is known ahead must be known "
                "for every step"
            )
