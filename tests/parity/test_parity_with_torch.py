"""Values and gradients of the layers equal PyTorch's, with random biases and first state."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from unrolled import kernels
from unrolled.layers import GRU, LSTM, RNN, use_path
from unrolled.layers.states import State, map_state, tensors_of

# torch says so once for every LSTM with a projection on a CPU, its own and ours.
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported")

CELLS: dict[str, tuple[type, type, dict[str, Any]]] = {
    "tanh": (RNN, torch.nn.RNN, {}),
    "relu": (RNN, torch.nn.RNN, {"nonlinearity": "relu"}),
    "gru": (GRU, torch.nn.GRU, {}),
    "lstm": (LSTM, torch.nn.LSTM, {}),
    "lstm-projected": (LSTM, torch.nn.LSTM, {"proj_size": 2}),
}
T, B, I, H = 5, 3, 4, 6  # noqa: E741
needs_kernels = pytest.mark.skipif(
    not kernels.available(), reason=f"native kernels: {kernels.why_not()}"
)
every_path = pytest.mark.parametrize(
    "path", ["reference", "aten", pytest.param("native", marks=needs_kernels)]
)


def pair(cell: str, dtype: torch.dtype, **options: Any) -> tuple[Any, torch.nn.RNNBase]:
    """Our layer and torch's with the same weights, every parameter drawn wide, biases too."""
    ours, torchs, more = CELLS[cell]
    rival = torchs(I, H, **more, **options).to(dtype)
    with torch.no_grad():
        for parameter in rival.parameters():
            parameter.normal_(0, 0.5)
    layer = ours(I, H, **more, **options).to(dtype)
    layer.load_state_dict(rival.state_dict())
    return layer, rival


def random_state(layer: torch.nn.RNNBase, batch: int | None = B) -> State:
    rows = layer.num_layers * (2 if layer.bidirectional else 1)
    between = () if batch is None else (batch,)
    dtype = layer.weight_ih_l0.dtype
    h = torch.randn(rows, *between, layer.proj_size or layer.hidden_size, dtype=dtype)
    if layer.mode != "LSTM":
        return h
    return h, torch.randn(rows, *between, layer.hidden_size, dtype=dtype)


def values_and_gradients(
    layer: torch.nn.RNNBase, x: Any, state: State, **options: Any
) -> dict[str, torch.Tensor]:
    """Outputs, final states, and the gradient of a fixed random loss to everything."""
    packed = isinstance(x, PackedSequence)
    data = (x.data if packed else x).clone().requires_grad_()
    state = None if state is None else map_state(lambda s: s.clone().requires_grad_(), state)
    source = PackedSequence(data, *x[1:]) if packed else data
    y, final = layer(source, state, **options)
    y = y.data if packed else y
    outputs = [y, *tensors_of(final)]
    generator = torch.Generator().manual_seed(1)
    loss = sum(
        (torch.randn(out.shape, generator=generator, dtype=out.dtype) * out).sum()
        for out in outputs
    )
    given = [] if state is None else list(tensors_of(state))
    names, parameters = zip(*layer.named_parameters(), strict=True)
    gradients = torch.autograd.grad(loss, [data, *given, *parameters])
    found = {f"output {i}": out.detach() for i, out in enumerate(outputs)}
    labels = ["input", *(f"state {i}" for i in range(len(given))), *names]
    return found | {f"gradient of {k}": g for k, g in zip(labels, gradients, strict=True)}


def assert_same(got: dict[str, torch.Tensor], want: dict[str, torch.Tensor]) -> None:
    """Every tensor, to rounding of its largest number: that is what its sums are made of."""
    assert got.keys() == want.keys()
    for name, value in want.items():
        rounding = 16 * torch.finfo(value.dtype).eps
        torch.testing.assert_close(
            got[name],
            value,
            rtol=rounding,
            atol=rounding * max(1.0, value.abs().max().item()),
            msg=lambda text, name=name: f"{name}: {text}",
        )


@pytest.mark.parametrize(
    ("path", "dtype"),
    [
        ("reference", torch.float64),
        ("reference", torch.float32),
        ("aten", torch.float32),
        pytest.param("native", torch.float64, marks=needs_kernels),
        pytest.param("native", torch.float32, marks=needs_kernels),
    ],
)
@pytest.mark.parametrize("cell", CELLS)
def test_values_and_gradients_equal_torchs(cell: str, dtype: torch.dtype, path: str) -> None:
    for layers, bidirectional, bias, batch_first in product((1, 2), *[(False, True)] * 3):
        layer, rival = pair(
            cell,
            dtype,
            num_layers=layers,
            bidirectional=bidirectional,
            bias=bias,
            batch_first=batch_first,
        )
        x = torch.randn((B, T, I) if batch_first else (T, B, I), dtype=dtype)
        state = random_state(rival)
        with use_path(path):
            got = values_and_gradients(layer, x, state)
        assert_same(got, values_and_gradients(rival, x, state))


@every_path
@pytest.mark.parametrize("cell", CELLS)
def test_no_state_equals_a_state_of_zeros(cell: str, path: str) -> None:
    layer, rival = pair(cell, torch.float64, num_layers=2, bidirectional=True)
    x = torch.randn(T, B, I, dtype=torch.float64)
    zeros = map_state(torch.zeros_like, random_state(rival))
    with use_path(path):
        got, want = layer(x), layer(x, zeros)
    for a, b in zip(tensors_of(got), tensors_of(want), strict=True):
        assert torch.equal(a, b)


@every_path
@pytest.mark.parametrize("cell", CELLS)
def test_one_sequence_without_a_batch_equals_torchs(cell: str, path: str) -> None:
    for batch_first in (False, True):
        layer, rival = pair(cell, torch.float64, bidirectional=True, batch_first=batch_first)
        x, state = torch.randn(T, I, dtype=torch.float64), random_state(rival, None)
        with use_path(path):
            got = values_and_gradients(layer, x, state)
        assert_same(got, values_and_gradients(rival, x, state))


@every_path
@pytest.mark.parametrize("enforce_sorted", [True, False])
@pytest.mark.parametrize("cell", CELLS)
def test_a_packed_sequence_equals_torchs(cell: str, enforce_sorted: bool, path: str) -> None:
    layer, rival = pair(cell, torch.float64, num_layers=2, bidirectional=True)
    lengths = torch.tensor([5, 3, 1] if enforce_sorted else [3, 1, 5])
    x = torch.randn(T, B, I, dtype=torch.float64)
    packed = pack_padded_sequence(x, lengths, enforce_sorted=enforce_sorted)
    for state in (None, random_state(rival)):
        with use_path(path):
            got = values_and_gradients(layer, packed, state)
            y, _ = layer(packed, state)
        assert_same(got, values_and_gradients(rival, packed, state))
        want, _ = rival(packed, state)
        for a, b in zip(y[1:], want[1:], strict=True):
            assert (a is None and b is None) or torch.equal(a, b)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_dropout_between_layers_draws_what_torch_draws(cell: str, batch_first: bool) -> None:
    layer, rival = pair(
        cell,
        torch.float64,
        num_layers=3,
        dropout=0.5,
        bidirectional=True,
        batch_first=batch_first,
    )
    x = torch.randn(T, B, I, dtype=torch.float64)
    outputs = []
    for one, path in ((rival, "auto"), (layer, "aten"), (layer, "reference"), (layer, "auto")):
        torch.manual_seed(5)
        with use_path(path):
            outputs.append(one(x)[0])
    for got in outputs[1:]:
        torch.testing.assert_close(got, outputs[0])
    with use_path("reference"):
        assert not torch.allclose(layer(x)[0], outputs[0])
        torch.testing.assert_close(layer.eval()(x)[0], rival.eval()(x)[0])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("cell", ["tanh", "gru", "lstm"])
def test_half_precision_is_near_torchs(cell: str, dtype: torch.dtype) -> None:
    layer, rival = pair(cell, dtype)
    x = torch.randn(T, B, I, dtype=dtype)
    with use_path("reference"):
        y, _ = layer(x)
    assert y.dtype == dtype
    torch.testing.assert_close(y, rival(x)[0], rtol=0.05, atol=0.05)


@pytest.mark.parametrize("cell", CELLS)
def test_both_paths_run_under_autocast(cell: str) -> None:
    layer, _ = pair(cell, torch.float32, bidirectional=True)
    x, lengths = torch.randn(T, B, I), torch.tensor([5, 0, 2])
    exact, _ = layer(x, lengths=lengths)
    for path in ("reference", "aten"):
        with use_path(path), torch.autocast("cpu", dtype=torch.bfloat16):
            rounded, _ = layer(x, lengths=lengths)
            layer(x)
        torch.testing.assert_close(rounded.float(), exact, rtol=0.05, atol=0.05)


@pytest.mark.parametrize("cell", ["gru", "lstm", "lstm-projected"])
def test_every_path_is_twice_differentiable_on_a_cpu(cell: str) -> None:
    """In float32 aten is oneDNN for the LSTM; checked against torch's operations."""
    layer, _ = pair(cell, torch.float32, num_layers=2, bidirectional=True)
    x, state = torch.randn(T, B, I, requires_grad=True), random_state(layer)
    second = {}
    for path in ("reference", "aten", "auto"):
        with use_path(path):
            y, _ = layer(x, state)
        (slope,) = torch.autograd.grad((y**2).sum(), x, create_graph=True)
        second[path] = torch.autograd.grad((slope**2).sum(), [x, *layer.parameters()])
    for path in ("aten", "auto"):
        for a, b in zip(second[path], second["reference"], strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("cell", CELLS)
def test_the_reference_path_passes_gradcheck_twice(cell: str) -> None:
    layer, _ = pair(cell, torch.float64, bidirectional=True)
    x = torch.randn(3, 2, I, dtype=torch.float64, requires_grad=True)
    state = map_state(lambda s: s.requires_grad_(), random_state(layer, 2))
    lengths, starts = torch.tensor([3, 2]), torch.tensor([[0, 1], [1, 0], [0, 0]]).bool()
    names = [name for name, _ in layer.named_parameters()]

    def run(x: torch.Tensor, *rest: torch.Tensor) -> tuple[torch.Tensor, ...]:
        count = 2 if layer.mode == "LSTM" else 1
        hx = rest[:2] if count == 2 else rest[0]
        weights = dict(zip(names, rest[count:], strict=True))
        options = {"lengths": lengths, "starts": starts}
        return tuple(tensors_of(torch.func.functional_call(layer, weights, (x, hx), options)))

    inputs = (x, *tensors_of(state), *layer.parameters())
    with use_path("reference"):
        assert torch.autograd.gradcheck(run, inputs, fast_mode=True)
        if cell != "relu":  # its second derivative is zero, or undefined at the kink
            assert torch.autograd.gradgradcheck(run, inputs, fast_mode=True)


# torch's own decompositions, loaded by forward mode, use what torch deprecates
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
def test_forward_mode_and_vmap_run_on_the_reference_path() -> None:
    layer, _ = pair("lstm", torch.float64)
    x, move = torch.randn(2, T, B, I, dtype=torch.float64).unbind()
    with use_path("reference"):
        _, slope = torch.func.jvp(lambda x: layer(x)[0], (x,), (move,))
        each = torch.func.vmap(lambda x: layer(x)[0])(torch.stack([x, move]))
        near, far = (layer(x + side * 1e-6 * move)[0] for side in (1, -1))
        torch.testing.assert_close(slope, (near - far) / 2e-6, rtol=1e-5, atol=1e-7)
        torch.testing.assert_close(each[1], layer(move)[0])
