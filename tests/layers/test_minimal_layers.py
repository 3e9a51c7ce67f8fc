"""`MinGRU` and `MinLSTM`: both paths against the cells, and all that a layer promises."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pack_sequence

from unrolled import kernels
from unrolled.errors import ConfigError, DTypeError, ShapeError
from unrolled.layers import MinGRU, MinLSTM, Recurrent, use_path
from unrolled.layers.minimal import MinGRUStep, MinLSTMStep

T, B, I, H = 6, 3, 4, 5  # noqa: E741
KINDS = {MinGRU: MinGRUStep, MinLSTM: MinLSTMStep}
needs_kernels = pytest.mark.skipif(not kernels.available(), reason="the kernels are not built")


def layer_of(kind: type, *, dtype: torch.dtype = torch.float64, **options: Any) -> Any:
    """A layer with every parameter drawn wide."""
    layer = kind(I, H, dtype=dtype, **options)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_()
    return layer


def some(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64)


def starts_of(*shape: int) -> Tensor:
    return torch.rand(*shape) < 0.3


def results(path: str, layer: Any, x: Any, *given: Any, **options: Any) -> list[Tensor]:
    """Output, final state, and every gradient of a loss that weighs each number differently."""
    layer.zero_grad()
    with use_path(path):
        y, state = layer(x, *given, **options)
    data = y.data if isinstance(y, PackedSequence) else y
    loss = (data * torch.linspace(-1, 2, data.numel(), dtype=data.dtype).view(data.shape)).sum()
    loss = (
        loss + (state * torch.linspace(2, 1, state.numel(), dtype=data.dtype).view_as(state)).sum()
    )
    inputs = [part for part in (x.data if isinstance(x, PackedSequence) else x, *given)]
    inputs = [part for part in inputs if part is not None and part.requires_grad]
    wanted = [*inputs, *layer.parameters()]
    grads = torch.autograd.grad(loss, wanted, allow_unused=True, materialize_grads=True)
    return [data.detach(), state.detach(), *grads]


def assert_alike(got: list[Tensor], want: list[Tensor], tolerance: float = 1e-12) -> None:
    for at, (a, b) in enumerate(zip(got, want, strict=True)):
        assert a.shape == b.shape, at
        limit = tolerance * max(1.0, b.abs().max().item() if b.numel() else 1.0)
        assert ((a - b).abs() <= limit).all(), at  # fails on NaN


def by_cells(layer: Any, x: Tensor, state: Tensor, **options: Any) -> tuple[Tensor, Tensor]:
    """The layers and directions, one after the other, each a cell over time."""
    finals = []
    for index in range(layer.num_layers):
        outputs = []
        for suffix in ("", "_reverse")[: 2 if layer.bidirectional else 1]:
            weight = getattr(layer, f"weight_l{index}{suffix}")
            bias = getattr(layer, f"bias_l{index}{suffix}") if layer.bias else None
            run = Recurrent(KINDS[type(layer)](weight, bias), reverse=suffix != "")
            y, final = run(x, state[len(finals)], **options)
            outputs.append(y)
            finals.append(final)
        x = torch.cat(outputs, -1)
    return x, torch.stack(finals)


@pytest.mark.parametrize("path", ["reference", pytest.param("native", marks=needs_kernels)])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_is_its_cells_over_time(kind: type, bias: bool, path: str) -> None:
    layer = layer_of(kind, num_layers=2, bidirectional=True, bias=bias)
    x, state = some(T, B, I), some(4, B, H)
    options = {"lengths": torch.tensor([T, 0, 3]), "starts": starts_of(T, B)}
    with use_path(path):
        got = layer(x, state, **options)
    assert_alike(list(got), list(by_cells(layer, x, state, **options)))


@st.composite
def drawn_calls(draw: st.DrawFn) -> dict[str, Any]:
    flag = st.booleans()
    return {
        "kind": draw(st.sampled_from(list(KINDS))),
        "sizes": (draw(st.integers(1, 40)), draw(st.integers(1, 40))),
        "options": {
            "num_layers": draw(st.integers(1, 3)),
            "bias": draw(flag),
            "batch_first": draw(flag),
            "bidirectional": draw(flag),
            "dtype": draw(st.sampled_from([torch.float32, torch.float64])),
        },
        "form": draw(st.sampled_from(["padded", "packed", "unsorted", "alone"])),
        "turned": draw(flag),
        "lengths": draw(st.none() | st.lists(st.integers(0, T), min_size=B, max_size=B)),
        "starts": draw(flag),
        "state": draw(flag),
        "x_grad": draw(flag),
    }


@needs_kernels
@settings(max_examples=100)
@given(drawn=drawn_calls())
def test_the_kernels_give_values_and_gradients_of_the_reference(drawn: dict[str, Any]) -> None:
    inputs, hidden = drawn["sizes"]
    layer = drawn["kind"](inputs, hidden, **drawn["options"])
    dtype, form = drawn["options"]["dtype"], drawn["form"]
    lengths = drawn["lengths"]
    rows = layer.num_layers * (2 if layer.bidirectional else 1)
    between = () if form == "alone" else (B,)
    options: dict[str, Any] = {}
    x: Any
    if form in ("packed", "unsorted"):
        sizes = [max(1, length) for length in lengths or [T] * B]
        sizes = sorted(sizes, reverse=True) if form == "packed" else sizes
        rows_of_x = [torch.randn(size, inputs, dtype=dtype) for size in sizes]
        x = pack_sequence(rows_of_x, enforce_sorted=form == "packed")
        x = x._replace(data=x.data.requires_grad_(drawn["x_grad"]))
    else:
        shape = (T,) if form == "alone" else (B, T) if layer.batch_first else (T, B)
        x = torch.randn(*shape, inputs, dtype=dtype)
        if drawn["turned"] and form == "padded":
            x = x.transpose(0, 1).contiguous().transpose(0, 1)
        x.requires_grad_(drawn["x_grad"])
        if lengths is not None:
            options["lengths"] = torch.tensor(lengths[0] if form == "alone" else lengths)
        if drawn["starts"]:
            options["starts"] = starts_of(*shape)
    state = torch.randn(rows, *between, hidden, dtype=dtype) if drawn["state"] else None
    given_state = (None if state is None else state.requires_grad_(),)
    want = results("reference", layer, x, *given_state, **options)
    got = results("native", layer, x, *given_state, **options)
    assert_alike(got, want, 2e-5 if dtype == torch.float32 else 1e-12)


@needs_kernels
@pytest.mark.parametrize("kind", KINDS)
def test_the_gradients_of_the_kernels_are_the_derivatives(kind: type) -> None:
    layer = layer_of(kind, num_layers=2, bidirectional=True)
    names = [name for name, _ in layer.named_parameters()]
    starts = starts_of(4, B)

    def function(x: Tensor, state: Tensor, *weights: Tensor) -> tuple[Tensor, Tensor]:
        given = dict(zip(names, weights, strict=True))
        call = ((x, state), {"lengths": torch.tensor([4, 0, 3]), "starts": starts})
        return torch.func.functional_call(layer, given, *call)

    inputs = [some(4, B, I), some(4, B, H), *(p.detach() for p in layer.parameters())]
    inputs = [part.requires_grad_() for part in inputs]
    with use_path("native"):
        assert gradcheck(function, inputs, fast_mode=True)
        assert gradgradcheck(function, inputs, fast_mode=True)


@needs_kernels
@pytest.mark.parametrize("kind", KINDS)
def test_a_second_backward_gives_the_same_gradients(kind: type) -> None:
    layer, x = layer_of(kind), some(T, B, I).requires_grad_()
    y, _ = layer(x)
    first = torch.autograd.grad(y.sum(), [x, *layer.parameters()], retain_graph=True)
    second = torch.autograd.grad(y.sum(), [x, *layer.parameters()])
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a, b)


@needs_kernels
@pytest.mark.parametrize("kind", KINDS)
def test_without_gradients_the_bits_are_the_same_and_nothing_is_recorded(kind: type) -> None:
    layer, x = layer_of(kind, num_layers=2), some(T, B, I)
    recorded = layer(x)
    with torch.no_grad():
        plain = layer(x)
    for a, b in zip(plain, recorded, strict=True):
        assert torch.equal(a, b)
        assert b.requires_grad
        assert not a.requires_grad


@pytest.mark.parametrize("path", ["reference", pytest.param("native", marks=needs_kernels)])
@pytest.mark.parametrize("kind", KINDS)
def test_streaming_gives_the_whole_sequence(kind: type, path: str) -> None:
    layer, x, state = layer_of(kind, num_layers=2), some(T, B, I), some(2, B, H)
    with use_path(path):
        want, last = layer(x, state)
        for t in range(T):
            y, state = layer.step(x[t], state)
            torch.testing.assert_close(y, want[t])
        torch.testing.assert_close(state, last)
        alone, _ = layer.step(x[0, 1], None)
        torch.testing.assert_close(alone, layer.step(x[0])[0][1])


@pytest.mark.parametrize("path", ["reference", pytest.param("native", marks=needs_kernels)])
@pytest.mark.parametrize("kind", KINDS)
def test_what_stands_beyond_the_lengths_changes_nothing(kind: type, path: str) -> None:
    layer, lengths = layer_of(kind, bidirectional=True), torch.tensor([2, T, 0])
    x = some(T, B, I)
    real = torch.arange(T).unsqueeze(1) < lengths
    spoiled = x.masked_fill(~real.unsqueeze(-1), torch.nan)
    want = results(path, layer, x, lengths=lengths)
    got = results(path, layer, spoiled, lengths=lengths)
    assert_alike(got, want, 0.0)
    assert (got[0][~real] == 0).all()


@needs_kernels
@pytest.mark.parametrize("kind", KINDS)
def test_a_packed_batch_gives_what_its_lengths_give(kind: type) -> None:
    layer, lengths = layer_of(kind, num_layers=2, bidirectional=True), torch.tensor([2, T, 3])
    x, state = some(T, B, I), some(4, B, H)
    y, last = layer(x, state, lengths=lengths)
    packed, packed_last = layer(pack_padded_sequence(x, lengths, enforce_sorted=False), state)
    again = pack_padded_sequence(y, lengths, enforce_sorted=False)
    torch.testing.assert_close(packed.data, again.data, rtol=0, atol=0)
    torch.testing.assert_close(packed_last, last, rtol=0, atol=0)


@needs_kernels
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_dropout_draws_alike_on_both_paths(kind: type, batch_first: bool) -> None:
    layer = layer_of(kind, num_layers=3, dropout=0.5, batch_first=batch_first)
    x = some(B, T, I)
    drawn = []
    for path in ("native", "reference"):
        torch.manual_seed(5)
        drawn.append(results(path, layer, x))
    assert_alike(*drawn)
    layer.eval()
    assert not torch.allclose(layer(x)[0], drawn[0][0])
    assert torch.equal(layer(x)[0], layer(x)[0])


# torch's own decompositions, loaded by forward mode, use what torch deprecates
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
@pytest.mark.parametrize("kind", KINDS)
def test_transforms_take_the_reference_path(kind: type) -> None:
    layer, x = layer_of(kind), some(T, B, I)
    parameters = dict(layer.named_parameters())

    def loss(given: dict[str, Tensor], row: Tensor) -> Tensor:
        return torch.func.functional_call(layer, given, (row,))[0].square().sum()

    by_rows = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 1))(parameters, x)
    whole = torch.func.grad(loss)(parameters, x)
    layer(x)[0].square().sum().backward()
    for name, parameter in layer.named_parameters():
        torch.testing.assert_close(by_rows[name].sum(0), parameter.grad)
        torch.testing.assert_close(whole[name], parameter.grad)
    value, slope = torch.func.jvp(lambda x: layer(x)[0], (x,), (torch.ones_like(x),))
    torch.testing.assert_close(value, layer(x)[0])
    assert slope.isfinite().all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_paths_are_explained_and_forced(kind: type) -> None:
    layer, x = layer_of(kind), some(T, B, I)
    expected = "native" if kernels.available() else "reference"
    assert layer.explain().path == layer.explain(x).path == expected
    assert layer.explain(x[0], step=True).path == expected
    assert f"{kind.__name__}: {expected}" in str(layer.explain(x, starts=starts_of(T, B)))
    with use_path("aten"):
        assert not layer.explain(x).runs
        for call in (lambda: layer(x), lambda: layer.step(x[0])):
            with pytest.raises(ConfigError, match="PyTorch has no minGRU and no minLSTM"):
                call()
    half = kind(I, H, dtype=torch.bfloat16)
    assert half.explain().path == "reference"
    assert half(x.bfloat16())[0].dtype == torch.bfloat16
    with use_path("native"), pytest.raises(ConfigError, match="bfloat16"):
        half(x.bfloat16())
    both = kind(I, H, bidirectional=True)
    assert not both.explain(step=True).runs
    with pytest.raises(ConfigError, match="two directions"):
        both.step(torch.zeros(B, I))


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_batch_gives_an_empty_output(kind: type) -> None:
    y, state = layer_of(kind)(some(T, 0, I))
    assert y.shape == (T, 0, H)
    assert state.shape == (1, 0, H)


@pytest.mark.parametrize(("kind", "parts"), [(MinGRU, 2), (MinLSTM, 3)])
def test_parameters_are_named_and_drawn_as_torchs(kind: type, parts: int) -> None:
    layer = kind(I, 100, num_layers=2, bidirectional=True)
    shapes = {name: tuple(p.shape) for name, p in layer.named_parameters()}
    rows = parts * 100
    assert shapes == {
        "weight_l0": (rows, I),
        "bias_l0": (rows,),
        "weight_l0_reverse": (rows, I),
        "bias_l0_reverse": (rows,),
        "weight_l1": (rows, 200),
        "bias_l1": (rows,),
        "weight_l1_reverse": (rows, 200),
        "bias_l1_reverse": (rows,),
    }
    for parameter in layer.parameters():
        assert parameter.abs().max() <= 0.1
        assert parameter.abs().max() > 0.09
    other = kind(I, 100, num_layers=2, bidirectional=True)
    other.load_state_dict(layer.state_dict())
    x = torch.randn(T, B, I)
    assert torch.equal(other(x)[0], layer(x)[0])
    assert "bias_l0" not in kind(I, H, bias=False).state_dict()
    shown = "(4, 100, num_layers=2, bidirectional=True)"
    assert repr(layer) == kind.__name__ + shown


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_size": 0}, "input_size: got 0"),
        ({"hidden_size": -1}, "hidden_size: got -1"),
        ({"num_layers": 0}, "num_layers: got 0"),
        ({"dropout": 1.5}, "dropout: got 1.5"),
    ],
)
def test_sizes_that_can_not_be_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        MinGRU(**{"input_size": I, "hidden_size": H} | options)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((some(T, B, I + 1),), {}, ShapeError, r"input: got shape \(6, 3, 5\)"),
        ((some(0, B, I),), {}, ShapeError, "at least one time step"),
        ((torch.zeros(T, B, I),), {}, DTypeError, "input: got dtype torch.float32"),
        (("text",), {}, DTypeError, "x: got str"),
        ((some(T, B, I), some(1, B, H + 1)), {}, ShapeError, "state: got shape"),
        ((some(T, B, I), (some(1, B, H),)), {}, ShapeError, "state: got a tuple"),
        ((some(T, B, I), torch.zeros(1, B, H)), {}, DTypeError, "state: got dtype"),
        ((some(T, B, I),), {"lengths": [T + 1, 1, 1]}, ShapeError, "lengths: got 7 for row 0"),
        ((some(T, B, I),), {"starts": torch.zeros(T, B)}, DTypeError, "starts: got dtype"),
        ((pack_sequence([some(T, I)]),), {"lengths": [T]}, ConfigError, "PackedSequence"),
    ],
)
def test_a_bad_call_names_the_argument(
    arguments: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        layer_of(MinGRU)(*arguments, **options)


@needs_kernels
def test_a_weight_that_does_not_fit_never_reaches_the_kernels() -> None:
    layer, x = layer_of(MinGRU), some(T, B, I)
    for name, value, error in (
        ("weight_l0", some(2 * H, I + 1), ShapeError),
        ("weight_l0", some(2 * H + 1, I), ShapeError),
        ("weight_l0", some(0, I), ShapeError),
        ("weight_l0", torch.zeros(2 * H, I), DTypeError),
        ("bias_l0", some(H), ShapeError),
    ):
        with pytest.raises(error, match=name.removesuffix("_l0")):
            torch.func.functional_call(layer, {name: value}, (x,))
