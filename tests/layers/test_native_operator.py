"""Traced layers: one operator of the kernels, with the numbers of the eager call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch._dynamo

from unrolled import kernels
from unrolled.layers.call import EPSILON, weights_of
from unrolled.layers.kernel_calls import Run
from unrolled.layers.operator import run_traced
from unrolled.layers.states import tensors_of

from .native_calls import MODES, assert_near, layer_of, leaves, state_of

pytestmark = [
    pytest.mark.skipif(not kernels.available(), reason=f"native kernels: {kernels.why_not()}"),
    # torch's own tracer uses what torch deprecates, and warns of what it did not see
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
every_mode = pytest.mark.parametrize("mode", MODES)
T, B, I, H = 5, 3, 4, 7  # noqa: E741


@pytest.fixture(autouse=True)
def fresh_tracer() -> Iterator[None]:
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def operators(graph: torch.fx.Graph) -> int:
    return sum("unrolled.recurrence" in str(node.target) for node in graph.nodes)


@pytest.mark.parametrize("ragged", [False, True])
@every_mode
def test_a_compiled_layer_has_the_numbers_of_the_eager_one(mode: str, ragged: bool) -> None:
    graphs: list[torch.fx.GraphModule] = []

    def backend(graph: torch.fx.GraphModule, _: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    layer = layer_of(mode, I, H, num_layers=2, bidirectional=True)
    x = torch.randn(T, B, I, dtype=torch.float64, requires_grad=True)
    state, options = leaves(state_of(layer, B)), {}
    if ragged:
        options = {"lengths": torch.tensor([5, 2, 0]), "starts": torch.rand(T, B) < 0.3}
    sources = [x, *tensors_of(state), *layer.parameters()]
    found = []
    for run in (layer, torch.compile(layer, backend=backend, fullgraph=True)):
        outputs = [*tensors_of(run(x, state, **options))]
        slopes = torch.autograd.grad(sum(out.square().sum() for out in outputs), sources)
        found.append([*outputs, *slopes])
    assert_near(found[1], found[0], 0)
    assert [operators(graph.graph) for graph in graphs] == [2]


@every_mode
def test_an_exported_layer_is_one_operator_for_each_layer(mode: str) -> None:
    layer = layer_of(mode, I, H, num_layers=3, batch_first=True)
    x = torch.randn(B, T, I, dtype=torch.float64)
    options = {"lengths": torch.tensor([5, 2, 0])}
    program = torch.export.export(layer, (x,), options, strict=False)
    assert operators(program.graph) == 3
    assert_near(program.module()(x, **options), layer(x, **options), 0)
    other, options = torch.randn(B, T, I, dtype=torch.float64), {"lengths": torch.tensor([1, 0, 4])}
    assert_near(program.module()(other, **options), layer(other, **options), 0)


@every_mode
def test_the_operator_keeps_its_word(mode: str) -> None:
    """Its schema, its shapes under tracing and its gradients, by torch's own check."""
    layer = layer_of(mode, I, H, bidirectional=True)
    x = torch.randn(T, B, I, dtype=torch.float64, requires_grad=True)
    h, *c = tensors_of(leaves(state_of(layer, B)))
    starts, c0 = torch.rand(T, B) < 0.3, c[0] if c else None
    parts = [part for d in range(2) for part in (*weights_of(layer, 0, d), None, None, None)]
    y, _ = run_traced(Run(mode, starts=starts), x, h, c0, parts)
    given = [x.detach().new_empty(0) if part is None else part for part in parts]
    arguments = (x, h, c0, given, None, starts, None, mode, 0.0, 0.0, EPSILON, True)
    assert torch.equal(y, torch.ops.unrolled.recurrence(*arguments)[0])
    torch.library.opcheck(torch.ops.unrolled.recurrence.default, arguments)


@every_mode
def test_a_second_backward_through_the_operator_gives_the_same_bits(mode: str) -> None:
    layer = layer_of(mode, I, H)
    x = torch.randn(T, B, I, dtype=torch.float64, requires_grad=True)
    y, _ = torch.compile(layer, backend="eager", fullgraph=True)(x)
    first, second = (
        torch.autograd.grad(y.sum(), [x, *layer.parameters()], retain_graph=True) for _ in range(2)
    )
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
