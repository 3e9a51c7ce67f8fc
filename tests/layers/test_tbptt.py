"""`TBPTT`: the outputs of the whole sequence, and the gradient of so many steps."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from unrolled.errors import ConfigError, DTypeError, ShapeError
from unrolled.layers import GRU, LSTM, RNN, TBPTT, MinGRU, Recurrent
from unrolled.layers.states import map_state, tensors_of
from unrolled.layers.trees import flatten

from .native_calls import assert_near
from .segment_calls import TwoSpeeds, metered, mixed

T, B, I, H = 17, 3, 2, 4  # noqa: E741


class Words(torch.nn.Module):
    """A model of one's own: from numbers of words to scores, batch first."""

    batch_first = True

    def __init__(self) -> None:
        super().__init__()
        self.table = torch.nn.Embedding(7, I)
        self.layer = torch.nn.LSTM(I, H, batch_first=True)
        self.head = torch.nn.Linear(H, 5)
        self.double()

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        y, state = self.layer(self.table(x), state)
        return self.head(y), state


def inputs(*shape: int) -> Tensor:
    return torch.randn(*shape, I, dtype=torch.float64)


KINDS: dict[str, tuple[Callable[[], Any], Callable[[], Tensor]]] = {
    "LSTM": (lambda: LSTM(I, H, num_layers=2, dtype=torch.float64), lambda: inputs(T, B)),
    "GRU batch first": (
        lambda: GRU(I, H, batch_first=True, dtype=torch.float64),
        lambda: inputs(B, T),
    ),
    "MinGRU": (lambda: MinGRU(I, H, dtype=torch.float64), lambda: inputs(T, B)),
    "torch's LSTM": (lambda: torch.nn.LSTM(I, H, dtype=torch.float64), lambda: inputs(T, B)),
    "torch's RNN batch first": (
        lambda: torch.nn.RNN(I, H, batch_first=True, dtype=torch.float64),
        lambda: inputs(B, T),
    ),
    "Recurrent": (lambda: Recurrent(TwoSpeeds(I, H)), lambda: inputs(T, B)),
    "a model": (Words, lambda: torch.randint(7, (B, T))),
}
every_kind = pytest.mark.parametrize("kind", KINDS)
every_size = pytest.mark.parametrize(
    ("steps", "every"), [(5, 5), (1, 1), (5, 2), (6, 3), (7, 3), (4, 3), (6, 1), (40, 4), (40, 40)]
)


def made(kind: str) -> tuple[Any, Tensor, int]:
    """A layer, an input of T steps, and the axis of time."""
    make, draw = KINDS[kind]
    layer = make()
    return layer, draw(), int(getattr(layer, "batch_first", False))


def gradients(y: Tensor, layer: Any) -> list[Tensor]:
    return list(torch.autograd.grad(mixed(y), list(layer.parameters()), materialize_grads=True))


@every_size
@every_kind
def test_values_are_those_of_the_whole_and_gradients_those_cut_by_hand(
    kind: str, steps: int, every: int
) -> None:
    layer, x, axis = made(kind)
    whole, final = layer(x)
    tbptt = TBPTT(layer, steps=steps, every=every)
    begin = 0
    for (part,) in tbptt.parts(x):
        y = tbptt(part)
        end = begin + part.shape[axis]
        assert_near(y, whole.narrow(axis, begin, end - begin), 1e-12)
        # By hand: the state of the whole that enters step `cut`, as a constant, and on from there.
        cut = max(0, begin - (steps - every))
        state = None
        if cut:
            _, state = layer(x.narrow(axis, 0, cut))
            state = map_state(torch.Tensor.detach, state)
        by_hand, _ = layer(x.narrow(axis, cut, end - cut), state)
        want = by_hand.narrow(axis, begin - cut, end - begin)
        assert_near(gradients(y, layer), gradients(want, layer), 1e-12)
        begin = end
    assert begin == T
    assert_near(tbptt.state, final, 1e-12)
    assert not any(part.requires_grad for part in tensors_of(tbptt.state))


@every_size
def test_the_gradient_is_the_sum_over_so_many_steps(steps: int, every: int) -> None:
    """Of `h_t = w h_{t-1} + x_t`: `dh_t/dw = sum_{j=a}^t w^(t-j) h_{j-1}` cut at step a."""
    layer = RNN(1, 1, nonlinearity="relu", bias=False, dtype=torch.float64)
    w = 0.9
    torch.nn.init.constant_(layer.weight_ih_l0, 1)
    torch.nn.init.constant_(layer.weight_hh_l0, w)
    x = torch.rand(T, 1, 1, dtype=torch.float64) + 0.1
    h = [0.0]
    for x_t in x.flatten().tolist():
        h.append(w * h[-1] + x_t)
    tbptt = TBPTT(layer, steps=steps, every=every)
    begin = 0
    for (part,) in tbptt.parts(x):
        (got,) = torch.autograd.grad(tbptt(part).sum(), layer.weight_hh_l0)
        cut, end = max(0, begin - (steps - every)), begin + len(part)
        want = sum(
            w ** (t - j) * h[j] for t in range(begin, end) for j in range(cut, t + 1)
        )  # h[j] is h_{j-1}: h begins with the state before step 0
        assert abs(got.item() - want) <= 1e-12 * max(want, 1)
        begin = end


@every_kind
def test_a_loop_trains(kind: str) -> None:
    """Weights that change between parts disturb nothing: no stale graph is gone through."""
    layer, x, _ = made(kind)
    tbptt = TBPTT(layer, steps=6, every=2)
    losses = []
    for _ in range(8):
        tbptt.reset()
        losses.append(0.0)
        for (part,) in tbptt.parts(x):
            loss = (tbptt(part) - 0.3).square().mean()
            loss.backward()
            with torch.no_grad():
                for parameter in layer.parameters():
                    if parameter.grad is not None:
                        parameter -= 0.05 * parameter.grad
                    parameter.grad = None
            losses[-1] += loss.item()
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(("steps", "every"), [(4, 4), (7, 3)])
@every_kind
def test_a_reset_of_rows_is_a_new_sequence_in_them(kind: str, steps: int, every: int) -> None:
    layer, x, axis = made(kind)
    y_whole, _ = layer(x)
    tbptt = TBPTT(layer, steps=steps, every=every)
    parts = [part for (part,) in tbptt.parts(x)]
    got = [tbptt(parts[0]), tbptt(parts[1])]
    begin = 2 * every
    old = tbptt.state
    tbptt.reset(torch.tensor([1]))
    tbptt.reset(torch.tensor([False, False, True]))
    fresh, _ = layer(x.narrow(axis, begin, T - begin))
    for before, now in zip(tensors_of(old), tensors_of(tbptt.state), strict=True):
        rows = 0 if isinstance(layer, Recurrent) else -2
        assert torch.equal(before.select(rows, 0), now.select(rows, 0))
        assert (before.select(rows, 1) != now.select(rows, 1)).any()
    got += [tbptt(part) for part in parts[2:4]]
    late = torch.cat(got[2:], axis)
    size = late.shape[axis]
    of_rows, want = late.select(1 - axis, 0), y_whole.select(1 - axis, 0)
    assert_near(of_rows, want.narrow(0, begin, size), 1e-12)
    for row in (1, 2):
        want = fresh.select(1 - axis, row).narrow(0, 0, size)
        assert_near(late.select(1 - axis, row), want, 1e-12)
    # No gradient crosses the reset; with steps > every that of the second part reaches back to it.
    rest = late.narrow(1 - axis, 1, 2)
    only = fresh.narrow(axis, 0, size).narrow(1 - axis, 1, 2)
    if steps == every:
        rest, only = (y.narrow(axis, 0, every) for y in (rest, only))
    assert_near(gradients(rest, layer), gradients(only, layer), 1e-12)
    tbptt.reset()
    assert tbptt.state is None
    assert_near(tbptt(parts[0]), got[0], 0)


def test_a_reset_of_all_rows_is_the_beginning_and_may_change_their_number() -> None:
    layer, x, _ = made("LSTM")
    tbptt = TBPTT(layer, steps=6, every=4)
    for (part,) in tbptt.parts(x):
        tbptt(part)
    with pytest.raises(ShapeError, match="x: got 2 rows, expected 3 as in the part before"):
        tbptt(x[:4, :2])
    tbptt.reset()
    assert_near(tbptt(x[:4, :2]), layer(x[:4, :2])[0], 1e-13)


@pytest.mark.parametrize(("steps", "every"), [(4, 4), (7, 3), (5, 4), (9, 2)])
@pytest.mark.parametrize("kind", ["LSTM", "GRU batch first", "Recurrent"])
def test_starts_cut_where_they_stand(kind: str, steps: int, every: int) -> None:
    layer, x, axis = made(kind)
    starts = torch.zeros(T, B, dtype=torch.bool)
    starts[4, 0] = starts[6, 1] = starts[9, 1] = starts[0, 2] = starts[12, 0] = True
    starts = starts.t() if axis else starts
    whole, _ = layer(x, starts=starts)
    tbptt = TBPTT(layer, steps=steps, every=every)
    begin = 0
    for part, flags in tbptt.parts(x, starts):
        y = tbptt(part, starts=flags)
        end = begin + part.shape[axis]
        assert_near(y, whole.narrow(axis, begin, end - begin), 1e-12)
        cut, state = max(0, begin - (steps - every)), None
        if cut:
            early = starts.narrow(axis, 0, cut)
            state = map_state(torch.Tensor.detach, layer(x.narrow(axis, 0, cut), starts=early)[1])
        size = end - cut
        flags = starts.narrow(axis, cut, size)
        by_hand, _ = layer(x.narrow(axis, cut, size), state, starts=flags)
        want = by_hand.narrow(axis, begin - cut, end - begin)
        assert_near(gradients(y, layer), gradients(want, layer), 1e-12)
        begin = end


@pytest.mark.parametrize(("steps", "every"), [(4, 4), (7, 4), (5, 4)])
def test_a_row_goes_on_after_its_last_real_step(steps: int, every: int) -> None:
    layer, x, _ = made("LSTM")
    lengths = torch.tensor([[4, 4, 4, 4], [4, 2, 0, 3], [0, 0, 1, 4]])
    tbptt = TBPTT(layer, steps=steps, every=every)
    rows: list[list[Tensor]] = [[], [], []]
    for number, (part,) in enumerate(tbptt.parts(x[:16])):
        y = tbptt(part, lengths=lengths[:, number])
        for row in range(B):
            size = int(lengths[row, number])
            rows[row].append(y[:size, row])
            assert (y[size:, row] == 0).all()
    for row in range(B):
        real = [x[4 * n : 4 * n + int(lengths[row, n]), row] for n in range(4)]
        alone, final = layer(torch.cat(real).unsqueeze(1))
        assert_near(torch.cat(rows[row]), alone.squeeze(1), 1e-12)
        own = map_state(lambda part, row=row: part[:, row : row + 1], tbptt.state)
        assert_near(own, map_state(torch.Tensor.detach, final), 1e-12)


def test_the_state_can_be_taken_away_and_given_back() -> None:
    layer, x, _ = made("GRU batch first")
    whole, _ = layer(x)
    first = TBPTT(layer, steps=4)
    for part in x[:, :8].split(4, 1):
        first(part)
    other = TBPTT(layer, steps=6, every=3)
    other(x[:, 9:12])
    other.state = first.state
    assert_near(other(x[:, 8:11]), whole[:, 8:11], 1e-12)
    assert_near(other(x[:, 11:14]), whole[:, 11:14], 1e-12)
    other.state = None
    assert_near(other(x[:, :3]), whole[:, :3], 1e-12)


@pytest.mark.parametrize(("steps", "every"), [(4, 4), (9, 4)])
def test_memory_does_not_grow_with_time(steps: int, every: int) -> None:
    layer = LSTM(I, H, dtype=torch.float64)
    tbptt = TBPTT(layer, steps=steps, every=every)
    peaks, held, gone = [], [], []
    for _ in range(12):
        x = inputs(every, B)
        with metered(*layer.parameters()) as meter:
            y = tbptt(x)
            y.sum().backward()
        gone.append(weakref.ref(y))
        del y
        peaks.append(meter.peak)
        parts = [t for piece in tbptt._pieces for t in piece if t is not None]
        parts += flatten((tbptt._first, tbptt._last))[0]
        held.append(sum({t.data_ptr(): t.untyped_storage().nbytes() for t in parts}.values()))
    assert len(set(peaks[4:])) == 1
    assert len(set(held[4:])) == 1
    # The input of the steps to be run again, at most one part more of it, and two states.
    most = (steps - every + (every if steps > every else 0)) * B * I * 8 + 4 * B * H * 8
    assert 0 < held[-1] <= most
    assert all(reference() is None for reference in gone)


def test_the_input_may_be_changed_and_its_graph_gone_before_the_next_part() -> None:
    layer, x, _ = made("LSTM")
    want, _ = layer(x)
    scale = torch.ones((), dtype=torch.float64, requires_grad=True)
    tbptt = TBPTT(layer, steps=9, every=3)
    memory = torch.empty(3, B, I, dtype=torch.float64)
    for begin in range(0, 15, 3):
        memory.copy_(x[begin : begin + 3])
        y = tbptt(memory * scale)
        assert_near(y, want[begin : begin + 3], 1e-12)
        y.sum().backward()
        memory.fill_(torch.nan)
    assert scale.grad is not None
    assert scale.grad != 0


def test_without_gradients_it_streams() -> None:
    layer, x, _ = made("LSTM")
    want, _ = layer(x)
    tbptt = TBPTT(layer, steps=7, every=3)
    with torch.no_grad():
        y = torch.cat([tbptt(part) for (part,) in tbptt.parts(x)])
    assert not y.requires_grad
    assert_near(y, want, 1e-12)


def test_errors_name_the_argument_what_came_and_what_to_do() -> None:
    layer = torch.nn.LSTM(I, H)
    for every in (0, 6):
        with pytest.raises(ConfigError, match=f"every: got {every} with steps = 5"):
            TBPTT(layer, steps=5, every=every)
    for wrong in (LSTM(I, H, bidirectional=True), Recurrent(TwoSpeeds(I, H), reverse=True)):
        with pytest.raises(ConfigError, match="layer: got one that runs in reverse"):
            TBPTT(wrong, steps=5)
    tbptt = TBPTT(layer, steps=5, every=3)
    x = torch.randn(3, B, I)
    tbptt.reset([0])  # nothing was run: nothing to reset
    with pytest.raises(ConfigError, match=r"starts: got starts for LSTM, .*reset\(rows\)"):
        tbptt(x, starts=torch.zeros(3, B, dtype=torch.bool))
    for wrong_x in (torch.randn(4, B, I), x[:0], torch.randn(3)):
        with pytest.raises(ShapeError, match=r"x: got shape .*n from 1 to every = 3"):
            tbptt(wrong_x)
    with pytest.raises(DTypeError, match="x: got list, expected a tensor"):
        tbptt([1.0])
    tbptt(x)
    with pytest.raises(ShapeError, match=r"rows: got \[3\], expected numbers from 0 to 2"):
        tbptt.reset([3])
    with pytest.raises(ShapeError, match=r"rows: got shape \(2,\), expected \(B,\) = \(3,\)"):
        tbptt.reset(torch.ones(2, dtype=torch.bool))
    with pytest.raises(DTypeError, match=r"rows: got dtype torch\.float32"):
        tbptt.reset(torch.ones(3))
    with pytest.raises(ShapeError, match="parts: got tensors of"):
        next(tbptt.parts(x, x[:2]))


def test_arguments_of_another_kind_are_named() -> None:
    layer = GRU(3, 4)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"steps": 2.5}, "steps: got 2.5, expected a whole number"),
        ({"steps": "3"}, "steps: got '3', expected a whole number"),
        ({"steps": 3, "every": True}, "every: got True, expected a whole number"),
    ]
    for arguments, pattern in cases:
        with pytest.raises(ConfigError, match=pattern):
            TBPTT(layer, **arguments)
    with pytest.raises(ConfigError, match="layer: got int, expected a layer"):
        TBPTT(3, steps=3)
    tbptt = TBPTT(layer, steps=3)
    tbptt(torch.zeros(3, 2, 3))
    with pytest.raises(DTypeError, match="rows: got str, expected a tensor of bool or integers"):
        tbptt.reset("a")
