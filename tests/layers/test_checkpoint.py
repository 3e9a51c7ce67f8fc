"""`checkpointed` gives the numbers and gradients of the plain call, in the memory of a segment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from unrolled import kernels
from unrolled.errors import ConfigError, ShapeError
from unrolled.layers import minimal_recurrence, native, reference
from unrolled.layers.call import LayerCall, Masks, weights_of
from unrolled.layers.checkpoint import checkpointed, checkpointed_as
from unrolled.layers.kernel_calls import Run
from unrolled.layers.masks import recurrent_mask, zoneout_mask
from unrolled.layers.memory_budget import parse_checkpoint
from unrolled.layers.minimal_layers import MinGRU
from unrolled.layers.recurrence import run_layer
from unrolled.layers.states import State, tensors_of
from unrolled.layers.unroll import choose, unroll

from .native_calls import MODES, assert_near, layer_of, leaves, state_of
from .segment_calls import (
    Two,
    TwoSpeeds,
    metered,
    mixed,
    over_time,
    parameters_of,
    stack,
)

T, B, I, H = 23, 4, 3, 5  # noqa: E741
LENGTHS = torch.tensor([23, 9, 0, 16])
RUNS = [
    pytest.param(reference.run, id="reference"),
    pytest.param(
        native.run,
        id="native",
        marks=pytest.mark.skipif(not kernels.available(), reason="needs the kernels"),
    ),
]
every_run = pytest.mark.parametrize("run", RUNS)


def random_input(steps: int = T) -> Tensor:
    return torch.randn(steps, B, I, dtype=torch.float64, requires_grad=True)


def resets() -> Tensor:
    """Resets inside segments, at the edges of those of 1, 4, 6 and 8 steps, and in the padding."""
    starts = torch.zeros(T, B, dtype=torch.bool)
    for t, row in (
        (0, 0),
        (4, 1),
        (5, 0),
        (8, 1),
        (8, 3),
        (12, 0),
        (18, 3),
        (20, 0),
        (12, 1),
        (20, 3),
    ):
        starts[t, row] = True
    return starts


def gradients(outputs: Any, sources: Any, **options: Any) -> tuple[Tensor, ...]:
    return torch.autograd.grad(mixed(outputs), list(sources), **options)


def a_stack(mode: str = "LSTM", layers: int = 2) -> tuple[Any, Tensor, State, list[Tensor]]:
    layer = layer_of(mode, I, H, num_layers=layers)
    x, state = random_input(), leaves(state_of(layer, B))
    return layer, x, state, [x, *tensors_of(state), *layer.parameters()]


@every_run
@pytest.mark.parametrize("mode", MODES)
def test_values_and_gradients_are_those_of_the_plain_call(mode: str, run: Any) -> None:
    layer, x, state, sources = a_stack(mode)
    for options in ({}, {"lengths": LENGTHS, "starts": resets()}):
        plain = (options.get("lengths"), options.get("starts"))
        want = run(layer, x, state, *plain)
        of_plain = gradients(want, sources)
        assert all((part != 0).any() for part in of_plain)
        for steps in (1, 4, 6, 22, 23, 99):
            got = checkpointed(
                stack(layer, run), x, state, parameters_of(layer), steps=steps, **options
            )
            assert_near(got, want, 1e-13)
            assert_near(gradients(got, sources), of_plain, 1e-12)


@every_run
def test_without_a_state_a_sequence_begins_with_zeros(run: Any) -> None:
    layer, x, _, _ = a_stack()
    want = run(layer, x, None, LENGTHS, resets())
    got = checkpointed(
        stack(layer, run), x, None, parameters_of(layer), steps=4, lengths=LENGTHS, starts=resets()
    )
    assert_near(got, want, 1e-13)
    sources = [x, *layer.parameters()]
    assert_near(gradients(got, sources), gradients(want, sources), 1e-12)


def cut_to_initial(cell: TwoSpeeds) -> Callable[..., Any]:
    def cut(state: Two, rows: Tensor, x: Tensor, parameters: dict[str, Tensor]) -> Two:
        first = Two(*(part.expand(len(rows), -1) for part in parameters["first"]))
        return choose(rows, first, state)

    return cut


@settings(max_examples=40)
@given(
    steps=st.integers(1, 12),
    segment=st.integers(1, 6),
    reverse=st.booleans(),
    lengths=st.none() | st.lists(st.integers(0, 12), min_size=3, max_size=3),
    flags=st.none() | st.lists(st.booleans(), min_size=36, max_size=36),
    given_state=st.booleans(),
)
def test_any_cell_in_either_direction_equals_its_plain_run(
    steps: int,
    segment: int,
    reverse: bool,
    lengths: list[int] | None,
    flags: list[bool] | None,
    given_state: bool,
) -> None:
    torch.manual_seed(1)
    cell = TwoSpeeds(2, 3)
    x = torch.randn(steps, 3, 2, dtype=torch.float64, requires_grad=True)
    state = (
        Two(*leaves(torch.randn(2, 3, 3, dtype=torch.float64)).unbind()) if given_state else None
    )
    options = {
        "lengths": None if lengths is None else torch.tensor(lengths).clamp(max=steps),
        "starts": None if flags is None else torch.tensor(flags).view(12, 3)[:steps],
        "reverse": reverse,
    }
    want = unroll(cell, x, state, **options)
    got = checkpointed(
        over_time(cell, reverse),
        x,
        state,
        parameters_of(cell),
        steps=segment,
        cut=cut_to_initial(cell),
        **options,
    )
    assert_near(got, want, 1e-13)
    sources = [x, *cell.parameters(), *(state or ())]
    more = {"materialize_grads": True}
    assert_near(gradients(got, sources, **more), gradients(want, sources, **more), 1e-12)


@pytest.mark.parametrize("mode", MODES)
def test_resets_between_segments_in_reverse_begin_with_zeros_in_torchs_layers(mode: str) -> None:
    layer = layer_of(mode, I, H)
    x, starts = random_input(), resets()
    state = leaves(_first(state_of(layer, B)))

    def segment(x: Tensor, state: State, lengths: Any, starts: Any, _: Any, weights: Any) -> Any:
        call = LayerCall(mode, weights, reverse=True)
        return reference.run_layer(call, x, state, lengths, starts)[:2]

    weights = weights_of(layer, 0)
    want = segment(x, state, LENGTHS, starts, None, weights)
    got = checkpointed(
        segment, x, state, weights, steps=4, lengths=LENGTHS, starts=starts, reverse=True
    )
    assert_near(got, want, 1e-13)
    sources = [x, *tensors_of(state), *layer.parameters()]
    of_plain = gradients(want, sources)
    assert_near(gradients(got, sources, retain_graph=True), of_plain, 1e-12)
    assert_near(gradients(got, sources, create_graph=True), of_plain, 1e-12)


def _first(state: State) -> State:
    return tuple(part[0] for part in state) if isinstance(state, tuple) else state[0]


@pytest.mark.skipif(not kernels.available(), reason="needs the kernels")
def test_the_kernels_of_mingru_run_in_segments() -> None:
    layer = MinGRU(I, H, dtype=torch.float64)
    x = random_input()
    h0 = torch.randn(1, B, H, dtype=torch.float64, requires_grad=True)

    def segment(x: Tensor, state: Tensor, lengths: Any, starts: Any, _: Any, parts: Any) -> Any:
        run = minimal_recurrence.MinimalRun("MIN_GRU", False, lengths, starts, None)
        return minimal_recurrence.run_native(run, x, state, parts)

    sources = [layer.weight_l0, layer.bias_l0]
    want = layer(x, h0, lengths=LENGTHS, starts=resets())
    got = checkpointed(segment, x, h0, sources, steps=4, lengths=LENGTHS, starts=resets())
    assert_near(got, want, 1e-13)
    sources += [x, h0]
    assert_near(gradients(got, sources), gradients(want, sources), 1e-12)


def masked_segment(path: str) -> Callable[..., Any]:
    def by_reference(x: Any, state: Any, lengths: Any, starts: Any, masks: Any, own: Any) -> Any:
        return reference.run_layer(LayerCall("LSTM", own, masks), x, state, lengths, starts)[:2]

    def by_kernels(x: Any, state: Any, lengths: Any, starts: Any, masks: Any, own: Any) -> Any:
        state = tuple(part.unsqueeze(0) for part in state)
        y, state = run_layer(Run("LSTM", False, lengths, starts), x, state, [own], [masks])
        return y, tuple(part.squeeze(0) for part in state)

    return by_kernels if path == "native" else by_reference


@pytest.mark.parametrize("path", ["reference", "native"])
def test_masks_over_time_come_in_slices_and_the_others_whole(path: str) -> None:
    if path == "native" and not kernels.available():
        pytest.skip("needs the kernels")
    layer = layer_of("LSTM", I, H)
    x, state = random_input(), leaves(_first(state_of(layer, B)))
    masks = Masks(
        zoneout_mask((T, B, H), 0.3),
        zoneout_mask((T, B, H), 0.6),
        recurrent=recurrent_mask(B, H, 0.4, x.detach()),
    )
    segment, weights = masked_segment(path), weights_of(layer, 0)
    want = masked_segment("reference")(x, state, LENGTHS, resets(), masks, weights)
    got = checkpointed(
        segment, x, state, weights, steps=6, lengths=LENGTHS, starts=resets(), masks=masks
    )
    assert_near(got, want, 1e-13)
    sources = [x, *tensors_of(state), *layer.parameters()]
    assert_near(gradients(got, sources), gradients(want, sources), 1e-12)
    mask = masks.recurrent.clone().requires_grad_()
    with pytest.raises(ConfigError, match="masks: got a mask that requires grad"):
        checkpointed(segment, x, state, weights, steps=6, masks=masks._replace(recurrent=mask))


@every_run
def test_dropout_draws_again_what_it_drew_and_leaves_the_generator_alone(run: Any) -> None:
    layer, x, state, sources = a_stack("GRU")
    layer.dropout = 0.5
    torch.manual_seed(5)
    y, final = checkpointed(stack(layer, run), x, state, parameters_of(layer), steps=4)
    after = torch.get_rng_state()
    torch.manual_seed(6)
    between = torch.get_rng_state()
    got = gradients((y, final), sources)
    assert torch.equal(torch.get_rng_state(), between)
    torch.manual_seed(5)
    outputs, end = [], state
    for part in x.split(4):
        y_part, end = run(layer, part, end, None, None)
        outputs.append(y_part)
    assert torch.equal(torch.get_rng_state(), after)
    want = (torch.cat(outputs), end)
    assert_near((y, final), want, 1e-13)
    assert_near(got, gradients(want, sources), 1e-12)
    torch.manual_seed(5)
    other = checkpointed(stack(layer, run), x, state, parameters_of(layer), steps=4)
    slopes = gradients(other, [x], create_graph=True)
    assert_near(slopes, got[:1], 1e-12)


def test_autocast_is_the_same_in_the_backward_pass_and_caches_nothing_without_a_graph() -> None:
    layer = layer_of("LSTM", I, H, dtype=torch.float32)
    x = torch.randn(T, B, I, requires_grad=True)
    sources = [x, *layer.parameters()]
    with torch.autocast("cpu", torch.bfloat16):
        got = checkpointed(stack(layer, reference.run), x, None, parameters_of(layer), steps=4)
        want = reference.run(layer, x, None, None, None)
    assert torch.equal(got[0], want[0])
    of_plain, of_segments = gradients(want, sources), gradients(got, sources)
    # bfloat16 has 8 bits, and the sums over time are added up in another order.
    assert_near(of_segments, of_plain, 2e-2)
    outside = checkpointed(stack(layer, reference.run), x, None, parameters_of(layer), steps=4)
    exact = gradients(outside, sources)
    assert (exact[0] != of_segments[0]).any()


@every_run
def test_what_the_backward_needs_may_not_be_changed_in_place(run: Any) -> None:
    layer, _, state, _ = a_stack()
    x = random_input().detach()
    state = tuple(part.detach() for part in state)

    def outputs() -> tuple[Tensor, State]:
        return checkpointed(stack(layer, run), x, state, parameters_of(layer), steps=4)

    y, (h, c) = outputs()
    want = torch.autograd.grad(y.sum() + h.sum(), layer.weight_hh_l0)
    y, (h, c) = outputs()
    y.mul_(2)  # nothing needs the outputs
    h.add_(c)
    got = torch.autograd.grad(y.sum() / 2 + h.sum() - c.sum(), layer.weight_hh_l0)
    assert_near(got, want, 1e-12)
    for changed in (x, state[0], layer.weight_hh_l1):
        y, _ = outputs()
        with torch.no_grad():
            changed.mul_(2)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.sum().backward()


@every_run
def test_lengths_and_starts_may_be_changed_after_the_call(run: Any) -> None:
    layer, x, _, _ = a_stack()
    lengths, starts = LENGTHS.clone(), resets()
    want = gradients(run(layer, x, None, lengths, starts)[0], [x])
    y, _ = checkpointed(
        stack(layer, run), x, None, parameters_of(layer), steps=4, lengths=lengths, starts=starts
    )
    lengths.fill_(1)
    starts.fill_(True)
    assert_near(gradients(y, [x]), want, 1e-12)


@every_run
def test_a_second_backward_gives_the_same_and_needs_retain_graph(run: Any) -> None:
    layer, x, state, sources = a_stack()
    outputs = checkpointed(stack(layer, run), x, state, parameters_of(layer), steps=4)
    first = gradients(outputs, sources, retain_graph=True)
    assert_near(gradients(outputs, sources), first, 0)
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        gradients(outputs, sources)


@every_run
def test_derivatives_of_derivatives_and_jacobians_are_those_of_the_plain_call(run: Any) -> None:
    layer, x, state, sources = a_stack("GRU")
    found = []
    for steps in (4, T):
        y, _ = checkpointed(
            stack(layer, run), x, state, parameters_of(layer), steps=steps, lengths=LENGTHS
        )
        first = gradients(y, sources, create_graph=True)
        penalty = sum(part.square().sum() for part in first)
        found.append((first, torch.autograd.grad(penalty, sources)))
    assert_near(found[0], found[1], 1e-11)

    def final(x: Tensor) -> Tensor:
        return checkpointed(stack(layer, run), x, None, parameters_of(layer), steps=4)[1][:, :, 0]

    x = x.detach()[:6]
    with_loop, at_once = (
        torch.autograd.functional.jacobian(final, x, vectorize=vectorize)
        for vectorize in (False, True)
    )
    assert with_loop.abs().max() > 0
    assert_near(at_once, with_loop, 1e-12)


def test_transforms_see_a_plain_call() -> None:
    layer, x, _, _ = a_stack()
    parameters = {name: part.detach() for name, part in layer.named_parameters()}
    x = x.detach()

    def loss(x: Tensor) -> Tensor:
        return mixed(checkpointed(stack(layer, reference.run), x, None, parameters, steps=4))

    leaf = x.clone().requires_grad_()
    assert_near(torch.func.grad(loss)(x), torch.autograd.grad(loss(leaf), leaf)[0], 1e-12)


@every_run
def test_without_gradients_the_segments_run_and_nothing_is_kept(run: Any) -> None:
    layer, x, state, _ = a_stack()
    want = run(layer, x, state, LENGTHS, None)
    seen = []
    inner = stack(layer, run)

    def segment(x: Tensor, *rest: Any) -> Any:
        seen.append(len(x))
        return inner(x, *rest)

    with torch.no_grad(), metered() as meter:
        got = checkpointed(segment, x, state, parameters_of(layer), steps=8, lengths=LENGTHS)
    assert seen == [8, 8, 7]
    assert meter.peak == 0
    assert not any(part.requires_grad for part in tensors_of(got))
    assert_near(got, want, 1e-13)


@every_run
@pytest.mark.parametrize("only", ["x", "state", "weight"])
def test_each_source_alone_gets_its_gradient(run: Any, only: str) -> None:
    layer, x, state, sources = a_stack()
    want = gradients(run(layer, x, state, None, None), sources)
    for source in sources:
        source.requires_grad_(False)
    at = {"x": 0, "state": 2, "weight": 4}[only]
    sources[at].requires_grad_()
    got = checkpointed(stack(layer, run), x, state, parameters_of(layer), steps=5)
    assert_near(gradients(got, [sources[at]]), want[at : at + 1], 1e-12)


@every_run
def test_segments_that_the_loss_does_not_hang_on_are_not_run_again(run: Any) -> None:
    layer, x, state, sources = a_stack()
    seen = []
    inner = stack(layer, run)

    def segment(x: Tensor, *rest: Any) -> Any:
        seen.append(len(x))
        return inner(x, *rest)

    _, final = checkpointed(segment, x, state, parameters_of(layer), steps=4)
    want = gradients(run(layer, x, state, None, None)[1], sources)
    assert_near(gradients(final, sources), want, 1e-12)
    # Two losses of the final state only, and of none of the outputs: all are needed for it.
    assert len(seen) == 12
    seen.clear()
    starts = torch.zeros(T, B, dtype=torch.bool)
    starts[20] = True
    _, final = checkpointed(segment, x, state, parameters_of(layer), steps=4, starts=starts)
    (dx,) = torch.autograd.grad(final[0].sum(), x)
    assert (dx[:20] == 0).all()
    assert (dx[20:] != 0).any()


@pytest.mark.parametrize("turned", [False, True])
@every_run
def test_the_outputs_lie_in_memory_as_asked_and_dx_as_x(run: Any, turned: bool) -> None:
    layer = layer_of("LSTM", I, H)
    base = torch.randn(B, T, I, dtype=torch.float64, requires_grad=True)
    x = base.transpose(0, 1)
    y, _ = checkpointed(
        stack(layer, run), x, None, parameters_of(layer), steps=4, batch_first=turned
    )
    assert y.shape == (T, B, H)
    assert (y.transpose(0, 1) if turned else y).is_contiguous()
    want, _ = run(layer, x, None, None, None)
    assert_near(y, want, 1e-13)
    slopes = []
    x.register_hook(slopes.append)
    assert_near(gradients(y, [base]), gradients(want, [base]), 1e-12)
    assert all(slope.stride() == x.stride() for slope in slopes[:1])


@every_run
def test_one_tensor_in_several_places_gets_all_of_its_gradient(run: Any) -> None:
    layer = layer_of("LSTM", H, H)
    layer.weight_hh_l0 = layer.weight_ih_l0
    layer.bias_hh_l0 = layer.bias_ih_l0
    x = torch.randn(T, B, H, dtype=torch.float64) @ layer.weight_ih_l0[:H]
    sources = [layer.weight_ih_l0, layer.bias_ih_l0]
    parameters = {name: getattr(layer, name) for name in ("weight_ih_l0", "weight_hh_l0")}
    parameters |= {name: getattr(layer, name) for name in ("bias_ih_l0", "bias_hh_l0")}
    got = checkpointed(stack(layer, run), x, None, parameters, steps=4)
    want = run(layer, x, None, None, None)
    of_plain = gradients(want, sources, retain_graph=True)
    assert_near(gradients(got, sources), of_plain, 1e-12)


def test_two_parameters_with_one_gradient_do_not_share_its_memory() -> None:
    """Autograd hands out one tensor for both sides of a sum."""
    a, b = (torch.randn(T, requires_grad=True, dtype=torch.float64)[0].detach() for _ in "ab")
    a, b = a.requires_grad_(), b.requires_grad_()
    x = torch.randn(T, B, 1, dtype=torch.float64)

    def segment(x: Tensor, state: Any, *rest: Any) -> Any:
        one, two = rest[-1]
        return x * (one + two), x[-1]

    y, _ = checkpointed(segment, x, None, (a, b), steps=4)
    assert_near(torch.autograd.grad(y.sum(), (a, b)), (x.sum(), x.sum()), 1e-12)


def test_a_tensor_that_is_not_handed_over_is_refused() -> None:
    cell, x = TwoSpeeds(I, H), random_input()
    parameters = parameters_of(cell)
    missing = parameters.pop("mix.bias")
    y, _ = checkpointed(over_time(cell), x, None, parameters, steps=4)
    with pytest.raises(ConfigError, match=r"the segment reads a tensor of shape \(5,\)"):
        y.sum().backward()
    missing.requires_grad_(False)
    y, _ = checkpointed(over_time(cell), x, None, parameters, steps=4)
    y.sum().backward()


def test_outputs_may_be_a_tree_and_the_input_integers() -> None:
    table = torch.randn(7, H, dtype=torch.float64, requires_grad=True)
    x = torch.randint(7, (T, B))

    def segment(x: Tensor, state: Any, *rest: Any) -> Any:
        sums = state + rest[-1][x].cumsum(0)
        return {"sums": sums, "seen": x + 1}, sums[-1]

    first = torch.zeros(B, H, dtype=torch.float64)
    y, final = checkpointed(segment, x, first, table, steps=4)
    want = table[x].cumsum(0)
    assert_near(y["sums"], want, 1e-12)
    assert torch.equal(y["seen"], x + 1)
    assert not y["seen"].requires_grad
    got = gradients((y["sums"], final), [table])
    assert_near(got, gradients((want, want[-1]), [table]), 1e-12)


@every_run
def test_saved_tensors_may_be_moved_by_hooks(run: Any) -> None:
    layer, x, state, sources = a_stack()
    want = gradients(run(layer, x, state, LENGTHS, None), sources)
    with torch.autograd.graph.saved_tensors_hooks(lambda p: p.tolist(), torch.DoubleTensor):
        got = checkpointed(
            stack(layer, run), x, state, parameters_of(layer), steps=4, lengths=LENGTHS
        )
        loss = mixed(got)
    assert_near(torch.autograd.grad(loss, sources), want, 1e-12)


@every_run
def test_memory_is_that_of_one_segment_and_the_states(run: Any) -> None:
    layer = layer_of("LSTM", I, H, num_layers=2)

    def peaks(steps: int, segment: int) -> tuple[int, int]:
        x = random_input(steps)
        with metered(x, *layer.parameters()) as meter:
            y, _ = checkpointed(stack(layer, run), x, None, parameters_of(layer), steps=segment)
            loss = y.sum()
            kept = meter.now
            loss.backward()
        return kept, meter.peak

    of_state = 2 * 2 * B * H * 8
    for steps, segment in ((60, 6), (61, 6), (240, 6)):
        kept, peak = peaks(steps, segment)
        segments = -(-steps // segment)
        assert kept == (segments - 1) * of_state
        assert kept < peak <= peaks(6, 6)[1] + kept + of_state
    plain = peaks(60, 60)[1]
    assert peaks(60, 6)[1] < plain / 4


@every_run
@pytest.mark.parametrize("mode", ["LSTM", "GRU"])
def test_a_budget_is_kept(run: Any, mode: str) -> None:
    layer, x = layer_of(mode, I, H, num_layers=2), random_input(200)
    sources = [x, *layer.parameters()]
    want = run(layer, x, None, None, None)
    of_plain = gradients(want, sources)
    peaks = []
    for budget in ("1MB", "400KB", "100 KB", "60 kB"):
        with metered(x, *layer.parameters()) as meter:
            got = checkpointed_as(
                parse_checkpoint(budget), stack(layer, run), x, None, parameters_of(layer)
            )
            loss = got[0].sum()
            loss.backward()
        peaks.append(meter.peak)
        x.grad = None
        layer.zero_grad()
        got = checkpointed_as(
            parse_checkpoint(budget), stack(layer, run), x, None, parameters_of(layer)
        )
        assert_near(got, want, 1e-13)
        assert_near(gradients(got, sources), of_plain, 1e-12)

    for peak, budget in zip(peaks, (1e6, 4e5, 1e5, 6e4), strict=True):
        assert 0 < peak <= budget
    with pytest.raises(ConfigError, match=r"got a budget of 2\.00 KB, and 200 steps need at least"):
        checkpointed_as(parse_checkpoint("2KB"), stack(layer, run), x, None, parameters_of(layer))


def test_a_budget_asks_for_nothing_without_gradients() -> None:
    layer, x, state, _ = a_stack()
    tiny = parse_checkpoint("1B")
    with torch.no_grad():
        got = checkpointed_as(tiny, stack(layer, reference.run), x, state, parameters_of(layer))
    assert_near(got, reference.run(layer, x, state, None, None), 1e-13)


def test_counting_for_a_budget_leaves_the_generator_alone() -> None:
    layer, x, state, _ = a_stack()
    layer.dropout = 0.5
    torch.manual_seed(3)
    want = reference.run(layer, x, state, None, None)
    torch.manual_seed(3)
    plenty = parse_checkpoint("1GB")
    got = checkpointed_as(plenty, stack(layer, reference.run), x, state, parameters_of(layer))
    assert_near(got, want, 0)


def test_wrong_arguments_are_named() -> None:
    layer, x, _, _ = a_stack()
    with pytest.raises(ConfigError, match="steps: got 0, expected at least 1"):
        checkpointed(stack(layer, reference.run), x, None, {}, steps=0)
    with pytest.raises(ShapeError, match=r"x: got shape \(0, 4, 3\)"):
        checkpointed(stack(layer, reference.run), x[:0], None, {}, steps=2)
