"""The autoregressive network: teaching, sample paths and their quantiles."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.special import ndtri
from torch.testing import assert_close

import unrolled
from unrolled.errors import ConfigError
from unrolled.tasks.forecasting.autoregressive_model import AutoregressiveLoss, AutoregressiveModel
from unrolled.tasks.forecasting.head_base import ScaledHead
from unrolled.tasks.forecasting.heads import HEADS, make_head
from unrolled.tasks.forecasting.layout import Layout

L, K, B = 6, 4, 5
LEVELS = torch.tensor([0.1, 0.5, 0.9])


# Value, known, two past covariates with their flag, one future, one static.
LAYOUT = Layout(past=2, future=1, static=1)


class AsTheyAre(nn.Module):
    """Passes all channels through."""

    def __init__(self, size):
        super().__init__()
        self.size = size

    def forward(self, rows):
        return rows


class Certain(ScaledHead):
    """A head without noise: the raw number is the value."""

    size = 1
    centre = 0

    def standard_loss(self, raw, standard):
        return (raw[..., 0] - standard).abs()

    def standard_icdf(self, raw, level):
        return raw[..., 0] + 0 * level

    def standard_cdf(self, raw, standard):
        return (standard >= raw[..., 0]).to(raw)


class Fixed(Certain):
    """As `Certain`, but the value is the random level itself, whatever came before."""

    def standard_icdf(self, raw, level):
        return 0 * raw[..., 0] + level


def fresh_model(head, kind=unrolled.LSTM, **options):
    return AutoregressiveModel(
        lambda size: kind(size, 8),
        layout=LAYOUT,
        embed=AsTheyAre(7),
        head=head,
        **{"lookback": L, "horizon": K, "paths": 12, **options},
    )


def make_model(head, kind=unrolled.LSTM, **options):
    """A model whose readout says something."""
    model = fresh_model(head, kind, **options)
    for member in model.members:
        nn.init.normal_(member.readout.weight, std=0.5)
        nn.init.normal_(member.readout.bias, std=0.2)
    return model.eval()


def some_windows(batch=B):
    """Inputs for prediction, and for training."""
    rows = torch.randn(L + K, batch, 7)
    rows[..., 1] = 1.0
    answers = torch.stack([rows[..., 0], rows[..., 1]], dim=-1)
    rows[L:, :, :5] = 0.0
    return rows, torch.cat([rows, answers], dim=-1)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


any_head = pytest.mark.parametrize("head", [make_head(name, LEVELS.tolist()) for name in HEADS])


@any_head
def test_training_begins_at_as_the_last_value_with_a_spread_of_one_scale(head):
    _, inputs = some_windows()
    outputs, _ = fresh_model(head)(inputs)
    expected = torch.zeros(1, L + K, B, head.size)
    if head.centre is not None:
        expected[0, 1:, :, head.centre] = inputs[:-1, :, 7]
    assert torch.equal(outputs, expected)


@given(row=st.integers(0, L + K - 1))
def test_an_answer_depends_on_no_value_or_past_covariate_of_its_row_or_later(row):
    model = make_model(make_head("normal", []), members=2)
    _, inputs = some_windows()
    changed = inputs.clone()
    # Past covariates, their flag, and the answers; value and known are not read at all.
    changed[row:, :, [0, 1, 2, 3, 4, 7, 8]] += 1.0
    before, after = model(inputs)[0], model(changed)[0]
    assert torch.equal(before[:, : row + 1], after[:, : row + 1])
    if row < L + K - 1:
        assert (before[:, row + 1] != after[:, row + 1]).any(-1).all()


def test_an_answer_depends_on_the_future_covariates_of_its_own_row():
    model = make_model(make_head("normal", []))
    _, inputs = some_windows()
    changed = inputs.clone()
    changed[L, :, 5] += 1.0
    before, after = model(inputs)[0], model(changed)[0]
    assert torch.equal(before[:, :L], after[:, :L])
    assert (before[:, L] != after[:, L]).any(-1).all()


@pytest.mark.parametrize("kind", [unrolled.LSTM, unrolled.GRU, unrolled.RNN])
def test_paths_without_noise_are_the_recursion_by_hand(kind):
    model = make_model(Certain(), kind, paths=1)
    rows, _ = some_windows()
    member = model.members[0]
    expected = []
    for b in range(B):
        seen = rows[:, b].clone()
        for k in range(K):
            read = seen[: L + k + 1].clone()
            read[1:, :5], read[0, :5] = seen[: L + k, :5], 0.0
            hidden, _ = member.recurrent(read[:, None])
            value = member.readout(hidden[-1, 0])[0] + member.carry * read[-1, 0]
            seen[L + k, :2] = torch.stack([value, torch.ones(())])
            expected.append(value.item())
    paths = model.paths(rows, seeded())
    assert_close(paths, torch.tensor(expected).view(1, B, K), atol=1e-5, rtol=1e-5)


@any_head
def test_a_path_taught_back_is_drawn_from_what_the_network_answers(head):
    model = make_model(head, paths=1)
    location, scale = torch.zeros(B), torch.linspace(1, 9, B)
    if not head.whole:
        location = torch.linspace(-3, 3, B)
    rows, inputs = some_windows()
    path = model.paths(rows, seeded(), location, scale)[0]
    inputs[L:, :, 7] = ((path - location[:, None]) / scale[:, None]).T
    outputs, _ = model(inputs)
    level = model._levels(1, seeded())
    drawn = head.icdf(outputs[0, L:], level, location, scale)
    assert_close(drawn, path.T, atol=1e-4, rtol=1e-4)


def test_what_is_drawn_does_not_stand_in_the_inputs():
    model = make_model(make_head("normal", []))
    rows, _ = some_windows()
    changed = rows.clone()
    changed[L:, :, :2] += 3.0
    assert torch.equal(model.paths(rows, seeded()), model.paths(changed, seeded()))


@any_head
def test_a_batch_is_its_rows_one_by_one(head, monkeypatch):
    model = make_model(head, members=2)
    rows, _ = some_windows()
    location, scale = torch.zeros(B), torch.linspace(1, 40, B)
    whole = model.fan(rows, LEVELS, 7, location, scale)
    assert whole.shape == (B, K, 3)
    for b in range(B):
        alone = model.fan(rows[:, b : b + 1], LEVELS, 7, location[b : b + 1], scale[b : b + 1])
        assert_close(alone[0], whole[b], atol=1e-3, rtol=1e-4)
    monkeypatch.setattr("unrolled.tasks.forecasting.autoregressive_model.ROWS_AT_ONCE", 25)
    assert_close(model.fan(rows, LEVELS, 7, location, scale), whole, atol=1e-3, rtol=1e-4)


def test_a_fan_repeats_by_its_seed_and_leaves_the_others_random_numbers_alone():
    model = make_model(make_head("student-t", []))
    rows, _ = some_windows()
    before = torch.get_rng_state()
    first, again, other = (model.fan(rows, LEVELS, seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_fan_ascends_and_moves_with_location_and_scale():
    model = make_model(make_head("quantiles", LEVELS.tolist()))
    rows, _ = some_windows()
    fan = model.fan(rows, LEVELS, 1)
    assert (fan.diff() >= 0).all()
    moved = model.fan(rows, LEVELS, 1, torch.full((B,), 100.0), torch.full((B,), 10.0))
    assert_close(moved, 100 + 10 * fan, atol=1e-3, rtol=1e-5)


def test_a_fan_of_counts_is_of_whole_numbers():
    model = make_model(make_head("negative-binomial", []))
    rows, _ = some_windows()
    fan = model.fan(rows, LEVELS, 1, scale=torch.full((B,), 30.0))
    assert torch.equal(fan, fan.round())
    assert (fan >= 0).all()
    assert (fan > 0).any()


def test_an_ensemble_pools_the_paths_of_its_members():
    model = make_model(Certain(), members=3, paths=8)
    rows, _ = some_windows()
    paths = model.paths(rows, seeded())
    assert paths.shape == (8, B, K)
    # Without noise all paths of a member are one: 3, 3 and 2 of them.
    for part, size in zip(paths.split([3, 3, 2]), (3, 3, 2), strict=True):
        assert_close(part, part[:1].expand(size, -1, -1))
    assert (paths[0] != paths[3]).any()
    assert (paths[3] != paths[6]).any()


def test_fewer_paths_than_members_are_refused():
    with pytest.raises(ConfigError, match="paths: got 2, expected one for each of 3 members"):
        make_model(Certain(), members=3, paths=2)


def test_the_random_levels_of_a_step_are_one_in_every_part():
    model = make_model(Fixed(), paths=64)
    paths = model.paths(some_windows()[0], seeded())
    parts = (paths * 64).floor().sort(dim=0).values
    assert torch.equal(parts, torch.arange(64.0)[:, None, None].expand(-1, B, K))
    # Of one step and the next they know nothing of each other.
    assert torch.corrcoef(paths[:, 0].T).fill_diagonal_(0).abs().max() < 0.5


def test_the_loss_counts_known_values_after_the_first_row():
    head = make_head("normal", [])
    outputs, targets = torch.randn(2, L + K, B, 2), torch.randn(L + K, B)
    targets[3, 1] = torch.nan
    one = torch.ones(())
    by_hand = [
        head.loss(outputs[m, t, b], targets[t, b], 0 * one, one)
        for m in range(2)
        for t in range(1, L + K)
        for b in range(B)
        if (t, b) != (3, 1)
    ]
    loss = AutoregressiveLoss(head, L)
    assert_close(loss(outputs, targets), torch.stack(by_hand).mean())
    changed = outputs.clone()
    changed[:, :L] += 1.0
    assert torch.equal(loss.held_out(outputs, targets), loss.held_out(changed, targets))
    assert loss.held_out(outputs, targets) != loss.held_out(outputs + 1, targets)


def test_the_loss_of_counts_is_in_their_own_unit():
    head = make_head("negative-binomial", [])
    outputs = torch.randn(1, L + K, B, 2)
    counts, scale = torch.randint(0, 50, (L + K, B)).float(), torch.full((L + K, B), 20.0)
    targets = torch.stack([counts, torch.zeros_like(counts), scale], dim=-1)
    expected = head.loss(outputs[0], counts, torch.zeros(()), scale)[1:].mean()
    assert_close(AutoregressiveLoss(head, L)(outputs, targets), expected)


@pytest.mark.parametrize("name", ["quantiles", "normal", "student-t"])
def test_it_learns_the_fan_of_an_autoregressive_process(name):
    """x_t = 0.8 x_{t-1} + N(0, 1): after k steps normal, 0.8^k x and variance (1 - .64^k) / .36."""
    rounds, length, ahead = 150, 15, 5
    levels = [0.1, 0.5, 0.9] if name != "quantiles" else [0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98]
    head = make_head(name, levels)
    model = AutoregressiveModel(
        lambda size: unrolled.GRU(size, 8),
        layout=Layout(),
        embed=AsTheyAre(2),
        head=head,
        lookback=length,
        horizon=ahead,
        paths=512,
    )
    process = [torch.randn(4096)]
    for _ in range(length + ahead + 20):
        process.append(0.8 * process[-1] + torch.randn(4096))
    values = torch.stack(process[-length - ahead :])
    known = torch.ones_like(values)
    inputs = torch.stack([values, known, values, known], dim=-1)
    inputs[length:, :, :2] = 0.0
    loss = AutoregressiveLoss(head, length)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, rounds)
    for step in range(rounds):
        chosen = torch.arange(128) + 128 * (step % 32)
        outputs, _ = model(inputs[:, chosen])
        optimizer.zero_grad()
        loss(outputs, values[:, chosen]).backward()
        optimizer.step()
        schedule.step()
    model.eval()
    fan = model.fan(inputs[:, :300, :2], LEVELS, 0)
    k = torch.arange(1, ahead + 1)
    last = values[length - 1, :300, None, None]
    true = 0.8 ** k[:, None] * last + ((1 - 0.64**k) / 0.36).sqrt()[:, None] * ndtri(LEVELS)
    error = (fan - true).abs().mean(0)
    assert (error[0] < 0.05).all(), error
    assert (error[4] < 0.15).all(), error
