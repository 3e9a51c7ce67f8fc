"""The network that reads segments: where it begins, what moves it, and what must not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

import unrolled
from unrolled.baselines.ridge import Ridge
from unrolled.data.series_set import SeriesSet
from unrolled.tasks.forecasting.engine import Size
from unrolled.tasks.forecasting.head_start import start_of
from unrolled.tasks.forecasting.heads import HEADS, make_head
from unrolled.tasks.forecasting.layout import KNOWN, VALUE, Layout
from unrolled.tasks.forecasting.panel import Panel
from unrolled.tasks.forecasting.reading import Reading
from unrolled.tasks.forecasting.scaling import Scale
from unrolled.tasks.forecasting.segment_engine import SegmentEngine, segment_of
from unrolled.tasks.forecasting.segment_model import SegmentModel, Shortcut
from unrolled.tasks.forecasting.shortcut_start import Moments

L, K, B = 12, 5, 4
LEVELS = (0.1, 0.5, 0.9)
# Value, known, a number and a category with their flag, a number and a category known ahead, two
# of the calendar, one that does not change.
LAYOUT = Layout(past=2, future=2, calendar=2, static=1, categories={3: 3, 6: 2})
C = LAYOUT.channels


def _model(moved: bool = True, **options: Any) -> SegmentModel:
    given: dict[str, Any] = {
        "members": 2,
        "lookbacks": (L,),
        "horizon": K,
        "segment": 3,
        "width": 8,
        "dropout": 0.0,
        "normalise": "last",
        "season": 4,
        "shortcut": "learnt",
        **options,
    }
    kind = given.pop("kind", unrolled.LSTM)
    head = make_head(given.pop("head", "quantiles"), LEVELS)
    model = SegmentModel(lambda size: kind(size, 8), LAYOUT, head, **given)
    for parameter in model.parameters() if moved else ():
        nn.init.normal_(parameter, std=0.3)
    return model.eval()


def _windows(batch: int = B) -> Tensor:
    rows = torch.randn(L + K, batch, C)
    rows[..., KNOWN] = (torch.rand(L + K, batch) > 0.2).float()
    rows[..., 3] = torch.randint(0, 3, (L + K, batch)).float()
    rows[..., 6] = torch.randint(0, 2, (L + K, batch)).float()
    rows[..., LAYOUT.static_channels] = torch.randn(batch, 1)
    rows[L:, :, : LAYOUT.past_channels.stop] = 0.0
    return rows


def _raw(model: SegmentModel, rows: Tensor) -> Tensor:
    with torch.no_grad():
        (raw, location, scale), state = model(rows)
    assert state is None
    assert location.shape == (rows.shape[1], 1)
    assert scale.shape == (rows.shape[1], K)
    return raw  # type: ignore[no-any-return]


KINDS = pytest.mark.parametrize("kind", [unrolled.LSTM, unrolled.GRU, unrolled.RNN])


@KINDS
@pytest.mark.parametrize("head", HEADS)
def test_a_batch_is_its_rows_one_by_one(kind: Any, head: str) -> None:
    model, rows = _model(kind=kind, head=head), _windows()
    whole = _raw(model, rows)
    assert whole.shape == (2, B, K, make_head(head, LEVELS).size)
    alone = torch.cat([_raw(model, rows[:, [b]]) for b in range(B)], dim=1)
    torch.testing.assert_close(alone, whole)


@given(row=st.integers(0, K - 1), channel=st.integers(0, LAYOUT.past_channels.stop - 1))
def test_a_value_or_past_covariate_ahead_changes_nothing(row: int, channel: int) -> None:
    model, rows = _model(), _windows()
    changed = rows.clone()
    changed[L + row, :, channel] += 7.0
    torch.testing.assert_close(_raw(model, changed), _raw(model, rows), rtol=0, atol=0)


@pytest.mark.parametrize("head", ["quantiles", "negative-binomial"])
@pytest.mark.parametrize("channel", range(C))
def test_every_channel_of_the_past_is_read_and_of_what_is_known_ahead(
    channel: int, head: str
) -> None:
    """By a head that a linear map reaches, too, and by one that it does not."""
    model, rows = _model(head=head), _windows()
    before = _raw(model, rows)
    past = rows.clone()
    where = L - 1 if channel >= LAYOUT.calendar_channels.start else slice(0, L)
    past[where, :, channel] = 1 - past[where, :, channel]
    if channel not in range(*LAYOUT.calendar_channels.indices(C)):  # only read ahead
        assert (_raw(model, past) != before).any()
    if channel in range(*LAYOUT.future_channels.indices(C)):
        for row in range(K):
            ahead = rows.clone()
            ahead[L + row, :, channel] = 1 - ahead[L + row, :, channel]
            assert (_raw(model, ahead) != before).any()


def test_the_value_where_none_is_known_reaches_the_shortcut_alone() -> None:
    """The last known one stands in; the network itself sees a 0 and that it is not known."""
    model, rows = _model(shortcut="none"), _windows()
    rows[4, :, KNOWN] = 0.0
    rows[L - 1, :, KNOWN] = 1.0
    changed = rows.clone()
    changed[4, :, VALUE] += 3.0
    torch.testing.assert_close(_raw(model, changed), _raw(model, rows), rtol=0, atol=0)
    linear = _model()
    assert (_raw(linear, changed) != _raw(linear, rows)).any()


@pytest.mark.parametrize("normalise", ["last", "season"])
def test_a_window_moved_is_a_forecast_moved(normalise: str) -> None:
    model, rows = _model(normalise=normalise), _windows()
    rows[L - 1, :, KNOWN] = 1.0
    moved = rows.clone()
    moved[:L, :, VALUE] += 50.0
    (raw, location, scale), _ = model(rows)
    (other, there, same), _ = model(moved)
    torch.testing.assert_close(other, raw, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(there, location + 50.0)
    torch.testing.assert_close(same, scale)


@pytest.mark.parametrize("normalise", ["window", "volatility"])
def test_a_window_stretched_is_a_forecast_stretched_in_its_own_scale(normalise: str) -> None:
    model, rows = _model(normalise=normalise), _windows()
    stretched = rows.clone()
    stretched[:L, :, VALUE] = 9.0 * stretched[:L, :, VALUE] - 4.0
    (raw, location, scale), _ = model(rows)
    (other, there, wide), _ = model(stretched)
    torch.testing.assert_close(other, raw, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(wide, 9.0 * scale)
    torch.testing.assert_close(there, 9.0 * location - 4.0)
    grows = torch.arange(1.0, K + 1).sqrt() if normalise == "volatility" else torch.ones(K)
    torch.testing.assert_close(scale, scale[:, :1] * grows)


def test_a_member_reads_its_own_last_rows_and_no_earlier_one() -> None:
    model = _model(members=3, lookbacks=(L, 6))
    assert [member.lookback for member in model.members] == [L, 6, L]
    rows = _windows()
    early = rows.clone()
    early[: L - 6, :, : LAYOUT.past_channels.stop] += 2.0
    before, after = _raw(model, rows), _raw(model, early)
    torch.testing.assert_close(after[1], before[1], rtol=0, atol=0)
    assert (after[[0, 2]] != before[[0, 2]]).any()
    late = rows.clone()
    late[L - 6, :, VALUE] += 2.0
    late[L - 6, :, KNOWN] = rows[L - 6, :, KNOWN] = 1.0
    assert (_raw(model, late)[1] != _raw(model, rows)[1]).any()


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("normalise", ["last", "season", "window", "volatility", "mean"])
def test_gaps_give_gradients_that_are_numbers(head: str, normalise: str) -> None:
    model, rows = _model(head=head, normalise=normalise).train(), _windows()
    rows[:L, 0, KNOWN] = 0.0  # nothing known at all
    rows[:L, 0, VALUE] = 0.0
    targets = torch.rand(B, K).round()
    targets[1, 2], targets[2] = torch.nan, torch.nan
    (raw, location, scale), _ = model(rows)
    loss = make_head(head, LEVELS).loss(raw, targets, location, scale)
    loss.sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_a_shortcut_of_zeros_says_as_the_last_value() -> None:
    x = torch.randn(L, B)
    torch.testing.assert_close(Shortcut(L, K)(x), x[-1:].T.expand(B, K))


@pytest.mark.parametrize("shortcut", ["learnt", "fixed", "none"])
def test_a_shortcut_learns_where_it_is_asked_to(shortcut: str) -> None:
    for member in _model(shortcut=shortcut).members:
        if shortcut == "none":
            assert member.shortcut is None
        else:
            assert member.shortcut.weight.requires_grad is (shortcut == "learnt")  # type: ignore[union-attr]


def test_before_training_the_answer_is_the_shortcut_and_the_start() -> None:
    model, rows = _model(moved=False), _windows()
    raw = _raw(model, rows)
    expected = torch.zeros_like(raw)  # measured against the last value
    torch.testing.assert_close(raw, expected, atol=1e-6, rtol=0)


# The engine


def _engine(series: SeriesSet, **options: Any) -> SegmentEngine:
    given: dict[str, Any] = {
        "reading": Reading.of(series, list(series.lengths)),
        "levels": LEVELS,
        "horizon": K,
        "lookback": L,
        "head_name": "quantiles",
        "normalise": "last",
        "validation": 0.2,
        "segment": 3,
        "lookbacks": (L,),
        "shortcut": "learnt",
        "gaps": 0.0,
        **options,
    }
    return SegmentEngine(**given)


def _scales(series: SeriesSet) -> list[Scale]:
    return [Scale.of(values, log=False, season=7) for values in series.values]


def _begun(
    engine: SegmentEngine, series: SeriesSet, cuts: list[int], scales: list[Scale]
) -> nn.Module:
    torch.manual_seed(20)
    model = engine.network(lambda size: unrolled.GRU(size, 8), Size(2, 8, 0.0, 0.0))
    engine.lesson(model, series, scales, cuts, batch_size=8, seed=0, begin=True)
    return model.eval()


@pytest.fixture
def weeks(weekly: Callable[..., np.ndarray]) -> SeriesSet:
    return SeriesSet.from_arrays({"a": weekly(150, 1), "b": 50 * weekly(120, 2)}, frequency="D")


def test_the_network_begins_at_ridge_regression(weeks: SeriesSet) -> None:
    """On what it has not seen yet, as good as ridge regression that is measured by itself."""
    engine, cuts, scales = _engine(weeks, validation=0.0), [110, 90], _scales(weeks)
    model = _begun(engine, weeks, cuts, scales)
    for member in model.members:  # type: ignore[union-attr]
        nn.init.zeros_(member.start)  # type: ignore[union-attr, arg-type]
    levels = [(v - s.centre) / s.swing for v, s in zip(weeks.values, scales, strict=True)]
    ridge = Ridge(L, level=False).fit([one[:cut] for one, cut in zip(levels, cuts, strict=True)], K)
    origins = [np.arange(109, 145), np.arange(89, 115)]
    fans = engine.rolling(model, weeks, scales, origins)
    for level, scale, at, fan in zip(levels, scales, origins, fans, strict=True):
        came = level[at[:, None] + np.arange(1, K + 1)]
        said = (fan[..., 1] - scale.centre) / scale.swing
        mine, its, naive = (
            np.square(came - one).mean()
            for one in (said, ridge.rolling(level, at + 1, K), level[at][:, None])
        )
        assert mine < 1.1 * its
        assert mine < 0.2 * naive


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("normalise", ["last", "window"])
def test_the_ridge_of_windows_is_that_of_its_normal_equations(
    weeks: SeriesSet, normalise: str, squared: bool
) -> None:
    head = "mean" if squared else "quantiles"
    engine = _engine(weeks, validation=0.0, normalise=normalise, head_name=head)
    scales = _scales(weeks)
    model = engine.network(lambda size: unrolled.GRU(size, 8), Size(1, 8, 0.0, 0.0))
    lesson = engine.lesson(model, weeks, scales, [150, 120], batch_size=64, seed=0, begin=False)
    batches = [lesson.batches[step] for step in range(3)]
    moments = Moments(model, batches, squared)  # type: ignore[arg-type]
    inputs, answers, weights = [], [], []
    for batch in batches:
        assert batch.targets is not None
        for b in range(64):
            window = batch.inputs[:L, b, VALUE].double().numpy()
            came = batch.targets[:, b, 0].double().numpy() - window[-1]
            known = batch.inputs[:L, b, KNOWN].numpy() > 0
            # Left padding is not known, and does not count for the spread of a window.
            spread = max(window[known].std(), 0.05) if normalise == "window" else 1.0
            if np.isfinite(came).all():
                inputs.append((window - window[-1]) / spread)
                answers.append(came / spread)
                far = 1 / (1 + (np.abs(came / spread).max() / 4) ** 2)
                weights.append(float(batch.targets[0, b, 1]) if squared else far)
    x, y, w = np.array(inputs), np.array(answers), np.sqrt(np.array(weights))[:, None]
    assert moments.total == pytest.approx(float(np.square(w).sum()))
    penalty = 0.01 * np.square(w * x).sum(axis=0).mean()
    # Ridge is least squares with rows that pull each weight to 0.
    stacked = np.concatenate([w * x, np.sqrt(penalty) * np.eye(L)])
    expected = np.linalg.lstsq(stacked, np.concatenate([w * y, np.zeros((L, K))]), rcond=None)[0]
    found = moments.solve(L, 0.01)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-8)
    error = np.square(w * (y - x @ expected)).sum() / np.square(w).sum()
    assert moments.error(found) == pytest.approx(error, rel=1e-6)


def test_its_first_intervals_hold_about_what_they_say(weeks: SeriesSet) -> None:
    model = _begun(_engine(weeks), weeks, [150, 120], _scales(weeks))
    origins = [np.arange(20, 110), np.arange(20, 90)]
    fans = _engine(weeks).rolling(model, weeks, _scales(weeks), origins)
    came = [
        v[at[:, None] + np.arange(1, K + 1)] for v, at in zip(weeks.values, origins, strict=True)
    ]
    inside = [((c >= f[..., 0]) & (c <= f[..., 2])) for c, f in zip(came, fans, strict=True)]
    assert np.concatenate(inside).mean() == pytest.approx(0.8, abs=0.06)


@pytest.mark.parametrize("head", ["quantiles", "normal", "student-t"])
def test_a_head_starts_at_the_distribution_of_the_errors(head: str) -> None:
    errors = 2.0 + 3.0 * torch.randn(4000, 2)
    errors[:50, 0] = torch.nan
    levels = (0.1587, 0.5, 0.8413)
    made = make_head(head, levels)
    raw = start_of(made, errors)
    zero, one = torch.zeros(()), torch.ones(())
    said = made.quantiles(raw, torch.tensor(levels), zero, one)
    expected = torch.tensor([-1.0, 2.0, 5.0])
    torch.testing.assert_close(said, expected.expand(2, 3), atol=0.4, rtol=0)


@pytest.mark.parametrize("head", HEADS)
def test_a_step_that_never_came_true_still_gives_a_start(head: str) -> None:
    errors = torch.randn(50, 3)
    errors[:, 1] = torch.nan
    assert start_of(make_head(head, LEVELS), errors).isfinite().all()


@given(a=st.floats(0.01, 1e4), b=st.floats(-1e3, 1e3))
def test_a_series_in_another_unit_gets_the_forecast_in_that_unit(a: float, b: float) -> None:
    random = np.random.default_rng(5)
    values = np.cumsum(random.normal(size=60)) + 3 * np.sin(np.arange(60))
    one = SeriesSet.from_arrays(values, frequency="D")
    other = SeriesSet.from_arrays(a * values + b, frequency="D")
    engine = _engine(one)
    torch.manual_seed(1)
    model = engine.network(lambda size: unrolled.GRU(size, 8), Size(2, 8, 0.0, 0.0)).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)
    at = [np.array([20, 40, 59])]
    (fan,) = engine.rolling(model, one, _scales(one), at)
    (moved,) = engine.rolling(model, other, _scales(other), at)
    np.testing.assert_allclose(moved, a * fan + b, rtol=1e-3, atol=1e-2 * a)


def test_what_is_taught_and_tested_does_not_reach_into_the_held_out_part(
    weeks: SeriesSet,
) -> None:
    engine, cuts = _engine(weeks), [100, 90]
    values = [
        np.where(np.arange(len(one)) >= cut, 1e6, one)
        for one, cut in zip(weeks.values, cuts, strict=True)
    ]
    loud = SeriesSet.from_arrays(values, ids=weeks.ids, frequency="D")
    scales = _scales(weeks)
    model, other = (_begun(engine, one, cuts, scales) for one in (weeks, loud))
    for name, weight in model.state_dict().items():
        torch.testing.assert_close(other.state_dict()[name], weight, rtol=0, atol=0)
    lessons = [
        engine.lesson(m, s, scales, cuts, batch_size=64, seed=0, begin=False)
        for m, s in ((model, weeks), (other, loud))
    ]
    for step in range(4):
        one, two = (lesson.batches[step] for lesson in lessons)
        torch.testing.assert_close(one.inputs, two.inputs, rtol=0, atol=0)
        torch.testing.assert_close(one.targets, two.targets, rtol=0, atol=0, equal_nan=True)
    assert lessons[0].validate is not None
    assert lessons[1].validate is not None
    with torch.no_grad():
        assert np.isfinite(lessons[0].validate())
    for (at, fans), cut in zip(engine.tested(model, weeks, scales, cuts), cuts, strict=True):
        assert len(at) == len(fans) > 0
        assert at.max() + K == cut - 1
        assert at.min() + 1 == cut - round(0.2 * cut)


@given(
    lookback=st.integers(1, 200), horizon=st.integers(1, 60), season=st.sampled_from([1, 7, 12, 24])
)
def test_a_segment_divides_its_window(lookback: int, horizon: int, season: int) -> None:
    segment = segment_of(lookback, horizon, season)
    assert lookback % segment == 0
    assert 1 <= segment <= max(1, horizon)


def test_a_squared_error_counts_in_the_variance_of_its_series() -> None:
    """One that swings little around its season counts no more for it."""
    rng = np.random.default_rng(3)
    week = np.tile(np.array([9.0, 3, -4, -8, -6, 0, 6]), 20)
    calm, wild = week + 0.2 * rng.normal(size=140), 30 * rng.normal(size=140)
    series = SeriesSet.from_arrays({"calm": calm, "wild": wild}, frequency="D")
    scales = _scales(series)
    own = Panel(series, scales, _engine(series).reading, K, squared=True).weights
    unit = own / np.array([one.swing for one in scales]) ** 2
    expected = 1 / np.array([calm.var(), wild.var()])
    np.testing.assert_allclose(unit / unit.sum(), expected / expected.sum(), rtol=1e-5)
    assert Panel(series, scales, _engine(series).reading, K).weights.tolist() == [1.0, 1.0]


def test_a_mark_of_what_is_known_is_no_bias() -> None:
    """Where everything is known the marks are 0, so that no weight of theirs learns."""
    layout = Layout(past=1)
    model = SegmentModel(
        lambda size: unrolled.GRU(size, 4),
        layout,
        make_head("quantiles", (0.5,)),
        members=1,
        lookbacks=(L,),
        horizon=K,
        segment=3,
        width=8,
        dropout=0.0,
        normalise="last",
        season=4,
        shortcut="none",
    )
    (member,) = model.members
    nn.init.normal_(member.answer.weight)  # type: ignore[union-attr, arg-type]
    rows = torch.randn(L + K, 3, layout.channels)
    rows[:L, :, [KNOWN, 3]] = 1.0
    (raw, _, _), _ = model(rows)
    raw.square().sum().backward()
    learns = member.read.weight.grad.unflatten(1, (3, 4)).abs().amax((0, 1)) > 0  # type: ignore[union-attr, operator]
    assert learns.tolist() == [True, False, True, False]
    rows[2, :, KNOWN] = 0.0
    (changed, _, _), _ = model(rows)
    assert not torch.equal(raw, changed)


def test_few_values_begin_with_few_lags() -> None:
    read = []
    for seed in range(5):
        random = np.random.default_rng(seed)
        values = np.zeros(60)
        for t in range(1, 60):  # the value before tells all that can be known
            values[t] = 0.7 * values[t - 1] + random.normal()
        series = SeriesSet.from_arrays(values)
        begun: Any = _begun(_engine(series, validation=0.0), series, [60], _scales(series))
        used = (begun.linear[0].shortcut.weight.detach() != 0).any(dim=0)
        assert used.any()
        read.append(L - int(used.int().argmax()))
    assert np.median(read) <= L // 2


@pytest.mark.parametrize("lasts", [True, False])
def test_a_bias_is_begun_with_where_it_lasted(lasts: bool) -> None:
    rise = np.arange(240.0)
    turned = np.concatenate([rise[:180], 180 - np.arange(60.0)])
    series = SeriesSet.from_arrays(rise if lasts else turned)
    engine = _engine(series, validation=0.0, shortcut="none")
    begun: Any = _begun(engine, series, [240], _scales(series))
    middle = begun.members[0].start.detach()[:, engine.head.centre]
    if lasts:
        assert float(middle.min()) > 0.1
    else:
        assert float(middle.abs().max()) < 1e-5
