"""From what was asked for, and what the data are like, to the numbers that a network is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import gcd
from typing import Any, Self, get_args

import numpy as np

from unrolled.data.series_set import SeriesSet
from unrolled.errors import ConfigError
from unrolled.tasks.forecasting.autoregressive_engine import AutoregressiveEngine
from unrolled.tasks.forecasting.engine import Engine, Size
from unrolled.tasks.forecasting.normalising import Normalise
from unrolled.tasks.forecasting.reading import Reading
from unrolled.tasks.forecasting.scaling import Array, Scale, changes_in_percent
from unrolled.tasks.forecasting.segment_engine import SegmentEngine, segment_of
from unrolled.tasks.forecasting.step_engine import StepEngine
from unrolled.tasks.forecasting.step_features import season_that_helps

STEPS, SEGMENTS, AUTOREGRESSIVE, AUTO = "steps", "segments", "autoregressive", "auto"
ARCHITECTURES = (AUTO, STEPS, SEGMENTS, AUTOREGRESSIVE)
QUANTILE_HEAD, COUNT_HEAD = "quantiles", "negative-binomial"
SHORTCUTS = ("learnt", "fixed", "none")

# Where there are few values, several small networks, each trained without another part of the past,
# forecast better together; where there are many, one does as well in less time.
FEW_VALUES = 20_000
MEMBERS_FOR_FEW = 4
# Series of fewer horizons than this hold hardly any window that is whole.
SHORT = 4
# A window holds about so many seasons, where the series are long enough.
SEASONS = {24: 14, 7: 8, 5: 12, 12: 3, 4: 4, 52: 2}
# Series that are looked at to tell what all of them are like.
_MOST_LOOKED_AT = 1_000
# Counts whose typical size is above this are as good as real numbers.
SMALL_COUNT = 20


@dataclass(frozen=True)
class Facts:
    """What the training part of a table is like.

    Attributes:
        season: steps per season by the frequency, 1 for none.
        helping: that season where the same time a season ago tells more than the last value.
        values: how many there are, over all series.
        length: of a typical (the median) series.
        log: whether changes grow with the level, and all values have a logarithm.
        positive: whether all values have a logarithm.
        counts: whether all values are small whole numbers from 0 on.
    """

    season: int
    helping: int | None
    values: int
    length: int
    log: bool
    positive: bool
    counts: bool

    @classmethod
    def of(cls, series: SeriesSet, past: tuple[Array, ...], horizon: int) -> Self:
        """Measure the training part of each series; of thousands, every so many."""
        lengths = [len(values) for values in past]
        past = past[:: -(-len(past) // _MOST_LOOKED_AT)]
        return cls(
            series.frequency.season,
            season_that_helps(past, series.frequency, horizon),
            sum(lengths),
            int(np.median(lengths)),
            changes_in_percent(past),
            all(bool((values[np.isfinite(values)] > 0).all()) for values in past),
            all(_are_small_counts(values) for values in past),
        )


def _are_small_counts(values: Array) -> bool:
    known = values[np.isfinite(values)]
    whole = len(known) > 0 and bool((known >= 0).all() and (known == np.round(known)).all())
    return whole and float(np.mean(known)) <= SMALL_COUNT and len(np.unique(known)) > 2


@dataclass(frozen=True)
class Settings:
    """The numbers that a forecaster is made of; kept in the model's file.

    Attributes:
        architecture: "steps", "segments" or "autoregressive".
        horizon: steps ahead.
        lookbacks: rows of a window; several for members that read differently much.
        segment: rows of a segment of a window.
        head: of a windowed architecture (see `make_head`).
        log: whether series are read in logarithms.
        normalise: see `normalisation`.
        shortcut: see `SegmentModel`.
        season: whose values the architecture "steps" reads, or None.
        members, hidden_size, dropout, noise: size and regularisation of the network.
        learning_rate, batch_size: of the training.
        validation: share of the training part that a windowed network is tested on.
        paths: sample paths of the architecture "autoregressive".
        gaps: share of the training windows whose end is hidden.
    """

    architecture: str
    horizon: int
    lookbacks: tuple[int, ...]
    segment: int
    head: str
    log: bool
    normalise: str
    shortcut: str
    season: int | None
    members: int
    hidden_size: int
    dropout: float
    noise: float
    learning_rate: float
    batch_size: int
    validation: float
    paths: int
    gaps: float

    @property
    def size(self) -> Size:
        """Of the network."""
        return Size(self.members, self.hidden_size, self.dropout, self.noise)

    def with_(self, **changes: Any) -> Self:
        """The same but for some of them."""
        return replace(self, **changes)

    def scale_of(self, known: Array, season: int) -> Scale:
        """The scale of a series of which `known` is known; counts stay as they are."""
        if self.head == COUNT_HEAD:
            return Scale(False, 0.0, 1.0, 1.0, 1.0, 0.0)
        return Scale.of(known, log=self.log, season=season)

    def engine(self, reading: Reading, levels: tuple[float, ...]) -> Engine:
        """The architecture, for tables that are read like this."""
        if self.architecture == STEPS:
            return StepEngine(reading, levels, self.horizon, max(self.lookbacks), self.season)
        shared: dict[str, Any] = {
            "reading": reading,
            "levels": levels,
            "horizon": self.horizon,
            "lookback": max(self.lookbacks),
            "head_name": self.head,
            "normalise": self.normalise,
            "validation": self.validation,
            "gaps": self.gaps,
        }
        if self.architecture == AUTOREGRESSIVE:
            return AutoregressiveEngine(**shared, paths=self.paths)
        return SegmentEngine(
            **shared,
            segment=self.segment,
            lookbacks=self.lookbacks,
            shortcut=self.shortcut,  # type: ignore[arg-type]
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a model's card."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        return cls(**{**raw, "lookbacks": tuple(raw["lookbacks"])})


def settle(asked: Mapping[str, Any], facts: Facts, horizon: int) -> Settings:
    """The settings that were asked for; None and "auto" by what the data are like.

    Args:
        asked: the constructor's arguments.
        facts: of the training part.
        horizon: steps ahead.

    Raises:
        ConfigError: an architecture, head or normalisation that is not known, or does not fit.
    """
    architecture = asked["architecture"]
    if architecture == AUTO:
        short = facts.length < SHORT * horizon
        architecture = STEPS if short and STEPS in able(asked) else SEGMENTS
    head = asked["head"]
    if head == "auto":
        counted = facts.counts and architecture == AUTOREGRESSIVE
        drawn = COUNT_HEAD if counted else "student-t"
        head = drawn if architecture == AUTOREGRESSIVE else QUANTILE_HEAD
    if architecture == STEPS and head != QUANTILE_HEAD:
        raise ConfigError(
            f"head: got {head!r}, expected {QUANTILE_HEAD!r} with architecture={STEPS!r}; use"
            f" architecture={SEGMENTS!r} or {AUTOREGRESSIVE!r} for a distribution"
        )
    if architecture == AUTOREGRESSIVE and head == QUANTILE_HEAD:
        raise ConfigError(
            f"head: got {head!r}, expected a distribution to draw from with"
            f" architecture={AUTOREGRESSIVE!r}: 'normal', 'student-t' or 'negative-binomial'"
        )
    normalise = asked["normalise"]
    if normalise == "auto":
        normalise = "window" if architecture == AUTOREGRESSIVE else "last"
    _check_known("normalise", normalise, get_args(Normalise))
    _check_known("shortcut", asked["shortcut"], SHORTCUTS)
    if head == COUNT_HEAD:
        normalise = "mean"
    members = asked["members"]
    if members == "auto":
        members = MEMBERS_FOR_FEW if facts.values < FEW_VALUES else 1
    lookbacks = _several(asked["lookback"]) or (_lookback(architecture, facts, horizon),)
    segment = asked["segment"] or segment_of(gcd(*lookbacks), horizon, facts.season)
    if any(one % segment for one in lookbacks) and architecture == SEGMENTS:
        shown = ", ".join(map(str, lookbacks))
        raise ConfigError(f"segment: got {segment}, expected a divisor of the lookback, {shown}")
    if len(lookbacks) > 1 and architecture != SEGMENTS:
        raise ConfigError(
            f"lookback: got {lookbacks}, expected one number with architecture={architecture!r};"
            f" members of different lookbacks need architecture={SEGMENTS!r}"
        )
    defaults = _DEFAULTS[architecture]

    def given(name: str) -> Any:
        return defaults[name] if asked[name] is None else asked[name]

    return Settings(
        architecture,
        horizon,
        lookbacks,
        segment,
        head,
        (facts.log if asked["log"] is None else bool(asked["log"])) and head != COUNT_HEAD,
        normalise,
        asked["shortcut"],
        facts.helping,
        max(int(members), len(lookbacks)),
        given("hidden_size"),
        given("dropout"),
        asked["noise"],
        given("learning_rate"),
        given("batch_size"),
        asked["validation"],
        asked["paths"],
        asked["gaps"],
    )


def able(asked: Mapping[str, Any]) -> tuple[str, ...]:
    """The architectures that can do what was asked: "auto" chooses among them only."""
    several = len(_several(asked["lookback"])) > 1
    if several or asked["segment"] is not None or asked["shortcut"] != SHORTCUTS[0]:
        return (SEGMENTS,)
    normalised = asked["normalise"] != "auto"
    steps = asked["head"] in ("auto", QUANTILE_HEAD) and not normalised
    drawn = asked["head"] != QUANTILE_HEAD
    return (SEGMENTS, *[STEPS] * steps, *[AUTOREGRESSIVE] * drawn)


_DEFAULTS: dict[str, dict[str, Any]] = {
    STEPS: {"hidden_size": 128, "dropout": 0.5, "learning_rate": 0.01, "batch_size": 64},
    SEGMENTS: {"hidden_size": 128, "dropout": 0.2, "learning_rate": 0.003, "batch_size": 128},
    AUTOREGRESSIVE: {"hidden_size": 64, "dropout": 0.1, "learning_rate": 0.005, "batch_size": 64},
}


def _several(asked: Any) -> tuple[int, ...]:
    if asked is None:
        return ()
    return (asked,) if isinstance(asked, int) else tuple(asked)


def _lookback(architecture: str, facts: Facts, horizon: int) -> int:
    if architecture == STEPS:
        return max(4 * horizon, 2 * (facts.helping or 0), 56)
    season = facts.season
    seasons = SEASONS.get(season, max(2, round(336 / season))) if season > 1 else 0
    wanted = max(2 * horizon, seasons * season, 32)
    if architecture == AUTOREGRESSIVE:
        wanted = max(2 * horizon, min(seasons, 4) * season, 32)
    # Half of a typical series at most: the other half is what windows are taken from.
    most = max(4, facts.length // 2)
    if wanted > most:
        return most // season * season if most >= 2 * season else most
    return -(-wanted // season) * season


def going_on(asked: Mapping[str, Any], kept: Settings) -> Settings:
    """The settings of a network that goes on learning: its own, but for those of the training.

    Raises:
        ConfigError: an argument asks for another network.
    """
    own = {**asdict(kept), "lookback": kept.lookbacks}
    for name in (
        "architecture",
        "horizon",
        "head",
        "lookback",
        "segment",
        "members",
        "hidden_size",
    ):
        wanted = _several(asked[name]) if name == "lookback" else asked[name]
        if wanted not in (None, "auto", ()) and wanted != own[name]:
            raise ConfigError(
                f"warm_start: {name} is {wanted}, that of the network that is there {own[name]};"
                " use the same, or warm_start=False to begin anew"
            )
    names = ("dropout", "noise", "learning_rate", "batch_size", "gaps")
    return kept.with_(**{name: asked[name] for name in names if asked[name] is not None})


def known_architecture(name: Any) -> str:
    """One of `ARCHITECTURES`; else ConfigError."""
    _check_known("architecture", name, ARCHITECTURES)
    return str(name)


def _check_known(argument: str, name: Any, known: tuple[str, ...]) -> None:
    if name not in known:
        raise ConfigError(
            f"{argument}: got {name!r}, expected one of {', '.join(map(repr, known))}"
        )


def horizon_of(asked: int | None, series: SeriesSet) -> int:
    """The horizon that was asked for, or one season of the series; 1 where they have none."""
    return asked if asked is not None else series.frequency.season
