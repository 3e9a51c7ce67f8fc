"""A backtest that learns anew before each of its moments."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unrolled.data.series_set import SeriesSet
from unrolled.errors import DataWarning
from unrolled.tasks.forecasting.engine import Places
from unrolled.tasks.forecasting.gate import Ask, ask_rival
from unrolled.tasks.forecasting.scaling import Array
from unrolled.training.budget import Budget

if TYPE_CHECKING:
    from unrolled.tasks.forecaster import Forecaster


@dataclass(frozen=True)
class Refitted:
    """Forecasters of which the right one answers at each moment."""

    raw: Ask
    repaired: Ask
    rivals: dict[str, Ask]


def refitted(
    task: Forecaster,
    series: SeriesSet,
    origins: Mapping[str, Places],
    budget: Budget,
    progress: bool,
) -> Refitted:
    """For the nth moment of every series a forecaster that has learnt what precedes it.

    Args:
        task: what is learnt anew, with the same arguments.
        series, origins: the moments.
        budget, progress: of each fit.
    """
    moments = max(len(at) for at in origins.values())
    models = []
    for nth in range(moments):
        ends = [int(origins[name][min(nth, len(origins[name]) - 1)]) + 1 for name in series.ids]
        past = series.until(ends)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)  # told when the task itself was fitted
            models.append(task.unfitted().fit(past, budget=budget, holdout=0, progress=progress))

    def by_moment(ask: Callable[[Forecaster], Ask]) -> Ask:
        def answer(chosen: SeriesSet, at: Sequence[Places]) -> list[Array]:
            found: list[list[Array]] = [[] for _ in at]
            for nth, model in enumerate(models):
                there = [i for i, one in enumerate(at) if nth < len(one)]
                part = chosen.select([chosen.ids[i] for i in there])
                fans = ask(model)(part, [at[i][nth : nth + 1] for i in there])
                for i, fan in zip(there, fans, strict=True):
                    found[i].append(fan)
            return [np.concatenate(fans) for fans in found]

        return answer

    # Before an early moment there may be too little to fit one of them.
    everywhere = [kind for kind in models[-1].rivals if all(kind in one.rivals for one in models)]
    return Refitted(
        by_moment(lambda model: model._fitted.ask),
        by_moment(lambda model: model._fitted.repaired),
        {
            models[-1].rivals[kind].name: by_moment(
                lambda model, kind=kind: ask_rival(  # type: ignore[misc]
                    model.rivals[kind], model.quantiles, model.settings.horizon
                )
            )
            for kind in everywhere
        },
    )
