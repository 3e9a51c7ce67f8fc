"""The oracle of a layer over time against plain PyTorch and its autograd, in double precision."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor
from torch.nn.functional import layer_norm

from .sequence_calls import (
    CELLS,
    EPSILON,
    GRADIENTS_IN,
    UNTOUCHED,
    Call,
    calls,
    every_option,
    make_call,
)
from .sequence_runs import assert_close, run_backward, run_forward


def normed(call: Call, a: Tensor, gain: Tensor | None = None) -> Tensor:
    """Layer normalisation over all gates, or over (r, z) and n of a GRU."""
    parts = [2 * call.hidden, call.hidden] if call.cell == "gru" else [len(a)]
    gains = [None] * len(parts) if gain is None else gain.split(parts)
    split = zip(a.split(parts), gains, strict=True)
    return torch.cat(
        [layer_norm(part, part.shape, weight, None, EPSILON) for part, weight in split]
    )


def scales(call: Call, a: Tensor) -> Tensor:
    parts = a.split([2 * call.hidden, call.hidden]) if call.cell == "gru" else [a]
    found = [(part.var(correction=0) + EPSILON).rsqrt() for part in parts]
    return torch.stack([*found, torch.tensor(UNTOUCHED).double()][:2])


class Unrolled:
    """A call in plain PyTorch, one row and one step after the other, open to autograd.

    `at[name]` maps each place to what stands there: kept arrays, states, sums of the gates.
    """

    def __init__(self, call: Call) -> None:
        self.call = call
        self.leaves = {
            name: tensor.clone().requires_grad_(tensor.is_floating_point())
            for name, tensor in call.inputs.items()
        }
        zeros = {"h0": (call.batch, call.output), "c0": (call.batch, call.hidden)}
        for name, shape in zeros.items():
            if name not in self.leaves:
                self.leaves[name] = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
        self.at: dict[str, dict[int, Tensor]] = {}
        self.last = [self.row(b) for b in range(call.batch)]

    def keep(self, place: int, **values: Tensor) -> None:
        for name, value in values.items():
            self.at.setdefault(name, {})[place] = value

    def row(self, b: int) -> tuple[Tensor, Tensor]:
        """Runs row b; its state after the last step."""
        call, leaves = self.call, self.leaves
        length = call.row_lengths[b]
        state = leaves["h0"][b], leaves["c0"][b]
        cuts = [False] * (length + 1)
        if "starts" in leaves:
            cuts = [*leaves["starts"][:length, b].bool().tolist(), False]
        for t in reversed(range(length)) if call.reverse else range(length):
            if cuts[t + 1] if call.reverse else cuts[t]:
                state = torch.zeros_like(state[0]), torch.zeros_like(state[1])
            state = self.step(t, b, *state)
        return state

    def step(self, t: int, b: int, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        call, leaves = self.call, self.leaves
        place = call.place(t, b)
        m = leaves["recurrent_mask"][b] if "recurrent_mask" in leaves else 1.0
        x = leaves["x"][place] if call.packed else leaves["x"][t, b]
        gx = self.sums(place, "ih", x)
        gh = self.sums(place, "hh", m * h)
        fresh_h, fresh_c = getattr(self, call.cell)(place, gx, gh, h, c)
        h = self.zoneout(place, "zoneout_h", call.rate_h, h, fresh_h)
        c = self.zoneout(place, "zoneout_c", call.rate_c, c, fresh_c)
        self.keep(place, h=h, gx=gx, gh=gh)
        if call.is_lstm:
            self.keep(place, cells=c)
        return h, c

    def sums(self, place: int, side: str, v: Tensor) -> Tensor:
        g = self.leaves[f"weight_{side}"] @ v
        if self.call.norm:
            self.keep(place, **{f"normed_{side}": normed(self.call, g)})
            self.keep(place, **{f"scale_{side}": scales(self.call, g)})
            g = normed(self.call, g, self.leaves[f"gain_{side}"])
        return g + self.leaves.get(f"bias_{side}", torch.zeros_like(g))

    def rnn_tanh(self, place: int, gx: Tensor, gh: Tensor, h: Tensor, c: Tensor) -> Any:
        fresh = torch.tanh(gx + gh)
        self.keep(place, gates=fresh)
        return fresh, c

    def rnn_relu(self, place: int, gx: Tensor, gh: Tensor, h: Tensor, c: Tensor) -> Any:
        fresh = torch.relu(gx + gh)
        self.keep(place, gates=fresh)
        return fresh, c

    def gru(self, place: int, gx: Tensor, gh: Tensor, h: Tensor, c: Tensor) -> Any:
        (xr, xz, xn), (hr, hz, hn) = gx.chunk(3), gh.chunk(3)
        r, z = torch.sigmoid(xr + hr), torch.sigmoid(xz + hz)
        n = torch.tanh(xn + r * hn)
        self.keep(place, gates=torch.cat([hn, r, z, n]))
        return (1 - z) * n + z * h, c

    def lstm(self, place: int, gx: Tensor, gh: Tensor, h: Tensor, c: Tensor) -> Any:
        i, f, g, o = (gx + gh).chunk(4)
        p_i, p_f, p_o = self.leaves.get("peephole", torch.zeros(3, 1).double())
        i, f = torch.sigmoid(i + p_i * c), torch.sigmoid(f + p_f * c)
        g = torch.tanh(g)
        c = f * c + i * g
        o = torch.sigmoid(o + p_o * c)
        self.keep(place, gates=torch.cat([i, f, g, o]), fresh=c)
        seen = c
        if self.call.norm:
            self.keep(
                place, stats_c=torch.stack([c.mean(), (c.var(correction=0) + EPSILON) ** -0.5])
            )
            gain, shift = self.leaves["norm_c"]
            seen = layer_norm(c, c.shape, gain, shift, EPSILON)
        h = o * torch.tanh(seen)
        return (self.leaves["weight_hr"] @ h if "weight_hr" in self.leaves else h), c

    def zoneout(self, place: int, name: str, rate: float, old: Tensor, fresh: Tensor) -> Tensor:
        if name in self.leaves:
            return torch.where(self.leaves[name][place].bool(), old, fresh)
        return rate * old + (1 - rate) * fresh

    def table(self, values: dict[int, Tensor], shape: tuple[int, ...], rest: float) -> Tensor:
        """`(N, ...)` from a value for each place, `rest` where there is none."""
        table = torch.full(shape, rest, dtype=torch.float64)
        for place, value in values.items():
            table[place] = value.detach()
        return table

    def outputs(self) -> dict[str, Tensor]:
        """What `run_forward` gives."""
        call = self.call
        states = self.table(self.at.get("h", {}), (call.places, call.output), 0.0)
        outputs = {
            "y": states.reshape(*call.leading, call.output),
            "hn": torch.stack([h for h, _ in self.last]).detach(),
        }
        if call.is_lstm:
            outputs["cn"] = torch.stack([c for _, c in self.last]).detach()
        for name, shape in call.kept_shapes().items():
            outputs[name] = self.table(self.at.get(name, {}), shape, UNTOUCHED)
        return outputs

    def loss(self) -> Tensor:
        """The sum whose gradients by y, hn, cn and cells are those of the call."""
        call = self.call
        terms = [torch.zeros((), dtype=torch.float64, requires_grad=True)]
        given = {name: call.inputs[name] for name in GRADIENTS_IN if name in call.inputs}
        for name, grown in (("dy", "h"), ("dcells", "cells")):
            if name in given:
                by_place = given[name].reshape(call.places, -1)
                terms += [(by_place[at] * v).sum() for at, v in self.at.get(grown, {}).items()]
        for b, (h, c) in enumerate(self.last):
            terms += [(given["dhn"][b] * h).sum()] if "dhn" in given else []
            terms += [(given["dcn"][b] * c).sum()] if "dcn" in given else []
        return torch.stack(terms).sum()

    def gradients(self) -> dict[str, Tensor]:
        """What `run_backward` gives when every gradient is wanted."""
        call, at = self.call, self.at
        leaves = {name: leaf for name, leaf in self.leaves.items() if leaf.requires_grad}
        inner = {name: at.get(name, {}) for name in ("h", "fresh", "gx", "gh")}
        wanted = [*leaves.values(), *(v for values in inner.values() for v in values.values())]
        found = torch.autograd.grad(self.loss(), wanted, allow_unused=True, materialize_grads=True)
        each = iter(found)
        by_leaf = {name: next(each) for name in leaves}
        by_place = {name: {at: next(each) for at in values} for name, values in inner.items()}
        names = {"x": "dx", "h0": "dh0", "c0": "dc0"}
        gradients = {names.get(name, f"d_{name}"): value for name, value in by_leaf.items()}
        gradients["dh"] = self.table(by_place["h"], (call.places, call.output), 0.0)
        gradients["dc"] = self.table(by_place["fresh"], (call.places, call.hidden), 0.0)
        sums = by_place["gx"]
        if call.cell == "gru":
            sums = {at: torch.cat([by_place["gh"][at][2 * call.hidden :], sums[at]]) for at in sums}
        gradients["dgates"] = self.table(sums, (call.places, call.kept_gates), 0.0)
        return gradients


@settings(max_examples=150)
@given(call=calls())
def test_forward_gives_what_the_equations_give(native: Any, call: Call) -> None:
    got = run_forward(native, call, oracle=True)
    expected = Unrolled(call).outputs()
    assert got.keys() == expected.keys()
    assert_close(got, expected)


@settings(max_examples=150)
@given(call=calls())
def test_backward_gives_what_autograd_gives(native: Any, call: Call) -> None:
    got = run_backward(native, call, oracle=True)
    assert got.keys() == call.wanted | {"dgates"}
    assert_close(got, Unrolled(call).gradients())


@pytest.mark.parametrize("cell", CELLS)
def test_every_combination_of_options_follows_the_equations(native: Any, cell: str) -> None:
    for seed, options in enumerate(every_option(cell)):
        call = make_call(seed=seed, steps=3, lengths=[3, 0, 2], starts=True, **options)
        plain = Unrolled(call)
        forward = run_forward(native, call, oracle=True)
        assert_close(forward, plain.outputs())
        assert_close(run_backward(native, call, oracle=True, forward=forward), plain.gradients())


@settings(max_examples=20)
@given(call=calls())
def test_a_call_that_keeps_nothing_gives_the_same_bits(native: Any, call: Call) -> None:
    kept = run_forward(native, call, oracle=True)
    for name, value in run_forward(native, call, oracle=True, keep=False).items():
        torch.testing.assert_close(value, kept[name], rtol=0, atol=0)


def torch_layer(call: Call) -> torch.nn.Module:
    """torch.nn's layer with the weights of `call` in both directions."""
    kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}.get(call.cell, torch.nn.RNN)
    more: dict[str, Any] = {"nonlinearity": call.cell[4:]} if kind is torch.nn.RNN else {}
    if "weight_hr" in call.inputs:
        more = {"proj_size": call.output}
    layer = kind(call.input, call.hidden, bidirectional=True, dtype=torch.float64, **more)
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
    weights = {f"{n}_l0": call.inputs[n] for n in names if n in call.inputs}
    layer.load_state_dict(weights | {f"{n}_reverse": v for n, v in weights.items()})
    return layer


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("cell", "projection"), [*((cell, None) for cell in CELLS), ("lstm", 2), ("lstm", 4)]
)
def test_the_oracle_gives_what_torch_gives(
    native: Any, cell: str, projection: int | None, packed: bool, reverse: bool
) -> None:
    lengths = [5, 3, 3, 1] if packed else None
    call = make_call(
        cell=cell,
        projection=projection,
        packed=packed,
        lengths=lengths,
        reverse=reverse,
        steps=5,
        batch=4,
        absent=["dcells"],
        seed=7,
    )
    layer = torch_layer(call)
    leaves = {n: call.inputs[n].clone().requires_grad_() for n in ("x", "h0")}
    if call.is_lstm:
        leaves["c0"] = call.inputs["c0"].clone().requires_grad_()
    x: Any = leaves["x"]
    if packed:
        x = torch.nn.utils.rnn.PackedSequence(x, call.inputs["batch_sizes"])
    h0, *c0 = (torch.stack([leaves[n]] * 2) for n in leaves if n != "x")
    y, state = layer(x, (h0, *c0) if call.is_lstm else h0)
    y = (y.data if packed else y).chunk(2, -1)[reverse]
    hn, *cn = (part[int(reverse)] for part in (state if call.is_lstm else [state]))

    expected = {"y": y, "hn": hn} | ({"cn": cn[0]} if cn else {})
    forward = run_forward(native, call, oracle=True)
    assert_close({n: forward[n] for n in expected}, {n: v.detach() for n, v in expected.items()})

    sum((call.inputs[f"d{n}"] * value).sum() for n, value in expected.items()).backward()
    gradients: dict[str, Any] = {f"d{n}": leaf.grad for n, leaf in leaves.items()}
    suffix = "_l0_reverse" if reverse else "_l0"
    for n, parameter in layer.named_parameters():
        if n.endswith(suffix):
            gradients[f"d_{n.removesuffix(suffix)}"] = parameter.grad
    got = run_backward(native, call, oracle=True, forward=forward)
    assert_close({n: got[n] for n in gradients}, gradients)


def test_a_field_of_a_call_is_its_own_place_and_zero_at_first(native: Any) -> None:
    for name in ("Forward32", "Forward64", "Backward32", "Backward64"):
        call = getattr(native, name)()
        fields = [n for n in dir(call) if not n.startswith("_") and n != "forward"]
        assert all(getattr(call, n) == 0 for n in fields)
        values: dict[str, int] = {n: k for k, n in enumerate(fields, 1)}
        values |= {n: v for n, v in (("reverse", True), ("cell", 2)) if n in values}
        for n, value in values.items():
            setattr(call, n, value)
        assert {n: getattr(call, n) for n in fields} == values


def test_a_forward_call_is_copied_into_the_backward_call(native: Any) -> None:
    forward, backward = native.Forward32(), native.Backward32()
    forward.steps = 5
    backward.forward = forward
    forward.steps = 6
    assert backward.forward.steps == 5
