"""The kernels under autograd: what is kept, asked for, run again and refused."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
import torch.autograd.forward_ad as forward_mode
from torch import Tensor
from torch.nn.utils.parametrizations import weight_norm

from unrolled import kernels
from unrolled.errors import ShapeError, UnrolledError
from unrolled.layers import use_path
from unrolled.layers.states import tensors_of

from .native_calls import MODES, assert_near, layer_of, leaves, state_of

pytestmark = pytest.mark.skipif(
    not kernels.available(), reason=f"native kernels: {kernels.why_not()}"
)
every_mode = pytest.mark.parametrize("mode", MODES)
T, B, I, H = 7, 3, 5, 8  # noqa: E741


def random_input(dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(T, B, I, dtype=dtype, requires_grad=True)


def squares(outputs: Any) -> Tensor:
    return torch.stack([part.square().sum() for part in tensors_of(outputs)]).sum()


@contextmanager
def forward_calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The calls of the forward kernel inside the block."""
    calls: list[Any] = []
    real = kernels.forward
    with monkeypatch.context() as inside:
        inside.setattr(kernels, "forward", lambda call: (calls.append(call), real(call))[1])
        yield calls


@every_mode
def test_a_second_backward_gives_the_same_bits(mode: str) -> None:
    """The first one overwrites what was kept."""
    layer = layer_of(mode, I, H, num_layers=2, bidirectional=True)
    x, state = random_input(), leaves(state_of(layer, B))
    loss = squares(layer(x, state, lengths=torch.tensor([7, 0, 4])))
    sources = [x, *tensors_of(state), *layer.parameters()]
    first, *others = [torch.autograd.grad(loss, sources, retain_graph=True) for _ in range(3)]
    for other in others:
        assert all(torch.equal(a, b) for a, b in zip(first, other, strict=True))


@every_mode
def test_a_second_backward_without_retain_graph_is_refused_as_by_torch(mode: str) -> None:
    y, _ = layer_of(mode, I, H)(random_input())
    y.sum().backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.sum().backward()


@every_mode
def test_without_gradients_there_is_no_graph_and_nothing_is_kept(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer, x = layer_of(mode, I, H), random_input()
    frozen = copy.deepcopy(layer).requires_grad_(False)
    with forward_calls(monkeypatch) as calls:
        with torch.no_grad():
            outputs = [*tensors_of(layer(x))]
        with torch.inference_mode():
            outputs += tensors_of(layer(x))
        outputs += tensors_of(frozen(x.detach()))
    assert len(calls) == 3
    assert not any(output.requires_grad or output.grad_fn for output in outputs)
    assert not any(call.gates or call.cells for call in calls)
    with forward_calls(monkeypatch) as calls:
        assert layer(x)[0].grad_fn is not None
    assert bool(calls[0].gates) == (not mode.startswith("RNN"))


@every_mode
def test_each_source_alone_gets_the_gradient_it_gets_among_others(mode: str) -> None:
    layer = layer_of(mode, I, H, num_layers=2, bidirectional=True)
    x, state = random_input(), leaves(state_of(layer, B))
    sources = [x, *tensors_of(state), *layer.parameters()]
    want = torch.autograd.grad(squares(layer(x, state)), sources)
    for source in sources:
        source.requires_grad_(False)
    for source, gradient in zip(sources, want, strict=True):
        source.requires_grad_()
        squares(layer(x, state)).backward()
        assert source.grad is not None
        assert_near(source.grad, gradient, 1e-13)
        source.requires_grad_(False)
    assert sum(source.grad is not None for source in sources) == len(sources)


@pytest.mark.parametrize("batch_first", [False, True])
@every_mode
def test_what_the_backward_needs_may_not_be_changed_in_place(mode: str, batch_first: bool) -> None:
    layer = layer_of(mode, I, H, batch_first=batch_first)
    x = random_input().detach()

    def change_y(y: Tensor, _: Tensor) -> None:
        y.mul_(2)  # allowed in itself, as with torch

    def change_x(_: Tensor, x: Tensor) -> None:
        x.mul_(2)

    def change_weight(_: Tensor, __: Tensor) -> None:
        with torch.no_grad():
            layer.weight_hh_l0.mul_(2)

    for change in (change_y, change_x, change_weight):
        y, _ = layer(x)
        change(y, x)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.sum().backward()


@every_mode
def test_the_final_state_may_be_changed_in_place(mode: str) -> None:
    layer, x = layer_of(mode, I, H), random_input()
    want = torch.autograd.grad(3 * squares(layer(x)[1]), x)
    _, final = layer(x)
    for part in tensors_of(final):
        part.mul_(3**0.5)
    assert_near(torch.autograd.grad(squares(final), x), want, 1e-13)


@pytest.mark.parametrize(("mode", "most"), [("LSTM", 6), ("GRU", 5), ("RNN_TANH", 1)])
def test_what_is_saved_for_the_backward_stays_below_the_promise(mode: str, most: int) -> None:
    """Floats for each step, row and unit, in all layers and directions together."""
    layer = layer_of(mode, I, H, num_layers=2, bidirectional=True)
    x, state = random_input(), state_of(layer, B)
    given = [x, *tensors_of(state), *layer.parameters()]
    # Memory, not tensors: a view of an input is no copy of it.
    known = {part.untyped_storage().data_ptr() for part in given}
    saved: dict[int, int] = {}

    def pack(part: Tensor) -> Tensor:
        storage = part.untyped_storage()
        if storage.data_ptr() not in known:
            saved[storage.data_ptr()] = storage.nbytes() // part.element_size()
        return part

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda part: part):
        outputs = layer(x, state)
    assert outputs[0].requires_grad
    assert 0 < sum(saved.values()) <= most * (T * B * H) * 4


@every_mode
def test_hooks_may_move_what_is_saved(mode: str) -> None:
    """As `torch.autograd.graph.save_on_cpu` and checkpoints do."""
    layer, x = layer_of(mode, I, H), random_input()
    want = torch.autograd.grad(squares(layer(x)), [x, *layer.parameters()])
    with torch.autograd.graph.saved_tensors_hooks(lambda p: p.tolist(), torch.DoubleTensor):
        loss = squares(layer(x))
    got = torch.autograd.grad(loss, [x, *layer.parameters()])
    assert_near(got, want, 0)
    y = torch.utils.checkpoint.checkpoint(lambda x: layer(x)[0], x, use_reentrant=False)
    got = torch.autograd.grad(squares(y), x)
    assert_near(got, torch.autograd.grad(squares(layer(x)[0]), x), 0)


def carried(layer: Any, x: Tensor) -> Tensor:
    """The state goes on from call to call, so that it depends on the weights itself."""
    _, state = layer(x)
    y, state = layer(x, state)
    return squares((y, state))


def tied(layer: Any, x: Tensor) -> Tensor:
    """Two directions with one weight."""
    layer.weight_hh_l0_reverse = layer.weight_hh_l0
    return squares(layer(x))


def stacked(layer: Any, x: Tensor) -> Tensor:
    """The layer twice, so that its input depends on its weights."""
    return squares(layer(layer(x)[0][..., :I])[0])


@pytest.mark.parametrize("graph", [carried, tied, stacked])
@every_mode
def test_a_backward_under_create_graph_gives_the_same_first_derivative(
    mode: str, graph: Callable[..., Tensor]
) -> None:
    layer, x = layer_of(mode, I, H, bidirectional=True), random_input()
    loss = graph(layer, x)
    sources = [x, *layer.parameters()]
    want = torch.autograd.grad(loss, sources, retain_graph=True)
    got = torch.autograd.grad(loss, sources, create_graph=True)
    assert_near(got, want, 1e-12)
    assert all(part.requires_grad for part in got)
    with use_path("reference"):
        assert_near(torch.autograd.grad(graph(layer, x), sources), want, 1e-12)


@every_mode
def test_a_penalty_on_the_gradient_trains_as_on_the_reference_path(mode: str) -> None:
    layer, x, found = layer_of(mode, I, H), random_input(), []
    for path in ("native", "reference"):
        with use_path(path):
            y, _ = layer(x, lengths=torch.tensor([7, 0, 4]))
        (slope,) = torch.autograd.grad(y.square().sum(), x, create_graph=True)
        found.append(torch.autograd.grad(slope.square().sum(), list(layer.parameters())))
    assert_near(*found, 1e-12)


# torch's own decompositions, loaded by forward mode, use what torch deprecates
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
@every_mode
def test_transforms_and_forward_mode_work_without_being_asked(mode: str) -> None:
    layer = layer_of(mode, I, H)
    x, move = random_input().detach(), torch.randn(T, B, I, dtype=torch.float64)

    def outputs(x: Tensor) -> Tensor:
        return layer(x)[0]

    def loss_of(x: Tensor) -> Tensor:
        return outputs(x).square().sum()

    leaf = x.clone().requires_grad_()
    (want,) = torch.autograd.grad(loss_of(leaf), leaf)
    assert_near(torch.func.grad(loss_of)(x), want, 1e-12)
    each = torch.func.vmap(outputs)(torch.stack([x, move]))
    assert_near(each, torch.stack([outputs(x), outputs(move)]), 1e-12)
    with use_path("reference"):
        _, slope = torch.func.jvp(outputs, (x,), (move,))
    assert_near(torch.func.jvp(outputs, (x,), (move,))[1], slope, 1e-12)
    with forward_mode.dual_level():
        y = outputs(forward_mode.make_dual(x, move))
        assert_near(forward_mode.unpack_dual(y).tangent, slope, 1e-12)
    weights = dict(layer.named_parameters())

    def loss_of_weights(weights: dict[str, Tensor]) -> Tensor:
        return torch.func.functional_call(layer, weights, (x,))[0].square().sum()

    of_weights = torch.autograd.grad(loss_of(x), list(weights.values()))
    assert_near(list(torch.func.grad(loss_of_weights)(weights).values()), of_weights, 1e-12)


@every_mode
def test_jacobians_are_those_of_the_reference(mode: str) -> None:
    layer, x = layer_of(mode, 2, 3), torch.randn(2, 1, 2, dtype=torch.float64)

    def final(x: Tensor) -> Tensor:
        return layer(x)[0][-1, 0]

    with use_path("reference"):
        want = torch.autograd.functional.jacobian(final, x)
    for vectorize in (False, True):
        got = torch.autograd.functional.jacobian(final, x, vectorize=vectorize)
        assert_near(got, want, 1e-12)


@every_mode
def test_a_copy_keeps_the_numbers_and_has_its_own_gradients(mode: str) -> None:
    layer, x = layer_of(mode, I, H, num_layers=2), random_input()
    squares(layer(x)).backward()
    twin = copy.deepcopy(layer)
    twin.zero_grad()
    squares(twin(x)).backward()
    for ours, theirs in zip(layer.parameters(), twin.parameters(), strict=True):
        assert theirs.grad is not ours.grad
        assert torch.equal(ours.grad, theirs.grad)


@every_mode
def test_gradients_reach_replaced_and_parametrised_weights(mode: str) -> None:
    layer, x, found = layer_of(mode, I, H), random_input(), []
    weights = {name: torch.randn_like(part) for name, part in layer.named_parameters()}
    given = list(leaves(tuple(weights.values())))
    weight_norm(layer, "weight_hh_l0")
    replaced = [
        name.replace("weight_hh_l0", "parametrizations.weight_hh_l0.original1") for name in weights
    ]
    for path in ("native", "reference"):
        with use_path(path):
            call = torch.func.functional_call(layer, dict(zip(replaced, given, strict=True)), (x,))
            inner = layer.parametrizations.weight_hh_l0.original0
            found.append(torch.autograd.grad(squares(call), [x, *given, inner]))
    assert_near(*found, 1e-12)
    assert all((part != 0).any() for part in found[0])


@every_mode
def test_replaced_weights_that_do_not_fit_are_refused_by_name(mode: str) -> None:
    layer, x = layer_of(mode, I, H), random_input()
    rows = layer.weight_ih_l0.shape[0]
    wrong = {
        "weight_ih_l0": torch.randn(rows, I - 1).double(),
        "weight_hh_l0": torch.randn(rows, H).float(),
        "bias_ih_l0": torch.randn(2).double(),
        "bias_hh_l0": torch.randn(rows, 1).double(),
    }
    for name, value in wrong.items():
        what = "float32" if value.dtype == torch.float32 else "shape"
        with pytest.raises(UnrolledError, match=rf"{name.removesuffix('_l0')}: got .*{what}"):
            torch.func.functional_call(layer, {name: value}, (x,))
    larger = dict(layer_of(mode, I, 8 * H).named_parameters())
    with pytest.raises(ShapeError, match="got"):
        torch.func.functional_call(layer, larger, (x, state_of(layer, B)))
