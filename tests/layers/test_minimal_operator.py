"""Traced minGRU and minLSTM layers: one operator of the kernels, with the eager call's numbers."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch._dynamo

from unrolled import kernels
from unrolled.errors import DTypeError, ShapeError
from unrolled.layers import MinGRU, MinLSTM
from unrolled.layers.minimal_operator import run_traced
from unrolled.layers.minimal_recurrence import MinimalRun

from .native_calls import assert_near

pytestmark = [
    pytest.mark.skipif(not kernels.available(), reason=f"native kernels: {kernels.why_not()}"),
    # torch's own tracer uses what torch deprecates, and warns of what it did not see
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
both = pytest.mark.parametrize("kind", [MinGRU, MinLSTM])
T, B, I, H = 5, 3, 4, 7  # noqa: E741


def layer_of(kind: Any, **options: Any) -> Any:
    layer = kind(I, H, dtype=torch.float64, **options)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_()
    return layer


@pytest.mark.parametrize("ragged", [False, True])
@both
def test_a_compiled_layer_is_one_operator_with_the_eager_numbers(kind: Any, ragged: bool) -> None:
    graphs: list[torch.fx.GraphModule] = []

    def backend(graph: torch.fx.GraphModule, _: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    torch._dynamo.reset()
    layer = layer_of(kind, num_layers=2, bidirectional=True)
    x = torch.randn(T, B, I, dtype=torch.float64, requires_grad=True)
    state = torch.randn(4, B, H, dtype=torch.float64, requires_grad=True)
    options = {}
    if ragged:
        options = {"lengths": torch.tensor([5, 2, 0]), "starts": torch.rand(T, B) < 0.3}
    found = []
    for run in (layer, torch.compile(layer, backend=backend, fullgraph=True)):
        outputs = run(x, state, **options)
        loss = sum(out.square().sum() for out in outputs)
        found.append([*outputs, *torch.autograd.grad(loss, [x, state, *layer.parameters()])])
    assert_near(found[1], found[0], 0)
    targets = [str(node.target) for node in graphs[0].graph.nodes]
    assert sum("minimal_recurrence" in target for target in targets) == 2


@pytest.mark.parametrize(("kind", "bias"), [(MinGRU, True), (MinLSTM, False)])
def test_the_operator_keeps_its_word(kind: Any, bias: bool) -> None:
    """Its schema, its shapes under tracing and its gradients, by torch's own check."""
    layer = layer_of(kind, bidirectional=True, bias=bias)
    x = torch.randn(T, B, I, dtype=torch.float64, requires_grad=True)
    h0 = torch.randn(2, B, H, dtype=torch.float64, requires_grad=True)
    starts = torch.rand(T, B) < 0.3
    names = ("weight_l0", "bias_l0", "weight_l0_reverse", "bias_l0_reverse")
    parts = [getattr(layer, name, None) for name in names]
    y, hn = run_traced(MinimalRun(layer.mode, starts=starts), x, h0, parts)
    assert_near((y, hn), layer(x, h0, starts=starts), 0)
    given = [x.detach().new_empty(0) if part is None else part for part in parts]
    arguments = (x, h0, given, None, starts, None, layer.mode, True)
    torch.library.opcheck(torch.ops.unrolled.minimal_recurrence.default, arguments)


@both
def test_a_second_backward_through_the_operator_gives_the_same_bits(kind: Any) -> None:
    """The kernels write over what the forward pass kept: the operator gives them a copy."""
    torch._dynamo.reset()
    layer = layer_of(kind)
    x = torch.randn(T, B, I, dtype=torch.float64, requires_grad=True)
    y, _ = torch.compile(layer, backend="eager", fullgraph=True)(x)
    first, second = (
        torch.autograd.grad(y.sum(), [x, *layer.parameters()], retain_graph=True) for _ in range(2)
    )
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_the_operator_refuses_what_the_kernels_could_not_read() -> None:
    run, x = torch.ops.unrolled.minimal_recurrence, torch.randn(T, B, I)
    weight = torch.randn(2 * H, I)
    bias = x.new_empty(0)
    rest = (None, None, None, "MIN_GRU", False)
    with pytest.raises(ShapeError, match="weight: got shape"):
        run(x, None, [weight[:, :2], bias], *rest)
    with pytest.raises(DTypeError, match="float16"):
        run(x.half(), None, [weight.half(), bias.half()], *rest)
    with pytest.raises(DTypeError, match="MIN_X"):
        run(x, None, [weight, bias], None, None, None, "MIN_X", False)
    with pytest.raises(ShapeError, match="lengths"):
        run(x, None, [weight, bias], torch.tensor([T + 1, 0, 0]), None, None, "MIN_GRU", False)
