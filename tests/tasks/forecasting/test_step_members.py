"""Who learns what: members, their parts of the past, and the loss that keeps them apart."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from unrolled.data.frequency import Frequency
from unrolled.data.series_set import SeriesSet
from unrolled.layers import GRU, LSTM, RNN
from unrolled.tasks.forecasting.member_loss import LEARN, NEITHER, TEST, MemberLoss, assign_roles
from unrolled.tasks.forecasting.scaling import Scale
from unrolled.tasks.forecasting.step_features import FeatureMaker, season_that_helps
from unrolled.tasks.forecasting.step_lessons import lessons, validator
from unrolled.tasks.forecasting.step_model import ForecastModel

QUANTILES = (0.1, 0.5, 0.8)


def _tells_apart(targets: Tensor, members: int, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """Which member is tested on, and which learns from, every answer: each `(n, K, M)` bool.

    Read off from the loss itself: an answer counts for a member if moving it moves that loss.
    """
    loss = MemberLoss((0.5,))
    length = len(targets)
    tested = np.zeros((length, horizon, members), dtype=bool)
    learnt = np.zeros_like(tested)
    for member in range(members):
        outputs = torch.zeros(members, length, 1, horizon, 1, requires_grad=True)
        for score, into in ((loss.held_out, tested), (loss, learnt)):
            outputs.grad = None
            score(outputs, targets.unsqueeze(1)).backward()
            assert outputs.grad is not None
            into[:, :, member] = (outputs.grad[member, :, 0, :, 0] != 0).numpy()
    return tested, learnt


def _targets(length: int, members: int, horizon: int, share: float = 0.15) -> Tensor:
    values = np.arange(length, dtype=np.float64) + 1.0
    answers = FeatureMaker(Frequency("step"), horizon, None).targets(
        values, Scale(False, 0.0, 1.0, 1.0)
    )
    roles = assign_roles(length, members, horizon, share)
    return torch.cat([torch.from_numpy(answers), roles], dim=1)


SIZES = (st.integers(2, 60), st.integers(1, 5), st.integers(1, 12))


@given(*SIZES)
def test_no_member_learns_from_a_step_that_it_is_tested_on(
    length: int, members: int, horizon: int
) -> None:
    tested, learnt = _tells_apart(_targets(length, members, horizon), members, horizon)
    assert not (tested.any(axis=1) & learnt.any(axis=1)).any()


@given(*SIZES)
def test_no_member_learns_a_value_that_it_is_tested_on(
    length: int, members: int, horizon: int
) -> None:
    """Whichever step it was an answer of: the lessons before a part end where its answers begin."""
    tested, learnt = _tells_apart(_targets(length, members, horizon), members, horizon)
    for member in range(members):
        of_test, of_lessons = (
            {t + k + 1 for t, k in zip(*np.nonzero(counts[..., member]), strict=True)}
            for counts in (tested, learnt)
        )
        assert not of_test & of_lessons, f"member {member}"


@given(*SIZES)
def test_the_parts_that_test_cover_the_past_once(length: int, members: int, horizon: int) -> None:
    tests = assign_roles(length, members, horizon, 0.15) == TEST
    counts = tests.sum(dim=0)
    if members > 1:
        assert (tests.sum(dim=1) == 1).all()
        assert counts.max() - counts.min() <= 1
    else:
        assert counts.item() == max(1, round(0.15 * length))
        assert tests[-1, 0]


def test_what_does_not_touch_a_members_part_is_its_lesson() -> None:
    roles = assign_roles(60, 3, 3, 0.15)
    # The middle part is 20 .. 39; its answers are 21 .. 42.
    assert (roles[:18, 1] == LEARN).all()
    assert (roles[18:20, 1] == NEITHER).all()
    assert (roles[20:40, 1] == TEST).all()
    assert (roles[40:42, 1] == NEITHER).all()
    assert (roles[42:, 1] == LEARN).all()


def _by_loops(
    outputs: Tensor, targets: Tensor, *, held_out: bool, warmup: int, levels: tuple[float, ...]
) -> float:
    """The loss again, with nothing but loops."""
    of_members = []
    for member in range(outputs.shape[0]):
        total, count = 0.0, 0
        for t in range(0 if held_out else warmup, targets.shape[0]):
            for b in range(targets.shape[1]):
                role = targets[t, b, member - outputs.shape[0]].item()
                mine = role == (TEST if held_out else LEARN)
                for k in range(targets.shape[2] - outputs.shape[0]):
                    answer = targets[t, b, k].item()
                    if not mine or np.isnan(answer):
                        continue
                    for q, level in enumerate(levels):
                        error = answer - outputs[member, t, b, k, q].item()
                        total += 2 * (level * error if error > 0 else (level - 1) * error)
                        count += 1
        of_members.append(total / count if count else 0.0)
    return float(np.mean(of_members))


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("warmup", [0, 4])
def test_the_loss_is_the_pinball_loss_of_what_each_member_may_see(
    members: int, warmup: int
) -> None:
    targets = _targets(20, members, 3).unsqueeze(1).repeat(1, 2, 1)
    targets[5:8, 0, 1] = torch.nan
    targets[:, 1, :3] *= -1
    outputs = torch.randn(members, 20, 2, 3, len(QUANTILES))
    loss = MemberLoss(QUANTILES, warmup=warmup)
    expected = _by_loops(outputs, targets, held_out=False, warmup=warmup, levels=QUANTILES)
    assert float(loss(outputs, targets)) == pytest.approx(expected, rel=1e-5)
    expected = _by_loops(outputs, targets, held_out=True, warmup=warmup, levels=QUANTILES)
    assert float(loss.held_out(outputs, targets)) == pytest.approx(expected, rel=1e-5)


def test_unknown_answers_give_no_gradient() -> None:
    targets = _targets(10, 1, 2).unsqueeze(1)
    targets[3, 0, 0] = torch.nan
    outputs = torch.randn(1, 10, 1, 2, 3, requires_grad=True)
    MemberLoss(QUANTILES)(outputs, targets).backward()
    assert outputs.grad is not None
    assert torch.isfinite(outputs.grad).all()
    assert (outputs.grad[0, 3, 0, 0] == 0).all()
    assert (outputs.grad[0, 3, 0, 1] != 0).all()


def _model(make: Callable[[], nn.RNNBase], members: int = 2, lags: int = 0) -> ForecastModel:
    return ForecastModel(
        make, members=members, horizon=4, quantiles=QUANTILES, dropout=0.5, noise=0.3, lags=lags
    )


@pytest.mark.parametrize("lags", [0, 3, 4])
def test_training_begins_at_the_simple_rival(lags: int) -> None:
    model = _model(lambda: LSTM(6, 5), lags=lags).eval()
    inputs = torch.randn(7, 2, 6)
    outputs, _ = model(inputs)
    for k in range(4):
        said = inputs[..., 6 - lags + k % lags] if lags else torch.zeros(7, 2)
        torch.testing.assert_close(outputs[..., k, :], said[None, ..., None].expand(2, 7, 2, 3))


@pytest.mark.parametrize("cell", [RNN, GRU, LSTM])
def test_each_member_keeps_its_own_part_of_the_state(cell: type[nn.RNNBase]) -> None:
    model = _model(lambda: cell(6, 5, 2), members=3).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.4)
    inputs = torch.randn(9, 2, 6)
    with torch.no_grad():
        whole, last = model(inputs)
        first, state = model(inputs[:4])
        rest, after = model(inputs[4:], state)
        alone = [
            member.answer(inputs, member.recurrent(inputs)[0])  # type: ignore[operator, union-attr]
            for member in model.members
        ]
    torch.testing.assert_close(torch.cat([first, rest], dim=1), whole)
    torch.testing.assert_close(after, last)
    torch.testing.assert_close(torch.stack(alone), whole)  # type: ignore[arg-type]


def test_noise_touches_only_level_and_change_and_only_in_training() -> None:
    model = _model(lambda: GRU(6, 5))
    inputs = torch.randn(5, 2, 6)
    seen = model._disturb(inputs)
    assert (seen[..., :2] != inputs[..., :2]).all()
    torch.testing.assert_close(seen[..., 2:], inputs[..., 2:], rtol=0, atol=0)
    torch.testing.assert_close(model.eval()._disturb(inputs), inputs, rtol=0, atol=0)


def test_each_member_is_trained_with_noise_of_its_own() -> None:
    model = _model(lambda: GRU(6, 5))
    for member in model.members:
        member.dropout.p = 0.0  # type: ignore[union-attr, assignment]
        nn.init.ones_(member.straight.weight)  # type: ignore[union-attr, arg-type]
    inputs = torch.randn(5, 2, 6)
    quiet = model.eval()(inputs)[0]
    torch.testing.assert_close(quiet[0], quiet[1])
    noisy = model.train()(inputs)[0]
    assert (noisy != quiet).all()
    assert (noisy[0] != noisy[1]).all()


def test_lessons_end_at_the_cut(gaps: SeriesSet) -> None:
    features = FeatureMaker(gaps.frequency, 3, 7)
    scales = [Scale.of(values, log=False) for values in gaps.values]
    inputs, targets = lessons(gaps, [90, 100], scales, features, 2)
    later = [values.copy() for values in gaps.values]
    later[0][90:], later[1][100:] = 1e6, -1e6
    changed = SeriesSet(gaps.ids, gaps.times, tuple(later), gaps.frequency)
    for before, after in zip(
        (inputs, targets), lessons(changed, [90, 100], scales, features, 2), strict=True
    ):
        for one, other in zip(before, after, strict=True):
            np.testing.assert_array_equal(one, other)
    assert [len(one) for one in inputs] == [90, 100]
    assert np.isnan(targets[0][-1, :3]).all()


def test_the_held_out_score_is_that_of_every_series_alone(gaps: SeriesSet) -> None:
    """Series of different lengths are read side by side; what pads the shorter counts nothing."""
    features = FeatureMaker(gaps.frequency, 4, None)
    scales = [Scale.of(values, log=False) for values in gaps.values]
    inputs, targets = lessons(gaps, [90, 140], scales, features, 2)
    model = _model(lambda: GRU(features.size, 5)).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.4)
    with torch.no_grad():
        score = validator(model, MemberLoss(QUANTILES), inputs, targets)()
        alone = [model(torch.from_numpy(rows).unsqueeze(1))[0] for rows in inputs]
    one_after_the_other = torch.from_numpy(np.concatenate(targets)).unsqueeze(1)
    expected = _by_loops(
        torch.cat(alone, dim=1), one_after_the_other, held_out=True, warmup=0, levels=QUANTILES
    )
    assert score == pytest.approx(expected, rel=1e-5)


def test_a_season_is_read_where_it_helps(weekly: Callable[..., np.ndarray]) -> None:
    walk = np.cumsum(np.random.default_rng(7).normal(size=200))
    assert season_that_helps((weekly(200),), Frequency("D"), 3) == 7
    assert season_that_helps((walk,), Frequency("D"), 3) is None
