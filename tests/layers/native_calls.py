"""Calls of layers drawn at random, and how two runs of one call are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from unrolled.layers import GRU, LSTM, RNN, use_path
from unrolled.layers.states import State, map_state, tensors_of

MODES = ("RNN_TANH", "RNN_RELU", "GRU", "LSTM")
TOLERANCE = {torch.float32: 2e-5, torch.float64: 1e-12}
"""Of the largest number of a tensor, or of 1."""


def layer_of(
    mode: str, input: int, hidden: int, dtype: torch.dtype = torch.float64, **options: Any
) -> Any:
    """A layer with every parameter drawn wide, biases too."""
    kind = {"GRU": GRU, "LSTM": LSTM}.get(mode, RNN)
    if kind is RNN:
        options["nonlinearity"] = mode.removeprefix("RNN_").lower()
    layer = kind(input, hidden, dtype=dtype, **options)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(0, 1 if parameter.dim() == 1 else parameter.shape[1] ** -0.5)
    return layer


def state_of(layer: Any, batch: int | None) -> State:
    """A random state for so many rows; None for one sequence without a batch."""
    rows = layer.num_layers * (2 if layer.bidirectional else 1)
    between = () if batch is None else (batch,)
    like = layer.weight_ih_l0.detach()
    h = like.new_empty(rows, *between, layer.proj_size or layer.hidden_size).normal_()
    if layer.mode != "LSTM":
        return h
    return h, like.new_empty(rows, *between, layer.hidden_size).normal_()


def assert_near(got: Any, want: Any, tolerance: float) -> None:
    """Every tensor, relative to its largest number; NaN fails."""
    for at, (a, b) in enumerate(zip(tensors_of(got), tensors_of(want), strict=True)):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        off = (a - b).abs().max().item() if b.numel() else 0.0
        limit = tolerance * max(1.0, b.abs().max().item() if b.numel() else 1.0)
        assert off <= limit, f"tensor {at}: off by {off}, of {limit} allowed"


@dataclass(frozen=True)
class Drawn:
    """One call of a layer: what it is made from, so that it can be made again."""

    layer: dict[str, Any]
    steps: int
    batch: int
    form: str  # "padded", "packed", "unsorted" (packed too) or "alone"
    memory: str  # of the input: "dense", "turned", "strided" or "expanded"
    turned_weights: bool
    lengths: tuple[int, ...] | None
    starts: tuple[bool, ...] | None
    state: str  # "none", "given" or "grad"
    wanted: str  # what else has a gradient: "all", "input", "one" weight or "state" alone
    seen: str  # what the loss looks at: "all", "output" or "final"
    slope: str  # of the loss by what it looks at: "dense" or "expanded"


@st.composite
def calls(draw: st.DrawFn, *, layers: int = 3) -> Drawn:
    mode = draw(st.sampled_from(MODES))
    hidden = draw(st.integers(1, 40))
    layer: dict[str, Any] = {
        "mode": mode,
        "input": draw(st.integers(1, 40)),
        "hidden": hidden,
        "dtype": draw(st.sampled_from([torch.float64, torch.float64, torch.float32])),
        "num_layers": draw(st.integers(1, layers)),
        "bidirectional": draw(st.booleans()),
        "batch_first": draw(st.booleans()),
        "bias": draw(st.booleans()),
    }
    if mode == "LSTM" and hidden > 1 and draw(st.booleans()):
        layer["proj_size"] = draw(st.integers(1, hidden - 1))
    steps, batch = draw(st.integers(1, 9)), draw(st.integers(1, 6))
    form = draw(st.sampled_from(["padded", "padded", "packed", "unsorted", "alone"]))
    # On packed data the reference draws for the padded layout.
    if layer["num_layers"] > 1 and form in ("padded", "alone") and draw(st.booleans()):
        layer["dropout"] = 0.5
    if form == "alone":
        batch = 1
    shortest = 1 if form in ("packed", "unsorted") else 0
    lengths = st.lists(st.integers(shortest, steps), min_size=batch, max_size=batch)
    flags = st.lists(st.booleans(), min_size=steps * batch, max_size=steps * batch)
    some = draw(lengths if shortest else st.none() | st.just([0] * batch) | lengths)
    cuts = None if shortest else draw(st.none() | flags)
    return Drawn(
        layer,
        steps,
        batch,
        form,
        memory=draw(st.sampled_from(["dense", "turned", "strided", "expanded"])),
        turned_weights=draw(st.booleans()),
        lengths=None if some is None else tuple(some),
        starts=None if cuts is None else tuple(cuts),
        state=draw(st.sampled_from(["none", "given", "grad"])),
        wanted=draw(st.sampled_from(["all", "all", "input", "one", "state"])),
        seen=draw(st.sampled_from(["all", "output", "final"])),
        slope=draw(st.sampled_from(["dense", "expanded"])),
    )


def run(call: Drawn, path: str) -> tuple[list[Tensor], list[Tensor]]:
    """Values and gradients of a call on a path, made from one seed."""
    torch.manual_seed(0)
    layer = layer_of(**call.layer)
    if call.turned_weights:
        for parameter in layer.parameters():
            parameter.data = parameter.data.t().contiguous().t()
    base, x = _input(call)
    state = None
    if call.state != "none":
        state = state_of(layer, None if call.form == "alone" else call.batch)
    parameters = list(layer.parameters())
    sources = {
        "all": [base, *parameters],
        "input": [base],
        "one": parameters[-1:],
        "state": [],
    }[call.wanted]
    if call.state == "grad":
        sources = [*sources, *tensors_of(state)]
    for parameter in parameters:
        parameter.requires_grad_(False)
    for source in sources:
        source.requires_grad_()
    # Derived from the leaf only now, that the graph goes through it.
    with use_path(path):
        y, final = layer(*_arguments(call, base if x is None else x(base), state), **_options(call))
    y = y.data if isinstance(y, PackedSequence) else y
    outputs = [y, *tensors_of(final)]
    looked_at = {"all": outputs, "output": outputs[:1], "final": outputs[1:]}[call.seen]
    looked_at = [output for output in looked_at if output.requires_grad]
    slopes = [_slope(call, output) for output in looked_at]
    gradients: Sequence[Tensor] = ()
    if looked_at:
        gradients = torch.autograd.grad(looked_at, sources, slopes, materialize_grads=True)
    return [output.detach() for output in outputs], list(gradients)


def _input(call: Drawn) -> tuple[Tensor, Any]:
    """A leaf, and what makes the input `(T, B, I)` from it."""
    size, dtype = call.layer["input"], call.layer.get("dtype", torch.float64)
    T, B = call.steps, call.batch
    if call.memory == "turned":
        return torch.randn(B, T, size, dtype=dtype), lambda leaf: leaf.transpose(0, 1)
    if call.memory == "strided":
        return torch.randn(T, B, 2 * size, dtype=dtype), lambda leaf: leaf[..., ::2]
    if call.memory == "expanded":
        return torch.randn(1, B, size, dtype=dtype), lambda leaf: leaf.expand(T, -1, -1)
    return torch.randn(T, B, size, dtype=dtype), None


def _arguments(call: Drawn, x: Tensor, state: State) -> tuple[Any, State]:
    if call.form in ("packed", "unsorted"):
        assert call.lengths is not None
        ends = torch.tensor(call.lengths)
        if call.form == "packed":
            ends = ends.sort(descending=True).values
        return pack_padded_sequence(x, ends, enforce_sorted=call.form == "packed"), state
    if call.form == "alone":
        return x.squeeze(1), state
    return (x.transpose(0, 1) if call.layer.get("batch_first") else x), state


def _options(call: Drawn) -> dict[str, Tensor]:
    if call.form in ("packed", "unsorted"):
        return {}
    options = {}
    if call.lengths is not None:
        ends = torch.tensor(call.lengths)
        options["lengths"] = ends.squeeze(0) if call.form == "alone" else ends
    if call.starts is not None:
        cuts = torch.tensor(call.starts).view(call.steps, call.batch)
        if call.form == "alone":
            cuts = cuts.squeeze(1)
        elif call.layer.get("batch_first"):
            cuts = cuts.t()
        options["starts"] = cuts
    return options


def _slope(call: Drawn, output: Tensor) -> Tensor:
    if call.slope == "dense":
        return torch.randn(output.shape, dtype=output.dtype)
    return torch.randn((), dtype=output.dtype).expand(output.shape)


def leaves(state: State) -> State:
    """The state with gradients of its own."""
    return map_state(lambda part: part.clone().requires_grad_(), state)
