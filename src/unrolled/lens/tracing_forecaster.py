"""What a `Forecaster` reads and foretells, for a trace of it: one series, one of its networks.

Each of the three architectures takes its steps otherwise, and is asked here as its engine asks it:

    steps            a step a value, from the beginning of the series
    segments         a step a segment of the window
    autoregressive   a step a value of the window; behind it the values that came, so that the
                     gradient of what they cost is known
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from unrolled.errors import ConfigError
from unrolled.lens.trace_parts import Forecast, Series
from unrolled.lens.traces import Trace
from unrolled.lens.tracing_layers import layers_of

if TYPE_CHECKING:
    from torch import Tensor

    from unrolled.data.series_set import SeriesSet
    from unrolled.tasks.forecaster import Forecaster
    from unrolled.tasks.forecasting.scaling import Scale


@dataclass(frozen=True)
class _Asked:
    """A network that is about to read.

    Attributes:
        number: runs it, to what it cost or to the median that it foretells.
        recurrent: the name of the layers that read.
        skipped: steps that come before those that are shown.
        reads: `(T, 2)`, the places in the series that each step shown reads; below 0 there is
            nothing.
        cut: in words, what is not shown of the series.
    """

    number: Callable[[], Tensor]
    recurrent: str
    skipped: int
    reads: np.ndarray
    cut: str = ""


def of_forecaster(
    forecaster: Forecaster, given: Any, steps: int, reach: int | None, origin: Any = None
) -> Trace:
    """A trace of what is read of one series, and of the forecast that follows.

    Args:
        forecaster: a fitted one.
        given: what `predict` takes, of one series.
        steps: the last so many are kept.
        reach: see `trace`.
        origin: the last time that is known to the network; None: all of them.

    Raises:
        ConfigError: several series, or nothing before the origin.
    """
    whole = forecaster._history_of(given, {}, ahead=False)
    if len(whole) != 1:
        raise ConfigError(
            f"trace: got {len(whole)} series, expected one; keep the rows of one of them, or"
            " select([name]) of a SeriesSet"
        )
    place = _place_of(whole, origin)
    known = whole.until([place + 1])
    _check_ahead(forecaster, known)
    (fan,) = forecaster._answer(known, [np.array([place])], among=1)
    ahead = known.frequency.future(known.times[0][-1], forecaster._horizon)
    later = dict(zip(whole.times[0][place + 1 :], whole.values[0][place + 1 :], strict=True))
    truth = np.array([later.get(time, np.nan) for time in ahead])

    scale = forecaster._fitted.scale_of(known.ids[0], known.values[0])
    asked = _ask(forecaster, known, scale, truth, steps)
    found = layers_of(
        forecaster.model, asked.number, gradients=True, only=asked.recurrent, reach=reach
    )
    notes = list(found.notes)
    reads = asked.reads
    # A window may begin before its series does.
    first = int((reads[:, 1] <= 0).sum())
    shown = slice(max(first, len(reads) - steps), None)
    if asked.cut:
        notes.append(asked.cut)
    if len(reads) - first > steps:
        notes.append(f"Of {len(reads) - first:,} steps the last {steps:,} are shown.")
    inside = slice(asked.skipped, asked.skipped + len(reads))
    layers = tuple(layer.part(inside).part(shown) for layer in found.layers)
    moved = found.influence
    if moved is not None:
        moved = replace(moved, size=moved.size[inside][shown], product=moved.product[inside][shown])
    reads = np.maximum(reads[shown], 0)
    begin = int(reads[0, 0])
    times = _told(known.times[0], known)
    return Trace(
        "Forecaster",
        tuple(_span(times[a:b]) for a, b in reads.tolist()),
        layers,
        notes=(*notes, *_left_out(forecaster)),
        loss=_loss(forecaster, truth),
        influence=moved,
        series=Series(known.ids[0], times[begin:], known.values[0][begin:].copy(), reads - begin),
        fan=Forecast(_told(ahead, known), tuple(forecaster.quantiles), fan[0], truth),
    )


def _place_of(series: SeriesSet, origin: Any) -> int:
    """The place of the last value that is known."""
    times = series.times[0]
    if origin is None:
        return len(times) - 1
    wrong = f"origin: got {origin!r}, expected"
    dated = series.frequency.dated
    try:
        if isinstance(origin, float | bool) or (dated and isinstance(origin, int)):
            raise TypeError
        wanted = np.datetime64(origin if dated else int(origin), "us")
    except (ValueError, TypeError, OverflowError):
        kind = "a time such as '2024-05-01'" if dated else "the number of a step"
        raise ConfigError(f"{wrong} {kind}") from None
    place = int(np.searchsorted(times, wanted, side="right")) - 1
    if np.isnat(wanted) or place < 0:
        first, last = _told(times[[0, -1]], series)
        raise ConfigError(f"{wrong} a time of the series, which goes from {first} to {last}")
    return place


def _check_ahead(forecaster: Forecaster, known: SeriesSet) -> None:
    from unrolled.data.covariates import check_covariates

    check_covariates(known, forecaster.reading.covariates, forecaster._horizon)


def _ask(
    forecaster: Forecaster, known: SeriesSet, scale: Scale, truth: np.ndarray, steps: int
) -> _Asked:
    from unrolled.tasks.forecasting.autoregressive_engine import AutoregressiveEngine
    from unrolled.tasks.forecasting.segment_engine import SegmentEngine

    engine = forecaster._fitted.engine
    if isinstance(engine, SegmentEngine):
        return _of_segments(forecaster, engine, known, scale, truth)
    if isinstance(engine, AutoregressiveEngine):
        return _of_values(forecaster, engine, known, scale, truth)
    return _of_steps(forecaster, engine, known, scale, truth, steps)


def _of_segments(
    forecaster: Forecaster, engine: Any, known: SeriesSet, scale: Scale, truth: np.ndarray
) -> _Asked:
    model: Any = forecaster.model
    member = model.members[0]
    rows = _window(engine, known, scale, model, calendar=False)
    answers = _levels(scale, truth, rows)

    def number() -> Tensor:
        (raw, location, spread), _ = model(rows)
        return _cost(engine.head, raw[0, 0], answers, location[0], spread[0])

    ends = (
        len(known.values[0])
        - member.lookback
        + member.segment * np.arange(1, member.lookback // member.segment + 1)
    )
    reads = np.stack([ends - member.segment, ends], axis=1)
    return _Asked(number, "members.0.recurrent", 0, reads)


def _of_values(
    forecaster: Forecaster, engine: Any, known: SeriesSet, scale: Scale, truth: np.ndarray
) -> _Asked:
    from unrolled.tasks.forecasting.windows import taught

    model = forecaster.model
    rows = _window(engine, known, scale, model, calendar=True)
    answers = _levels(scale, truth, rows).unsqueeze(-1)
    rows, targets = taught(rows, answers, engine.normalise, engine.reading.frequency.season)
    lookback = engine.lookback
    _, location, spread = targets[lookback:, 0].unbind(-1)
    # Without an answer only the next value is foretold without a drawn one before it.
    ahead = slice(lookback, None if np.isfinite(truth).any() else lookback + 1)
    count = len(rows[ahead])

    def number() -> Tensor:
        raw, _ = model(rows)
        return _cost(
            engine.head, raw[0, ahead, 0], answers[:count, 0], location[:count], spread[:count]
        )

    # Row t reads the value before it: the first row nothing, and the row behind the window the
    # last value that is known.
    ends = len(known.values[0]) - lookback + np.arange(1, lookback + 1)
    return _Asked(number, "members.0.recurrent", 1, np.stack([ends - 1, ends], axis=1))


def _of_steps(
    forecaster: Forecaster,
    engine: Any,
    known: SeriesSet,
    scale: Scale,
    truth: np.ndarray,
    steps: int,
) -> _Asked:
    import torch

    from unrolled.tasks.arrays import like
    from unrolled.tasks.forecasting.scaling import fill_forward
    from unrolled.tasks.forecasting.step_covariates import Beside
    from unrolled.training.losses import quantile_loss

    model = forecaster.model
    values = known.values[0]
    made = engine.features.inputs(values, known.times[0], scale, Beside.of(known, 0))
    rows = torch.from_numpy(made).to(like(model)).unsqueeze(1)
    first = max(0, len(rows) - steps)
    state = None
    if first:
        with torch.no_grad():
            _, state = model(rows[:first])
    now = fill_forward(scale.transform(values), scale.centre)[-1]
    answers = torch.from_numpy((scale.transform(truth) - now) / scale.step).to(rows)
    levels = torch.tensor(engine.levels).to(rows)
    middle = engine.levels.index(0.5)

    def number() -> Tensor:
        outputs, _ = model(rows[first:], state)
        fan = outputs[0, -1, 0]
        if answers.isnan().all():
            return fan[:, middle].sum()
        return quantile_loss(fan, answers, levels)

    places = np.arange(first, len(rows))
    reads = np.stack([places, places + 1], axis=1)
    cut = (
        f"Of {len(rows):,} values the last {steps:,} are shown; the gradient stops where they"
        " begin."
    )
    return _Asked(number, "members.0.recurrent", 0, reads, cut if first else "")


def _window(engine: Any, known: SeriesSet, scale: Scale, model: Any, *, calendar: bool) -> Tensor:
    """The last window of a series, `(L + K, 1, C)`."""
    import torch

    from unrolled.tasks.arrays import like
    from unrolled.tasks.forecasting.panel import Panel

    panel = Panel(known, [scale], engine.reading, engine.horizon)
    last = np.array([len(known.values[0]) - 1])
    rows = panel.windows(np.array([0]), last, engine.lookback, engine.horizon, calendar=calendar)
    return torch.from_numpy(rows).to(like(model))


def _levels(scale: Scale, truth: np.ndarray, rows: Tensor) -> Tensor:
    """What came, in the unit of a window."""
    import torch

    return torch.from_numpy((scale.transform(truth) - scale.centre) / scale.swing).to(rows)


def _cost(head: Any, raw: Tensor, answers: Tensor, location: Tensor, spread: Tensor) -> Tensor:
    """The head's loss over the steps that came; where none did, the medians added up.

    A count's median passes no gradient on: the number that sets its mean stands in for it.
    """
    if answers.isnan().all():
        middle = raw[..., 0 if head.centre is None else head.centre]
        return (spread * middle).sum()
    return head.loss(raw, answers, location, spread).sum()


def _loss(forecaster: Forecaster, truth: np.ndarray) -> str:
    if np.isfinite(truth).any():
        return "what the forecast cost by what came"
    if forecaster.settings.architecture == "autoregressive":
        return "the median of the next value"
    return "the medians of all steps ahead, added up"


def _left_out(forecaster: Forecaster) -> list[str]:
    """In words, what of the forecast is not in the trace."""
    notes = []
    members = len(forecaster.model.members)  # type: ignore[arg-type]
    if members > 1:
        notes.append(
            f"The forecast is the mean of {members} networks;"
            " the states shown are the first one\u2019s."
        )
    reading = forecaster.reading
    if reading.past_names or reading.future_names or reading.static_names:
        notes.append("The covariates, which are read beside the series, are not shown.")
    if forecaster.answers != "network":
        notes.append(
            f"The forecast is that of {forecaster.answers}, which answers for the network."
        )
    return notes


def _told(times: np.ndarray, series: SeriesSet) -> tuple[str, ...]:
    """Times as text, no finer than they are."""
    if not series.frequency.dated:
        return tuple(str(one) for one in times.astype(np.int64))
    every = series.times[0]
    units: tuple[Literal["D", "m", "s"], ...] = ("D", "m", "s")
    unit = next((one for one in units if (every == every.astype(f"datetime64[{one}]")).all()), "us")
    return tuple(str(one) for one in np.datetime_as_string(times, unit=unit))  # type: ignore[call-overload]


def _span(times: tuple[str, ...]) -> str:
    return times[0] if len(times) == 1 else f"{times[0]} to {times[-1]}"
