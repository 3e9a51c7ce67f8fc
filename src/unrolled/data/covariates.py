"""`Covariates`: what a model was trained with, and whether other series have the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from unrolled.data.regular import shown
from unrolled.data.series_set import SeriesSet
from unrolled.data.tables import listed
from unrolled.errors import DataError

_ROLES = ("past", "future", "static")


@dataclass(frozen=True)
class Covariates:
    """Names and categories of the covariates of a `SeriesSet`, for a model's card.

    Attributes:
        past_names, future_names, static_names: names of the columns, in their order.
        categories: of each column that has them, in the order of their codes.
    """

    past_names: tuple[str, ...]
    future_names: tuple[str, ...]
    static_names: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, series: SeriesSet) -> Covariates:
        """Those of `series`."""
        return cls(
            series.past_names, series.future_names, series.static_names, dict(series.categories)
        )

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Covariates:
        """What `to_dict` gave."""
        past, future, static = (tuple(kept[role]) for role in _ROLES)
        categories = {name: tuple(one) for name, one in kept["categories"].items()}
        return cls(past, future, static, categories)

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and dicts, as JSON keeps them."""
        kept: dict[str, Any] = {role: list(self.named(role)) for role in _ROLES}
        kept["categories"] = {name: list(one) for name, one in self.categories.items()}
        return kept

    def named(self, role: str) -> tuple[str, ...]:
        """Names of the "past", "future" or "static" columns."""
        return {"past": self.past_names, "future": self.future_names, "static": self.static_names}[
            role
        ]

    def recode(self, series: SeriesSet) -> SeriesSet:
        """The same series with columns in this order and categories by these codes.

        Raises: DataError for a column that is missing, not known here, or numbers where it was
        categories or the other way round; and, naming series, time and column, for a category that
        is not known here.
        """
        check_names(series, self)
        if Covariates.of(series) == self:
            return series
        static = None if series.static is None else (series.static,)
        past, future, whole = (
            self._ordered(series, role, arrays)
            for role, arrays in zip(_ROLES, (series.past, series.future, static), strict=True)
        )
        return replace(
            series,
            past=past,
            past_names=self.past_names,
            future=future,
            future_names=self.future_names,
            static=None if whole is None else whole[0],
            static_names=self.static_names,
            categories=dict(self.categories),
        )

    def _ordered(
        self, series: SeriesSet, role: str, arrays: Sequence[np.ndarray] | None
    ) -> tuple[np.ndarray, ...] | None:
        if arrays is None:
            return None
        names = self.named(role)
        order = [Covariates.of(series).named(role).index(name) for name in names]
        moved = tuple(one[:, order] for one in arrays)
        for column, name in enumerate(names):
            if name in self.categories:
                own, known = series.categories[name], self.categories[name]
                codes = np.array(
                    [known.index(one) if one in known else -1 for one in own] + [np.nan]
                )
                for place, array in enumerate(moved):
                    old = array[:, column]
                    new = codes[np.where(np.isnan(old), len(own), old).astype(np.int64)]
                    if (new < 0).any():
                        raise _unseen(series, role, place, new, own, old, name, known)
                    array[:, column] = new
        return moved


def check_covariates(series: SeriesSet, like: Covariates, horizon: int) -> None:
    """Whether series have what a model was trained with, `horizon` steps ahead.

    Args:
        series: to predict from, before or after `Covariates.recode`.
        like: what the model was trained with.
        horizon: steps ahead.

    Raises: DataError for a column that is missing or was not there in training, and, naming series,
    time and column, for a future covariate that is not known for one of the steps.
    """
    check_names(series, like)
    for name, times, values, future in zip(
        series.ids, series.times, series.values, series.future or (), strict=False
    ):
        ahead = future[len(values) : len(values) + horizon]
        lacking = np.argwhere(np.isnan(ahead))
        if len(lacking) or len(ahead) < horizon:
            step, column = lacking[0] if len(lacking) else (len(ahead), 0)
            time = series.frequency.future(times[-1], int(step) + 1)[-1]
            raise DataError(
                f"series {name!r}: nothing is known for {shown(time)}, step {int(step) + 1} of "
                f"{horizon} ahead: give a row for each step, or a table of them with future="
                " (--future)",
                file=series.source,
                column=series.future_names[int(column)],
            )


def check_names(series: SeriesSet, like: Covariates) -> None:
    """DataError for a column that `like` has and `series` lack, or the other way round."""
    found = Covariates.of(series)
    for role in _ROLES:
        trained = like.named(role)
        told = f"{role} covariates {listed([repr(one) for one in trained])}"
        if not trained:
            told = f"no {role} covariates"
        for name in trained:
            if name not in found.named(role):
                raise DataError(
                    f"{role} covariate {name!r} is missing: the model was trained with {told}; "
                    f"name it in {role}_columns",
                    file=series.source,
                    column=name,
                )
        for name in found.named(role):
            if name not in trained:
                raise DataError(
                    f"{role} covariate {name!r} is not known: the model was trained with {told}; "
                    "leave it out",
                    file=series.source,
                    column=name,
                )
        for name in trained:
            if (name in like.categories) != (name in found.categories):
                trained_as, holds = ("categories", "numbers")
                if name not in like.categories:
                    trained_as, holds = holds, trained_as
                remedy = "name it in category_columns" if holds == "numbers" else "correct them"
                raise DataError(
                    f"{role} covariate {name!r} holds {holds}: the model was trained with "
                    f"{trained_as} here; {remedy}",
                    file=series.source,
                    column=name,
                )


def unseen_category(category: str, known: Sequence[str]) -> str:
    """ "category 'x' was not seen in training, which had 'a', 'b': ...", for a message."""
    return (
        f"category {category!r} was not seen in training, which had "
        f"{listed([repr(one) for one in known])}: use one of them, or leave it empty where it is "
        "not known"
    )


def _unseen(
    series: SeriesSet,
    role: str,
    place: int,
    new: np.ndarray,
    own: Sequence[str],
    old: np.ndarray,
    name: str,
    known: Sequence[str],
) -> DataError:
    row = int(np.argmax(new < 0))
    told = unseen_category(own[int(old[row])], known)
    if role == "static":
        return DataError(f"series {series.ids[row]!r}: {told}", file=series.source, column=name)
    times = series.times[place]
    beyond = row - len(times) + 1
    time = times[row] if beyond <= 0 else series.frequency.future(times[-1], beyond)[-1]
    return DataError(
        f"series {series.ids[place]!r}, {shown(time)}: {told}", file=series.source, column=name
    )
