"""`SeriesSet`: one or thousands of time series, with their times and their frequency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.data.covariate_arrays import Encoded, check_shapes
from unrolled.data.frequency import Frequency, infer_frequency
from unrolled.data.notes import Note
from unrolled.errors import ConfigError, DataError

if TYPE_CHECKING:
    import polars

# Where a frequency is told but no times: made-up dates from a Monday that begins a year.
_MADE_UP = np.datetime64("2001-01-01", "us")


@dataclass(frozen=True, eq=False, repr=False)
class SeriesSet:
    """Time series of one frequency, of equal or different lengths.

    Shapes: `N` series; `n` points of a series (each its own) and `a` steps ahead of it; `P` past,
    `F` future and `S` static covariates.

    Attributes:
        ids: name of each series.
        times: for each series datetime64[us] `(n,)`, ascending.
        values: for each series float64 `(n,)`; NaN marks a missing value.
        frequency: the distance from point to point.
        source: the file that it came from, or None.
        past: for each series float64 `(n, P)`, what else was measured at the same times and is not
            known ahead; None where no such columns were asked for.
        past_names: names of the `P` columns.
        future: for each series float64 `(n + a, F)`, what is known ahead too; the last `a` rows
            continue the times. None where no such columns were asked for.
        future_names: names of the `F` columns.
        static: float64 `(N, S)`, what holds for a whole series, or None.
        static_names: names of the `S` columns.
        categories: for each covariate that has them its categories; the column then holds the
            index of each, NaN where it is not known.
        notes: what reading found and dealt with.
        made_up: whether the times are: only their distance means something.
    """

    ids: tuple[str, ...]
    times: tuple[np.ndarray, ...]
    values: tuple[np.ndarray, ...]
    frequency: Frequency
    source: str | None = None
    past: tuple[np.ndarray, ...] | None = None
    past_names: tuple[str, ...] = ()
    future: tuple[np.ndarray, ...] | None = None
    future_names: tuple[str, ...] = ()
    static: np.ndarray | None = None
    static_names: tuple[str, ...] = ()
    categories: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    made_up: bool = False

    def __post_init__(self) -> None:
        if not self.ids:
            raise DataError("there is no series", file=self.source)
        if not len(self.ids) == len(self.times) == len(self.values):
            raise DataError(
                f"{len(self.ids)} ids, {len(self.times)} arrays of times and {len(self.values)} of "
                "values were given: there must be as many of each",
                file=self.source,
            )
        if len(set(self.ids)) != len(self.ids):
            twice = next(one for one in self.ids if self.ids.count(one) > 1)
            raise DataError(f"two series are called {twice!r}: name each once", file=self.source)
        for name, times, values in zip(self.ids, self.times, self.values, strict=True):
            if times.shape != values.shape or values.ndim != 1:
                raise DataError(
                    f"series {name!r} has times of shape {times.shape} and values of shape "
                    f"{values.shape}: both must be (n,)",
                    file=self.source,
                )
        check_shapes(self)

    @classmethod
    def from_arrays(
        cls,
        values: np.ndarray | Mapping[str, Any] | Sequence[Any],
        ids: Sequence[str] | None = None,
        times: Any = None,
        frequency: Frequency | str | None = None,
        past: Mapping[str, Any] | None = None,
        future: Mapping[str, Any] | None = None,
        static: Mapping[str, Any] | None = None,
    ) -> SeriesSet:
        """Series from plain arrays.

        Args:
            values: one series `(n,)`, a dict of name to series, or a list of series.
            ids: their names; default "y" for one series, else "y1", "y2", ...
            times: datetimes `(n,)` for all series, or one such array for each. Without them the
                points are counted, or, where `frequency` is given, get made-up dates from
                2001-01-01 on.
            frequency: "D", "15min", ...; default: inferred from the times.
            past: of each covariate its name and `(n,)` for all series, one such array for each in
                their order, or a dict of series to array. Text and booleans are categories.
            future: likewise, `(n + a,)` with `a` steps ahead.
            static: likewise, one number or text for all series, or one for each.

        Raises: DataError for empty, infinite or unordered series, and for covariates of another
        length or infinite; ConfigError for an unknown frequency.
        """
        if isinstance(values, Mapping):
            ids = list(values) if ids is None else ids
            values = list(values.values())
        elif np.ndim(values[0]) == 0 if len(values) else True:
            values = [values]
        arrays = tuple(np.asarray(one, dtype=np.float64) for one in values)
        names = tuple(str(one) for one in ids) if ids is not None else _default_names(len(arrays))
        told = None if frequency is None else Frequency.parse(frequency)
        if times is None:
            unit = told or Frequency("step")
            first = _MADE_UP if unit.dated else np.datetime64(0, "us")
            stamps = tuple(unit.grid(first, len(one)) for one in arrays)
        else:
            shared = np.ndim(times[0]) == 0
            given = [times] * len(arrays) if shared else list(times)
            stamps = tuple(np.asarray(one, dtype="datetime64[us]") for one in given)
        for name, stamp, array in zip(names, stamps, arrays, strict=False):
            if not len(array):
                raise DataError(f"series {name!r} is empty: give at least one value")
            if np.isinf(array).any():
                raise DataError(f"series {name!r} has an infinite value: remove it or make it NaN")
            if np.any(np.diff(stamp) <= np.timedelta64(0, "us")):
                raise DataError(
                    f"the times of series {name!r} are not ascending: sort them by time"
                )
        sizes = [len(one) for one in arrays]
        then = Encoded.of("past", past, names, sizes)
        ahead = Encoded.of("future", future, names, sizes)
        whole = Encoded.of("static", static, names, sizes)
        return cls(
            names,
            stamps,
            arrays,
            told or infer_frequency(stamps),
            past=then.columns,
            past_names=then.names,
            future=ahead.columns,
            future_names=ahead.names,
            static=whole.columns,
            static_names=whole.names,
            categories=then.categories | ahead.categories | whole.categories,
            made_up=times is None and told is not None,
        )

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"<SeriesSet: {self}>"

    def __str__(self) -> str:
        """In one line: how many series, how long, how often, from when to when."""
        lengths = self.lengths
        low, high = int(lengths.min()), int(lengths.max())
        size = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        count = "1 series" if len(self) == 1 else f"{len(self):,} series"
        text = f"{count} of {size} values, {self.frequency}"
        if not self.frequency.dated:
            return text
        unit = {"min": "m", "h": "m", "s": "s", "step": "s"}.get(self.frequency.code, "D")
        first = min(one[0] for one in self.times).astype(f"datetime64[{unit}]")
        last = max(one[-1] for one in self.times).astype(f"datetime64[{unit}]")
        return f"{text}, {first} to {last}".replace("T", " ")

    @property
    def lengths(self) -> np.ndarray:
        """Number of points of each series, int64 `(len(self),)`."""
        return np.array([len(one) for one in self.values], dtype=np.int64)

    @property
    def ahead(self) -> np.ndarray:
        """How many steps ahead of each series the future covariates are known, int64 `(N,)`."""
        if self.future is None:
            return np.zeros(len(self), dtype=np.int64)
        return np.array([len(one) for one in self.future], dtype=np.int64) - self.lengths

    def select(self, ids: Sequence[str]) -> SeriesSet:
        """The named series, in the order asked for."""
        places = {name: place for place, name in enumerate(self.ids)}
        unknown = [name for name in ids if name not in places]
        if unknown:
            shown = ", ".join(self.ids[:10]) + (", ..." if len(self.ids) > 10 else "")
            raise DataError(
                f"there is no series {unknown[0]!r}: choose from {shown}", file=self.source
            )
        chosen = [places[name] for name in ids]
        return replace(
            self,
            ids=tuple(ids),
            times=tuple(self.times[i] for i in chosen),
            values=tuple(self.values[i] for i in chosen),
            past=None if self.past is None else tuple(self.past[i] for i in chosen),
            future=None if self.future is None else tuple(self.future[i] for i in chosen),
            static=None if self.static is None else self.static[chosen],
        )

    def tail(self, n: int) -> SeriesSet:
        """The last `n` points of each series (all of a shorter one), and all steps ahead."""
        if n < 1:
            raise ConfigError(f"tail({n}) is not possible: ask for at least 1 point")
        return self._cut([slice(max(0, len(one) - n), None) for one in self.values])

    def split(self, later: float | int) -> tuple[SeriesSet, SeriesSet]:
        """Cuts every series in two by time: `(earlier, later)`.

        The later part's future covariates, known as they are, stay ahead of the earlier part.

        Args:
            later: how much goes to the later part: a share between 0 and 1 (float), rounded to
                whole points of each series, or a number of points (int).

        Raises: ConfigError where the number makes no sense, DataError where a series is too short
        to leave a point in both parts.
        """
        share = isinstance(later, float)
        if (share and not 0 < later < 1) or (not share and later < 1):
            raise ConfigError(
                f"split({later}) is not possible: give a share between 0 and 1 (0.2), "
                "or a number of points (7)"
            )
        cuts = []
        for name, values in zip(self.ids, self.values, strict=True):
            taken = max(1, round(len(values) * later)) if share else int(later)
            if taken >= len(values):
                raise DataError(
                    f"series {name!r} has {len(values)} values, too few to hold {taken} back: "
                    "leave it out or hold fewer back",
                    file=self.source,
                )
            cuts.append(len(values) - taken)
        return (
            self.until(cuts),
            self._cut([slice(cut, None) for cut in cuts]),
        )

    def until(self, ends: Sequence[int]) -> SeriesSet:
        """The first `ends[i]` points of series `i`; what is known ahead of them stays."""
        return self._cut([slice(None, end) for end in ends])

    def to_frame(self) -> polars.DataFrame:
        """A polars frame in long form: unique_id, ds, y and the covariates.

        `ds` is a number where the points are only counted. Steps ahead have rows with y and past
        covariates NaN. Categories are text again.
        """
        import polars as pl

        ahead = self.ahead
        stamps = np.concatenate(
            [
                np.concatenate([one, self.frequency.future(one[-1], int(steps))]) if steps else one
                for one, steps in zip(self.times, ahead, strict=True)
            ]
        )
        rows = np.repeat(np.arange(len(self)), self.lengths + ahead)
        columns: dict[str, Any] = {
            "unique_id": pl.Series(self.ids, dtype=pl.String).gather(rows),
            "ds": stamps if self.frequency.dated else stamps.astype(np.int64),
            "y": _longer(self.values, ahead),
        }
        if self.past is not None:
            columns |= self._told(self.past_names, _longer(self.past, ahead))
        if self.future is not None:
            columns |= self._told(self.future_names, np.concatenate(self.future))
        if self.static is not None:
            columns |= self._told(self.static_names, self.static[rows])
        return pl.DataFrame(columns)

    def _told(self, names: Sequence[str], columns: np.ndarray) -> dict[str, Any]:
        """Columns `(rows, len(names))` by name, categories as text."""
        import polars as pl

        told: dict[str, Any] = {}
        for place, name in enumerate(names):
            told[name] = columns[:, place]
            if name in self.categories:
                known = pl.Series(self.categories[name], dtype=pl.String)
                codes = pl.Series(columns[:, place]).fill_nan(None).cast(pl.UInt32)
                told[name] = known.gather(codes)
        return told

    def _cut(self, slices: Sequence[slice]) -> SeriesSet:
        """The points of each slice; what is known ahead of it stays."""

        def cut(arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
            return tuple(one[part] for one, part in zip(arrays, slices, strict=True))

        return replace(
            self,
            times=cut(self.times),
            values=cut(self.values),
            past=None if self.past is None else cut(self.past),
            future=None
            if self.future is None
            else tuple(one[part.start :] for one, part in zip(self.future, slices, strict=True)),
        )


def _longer(arrays: Sequence[np.ndarray], ahead: np.ndarray) -> np.ndarray:
    """All arrays one after another, each followed by `ahead` rows of NaN."""
    parts = []
    for one, steps in zip(arrays, ahead, strict=True):
        parts.append(one)
        if steps:
            parts.append(np.full((int(steps), *one.shape[1:]), np.nan))
    return np.concatenate(parts)


def _default_names(count: int) -> tuple[str, ...]:
    return ("y",) if count == 1 else tuple(f"y{i + 1}" for i in range(count))
