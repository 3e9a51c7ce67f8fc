"""Every option of a layer on the kernels, and the record of what it passes through."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence

import unrolled
from unrolled import kernels
from unrolled.layers import reference
from unrolled.layers.call import LayerCall, Masks, Weights
from unrolled.layers.cells import torch_step
from unrolled.layers.kernel_calls import Run
from unrolled.layers.records import LayerRecord
from unrolled.layers.recurrence import run_layer
from unrolled.layers.states import State, map_state, tensors_of

from .native_calls import MODES, assert_near

pytestmark = pytest.mark.skipif(
    not kernels.available(), reason=f"native kernels: {kernels.why_not()}"
)
every_mode = pytest.mark.parametrize("mode", MODES)
T, B, I, H, P = 5, 3, 4, 19, 6  # noqa: E741
GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "GRU": 3, "LSTM": 4}
LENGTHS = torch.tensor([3, 5, 0])
EPSILON = 1e-3


def some(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def weights_for(
    mode: str, *, norm: bool = False, peephole: bool = False, proj: bool = False, bias: bool = True
) -> Weights:
    rows, output = GATES[mode] * H, P if proj else H
    return Weights(
        some(rows, I) / 2,
        some(rows, output) / output**0.5,
        some(rows) if bias else None,
        some(rows) if bias else None,
        some(output, H) / H**0.5 if proj else None,
        some(3, H) if peephole else None,
        some(rows) + 1 if norm else None,
        some(rows) + 1 if norm else None,
        some(2, H) + 1 if norm and mode == "LSTM" else None,
    )


def masks_for(mode: str, output: int, zoneout: str, recurrent: bool) -> Masks:
    """`zoneout`: "none", "rates", "masks", or a mask "of h" or "of c" beside the other's rate."""
    return Masks(
        torch.rand(T, B, output) < 0.4 if zoneout in ("masks", "of h") else None,
        (torch.rand(T, B, H) < 0.4).byte()
        if zoneout in ("masks", "of c") and mode == "LSTM"
        else None,
        0.0 if zoneout == "none" else 0.3,
        0.2 if zoneout != "none" and mode == "LSTM" else 0.0,
        (torch.rand(B, output) < 0.6).double() / 0.6 if recurrent else None,
    )


def state_for(mode: str, output: int) -> State:
    h = some(2, B, output)
    return (h, some(2, B, H)) if mode == "LSTM" else h


def by_reference(
    run: Run, x: Tensor, state: State, weights: list[Weights], masks: list[Masks] | None
) -> tuple[Tensor, State]:
    """Both directions, one after the other."""
    outputs, finals = [], []
    for direction in range(2):
        own = Masks() if masks is None else masks[direction]
        call = LayerCall(run.mode, weights[direction], own, direction == 1, run.epsilon)
        before = map_state(lambda part, d=direction: part[d], state)
        result = reference.run_layer(call, x, before, run.lengths, run.starts)
        outputs.append(result.y)
        finals.append(result.state)
    return torch.cat(outputs, -1), map_state(lambda *parts: torch.stack(parts), *finals)


def gradients(outputs: Any, sources: list[Tensor]) -> list[Tensor]:
    """Of a fixed random loss; zeros where nothing depends on a source."""
    generator = torch.Generator().manual_seed(1)
    parts = list(tensors_of(outputs))
    slopes = [torch.randn(part.shape, generator=generator, dtype=part.dtype) for part in parts]
    return list(
        torch.autograd.grad(parts, sources, slopes, retain_graph=True, materialize_grads=True)
    )


def assert_as_reference(
    run: Run, x: Tensor, state: State, weights: list[Weights], masks: list[Masks] | None
) -> None:
    """Values and all gradients of `run_layer` are the reference path's, to 1e-10."""
    sources = [x, *tensors_of(state), *(part for of in weights for part in of if part is not None)]
    for source in sources:
        source.requires_grad_()
    got = run_layer(run, x, state, weights, masks)
    want = by_reference(run, x, state, weights, masks)
    assert_near(got, want, 1e-12)
    assert_near(gradients(got, sources), gradients(want, sources), 1e-10)


def every_mix(mode: str) -> Iterator[dict[str, Any]]:
    flag, zoneout = (False, True), ["none", "rates", "masks"]
    options: dict[str, Any] = {"norm": flag, "recurrent": flag, "zoneout": zoneout}
    if mode == "LSTM":
        options["zoneout"] = [*zoneout, "of h", "of c"]
        options |= {"peephole": flag, "proj": flag}
    for chosen in product(*options.values()):
        yield dict(zip(options, chosen, strict=True))


@every_mode
def test_every_mix_of_options_is_the_reference_with_its_gradients(mode: str) -> None:
    starts = torch.rand(T, B) < 0.3
    for at, mix in enumerate(every_mix(mode)):
        zoneout, recurrent = mix.pop("zoneout"), mix.pop("recurrent")
        weights = [weights_for(mode, bias=at % 3 != 2, **mix) for _ in range(2)]
        output = weights[0].hh.shape[1]
        masks = [masks_for(mode, output, zoneout, recurrent) for _ in range(2)]
        rates = masks[0].rate_h, masks[0].rate_c
        run = Run(mode, at % 2 == 0, LENGTHS, starts, None, rates, EPSILON)
        assert_as_reference(run, some(T, B, I), state_for(mode, output), weights, masks)


@every_mode
def test_options_are_run_again_under_create_graph(mode: str) -> None:
    weights = [weights_for(mode, norm=True, peephole=mode == "LSTM", proj=mode == "LSTM")] * 2
    output = weights[0].hh.shape[1]
    masks = [masks_for(mode, output, "masks", recurrent=True) for _ in range(2)]
    run = Run(mode, lengths=LENGTHS, rates=(0.3, 0.2), epsilon=EPSILON)
    x = some(T, B, I).requires_grad_()
    y, _ = run_layer(run, x, state_for(mode, output), weights, masks)
    slope = some(*y.shape)
    (want,) = torch.autograd.grad(y, x, slope, retain_graph=True)
    (got,) = torch.autograd.grad(y, x, slope, create_graph=True)
    assert got.requires_grad
    assert_near(got, want, 1e-12)


@every_mode
def test_a_packed_batch_takes_its_masks_packed(mode: str) -> None:
    weights = [weights_for(mode, norm=True) for _ in range(2)]
    masks = [masks_for(mode, H, "masks", recurrent=True) for _ in range(2)]
    lengths, x, state = torch.tensor([5, 3, 1]), some(T, B, I), state_for(mode, H)
    padded = Run(mode, lengths=lengths, rates=(0.3, 0.2))
    y, final = by_reference(padded, x, state, weights, masks)

    def pack(part: Tensor | None) -> Any:
        return None if part is None else pack_padded_sequence(part, lengths).data

    own = [m._replace(zoneout_h=pack(m.zoneout_h), zoneout_c=pack(m.zoneout_c)) for m in masks]
    run = padded._replace(lengths=None, batch_sizes=pack_padded_sequence(x, lengths).batch_sizes)
    got = run_layer(run, pack(x), state, weights, own)
    assert_near(got, (pack(y), final), 1e-12)


def step_by_step(
    mode: str, weights: Weights, x: Tensor, state: State, cuts: Tensor, *, reverse: bool
) -> tuple[Tensor, State, list[State]]:
    """One direction by hand; the last of what it gives is the state after every step."""
    cell = torch_step(mode, weights)
    projected = cell.project(x)
    after: list[State] = [None] * T
    y = [torch.zeros(0)] * T
    for t in reversed(range(T)) if reverse else range(T):
        edge = t + 1 if reverse else t
        entering = state
        if edge < T:
            cut = (cuts[edge] & (edge < LENGTHS)).unsqueeze(1)
            entering = map_state(lambda part, cut=cut: part.masked_fill(cut, 0), state)
        _, new = cell.step(projected[t], entering)
        for part in tensors_of(new):
            part.retain_grad()
        real = (t < LENGTHS).unsqueeze(1)
        state = map_state(lambda a, b, real=real: torch.where(real, a, b), new, state)
        y[t] = (new[0] if mode == "LSTM" else new).masked_fill(~real, 0)
        after[t] = new
    return torch.stack(y), state, after


def recorded(
    mode: str, *, proj: bool = False, lengths: Tensor | None = LENGTHS
) -> tuple[LayerRecord, tuple[Tensor, State], list[Weights], Tensor, State, Tensor]:
    """A run with a record, in both directions, and what it was run with."""
    weights = [weights_for(mode, proj=proj) for _ in range(2)]
    x, starts = some(T, B, I).requires_grad_(), torch.rand(T, B) < 0.3
    state, record = state_for(mode, weights[0].hh.shape[1]), LayerRecord()
    run = Run(mode, lengths=lengths, starts=starts, record=record)
    return record, run_layer(run, x, state, weights), weights, x, state, starts


@pytest.mark.parametrize(("mode", "proj"), [*((m, False) for m in MODES), ("LSTM", True)])
def test_the_record_holds_what_autograd_gives_at_every_step(mode: str, proj: bool) -> None:
    record, outputs, weights, x, state, starts = recorded(mode, proj=proj)
    gradients(outputs, [x])
    ys, finals, steps = [], [], []
    for direction in range(2):
        before = map_state(lambda part, d=direction: part[d], state)
        y, final, after = step_by_step(
            mode, weights[direction], x, before, starts, reverse=direction == 1
        )
        ys.append(y)
        finals.append(final)
        steps.append(after)
    by_hand = torch.cat(ys, -1), map_state(lambda *parts: torch.stack(parts), *finals)
    assert_near(outputs, by_hand, 1e-12)
    generator = torch.Generator().manual_seed(1)  # the loss of `gradients`
    parts = list(tensors_of(by_hand))
    slopes = [torch.randn(part.shape, generator=generator, dtype=part.dtype) for part in parts]
    torch.autograd.backward(parts, slopes)

    lstm = mode == "LSTM"
    for direction, after in enumerate(steps):
        h = [state[0] if lstm else state for state in after]
        assert_near(record.d_h[direction], torch.stack([part.grad for part in h]), 1e-11)
        if lstm:
            d_c = torch.stack([state[1].grad for state in after])
            assert_near(record.d_c[direction], d_c, 1e-11)
    assert len(record.d_h) == 2
    assert len(record.d_c) == (2 if lstm else 0)


@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["full", "ragged"])
@every_mode
def test_the_record_holds_the_gates_and_cells_of_every_step(
    mode: str, lengths: Tensor | None
) -> None:
    record, outputs, weights, x, state, starts = recorded(mode, lengths=lengths)
    gradients(outputs, [x])  # the backward pass leaves them as they are
    ends = torch.full((B,), T) if lengths is None else lengths
    beyond = (torch.arange(T).unsqueeze(1) >= ends).unsqueeze(-1)
    for direction in range(2):
        call = LayerCall(mode, weights[direction], reverse=direction == 1)
        before = map_state(lambda part, d=direction: part[d], state)
        want = reference.run_layer(call, x, before, lengths, starts, cells=True, gates=True)
        if want.gates is not None:
            assert_near(record.gates[direction], want.gates.masked_fill(beyond, 0), 1e-12)
        if want.cells is not None:
            assert_near(record.cells[direction], want.cells.masked_fill(beyond, 0), 1e-12)
    assert len(record.gates) == (0 if mode.startswith("RNN") else 2)
    assert len(record.cells) == (2 if mode == "LSTM" else 0)
    assert not any(part.requires_grad for part in [*record.gates, *record.cells, *record.d_h])


@every_mode
def test_a_record_changes_no_bit_and_takes_one_entry_for_each_direction(mode: str) -> None:
    record, outputs, weights, x, state, starts = recorded(mode)
    plain = run_layer(Run(mode, lengths=LENGTHS, starts=starts), x, state, weights)
    found = [
        [*tensors_of(run), *gradients(run, [x]), *gradients(run, [x])] for run in (outputs, plain)
    ]
    for ours, theirs in zip(*found, strict=True):
        assert torch.equal(ours, theirs)
    for entries in (record.gates, record.cells, record.d_h, record.d_c):
        assert len(entries) in (0, 2)


def test_a_record_without_gradients_holds_gates_and_cells() -> None:
    weights, record = [weights_for("LSTM")], LayerRecord()
    with torch.no_grad():
        y, _ = run_layer(Run("LSTM", record=record), some(T, B, I), None, weights)
    assert not y.requires_grad
    assert len(record.gates) == len(record.cells) == 1
    assert record.d_h == record.d_c == []
    assert record.gates[0].shape == (T, B, 4 * H)


@pytest.mark.parametrize("mode", [unrolled.LSTM, unrolled.GRU])
def test_a_layer_leaves_the_record_of_its_last_call(mode: type) -> None:
    torch.manual_seed(0)
    layer = mode(3, 5, num_layers=2, bidirectional=True, dtype=torch.float64)
    x = torch.randn(6, 4, 3, dtype=torch.float64)
    with layer.record() as records:
        layer(x)
        y, _ = layer(x)
        (y * torch.randn_like(y)).sum().backward()
    assert [len(record.gates) for record in records] == [2, 2]
    assert [len(record.d_h) for record in records] == [2, 2]
    last = records[1].d_h[0]
    assert last.shape == (6, 4, 5)
    assert last.abs().amax(-1).gt(0).all()
    layer(x)
    assert len(records[0].gates) == 2  # outside nothing is recorded


def test_a_call_that_the_kernels_do_not_run_leaves_no_record() -> None:
    layer = unrolled.GRU(3, 5)
    with (
        layer.record(),
        unrolled.use_path("reference"),
        pytest.raises(unrolled.errors.ConfigError, match="record"),
    ):
        layer(torch.randn(2, 1, 3))
