"""Lengths and resets, against torch's own layer run on each sequence alone."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from unrolled import kernels
from unrolled.layers import GRU, LSTM, RNN, use_path
from unrolled.layers.states import State, map_state, tensors_of

TORCHS = {RNN: torch.nn.RNN, GRU: torch.nn.GRU, LSTM: torch.nn.LSTM}
PATHS = ["reference", "aten", *(["native"] if kernels.available() else [])]
I, H = 3, 4  # noqa: E741
every_path = pytest.mark.parametrize("path", PATHS)
every_kind = pytest.mark.parametrize("kind", list(TORCHS))
directions = pytest.mark.parametrize("bidirectional", [False, True])


def layer_of(kind: type, **options: Any) -> Any:
    layer = kind(I, H, dtype=torch.float64, **options)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(0, 0.5)
    return layer


def state_of(layer: Any, batch: int) -> State:
    rows = layer.num_layers * (2 if layer.bidirectional else 1)
    h = torch.randn(rows, batch, H, dtype=torch.float64)
    return (h, torch.randn_like(h)) if layer.mode == "LSTM" else h


def leaves(state: State) -> State:
    return map_state(lambda part: part.clone().requires_grad_(), state)


def one_layer_by_hand(
    layer: Any, index: int, direction: int, x: Tensor, state: State, cuts: list[int]
) -> tuple[Tensor, State]:
    """One layer, direction and row `(n, I)`, by torch's own layer on each stretch between cuts."""
    kind = next(torchs for ours, torchs in TORCHS.items() if isinstance(layer, ours))
    alone = kind(x.shape[-1], H, bias=layer.bias, dtype=torch.float64)
    suffix = f"_l{index}" + ("_reverse" if direction else "")
    weights = {
        name.replace(suffix, "_l0"): value
        for name, value in layer.named_parameters()
        if name.endswith(suffix)
    }
    edges = [0, *[cut for cut in cuts if cut > 0], len(x)]
    pieces = list(pairwise(edges))
    zero = map_state(torch.zeros_like, state)
    entering = zero if 0 in cuts and not direction else state
    outputs = []
    for begin, end in reversed(pieces) if direction else pieces:
        piece = x[begin:end].flip(0) if direction else x[begin:end]
        y, final = torch.func.functional_call(alone, weights, (piece, entering))
        outputs.append(y.flip(0) if direction else y)
        entering = zero
    return torch.cat(outputs[::-1] if direction else outputs), final


def by_hand(
    layer: Any, x: Tensor, state: State, lengths: Tensor, starts: Tensor
) -> tuple[Tensor, State]:
    """What `layer` should give, row by row: `x (T, B, I)`, `starts (T, B)`."""
    count = 2 if layer.bidirectional else 1
    rows, finals = [], []
    for b, length in enumerate(lengths.tolist()):
        mine = map_state(lambda part, b=b: part[:, b], state)
        if length == 0:
            rows.append(x.new_zeros(len(x), count * H))
            finals.append(mine)
            continue
        cuts = [t for t in range(length) if starts[t, b]]
        y, ends = x[:length, b], []
        for index in range(layer.num_layers):
            sides = []
            for direction in range(count):
                k = index * count + direction
                first = map_state(lambda part, k=k: part[k : k + 1], mine)
                side, end = one_layer_by_hand(layer, index, direction, y, first, cuts)
                sides.append(side)
                ends.append(end)
            y = torch.cat(sides, -1)
        rows.append(torch.cat([y, y.new_zeros(len(x) - length, y.shape[1])]))
        finals.append(map_state(lambda *parts: torch.cat(parts), *ends))
    return torch.stack(rows, 1), map_state(lambda *parts: torch.stack(parts, 1), *finals)


def gradients(outputs: Any, sources: list[Tensor]) -> list[Tensor]:
    """Of a fixed random weighting of all outputs; zeros where nothing depends on a source."""
    generator = torch.Generator().manual_seed(2)
    loss = sum(
        (torch.randn(out.shape, generator=generator, dtype=out.dtype) * out).sum()
        for out in tensors_of(outputs)
    )
    return list(torch.autograd.grad(loss, sources, retain_graph=True, materialize_grads=True))


def assert_all_close(got: Any, want: Any) -> None:
    for a, b in zip(tensors_of(got), tensors_of(want), strict=True):
        torch.testing.assert_close(a, b)


def assert_equals_by_hand(
    layer: Any, x: Tensor, state: State, lengths: Tensor | None, starts: Tensor | None
) -> None:
    """On every path: outputs, final states, and gradients of input, state and every parameter."""
    steps, batch = x.shape[:2]
    all_lengths = torch.full((batch,), steps) if lengths is None else lengths
    all_starts = torch.zeros(steps, batch).bool() if starts is None else starts
    x, state = x.clone().requires_grad_(), leaves(state)
    sources = [x, *tensors_of(state), *layer.parameters()]
    want = by_hand(layer, x, state, all_lengths, all_starts)
    want_gradients = gradients(want, sources)
    turn = layer.batch_first
    for path in PATHS:
        with use_path(path):
            y, final = layer(
                x.transpose(0, 1) if turn else x,
                state,
                lengths=lengths,
                starts=starts.t() if turn and starts is not None else starts,
            )
        y = y.transpose(0, 1) if turn else y
        assert_all_close((y, final), want)
        assert_all_close(gradients((y, final), sources), want_gradients)


@st.composite
def ragged(draw: st.DrawFn) -> dict[str, Any]:
    steps, batch = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    row = st.lists(st.integers(0, steps), min_size=batch, max_size=batch)
    flags = st.lists(st.booleans(), min_size=steps * batch, max_size=steps * batch)
    lengths, starts = draw(st.none() | row), draw(st.none() | flags)
    return {
        "kind": draw(st.sampled_from(list(TORCHS))),
        "options": {
            "num_layers": draw(st.integers(1, 2)),
            "bidirectional": draw(st.booleans()),
            "batch_first": draw(st.booleans()),
            "bias": draw(st.booleans()),
        },
        "steps": steps,
        "batch": batch,
        "lengths": None if lengths is None else torch.tensor(lengths),
        "starts": None if starts is None else torch.tensor(starts).view(steps, batch),
    }


@settings(max_examples=80, deadline=None, derandomize=True)
@given(ragged())
def test_any_lengths_and_starts_equal_each_sequence_run_alone(case: dict[str, Any]) -> None:
    torch.manual_seed(0)
    layer = layer_of(case["kind"], **case["options"])
    x = torch.randn(case["steps"], case["batch"], I, dtype=torch.float64)
    state = state_of(layer, case["batch"])
    assert_equals_by_hand(layer, x, state, case["lengths"], case["starts"])


@every_kind
@directions
def test_lengths_in_any_order_equal_row_by_row(kind: type, bidirectional: bool) -> None:
    layer = layer_of(kind, num_layers=2, bidirectional=bidirectional)
    x = torch.randn(5, 4, I, dtype=torch.float64)
    assert_equals_by_hand(layer, x, state_of(layer, 4), torch.tensor([2, 5, 0, 3]), None)


@every_kind
@directions
def test_a_reset_equals_separate_sequences(kind: type, bidirectional: bool) -> None:
    layer = layer_of(kind, num_layers=2, bidirectional=bidirectional)
    x = torch.randn(5, 3, I, dtype=torch.float64)
    starts = torch.tensor([[0, 0, 1, 0, 1], [1, 0, 0, 0, 0], [0, 1, 1, 0, 0]]).bool().t()
    assert_equals_by_hand(layer, x, state_of(layer, 3), None, starts)


@every_kind
@directions
def test_a_reset_at_the_first_step_only_drops_the_given_state(
    kind: type, bidirectional: bool
) -> None:
    layer = layer_of(kind, bidirectional=bidirectional, batch_first=True)
    x = torch.randn(5, 3, I, dtype=torch.float64)
    starts = torch.zeros(5, 3).bool()
    starts[0, 1] = True
    assert_equals_by_hand(layer, x, state_of(layer, 3), torch.tensor([5, 5, 5]), starts)
    with use_path("aten"):
        assert_all_close(
            layer(x, starts=starts.new_ones(5, 3)[:1].expand(5, 3) & False)[0], layer(x)[0]
        )


@every_kind
@every_path
def test_reset_cuts_the_gradient(kind: type, path: str) -> None:
    layer = layer_of(kind)
    x = torch.randn(6, 1, I, dtype=torch.float64, requires_grad=True)
    state = leaves(state_of(layer, 1))
    starts = torch.zeros(6, 1).bool()
    starts[3] = True
    with use_path(path):
        y, final = layer(x, state, starts=starts)
    late = [y[3:], *tensors_of(final)]
    to_x, *to_state = gradients(late, [x, *tensors_of(state)])
    assert (to_x[:3] == 0).all()
    assert (to_x[3:] != 0).any(-1).all()
    assert all((part == 0).all() for part in to_state)
    early, *_ = gradients(y[:3], [x])
    assert (early[:3] != 0).any(-1).all()


@every_path
@every_kind
@directions
def test_what_stands_in_the_padding_changes_nothing(
    kind: type, bidirectional: bool, path: str
) -> None:
    layer = layer_of(kind, num_layers=2, bidirectional=bidirectional)
    lengths, state = torch.tensor([2, 5, 0]), leaves(state_of(layer, 3))
    clean = torch.randn(5, 3, I, dtype=torch.float64)
    padding = torch.arange(5).unsqueeze(1) >= lengths
    starts = torch.rand(5, 3) < 0.3
    found = []
    for filler, flag in ((0.0, False), (float("nan"), True), (1e300, False)):
        x = clean.clone()
        x[padding] = filler
        x.requires_grad_()
        with use_path(path):
            out = layer(x, state, lengths=lengths, starts=starts.masked_fill(padding, flag))
        found.append([*out[:1], *tensors_of(out[1])])
        found[-1] += gradients(out, [x, *tensors_of(state), *layer.parameters()])
    for other in found[1:]:
        for a, b in zip(other, found[0], strict=True):
            assert torch.equal(a, b)
    assert (found[0][0][padding] == 0).all()


@every_path
@every_kind
def test_a_nan_state_does_not_cross_a_reset(kind: type, path: str) -> None:
    layer = layer_of(kind, bidirectional=False)
    x = torch.randn(4, 2, I, dtype=torch.float64)
    bad = map_state(lambda part: part.fill_(float("nan")), state_of(layer, 2))
    starts = torch.zeros(4, 2).bool()
    starts[0] = True
    with use_path(path):
        got, want = layer(x, bad, starts=starts), layer(x)
        assert_all_close(got, want)
        starts[2, 0] = True
        assert_all_close(layer(x, bad, starts=starts)[0], layer(x, starts=starts)[0])


@every_path
@every_kind
@directions
def test_a_row_of_length_zero_returns_its_state(kind: type, bidirectional: bool, path: str) -> None:
    layer = layer_of(kind, num_layers=2, bidirectional=bidirectional)
    x, state = torch.randn(3, 2, I, dtype=torch.float64), leaves(state_of(layer, 2))
    starts = torch.ones(3, 2).bool()
    for lengths in (torch.tensor([0, 2]), torch.tensor([0, 0])):
        with use_path(path):
            y, final = layer(x, state, lengths=lengths, starts=starts)
            _, fresh = layer(x, lengths=lengths, starts=starts)
        assert (y[:, 0] == 0).all()
        for part, given_, none in zip(
            tensors_of(final), tensors_of(state), tensors_of(fresh), strict=True
        ):
            assert torch.equal(part[:, 0], given_[:, 0])
            assert (none[:, 0] == 0).all()
        slopes = gradients(final, list(tensors_of(state)))
        assert all((slope[:, 0] != 0).all() for slope in slopes)


@every_path
@every_kind
def test_a_batch_of_empty_rows_still_has_a_gradient_of_zero(kind: type, path: str) -> None:
    for batch_first in (False, True):
        layer = layer_of(kind, batch_first=batch_first)
        x = torch.full((2, 2, I), float("nan"), dtype=torch.float64)
        with use_path(path):
            y, _ = layer(x, lengths=torch.tensor([0, 0]))
        assert y.shape == (2, 2, H)
        y.sum().backward()
        assert all((parameter.grad == 0).all() for parameter in layer.parameters())


@every_path
def test_one_sequence_alone_takes_lengths_and_starts(path: str) -> None:
    layer = layer_of(LSTM, bidirectional=True, batch_first=True)
    x, starts = torch.randn(5, I, dtype=torch.float64), torch.tensor([0, 1, 0, 0, 0]).bool()
    state = state_of(layer, 1)
    alone = map_state(lambda part: part[:, 0], state)
    with use_path(path):
        y, final = layer(x, alone, lengths=torch.tensor(3), starts=starts)
        want, want_final = layer(
            x.unsqueeze(0), state, lengths=torch.tensor([3]), starts=starts.unsqueeze(0)
        )
    assert y.shape == (5, 2 * H)
    assert_all_close(y, want[0])
    assert_all_close(final, map_state(lambda part: part[:, 0], want_final))


@every_path
@every_kind
def test_truncated_chunks_equal_the_whole_sequence(kind: type, path: str) -> None:
    """A state carried from chunk to chunk, resets and all, gives the outputs of one long call."""
    layer = layer_of(kind, num_layers=2)
    x, starts = torch.randn(9, 2, I, dtype=torch.float64), torch.rand(9, 2) < 0.3
    with use_path(path):
        want, _ = layer(x, starts=starts)
        state, outputs = None, []
        for begin in range(0, 9, 3):
            y, state = layer(x[begin : begin + 3], state, starts=starts[begin : begin + 3])
            outputs.append(y)
    assert_all_close(torch.cat(outputs), want)


@every_path
def test_lengths_may_be_a_list_and_starts_may_be_all_false(path: str) -> None:
    layer = layer_of(GRU)
    x = torch.randn(4, 2, I, dtype=torch.float64)
    with use_path(path):
        assert_all_close(
            layer(x, lengths=[3, 1]), layer(x, lengths=torch.tensor([3, 1], dtype=torch.int32))
        )
        assert_all_close(layer(x, starts=torch.zeros(4, 2).bool()), layer(x))
