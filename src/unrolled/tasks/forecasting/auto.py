"""`Forecaster("auto")`: settings are tried on the training part, and the best of them go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from unrolled.tasks.forecasting.settings import (
    AUTOREGRESSIVE,
    COUNT_HEAD,
    QUANTILE_HEAD,
    SEGMENTS,
    STEPS,
    Facts,
    Settings,
)
from unrolled.training.budget import Budget

# Share of the budget that is spent on trying, and the least that a trial is worth.
TRIED_SHARE = 0.4
LEAST_SECONDS, LEAST_STEPS = 12.0, 200
# The architectures come first, then what can be changed about the better one.
MOST_TRIALS = 9
# Beyond so many steps ahead, values are neither drawn one by one nor all answered at every step.
_LONGEST_DRAWN, _LONGEST_STEPS = 96, 48


@dataclass(frozen=True)
class Trial:
    """One attempt.

    Attributes:
        name: what was different, in words.
        score: CRPS on the part that was tested and not learnt, in units of each series' seasonal
            change; lower is better.
        steps, seconds: how long it was trained.
    """

    name: str
    score: float
    steps: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.name}: {self.score:.4f} after {self.steps:,} steps in {self.seconds:.0f} s"

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a model's card."""
        return asdict(self)


def trials_of(budget: Budget) -> tuple[int, Budget, Budget]:
    """How many trials a budget allows (0: none), the budget of each, and of the run after them."""
    if budget.seconds is not None:
        share = TRIED_SHARE * budget.seconds
        count = min(MOST_TRIALS, int(share / LEAST_SECONDS))
        rest = budget.seconds - share
        return count, Budget(seconds=share / max(1, count)), Budget(seconds=rest)
    assert budget.steps is not None
    share = int(TRIED_SHARE * budget.steps)
    count = min(MOST_TRIALS, share // LEAST_STEPS)
    return count, Budget(steps=share // max(1, count)), Budget(steps=budget.steps - share)


def architectures(first: str, horizon: int, able: Sequence[str]) -> list[str]:
    """Those of the architectures `able` that can be tried for a horizon, `first` first."""
    longest = {STEPS: _LONGEST_STEPS, AUTOREGRESSIVE: _LONGEST_DRAWN}
    others = [one for one in able if horizon <= longest.get(one, horizon)]
    return [first, *(one for one in others if one != first)]


def variants(best: Settings, facts: Facts) -> Iterator[tuple[str, Settings]]:
    """What can be changed about the settings of the best architecture, likely gains first."""
    longest = max(best.lookbacks)
    if facts.positive and best.head != COUNT_HEAD:
        name = "plain values" if best.log else "logarithms"
        yield name, best.with_(log=not best.log)
    if best.architecture == SEGMENTS and 2 * longest <= 2 * facts.length // 3:
        longer = tuple(2 * one for one in best.lookbacks)
        yield f"lookback {2 * longest}", best.with_(lookbacks=longer)
    if best.architecture == SEGMENTS and best.head == QUANTILE_HEAD:
        yield "each window in its own scale", best.with_(normalise="window")
        yield "Student-t head", best.with_(head="student-t")
    yield f"{2 * best.hidden_size} units", best.with_(hidden_size=2 * best.hidden_size)
    if best.architecture == SEGMENTS and (longest // 2) % best.segment == 0:
        yield f"lookback {longest // 2}", best.with_(lookbacks=(longest // 2,))


def tournament(
    count: int,
    named: list[tuple[str, Settings]],
    facts: Facts,
    attempt: Callable[[str, Settings], Trial | None],
) -> tuple[Settings, list[Trial]]:
    """Try the architectures, then what can be changed about the better one, `count` trials in all.

    Args:
        count: how many trials.
        named: settings of the architectures, with a word for each, the likeliest first.
        facts: what the data are like.
        attempt: trains and scores; None where the person has stopped it.

    Returns:
        The settings with the lowest score, and every trial.
    """
    done: list[Trial] = []
    scored: list[tuple[float, Settings]] = []

    def run(candidates: list[tuple[str, Settings]]) -> bool:
        for name, settings in candidates:
            if len(done) == count:
                return False
            trial = attempt(name, settings)
            if trial is None:
                return False
            done.append(trial)
            scored.append((trial.score, settings))
        return True

    def best() -> Settings:
        return min(scored, key=lambda one: one[0])[1] if scored else named[0][1]

    if run(named):
        run(list(variants(best(), facts)))
    return best(), done
