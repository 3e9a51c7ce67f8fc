"""How a windowed network reads series: their scale, their covariates, their calendar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from unrolled.data.calendar import calendar_features, calendar_names
from unrolled.data.covariate_arrays import category_of
from unrolled.data.covariates import Covariates, unseen_category
from unrolled.data.frequency import Frequency
from unrolled.data.series_set import SeriesSet
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.forecasting.layout import OWN, Layout
from unrolled.tasks.forecasting.scaling import squash

Floats = NDArray[np.float32]
# So many years must be learnt for the day of the year to tell something.
_LEAST_YEARS = 2.0
# A covariate counts up to about so many standard deviations.
_FARTHEST = 5.0


@dataclass(frozen=True)
class Reading:
    """What is learnt once about a table, and kept in a model's file.

    Attributes:
        frequency: of the series.
        past_names, future_names, static_names: the covariates, in the order of their channels.
        categories: for a covariate that is not a number, the names of its categories.
        centres, spreads: for each covariate that is a number, its mean and standard deviation in
            the training part, over all series.
        holidays: the country whose holidays are read, or None.
        dates: whether the calendar is read; not where dates are made up.
        yearly: whether the day of the year is: not where fewer than two years are learnt, of which
            each day would be known by what happened on it.
    """

    frequency: Frequency
    past_names: tuple[str, ...] = ()
    future_names: tuple[str, ...] = ()
    static_names: tuple[str, ...] = ()
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    centres: Mapping[str, float] = field(default_factory=dict)
    spreads: Mapping[str, float] = field(default_factory=dict)
    holidays: str | None = None
    dates: bool = True
    yearly: bool = True

    @classmethod
    def of(
        cls, series: SeriesSet, cuts: list[int], holidays: str | None = None, dates: bool = True
    ) -> Self:
        """Measure the training part (each series up to its cut)."""
        centres, spreads = {}, {}
        for name, column in _columns(series, cuts):
            if name in series.categories:
                continue
            known = column[np.isfinite(column)]
            centres[name] = float(known.mean()) if len(known) else 0.0
            spreads[name] = (float(known.std()) if len(known) else 0.0) or 1.0
        return cls(
            series.frequency,
            series.past_names,
            series.future_names,
            series.static_names,
            dict(series.categories),
            centres,
            spreads,
            holidays,
            dates,
            _years(series, cuts) >= _LEAST_YEARS,
        )

    @property
    def layout(self) -> Layout:
        """The channels of a window."""
        plain = Layout(
            past=len(self.past_names),
            future=len(self.future_names),
            calendar=self._calendar_size,
            static=len(self.static_names),
        )
        begins = (
            (OWN, self.past_names),
            (plain.future_channels.start, self.future_names),
            (plain.static_channels.start, self.static_names),
        )
        counts = {
            begin + place: len(self.categories[name])
            for begin, names in begins
            for place, name in enumerate(names)
            if name in self.categories
        }
        return Layout(plain.past, plain.future, plain.calendar, plain.static, counts)

    @property
    def _calendar_size(self) -> int:
        return self.calendar(np.zeros(0, dtype="datetime64[us]")).shape[1]

    def calendar(self, times: np.ndarray) -> Floats:
        """`(n, A)`: what the calendar says of each time, holidays after it."""
        if not self.dates:
            return np.empty((len(times), 0), dtype=np.float32)
        told = calendar_features(times, self.frequency)
        if not self.yearly:
            told = told[:, ["year" not in name for name in calendar_names(self.frequency)]]
        columns = [told]
        if self.holidays is not None:
            from unrolled.data.holiday import holiday_features

            columns.append(holiday_features(times, self.frequency, self.holidays))
        return np.concatenate(columns, axis=1)

    @property
    def covariates(self) -> Covariates:
        """Names and categories, to compare another table with."""
        return Covariates(
            self.past_names, self.future_names, self.static_names, dict(self.categories)
        )

    def row(self, kind: str, told: Mapping[str, Any]) -> np.ndarray:
        """Covariates `(n,)` of one step, by name; see `rows`."""
        return self.rows(kind, {name: [value] for name, value in told.items()}, 1)[0]

    def rows(self, kind: str, told: Mapping[str, Sequence[Any]], steps: int) -> np.ndarray:
        """Covariates `(steps, n)` of some steps, categories as their numbers.

        Args:
            kind: "past" or "future".
            told: the values of each covariate of that kind, by name; None or NaN: not known.
            steps: how many there must be.

        Raises:
            ConfigError: a covariate that is missing or was not there in training, or another number
                of values.
            DataError: a category that was not seen in training, or no (finite) number where one is
                expected.
        """
        names = self.covariates.named(kind)
        for name in {*told} ^ {*names}:
            state = "was not there in training" if name in told else "is missing"
            known = ", ".join(names) or "none"
            raise ConfigError(f"{kind}: {name!r} {state}; expected {known}")
        out = np.empty((steps, len(names)))
        for place, name in enumerate(names):
            values = list(told[name])
            if len(values) != steps:
                raise ConfigError(
                    f"{kind}: got {len(values)} values of {name!r}, expected {steps}, one a step"
                )
            out[:, place] = [self._number(name, value) for value in values]
        return out

    def _number(self, name: str, value: Any) -> float:
        if value is None or value != value:  # only NaN is not itself
            return float("nan")
        kinds = self.categories.get(name)
        if kinds is not None:
            told = category_of(value)
            if told not in kinds:
                raise DataError(unseen_category(told, kinds), column=name)
            return float(kinds.index(told))
        try:
            number = float(value)
        except (TypeError, ValueError) as error:
            raise DataError(f"got {value!r}, expected a number", column=name) from error
        if np.isinf(number):
            raise DataError("the value is infinite: correct it, or leave it empty", column=name)
        return number

    def scaled(self, rows: np.ndarray, names: tuple[str, ...]) -> Floats:
        """Covariates `(n, len(names))` for the network: numbers in standard deviations, squashed;
        a number that is not known is its mean, a category that is not known is -1."""
        out = np.empty(rows.shape, dtype=np.float32)
        for place, name in enumerate(names):
            column = rows[:, place]
            if name in self.categories:
                out[:, place] = np.where(np.isfinite(column), column, -1)
            else:
                standard = squash((column - self.centres[name]) / self.spreads[name], _FARTHEST)
                out[:, place] = np.nan_to_num(standard)
        return out

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a model's card."""
        return {**asdict(self), "frequency": self.frequency.alias}

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        names = {key: tuple(raw[key]) for key in ("past_names", "future_names", "static_names")}
        categories = {name: tuple(kinds) for name, kinds in raw["categories"].items()}
        frequency = Frequency.parse(raw["frequency"])
        return cls(**{**raw, **names, "categories": categories, "frequency": frequency})


def _years(series: SeriesSet, cuts: list[int]) -> float:
    """How long the longest training part is, in years."""
    spans = [times[cut - 1] - times[0] for times, cut in zip(series.times, cuts, strict=True)]
    return float(max(spans) / np.timedelta64(1, "D")) / 365.25


def _columns(series: SeriesSet, cuts: list[int]) -> list[tuple[str, np.ndarray]]:
    """Every covariate's values in the training part, one after the other."""
    found = []
    for names, arrays in ((series.past_names, series.past), (series.future_names, series.future)):
        for place, name in enumerate(names):
            assert arrays is not None
            parts = [one[:cut, place] for one, cut in zip(arrays, cuts, strict=True)]
            found.append((name, np.concatenate(parts)))
    if series.static is not None:
        found += [(name, series.static[:, i]) for i, name in enumerate(series.static_names)]
    return found
