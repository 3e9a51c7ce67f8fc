"""Streaming sessions of the kernels: against the oracle over the whole sequence, and by laws."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from .sequence_calls import CELLS, EPSILON, PARAMETERS, Call, make_call
from .sequence_runs import run_forward

MATRICES = ("weight_ih", "weight_hh", "weight_hr")
# Layer normalisation over very few sums enlarges what rounding did by up to 1 / sqrt(epsilon).
TOLERANCE = 2e-4


@dataclass(frozen=True)
class Stack:
    """Layers over the same rows and steps, and a readout `(V, P)` with its bias, or None."""

    layers: list[Call]
    readout: Tensor | None
    bias: Tensor | None

    @property
    def x(self) -> Tensor:
        return self.layers[0].inputs["x"].float()

    @property
    def width(self) -> int:
        return self.layers[-1].output if self.readout is None else len(self.readout)

    def model(self, native: Any, *, half: bool = False) -> Any:
        """The packed weights. What they were packed from is NaN afterwards."""
        alive = []

        def address(tensor: Tensor | None) -> int:
            if tensor is None:
                return 0
            alive.append(tensor.float().clone())
            return alive[-1].data_ptr()

        structs = []
        for call in self.layers:
            struct = native.Forward32()
            struct.cell = CELLS.index(call.cell)
            struct.input, struct.hidden, struct.output = call.input, call.hidden, call.output
            struct.rate_h, struct.rate_c, struct.epsilon = call.rate_h, call.rate_c, EPSILON
            for name in PARAMETERS:
                setattr(struct, name, address(call.inputs.get(name)))
            structs.append(struct)
        size = 0 if self.readout is None else len(self.readout)
        model = native.StreamModel(
            structs, size, address(self.readout), address(self.bias), float16=half
        )
        for tensor in alive:
            tensor.fill_(torch.nan)
        return model

    def session(self, native: Any, model: Any) -> Any:
        """A session that starts from the states that the calls are given."""
        session = native.StreamSession(model, self.layers[0].batch)
        for index, call in enumerate(self.layers):
            parts = [call.inputs[name].float() for name in ("h0", "c0") if name in call.inputs]
            session.set_state(index, *[part.data_ptr() for part in parts], *[0] * (2 - len(parts)))
        return session

    def oracle(self, native: Any) -> tuple[Tensor, list[list[Tensor]]]:
        """The outputs of all steps, and the last state of each layer."""
        y, states = self.layers[0].inputs["x"], []
        for call in self.layers:
            call = replace(call, inputs={**call.inputs, "x": y})
            after = run_forward(native, call, oracle=True, keep=False)
            y = after["y"]
            states.append([after[name] for name in ("hn", "cn") if name in after])
        if self.readout is not None:
            y = y @ self.readout.T
        return y if self.bias is None else y + self.bias, states

    def states(self, session: Any) -> list[list[Tensor]]:
        states = []
        for index, call in enumerate(self.layers):
            shapes = [(call.batch, call.output), (call.batch, call.hidden)]
            parts = [torch.full(s, torch.nan) for s in shapes[: 2 if call.is_lstm else 1]]
            session.get_state(index, *[part.data_ptr() for part in parts], *[0] * (2 - len(parts)))
            states.append(parts)
        return states


def run(session: Any, stack: Stack, x: Tensor | None = None) -> Tensor:
    """The outputs of the steps of `x`; each is written into a frame that stays as it is."""
    outputs = []
    for x_t in stack.x if x is None else x:
        frame = torch.full((x_t.shape[0] * stack.width + 18,), 7.0)
        y = frame[9:-9]
        session.step(x_t.contiguous().data_ptr(), y.data_ptr())
        assert (frame[:9] == 7.0).all()
        assert (frame[-9:] == 7.0).all()
        outputs.append(y.view(x_t.shape[0], stack.width))
    return torch.stack(outputs)


def assert_near(got: Tensor, expected: Tensor) -> None:
    allowed = TOLERANCE * max(1.0, expected.abs().max().item())
    assert ((got.double() - expected.double()).abs() <= allowed).all()  # fails on NaN


def make_stack(
    layers: Sequence[dict[str, Any]], readout: int | None = None, **shared: Any
) -> Stack:
    """Layers with these options of `make_call`, each taking what the one below gives."""
    calls: list[Call] = []
    for seed, options in enumerate(layers):
        size = {"input": calls[-1].output} if calls else {}
        chosen = {"seed": seed, "dtype": torch.float32, **shared, **size, **options}
        calls.append(make_call(**chosen))
    if readout is None:
        return Stack(calls, None, None)
    generator = torch.Generator().manual_seed(len(calls))
    weight = torch.randn(readout, calls[-1].output, generator=generator)
    return Stack(calls, weight.double(), torch.randn(readout, generator=generator).double())


@st.composite
def stacks(draw: st.DrawFn, sizes: st.SearchStrategy[int]) -> Stack:
    """Any stack: cells and options are mixed freely."""
    flag = st.booleans()
    zoneout = st.sampled_from(["none", "rate"])
    layers = []
    for _ in range(draw(st.integers(1, 3))):
        hidden = draw(sizes)
        layers.append(
            {
                "seed": draw(st.integers(0, 2**32 - 1)),
                "cell": draw(st.sampled_from(CELLS)),
                "hidden": hidden,
                "projection": draw(st.none() | st.integers(1, hidden)),
                "bias_ih": draw(flag),
                "bias_hh": draw(flag),
                "peephole": draw(flag),
                "norm": draw(flag),
                "zoneout_h": draw(zoneout),
                "zoneout_c": draw(zoneout),
            }
        )
    shared = {"steps": draw(st.integers(1, 5)), "batch": draw(st.integers(1, 9))}
    stack = make_stack(layers, draw(st.none() | sizes), input=draw(sizes), **shared)
    return stack if draw(flag) else replace(stack, bias=None)


STACKS = stacks(st.integers(1, 9)) | stacks(st.integers(1, 70))
OPTIONS = [
    *[{"cell": cell, "norm": norm} for cell in CELLS for norm in (False, True)],
    *[{"cell": "lstm", "projection": 20, "norm": norm} for norm in (False, True)],
    {"cell": "lstm", "peephole": True, "zoneout_h": "rate", "zoneout_c": "rate"},
]


@settings(max_examples=150)
@given(stack=STACKS)
def test_a_session_gives_what_the_oracle_gives_for_the_whole_sequence(
    native: Any, isa: str, stack: Stack
) -> None:
    session = stack.session(native, stack.model(native))
    got, (expected, states) = run(session, stack), stack.oracle(native)
    assert_near(got, expected)
    for mine, other in zip(stack.states(session), states, strict=True):
        for part, wanted in zip(mine, other, strict=True):
            assert_near(part, wanted)


def run_at_once(session: Any, stack: Stack, x: Tensor) -> Tensor:
    """The outputs of one call for all steps of `x`, into a frame that stays as it is."""
    steps, batch = x.shape[:2]
    frame = torch.full((steps * batch * stack.width + 18,), 7.0)
    y = frame[9:-9]
    session.run(steps, x.contiguous().data_ptr(), y.data_ptr())
    assert (frame[:9] == 7.0).all()
    assert (frame[-9:] == 7.0).all()
    return y.view(steps, batch, stack.width)


@settings(max_examples=150)
@given(stack=STACKS, half=st.booleans(), again=st.sampled_from([1, 3, 17]))
def test_steps_at_once_are_those_of_one_after_the_other(
    native: Any, isa: str, stack: Stack, half: bool, again: int
) -> None:
    # More than go through a layer at a time, and from a state that another step left.
    x = stack.x.repeat(again, 1, 1)
    model = stack.model(native, half=half)
    one, other = stack.session(native, model), stack.session(native, model)
    for session in (one, other):
        run(session, stack, stack.x[:1])
    assert_near(run_at_once(one, stack, x), run(other, stack, x).double())
    for mine, others in zip(stack.states(one), stack.states(other), strict=True):
        for part, wanted in zip(mine, others, strict=True):
            assert_near(part, wanted.double())
    assert_near(run(one, stack), run(other, stack).double())


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_of_steps_at_once_a_row_is_its_own(native: Any, isa: str, options: dict[str, Any]) -> None:
    stack = make_stack([{"hidden": 35, **options}], readout=5, batch=3, input=7)
    model = stack.model(native)
    clean = run_at_once(stack.session(native, model), stack, stack.x)
    x = stack.x.clone()
    x[1, 1, -1] = torch.nan
    got = run_at_once(stack.session(native, model), stack, x)
    assert got[1:, 1].isnan().all()
    assert not got[0].isnan().any()
    torch.testing.assert_close(got[:, [0, 2]], clean[:, [0, 2]], rtol=0, atol=0)


@settings(max_examples=50)
@given(stack=STACKS, scale=st.sampled_from([1.0, 2.0**-16, 2.0**-23, 2.0**13]))
def test_float16_weights_give_the_bits_of_weights_rounded_to_float16(
    native: Any, isa: str, stack: Stack, scale: float
) -> None:
    def changed(weight: Tensor, rounded: bool) -> Tensor:
        weight = (weight * scale).clamp(-65504, 65504).float()
        return (weight.half().float() if rounded else weight).double()

    def with_weights(rounded: bool) -> Stack:
        layers = []
        for call in stack.layers:
            matrices = {n: changed(t, rounded) for n, t in call.inputs.items() if n in MATRICES}
            layers.append(replace(call, inputs={**call.inputs, **matrices}))
        readout = stack.readout
        return Stack(layers, None if readout is None else changed(readout, rounded), stack.bias)

    given, rounded = with_weights(False), with_weights(True)
    half = given.session(native, given.model(native, half=True))
    whole = rounded.session(native, rounded.model(native))
    torch.testing.assert_close(
        run(half, given), run(whole, rounded), rtol=0, atol=0, equal_nan=True
    )


def test_float16_weights_take_half_the_memory(native: Any, isa: str) -> None:
    stack = make_stack([{"cell": "lstm", "hidden": 64}], readout=64, input=64)
    whole, half = stack.model(native), stack.model(native, half=True)
    assert whole.weight_bytes == 4 * (256 * 128 + 64 * 64)
    assert half.weight_bytes == whole.weight_bytes // (1 if isa == "generic" else 2)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_row_gives_the_same_bits_whatever_else_is_in_the_batch(
    native: Any, isa: str, options: dict[str, Any], half: bool
) -> None:
    stack = make_stack([{"hidden": 35, **options}], readout=5, batch=3, input=7)
    model = stack.model(native, half=half)
    clean = run(stack.session(native, model), stack)
    x = stack.x.clone()
    x[1, 1, -1] = torch.nan
    got = run(stack.session(native, model), stack, x)
    assert got[1:, 1].isnan().all()
    torch.testing.assert_close(got[:, [0, 2]], clean[:, [0, 2]], rtol=0, atol=0)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_state_read_and_set_or_copied_goes_on_alike(
    native: Any, isa: str, options: dict[str, Any]
) -> None:
    layer = {"hidden": 11, **options}
    stack = make_stack([layer, layer], readout=3, batch=2, input=4, steps=7)
    session = stack.session(native, stack.model(native))
    run(session, stack, stack.x[:3])
    copied, states = session.copy(), stack.states(session)
    expected = run(session, stack, stack.x[3:])
    torch.testing.assert_close(run(copied, stack, stack.x[3:]), expected, rtol=0, atol=0)
    for index, parts in enumerate(states):
        addresses = [part.data_ptr() for part in parts] + [0]
        session.set_state(index, *addresses[:2])
    torch.testing.assert_close(run(session, stack, stack.x[3:]), expected, rtol=0, atol=0)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_reset_session_is_a_new_one(native: Any, isa: str, options: dict[str, Any]) -> None:
    stack = make_stack([{"hidden": 11, **options}], batch=2, input=4)
    model = stack.model(native)
    session = stack.session(native, model)
    run(session, stack)
    session.reset()
    assert all((part == 0).all() for parts in stack.states(session) for part in parts)
    fresh = run(native.StreamSession(model, 2), stack)
    torch.testing.assert_close(run(session, stack), fresh, rtol=0, atol=0)


def test_the_output_may_take_the_place_of_the_input(native: Any, isa: str) -> None:
    stack = make_stack([{"cell": "gru", "hidden": 6}], batch=2, input=6, steps=1)
    model = stack.model(native)
    expected = run(stack.session(native, model), stack)
    place = stack.x[0].clone()
    stack.session(native, model).step(place.data_ptr(), place.data_ptr())
    torch.testing.assert_close(place, expected[0], rtol=0, atol=0)


def test_a_model_keeps_the_instruction_set_it_was_packed_for(native: Any, isa: str) -> None:
    stack = make_stack([{"cell": "lstm", "hidden": 19}], readout=3, input=4)
    model = stack.model(native)
    expected = run(stack.session(native, model), stack)
    try:
        native.use_isa("generic")
        got = run(stack.session(native, model), stack)
    finally:
        native.use_isa(isa)
    torch.testing.assert_close(got, expected, rtol=0, atol=0)


@pytest.mark.parametrize("half", [False, True])
def test_sessions_of_one_model_run_in_many_threads_and_outlive_it(
    native: Any, isa: str, half: bool
) -> None:
    layers = [{"cell": cell, "hidden": 40, "norm": cell == "gru"} for cell in CELLS]
    stack = make_stack(layers, readout=9, batch=1, input=8, steps=50)
    model = stack.model(native, half=half)
    expected = run(stack.session(native, model), stack)
    sessions = [stack.session(native, model) for _ in range(6)]
    del model
    results: list[Tensor] = [torch.empty(0)] * len(sessions)
    start = threading.Barrier(len(sessions))

    def work(index: int) -> None:
        start.wait()
        results[index] = run(sessions[index], stack)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(sessions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for got in results:
        torch.testing.assert_close(got, expected, rtol=0, atol=0)


def test_a_session_in_several_threads_counts_each_step_once_or_refuses_it(native: Any) -> None:
    # h' = max(0, h + 1): the state counts the steps.
    hidden = 64
    inputs = {
        "weight_ih": torch.zeros(hidden, 1),
        "weight_hh": torch.eye(hidden),
        "bias_ih": torch.ones(hidden),
    }
    call = make_call(cell="rnn_relu", hidden=hidden, input=1, batch=1, dtype=torch.float32)
    stack = Stack([replace(call, inputs=inputs)], None, None)
    session = native.StreamSession(stack.model(native), 1)
    done, refused = [0] * 4, [0] * 4
    start = threading.Barrier(4)

    def work(index: int) -> None:
        x, y = torch.zeros(1), torch.empty(hidden)
        start.wait()
        for _ in range(500):
            try:
                session.step(x.data_ptr(), y.data_ptr())
                done[index] += 1
            except RuntimeError:
                refused[index] += 1

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(done) + sum(refused) == 2000
    ((h,),) = stack.states(session)
    assert (h == sum(done)).all()
