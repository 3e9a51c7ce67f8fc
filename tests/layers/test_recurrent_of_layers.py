"""`Recurrent` of several cells: layers, directions, layouts, streaming, records."""

from __future__ import annotations

import copy
import pickle
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pack_sequence

import unrolled
from unrolled.errors import ConfigError, DTypeError, ShapeError
from unrolled.layers import LSTMCell, Recurrent
from unrolled.layers.states import State, map_state, tensors_of

T, B, I, H = 6, 4, 3, 5  # noqa: E741
LENGTHS = torch.tensor([6, 3, 0, 5])
STARTS = torch.zeros(T, B).bool()
STARTS[2, 0] = STARTS[4, 3] = STARTS[4, 1] = True


class Parts(NamedTuple):
    h: Tensor
    count: Tensor


class Own(torch.nn.Module):
    """A user's cell, with a learned first state in a named tuple."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.read = torch.nn.Linear(inputs, hidden)
        self.mix = torch.nn.Linear(hidden, hidden)
        self.first = torch.nn.Parameter(torch.randn(hidden))

    def project(self, x: Tensor) -> Tensor:
        return self.read(x)

    def step(self, projected: Tensor, state: Parts) -> tuple[Tensor, Parts]:
        h = torch.tanh(projected + self.mix(state.h) + 0.1 * state.count[:, None])
        return 2 * h, Parts(h, state.count + 1)

    def initial_state(self, batch: int, like: Tensor) -> Parts:
        return Parts(self.first.expand(batch, -1), like.new_zeros(batch))


def own(inputs: int, hidden: int) -> Own:
    return Own(inputs, hidden).double()


def some(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def state_for(hidden: int = H, batch: int = B) -> Parts:
    return Parts(some(batch, hidden), some(batch).abs())


def assert_same(got: State, want: State) -> None:
    for a, b in zip(tensors_of(got), tensors_of(want), strict=True):
        torch.testing.assert_close(a, b)


RAGGED: list[dict[str, Any]] = [{}, {"lengths": LENGTHS}, {"lengths": LENGTHS, "starts": STARTS}]


@pytest.mark.parametrize("options", RAGGED)
def test_layers_and_directions_are_single_runs_put_together(options: dict[str, Any]) -> None:
    cells = [(own(I, H), own(I, H)), (own(2 * H, H), own(2 * H, H))]
    states = tuple((state_for(), state_for()) for _ in cells)
    layer, x = Recurrent(cells), some(T, B, I)
    y, finals = layer(x, states, **options)
    for pair, given, final in zip(cells, states, finals, strict=True):
        forward, end = Recurrent(pair[0])(x, given[0], **options)
        backward, begin = Recurrent(pair[1], reverse=True)(x, given[1], **options)
        x = torch.cat([forward, backward], -1)
        assert_same(final, (end, begin))
        assert all(isinstance(part, Parts) for part in final)
    assert_same(y, x)
    assert layer.num_layers == 2
    assert layer.bidirectional


def test_a_pair_is_one_layer_in_both_directions_and_a_list_is_layers() -> None:
    one, two, x = own(I, H), own(I, H), some(T, B, I)
    y, state = Recurrent((one, two))(x)
    want, states = Recurrent([(one, two)])(x)
    assert_same((y, (state,)), (want, states))
    deep, (low, high) = Recurrent([one, own(H, 2)])(x)
    assert deep.shape == (T, B, 2)
    assert_same(low, Recurrent(one)(x)[1])
    assert high.h.shape == (B, 2)


def test_cells_equal_the_deep_lstm_with_their_weights() -> None:
    layer = unrolled.LSTM(I, H, 2, bidirectional=True, dtype=torch.float64)
    cells = []
    for index, width in ((0, I), (1, 2 * H)):
        pair = []
        for end in ("", "_reverse"):
            cell = LSTMCell(width, H, dtype=torch.float64)
            names = {name: f"{name}_l{index}{end}" for name, _ in cell.named_parameters()}
            cell.load_state_dict({own: getattr(layer, name) for own, name in names.items()})
            pair.append(cell)
        cells.append(tuple(pair))
    x, h, c = some(T, B, I), some(4, B, H), some(4, B, H)
    want, (h_n, c_n) = layer(x, (h, c), lengths=LENGTHS, starts=STARTS)
    states = [((h[k], c[k]), (h[k + 1], c[k + 1])) for k in (0, 2)]
    y, finals = Recurrent(cells)(x, states, lengths=LENGTHS, starts=STARTS)
    torch.testing.assert_close(y, want)
    flat = [pair for level in finals for pair in level]
    torch.testing.assert_close(torch.stack([pair[0] for pair in flat]), h_n)
    torch.testing.assert_close(torch.stack([pair[1] for pair in flat]), c_n)


@pytest.mark.parametrize("merge", ["concat", "sum", "mean", "mul"])
def test_two_directions_become_one_as_merge_says(merge: str) -> None:
    one, two, x = own(I, H), own(I, H), some(T, B, I)
    a, b = Recurrent(one)(x)[0], Recurrent(two, reverse=True)(x)[0]
    wants = {"concat": torch.cat([a, b], -1), "sum": a + b, "mean": (a + b) / 2, "mul": a * b}
    torch.testing.assert_close(Recurrent((one, two), merge=merge)(x)[0], wants[merge])


def test_residual_adds_the_input_from_the_second_layer_on() -> None:
    cells, x = [own(H, H), own(H, H), own(H, H)], some(T, B, H)
    low = Recurrent(cells[0])(x)[0]
    middle = low + Recurrent(cells[1])(low)[0]
    high = middle + Recurrent(cells[2])(middle)[0]
    torch.testing.assert_close(Recurrent(cells, residual=True)(x)[0], high)
    with pytest.raises(ShapeError, match=r"residual: got a layer from \(6, 4, 5\) to \(6, 4, 2\)"):
        Recurrent([own(H, H), own(H, 2)], residual=True)(x)


def test_dropout_stands_between_layers_in_training_only() -> None:
    cells, x = [own(I, H), own(H, H)], some(T, B, I)
    layer = Recurrent(cells, dropout=0.5)
    torch.manual_seed(3)
    y, _ = layer(x)
    torch.manual_seed(3)
    between = torch.nn.functional.dropout(Recurrent(cells[0])(x)[0], 0.5)
    torch.testing.assert_close(y, Recurrent(cells[1])(between)[0])
    torch.testing.assert_close(layer.eval()(x)[0], Recurrent(cells)(x)[0])


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_packed_batch_is_its_rows_one_by_one(shuffled: bool) -> None:
    layer = Recurrent([(own(I, H), own(I, H)), (own(2 * H, H), own(2 * H, H))])
    sizes = [3, 6, 1, 5] if shuffled else [6, 5, 3, 1]
    rows = [some(size, I) for size in sizes]
    state = tuple((state_for(), state_for()) for _ in range(2))
    y, finals = layer(pack_sequence(rows, enforce_sorted=not shuffled), state)
    assert isinstance(y, PackedSequence)
    for k, (row, out) in enumerate(zip(rows, torch.nn.utils.rnn.unpack_sequence(y), strict=True)):
        own_state = _row(state, k)
        want, end = layer(row[:, None], own_state)
        torch.testing.assert_close(out, want[:, 0])
        assert_same(_row(finals, k), end)
    layer(pack_sequence(rows, enforce_sorted=False))
    with pytest.raises(ConfigError, match="lengths: got a PackedSequence"):
        layer(pack_sequence(rows, enforce_sorted=False), lengths=LENGTHS)
    with pytest.raises(ShapeError, match=r"state\[0\]\[0\]: got tensors of shapes"):
        layer(pack_sequence(rows, enforce_sorted=False), _row(state, 0))


def _row(state: State, k: int) -> State:
    return map_state(lambda part: part[k : k + 1], state)


def test_batch_first_moves_the_batch_of_input_output_and_starts() -> None:
    cells, x = [(own(I, H), own(I, H))], some(T, B, I)
    want, states = Recurrent(cells)(x, lengths=LENGTHS, starts=STARTS)
    layer = Recurrent(cells, batch_first=True)
    y, finals = layer(x.transpose(0, 1), lengths=LENGTHS, starts=STARTS.t())
    assert_same((y.transpose(0, 1), finals), (want, states))
    packed = pack_padded_sequence(x, torch.tensor([6, 3, 2, 1]))
    assert_same(layer(packed)[0].data, Recurrent(cells)(packed)[0].data)
    with pytest.raises(ShapeError, match=r"starts: got shape \(6, 4\), expected \(B, T\)"):
        layer(x.transpose(0, 1), starts=STARTS)


def test_streaming_through_layers_equals_the_whole_sequence() -> None:
    layer = Recurrent([own(I, H), own(H, H), own(H, H)], residual=True).eval()
    x = some(T, B, I)
    want, ends = layer(x)
    state, outputs = None, []
    for x_t in x:
        y_t, state = layer.step(x_t, state)
        outputs.append(y_t)
    assert_same((torch.stack(outputs), state), (want, ends))
    assert all(isinstance(part, Parts) for part in state)


def test_a_state_may_be_given_for_some_cells_only_and_as_plain_lists() -> None:
    layer, x = Recurrent([own(I, H), own(H, H)]), some(T, B, I)
    given = state_for()
    y, _ = layer(x, (None, given))
    fresh = layer.cell_l0.initial_state(B, x)
    assert_same(y, layer(x, (fresh, given))[0])
    assert_same(y, layer(x, [list(fresh), list(given)])[0])
    assert not torch.allclose(y, layer(x)[0])


class Reading(torch.nn.Module):
    """A cell whose output is made of two tensors and the input, once for all steps."""

    def __init__(self, linear: bool = False) -> None:
        super().__init__()
        self.mix = torch.nn.Linear(H, 2, dtype=torch.float64)
        self.skip = torch.nn.Linear(I, 2, dtype=torch.float64)
        self.calls: list[int] = []

    def project(self, x: Tensor) -> Tensor:
        return x.new_zeros(*x.shape[:2], H) + x.sum(-1, keepdim=True)

    def step(self, projected: Tensor, h: Tensor) -> tuple[tuple[Tensor, Tensor], Tensor]:
        after = torch.sin(projected + h)
        return (after, h), after

    def emit(self, y: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
        self.calls.append(len(x))
        return self.mix(y[0] - y[1]) + self.skip(x)

    def initial_state(self, batch: int, like: Tensor) -> Tensor:
        return like.new_ones(batch, H)


@pytest.mark.parametrize("reverse", [False, True])
def test_emit_makes_the_output_of_all_steps_at_once(reverse: bool) -> None:
    cell, x = Reading(), some(T, B, I)
    y, state = Recurrent(cell, reverse=reverse)(x, lengths=LENGTHS)
    assert cell.calls == [T]
    for b in range(B):
        h = torch.ones(H, dtype=torch.float64)
        steps = range(int(LENGTHS[b]))
        for t in reversed(steps) if reverse else steps:
            after = torch.sin(x[t, b].sum() + h)
            torch.testing.assert_close(y[t, b], cell.mix(after - h) + cell.skip(x[t, b]))
            h = after
        torch.testing.assert_close(state[b], h)
        assert (y[int(LENGTHS[b]) :, b] == 0).all()


def test_emit_streams() -> None:
    layer, x = Recurrent([Reading(), own(2, H)]), some(T, B, I)
    state, outputs = None, []
    for x_t in x:
        y_t, state = layer.step(x_t, state)
        outputs.append(y_t)
    assert_same((torch.stack(outputs), state), layer(x))


@pytest.mark.parametrize("options", RAGGED)
@pytest.mark.parametrize("reverse", [False, True])
def test_a_record_holds_every_state_and_the_gradient_that_came_to_it(
    reverse: bool, options: dict[str, Any]
) -> None:
    layer, x, given = Recurrent(own(I, H), reverse=reverse), some(T, B, I), state_for()
    with layer.record() as records:
        y, final = layer(x, given, **options)
        (y.sin().sum() + final.h.sum()).backward()
    (record,) = records
    (states,), (d_states,) = record.states, record.d_states
    want, want_final = layer(x, given, **options)
    assert_same((y, final), (want, want_final))
    torch.testing.assert_close(2 * states.h, y.detach())
    assert isinstance(states, Parts)
    assert not states.h.requires_grad
    # The gradient by the state after step t is that of the rest of the run by the state given.
    lengths = options.get("lengths", torch.full((B,), T))
    starts = options.get("starts")
    for b in range(B):
        n = int(lengths[b])
        assert (d_states.h[n:, b] == 0).all()
        for t in range(n):
            h = states.h[t, b][None].clone().requires_grad_()
            count = states.count[t, b][None]
            rest = slice(0, t) if reverse else slice(t + 1, n)
            end, loss = Parts(h, count), (2 * h).sin().sum()
            if rest.stop > rest.start:
                own_starts = None
                if starts is not None:
                    # A cut between this step and the rest is one of the given state.
                    own_starts = starts[rest, b : b + 1]
                    if reverse and starts[t, b]:
                        end = Parts(h.detach(), count)
                out, end = layer(x[rest, b : b + 1], end, starts=own_starts)
                loss = loss + out.sin().sum()
            (loss + end.h.sum()).backward()
            torch.testing.assert_close(d_states.h[t, b], h.grad[0])


def test_a_record_has_every_layer_and_direction_and_forgets_the_call_before() -> None:
    layer, x = Recurrent([(own(I, H), own(I, H)), (own(2 * H, 2), own(2 * H, 2))]), some(T, B, I)
    with layer.record() as records:
        layer(x)
        y, _ = layer(x, lengths=LENGTHS)
    assert [len(record.states) for record in records] == [2, 2]
    torch.testing.assert_close(torch.cat([2 * s.h for s in records[1].states], -1), y.detach())
    layer(some(2, 1, I))
    assert records[0].states[0].h.shape == (T, B, H)


class WithoutStep:
    def project(self, x: Tensor) -> Tensor:
        return x

    def initial_state(self, batch: int, like: Tensor) -> Tensor:
        return like.new_zeros(batch, H)


class Wrong(WithoutStep):
    """A cell whose methods give what the test says."""

    def __init__(self, **gives: Any) -> None:
        self.gives = gives

    def project(self, x: Tensor) -> Any:
        return self.gives.get("project", x)

    def step(self, projected: Tensor, state: Tensor) -> Any:
        return self.gives.get("step", (state, state))

    def initial_state(self, batch: int, like: Tensor) -> Any:
        return self.gives.get("initial_state", like.new_zeros(batch, H))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"cell": WithoutStep()}, r"cell: got WithoutStep without step, expected a cell with pro"),
        ({"cell": [own(I, H), None]}, r"cell\[1\]: got NoneType without project and step and"),
        ({"cell": (own(I, H), 3)}, r"cell\[1\]: got int without"),
        ({"cell": torch.nn.GRUCell(I, H)}, r"got GRUCell without .*; unrolled\.GRUCell is one"),
        ({"cell": torch.nn.GRU(I, H)}, r"got GRU without .*; a layer runs over time by itself"),
        ({"cell": Own}, r"cell: got the class Own, expected a cell made of it, such as Own\(\.\."),
        ({"cell": []}, "cell: got an empty list"),
        ({"cell": [own(I, H), (own(I, H), own(I, H))]}, r"cell: got layers of \[1, 2\] cells"),
        ({"cell": (own(I, H),) * 3}, r"cell: got layers of \[3\] cells"),
        ({"cell": (own(I, H), own(I, H)), "reverse": True}, "reverse: got True with"),
        ({"cell": own(I, H), "dropout": 1.5}, "dropout: got 1.5, expected 0 to 1"),
        ({"cell": own(I, H), "merge": "max"}, "merge: got 'max', expected one of concat, sum"),
        ({"cell": own(I, H), "compile": "fast"}, "compile: got 'fast', expected True, False or"),
    ],
)
def test_what_is_no_cell_or_has_no_meaning_is_refused(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        Recurrent(**arguments)


@pytest.mark.parametrize(
    ("gives", "says"),
    [
        ({"project": None}, r"Wrong.project: got NoneType, expected a tensor \(T, B, \.\.\.\), or"),
        ({"project": torch.zeros(4, 6)}, r"Wrong.project: got .* shape \(4, 6\), .* T, B = 6, 4"),
        ({"step": torch.zeros(4, H)}, r"Wrong.step: got a tensor of shape \(4, 5\), expected the"),
        ({"step": (1.0, torch.zeros(4, H))}, r"Wrong.step, its output: got float, expected"),
        (
            {"step": (torch.zeros(4, H), torch.zeros(4, 2))},
            r"Wrong.step, its state: got a tensor of shape \(4, 2\), expected .* shape \(4, 5\)",
        ),
        (
            {"step": (torch.zeros(4, H), (torch.zeros(4, H),))},
            r"Wrong.step, its state: got a tuple of tensors .*, expected a tensor",
        ),
        ({"step": (torch.zeros(3, H), torch.zeros(4, H))}, r"Wrong.step, its output: .* B = 4"),
        (
            {"step": ((torch.zeros(4, H),) * 2, torch.zeros(4, H))},
            r"Wrong.step, its output: got a tuple .*, or a method emit\(y, x\)",
        ),
        ({"initial_state": torch.zeros(1, H)}, r"Wrong.initial_state: .* \(1, 5\), .* B = 4"),
        ({"initial_state": {}}, r"Wrong.initial_state: got dict, expected tensors \(B, \.\.\.\)"),
    ],
)
def test_a_cell_that_gives_what_it_should_not_is_named(gives: dict[str, Any], says: str) -> None:
    with pytest.raises((ShapeError, DTypeError), match=says) as error:
        Recurrent(Wrong(**gives))(torch.zeros(T, B, H))
    assert "\n" not in str(error.value)
    layer = Recurrent(Wrong(**gives))
    with layer.record(), pytest.raises((ShapeError, DTypeError), match=says):
        layer(torch.zeros(T, B, H))


def test_a_bad_emit_or_linear_pair_is_named() -> None:
    cell = Reading()
    cell.emit = lambda y, x: y[0][0]
    with pytest.raises(ShapeError, match=r"Reading.emit: got a tensor of shape \(4, 5\), expected"):
        Recurrent(cell)(some(T, B, I))
    cell = Wrong()
    cell.linear = True
    with pytest.raises(ShapeError, match=r"Wrong.project: got a tensor .* the pair \(a, b\)"):
        Recurrent(cell)(torch.zeros(T, B, H))


def test_a_bad_call_names_the_argument_what_came_and_what_was_expected() -> None:
    layer, x, state = Recurrent([own(I, H), own(H, H)]), some(T, B, I), state_for()
    with pytest.raises(ShapeError, match=r"state: got .* \(4, 5\), expected a tuple of 2, one"):
        layer(x, (state.h,))
    with pytest.raises(ShapeError, match=r"state\[1\]: got tensors of shapes \[\(3, 5\), \(3,\)\]"):
        layer(x, (state, state_for(batch=3)))
    with pytest.raises(DTypeError, match=r"state\[0\]: got dtype torch.float32, .*torch.float64"):
        layer(x, (map_state(Tensor.float, state), None))
    with pytest.raises(ConfigError, match=r"state\[0\]: got a tensor on meta, expected cpu"):
        layer(x, (map_state(lambda part: part.to("meta"), state), None))
    with pytest.raises(DTypeError, match=r"state\[0\]: got str, expected tensors"):
        layer(x, ("ab", None))
    with pytest.raises(DTypeError, match="x: got list, expected a tensor or PackedSequence"):
        layer([1.0])
    with pytest.raises(ShapeError, match="lengths: got 7 for row 0, expected 0 to T = 6"):
        layer(x, lengths=torch.tensor([7, 1, 1, 1]))
    with pytest.raises(ConfigError, match="step: got two directions"):
        Recurrent((own(I, H), own(I, H))).step(x[0])
    with pytest.raises(ShapeError, match=r"step: got|x_t: got float"):
        layer.step(1.0)
    with pytest.raises(ShapeError, match=r"merge='sum': got outputs of shapes"):
        Recurrent((own(I, H), own(I, 2)), merge="sum")(x)


def test_the_repr_copies_and_pickles_are_those_of_a_module() -> None:
    layer = Recurrent([own(I, H), own(H, H)], residual=True, dropout=0.25, batch_first=True)
    assert "batch_first=True, residual=True, dropout=0.25" in repr(layer)
    layer, x = layer.eval(), some(B, T, I)
    want = layer(x)[0]
    assert torch.equal(copy.deepcopy(layer)(x)[0], want)
    assert torch.equal(pickle.loads(pickle.dumps(layer))(x)[0], want)
    assert {name.partition(".")[0] for name in layer.state_dict()} == {"cell_l0", "cell_l1"}


def test_a_row_without_steps_returns_its_state_in_every_cell() -> None:
    layer = Recurrent([(own(I, H), own(I, H)), (own(2 * H, H), own(2 * H, H))])
    state = tuple((state_for(), state_for()) for _ in range(2))
    _, finals = layer(some(T, B, I), state, lengths=LENGTHS, starts=STARTS)
    assert_same(_row(finals, 2), _row(state, 2))
