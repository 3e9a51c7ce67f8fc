"""The options of a layer on the reference path: each computes its formula, alone and together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from unrolled.layers import GRU, LSTM, RNN, reference
from unrolled.layers.call import LayerCall, Masks, Result, Weights, weights_of
from unrolled.layers.over_layers import LayerPlan
from unrolled.layers.reference import run_layer
from unrolled.layers.states import State, map_state, tensors_of

T, B, I, H, P = 4, 3, 2, 4, 3  # noqa: E741
MODES = ("RNN_TANH", "RNN_RELU", "GRU", "LSTM")
GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "GRU": 3, "LSTM": 4}
EPSILON = 0.03  # large, so that a forgotten one is seen


def some(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64) * 0.7


def call_of(
    mode: str,
    *,
    bias: bool = True,
    proj: bool = False,
    peephole: bool = False,
    norm: bool = False,
    zoneout: str = "none",
    recurrent: bool = False,
    reverse: bool = False,
) -> LayerCall:
    """A call with random parameters and masks; options that only an LSTM has are left out."""
    rows, lstm = GATES[mode] * H, mode == "LSTM"
    output = P if proj and lstm else H
    weights = Weights(
        some(rows, I),
        some(rows, output),
        some(rows) if bias else None,
        some(rows) if bias else None,
        some(output, H) if proj and lstm else None,
        some(3, H) if peephole and lstm else None,
        some(rows) + 1 if norm else None,
        some(rows) + 1 if norm else None,
        some(2, H) + 1 if norm and lstm else None,
    )
    drawn_h, drawn_c = zoneout in ("both", "h"), zoneout in ("both", "c") and lstm
    masks = Masks(
        torch.rand(T, B, output) < 0.4 if drawn_h else None,
        (torch.rand(T, B, H) < 0.4).to(torch.uint8) if drawn_c else None,
        0.0 if zoneout == "none" else 0.3,
        0.2 if zoneout != "none" and lstm else 0.0,
        (torch.rand(B, output) < 0.6).double() / 0.6 if recurrent else None,
    )
    return LayerCall(mode, weights, masks, reverse, EPSILON)


def state_for(call: LayerCall) -> State:
    h = some(B, call.weights.hh.shape[1])
    return (h, some(B, H)) if call.mode == "LSTM" else h


def normed(a: Tensor, gain: Tensor | None, shift: Tensor | None) -> Tensor:
    """Ba et al., eq. 3 and 4, on one vector."""
    if gain is not None:
        mean = a.sum() / len(a)
        a = gain * (a - mean) / (((a - mean) ** 2).sum() / len(a) + EPSILON) ** 0.5
    return a if shift is None else a + shift


def sums(call: LayerCall, a: Tensor, gain: Tensor | None, shift: Tensor | None) -> Tensor:
    if call.mode != "GRU":
        return normed(a, gain, shift)
    parts = [slice(0, 2 * H), slice(2 * H, 3 * H)]
    return torch.cat(
        [normed(*[None if v is None else v[p] for v in (a, gain, shift)]) for p in parts]
    )


def naive_step(
    call: LayerCall, x: Tensor, h: Tensor, c: Tensor | None, row: int, t: int
) -> tuple[Tensor, Tensor | None, list[Tensor]]:
    """One step of one row, by the formulas of the papers: `h`, `c` and the gates."""
    w, m = call.weights, call.masks
    entering = h if m.recurrent is None else m.recurrent[row] * h
    from_x = sums(call, w.ih @ x, w.gain_ih, w.bias_ih)
    from_h = sums(call, w.hh @ entering, w.gain_hh, w.bias_hh)
    z_h = m.rate_h if m.zoneout_h is None else m.zoneout_h[t, row].double()
    if call.mode == "GRU":
        x_r, x_z, x_n = from_x.view(3, H)
        h_r, h_z, h_n = from_h.view(3, H)
        r, z = 1 / (1 + torch.exp(-x_r - h_r)), 1 / (1 + torch.exp(-x_z - h_z))
        n = torch.tanh(x_n + r * h_n)
        return z_h * h + (1 - z_h) * ((1 - z) * n + z * h), None, [r, z, n]
    if c is None:
        total = from_x + from_h
        new = torch.tanh(total) if call.mode == "RNN_TANH" else total.clamp(min=0)
        return z_h * h + (1 - z_h) * new, None, []
    i, f, g, o = (from_x + from_h).view(4, H)
    see = torch.zeros(3, H, dtype=torch.float64) if w.peephole is None else w.peephole
    i, f = 1 / (1 + torch.exp(-i - see[0] * c)), 1 / (1 + torch.exp(-f - see[1] * c))
    g = torch.tanh(g)
    new_c = f * c + i * g
    o = 1 / (1 + torch.exp(-o - see[2] * new_c))
    read = new_c if w.norm_c is None else normed(new_c, w.norm_c[0], w.norm_c[1])
    new_h = o * torch.tanh(read)
    if w.hr is not None:
        new_h = w.hr @ new_h
    z_c = m.rate_c if m.zoneout_c is None else m.zoneout_c[t, row].double()
    return z_h * h + (1 - z_h) * new_h, z_c * c + (1 - z_c) * new_c, [i, f, g, o]


def naive(call: LayerCall, x: Tensor, state: State, lengths: Tensor, starts: Tensor) -> Result:
    """Row by row, step by step."""
    lstm = call.mode == "LSTM"
    h_0, c_0 = state if lstm else (state, None)
    y, cells = torch.zeros(T, B, h_0.shape[1]).double(), torch.zeros(T, B, H).double()
    gates = torch.zeros(T, B, GATES[call.mode] * H).double()
    ends = []
    for row in range(B):
        h, c = h_0[row], c_0[row] if lstm else None
        steps = range(int(lengths[row]))
        for t in reversed(steps) if call.reverse else steps:
            edge = t + 1 if call.reverse else t
            if edge < lengths[row] and starts[edge, row]:
                h, c = torch.zeros_like(h), None if c is None else torch.zeros_like(c)
            h, c, of_step = naive_step(call, x[t, row], h, c, row, t)
            y[t, row] = h
            if of_step:
                gates[t, row] = torch.cat(of_step)
            if c is not None:
                cells[t, row] = c
        ends.append((h, c))
    h = torch.stack([end[0] for end in ends])
    if lstm:
        return Result(y, (h, torch.stack([end[1] for end in ends])), cells, gates)
    return Result(y, h, None, gates if call.mode == "GRU" else None)


def assert_same(got: Result, want: Result) -> None:
    for a, b in zip(got, want, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            for one, other in zip(tensors_of(a), tensors_of(b), strict=True):
                torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


CALLS = st.fixed_dictionaries(
    {
        "mode": st.sampled_from(MODES),
        "bias": st.booleans(),
        "proj": st.booleans(),
        "peephole": st.booleans(),
        "norm": st.booleans(),
        "zoneout": st.sampled_from(["none", "both", "h", "c", "rates"]),
        "recurrent": st.booleans(),
        "reverse": st.booleans(),
    }
)


@settings(max_examples=60)
@given(
    options=CALLS,
    lengths=st.lists(st.integers(0, T), min_size=B, max_size=B),
    starts=st.lists(st.booleans(), min_size=T * B, max_size=T * B),
)
def test_every_mix_of_options_computes_the_formulas(
    options: dict[str, Any], lengths: list[int], starts: list[bool]
) -> None:
    call = call_of(**options)
    x, state = some(T, B, I), state_for(call)
    ends, cuts = torch.tensor(lengths), torch.tensor(starts).view(T, B)
    want = naive(call, x, state, ends, cuts)
    x[torch.arange(T).unsqueeze(1) >= ends] = math.nan
    got = run_layer(call, x, state, ends, cuts, cells=True, gates=True)
    assert_same(got, want)
    plain = run_layer(call, x, state, ends, cuts)
    assert_same(plain, want._replace(cells=None, gates=None))


@pytest.mark.parametrize("mode", MODES)
def test_masks_that_keep_nothing_equal_no_masks(mode: str) -> None:
    call = call_of(mode)
    x, state = some(T, B, I), state_for(call)
    none = Masks(
        torch.zeros(T, B, H).bool(), torch.zeros(T, B, H).bool(), recurrent=torch.ones(B, H)
    )
    want = run_layer(call, x, state, None, None)
    for masks in (none, Masks(rate_h=0.0, rate_c=0.0)):
        got = run_layer(call._replace(masks=masks), x, state, None, None)
        for a, b in zip(tensors_of(got[:2]), tensors_of(want[:2]), strict=True):
            assert torch.equal(a, b)


@pytest.mark.parametrize("mode", MODES)
def test_a_mask_of_ones_keeps_the_state(mode: str) -> None:
    call = call_of(mode)
    x, state = some(T, B, I), state_for(call)
    ones = torch.ones(T, B, H).bool()
    for masks in (Masks(ones, ones), Masks(rate_h=1.0, rate_c=1.0)):
        got = run_layer(call._replace(masks=masks), x, state, None, None, cells=True)
        h = state[0] if mode == "LSTM" else state
        assert torch.equal(got.y, h.expand(T, -1, -1))
        if mode == "LSTM":
            assert got.cells is not None
            assert torch.equal(got.cells, state[1].expand(T, -1, -1))
        for a, b in zip(tensors_of(got.state), tensors_of(state), strict=True):
            assert torch.equal(a, b)


@pytest.mark.parametrize("mode", MODES)
def test_the_rate_gives_the_mean_of_one_step_over_the_masks(mode: str) -> None:
    call = call_of(mode, norm=True, peephole=True)
    x, state = some(1, B, I), state_for(call)

    def after(masks: Masks) -> list[Tensor]:
        return list(tensors_of(run_layer(call._replace(masks=masks), x, state, None, None).state))

    yes, no = torch.ones(1, B, H).bool(), torch.zeros(1, B, H).bool()
    kept, new = after(Masks(yes, yes)), after(Masks(no, no))
    got = after(Masks(rate_h=0.25, rate_c=0.25))
    for mean, old, fresh in zip(got, kept, new, strict=True):
        torch.testing.assert_close(mean, 0.25 * old + 0.75 * fresh)


def test_peepholes_by_hand() -> None:
    # One unit, all weights zero: each gate is its bias and its peephole.
    zeros, old = some(4, 1) * 0, 0.5
    bias = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    see = torch.tensor([[2.0], [-3.0], [5.0]], dtype=torch.float64)
    call = LayerCall("LSTM", Weights(zeros, zeros, bias, peephole=see))
    state = (some(1, 1) * 0, torch.full((1, 1), old, dtype=torch.float64))
    got = run_layer(call, some(1, 1, 1), state, None, None)

    def sigmoid(v: float) -> float:
        return 1 / (1 + math.exp(-v))

    c = sigmoid(0.2 - 3.0 * old) * old + sigmoid(0.1 + 2.0 * old) * math.tanh(0.3)
    h = sigmoid(0.4 + 5.0 * c) * math.tanh(c)
    assert got.state[1].item() == pytest.approx(c, abs=1e-14)
    assert got.y.item() == pytest.approx(h, abs=1e-14)


def test_layer_normalisation_takes_away_the_scale_of_the_weights() -> None:
    for mode in MODES:
        call = call_of(mode, norm=True)._replace(epsilon=1e-14)
        x, state = some(T, B, I), state_for(call)
        scaled = call.weights._replace(ih=call.weights.ih * 7, hh=call.weights.hh * 3)
        want = run_layer(call, x, state, None, None)
        got = run_layer(call._replace(weights=scaled), x, state, None, None)
        torch.testing.assert_close(got.y, want.y)


MIXES: list[dict[str, Any]] = [
    {"norm": True},
    {"zoneout": "both", "recurrent": True},
    {"peephole": True, "proj": True, "zoneout": "rates", "bias": False},
    {"norm": True, "peephole": True, "proj": True, "zoneout": "both", "recurrent": True},
]


def leaves_of(call: LayerCall, x: Tensor, state: State) -> tuple[list[Tensor], Callable[..., Any]]:
    """All that a gradient may be asked of, and the function of them."""
    given = [w for w in call.weights if w is not None]
    extra = [] if call.masks.recurrent is None else [call.masks.recurrent]
    leaves = [x, *tensors_of(state), *given, *extra]
    for leaf in leaves:
        leaf.requires_grad_()
    ends, cuts = torch.tensor([T, 3, 0]), torch.zeros(T, B).bool()
    cuts[1, 0] = True

    def function(x: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        parts: Iterator[Tensor] = iter(rest)
        start = map_state(lambda _: next(parts), state)
        weights = Weights(*[None if w is None else next(parts) for w in call.weights])
        masks = call.masks._replace(recurrent=next(parts, None))
        again = call._replace(weights=weights, masks=masks)
        result = run_layer(again, x, start, ends, cuts, cells=True, gates=True)
        return tuple(tensors_of([part for part in result if part is not None]))

    return leaves, function


@pytest.mark.parametrize("mix", MIXES, ids=lambda mix: "-".join(mix))
@pytest.mark.parametrize("mode", MODES)
def test_gradients_with_options_are_right_twice(mode: str, mix: dict[str, Any]) -> None:
    call = call_of(mode, **mix)
    leaves, function = leaves_of(call, some(T, B, I), state_for(call))
    assert gradcheck(function, leaves, fast_mode=True)
    assert gradgradcheck(function, leaves, fast_mode=True)


def masks_for(layer: torch.nn.RNNBase) -> list[Masks]:
    rows = layer.num_layers * (2 if layer.bidirectional else 1)
    return [
        Masks(
            torch.rand(T, B, H) < 0.4,
            torch.rand(T, B, H) < 0.4,
            recurrent=(torch.rand(B, H) < 0.5).float() * 2,
        )
        for _ in range(rows)
    ]


def layer_of(kind: type, **options: Any) -> Any:
    """A layer of two layers with layer normalisation, and peepholes where it is an LSTM."""
    layer = kind(I, H, num_layers=2, layer_norm=True, peephole=kind is LSTM, **options)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_()
    return layer


def plans_for(layer: torch.nn.RNNBase, masks: list[Masks]) -> list[LayerPlan]:
    directions = 2 if layer.bidirectional else 1
    return [
        LayerPlan(
            [weights_of(layer, index, direction) for direction in range(directions)],
            masks[index * directions : (index + 1) * directions],
        )
        for index in range(layer.num_layers)
    ]


@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
def test_streaming_with_masks_equals_the_whole_sequence(kind: type) -> None:
    layer = layer_of(kind)
    x, masks = torch.randn(T, B, I), masks_for(layer)
    want, want_state = reference.run(layer, x, None, None, None, plans_for(layer, masks))
    outputs, state = [], None
    for t in range(T):
        own = [
            m._replace(zoneout_h=m.zoneout_h[t : t + 1], zoneout_c=m.zoneout_c[t : t + 1])
            for m in masks
            if m.zoneout_h is not None and m.zoneout_c is not None
        ]
        y_t, state = reference.step(layer, x[t], state, plans_for(layer, own))
        outputs.append(y_t)
    torch.testing.assert_close(torch.stack(outputs), want)
    for a, b in zip(tensors_of(state), tensors_of(want_state), strict=True):
        torch.testing.assert_close(a, b)
    assert not torch.allclose(want, reference.run(layer, x, None, None, None)[0])


def test_each_layer_and_direction_takes_its_own_masks() -> None:
    layer = layer_of(GRU, bidirectional=True)
    x, masks = torch.randn(T, B, I), masks_for(layer)
    want = x
    for index in range(2):
        outputs = []
        for direction in range(2):
            weights, own = weights_of(layer, index, direction), masks[2 * index + direction]
            call = LayerCall("GRU", weights, own, reverse=direction == 1)
            outputs.append(run_layer(call, want, None, None, None).y)
        want = torch.cat(outputs, -1)
    assert torch.equal(reference.run(layer, x, None, None, None, plans_for(layer, masks))[0], want)


@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
def test_a_packed_batch_takes_its_masks_packed(kind: type) -> None:
    layer = layer_of(kind, bidirectional=True)
    x, masks, lengths = torch.randn(T, B, I), masks_for(layer), torch.tensor([4, 2, 1])
    state = torch.randn(4, B, H)
    given = (state, state + 1) if kind is LSTM else state
    want, want_state = reference.run(layer, x, given, lengths, None, plans_for(layer, masks))

    def pack(part: Tensor | None) -> Any:
        return None if part is None else pack_padded_sequence(part, lengths)

    packed = [
        m._replace(zoneout_h=pack(m.zoneout_h).data, zoneout_c=pack(m.zoneout_c).data)
        for m in masks
    ]
    got, got_state = reference.run_packed(layer, pack(x), given, plans_for(layer, packed))
    torch.testing.assert_close(pad_packed_sequence(got)[0], want)
    for a, b in zip(tensors_of(got_state), tensors_of(want_state), strict=True):
        torch.testing.assert_close(a, b)


def test_the_weights_of_a_layer_are_found_by_name() -> None:
    layer = layer_of(LSTM, bidirectional=True)
    weights = weights_of(layer, 1, 1)
    names = dict(layer.named_parameters())
    want = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", None, "peephole", "gain_ih", "gain_hh")
    for got, name in zip(weights, (*want, "norm_c"), strict=True):
        assert got is (None if name is None else names[name + "_l1_reverse"])
