"""What `diagnose` measures, against formulas that do not go through it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from unrolled import GRU, LSTM, RNN, MinGRU, MinLSTM, Recurrent, diagnose, kernels, use_path
from unrolled.training.diagnostics_findings import LayerReport
from unrolled.training.diagnostics_follow import follow
from unrolled.training.diagnostics_jacobian import step_sizes

T, B, N, H = 12, 3, 4, 5


def made(kind: Callable[..., nn.Module], *args: Any, scale: float = 1.0, **options: Any) -> Any:
    """A layer in double precision with all parameters drawn from a wide normal."""
    layer = kind(*args, **options).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(0, 0.5 * scale)
    return layer


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def close(got: Any, expected: Any, bound: float = 1e-9) -> bool:
    got = torch.as_tensor(got, dtype=torch.float64)
    expected = torch.as_tensor(expected, dtype=torch.float64)
    return got.shape == expected.shape and bool(
        ((got - expected).abs() <= bound * (1 + expected.abs())).all()
    )


def only(report: Any) -> LayerReport:
    (one,) = report.layers
    return one


class LeakyOf(nn.Module):
    """A user's own cell: `h' = a h + x`."""

    def __init__(self, a: list[float]) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.tensor(a, dtype=torch.float64))

    def project(self, x: Tensor) -> Tensor:
        return x

    def step(self, projected: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
        h = self.a * h + projected
        return h, h

    def initial_state(self, batch: int, like: Tensor) -> Tensor:
        return like.new_zeros(batch, len(self.a))


@pytest.mark.parametrize("kind", [nn.RNN, RNN])
def test_the_gradient_through_time_is_that_of_a_loop_written_out(kind: Any) -> None:
    layer, x, h_0, weights = made(kind, N, H), drawn(T, B, N), drawn(1, B, H), drawn(T, B, H)
    h, states = h_0[0], []
    for x_t in x:
        h = torch.tanh(
            x_t @ layer.weight_ih_l0.T
            + layer.bias_ih_l0
            + h @ layer.weight_hh_l0.T
            + layer.bias_hh_l0
        )
        states.append(h)
    loss = (torch.stack(states) * weights).sum() + 2 * states[-1].square().sum()
    expected = torch.stack(torch.autograd.grad(loss, states)).norm(dim=(1, 2))

    def own_loss() -> Tensor:
        y, h_n = layer(x, h_0)
        return (y * weights).sum() + 2 * h_n.square().sum()

    assert close(only(diagnose(layer, own_loss)).gradient, expected)


@pytest.mark.skipif(not kernels.available(), reason="a record needs the kernels")
@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
@pytest.mark.parametrize("batch_first", [False, True])
def test_the_gradient_through_time_is_the_one_that_the_kernels_record(
    kind: Any, batch_first: bool
) -> None:
    layer = made(kind, N, H, num_layers=2, bidirectional=True, batch_first=batch_first)
    x = drawn(B, T, N) if batch_first else drawn(T, B, N)
    lengths = torch.tensor([T, 4, 9])
    starts = torch.zeros(T, B, dtype=torch.bool)
    starts[5, 0] = starts[2, 2] = True
    starts = starts.T if batch_first else starts
    weights = drawn(*x.shape[:2], 2 * H)

    def loss() -> Tensor:
        y, state = layer(x, lengths=lengths, starts=starts)
        h_n = state[0] if isinstance(state, tuple) else state
        return (y * weights).sum() + h_n.square().sum()

    with use_path("native"), layer.record() as records:
        loss().backward()
    report = diagnose(layer, loss, warn=False)
    assert [(one.layer, one.direction) for one in report.layers] == [
        (index, direction) for index in range(2) for direction in ("forward", "reverse")
    ]
    for one in report.layers:
        d_h = records[one.layer].d_h[one.direction == "reverse"]
        over = (1, 2) if d_h.shape[:2] == (T, B) else (0, 2)
        assert close(one.gradient, d_h.norm(dim=over))


def test_the_jacobian_of_a_tanh_rnn_is_its_formula() -> None:
    layer, x = made(nn.RNN, N, H), drawn(T, B, N)
    run = follow(layer, x)
    places = [(0, 0), (5, 2), (T - 1, 1)]
    sizes = step_sizes(run.stages[0].cell, places)
    assert sizes.exact
    for (t, row), radius, value in zip(places, sizes.radii, sizes.values, strict=True):
        h = layer(x)[0][t, row]
        expected = torch.diag(1 - h**2) @ layer.weight_hh_l0
        assert close(radius, torch.linalg.eigvals(expected).abs().max())
        assert close(value, torch.linalg.svdvals(expected)[0])


@pytest.mark.parametrize(
    ("kind", "options"),
    [(nn.GRU, {}), (nn.LSTM, {}), (nn.LSTM, {"proj_size": 3}), (nn.RNN, {"nonlinearity": "relu"})],
)
def test_the_jacobian_is_that_of_finite_differences(kind: Any, options: dict[str, Any]) -> None:
    layer, x = made(kind, N, H, **options), drawn(T, 1, N)
    parts = 2 if kind is nn.LSTM else 1
    with torch.no_grad():
        state = layer(x[:7])[1]
        flat = torch.cat([part.flatten() for part in (state if parts == 2 else (state,))])
        sizes = [options.get("proj_size", H), H][:parts]

        def after(values: Tensor) -> Tensor:
            given = tuple(part.view(1, 1, -1) for part in values.split(sizes))
            given = layer(x[7:8], given if parts == 2 else given[0])[1]
            return torch.cat([part.flatten() for part in (given if parts == 2 else (given,))])

        step = 1e-6 * torch.eye(len(flat), dtype=torch.float64)
        expected = torch.stack([(after(flat + e) - after(flat - e)) / 2e-6 for e in step], 1)
    sizes = step_sizes(follow(layer, x).stages[0].cell, [(7, 0)])
    assert close(sizes.radii[0], torch.linalg.eigvals(expected).abs().max(), 1e-6)
    assert close(sizes.values[0], torch.linalg.svdvals(expected)[0], 1e-6)


def test_an_iterated_jacobian_has_the_sizes_of_one_written_out() -> None:
    layer, x = made(nn.LSTM, N, 20), drawn(T, B, N)
    cell, places = follow(layer, x).stages[0].cell, [(3, 0), (9, 2)]
    exact, iterated = step_sizes(cell, places), step_sizes(cell, places, exact=False)
    assert not iterated.exact
    assert close(iterated.values, exact.values, 0.01)
    assert close(iterated.radii, exact.radii, 0.05)


def test_the_carried_gradient_is_a_product_of_jacobians() -> None:
    layer, x, v = made(nn.RNN, N, H, scale=0.8), drawn(30, 1, N), drawn(H)
    one = only(diagnose(layer, lambda: (layer(x)[0][-1, 0] * v).sum(), warn=False))
    carried, norms = v / v.norm(), []
    weight = layer.weight_hh_l0.detach()
    for h in layer(x)[0][:, 0].detach().flip(0)[:-1]:
        carried = weight.T @ ((1 - h**2) * carried)
        norms.append(float(carried.norm()))
    assert one.gradient_steps == 29
    assert close(one.gradient_carried, norms[-1])
    assert close(one.gradient_back, [1.0, *norms])
    assert close(one.gradient_share, norms[-1] / max(1.0, *norms))
    assert close(one.gradient_peak, max(1.0, *norms))
    assert one.gradient_reach == next(k for k, norm in enumerate(norms) if norm < 0.01)


def test_a_gradient_that_explodes_is_followed_from_where_it_enters() -> None:
    layer, x = Recurrent(LeakyOf([2.0, 2.0])), drawn(60, B, 2)
    one = only(diagnose(layer, lambda: layer(x)[0][-1].sum(), warn=False))
    assert one.gradient_steps == 59
    assert close(one.gradient_carried, 2.0**59)
    assert close(one.gradient_peak, 2.0**59)


def test_what_enters_later_and_is_faint_is_no_beginning() -> None:
    layer, x = Recurrent(LeakyOf([0.9, 0.9])), drawn(40, B, 2)

    def loss() -> Tensor:
        y = layer(x)[0]
        return y[9].sum() + 1e-12 * y[-1].sum()

    assert only(diagnose(layer, loss, warn=False)).gradient_steps == 9


def test_the_way_back_is_that_of_the_longest_rows() -> None:
    layer, x, lengths = Recurrent(LeakyOf([0.9, 0.9])), drawn(40, B, 2), torch.tensor([40, 10, 40])
    last = (lengths - 1, torch.arange(B))
    loss = lambda: layer(x, lengths=lengths)[0][last].square().sum()  # noqa: E731
    one = only(diagnose(layer, loss, warn=False))
    assert close(one.gradient_back, [0.9**k for k in range(40)])
    assert len(one.gradient_back or []) == one.gradient_steps + 1


def test_a_cell_of_ones_own_is_measured_by_its_factors() -> None:
    layer = Recurrent(LeakyOf([0.9, 0.5]))
    x = drawn(40, B, 2)
    one = only(diagnose(layer, lambda: layer(x)[0][-1].square().sum(), warn=False))
    assert (one.cell, one.name) == ("LeakyOf", "Recurrent")
    assert close(one.spectral_radius, 0.9)
    assert close(one.singular_value, 0.9)
    slow = Recurrent(LeakyOf([0.9, 0.9]))
    one = only(diagnose(slow, lambda: slow(x)[0][-1].square().sum(), warn=False))
    assert close(one.half_life_measured, math.log(2) / -math.log(0.9), 0.03)
    assert close(one.gradient_carried, 0.9**39)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_the_half_life_is_that_of_a_gate_held_still(kind: Any) -> None:
    layer, x = made(kind, N, H), drawn(60, B, N)
    units = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0], dtype=torch.float64)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.zero_()
        layer.bias_hh_l0[H : 2 * H] = units  # f of an LSTM, z of a GRU
    one = only(diagnose(layer, lambda: layer(x)[0][-1].square().sum(), warn=False))
    lives = math.log(2) / -torch.sigmoid(units).log()
    assert close(one.half_life, lives[2])
    assert close(one.longest_half_life, lives[4])
    if kind is nn.GRU:
        with torch.no_grad():
            layer.bias_hh_l0[H : 2 * H] = 2.0
        one = only(diagnose(layer, lambda: layer(x)[0][-1].square().sum(), warn=False))
        assert close(one.half_life_measured, lives[1], 1e-6)


@pytest.mark.parametrize(("kind", "rows"), [(MinGRU, 1), (MinLSTM, 2)])
def test_a_minimal_cell_forgets_by_its_keep_gate(kind: Any, rows: int) -> None:
    layer, x = made(kind, N, H), drawn(T, B, N)
    gates = (x @ layer.weight_l0[: rows * H].T + layer.bias_l0[: rows * H]).sigmoid()
    keep = 1 - gates if rows == 1 else gates[..., :H] / gates.view(T, B, 2, H).sum(2)
    one = only(diagnose(layer, lambda: layer(x)[0].square().sum(), warn=False))
    lives = math.log(2) / -keep.log().mean((0, 1))
    assert close(one.half_life, lives.median())
    sizes = step_sizes(follow(layer, x).stages[0].cell, [(4, 1)])
    assert close(sizes.radii[0], keep[4, 1].max())
    low, high = one.saturation["keep"]
    assert close(low, (keep < 0.05).double().mean())
    assert close(high, (keep > 0.95).double().mean())


def test_saturation_is_counted_over_real_steps_only() -> None:
    layer, x = made(LSTM, N, H, scale=6.0), drawn(T, B, N)
    lengths = torch.tensor([T, 3, 7])
    one = only(diagnose(layer, lambda: layer(x, lengths=lengths)[0].sum(), warn=False))
    values: dict[str, list[Tensor]] = {"i": [], "f": [], "g": [], "o": []}
    for row, length in enumerate(lengths.tolist()):
        h = c = torch.zeros(H, dtype=torch.float64)
        for x_t in x[:length, row]:
            total = (
                layer.weight_ih_l0 @ x_t
                + layer.bias_ih_l0
                + layer.weight_hh_l0 @ h
                + layer.bias_hh_l0
            )
            i, f, g, o = total.chunk(4)
            i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
            c = f * c + i * g
            h = o * c.tanh()
            for name, gate in zip("ifgo", (i, f, g, o), strict=True):
                values[name].append(gate)
    for name, gates in values.items():
        gate = torch.cat(gates)
        low, high = (-0.9, 0.9) if name == "g" else (0.05, 0.95)
        shares = [float((gate < low).double().mean()), float((gate > high).double().mean())]
        assert close(one.saturation[name], shares)
    assert sum(map(sum, one.saturation.values())) > 0.5


def test_a_relu_unit_counts_as_dead_only_where_it_is_zero_at_every_real_step() -> None:
    layer, x = made(nn.RNN, N, 4, nonlinearity="relu"), drawn(T, B, N)
    with torch.no_grad():
        layer.bias_ih_l0[:] = torch.tensor([-100.0, 100.0, -100.0, 0.0])
        layer.weight_hh_l0.zero_()
    one = only(diagnose(layer, lambda: layer(x)[0].sum(), warn=False))
    assert one.dead == 0.5


def test_growth_is_that_of_a_geometric_series() -> None:
    layer = Recurrent(LeakyOf([1.1]))
    x = torch.ones(20, B, 1, dtype=torch.float64)
    one = only(diagnose(layer, lambda: layer(x)[0][-1].sum(), warn=False))
    assert close(one.growth, (1.1**80 - 1) / (1.1**20 - 1))


def test_rows_beyond_those_asked_for_are_left_out() -> None:
    layer, x = made(nn.GRU, N, H), drawn(T, 6, N)
    few = only(diagnose(layer, lambda: layer(x)[0].square().sum(), rows=2, warn=False))
    chosen = x[:, [0, 3]]
    alone = only(diagnose(layer, lambda: layer(chosen)[0].square().sum(), warn=False))
    assert few.rows == 2
    assert close(few.gradient, alone.gradient)


def test_packed_and_unbatched_calls_are_measured_like_padded_ones() -> None:
    layer, x, lengths = made(nn.LSTM, N, H, bidirectional=True), drawn(T, B, N), [5, T, 8]
    packed = nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False)
    ours = made(LSTM, N, H, bidirectional=True)
    ours.load_state_dict(layer.state_dict())
    by_packed = diagnose(layer, lambda: layer(packed)[0].data.square().sum(), warn=False)
    by_lengths = diagnose(
        ours, lambda: ours(x, lengths=torch.tensor(lengths))[0].square().sum(), warn=False
    )
    for one, other in zip(by_packed.layers, by_lengths.layers, strict=True):
        assert close(one.gradient, other.gradient)
        assert one.saturation == other.saturation
        assert close(one.growth, other.growth)
    alone = diagnose(layer, lambda: layer(x[:, 1])[0].square().sum(), warn=False)
    batch = diagnose(layer, lambda: layer(x[:, [1]])[0].square().sum(), warn=False)
    assert close(alone.layers[1].gradient, batch.layers[1].gradient)


def test_frozen_layers_have_a_gradient_by_their_state_all_the_same() -> None:
    layer, x = made(nn.GRU, N, H), drawn(T, B, N)
    free = only(diagnose(layer, lambda: layer(x)[0].square().sum(), warn=False))
    layer.requires_grad_(False)
    frozen = only(diagnose(layer, lambda: layer(x)[0].square().sum(), warn=False))
    assert close(frozen.gradient, free.gradient)
